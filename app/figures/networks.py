"""The sums of a release, as flow networks.

An arc is a count, and a node is a sum: the counts that enter a node add up to those that
leave it. In such a network, the possible values of each arc can be computed exactly and
form a range without gaps. The sums of every table must therefore form a network: a table
of a country may have subtotals by its first axis, but not by its second.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from app.figures.catalogue import NOT_RECORDED, TABLES, Age, Cell, TableName
from app.figures.numbers import Number, TableCounts

type Node = tuple[str, ...]
type Network = list["Arc"]

START: Final[Node] = ("start",)
END: Final[Node] = ("end",)
PAIRS: Final = "pairs"
"""The first element of a node at which a person can be counted more than once.

The sum of its arcs is not a number of people.
"""
SAME_PEOPLE: Final = (TableName.CASES, TableName.AGE_AND_GENDER, TableName.ASSISTANCE)
"""The tables that count the same people, each person once. A table that is not a partition
counts some of these people, and may count them more than once."""


@dataclass(frozen=True, slots=True)
class Arc:
    """A count of people. `number` is None if no release ever shows the count.

    `low` and `high` are limits that every reader knows. For example, a cell of a country
    cannot have more people than the country. `high` is None if there is no limit.
    """

    tail: Node
    head: Node
    number: Number | None
    count: int
    low: int = 0
    high: int | None = None


def build_networks(counts: Mapping[str, TableCounts]) -> list[Network]:
    """Return the networks for the counts of countries, or of quarters of one country.

    Counts that several networks use are fixed at their real values. A value that is
    possible in one network is therefore possible in the whole release.
    """
    return [
        build_people_network(counts),
        *(build_table_network(counts, name) for name in TABLES if name not in SAME_PEOPLE),
    ]


def build_people_network(counts: Mapping[str, TableCounts]) -> Network:
    """Return the network of the tables that count the same people (`SAME_PEOPLE`).

    The people flow from their time of assistance to their country or quarter, and from
    there to their age and gender.
    """
    return [
        *list_arcs_into_parts(counts),
        *(arc for part in sorted(counts) for arc in list_arcs_of_ages(counts, part)),
        *list_arcs_of_totals(counts),
    ]


def list_arcs_into_parts(counts: Mapping[str, TableCounts]) -> Iterator[Arc]:
    """Yield the arcs of the table `assistance`: the totals, and the cells of each part."""
    table = TABLES[TableName.ASSISTANCE]
    for cell in table.cells:
        yield build_total(counts, Number(None, table.name, cell), START, ("helped", *cell))
        for part in sorted(counts):
            number = Number(part, table.name, cell)
            yield Arc(("helped", *cell), ("in", part), number, get_count(counts, number))


def list_arcs_of_ages(counts: Mapping[str, TableCounts], part: str) -> Iterator[Arc]:
    """Yield the arcs of a part: all its people, and its table of age and gender."""
    people = Number(part, TableName.CASES, ())
    yield Arc(("in", part), ("out", part), people, get_count(counts, people))
    table = TABLES[TableName.AGE_AND_GENDER]
    for age in Age:
        number = Number(part, table.name, (age,))
        yield Arc(("out", part), ("age", part, age), number, get_count(counts, number))
    for cell in table.cells:
        number = Number(part, table.name, cell)
        tail, head = ("age", part, cell[0]), ("cell", *cell)
        yield Arc(tail, head, number, get_count(counts, number))


def list_arcs_of_totals(counts: Mapping[str, TableCounts]) -> Iterator[Arc]:
    """Yield the arcs of the totals of age and gender, and of the total of all people."""
    table = TABLES[TableName.AGE_AND_GENDER]
    for cell in table.cells:
        number = Number(None, table.name, cell)
        yield build_total(counts, number, ("cell", *cell), ("ages", cell[0]))
    for age in Age:
        yield build_total(counts, Number(None, table.name, (age,)), ("ages", age), END)
    yield build_total(counts, Number(None, TableName.CASES, ()), END, START)


def build_table_network(counts: Mapping[str, TableCounts], name: TableName) -> Network:
    """Return the network of a table that is not in `SAME_PEOPLE`.

    In a table that is not a partition, each cell counts some people of the part, and a
    reader can know that the cells together count all of them. The number of people without
    a recorded value is never shown. These people are in no other cell, and a network cannot
    express that.
    """
    table = TABLES[name]
    start = (PAIRS if not table.is_partition else "start",)
    arcs = []
    for part in sorted(counts):
        at = (PAIRS if not table.is_partition else "of", part)
        cells = [Number(part, name, cell) for cell in table.cells]
        found = [get_count(counts, number) for number in cells]
        people = get_count(counts, Number(part, TableName.CASES, ()))
        low = 0 if table.is_partition else min(people, sum(found))
        arcs.append(Arc(start, at, None, sum(found), low=low))
        for number, count in zip(cells, found, strict=True):
            high = None if table.is_partition else max(people, count)
            arcs.append(Arc(at, ("cell", *number.cell), number, count, high=high))
    totals = (Number(None, name, cell) for cell in table.cells)
    arcs += [build_total(counts, t, ("cell", *t.cell), start) for t in totals]
    if table.is_partition:
        return arcs
    return [
        replace(arc, number=None) if arc.number and NOT_RECORDED in arc.number.cell else arc
        for arc in arcs
    ]


def build_total(
    counts: Mapping[str, TableCounts], number: Number, tail: Node, head: Node
) -> Arc:
    """Return the arc of a total. A total of only one country or quarter is never shown."""
    return Arc(tail, head, number if len(counts) > 1 else None, get_count(counts, number))


def get_count(counts: Mapping[str, TableCounts], number: Number) -> int:
    """Return the exact count of `number`, or of all parts together if its part is None."""
    parts = counts.values() if number.part is None else (counts[number.part],)
    return sum(count_cell(part.get(number.table, {}), number.cell) for part in parts)


def count_cell(counts: Mapping[Cell, int], cell: Cell) -> int:
    """Return the number of people in a cell, or in all cells that begin with it."""
    return sum(count for key, count in counts.items() if key[: len(cell)] == cell)


def require_equal_sums(counts: Mapping[str, TableCounts]) -> None:
    """Raise `ValueError` unless tables of the same people have the same sum."""
    for part, tables in counts.items():
        if len({tables.get(name, Counter()).total() for name in SAME_PEOPLE}) > 1:
            raise ValueError(f"The tables of {part} count different people.")
