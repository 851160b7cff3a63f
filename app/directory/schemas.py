"""The directory on the wire: a focal point is known by its code, and by nothing else."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import Field, StrictInt

from app.directory.cells import PROSE
from app.directory.kinds import (
    AgeGroup,
    Confidence,
    Function,
    Kind,
    Service,
    Sex,
    StateRouting,
)
from app.directory.models import FocalPoint
from app.directory.opening import FORM
from app.kernel.paging import Page
from app.kernel.text import (
    LINE,
    SAFE,
    WHOLE,
    Asked,
    Code,
    CountryCode,
    LanguageTag,
    Shown,
)

Languages = Annotated[
    list[LanguageTag], Field(description="What is spoken there; empty: not known.")
]
A_LINE: Final = SAFE | {"maxLength": LINE}
A_TEXT: Final = SAFE | {"maxLength": PROSE}
"""What the rows judge, told in the contract."""
TimeZone = Annotated[
    str,
    Field(
        description="IANA time zone of its office hours.",
        examples=["Asia/Almaty"],
        json_schema_extra={"format": "time-zone"},
    ),
]
Source = Annotated[
    str | None,
    Field(
        description="Where this is from; null: no source says.", json_schema_extra=A_TEXT
    ),
]
AsOf = Annotated[
    str | None,
    Field(
        description="The year or years it was true in.",
        examples=["2024", "2018-2022"],
        json_schema_extra=A_LINE,
    ),
]
Name = Annotated[
    str,
    Field(
        description="Its name, in words of its source.",
        json_schema_extra=A_LINE | {"minLength": 1},
    ),
]


class FocalPointOut(Shown):
    """An office that cases are carried to.

    How many places are free is not told here: whoever watched it could see where a person
    went.
    """

    code: Annotated[Code, Field(description="Names it everywhere.", examples=["UZ_LEAD"])]
    name: Name
    kind: Annotated[Kind, Field(description="Whom it answers to.")]
    function: Annotated[
        Function, Field(description="What it does; `technical` serves no person.")
    ]
    of_state: Annotated[
        CountryCode | None,
        Field(description="The State whose body it is: a consulate is of its own."),
    ]
    serves: Annotated[
        list[Annotated[str, Field(pattern=r"^([A-Z]{2}|\*)$")]],
        Field(description="The countries it works in; `*`: every one.", examples=[["KZ"]]),
    ]
    time_zone: TimeZone
    languages: Languages
    services: Annotated[
        list[Service],
        Field(description="What a person may be referred to it for, as far as known."),
    ]
    sexes: Annotated[list[Sex], Field(description="Whom it serves; empty: not known.")]
    ages: Annotated[list[AgeGroup], Field(description="Whom it serves; empty: not known.")]
    opening: Annotated[
        list[Annotated[str, Field(json_schema_extra={"pattern": FORM})]],
        Field(
            description="Its weekly hours in its time zone, one span for each text, or "
            "`always`; empty: not known. The days may go past Sunday (`su-th`); a day with "
            "a break is two spans.",
            examples=[["mo-fr/09:00-13:00", "mo-fr/14:00-18:00", "sa/09:00-13:00"]],
        ),
    ]
    deputy: Annotated[
        Code | None,
        Field(description="Who stands in for it in an emergency while it is closed."),
    ]
    can_lead: Annotated[bool, Field(description="Whether it may take the lead of a case.")]
    active: Annotated[bool, Field(description="Whether anything may be sent to it now.")]
    confidence: Annotated[
        Confidence,
        Field(description="How well it is sourced; `fictitious`: it does not exist."),
    ]
    source: Source
    as_of: AsOf


class FocalPointPage(Page[FocalPointOut]):
    """Focal points, by code."""


class CountryOut(Shown):
    """A country of the mechanism, and how its State route is to be used."""

    iso2: CountryCode
    name: Annotated[str, Field(examples=["Kazakhstan"])]
    region: Annotated[str, Field(examples=["central_asia"])]
    languages: Languages
    time_zone: TimeZone
    state_routing: Annotated[
        StateRouting,
        Field(description="`avoid`: no case goes to a State body there by itself."),
    ]
    first_contact: Annotated[
        str | None,
        Field(
            description="The body that must hear first; the person is asked first of all.",
            examples=["police_or_prosecutor"],
            json_schema_extra=A_LINE,
        ),
    ]
    needs_criminal_case: Annotated[
        str | None,
        Field(
            description="`ask`: services may hang on a criminal case; ask before use.",
            examples=["ask"],
            json_schema_extra=A_LINE,
        ),
    ]
    routing_reason: Annotated[
        str | None, Field(description="Why it is routed so.", json_schema_extra=A_TEXT)
    ]
    lead_body: Annotated[
        str | None, Field(description="In its source's words; null: no source names one.")
    ]
    source: Source
    as_of: AsOf
    confidence: Annotated[
        str, Field(description="How well it is sourced, in the words of who looked.")
    ]


class CountryPage(Page[CountryOut]):
    """Every country of the mechanism, by code."""


class NewCapacity(Asked):
    """How many places are free now, in the words of the office itself."""

    free: Annotated[
        Annotated[StrictInt, Field(ge=0, le=100_000), WHOLE] | None,
        Field(description="0: full. Null: we do not say."),
    ]


class CapacityOut(Shown):
    """How many places are free at your own focal point, as it last said."""

    focal_point: str
    free: Annotated[int | None, Field(description="Null: not known.")]
    as_of: datetime | None

    @classmethod
    def of(cls, focal_point: FocalPoint) -> Self:
        """Show the last word of an office."""
        return cls(
            focal_point=focal_point.code,
            free=focal_point.capacity,
            as_of=focal_point.capacity_as_of,
        )
