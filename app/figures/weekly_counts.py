"""Functions that count the people of a week, and store and read the numbers (ADR 73).

A week is counted once, two weeks after its end. By then, help that counts as given within
seven days has begun. Later changes to a case are not counted. Only the worker and the
command `safe-conduct figures count` count weeks.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from itertools import batched
from typing import Final

from sqlalchemy import select

from app.figures import queries
from app.figures.catalogue import Cell, TableName
from app.figures.counting import Counts, count_people
from app.figures.models import CountedWeek, WeekFigures
from app.figures.queries import Submissions
from app.kernel.actors import SYSTEM
from app.kernel.padding import compute_stepped_length
from app.kernel.statements import make_list_parameter
from app.kernel.transactions import ReadTransaction, Runtime, begin_read, begin_write
from app.kernel.vault import SealedDocument, Vault

BATCH: Final = 200
"""The maximum number of cases that are read in one transaction."""


def count_week(runtime: Runtime, monday: date, submitted: Submissions) -> None:
    """Count the people of a week, and store the numbers.

    The cases are read before the transaction that writes, and in batches, so that no other
    writer waits.
    """
    counts: dict[tuple[str, TableName], Counter[Cell]] = {}
    for ids in batched(sorted(submitted), BATCH):
        with begin_read(runtime, SYSTEM) as tx:
            cases = queries.read_cases(tx, {one: submitted[one] for one in ids})
            add_counts(counts, count_people(cases))
    with begin_read(runtime, SYSTEM) as tx:
        add_counts(counts, queries.count_handovers(tx, monday))
        add_counts(counts, queries.count_returns(tx, monday))
    store_counts(runtime, monday, counts)


def add_counts(counts: dict[tuple[str, TableName], Counter[Cell]], more: Counts) -> None:
    """Add the numbers in `more` to `counts`, cell by cell."""
    for key, cells in more.items():
        counts.setdefault(key, Counter()).update(cells)


def store_counts(runtime: Runtime, monday: date, counts: Counts) -> None:
    """Store the counts of a week, each table of a country in one sealed row."""
    with begin_write(runtime, SYSTEM) as tx:
        tx.session.add(CountedWeek(monday=monday))
        for (country, name), cells in counts.items():
            row = WeekFigures(id=runtime.ids(), monday=monday, country=country, name=name)
            plain = json.dumps([[list(cell), cells[cell]] for cell in sorted(cells)])
            padded = plain.encode().ljust(compute_stepped_length(len(plain)))
            row.version, document = tx.vault.seal_alone(padded, *list_bound_values(row))
            row.sealed, row.wrapped = document
            tx.session.add(row)


def list_bound_values(row: WeekFigures) -> tuple[str, ...]:
    """Return the values to which the encryption binds the counts in a row."""
    return "week_figures", str(row.id), row.monday.isoformat(), row.country, row.name


def read_counts(
    tx: ReadTransaction, weeks: Collection[date]
) -> dict[tuple[str, TableName], Counter[Cell]]:
    """Return the stored numbers of the given weeks, added up, by country and table.

    Raises Unopenable if a row was altered or moved, or its key is missing.
    """
    rows = select(WeekFigures).where(WeekFigures.monday.in_(make_list_parameter("weeks")))
    counts: dict[tuple[str, TableName], Counter[Cell]] = {}
    for row in tx.session.scalars(rows, {"weeks": list(weeks)}):
        cells = open_cells(tx.vault, row)
        counts.setdefault((row.country, row.name), Counter()).update(cells)
    return counts


def open_cells(vault: Vault, row: WeekFigures) -> Mapping[Cell, int]:
    """Return the counts in a row, by cell. Raises Unopenable."""
    document = SealedDocument(row.sealed, row.wrapped)
    plain = vault.open_alone(row.version, document, *list_bound_values(row))
    return {tuple(cell): count for cell, count in json.loads(plain)}
