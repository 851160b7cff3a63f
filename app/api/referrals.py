"""Referrals: asking for one service, and one path for each act."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response, Security
from pydantic.json_schema import SkipJsonSchema

from app.api.acting import on_referral, there
from app.api.conditional import answer
from app.api.deps import (
    CaseCode,
    CaseCodeText,
    IfMatch,
    IfNoneMatch,
    Once,
    OpenSections,
    Purpose,
    ReadReferrals,
    WriteReferrals,
)
from app.api.guard import BEARER, Guarded
from app.api.problems import problems
from app.api.seeing import is_first_sight, keep_sight
from app.cases import queries as cases
from app.cases.models import Party
from app.directory.queries import FocalPointUnknown
from app.disclosure import actions as disclosure
from app.disclosure.schemas import NoteList, OpenedArrangement
from app.kernel.actors import Side
from app.kernel.idempotency import KeyInFlight, KeyMissing, KeyReused
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.needs import NeedsUnmet
from app.kernel.paging import CursorUnknown, PageQuery, paginate
from app.kernel.problems import NotFound
from app.kernel.versions import VersionNotGiven, VersionStale
from app.kernel.work import Writing
from app.referrals import actions, queries
from app.referrals.lifecycle import Action, State
from app.referrals.models import Referral
from app.referrals.needs import Terms
from app.referrals.schemas import (
    Arrangement,
    CompleteReferral,
    DeclineReferral,
    NewReferral,
    ReferralOut,
    ReferralPage,
    RevokeReferral,
    StartReferral,
)
from app.referrals.situation import show

router = APIRouter(tags=["referrals"], route_class=Guarded, dependencies=[Security(BEARER)])

KEYS = (KeyReused, KeyInFlight)
STEPS = (
    *(NotFound, VersionNotGiven, VersionStale, *KEYS),
    *(ActionIllegal, ActionNotYours, RoleMissing, NeedsUnmet),
)
STEP = problems(*STEPS)


@router.post(
    "/cases/{code}/referrals",
    status_code=201,
    response_model=ReferralOut,
    responses=problems(
        *(NotFound, KeyMissing, *KEYS, actions.RecipientUnfit, FocalPointUnknown),
        *(ActionIllegal, ActionNotYours, RoleMissing, NeedsUnmet),
    ),
)
def open_referral(
    begin: WriteReferrals, code: CaseCode, once: Once, new: NewReferral
) -> Response:
    """Ask a focal point for one service, as the holder of the case; many run side by side.

    Repeat the request with the same Idempotency-Key until an answer comes.
    """

    def act(work: Writing) -> Referral:
        return actions.open_referral(work, cases.lock(work, code), new)

    with begin() as work:
        return on_referral(work, once, lambda: act(work), created=True)


class ReferralQuery(PageQuery):
    """Where to start, and which referrals."""

    side: Literal[Side.SENDER, Side.RECIPIENT] | SkipJsonSchema[None] = None
    state: State | SkipJsonSchema[None] = None
    case: CaseCodeText | SkipJsonSchema[None] = None


@router.get("/referrals", response_model=ReferralPage, responses=problems(CursorUnknown))
def list_referrals(
    begin: ReadReferrals,
    query: Annotated[ReferralQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the referrals you were sent, and those of the cases you hold."""
    with begin() as work:
        statement = queries.mine(work, query.side, query.state, query.case)
        keys = (Party.number, Referral.number)
        rows, after, more = paginate(work, statement, keys, query, name="referrals")
        items = show(work, [referral for referral, *_ in rows])
        page = ReferralPage(items=items, next=after, more=more)
        return answer(page, if_none_match=if_none_match)


