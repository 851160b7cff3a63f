"""Request and response schemas of the directory; focal points are identified by code."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import Field, StrictInt

from app.directory.cell_types import MAX_PROSE, ShortName
from app.directory.kinds import (
    AgeGroup,
    Confidence,
    OfficeFunction,
    OfficeKind,
    Service,
    Sex,
    StateRouting,
)
from app.directory.models import FocalPoint
from app.directory.opening_hours import PATTERN
from app.kernel.paging import Page
from app.kernel.text import (
    MAX_LINE_LENGTH,
    SAFE_FORMAT,
    WHOLE_NUMBER,
    Code,
    CountryCode,
    LanguageTag,
    RequestModel,
    ResponseModel,
)

Languages = Annotated[
    list[LanguageTag], Field(description="Languages spoken there; empty: not known.")
]
A_LINE: Final = SAFE_FORMAT | {"maxLength": MAX_LINE_LENGTH}
A_TEXT: Final = SAFE_FORMAT | {"maxLength": MAX_PROSE}
"""The limits of texts in directory files, as JSON Schema for the API."""
TimeZone = Annotated[
    str,
    Field(
        description="IANA time zone of the office hours.",
        examples=["Asia/Almaty"],
        json_schema_extra={"format": "time-zone"},
    ),
]
Source = Annotated[
    str | None,
    Field(description="The source of this entry; null if none.", json_schema_extra=A_TEXT),
]
AsOf = Annotated[
    str | None,
    Field(
        description="The year or years for which the entry is known to be true.",
        examples=["2024", "2018-2022"],
        json_schema_extra=A_LINE,
    ),
]
Name = Annotated[
    str,
    Field(
        description="The name, as in the source.",
        json_schema_extra=A_LINE | {"minLength": 1},
    ),
]


class FocalPointOut(ResponseModel):
    """An office that can receive cases.

    The number of free places is not shown: a change could reveal where a person went.
    """

    code: Annotated[Code, Field(description="The unique code.", examples=["UZ_LEAD"])]
    name: Name
    short_names: Annotated[
        dict[str, ShortName],
        Field(
            description="Short names by BCP 47 language tag; can be empty. Show the name "
            "in the reader's language. If there is none, show `en`, or else `name`.",
            examples=[{"en": "Shelter, Osh", "ru": "Приют, Ош"}],
        ),
    ]
    kind: Annotated[
        OfficeKind, Field(description="The kind of body that the office belongs to.")
    ]
    function: Annotated[
        OfficeFunction,
        Field(description="The main task; a `technical` office serves no person."),
    ]
    of_state: Annotated[
        CountryCode | None,
        Field(description="The State of a State body; for a consulate, its own State."),
    ]
    serves: Annotated[
        list[Annotated[str, Field(pattern=r"^([A-Z]{2}|\*)$")]],
        Field(
            description="The countries that the office serves; `*`: all.", examples=[["KZ"]]
        ),
    ]
    time_zone: TimeZone
    languages: Languages
    services: Annotated[
        list[Service],
        Field(description="Services a person may be referred for; empty: not known."),
    ]
    sexes: Annotated[list[Sex], Field(description="Sexes served; empty: not known.")]
    ages: Annotated[list[AgeGroup], Field(description="Ages served; empty: not known.")]
    opening: Annotated[
        list[Annotated[str, Field(json_schema_extra={"pattern": PATTERN})]],
        Field(
            description="Weekly opening hours in `time_zone`: one span for each text, or "
            "`always`; empty: not known. The days may go past Sunday (`su-th`); a day with "
            "a break needs two spans.",
            examples=[["mo-fr/09:00-13:00", "mo-fr/14:00-18:00", "sa/09:00-13:00"]],
        ),
    ]
    places: Annotated[
        int | None,
        Field(
            description="The number of places that the office has in all, free or not; "
            "null: not known."
        ),
    ]
    deputy: Annotated[
        Code | None,
        Field(
            description="The office that acts in an emergency while this office is closed."
        ),
    ]
    can_lead: Annotated[bool, Field(description="Whether the office may lead a case.")]
    active: Annotated[
        bool, Field(description="Whether the office may receive cases or requests now.")
    ]
    confidence: Annotated[
        Confidence,
        Field(description="How reliable the source is; `fictitious`: a made-up office."),
    ]
    source: Source
    as_of: AsOf


class FocalPointPage(Page[FocalPointOut]):
    """A page of focal points, sorted by code."""


class CountryOut(ResponseModel):
    """A country in the directory, and whether routing may choose its State bodies."""

    code: Annotated[CountryCode, Field(description="ISO 3166-1 alpha-2.")]
    name: Annotated[str, Field(examples=["Kazakhstan"])]
    region: Annotated[str, Field(examples=["central_asia"])]
    languages: Languages
    time_zone: TimeZone
    state_routing: Annotated[
        StateRouting,
        Field(description="`avoid`: no case is routed to a State body automatically."),
    ]
    first_contact: Annotated[
        str | None,
        Field(
            description="The body to inform first, once the person has agreed.",
            examples=["police_or_prosecutor"],
            json_schema_extra=A_LINE,
        ),
    ]
    needs_criminal_case: Annotated[
        str | None,
        Field(
            description="`ask`: services may require a criminal case; ask before use.",
            examples=["ask"],
            json_schema_extra=A_LINE,
        ),
    ]
    routing_reason: Annotated[
        str | None,
        Field(description="The reason for `state_routing`.", json_schema_extra=A_TEXT),
    ]
    lead_body: Annotated[
        str | None, Field(description="The lead body, as in the source; null if unknown.")
    ]
    source: Source
    as_of: AsOf
    confidence: Annotated[
        str, Field(description="How well sources support it, as researched.")
    ]


class CountryList(ResponseModel):
    """All countries in the directory, sorted by code."""

    items: list[CountryOut]


class CapacityInput(RequestModel):
    """The number of free places that an office reports."""

    free: Annotated[
        Annotated[StrictInt, Field(ge=0, le=100_000), WHOLE_NUMBER] | None,
        Field(
            description="0: full. Null: not known. At most the `places` of the office, if "
            "they are known."
        ),
    ]


class CapacityOut(ResponseModel):
    """The number of free places at your own focal point, as last reported."""

    focal_point: str
    free: Annotated[int | None, Field(description="Null: not known.")]
    as_of: datetime | None

    @classmethod
    def from_focal_point(cls, office: FocalPoint) -> Self:
        """Build the response for a focal point."""
        return cls(
            focal_point=office.code, free=office.capacity, as_of=office.capacity_as_of
        )
