"""Cases: writing them, reading them, and one path for each act."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, Security
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from app.access.actions import ApprovalUnusable
from app.access.models import Approval
from app.api.acting import on_case, show_case
from app.api.approvals import ASKED, Answers, show_approval
from app.api.conditional import answer
from app.api.deps import (
    ApprovalId,
    CaseCode,
    IfMatch,
    IfNoneMatch,
    Once,
    ReadCases,
    WriteCases,
)
from app.api.guard import BEARER, Guarded
from app.api.problems import problems
from app.api.seeing import is_first_sight, keep_sight
from app.cases import queries
from app.cases.lifecycle import Action, Stage, State, states_in
from app.cases.models import Case, Party
from app.cases.schemas import NewRisk, NoticeFields
from app.casework import acting, carrying, closing, intake, leading, situation
from app.casework.needs import Terms
from app.casework.schemas import (
    AcceptLead,
    CaseOut,
    CasePage,
    CloseCase,
    DeclineLead,
    NewCase,
    WithdrawCase,
)
from app.consents.actions import ConsentOver
from app.deadlines.limits import Priority
from app.directory.queries import FocalPointUnknown
from app.kernel.actors import Relation
from app.kernel.idempotency import KeyInFlight, KeyMissing, KeyReused, Ticket, claim, settle
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.needs import NeedsUnmet
from app.kernel.paging import CursorUnknown, PageQuery, paginate
from app.kernel.problems import NotFound
from app.kernel.text import CountryCode
from app.kernel.versions import VersionNotGiven, VersionStale
from app.kernel.work import Writing

router = APIRouter(
    prefix="/cases", tags=["cases"], route_class=Guarded, dependencies=[Security(BEARER)]
)

KEYS = (KeyReused, KeyInFlight)
VERSION = (NotFound, VersionNotGiven, VersionStale)
ACTS = (
    *(*VERSION, *KEYS),
    *(ActionIllegal, ActionNotYours, RoleMissing, NeedsUnmet),
)
ACT = problems(*ACTS)
NO_LONGER_YOURS: Answers = {
    204: {"description": "Done; you are no longer party to the case."}
}

ACT_WITH_ANOTHER = problems(*ACTS, ApprovalUnusable)


@router.post(
    "",
    status_code=201,
    response_model=CaseOut,
    responses=problems(
        *(KeyMissing, *KEYS, RoleMissing, FocalPointUnknown, ConsentOver, NeedsUnmet),
        *(intake.ExternalReferenceTaken, carrying.DeskMissing),
    ),
)
def write_case(begin: WriteCases, once: Once, new: NewCase) -> Response:
    """Write a case, and submit it in the same transaction if `submit` is true.

    Repeat the request with the same Idempotency-Key until an answer comes.
    """
    with begin() as work:
        return on_case(work, once, lambda: intake.write(work, new), created=True)


class CaseQuery(PageQuery):
    """Where to start, and which cases."""

    role: Annotated[list[Relation], Field(max_length=8)] = []
    state: Annotated[list[State], Field(max_length=10)] = []
    stage: Annotated[list[Stage], Field(max_length=4)] = []
    priority: Priority | SkipJsonSchema[None] = None
    country: CountryCode | SkipJsonSchema[None] = None


@router.get("", response_model=CasePage, responses=problems(CursorUnknown))
def list_cases(
    begin: ReadCases,
    query: Annotated[CaseQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the cases you are party to. To follow changes, use the feed."""
    with begin() as work:
        staged = states_in(query.stage) if query.stage else frozenset(State)
        states = staged & set(query.state or State)
        statement = queries.mine(work, query.role, states, query.priority, query.country)
        rows, after, more = paginate(work, statement, (Party.number,), query, name="cases")
        items = situation.show(work, [case for case, _ in rows])
        page = CasePage(items=items, next=after, more=more)
        return answer(page, if_none_match=if_none_match)


