"""What a candidate does with a case: acknowledge it, decline it, or take the lead."""

from app.cases import actions as cases
from app.cases.lifecycle import Row
from app.cases.models import Case
from app.cases.sections import Contacts, Paper
from app.casework.carrying import hand_to_next
from app.casework.needs import Terms
from app.casework.schemas import AcceptLead, DeclineLead
from app.kernel.actors import Relation
from app.kernel.work import Writing
from app.referrals import actions as referrals
from app.routing import actions as routing


def acknowledge(work: Writing, case: Case, row: Row) -> Case:
    """Say that a person has read it: rank 4 of the evidence, and no promise yet."""
    cases.take(work, case, row, before=case.audience)
    return case


def decline_lead(work: Writing, case: Case, row: Row, why: DeclineLead) -> Case:
    """Say no, with a reason; the next candidate has it in the same transaction."""
    before = case.audience
    cases.note(work, case, row.action, why.note)
    case.dismiss(Relation.CANDIDATE, work.now)
    routing.pass_over(work, case.id, work.actor.focal_point_id)
    hand_to_next(work, case)
    referrals.hand_on(work, case)
    cases.take(work, case, row, {"reason": why.reason}, before=before)
    return case


def terms_of(promise: AcceptLead) -> Terms:
    """Say what comes with the lead in the words of the rules."""
    return Terms(contacts=frozenset(contact.name for contact in promise.contacts))


def accept_lead(work: Writing, case: Case, row: Row, promise: AcceptLead) -> Case:
    """Take the lead; the contacts are sealed. Help that had begun before counts at once."""
    before = case.audience
    cases.seal(work, case, Paper.CONTACTS, Contacts(contacts=promise.contacts))
    case.dismiss(Relation.CANDIDATE, work.now)
    case.admit(work.actor.focal_point_id, Relation.LEAD, work.now)
    cases.take(work, case, row, before=before)
    referrals.settle(work, case)
    return case
