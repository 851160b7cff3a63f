"""Requests and responses of released figures."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.figures.catalogue import TableName
from app.kernel.text import RequestModel, ResponseModel

QUARTER = "A quarter of a year, such as `2026Q3`. A week belongs to that of its Thursday."
PEOPLE = (
    "The number of people, with noise and rounded to 5. Null if it is not shown: it is "
    "below 11, or a number below 11 would follow from it. Numbers do not add up."
)
CODES = (
    "A code for each axis of the table. In the table `age_and_gender`, one code is the "
    "subtotal of an age. Forms of exploitation are codes of HTCDS."
)
COUNTRY = "Where the people were met. Null for all countries of this quarter together."

QuarterText = Annotated[
    str, Field(pattern=r"^20[0-9]{2}Q[1-4]$", description=QUARTER, examples=["2026Q3"])
]


class FigureReleaseInput(RequestModel):
    """The quarter whose figures are to be released."""

    quarter: QuarterText


class CellFigure(ResponseModel):
    """The number of people in a cell of a table."""

    codes: Annotated[list[str], Field(description=CODES)]
    people: Annotated[int | None, Field(description=PEOPLE)]


class TableFigures(ResponseModel):
    """The figures in one table."""

    table: TableName
    cells: list[CellFigure]


class CountryFigures(ResponseModel):
    """The tables of a country, or of all countries together, for one or more quarters."""

    country: Annotated[str | None, Field(description=COUNTRY)]
    quarters: Annotated[
        list[str],
        Field(
            description="The quarters that are added up: the quarter of the release, or in "
            "the release of a fourth quarter those of the year that were too small to show."
        ),
    ]
    tables: list[TableFigures]


class ReleaseContent(BaseModel):
    """The content of a release, as it is stored and hashed."""

    figures: list[CountryFigures]


class FigureReleaseSummary(ResponseModel):
    """A release of figures without its numbers."""

    id: UUID
    quarter: Annotated[str, Field(description=QUARTER)]
    method: Annotated[
        int, Field(description="The version of the method (docs/figures.md).")
    ]
    digest: Annotated[
        str, Field(description="SHA-256 of the released content, for comparing copies.")
    ]
    released_at: datetime


class FigureReleaseOut(FigureReleaseSummary):
    """A release of figures. It never changes."""

    figures: list[CountryFigures]


class FigureReleaseList(ResponseModel):
    """The releases of figures, the latest quarter first."""

    items: list[FigureReleaseSummary]
