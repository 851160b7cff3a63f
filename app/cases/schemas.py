"""The case as the outside world spells it: the notice, the risk, and sealed sections."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.cases.facts import (
    BestInterests,
    FactName,
    Guardian,
    Identification,
    ReflectionPeriod,
)
from app.cases.models import AgeClass, SafeContact
from app.cases.risk import RiskLevel
from app.cases.sections import Section, SectionContent
from app.cases.vital import VitalReason
from app.deadlines.limits import Priority
from app.directory.kinds import Service
from app.kernel.text import Asked, Code, CountryCode, Day, LanguageTag, SafeText, Shown

COUNTRY = "Where the person is. The lead is found there, not in the country of origin."
SERVICES = "What the person needs, as far as it is known."
URGENT = "What cannot wait for a decision on the lead; empty if nothing."
WHOSE = "Code of the focal point; null: the system, or not yours to know."
SAFE_CONTACT = "The person's answer: may they be contacted safely?"

Services = Annotated[list[Service], Field(max_length=17)]


class NoticeFields(Asked):
    """The notice: all that a focal point reads before it accepts; it identifies nobody.

    A draft may leave fields out; submitting needs all but `services`.
    """

    country: Annotated[CountryCode | None, Field(description=COUNTRY)] = None
    age_class: Annotated[
        AgeClass | None, Field(description="In doubt, `presumed_child` (BR14).")
    ] = None
    language: Annotated[
        LanguageTag | None, Field(description="The language the person speaks best.")
    ] = None
    priority: Priority | None = None
    services: Annotated[Services | None, Field(description=SERVICES)] = None
    urgent_needs: Annotated[Services | None, Field(description=URGENT)] = None
    safe_contact: Annotated[SafeContact | None, Field(description=SAFE_CONTACT)] = None


class Notice(Shown):
    """The notice as it stands; null: not said yet."""

    country: str | None
    age_class: AgeClass | None
    language: str | None
    priority: Priority | None
    services: list[Service]
    urgent_needs: list[Service]
    safe_contact: SafeContact | None


class NewRisk(Asked):
    """How great the danger is, as you see it now."""

    level: Annotated[
        RiskLevel, Field(description="Holds for 7 days, `high` for 72 hours; then again.")
    ]
    remarks: Annotated[SafeText | None, Field(description="Sealed; read as a note.")] = None


class Risk(Shown):
    """The risk as it was last assessed."""

    level: RiskLevel
    assessed_at: datetime


class NewVitalInterest(Asked):
    """Why a notice cannot wait for a consent (BR05)."""

    reason: VitalReason
    note: Annotated[SafeText, Field(description="What is known; sealed.")]


class VitalInterestOut(Shown):
    """That a notice and its safety notice may go without a consent, until when."""

    id: UUID
    reason: VitalReason
    declared_at: datetime
    holds_until: datetime


class NewIdentification(Asked):
    """What a body of a country says of the person; help never waits for it (BR01)."""

    name: Literal[FactName.IDENTIFICATION]
    value: Identification
    country: CountryCode
    body: Annotated[
        Code | None, Field(description="Which focal point decided; else your own.")
    ] = None
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class NewGuardian(Asked):
    """Whether somebody independent speaks for the child."""

    name: Literal[FactName.GUARDIAN]
    value: Guardian
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class NewBestInterests(Asked):
    """How far the best interests of a child are known (BR09); `not_needed`: of adults."""

    name: Literal[FactName.BEST_INTERESTS]
    value: BestInterests
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class NewReflectionPeriod(Asked):
    """How the time to recover and decide stands in a country (BR15)."""

    name: Literal[FactName.REFLECTION_PERIOD]
    value: ReflectionPeriod
    country: CountryCode
    ends_on: Annotated[Day | None, Field(description="The first day after it.")] = None
    note: Annotated[SafeText | None, Field(description="Sealed.")] = None

    @model_validator(mode="after")
    def runs_until_a_day(self) -> Self:
        """Require the end of a period that runs, and of no other."""
        runs = self.value == ReflectionPeriod.RUNNING
        if runs != (self.ends_on is not None):
            raise PydanticCustomError(
                "end_unclear", "Give `ends_on` if it is running, and only then."
            )
        return self


type NewFact = Annotated[
    NewIdentification | NewGuardian | NewBestInterests | NewReflectionPeriod,
    Field(discriminator="name"),
]


class FactOut(Shown):
    """A fact as it was recorded; the last of a name counts, for its country and body."""

    id: UUID
    name: FactName
    value: Annotated[str, Field(description="A code; each fact has its own.")]
    country: str | None
    body: Annotated[
        str | None, Field(description="Code of who decided it, if it is yours to know.")
    ]
    ends_on: date | None
    recorded_by: Annotated[str | None, Field(description=WHOSE)]
    recorded_at: datetime
    due_at: Annotated[
        datetime | None,
        Field(description="Until when the holder has to find it out; null: no clock runs."),
    ]


class FactList(Shown):
    """What is known beside the state of the case, oldest first."""

    items: list[FactOut]


class NewQuestion(Asked):
    """What the holder asks the submitter."""

    topics: Annotated[
        list[Section], Field(min_length=1, max_length=7, description="What it is about.")
    ]
    question: Annotated[SafeText, Field(description="Sealed.")]


class NewAnswer(Asked):
    """What the submitter answers."""

    answer: Annotated[SafeText, Field(description="Sealed.")]


class QuestionOut(Shown):
    """A question about a case; its words are among the notes."""

    id: UUID
    topics: list[Section]
    asked_by: Annotated[str | None, Field(description=WHOSE)]
    asked_at: datetime
    due_at: Annotated[
        datetime | None,
        Field(description="Until when an answer is due; null: answered, or it rests."),
    ]
    answered_at: datetime | None


class QuestionList(Shown):
    """What was asked about a case, oldest first."""

    items: list[QuestionOut]


class OpenedSection(Shown):
    """A section that was sealed, opened for you; the opening was recorded."""

    section: Section
    author: Annotated[
        str | None,
        Field(
            description="Code of the focal point that wrote it; null: not yours to know."
        ),
    ]
    written_at: datetime
    content: SectionContent
