"""Actions with which a desk replaces a lead that does not act (ADR 47)."""

from uuid import UUID

from app.access.models import Approval
from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases.approvals import GuardedAction, ask_or_claim_approval
from app.cases.lifecycle import EVENTS, LED, TABLE, Action, Need, Row, State
from app.cases.models import Case
from app.cases.reasons import TakeOverReason
from app.cases.sealing import delete_sealed
from app.cases.sections import Paper
from app.casework import situation as casework_situation
from app.casework.bodies import TakeOverCase
from app.casework.carrying import redirect_to_candidate
from app.casework.failing_leads import require_failure
from app.casework.needs import Terms
from app.casework.sides import get_sides
from app.casework.successors import is_allowed_choice, is_named_next, list_desk_consents
from app.casework.watching import update_assessment_deadline
from app.consents import actions as consent_actions
from app.consents import standing
from app.consents.coverage import Purpose, is_valid
from app.consents.schemas import LeadConsentInput
from app.deadlines import missed_deadlines
from app.deadlines import queries as deadline_queries
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind
from app.handovers import following as handover_following
from app.handovers.actions import set_lead
from app.kernel.actors import Relation, Side
from app.kernel.problems import Problem
from app.kernel.requirements import RequiredConsent, UnmetRequirement, raise_unmet
from app.kernel.transactions import ReadTransaction, WriteTransaction


class LeadConsentRecorded(Problem):
    """A desk has already recorded a consent that names this kind of office."""

    status = 409


def take_over(
    tx: WriteTransaction, code: str, choice: TakeOverCase, approval: UUID | None
) -> Case | Approval:
    """Replace a lead that does not act with another office, which the desk chooses.

    Two people of the desk must agree, and the person must be informed. Without `approval`,
    request and return an approval; otherwise, return the case.
    """
    case, row = lock_and_find_row(tx, code, Action.TAKE_OVER, choice.reason)
    chosen = directory_queries.get_by_code_or_422(tx, choice.focal_point)
    grounds = "" if is_allowed_choice(tx, case, chosen) else "next"
    facts = {"reason": choice.reason}
    matter = GuardedAction(case, "case.take_over", choice, facts, grounds=grounds)
    if approval:  # first, so that the response to an invalid approval reveals no fear
        ask_or_claim_approval(tx, matter, approval)
    fits = not grounds or is_named_next(tx, case, chosen, was_named=bool(approval))
    terms = Terms(
        reason=choice.reason,
        person_informed=choice.person_informed,
        chosen_fits=fits,
        approved=True,
    )
    casework_situation.check_requirements(tx, case, row, terms)
    if not approval and (question := ask_or_claim_approval(tx, matter, approval)):
        return question
    old, before = case.with_relation(Relation.LEAD) or case.submitter, case.audience
    case_actions.add_note(tx, case, row.action, choice.note)
    move_lead(tx, case, old, chosen.id)
    tx.record(EVENTS[row.action], case, before | case.audience, facts)
    return case


def lock_and_find_row(
    tx: WriteTransaction, code: str, action: Action, reason: TakeOverReason
) -> tuple[Case, Row]:
    """Lock a case, find its step, and require that `reason` applies to its lead, if any."""
    case = case_queries.lock(tx, code)
    row = TABLE.find(case.state, action, get_sides(tx, case), tx.actor.roles)
    if case.state in LED:
        require_failure(tx, case, reason)
    return case, row


def record_lead_consent(
    tx: WriteTransaction, code: str, new: LeadConsentInput, approval: UUID | None
) -> Case | Approval:
    """Record, as a desk, the person's consent to a new lead from one kind of office.

    Without `approval`, request and return an approval, which is valid for the country where
    the person is now. Otherwise, record the consent and return the case. A case without a
    lead then goes to the candidate that routing finds, if any.
    """
    case, row = lock_and_find_row(tx, code, Action.RECORD_LEAD_CONSENT, new.reason)
    require_consent_needs(tx, case, row, new)
    given = new.as_consent(case.country or "")
    consent_actions.require_counting(tx, case, given)
    require_unrecorded(tx, case, new.kind)
    country = case.country or ""
    facts = {"reason": new.reason, "kind": new.kind, "country": country}
    matter = GuardedAction(case, f"case.{row.action}", new, facts, grounds=country)
    if question := ask_or_claim_approval(tx, matter, approval):
        return question
    [consent] = consent_actions.record_consent(tx, case, given).consents
    case.raise_version()
    told = case.write_audience | case.overseers | {tx.actor.focal_point_id}
    tx.record(EVENTS[row.action], case, told, facts | {"consent": str(consent.id)})
    tx.session.flush()
    update_assessment_deadline(tx, case)
    if case.state == State.SUBMITTED:
        redirect_to_candidate(tx, case)
    return case


def require_consent_needs(
    tx: ReadTransaction, case: Case, row: Row, new: LeadConsentInput
) -> None:
    """Raise NeedsUnmet (409) if a requirement for recording the consent is unmet.

    In a case without a lead, the reason must be the submitter's inactivity and the purposes
    must include `REFER`, because a handover needs a lead.
    """
    unled = case.state == State.SUBMITTED
    fits = not unled or new.reason == TakeOverReason.SUBMITTER_INACTIVE
    terms = Terms(reason=new.reason if fits else None, approved=True)
    casework_situation.check_requirements(tx, case, row, terms)
    if unled and Purpose.REFER not in new.purposes:
        remedy = "Ask the person whether they agree to be referred, and name `REFER`."
        consent = RequiredConsent(purpose=Purpose.REFER)
        lack = UnmetRequirement(
            requirement=Need.CONSENT_TO_REFER, by=Side.DESK, remedy=remedy, consent=consent
        )
        raise_unmet([lack])


def require_unrecorded(tx: ReadTransaction, case: Case, kind: OfficeKind) -> None:
    """Raise LeadConsentRecorded (409) if a desk has recorded a consent for this `kind`.

    Only valid consents that name `kind` and the country of the case count.
    """
    stands = standing.load_for_case(tx, case)
    if any(
        one.kind == kind and is_valid(one, tx.now, child=case.is_child)
        for one in list_desk_consents(tx, stands)
        if one.country == case.country
    ):
        raise LeadConsentRecorded("Ask the person about another kind of office.")


def move_lead(tx: WriteTransaction, case: Case, old: UUID, new: UUID) -> None:
    """Move the lead and its open deadline to another office, and end the desk's relation.

    An open offer of the old lead is cancelled, and the contacts that it stored are deleted.
    """
    if Relation.FORMER_LEAD not in case.list_relations(old):
        case.add_party(old, Relation.FORMER_LEAD, tx.now)
    delete_sealed(tx, case, Paper.CONTACTS)
    handover_following.cancel_open(tx, case)
    clock = deadline_queries.find_running(tx, [case.id]).get(case.id)
    due_at = missed_deadlines.compute_due_for_successor(tx, clock) if clock else None
    set_lead(tx, case, new, due_at)
