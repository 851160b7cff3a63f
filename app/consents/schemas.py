"""API schemas of consents and refusals."""

from collections.abc import Mapping
from datetime import date, datetime
from itertools import combinations
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from app.cases.models import AgeClass
from app.cases.reasons import TakeOverReason
from app.cases.sections import Content, Section
from app.consents.coverage import CHILD_GIVERS, GivenBy, Purpose, may_give
from app.consents.models import Consent
from app.directory.kinds import OfficeFunction, OfficeKind
from app.kernel.text import (
    Code,
    CountryCode,
    Day,
    Instant,
    LanguageTag,
    RequestModel,
    ResponseModel,
    SafeText,
)

MAX_RECIPIENTS: Final = 20
"""The maximum number of recipients that one consent form can name."""


class RecipientClass(Content):
    """A class of recipients, such as non-state shelters in KZ."""

    kind: OfficeKind
    country: CountryCode
    function: OfficeFunction | None = None


class ConsentTerms(RequestModel):
    """The terms of a consent: how it was given, and when it ends."""

    given_by: Annotated[
        GivenBy,
        Field(
            description="An adult gives their own consent; for a child, a guardian with "
            "the child's assent, or a best-interests decision (BR14)."
        ),
    ]
    language: Annotated[LanguageTag, Field(description="Language of the explanation.")]
    interpreter: StrictBool = False
    form_version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
    obtained_on: Day
    expires_at: Instant
    evidence: Annotated[SafeText | None, Field(description="How it was given. Sealed.")] = (
        None
    )


class ConsentRecipient(RequestModel):
    """A focal point or a class of offices, with the permitted purposes and sections."""

    focal_point: Annotated[Code | None, Field(description="The code of the office.")] = None
    recipient_class: RecipientClass | None = None
    purposes: Annotated[list[Purpose], Field(min_length=1, max_length=19)]
    sections: Annotated[
        list[Section],
        Field(max_length=len(Section), description="Empty: only the summary."),
    ] = []

    @model_validator(mode="after")
    def require_one_recipient(self) -> Self:
        """Raise a validation error unless either a focal point or a class is named."""
        if (self.focal_point is None) == (self.recipient_class is None):
            message = "Name either a focal point or a class of focal points."
            raise PydanticCustomError("recipient_unclear", message)
        return self

    def is_same_recipient(self, other: "ConsentRecipient") -> bool:
        """Return whether both name the same office or the same class."""
        return (self.focal_point, self.recipient_class) == (
            other.focal_point,
            other.recipient_class,
        )


class ConsentInput(ConsentTerms):
    """A consent form of the person: its terms, and the recipients that it names.

    Each recipient becomes one consent, with its own id, which can be withdrawn alone.
    """

    recipients: Annotated[
        list[ConsentRecipient], Field(min_length=1, max_length=MAX_RECIPIENTS)
    ]

    @model_validator(mode="after")
    def require_distinct_recipients(self) -> Self:
        """Raise a validation error if two recipients are equal and share a purpose.

        Otherwise one of the two consents would remain when the other is withdrawn.
        """
        for one, other in combinations(self.recipients, 2):
            if one.is_same_recipient(other) and set(one.purposes) & set(other.purposes):
                message = "Name each recipient once for each purpose."
                raise PydanticCustomError("recipient_repeated", message)
        return self


class LeadConsentInput(ConsentTerms):
    """A consent to a new lead, recorded by a desk when the responsible office does not act.

    The consent names a kind of office in the person's country, never a single office.
    """

    kind: Annotated[
        Literal[OfficeKind.STATE, OfficeKind.NON_STATE, OfficeKind.INTERGOVERNMENTAL],
        Field(description="Which kind of office may lead, in the country of the case."),
    ]
    purposes: Annotated[
        list[Literal[Purpose.REFER, Purpose.HANDOVER]], Field(min_length=1, max_length=2)
    ]
    sections: Annotated[
        list[Literal[Section.NEEDS]],
        Field(max_length=1, description="Empty: only the summary."),
    ] = []
    reason: Annotated[TakeOverReason, Field(description="Why the case needs a new lead.")]

    def as_consent(self, country: str) -> ConsentInput:
        """Return the consent, addressed to all offices of the given `kind` in a country."""
        recipient = ConsentRecipient(
            recipient_class=RecipientClass(kind=self.kind, country=country),
            purposes=list(self.purposes),
            sections=list(self.sections),
        )
        terms = self.model_dump(include=set(ConsentTerms.model_fields))
        return ConsentInput(recipients=[recipient], **terms)