@router.get("/{code}", response_model=CaseOut, responses=problems(NotFound))
def get_case(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """Read one case: the notice, where it stands, and what you can do now."""
    with begin() as work:
        case = queries.get(work, code)
        [shown] = situation.show(work, [case])
        response = answer(shown, version=shown.version, if_none_match=if_none_match)
        first = is_first_sight(work, case)
    if first:
        keep_sight(work, case)
    return response


@router.patch(
    "/{code}",
    response_model=CaseOut,
    responses=problems(*ACTS, intake.CountryFixed, intake.NoticeIncomplete),
)
def mend_notice(
    begin: WriteCases, code: CaseCode, seen: IfMatch, once: Once, notice: NoticeFields
) -> Response:
    """Change fields of the notice (RFC 7396): the submitter's, then the lead's."""
    with begin() as work:
        return on_case(work, once, lambda: intake.mend(work, code, seen, notice))


@router.post("/{code}/submit", response_model=CaseOut, responses=ACT)
def submit_case(begin: WriteCases, code: CaseCode, seen: IfMatch, once: Once) -> Response:
    """Submit a draft: it is routed to who should lead it, where the person is."""

    def act(work: Writing) -> Case:
        return intake.submit(work, *acting.ready(work, code, Action.SUBMIT, seen))

    with begin() as work:
        return on_case(work, once, lambda: act(work))


@router.post("/{code}/withdraw", response_model=CaseOut, responses=ACT)
def withdraw_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, once: Once, why: WithdrawCase
) -> Response:
    """Take a case back before anybody acknowledged it and anything was sent."""
    terms = Terms(reason=why.reason)

    def act(work: Writing) -> Case:
        ready = acting.ready(work, code, Action.WITHDRAW, seen, terms)
        return intake.withdraw(work, *ready, why)

    with begin() as work:
        return on_case(work, once, lambda: act(work))


@router.post("/{code}/acknowledge", response_model=CaseOut, responses=ACT)
def acknowledge_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, once: Once
) -> Response:
    """Say that a person has read it. No promise yet; polling is not acknowledging."""

    def act(work: Writing) -> Case:
        ready = acting.ready(work, code, Action.ACKNOWLEDGE, seen)
        return leading.acknowledge(work, *ready)

    with begin() as work:
        return on_case(work, once, lambda: act(work))


@router.post(
    "/{code}/decline-lead", response_model=CaseOut, responses=NO_LONGER_YOURS | ACT
)
def decline_lead(
    begin: WriteCases, code: CaseCode, seen: IfMatch, once: Once, why: DeclineLead
) -> Response:
    """Decline the lead, with a reason; the next candidate is asked at once.

    Your part in the case ends with it: the answer is 204.
    """
    terms = Terms(reason=why.reason)

    def act(work: Writing) -> Case:
        ready = acting.ready(work, code, Action.DECLINE_LEAD, seen, terms)
        return leading.decline_lead(work, *ready, why)

    with begin() as work:
        return on_case(work, once, lambda: act(work))


@router.post("/{code}/accept-lead", response_model=CaseOut, responses=ACT)
def accept_lead(
    begin: WriteCases, code: CaseCode, seen: IfMatch, once: Once, promise: AcceptLead
) -> Response:
    """Take the lead, and name two people who can be reached."""
    terms = leading.terms_of(promise)

    def act(work: Writing) -> Case:
        ready = acting.ready(work, code, Action.ACCEPT_LEAD, seen, terms)
        return leading.accept_lead(work, *ready, promise)

    with begin() as work:
        return on_case(work, once, lambda: act(work))


@router.post(
    "/{code}/close",
    response_model=CaseOut,
    responses=ASKED | ACT_WITH_ANOTHER,
)
def close_case(  # noqa: PLR0913, PLR0917 - each is part of one decision
    begin: WriteCases,
    code: CaseCode,
    seen: IfMatch,
    once: Once,
    why: CloseCase,
    approval: ApprovalId = None,
) -> Response:
    """Close a case, with a second person.

    The first time the answer is 202 with the approval that was asked for. Once it is
    approved, send the same again with `Approval: {id}` and a new Idempotency-Key.
    """
    with begin() as work:
        if once.key and (done := claim(work, once)):
            return again(work, code, done.status, done.resource_id)
        closed = closing.close(work, code, seen, why, approval)
        work.session.flush()
        return closing_answer(work, once, closed)


def closing_answer(work: Writing, once: Ticket, closed: Case | Approval) -> Response:
    """Show the closed case, or the question to the second person."""
    status = 200 if isinstance(closed, Case) else 202
    if once.key:
        settle(work, once, closed.id, status)
    if isinstance(closed, Case):
        return show_case(work, closed)
    return show_approval(work, closed, status=status)


def again(work: Writing, code: str, status: int, resource_id: UUID) -> Response:
    """Answer the retry of a closing as it stands now."""
    headers = {"Idempotent-Replayed": "true"}
    if status == 200:  # noqa: PLR2004
        return show_case(work, queries.get(work, code), headers=headers)
    return show_approval(work, resource_id, status=status, headers=headers)


@router.post(
    "/{code}/risk-assessments",
    response_model=CaseOut,
    responses=problems(
        *(NotFound, KeyMissing, *KEYS, ActionIllegal, ActionNotYours, RoleMissing)
    ),
)
def assess_risk(begin: WriteCases, code: CaseCode, once: Once, risk: NewRisk) -> Response:
    """Say how great the danger is now; any party of the case may."""
    with begin() as work:
        return on_case(work, once, lambda: intake.assess(work, code, risk), key_needed=True)
