"""What administrators send and read: a PUT takes what a GET shows."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictInt

from app.deadlines.schemas import TimeLimitOut
from app.directory.addresses import LONGEST, Channel
from app.directory.kinds import Confidence, Level, StateRouting
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
    WHOLE,
    Asked,
    Code,
    CountryCode,
    Day,
    LanguageTag,
    SafeLine,
    Shown,
)

CONFIDENCE_HELP = "How well it is sourced; left out: `configured`."


class PutFocalPoint(Asked, FocalPointOut):
    """An office as it should be from now on."""

    can_lead: StrictBool
    active: StrictBool
    confidence: Annotated[Confidence, Field(description=CONFIDENCE_HELP)] = (
        Confidence.CONFIGURED
    )


class WrittenFocalPoint(FocalPointOut):
    """An office as it is now, and what still waits for it."""

    cases_waiting: Annotated[
        int,
        Field(
            description="Cases with a clock that waits for it. One that was shut keeps "
            "them until the clock has run out: then they pass to the next."
        ),
    ]


class AgreementOut(Shown):
    """What two or more countries agreed may cross their borders."""

    code: Annotated[Code, Field(description="Names it everywhere.")]
    name: Name
    countries: Annotated[list[CountryCode], Field(description="Its parties.")]
    level: Annotated[Level, Field(description="How much of a case may cross, L0 to L4.")]
    in_force_from: date
    in_force_until: Annotated[
        date | None, Field(description="The last day; null: until it is ended.")
    ]
    confidence: Annotated[Confidence, Field(description="How well it is sourced.")]
    source: Source


class AgreementPage(Page[AgreementOut]):
    """Every agreement, ended ones too, by code."""


class PutAgreement(Asked, AgreementOut):
    """An agreement as it should be from now on."""

    in_force_from: Day
    in_force_until: Annotated[
        Day | None, Field(description="The last day; null: until it is ended.")
    ]
    confidence: Annotated[Confidence, Field(description=CONFIDENCE_HELP)] = (
        Confidence.CONFIGURED
    )


class PutTimeLimit(Asked, TimeLimitOut):
    """How long an answer may take from now on."""

    amount: Annotated[
        Annotated[StrictInt, Field(ge=1, le=10_000), WHOLE] | None,
        Field(description="Null: set nothing any more, with `unit` null as well."),
    ]
    confidence: Annotated[Confidence, Field(description=CONFIDENCE_HELP)] = (
        Confidence.CONFIGURED
    )


class ContactOut(Shown):
    """Where an office is called on when something waits there."""

    code: Annotated[Code, Field(description="Names it everywhere.")]
    focal_point: Annotated[Code, Field(description="Whose it is.")]
    channel: Channel
    address: Annotated[
        str,
        Field(
            min_length=1,
            max_length=LONGEST,
            description="A plain e-mail address, or a phone number of E.164.",
            examples=["duty@example.org"],
            json_schema_extra={"format": "contact-address"},
        ),
    ]
    language: Annotated[LanguageTag, Field(description="What they are told in.")]
    label: Annotated[
        SafeLine,
        Field(description="A duty post, never a person; the same: one post, two channels."),
    ]
    active: Annotated[bool, Field(description="Whether they are called on here.")]


class ContactPage(Page[ContactOut]):
    """The contacts that you may know of, by code."""


class PutContact(Asked, ContactOut):
    """A contact as it should be from now on."""

    active: StrictBool


class CountrySettings(Asked):
    """How a country is to be used: all that is an operator's to say of it.

    Its name, its region and what a source says of it come with the directory's files.
    """

    languages: Languages
    time_zone: TimeZone
    state_routing: Annotated[
        StateRouting,
        Field(description="`avoid`: no case goes to a State body there by itself."),
    ]
    first_contact: Annotated[
        str | None,
        Field(
            description="The body that must hear first; null: none.",
            json_schema_extra=A_LINE,
        ),
    ]
    needs_criminal_case: Annotated[
        str | None,
        Field(
            description="`ask`: services may hang on a criminal case; null: they do not.",
            json_schema_extra=A_LINE,
        ),
    ]
    routing_reason: Annotated[
        str | None, Field(description="Why it is routed so.", json_schema_extra=A_TEXT)
    ]


class Hand(Shown):
    """An account, as its focal point knows it."""

    focal_point: str
    account: Annotated[str, Field(description="A staff number or a duty post.")]


class DirectoryChangeOut(Shown):
    """A row of the directory, before and after."""

    at: datetime
    subject: Annotated[
        str, Field(description="Such as `focal-points/UZ_LEAD`: read it under /v1/.")
    ]
    before: Annotated[
        dict[str, Any] | None, Field(description="Null: it was not there before.")
    ]
    after: dict[str, Any]
    by: Annotated[Hand | None, Field(description="Null: an operator, at the command line.")]
    approved_by: Annotated[
        Hand | None, Field(description="The second person, where there had to be one.")
    ]


class DirectoryChangePage(Page[DirectoryChangeOut]):
    """What was changed in the directory, oldest first."""
