"""Request and response bodies of administration. A PUT accepts the content of a GET."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictInt

from app.deadlines.schemas import TimeLimitOut
from app.directory.addresses import MAX_LENGTH, Channel
from app.directory.kinds import Confidence, DisclosureLevel, StateRouting
from app.directory.schemas import (
    A_LINE,
    A_TEXT,
    FocalPointOut,
    Languages,
    Name,
    Source,
    TimeZone,
)
from app.kernel.paging import Page
from app.kernel.text import (
    WHOLE_NUMBER,
    Code,
    CountryCode,
    Day,
    LanguageTag,
    RequestModel,
    ResponseModel,
    SafeLine,
)

NewConfidence = Annotated[
    Confidence, Field(description="How reliable the source is. Default: `configured`.")
]


class PutFocalPoint(RequestModel, FocalPointOut):
    """The new row of an office in the directory."""

    places: Annotated[
        Annotated[StrictInt, Field(ge=0, le=100_000), WHOLE_NUMBER] | None,
        Field(
            description="The number of places that the office has in all; null or left "
            "out: not known."
        ),
    ] = None
    can_lead: StrictBool
    active: StrictBool
    confidence: NewConfidence = Confidence.CONFIGURED


class WrittenFocalPoint(FocalPointOut):
    """An office after a change, with the number of cases that wait for the office."""

    cases_waiting: Annotated[
        int,
        Field(
            description="Number of cases with a running deadline of the office. An office "
            "that was deactivated keeps these cases until the deadline; then the next "
            "office gets them."
        ),
    ]


class AgreementOut(ResponseModel):
    """An agreement between countries on which parts of a case may cross their borders."""

    code: Annotated[Code, Field(description="Code that identifies the agreement.")]
    name: Name
    countries: Annotated[
        list[CountryCode], Field(description="Countries that are parties.")
    ]
    level: Annotated[
        DisclosureLevel, Field(description="How much of a case may cross: L0 to L4.")
    ]
    in_force_from: date
    in_force_until: Annotated[
        date | None, Field(description="The last day; null if no end is set.")
    ]
    confidence: Annotated[Confidence, Field(description="How reliable the source is.")]
    source: Source


class AgreementList(ResponseModel):
    """All agreements, including those that have ended, sorted by code."""

    items: list[AgreementOut]


class PutAgreement(RequestModel, AgreementOut):
    """The new content of an agreement."""

    in_force_from: Day
    in_force_until: Annotated[
        Day | None, Field(description="The last day; null if no end is set.")
    ]
    confidence: NewConfidence = Confidence.CONFIGURED


class PutTimeLimit(RequestModel, TimeLimitOut):
    """The new content of a time limit."""

    amount: Annotated[
        Annotated[StrictInt, Field(ge=1, le=10_000), WHOLE_NUMBER] | None,
        Field(description="Null removes the limit; `unit` must then be null as well."),
    ]
    confidence: NewConfidence = Confidence.CONFIGURED


class ContactOut(ResponseModel):
    """An address to which notifications of an office are sent."""

    code: Annotated[Code, Field(description="Code that identifies the contact.")]
    focal_point: Annotated[Code, Field(description="The office of the contact.")]
    channel: Channel
    address: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_LENGTH,
            description="A plain e-mail address, or a phone number in E.164 format.",
            examples=["duty@example.org"],
            json_schema_extra={"format": "contact-address"},
        ),
    ]
    language: Annotated[LanguageTag, Field(description="Language of notifications.")]
    label: Annotated[
        SafeLine,
        Field(
            description="A duty post, never a person. Contacts with the same label are "
            "channels of one post."
        ),
    ]
    active: Annotated[bool, Field(description="Whether notifications are sent here.")]


class ContactList(ResponseModel):
    """The contacts that you may see, sorted by code."""

    items: list[ContactOut]


class PutContact(RequestModel, ContactOut):
    """The new content of a contact."""

    active: StrictBool


class CountrySettings(RequestModel):
    """The settings of a country that an administrator may change.

    The name, the region and the sources of a country are loaded from directory files.
    """

    languages: Languages
    time_zone: TimeZone
    state_routing: Annotated[
        StateRouting, Field(description="`avoid`: no case is routed to a State body there.")
    ]
    first_contact: Annotated[
        str | None,
        Field(
            description="The body that has to be contacted first; null if none.",
            json_schema_extra=A_LINE,
        ),
    ]
    needs_criminal_case: Annotated[
        str | None,
        Field(
            description="`ask` if services may depend on a criminal case; null if not.",
            json_schema_extra=A_LINE,
        ),
    ]
    routing_reason: Annotated[
        str | None, Field(description="Reason for the routing.", json_schema_extra=A_TEXT)
    ]


class AccountReference(ResponseModel):
    """An account, identified by its focal point and label."""

    focal_point: str
    account: Annotated[str, Field(description="A staff number or a duty post.")]


class DirectoryChangeOut(ResponseModel):
    """A change to one row of the directory, with the content before and after."""

    at: datetime
    subject: Annotated[
        str, Field(description="Path under /v1/, such as `focal-points/UZ_LEAD`.")
    ]
    before: Annotated[
        dict[str, Any] | None, Field(description="Null if the row was added.")
    ]
    after: dict[str, Any]
    by: Annotated[
        AccountReference | None,
        Field(description="Null for an operator at the command line."),
    ]
    approved_by: Annotated[
        AccountReference | None, Field(description="The second person, if one was needed.")
    ]


class DirectoryChangePage(Page[DirectoryChangeOut]):
    """The changes to the directory, oldest first."""
