"""Carrying a case to who should lead it: a case is never without an owner."""

from uuid import UUID

from app.cases import actions as cases
from app.cases.lifecycle import TABLE, Action
from app.cases.models import Case
from app.casework import situation
from app.consents import standing
from app.directory import queries as directory
from app.directory.kinds import Kind, StateRouting
from app.directory.models import FocalPoint
from app.kernel.actors import Relation, Side
from app.kernel.problems import Problem
from app.kernel.work import Reading, Writing
from app.referrals import following
from app.routing import actions as routing
from app.routing import queries as shortlists
from app.routing.ranking import Profile, Question, rank


class DeskMissing(Problem):
    """No desk is configured that could take this case."""

    status = 503


def reroute_unsafe(work: Writing, case: Case) -> None:
    """Take a case from a candidate that turns out to be unsafe, at once (routing rule 1).

    The system does it, without a reason: whoever loses it must not learn of the fear.
    """
    candidate = case.with_relation(Relation.CANDIDATE)
    if candidate is None:
        return
    focal_point = directory.by_id(work, candidate)
    if not standing.of_case(work, case).is_safe(focal_point, focal_point.code):
        reroute(work, case)


def reroute(work: Writing, case: Case) -> None:
    """Take a case from its candidate and carry it to the next, as the system."""
    before = case.audience
    row = TABLE.find(case.state, Action.REROUTE, {Side.SYSTEM}, frozenset())
    situation.judge(work, case, row)
    case.dismiss(Relation.CANDIDATE, work.now)
    hand_to_next(work, case)
    following.hand_on(work, case)
    cases.take(work, case, row, before=before)


def escalate(work: Writing, case: Case) -> None:
    """Bring in the desk beside a lead that lets its clocks pass; it sees the notice."""
    before, desk_id = case.audience, desk(work, case).id
    if Relation.ESCALATION_DESK not in case.relations_of(desk_id):
        case.admit(desk_id, Relation.ESCALATION_DESK, work.now)
        audience = before | case.audience
        work.record("case.escalated", case, audience, by_system=True)


def oversight(work: Reading) -> list[UUID]:
    """Find the bodies that oversee every case; they see nothing sealed."""
    return [f.id for f in directory.active(work) if f.kind == Kind.OVERSIGHT]


def hand_to_next(work: Writing, case: Case) -> None:
    """Make the next of the shortlist candidate; used up, the desk (routing rule 8).

    Ranked anew each time: what the person fears or allows may have changed meanwhile. A
    case is never without an owner.
    """
    routing.keep(work, case.id, rank(question_of(work, case)))
    candidate = routing.ask_next(work, case.id)
    if candidate:
        case.admit(candidate, Relation.CANDIDATE, work.now)
    else:
        case.admit(desk(work, case).id, Relation.DESK, work.now)


def desk(work: Reading, case: Case) -> FocalPoint:
    """Find the desk of the country, else of the submitter's, else any; or DeskMissing."""
    submitter = directory.by_id(work, case.submitter)
    found = directory.desk_for(work, case.country or "", submitter.of_state)
    found = found or next(iter(directory.active_desks(work.session)), None)
    if found is None:
        raise DeskMissing("The operator has to configure a desk for every region.")
    return found


def question_of(work: Reading, case: Case) -> Question:
    """Put the question of routing as values."""
    stands = standing.of_case(work, case)
    country = directory.country(work, case.country or "")
    asked = shortlists.shortlist(work, case.id)
    return Question(
        country=case.country or "",
        state_routing=country.state_routing if country else StateRouting.AVOID,
        language=case.language or "",
        services=frozenset([*case.services, *case.urgent_needs]),
        origin=stands.safeguards.country_of_origin,
        origin_blocked=stands.safeguards.origin_blocked(),
        unsafe=frozenset(stands.safeguards.unsafe_focal_points),
        declined=frozenset(row.focal_point_id for row in asked if row.asked_at),
        profiles=tuple(
            profile_of(f, consented=stands.may_hear(f))
            for f in directory.active(work)
            if f.kind not in {Kind.DESK, Kind.OVERSIGHT}
        ),
    )


def profile_of(focal_point: FocalPoint, *, consented: bool) -> Profile:
    """Describe a focal point as routing asks for it."""
    return Profile(
        id=focal_point.id,
        code=focal_point.code,
        kind=focal_point.kind,
        function=focal_point.function,
        of_state=focal_point.of_state,
        serves=focal_point.serves,
        languages=tuple(focal_point.languages),
        services=frozenset(focal_point.services),
        can_lead=focal_point.can_lead,
        consented=consented,
    )
