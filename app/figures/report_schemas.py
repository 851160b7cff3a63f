"""Schemas of the meeting report, which compares figures and lists gaps in the directory."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from app.directory.kinds import Service
from app.figures.catalogue import TableName
from app.figures.comparison import Change
from app.figures.point_schemas import COMPLETED, MEETING
from app.figures.release_schemas import CODES, COUNTRY, QuarterText
from app.kernel.text import Code, ResponseModel

FROM = "The first quarter of the period. By default it has two quarters."
TO = "The last quarter of the period. By default that of the latest release."
COMPARE = (
    "The first quarter of the earlier period, which has as many quarters and has to end "
    "before the period begins. By default it ends when the period begins."
)
DESK = (
    "The code of a desk, for a report of the countries that it serves only. Then there are "
    "no numbers of all countries together."
)
CHANGE = (
    "How the period differs from the earlier one, beyond what noise and rounding can "
    "explain. Null if a number of one of them is not shown."
)


class ReportQuery(BaseModel):
    """The quarters of the report, and the quarters with which they are compared."""

    model_config = ConfigDict(extra="forbid")

    first: Annotated[
        QuarterText | SkipJsonSchema[None], Field(alias="from", description=FROM)
    ] = None
    last: Annotated[
        QuarterText | SkipJsonSchema[None], Field(alias="to", description=TO)
    ] = None
    compare: Annotated[QuarterText | SkipJsonSchema[None], Field(description=COMPARE)] = (
        None
    )
    desk: Annotated[Code | SkipJsonSchema[None], Field(description=DESK)] = None


class ReportPeriod(ResponseModel):
    """The quarters of a period of the report."""

    quarters: list[str]
    missing: Annotated[
        list[str], Field(description="The quarters whose figures are not released.")
    ]


class SumOut(ResponseModel):
    """The sum of the numbers that are shown for the quarters of a period."""

    people: Annotated[
        int | None, Field(description="The sum. Null if no number of the period is shown.")
    ]
    not_shown: Annotated[
        list[str],
        Field(
            description="The quarters that the sum leaves out: their number is not shown."
        ),
    ]


class ComparedCell(ResponseModel):
    """The number of people in a cell of a table, in both periods."""

    codes: Annotated[list[str], Field(description=CODES)]
    earlier: SumOut
    later: SumOut
    change: Annotated[Change | None, Field(description=CHANGE)]


class ComparedTable(ResponseModel):
    """The cells of a table that have a number in at least one of the periods."""

    table: TableName
    cells: list[ComparedCell]


class ComparedCountry(ResponseModel):
    """The tables of a country, or of all countries together, in both periods."""

    country: Annotated[str | None, Field(description=COUNTRY)]
    tables: list[ComparedTable]


class Measure(StrEnum):
    """The measures of a report. The value of each is a share of people."""

    HELPED_WITHIN_24_HOURS = "helped_within_24_hours"
    HELPED_WITHIN_72_HOURS = "helped_within_72_hours"
    HELPED_WITHIN_7_DAYS = "helped_within_7_days"
    SERVICE_GIVEN = "service_given"
    """The people who got a service, as a share of the people who needed it."""


class ShareOut(ResponseModel):
    """A share of people, computed only from numbers that are shown."""

    part: Annotated[int, Field(description="The people who were helped.")]
    whole: Annotated[int, Field(description="The people who needed help.")]
    percent: Annotated[int, Field(description="The part as a percentage of the whole.")]


class ComparedShare(ResponseModel):
    """A share in both periods. A higher share is progress; a lower share is a challenge."""

    country: Annotated[str | None, Field(description=COUNTRY)]
    measure: Measure
    service: Annotated[
        Service | None, Field(description="The service that was given, or null.")
    ]
    earlier: ShareOut
    later: ShareOut
    change: Annotated[
        Change,
        Field(
            description="How the later share differs, if noise and rounding cannot explain "
            "it."
        ),
    ]


class ServiceGap(ResponseModel):
    """The services that no active office offers in a country."""

    country: Annotated[str, Field(description="A country of the directory.")]
    services: list[Service]


class BorderGap(ResponseModel):
    """The countries with which a country has no agreement in force.

    They are countries of the same region that have offices. Each pair is listed once.
    """

    country: Annotated[str, Field(description="A country of the directory.")]
    others: list[str]


class LanguageGap(ResponseModel):
    """The languages of a country that none of its active offices states."""

    country: Annotated[str, Field(description="A country of the directory.")]
    languages: list[str]


class DirectoryGaps(ResponseModel):
    """The gaps in the directory today. They contain no personal data."""

    countries_without_desk: list[str]
    services: list[ServiceGap]
    borders: list[BorderGap]
    languages: list[LanguageGap]


class ReportPoint(ResponseModel):
    """A follow-up point of an earlier meeting, in the report."""

    meeting: Annotated[date, Field(description=MEETING)]
    text: Annotated[str, Field(description="What is to be done.")]
    completed_at: Annotated[datetime | None, Field(description=COMPLETED)]


class MeetingReport(ResponseModel):
    """The report for a meeting: progress and challenges between two periods.

    It contains released figures, facts from the directory, and follow-up points of
    meetings. None of them is about a person.
    """

    desk: Annotated[str | None, Field(description="The desk of the request, or null.")]
    countries: list[str]
    later: ReportPeriod
    earlier: ReportPeriod
    points: list[ReportPoint]
    shares: list[ComparedShare]
    figures: list[ComparedCountry]
    gaps: DirectoryGaps
