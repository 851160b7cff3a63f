"""API schemas of time limits."""

from typing import Annotated

from pydantic import Field, StrictBool

from app.deadlines.limit_bounds import LimitPriority
from app.deadlines.limits import DeadlineKind, TimeUnit
from app.directory.kinds import Confidence
from app.directory.schemas import AsOf, Source
from app.kernel.text import Code, ResponseModel

OF = "A country, ISO 3166-1 alpha-2, or the code of an agreement."
FOR = "The priority of the case; `any` if the limit is the same for all."
UNIT = (
    "`hours` run day and night. Other units end at the time of day at which they started, "
    "in the time zone of the office that has to act."
)


Early = Annotated[
    StrictBool,
    Field(
        description="Whether the step took place before its planned date. A report before "
        "that date needs `true`, which is recorded. From that date on, it has no effect."
    ),
]


class TimeLimitOut(ResponseModel):
    """A time limit that a country or an agreement set."""

    of: Annotated[Code, Field(description=OF, examples=["KZ"])]
    deadline: DeadlineKind
    priority: Annotated[LimitPriority, Field(description=FOR)]
    amount: Annotated[
        Annotated[int, Field(ge=1, le=10_000)] | None,
        Field(description="Null if no limit is set any more."),
    ]
    unit: Annotated[TimeUnit | None, Field(description=UNIT)]
    confidence: Annotated[Confidence, Field(description="How reliable the source is.")]
    source: Source
    as_of: AsOf


class TimeLimitInForce(ResponseModel):
    """A time limit that applies, with the country or agreement that set it."""

    deadline: DeadlineKind
    priority: Annotated[LimitPriority, Field(description=FOR)]
    amount: int
    unit: Annotated[TimeUnit, Field(description=UNIT)]
    set_by: Annotated[
        str | None, Field(description="The country or agreement; null for the default.")
    ]
    parties: Annotated[
        list[str],
        Field(
            description="The countries of an agreement. Its limit comes before that of a "
            "country while the person is in one of them and the office in another."
        ),
    ]


class TimeLimitsInForce(ResponseModel):
    """The time limits that apply to the offices of a country, for each kind of deadline."""

    items: list[TimeLimitInForce]