@router.get(
    "/referrals/{referral_id}", response_model=ReferralOut, responses=problems(NotFound)
)
def get_referral(
    begin: ReadReferrals, referral_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """Read one referral: where it stands, and what you can do now."""
    with begin() as work:
        referral = queries.get(work, referral_id)
        [shown] = show(work, [referral])
        response = answer(shown, version=shown.version, if_none_match=if_none_match)
        first = is_first_sight(work, referral)
    if first:
        keep_sight(work, referral)
    return response


def step(
    work: Writing, once: Once, ready: tuple[UUID, Action, IfMatch], terms: Terms
) -> Response:
    """Take a step that brings its terms and nothing else."""
    return on_referral(
        work, once, lambda: actions.take(work, actions.ready(work, *ready, terms))
    )


@router.post(
    "/referrals/{referral_id}/send",
    response_model=ReferralOut,
    responses=problems(*STEPS, actions.RecipientUnfit),
)
def send_referral(
    begin: WriteReferrals, referral_id: UUID, seen: IfMatch, once: Once
) -> Response:
    """Send a draft to its recipient, who sees it from now on."""

    def act(work: Writing) -> Referral:
        return actions.send(work, actions.ready(work, referral_id, Action.SEND, seen))

    with begin() as work:
        return on_referral(work, once, lambda: act(work))


@router.post(
    "/referrals/{referral_id}/acknowledge", response_model=ReferralOut, responses=STEP
)
def acknowledge_referral(
    begin: WriteReferrals, referral_id: UUID, seen: IfMatch, once: Once
) -> Response:
    """Say that a person has read it. No promise yet; polling is not acknowledging."""
    with begin() as work:
        return step(work, once, (referral_id, Action.ACKNOWLEDGE, seen), Terms())


@router.post("/referrals/{referral_id}/accept", response_model=ReferralOut, responses=STEP)
def accept_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    once: Once,
    promise: Arrangement,
) -> Response:
    """Take it on: name a first meeting and two people who can be reached; sealed."""
    terms = promise.terms()

    def act(work: Writing) -> Referral:
        move = actions.ready(work, referral_id, Action.ACCEPT, seen, terms)
        return actions.accept(work, move, promise)

    with begin() as work:
        return on_referral(work, once, lambda: act(work))


def ending(
    work: Writing,
    ready: tuple[UUID, Action, IfMatch],
    why: DeclineReferral | RevokeReferral,
) -> Referral:
    """End a referral with a reason."""
    move = actions.ready(work, *ready, Terms(reason=why.reason))
    return actions.end(work, move, why.reason, why.note)


@router.post("/referrals/{referral_id}/decline", response_model=ReferralOut, responses=STEP)
def decline_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    once: Once,
    why: DeclineReferral,
) -> Response:
    """Say no, with a reason the sender can act on; what you could open is shut at once."""
    ready = (referral_id, Action.DECLINE, seen)
    with begin() as work:
        return on_referral(work, once, lambda: ending(work, ready, why))


@router.post("/referrals/{referral_id}/start", response_model=ReferralOut, responses=STEP)
def start_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    once: Once,
    fact: StartReferral,
) -> Response:
    """Say that the person was met and help has begun."""
    terms = Terms(person_met=fact.person_met)
    with begin() as work:
        return step(work, once, (referral_id, Action.START, seen), terms)


@router.post(
    "/referrals/{referral_id}/complete", response_model=ReferralOut, responses=STEP
)
def complete_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    once: Once,
    report: CompleteReferral,
) -> Response:
    """Say what came of it, and tell the sender how it went."""
    terms = Terms(outcome=report.outcome, feedback=True)

    def act(work: Writing) -> Referral:
        move = actions.ready(work, referral_id, Action.COMPLETE, seen, terms)
        return actions.complete(work, move, report)

    with begin() as work:
        return on_referral(work, once, lambda: act(work))


@router.post("/referrals/{referral_id}/revoke", response_model=ReferralOut, responses=STEP)
def revoke_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    once: Once,
    why: RevokeReferral,
) -> Response:
    """Take it back before help begins, with a reason; its recipient is shut out at once."""
    ready = (referral_id, Action.REVOKE, seen)
    with begin() as work:
        return on_referral(work, once, lambda: ending(work, ready, why))


@router.get(
    "/referrals/{referral_id}/arrangement",
    response_model=OpenedArrangement,
    responses=problems(NotFound),
)
def open_arrangement(begin: OpenSections, referral_id: UUID, purpose: Purpose) -> Response:
    """Open where and when the person is met, and whom to reach: for sender and recipient.

    Never for a body of the State of origin. The opening is recorded.
    """
    with begin() as work:
        opened = disclosure.open_arrangement(work, referral_id, purpose)
    return answer(there(opened))


@router.get(
    "/referrals/{referral_id}/notes", response_model=NoteList, responses=problems(NotFound)
)
def open_referral_notes(
    begin: OpenSections, referral_id: UUID, purpose: Purpose
) -> Response:
    """Open the free texts that came with steps of it, as far as they are yours."""
    with begin() as work:
        record = queries.get(work, referral_id)
        opened = disclosure.open_notes(work, record, purpose)
    return answer(opened)
