"""Request and response bodies of cases."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from app.cases.lifecycle import Action, Need, Stage, State
from app.cases.models import AgeClass
from app.cases.schemas import (
    ACTOR,
    Risk,
    RiskInput,
    Summary,
    SummaryFields,
    VitalInterestInput,
)
from app.cases.sections import (
    EmergencyAccessPurpose,
    RoutingSafeguards,
    Safeguards,
    Section,
)
from app.cases.vital_interest import EmergencyAccessState, VitalInterestReason
from app.casework.example import EXAMPLE
from app.consents.schemas import ConsentInput, RecipientClass
from app.deadlines.limits import Priority
from app.directory.kinds import Service, Sex
from app.kernel.actors import Relation
from app.kernel.codes import CaseCodeText
from app.kernel.requirements import AvailableAction
from app.kernel.text import Code, CountryCode, LanguageTag, RequestModel, ResponseModel
from app.screening.schemas import ScreeningInput, WrittenSection

CASE_CODE = "The code of the case, which identifies it in paths and in conversation."
CASE_STAGE = "The stage of the case; a suspended case keeps its stage."
CASE_STATE = "The state of the case in its life cycle."
CASE_VERSION = "The version of the case; null if your office may not know of each change."
SUBMITTER = (
    "The code of the focal point that submitted the case; null if you may not know it."
)
CLOSURE_REASON = "Why the case was closed; null if it is not closed or you may not know it."
NEXT_LEAD = (
    "Code of the office that should lead next. Shown to a desk if the lead does not act "
    "and a desk has recorded a consent to a new lead."
)
CONTINUES_IN = (
    "Code of the person's other case, if this one was closed as a duplicate. Shown to the "
    "holder and oversight, if they see that case."
)
DUE_AT = (
    "When the next step is due. Null for the submitter once a lead took the case or the "
    "person crossed a border, because a holiday would reveal the country (R12)."
)
IF_MISSED = "What happens if the deadline in `due_at` is missed; null without `due_at`."
OUTCOME = (
    "`next_office`: the case goes to the next office in the routing, or to the desk if "
    "none is left. `desk`: the case goes to the desk; if it has a lead, it is reminded, "
    "and a desk can replace it after three missed deadlines. `reminder`: the office keeps "
    "the case and is reminded. `discarded`: the draft is deleted. `erased`: the sealed "
    "documents are erased."
)
NEXT_OFFICE = (
    "Code of the office that would get the case, as in its routing now; the routing runs "
    "again at that time. Null if you may not know it or no office gets the case."
)
TELL_PERSON_BY = "The time by which the holder has to tell the person; null if not due."
SOUGHT_REFERENCE = (
    "The reference with which your own focal point created the case. It finds no case of "
    "another focal point, and no case that was withdrawn or ended without a lead."
)
EXTERNAL = (
    "Your own number for the case. Only its digest is stored. A second case with the same "
    "number is refused, and the answer has the code of the first case."
)


ExternalReference = Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,60}$")]


class CaseSearch(RequestModel):
    """A search for one of your cases, by its code or by your own number for the case."""

    code: CaseCodeText | None = None
    external_reference: Annotated[
        ExternalReference | None, Field(description=SOUGHT_REFERENCE)
    ] = None

    @model_validator(mode="after")
    def require_one_key(self) -> Self:
        """Require either a code or an external reference, and refuse both."""
        if (self.code is None) == (self.external_reference is None):
            raise PydanticCustomError(
                "search_unclear", "Give either `code` or `external_reference`."
            )
        return self


MAX_CONSENTS: Final = 50
"""The maximum number of consents of one request: one for each recipient of each form."""


def require_recipient_limit(forms: list[ConsentInput]) -> list[ConsentInput]:
    """Raise a validation error if forms name more than `MAX_CONSENTS` recipients."""
    if sum(len(form.recipients) for form in forms) > MAX_CONSENTS:
        raise PydanticCustomError(
            "recipients_too_many",
            f"The consents name more than {MAX_CONSENTS} recipients. Create the case with "
            f"at most {MAX_CONSENTS}, then record the other consents.",
        )
    return forms


class CaseInput(RequestModel):
    """A new case, complete or partial."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    summary: SummaryFields
    sections: Annotated[
        list[WrittenSection], Field(max_length=7, description="Each is sealed separately.")
    ] = []
    safeguards: Safeguards | None = None
    consents: Annotated[
        list[ConsentInput],
        AfterValidator(require_recipient_limit),
        Field(max_length=MAX_CONSENTS),
    ] = []
    risk: RiskInput | None = None
    vital_interest: Annotated[
        VitalInterestInput | None,
        Field(description="Only if life is at risk or serious harm is near."),
    ] = None
    screening: ScreeningInput | None = None
    external_reference: Annotated[ExternalReference | None, Field(description=EXTERNAL)] = (
        None
    )
    submit: Annotated[
        StrictBool, Field(description="Submit it at once; otherwise it stays a draft.")
    ] = False

    @model_validator(mode="after")
    def require_unique_sections(self) -> Self:
        """Refuse a case in which a section is written twice."""
        names = [content.section for content in self.sections]
        if len(names) != len(set(names)):
            raise PydanticCustomError(
                "section_twice",
                "A section is named more than once. Name each section once.",
            )
        return self


