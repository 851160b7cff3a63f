"""Replacing a lead that does not act: what the desk that was brought in may do (ADR 47)."""

from uuid import UUID

from app.access.models import Approval
from app.cases import actions as cases
from app.cases import queries
from app.cases.approving import Matter, second
from app.cases.lifecycle import EVENTS, LED, TABLE, Action, Need, Row, State
from app.cases.models import Case
from app.cases.reasons import TakeOverReason
from app.cases.sections import Paper
from app.casework import situation
from app.casework.bodies import TakeOverCase
from app.casework.carrying import reroute_to_candidate
from app.casework.failing_leads import require_failure
from app.casework.needs import Terms
from app.casework.sides import sides_of
from app.casework.successors import is_choice, is_named_next, recorded_by_desks
from app.casework.watching import watch_interests
from app.consents import actions as consents
from app.consents import standing
from app.consents.coverage import Purpose, counts
from app.consents.schemas import NewLeadConsent
from app.deadlines import breaches
from app.deadlines import queries as deadlines
from app.directory import queries as directory
from app.directory.kinds import Kind
from app.handovers import following as handovers
from app.handovers.actions import give_lead
from app.kernel.actors import Relation, Side
from app.kernel.needs import Unmet, refuse
from app.kernel.problems import Problem
from app.kernel.work import Reading, Writing


class LeadConsentRecorded(Problem):
    """A desk recorded a consent to this kind of office already."""

    status = 409


def take_over(
    work: Writing, code: str, choice: TakeOverCase, approval: UUID | None
) -> Case | Approval:
    """Move the lead of a case that its lead let down to one that the desk names.

    Two people of the desk, a reason, and the person knows. Raises NotFound (404),
    LeadNotFailing or ActionIllegal (409), NeedsUnmet (409), ActionNotYours or RoleMissing
    (403), FocalPointUnknown (422), ApprovalUnusable (409).
    """
    case, row = find_row(work, code, Action.TAKE_OVER, choice.reason)
    chosen = directory.named(work, choice.focal_point)
    grounds = "" if is_choice(work, case, chosen) else "next"
    facts = {"reason": choice.reason}
    matter = Matter(case, "case.take_over", choice, facts, grounds=grounds)
    if approval:  # else an answer to a made-up one would say whom the person fears
        second(work, matter, approval)
    fits = not grounds or is_named_next(work, case, chosen, was_it=bool(approval))
    terms = Terms(
        reason=choice.reason,
        person_informed=choice.person_informed,
        chosen_fits=fits,
        approved=True,
    )
    situation.judge(work, case, row, terms)
    if not approval and (question := second(work, matter, approval)):
        return question
    old, before = case.with_relation(Relation.LEAD) or case.submitter, case.audience
    cases.note(work, case, row.action, choice.note)
    move_lead(work, case, old, chosen.id)
    work.record(EVENTS[row.action], case, before | case.audience, facts)
    return case


def find_row(
    work: Writing, code: str, action: Action, reason: TakeOverReason
) -> tuple[Case, Row]:
    """Hold a case whose lead does not act, and find the step of the desk beside it.

    Or a case that nobody leads, and that a desk has.

    Raises NotFound (404), ActionIllegal or LeadNotFailing (409), ActionNotYours or
    RoleMissing (403).
    """
    case = queries.lock(work, code)
    row = TABLE.find(case.state, action, sides_of(work, case), work.actor.roles)
    if case.state in LED:
        require_failure(work, case, reason)
    return case, row


def record_lead_consent(
    work: Writing, code: str, new: NewLeadConsent, approval: UUID | None
) -> Case | Approval:
    """Record, as a desk, that the person agrees to a class of offices as the new lead.

    The second person allows it for the country where the person is now. A case that nobody
    leads then goes on to whom routing names. Raises what `find_row` does, NeedsUnmet,
    LeadConsentRecorded or ApprovalUnusable (409), and what `consents.require_counting` does
    (422); DeskMissing (503).
    """
    case, row = find_row(work, code, Action.RECORD_LEAD_CONSENT, new.reason)
    require_named(work, case, row, new)
    given = new.as_consent(case.country or "")
    consents.require_counting(work, case, given)
    require_unrecorded(work, case, new.kind)
    facts = {"reason": new.reason, "kind": new.kind, "country": case.country or ""}
    matter = Matter(case, f"case.{row.action}", new, facts, grounds=case.country or "")
    if question := second(work, matter, approval):
        return question
    consent = consents.record(work, case, given)
    case.touch()
    told = case.keepers | case.overseers | {work.actor.focal_point_id}
    known = facts | {"consent": str(consent.id)}
    work.record(EVENTS[row.action], case, told, known)
    work.session.flush()
    watch_interests(work, case)
    if case.state == State.SUBMITTED:
        reroute_to_candidate(work, case)
    return case


def require_named(work: Reading, case: Case, row: Row, new: NewLeadConsent) -> None:
    """Raise NeedsUnmet (409) with all that the step lacks.

    Where nobody leads, also unless the reason is the submitter's and the purpose `REFER`:
    a handover needs a lead.
    """
    unled = case.state == State.SUBMITTED
    fits = not unled or new.reason == TakeOverReason.SUBMITTER_INACTIVE
    terms = Terms(reason=new.reason if fits else None, approved=True)
    situation.judge(work, case, row, terms)
    if unled and Purpose.REFER not in new.purposes:
        remedy = "Ask the person whether they agree to be referred: name `REFER`."
        refuse([Unmet(Need.CONSENT_TO_REFER, Side.DESK, remedy)])


def require_unrecorded(work: Reading, case: Case, kind: Kind) -> None:
    """Raise LeadConsentRecorded (409) if a desk recorded this class already."""
    stands = standing.of_case(work, case)
    if any(
        one.kind == kind and counts(one, work.now, child=case.is_child)
        for one in recorded_by_desks(work, stands)
        if one.country == case.country
    ):
        raise LeadConsentRecorded("Ask the person about another kind of office.")


def move_lead(work: Writing, case: Case, old: UUID, new: UUID) -> None:
    """Give the lead to another, with all that waits; the desk's part ends.

    What the old lead had put on offer is no longer its to give. Whom to reach there is
    forgotten: a helper must not go on telling it.
    """
    if Relation.FORMER_LEAD not in case.relations_of(old):
        case.admit(old, Relation.FORMER_LEAD, work.now)
    cases.forget(work, case, Paper.CONTACTS)
    handovers.cancel_open(work, case)
    clock = deadlines.running(work, [case.id]).get(case.id)
    give_lead(work, case, new, breaches.until_for_another(work, clock) if clock else None)
