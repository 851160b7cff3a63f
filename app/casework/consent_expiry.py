"""Announcements that a consent ends soon or has ended."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from app.cases.models import Case
from app.cases.sections import Section
from app.consents import expiry_deadlines
from app.consents import queries as consent_queries
from app.consents.coverage import Purpose, matches_recipient
from app.consents.expiry import find_last_announcement, is_missed
from app.consents.expiry_deadlines import build_question, list_awaited
from app.consents.models import Consent
from app.deadlines import actions as deadline_actions
from app.deadlines.limits import Priority
from app.deadlines.miss_counts import WEEK
from app.deadlines.models import Clock
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeFunction
from app.kernel.actors import Relation
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.notifications.actions import notify_offices
from app.referrals import queries as referral_queries
from app.referrals.lifecycle import OPEN
from app.referrals.models import Basis, Referral

EXPIRING, EXPIRED = "consent.expiring", "consent.expired"
LEAD_PURPOSES: Final = frozenset({Purpose.REFER, Purpose.HANDOVER})
"""The purposes of consents that allow a lead to read sections."""


def notify_consent_end(tx: WriteTransaction, case: Case, clock: Clock) -> None:
    """Announce to the lead and affected recipients that a consent ends soon or has ended.

    If several announcements are due, only the latest is made. The audience is determined
    without the safeguards, so it does not depend on what the person fears.
    """
    given, running = consent_queries.list_for_case(tx, case.id), {clock.record_id}
    consent = next((one for one in given if one.id == clock.record_id), None)
    known = expiry_deadlines.list_known_to_lead(tx, case, given)
    if consent is None or not list_awaited(tx, case, [consent], known, running):
        deadline_actions.stop(tx, clock.record_id)
        return
    due = find_last_announcement(consent.expires_at, tx.now, tx.runtime.speed)
    if due is not None and clock.set_at < due[1]:
        record_announcement(tx, case, consent, days=due[0])
        clock.set_at = tx.now
    if consent.expires_at <= tx.now and not was_in_use(tx, case, consent):
        deadline_actions.stop(tx, clock.record_id)
        return
    clock.fires_at = tx.now + WEEK / tx.runtime.speed
    expiry_deadlines.move_deadline(tx, case, consent, clock)


def record_announcement(
    tx: WriteTransaction, case: Case, consent: Consent, *, days: int
) -> None:
    """Record the expiry event for the lead and the affected recipients; notify the lead."""
    lead = case.with_relation(Relation.LEAD)
    leads = frozenset({lead} if lead else ())
    event = EXPIRING if days else EXPIRED
    facts = {"consent": str(consent.id), **({"days": days} if days else {})}
    tx.record(event, case, leads | list_recipients(tx, case, consent), facts)
    urgency = case.priority or Priority.NORMAL
    notify_offices(tx, leads, event, urgency=urgency, case_id=case.id, record_id=consent.id)


def list_recipients(tx: ReadTransaction, case: Case, consent: Consent) -> frozenset[UUID]:
    """List the recipients that could read less without the given consent.

    A recipient that the person fears is listed as well, because leaving it out would reveal
    the fear. A referral that is not based on a consent counts only if it includes sections.
    """
    return frozenset(
        referral.recipient_id
        for referral in referral_queries.list_of_case(tx, case.id)
        if referral.state in OPEN
        and (referral.basis == Basis.CONSENT or referral.sections)
        and needs_consent(tx, case, consent, referral)
    )


def needs_consent(
    tx: ReadTransaction, case: Case, consent: Consent, referral: Referral
) -> bool:
    """Return whether a referral's recipient can read less of it after the consent ends."""
    given, recipient = consent_queries.list_for_case(tx, case.id), referral.recipient
    sent = frozenset(map(Section, referral.sections))
    return any(
        is_missed(consent, given, build_question(tx, case, recipient, purpose), sent)
        for purpose in list_purposes(referral)
    )


def list_purposes(referral: Referral) -> Iterator[Purpose]:
    """List the purposes for which the recipient of a referral may read sections."""
    yield Purpose(referral.service)
    if referral.recipient.function in {OfficeFunction.POLICE, OfficeFunction.PROSECUTION}:
        yield Purpose.LAW_ENFORCEMENT


def was_in_use(tx: ReadTransaction, case: Case, consent: Consent) -> bool:
    """Return whether a current party could read sections because of a consent that ended.

    If the lead may belong to the State of origin, the result is true for a week after the
    end and then false, so that the lead cannot infer who helps (R12).
    """
    if expiry_deadlines.may_lead_belong_to_origin_state(tx, case):
        return tx.now < consent.expires_at + WEEK / tx.runtime.speed
    lead = case.with_relation(Relation.LEAD)
    reads = lead is None or matches_recipient(consent, directory_queries.by_id(tx, lead))
    of_the_lead = reads and bool(LEAD_PURPOSES & set(map(Purpose, consent.purposes)))
    return of_the_lead or bool(list_recipients(tx, case, consent))