class AvailableCaseAction(AvailableAction[Action, Need]):
    """An action of your office on the case, with its unmet requirements."""


class MissedOutcome(StrEnum):
    """The outcome if an office does not complete its task in time."""

    NEXT_OFFICE = "next_office"
    DESK = "desk"
    REMINDER = "reminder"
    DISCARDED = "discarded"
    ERASED = "erased"


class IfMissed(ResponseModel):
    """The outcome if the deadline in `due_at` is missed."""

    outcome: Annotated[MissedOutcome, Field(description=OUTCOME)]
    focal_point: Annotated[str | None, Field(description=NEXT_OFFICE)]


class CaseOut(ResponseModel):
    """A case as your office may see it, with the actions of your office.

    A recipient of a referral sees the summary. A field is null if your office may not see
    it. A State body that was asked for a travel document sees the case as it was at that
    time.
    """

    code: Annotated[str, Field(description=CASE_CODE)]
    you_are: list[Relation]
    stage: Annotated[Stage, Field(description=CASE_STAGE)]
    state: Annotated[State, Field(description=CASE_STATE)]
    summary: Summary
    lead: Annotated[str | None, Field(description="Code of the focal point that leads.")]
    holder: Annotated[
        str | None,
        Field(description="The lead; without a lead, the candidate or the desk."),
    ]
    next_lead: Annotated[str | None, Field(description=NEXT_LEAD)]
    submitter: Annotated[str | None, Field(description=SUBMITTER)]
    risk: Risk | None
    sections: Annotated[list[Section], Field(description="Which sections are written.")]
    closure_reason: Annotated[str | None, Field(description=CLOSURE_REASON)]
    continues_in: Annotated[str | None, Field(description=CONTINUES_IN)]
    due_at: Annotated[datetime | None, Field(description=DUE_AT)]
    if_missed: Annotated[IfMissed | None, Field(description=IF_MISSED)]
    version: Annotated[int | None, Field(description=CASE_VERSION)]
    available_actions: list[AvailableCaseAction]


class EmergencyAccessOut(ResponseModel):
    """An emergency access, with the request, the decision and the steps that follow."""

    id: UUID
    state: EmergencyAccessState
    reason: VitalInterestReason
    purpose: EmergencyAccessPurpose
    sections: list[Section]
    asked_by: Annotated[str | None, Field(description=ACTOR)]
    asked_at: datetime
    decided_by: Annotated[str | None, Field(description=ACTOR)]
    decided_at: datetime | None
    holds_until: Annotated[
        datetime, Field(description="The end of the time to grant the access or to use it.")
    ]
    ended_at: datetime | None
    inform_person_by: Annotated[datetime | None, Field(description=TELL_PERSON_BY)]
    person_informed_at: datetime | None
    reviewed_at: datetime | None
    justified: Annotated[bool | None, Field(description="The result of the review.")]


class EmergencyAccessList(ResponseModel):
    """The emergency accesses that you are allowed to see, oldest first."""

    items: list[EmergencyAccessOut]


class AllowedRecipient(RequestModel):
    """A recipient that the person allows: one focal point, or one class of focal points."""

    focal_point: Annotated[Code | None, Field(description="Its code.")] = None
    recipient_class: RecipientClass | None = None

    @model_validator(mode="after")
    def require_one_recipient(self) -> Self:
        """Require either a focal point or a class of focal points, and refuse both."""
        if (self.focal_point is None) == (self.recipient_class is None):
            raise PydanticCustomError(
                "recipient_unclear", "Name either a focal point or a class of focal points."
            )
        return self


class RoutingQuestion(RequestModel):
    """A request to rank offices for a summary without a case. The request is not stored."""

    country: Annotated[CountryCode, Field(description="Where the person is.")]
    age_class: AgeClass
    language: LanguageTag
    priority: Priority
    services: Annotated[list[Service], Field(max_length=17)] = []
    sex: Annotated[Sex | None, Field(description="If absent, it excludes nobody.")] = None
    with_children: Annotated[
        StrictBool, Field(description="Whether children come with the person.")
    ] = False
    allowed_recipients: Annotated[
        list[AllowedRecipient] | None,
        Field(max_length=50, description="Absent: not asked yet, so all may be told."),
    ] = None
    safeguards: RoutingSafeguards = Field(default_factory=RoutingSafeguards)
