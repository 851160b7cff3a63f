"""How long answers may take, on the wire."""

from typing import Annotated

from pydantic import Field, StrictBool

from app.deadlines.bounds import Haste
from app.deadlines.limits import ClockKind, Unit
from app.directory.kinds import Confidence
from app.directory.schemas import AsOf, Source
from app.kernel.paging import Page
from app.kernel.text import Code, Shown

OF = "A country, ISO 3166-1 alpha-2, or the code of an agreement."
FOR = "For which priority of a case; `any`: it makes no difference to this clock."
UNIT = (
    "`hours` run day and night; the others end when the clock on the wall shows, where "
    "whoever is waited for works, what it showed at the start."
)


Early = Annotated[
    StrictBool,
    Field(
        description="Whether it took place before the date it is planned for. Before that "
        "date it has to be true, and is recorded; on that date or later it changes nothing."
    ),
]


class TimeLimitOut(Shown):
    """How long an answer may take in a country, or by an agreement, as it was set."""

    of: Annotated[Code, Field(description=OF, examples=["KZ"])]
    clock: ClockKind
    priority: Annotated[Haste, Field(description=FOR)]
    amount: Annotated[
        Annotated[int, Field(ge=1, le=10_000)] | None,
        Field(description="Null: nothing is set any more."),
    ]
    unit: Annotated[Unit | None, Field(description=UNIT)]
    confidence: Annotated[Confidence, Field(description="How well it is sourced.")]
    source: Source
    as_of: AsOf


class TimeLimitInForce(Shown):
    """How long an answer may take, and who says so."""

    clock: ClockKind
    priority: Annotated[Haste, Field(description=FOR)]
    amount: int
    unit: Annotated[Unit, Field(description=UNIT)]
    set_by: Annotated[
        str | None,
        Field(description="The country, or an agreement; null: the default counts."),
    ]
    parties: Annotated[
        list[str],
        Field(
            description="Of an agreement: between which countries. It counts before what "
            "the country set, while the person is in one and the office is of another."
        ),
    ]


class TimeLimitsInForce(Page[TimeLimitInForce]):
    """How long the offices of a country have for each answer, clock by clock."""
