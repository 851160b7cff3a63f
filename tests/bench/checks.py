"""Checks that the database contains exactly the writes that the server confirmed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, NullPool, create_engine, make_url, text

from tests.bench.sides import Side

CASES: Final = 'SELECT count(*) FROM "case"'
ACKNOWLEDGED: Final = "SELECT count(*) FROM entry WHERE type = 'case.acknowledged'"
GAPS: Final = """
    SELECT count(*) FROM mailbox AS box
    LEFT JOIN (
        SELECT focal_point_id, count(*) AS many,
            min(position) AS first, max(position) AS last
        FROM delivery GROUP BY focal_point_id
    ) AS mail ON mail.focal_point_id = box.focal_point_id
    WHERE head <> coalesce(many, 0) OR head <> coalesce(last, 0)
        OR coalesce(first, 1) <> 1"""
LOST: Final = """
    SELECT count(*) FROM delivery LEFT JOIN entry ON entry.id = entry_id
    WHERE entry.id IS NULL"""


class Lost(Exception):  # noqa: N818 - without a suffix, as Problem classes are
    """The database differs from the confirmed writes, so no result is valid."""


def count_cases(url: str) -> tuple[int, int]:
    """Return the number of cases and the number of acknowledgements."""
    cases, acts = select_numbers(url, CASES, ACKNOWLEDGED)
    return cases, acts


def require_answers(url: str, side: Side, before: tuple[int, int] = (0, 0)) -> str:
    """Check the database after a run, and return a summary as text.

    Raises Lost if the numbers of cases or acknowledgements differ from those of responses,
    or if a feed lacks an entry. `before` is what `count_cases` returned before the run.
    """
    cases, acts, gaps, lost = select_numbers(url, CASES, ACKNOWLEDGED, GAPS, LOST)
    wrong = {
        "cases": cases != before[0] + side.made,
        "acts": acts != before[1] + side.acted,
        "mailboxes with a gap": gaps,
        "deliveries of nothing": lost,
    }
    if any(wrong.values()):
        raise Lost(
            f"{side.name}: {cases} cases for {side.made} answers beside {before}, "
            f"{acts} acts for {side.acted}, {gaps} mailboxes with a gap, {lost} lost"
        )
    return f"{side.made} new cases and {side.acted} acknowledgements ({side.name})"


def select_numbers(url: str, *statements: str) -> list[int]:
    """Return the number that each SQL statement selects."""
    with connect(url) as connection:
        return [connection.execute(text(one)).scalar_one() for one in statements]


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """Yield a connection to a database, on which each statement is committed at once."""
    engine = create_engine(make_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
