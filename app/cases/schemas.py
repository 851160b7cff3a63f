"""API schemas of a case: its summary, risk, facts, questions and opened sections."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.cases import facts
from app.cases.models import AgeClass, SafeContact
from app.cases.risk import RiskLevel
from app.cases.sections import (
    MIN_CONTACTS,
    DutyContact,
    DutyContacts,
    Section,
    SectionContent,
    collect_names,
)
from app.cases.vital_interest import VitalInterestReason
from app.deadlines.limits import Priority
from app.directory.kinds import Service
from app.kernel.text import (
    Code,
    CountryCode,
    Day,
    LanguageTag,
    RequestModel,
    ResponseModel,
    SafeText,
)

COUNTRY = "Where the person is. The lead is an office there, not in the country of origin."
SERVICES = "The services that the person needs, as far as they are known."
URGENT_NEEDS = "The services that cannot wait for a lead; empty if there are none."
ACTOR = "Code of the focal point; null for the system, or if you may not know it."
SAFE_CONTACT = "The person's answer to whether they may be contacted safely."
AGE_CLASS = "If in doubt, `presumed_child` (BR14)."
LANGUAGE = "The language the person speaks best."
DECIDED_BY = "Code of the focal point that decided; null if you may not know it."
WRITTEN_BY = "Code of the focal point that wrote it; null if you may not know it."
FACT_DUE = "The time by which the holder has to establish the fact; null if none."
ANSWER_DUE = "The time by which an answer is due; null if answered or paused."

Services = Annotated[list[Service], Field(max_length=17)]


class SummaryFields(RequestModel):
    """The summary of a case, which identifies nobody, for offices that have not accepted.

    A draft may omit fields. A submission needs all fields except `services` and
    `urgent_needs`.
    """

    country: Annotated[CountryCode | None, Field(description=COUNTRY)] = None
    age_class: Annotated[AgeClass | None, Field(description=AGE_CLASS)] = None
    language: Annotated[LanguageTag | None, Field(description=LANGUAGE)] = None
    priority: Priority | None = None
    services: Annotated[Services | None, Field(description=SERVICES)] = None
    urgent_needs: Annotated[Services | None, Field(description=URGENT_NEEDS)] = None
    safe_contact: Annotated[SafeContact | None, Field(description=SAFE_CONTACT)] = None


class Summary(ResponseModel):
    """The summary of a case; a field that is not known yet is null."""

    country: str | None
    age_class: AgeClass | None
    language: str | None
    priority: Priority | None
    services: list[Service]
    urgent_needs: list[Service]
    safe_contact: SafeContact | None


class RiskInput(RequestModel):
    """A risk assessment by the caller."""

    level: Annotated[RiskLevel, Field(description="Valid for 7 days, `high` for 72 hours.")]
    remarks: Annotated[SafeText | None, Field(description="Sealed as a note.")] = None


class Risk(ResponseModel):
    """The latest risk assessment."""

    level: RiskLevel
    assessed_at: datetime


class VitalInterestInput(RequestModel):
    """A declaration that the summary cannot wait for a consent (BR05)."""

    reason: VitalInterestReason
    note: Annotated[SafeText, Field(description="What is known about the danger; sealed.")]


class VitalInterestOut(ResponseModel):
    """A declaration that the summary and safety alert may be sent without a consent."""

    id: UUID
    reason: VitalInterestReason
    declared_at: datetime
    holds_until: datetime


class IdentificationInput(RequestModel):
    """A country's decision on victim status. Help does not depend on it (BR01)."""

    name: Literal[facts.FactName.IDENTIFICATION]
    value: facts.Identification
    country: CountryCode
    body: Annotated[
        Code | None,
        Field(description="Code of the focal point that decided; default: your own."),
    ] = None
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class GuardianInput(RequestModel):
    """A statement of whether the child has a guardian."""

    name: Literal[facts.FactName.GUARDIAN]
    value: facts.Guardian
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class BestInterestsInput(RequestModel):
    """The assessment of a child's best interests (BR09); `not_needed` is for adults."""

    name: Literal[facts.FactName.BEST_INTERESTS]
    value: facts.BestInterests
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class ReflectionPeriodInput(RequestModel):
    """The status of the reflection period (to recover and decide) in a country (BR15)."""

    name: Literal[facts.FactName.REFLECTION_PERIOD]
    value: facts.ReflectionPeriod
    country: CountryCode
    ends_on: Annotated[Day | None, Field(description="The first day after the period.")] = (
        None
    )
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None

    @model_validator(mode="after")
    def require_end_date(self) -> Self:
        """Require `ends_on` for a running period, and refuse it for any other status."""
        runs = self.value == facts.ReflectionPeriod.RUNNING
        if runs != (self.ends_on is not None):
            raise PydanticCustomError(
                "end_unclear", "Give `ends_on` if and only if `value` is `running`."
            )
        return self


type FactInput = Annotated[
    IdentificationInput | GuardianInput | BestInterestsInput | ReflectionPeriodInput,
    Field(discriminator="name"),
]


class FactOut(ResponseModel):
    """A recorded fact. A newer fact of the same name, country and body replaces it."""

    id: UUID
    name: facts.FactName
    value: Annotated[str, Field(description="A code; each `name` has its own codes.")]
    country: str | None
    body: Annotated[str | None, Field(description=DECIDED_BY)]
    ends_on: date | None
    recorded_by: Annotated[str | None, Field(description=ACTOR)]
    recorded_at: datetime
    due_at: Annotated[datetime | None, Field(description=FACT_DUE)]


class FactList(ResponseModel):
    """The facts of a case, oldest first."""

    items: list[FactOut]


class QuestionInput(RequestModel):
    """A question from the holder to the submitter."""

    topics: Annotated[
        list[Section],
        Field(min_length=1, max_length=len(Section), description="The topics."),
    ]
    question: Annotated[SafeText, Field(description="Sealed.")]


class AnswerInput(RequestModel):
    """The answer of the submitter to a question."""

    answer: Annotated[SafeText, Field(description="Sealed.")]


class QuestionOut(ResponseModel):
    """A question about a case. Its sealed text is among the notes of the case."""

    id: UUID
    topics: list[Section]
    asked_by: Annotated[str | None, Field(description=ACTOR)]
    asked_at: datetime
    due_at: Annotated[datetime | None, Field(description=ANSWER_DUE)]
    answered_at: datetime | None


class QuestionList(ResponseModel):
    """The questions about a case, oldest first."""

    items: list[QuestionOut]


class DefaultContactsInput(RequestModel):
    """The default contacts that an office sets for its acceptances."""

    contacts: Annotated[
        DutyContacts | None,
        Field(description="At least two different people; sealed. Null removes them."),
    ]

    @model_validator(mode="after")
    def require_two_people(self) -> Self:
        """Refuse contacts that name fewer than two different people."""
        if self.contacts and len(collect_names(self.contacts)) < MIN_CONTACTS:
            raise PydanticCustomError(
                "one_person_twice", "Name at least two different people in `contacts`."
            )
        return self


class DefaultContactsOut(ResponseModel):
    """The contacts that are used when your office accepts without `contacts`."""

    focal_point: str
    contacts: list[DutyContact] | None
    written_at: datetime | None


class OpenedSection(ResponseModel):
    """The content of a section. The access log records that the caller opened it."""

    section: Section
    author: Annotated[str | None, Field(description=WRITTEN_BY)]
    written_at: datetime
    content: SectionContent
