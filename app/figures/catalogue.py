"""The tables of figures, with their axes and cells (FIGURES.md).

The list is fixed, because each further table of the same people can reveal a person.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

from app.directory.kinds import Service
from app.reference import htcds

type Cell = tuple[str, ...]
"""A code for each axis of a table; empty for a table that has no axis."""

NOT_RECORDED: Final = "not_recorded"
"""The code for people for whom no value was recorded."""


class TableName(StrEnum):
    """The names of the tables."""

    CASES = "cases"
    AGE_AND_GENDER = "age_and_gender"
    EXPLOITATION = "exploitation"
    SERVICES_ASKED = "services_asked"
    SERVICES_GIVEN = "services_given"
    ASSISTANCE = "assistance"
    HANDOVERS = "handovers"
    RETURNS = "returns"


class Age(StrEnum):
    """The age of a person in figures. A person of unclear age counts as a child (BR14)."""

    ADULT = "adult"
    CHILD = "child"


class Gender(StrEnum):
    """The gender of a person in figures, coarser than the codes of the HTCDS."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    NOT_RECORDED = NOT_RECORDED


class Assistance(StrEnum):
    """The time from the submission of a case until the first help began."""

    WITHIN_24_HOURS = "within_24_hours"
    WITHIN_72_HOURS = "within_72_hours"
    """More than 24 hours, and at most 72."""
    WITHIN_7_DAYS = "within_7_days"
    """More than 72 hours, and at most 7 days."""
    LATER = "later"
    """More than 7 days, or not at all."""


class ReturnDecision(StrEnum):
    """The decision about a return. The person is free to refuse the return."""

    GO = "go"
    NO_GO = "no_go"


@dataclass(frozen=True)
class FigureTable:
    """A table of figures, which counts people by country and by the cells of its axes.

    `is_partition` is true if each person is in exactly one cell, so that the cells add up
    to the number of people of the table.
    """

    name: TableName
    axes: tuple[tuple[str, ...], ...] = ()
    is_partition: bool = True

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells of the table, in the order in which they are shown."""
        return tuple(product(*self.axes))


FORMS: Final = tuple(
    row.code_clean for row in htcds.CODES if row.list == "vic_TypeOfExploitation"
)
"""The forms of exploitation of the HTCDS."""
SERVICES: Final = tuple(Service)
TABLES: Final = {
    table.name: table
    for table in (
        FigureTable(TableName.CASES),
        FigureTable(TableName.AGE_AND_GENDER, (tuple(Age), tuple(Gender))),
        FigureTable(TableName.EXPLOITATION, ((*FORMS, NOT_RECORDED),), is_partition=False),
        FigureTable(TableName.SERVICES_ASKED, (SERVICES,), is_partition=False),
        FigureTable(TableName.SERVICES_GIVEN, (SERVICES,), is_partition=False),
        FigureTable(TableName.ASSISTANCE, (tuple(Assistance),)),
        FigureTable(TableName.HANDOVERS),
        FigureTable(TableName.RETURNS, (tuple(ReturnDecision),)),
    )
}
"""The tables by name. `cases`, `age_and_gender` and `assistance` count the same people."""