class WithdrawConsents(RequestModel):
    """The purposes that the person no longer agrees to, for all recipients."""

    purposes: Annotated[list[Purpose], Field(min_length=1, max_length=19)]


class RefusalInput(RequestModel):
    """An adult's refusal to be referred, counted without a link to a person or case."""

    country: Annotated[CountryCode, Field(description="Where the person is.")]
    age_class: Annotated[
        Literal[AgeClass.ADULT],
        Field(
            description="A child is protected and not counted. In doubt, the person is a "
            "child (BR14)."
        ),
    ]


class RefusalsOut(ResponseModel):
    """The number of refusals in a country and a past quarter."""

    country: str
    year: int
    quarter: Annotated[int, Field(ge=1, le=4)]
    refusals: Annotated[int, Field(description="The count, with noise of at most 10.")]


class RefusalCounts(ResponseModel):
    """The numbers of refusals by country and quarter; numbers below 11 are left out."""

    items: list[RefusalsOut]


class ConsentHint(ResponseModel):
    """The reason why a consent does not count at the person's age, and who may give one."""

    counts_when: Annotated[
        AgeClass,
        Field(description="The consent counts once the person has this age class."),
    ]
    given_by: Annotated[list[GivenBy], Field(description="Whose consent counts now.")]
    remedy: str


HINT_FOR_CHILD: Final = ConsentHint(
    counts_when=AgeClass.ADULT,
    given_by=sorted(CHILD_GIVERS),
    remedy="The person is, or may be, a child. Their own consent is stored, and counts "
    "once they are found to be an adult. Record the consent of a guardian, with the "
    "child's assent, or a best-interests decision.",
)
HINT_FOR_ADULT: Final = ConsentHint(
    counts_when=AgeClass.CHILD,
    given_by=[GivenBy.PERSON],
    remedy="The person is an adult. A consent of somebody else counts only if they are "
    "found to be a child. Ask the person.",
)


def get_hint(consent: Consent, *, child: bool) -> ConsentHint | None:
    """Return the reason why a consent does not count at the person's age, or None.

    Returns None if its giver may consent, or if the consent was withdrawn.
    """
    if consent.withdrawn_at or may_give(consent.given_by, child=child):
        return None
    return HINT_FOR_CHILD if child else HINT_FOR_ADULT


class ConsentOut(ResponseModel):
    """A consent that the caller may see."""

    id: UUID
    focal_point: Annotated[
        str | None,
        Field(
            description="Null if a class is named, or if you may not know the focal point."
        ),
    ]
    recipient_class: RecipientClass | None
    purposes: list[Purpose]
    sections: list[Section]
    given_by: GivenBy
    language: str
    interpreter: bool
    form_version: str
    obtained_on: date
    expires_at: datetime
    withdrawn_at: datetime | None
    not_yet: Annotated[
        ConsentHint | None,
        Field(
            description="Why the consent does not count at the person's age; null if it "
            "counts, was withdrawn, or you cannot read the current summary."
        ),
    ]

    @classmethod
    def from_consent(
        cls,
        consent: Consent,
        codes: Mapping[UUID, str],
        *,
        not_yet: ConsentHint | None,
        as_reported: bool,
    ) -> Self:
        """Return a consent as a reader may see it.

        `codes` contains the offices that the reader may see. If `as_reported` is true, a
        withdrawal that the reader reported is shown, although it has no effect.
        """
        one = consent.focal_point_id
        reported = consent.withdrawal_reported_at if as_reported else None
        ended = reported or consent.withdrawn_at
        return cls(
            focal_point=codes.get(one) if one else None,
            recipient_class=get_recipient_class(consent),
            not_yet=None if ended else not_yet,
            withdrawn_at=ended,
            id=consent.id,
            purposes=list(map(Purpose, consent.purposes)),
            sections=list(map(Section, consent.sections)),
            given_by=consent.given_by,
            language=consent.language,
            interpreter=consent.interpreter,
            form_version=consent.form_version,
            obtained_on=consent.obtained_on,
            expires_at=consent.expires_at,
        )


def get_recipient_class(consent: Consent) -> RecipientClass | None:
    """Return the recipient class that a consent names, or None if it names one office."""
    kind, country = consent.kind, consent.country
    if kind is None or country is None:
        return None
    return RecipientClass(kind=kind, country=country, function=consent.function)


class ConsentList(ResponseModel):
    """Consents of a case."""

    items: list[ConsentOut]
