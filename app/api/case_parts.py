"""The parts that `include` adds to a case, with the content that their routes return."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from app.access.credentials import require_scope
from app.api.consents import load_consents
from app.api.emergency_access import load_accesses
from app.api.facts_and_questions import load_facts, load_questions
from app.api.handovers import HandoverQuery, load_handovers
from app.api.referrals import ReferralQuery, load_referrals
from app.api.routing import load_routing
from app.api.screening import load_screenings
from app.cases.models import Case
from app.cases.schemas import FactList, QuestionList
from app.casework.schemas import CaseOut, EmergencyAccessList
from app.consents.schemas import ConsentList
from app.feed.evidence import build_case_evidence
from app.feed.schemas import Evidence, HistoryPage, TaskList
from app.feed.situation import load_history
from app.feed.worklist import list_case_tasks
from app.handovers.schemas import HandoverPage
from app.kernel.actors import Scope
from app.kernel.paging import Page, PageQuery
from app.kernel.problems import Forbidden, NotFound
from app.kernel.text import ResponseModel, describe_optional
from app.kernel.transactions import ReadTransaction
from app.referrals.schemas import ReferralPage
from app.routing.schemas import RoutingOut
from app.screening.schemas import ScreeningList


class CasePart(StrEnum):
    """A part that `include` adds to a case."""

    TASKS = "tasks"
    EVIDENCE = "evidence"
    HISTORY = "history"
    REFERRALS = "referrals"
    HANDOVERS = "handovers"
    CONSENTS = "consents"
    FACTS = "facts"
    QUESTIONS = "questions"
    SCREENINGS = "screenings"
    ROUTING = "routing"
    EMERGENCY_ACCESS = "emergency_access"


@dataclass(frozen=True)
class PartSource:
    """The function that loads a part, and the scope that the part's operation needs."""

    load: Callable[[ReadTransaction, Case], BaseModel]
    scope: Scope = Scope.CASES_READ


def load_tasks(tx: ReadTransaction, case: Case) -> TaskList:
    """Return the tasks of the caller's office in a case."""
    return TaskList(items=list_case_tasks(tx, [case.id])[case.id])


SOURCES: Final[Mapping[CasePart, PartSource]] = {
    CasePart.TASKS: PartSource(load_tasks, Scope.FEED_READ),
    CasePart.EVIDENCE: PartSource(build_case_evidence),
    CasePart.HISTORY: PartSource(lambda tx, case: load_history(tx, case, PageQuery())),
    CasePart.REFERRALS: PartSource(
        lambda tx, case: load_referrals(tx, ReferralQuery(case=case.code)),
        Scope.REFERRALS_READ,
    ),
    CasePart.HANDOVERS: PartSource(
        lambda tx, case: load_handovers(tx, HandoverQuery(case=case.code))
    ),
    CasePart.CONSENTS: PartSource(load_consents),
    CasePart.FACTS: PartSource(load_facts),
    CasePart.QUESTIONS: PartSource(load_questions),
    CasePart.SCREENINGS: PartSource(load_screenings),
    CasePart.ROUTING: PartSource(load_routing),
    CasePart.EMERGENCY_ACCESS: PartSource(load_accesses),
}


class RefusedPart(ResponseModel):
    """A part that was requested and that you may not read."""

    part: CasePart
    status: Annotated[int, Field(description="The status that its operation returns.")]
    type: Annotated[str, Field(description="The problem that its operation returns.")]


class CaseParts(BaseModel):
    """The parts of a case that were requested with `include`.

    Each part has the content that its own operation returns to you without parameters. A
    part that you did not request, or may not read, is absent.
    """

    tasks: Annotated[
        TaskList | SkipJsonSchema[None],
        describe_optional("The items of `GET /v1/worklist` that are about this case."),
    ] = None
    evidence: Annotated[
        Evidence | SkipJsonSchema[None],
        describe_optional("`GET /v1/cases/{code}/evidence`."),
    ] = None
    history: Annotated[
        HistoryPage | SkipJsonSchema[None],
        describe_optional("The first page of `GET /v1/cases/{code}/history`."),
    ] = None
    referrals: Annotated[
        ReferralPage | SkipJsonSchema[None],
        describe_optional("The first page of `GET /v1/referrals?case={code}`."),
    ] = None
    handovers: Annotated[
        HandoverPage | SkipJsonSchema[None],
        describe_optional("The first page of `GET /v1/handovers?case={code}`."),
    ] = None
    consents: Annotated[
        ConsentList | SkipJsonSchema[None],
        describe_optional("`GET /v1/cases/{code}/consents`."),
    ] = None
    facts: Annotated[
        FactList | SkipJsonSchema[None], describe_optional("`GET /v1/cases/{code}/facts`.")
    ] = None
    questions: Annotated[
        QuestionList | SkipJsonSchema[None],
        describe_optional("`GET /v1/cases/{code}/questions`."),
    ] = None
    screenings: Annotated[
        ScreeningList | SkipJsonSchema[None],
        describe_optional("`GET /v1/cases/{code}/screenings`."),
    ] = None
    routing: Annotated[
        RoutingOut | SkipJsonSchema[None],
        describe_optional("`GET /v1/cases/{code}/routing`."),
    ] = None
    emergency_access: Annotated[
        EmergencyAccessList | SkipJsonSchema[None],
        describe_optional("`GET /v1/cases/{code}/emergency-access`."),
    ] = None
    refused: Annotated[
        list[RefusedPart],
        Field(description="The requested parts that you may not read, with the reason."),
    ]


class CaseWithParts(CaseOut):
    """A case as your office may see it, with the parts that were requested."""

    included: Annotated[
        CaseParts | SkipJsonSchema[None],
        describe_optional("The parts that `include` names. Absent without `include`."),
    ] = None

    @classmethod
    def from_case(cls, shown: CaseOut, included: CaseParts | None) -> Self:
        """Return a case together with its parts."""
        return cls(**dict(shown), included=included)


class CasePage(Page[CaseWithParts]):
    """A page of your cases."""


def load_parts(tx: ReadTransaction, case: Case, wanted: Collection[CasePart]) -> CaseParts:
    """Return the wanted parts of a case, and the reason for each refused part."""
    found: dict[str, BaseModel] = {}
    refused: list[RefusedPart] = []
    for part, source in SOURCES.items():
        if part not in wanted:
            continue
        try:
            require_scope(tx.actor, source.scope)
            found[part] = source.load(tx, case)
        except (Forbidden, NotFound) as problem:
            reason = RefusedPart(part=part, status=problem.status, type=problem.uri)
            refused.append(reason)
    return CaseParts(**found, refused=refused)


def load_listed_parts(
    tx: ReadTransaction, cases: Sequence[Case], wanted: Collection[CasePart]
) -> list[CaseParts | None]:
    """Return the parts of each listed case, or None for each if no tasks are wanted.

    A list supports only the part `tasks`, which is refused without the scope `feed:read`.
    """
    if CasePart.TASKS not in wanted:
        return [None for _ in cases]
    if Scope.FEED_READ not in tx.actor.scopes:
        return [load_parts(tx, case, wanted) for case in cases]
    tasks = list_case_tasks(tx, [case.id for case in cases])
    return [CaseParts(tasks=TaskList(items=tasks[case.id]), refused=[]) for case in cases]
