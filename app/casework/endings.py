"""What ended beside a case that runs: an agreement, an office, its last account (ADR 50).

What runs for the person goes on. What cannot go on ends at once, so that its sender can ask
another, and whoever has to act is told.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final
from uuid import UUID

from app.access.attendance import UNATTENDED_AFTER, find_unattended, find_unattended_offices
from app.cases import holding
from app.cases.lifecycle import LED, OPEN
from app.cases.models import Case
from app.casework.carrying import escalate
from app.casework.escalating import alert
from app.consents import standing
from app.directory import queries as directory
from app.directory.kinds import homes, is_at_home
from app.handovers import following as handovers
from app.handovers import queries as offered
from app.kernel.actors import Relation, system_for
from app.kernel.journal import was_recorded
from app.kernel.work import Reading, Writing
from app.referrals import following as referrals
from app.referrals import queries as referred
from app.referrals.agreements import find_held_back, hold_back
from app.referrals.lifecycle import ASKED, AT_WORK, State
from app.referrals.models import Referral
from app.referrals.proposing import knows_recipient
from app.returns import queries as returns
from app.returns.models import Return

WITHOUT_AGREEMENT: Final = "referral.without_agreement"
RECIPIENT_CLOSED: Final = "return.recipient_closed"


def list_cases(work: Reading, limit: int) -> list[UUID]:
    """List cases in which something may have ended that nobody was told of yet."""
    return list(islice(dict.fromkeys(find_cases(work, limit)), limit))


def find_cases(work: Reading, limit: int) -> Iterator[UUID]:
    """Find them by what can be read without opening anything sealed."""
    ended = find_unattended(work.session, work.now - UNATTENDED_AFTER)
    yield from holding.led_without_desk(work.session, ended, limit)
    yield from list_offered_abroad(work)
    for referral in referred.list_open(work):
        if is_affected(work, referral):
            yield referral.case_id
    for record in returns.list_unawaited(work):
        if not was_told(work, record, RECIPIENT_CLOSED):
            yield record.case_id


def list_offered_abroad(work: Reading) -> Iterator[UUID]:
    """List the cases whose lead is offered to an office of another country."""
    for case_id, lead_id, to_id in offered.list_offered(work.session):
        lead, to = directory.by_id(work, lead_id), directory.by_id(work, to_id)
        if not any(is_at_home(to, country) for country in homes(lead)):
            yield case_id


def is_affected(work: Reading, referral: Referral) -> bool:
    """Return whether something follows for a referral, and nobody was told yet."""
    if is_asked_in_vain(referral):
        return True
    if not find_held_back(work, referral):
        return False
    return referral.state in ASKED or not was_told(work, referral, WITHOUT_AGREEMENT)


def is_asked_in_vain(referral: Referral) -> bool:
    """Return whether an office that is closed asked something back."""
    return referral.state == State.INFO_REQUESTED and not referral.recipient.active


def was_told(work: Reading, record: Referral | Return, event: str) -> bool:
    """Return whether an event was recorded about a record before."""
    return was_recorded(work.session, record.case_id, record.id, event)


def follow(work: Writing, case_id: UUID) -> bool:
    """Draw the consequences for one case; False if there are none, or it is in use now.

    Raises DeskMissing (503) where nobody is left for a case.
    """
    case = holding.unless_held(work, case_id)
    if case is None or case.state not in OPEN:
        return False
    work.actor = system_for(case.holder or case.submitter)
    told = [*follow_lead(work, case), *follow_offer(work, case)]
    for referral in referred.of_case(work, case.id):
        if referral.state in ASKED | AT_WORK and is_affected(work, referral):
            told += follow_referral(work, case, referral)
    for record in returns.open_in(work, [case.id]).get(case.id, []):
        told += follow_return(work, case, record)
    alert(work, case, case.id, *dict.fromkeys(told))
    return bool(told)


def follow_lead(work: Writing, case: Case) -> Iterator[UUID | None]:
    """Bring in the desk beside a lead at which nobody can sign in any more."""
    lead = case.with_relation(Relation.LEAD)
    if case.state not in LED or lead is None or lead not in find_unattended_offices(work):
        return
    if case.with_relation(Relation.ESCALATION_DESK) is None:
        escalate(work, case)
        yield case.with_relation(Relation.ESCALATION_DESK)


def follow_offer(work: Writing, case: Case) -> Iterator[UUID | None]:
    """Take back an offer of the lead that cannot cross its border any more."""
    if handovers.cancel_unagreed(work, case):
        yield case.holder


def follow_referral(work: Writing, case: Case, referral: Referral) -> Iterator[UUID | None]:
    """Draw the consequences for one referral, and name the office that has to act.

    One that was asked back by an office that is closed ends: nobody reads the answer. What
    was not accepted yet goes on with the sections that may cross. Help that began goes on
    with what it was sent, and the holder is told, if it may know who helps.
    """
    if is_asked_in_vain(referral):
        referrals.expire(work, referral)
        yield case.holder
    elif referral.state in ASKED:
        hold_back(work, referral, find_held_back(work, referral))
        yield case.holder
    else:
        told = who_may_know(work, case, referral)
        facts = {"state": referral.state, "service": referral.service}
        work.record(WITHOUT_AGREEMENT, referral, told, facts, by_system=True)
        yield from told


def who_may_know(work: Reading, case: Case, referral: Referral) -> frozenset[UUID]:
    """Return the holder, unless it may not know which office helps, nor so where."""
    if case.holder is None:
        return frozenset()
    holder, stands = directory.by_id(work, case.holder), standing.of_case(work, case)
    known = knows_recipient(referral, stands, holder)
    return frozenset({holder.id}) if known else frozenset()


def follow_return(work: Writing, case: Case, record: Return) -> Iterator[UUID | None]:
    """Tell the holder, once, that the office that awaits the person at home is closed."""
    if not returns.is_unawaited(record) or was_told(work, record, RECIPIENT_CLOSED):
        return
    told = frozenset({case.holder} if case.holder else ())
    work.record(RECIPIENT_CLOSED, record, told, {"state": record.state}, by_system=True)
    yield from told
