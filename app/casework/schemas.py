"""Cases as the outside world spells them: what comes in, and what goes out."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from app.access.models import ApprovalState
from app.administration.schemas import Hand
from app.cases.lifecycle import Action, Need, Stage, State
from app.cases.models import AgeClass
from app.cases.schemas import WHOSE, NewRisk, NewVitalInterest, Notice, NoticeFields, Risk
from app.cases.sections import Guards, ReadingPurpose, Safeguards, Section
from app.cases.vital import ReadingState, VitalReason
from app.casework.example import EXAMPLE
from app.consents.schemas import NewConsent, RecipientClass
from app.deadlines.limits import Priority
from app.directory.kinds import Service, Sex
from app.kernel.actors import Relation
from app.kernel.needs import UnmetNeed
from app.kernel.paging import Page
from app.kernel.text import Asked, Code, CountryCode, LanguageTag, Shown
from app.screening.schemas import NewScreening, WrittenSection

EXTERNAL = (
    "Your own number of the case. Only its fingerprint is kept; a second case under the "
    "same number is refused with the code of the first."
)


class NewCase(Asked):
    """A case as it is first written, in whole or in part."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    notice: NoticeFields
    sections: Annotated[
        list[WrittenSection], Field(max_length=7, description="Each is sealed by itself.")
    ] = []
    safeguards: Safeguards | None = None
    consents: Annotated[list[NewConsent], Field(max_length=50)] = []
    risk: NewRisk | None = None
    vital_interest: Annotated[
        NewVitalInterest | None,
        Field(description="Only if life is at risk or serious harm is near."),
    ] = None
    screening: NewScreening | None = None
    external_reference: Annotated[
        str | None, Field(pattern=r"^[A-Za-z0-9._/-]{1,60}$", description=EXTERNAL)
    ] = None
    submit: Annotated[
        StrictBool, Field(description="Submit in the same transaction; else keep a draft.")
    ] = False

    @model_validator(mode="after")
    def write_each_once(self) -> Self:
        """Refuse two contents for one section."""
        names = [content.section for content in self.sections]
        if len(names) != len(set(names)):
            raise PydanticCustomError("section_twice", "Write each section once.")
        return self


class AvailableCaseAction(Shown):
    """An action that is yours in this state: open now, or why not."""

    action: Action
    open: bool
    asks: Annotated[list[Need], Field(description="What your request must bring.")]
    unmet: list[UnmetNeed]


class CaseOut(Shown):
    """A case as one party sees it, and what that party can do with it.

    A recipient of a referral sees the notice; what is null for it is not its to know.
    A State body that is asked for a travel document sees the case as it was then.
    """

    code: str
    you_are: list[Relation]
    stage: Stage
    state: State
    notice: Notice
    lead: Annotated[str | None, Field(description="Code of the focal point that leads.")]
    holder: Annotated[str | None, Field(description="Lead, else candidate, else desk.")]
    next_lead: Annotated[
        str | None,
        Field(
            description="To the desk beside a lead that does not act, once a desk recorded "
            "a consent to a new lead: code of the office whose turn it is. Null: nobody's."
        ),
    ]
    submitter: str | None
    risk: Risk | None
    sections: Annotated[list[Section], Field(description="Which sections are written.")]
    closure_reason: str | None
    continues_in: Annotated[
        str | None,
        Field(
            description="Code of the case that goes on for the person, where this one was "
            "closed as a duplicate; to the holder and oversight, if they see that case."
        ),
    ]
    due_at: Annotated[
        datetime | None,
        Field(
            description="Until when the next step is due; null also to who submitted it, "
            "once the person crossed a border: a holiday would say where to (R12)."
        ),
    ]
    version: int | None
    available_actions: list[AvailableCaseAction]


class CasePage(Page[CaseOut]):
    """Some of your cases."""


class ApprovalOut(Shown):
    """A question to a second person.

    Once it is approved, repeat the action with `Approval: {id}` and the same body.
    """

    id: UUID
    action: str
    subject: Annotated[str, Field(description="What it is about: read it under /v1/.")]
    facts: Annotated[
        dict[str, str], Field(description="What exactly is asked, such as the reason.")
    ]
    decision: ApprovalState
    asked_by_you: bool
    asked_by: Annotated[
        Hand | None,
        Field(
            description="Who asks for something about an account, a webhook or the "
            "directory: whoever asks for a key is shown it. Null: it is about a case."
        ),
    ]
    asked_at: datetime
    lapses_at: datetime
    roles: Annotated[list[str], Field(description="Who may decide; never who asked.")]


class ApprovalPage(Page[ApprovalOut]):
    """What waits for a second person of your focal point."""


class VitalReadingOut(Shown):
    """A reading in an emergency: who asked, who allowed it, and what is owed since."""

    id: UUID
    state: ReadingState
    reason: VitalReason
    purpose: ReadingPurpose
    sections: list[Section]
    asked_by: Annotated[str | None, Field(description=WHOSE)]
    asked_at: datetime
    decided_by: Annotated[str | None, Field(description=WHOSE)]
    decided_at: datetime | None
    holds_until: Annotated[
        datetime,
        Field(description="Until when it can be permitted; once it was, be read."),
    ]
    ended_at: datetime | None
    tell_person_by: Annotated[
        datetime | None,
        Field(description="Until when the holder has to tell the person; null: not due."),
    ]
    person_told_at: datetime | None
    reviewed_at: datetime | None
    justified: Annotated[bool | None, Field(description="What the review found.")]


class VitalReadingList(Shown):
    """The readings you may know of, oldest first."""

    items: list[VitalReadingOut]


class Told(Asked):
    """Whom the person would let be told: one focal point, or a class of them."""

    focal_point: Annotated[Code | None, Field(description="Code of the one named.")] = None
    recipient_class: RecipientClass | None = None

    @model_validator(mode="after")
    def name_one(self) -> Self:
        """Refuse nobody, and two answers to one question."""
        if (self.focal_point is None) == (self.recipient_class is None):
            raise PydanticCustomError(
                "recipient_unclear", "Name either a focal point or a class of them."
            )
        return self


class RoutingQuestion(Asked):
    """A notice that nobody wrote yet, with what only the asker knows. Nothing is kept."""

    country: Annotated[CountryCode, Field(description="Where the person is.")]
    age_class: AgeClass
    language: LanguageTag
    priority: Priority
    services: Annotated[list[Service], Field(max_length=17)] = []
    sex: Annotated[Sex | None, Field(description="Absent: it filters nobody out.")] = None
    with_children: Annotated[
        StrictBool, Field(description="Whether children come with the person.")
    ] = False
    told: Annotated[
        list[Told] | None,
        Field(max_length=50, description="Absent: the person was not asked yet; all."),
    ] = None
    safeguards: Guards = Guards()
