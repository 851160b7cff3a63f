"""Changes to referrals that follow from changes to their case."""

from typing import Final
from uuid import UUID

from app.cases.further_actions import OPENING_ROLES
from app.cases.grants import Grant
from app.cases.models import Case
from app.cases.reasons import WithdrawReason
from app.cases.sections import Section
from app.consents import standing
from app.consents.coverage import Purpose
from app.consents.standing import Standing
from app.deadlines import actions as deadline_actions
from app.deadlines.limits import DeadlineKind, Priority
from app.deadlines.queries import find_running
from app.directory.kinds import is_at_home
from app.kernel.actors import Side
from app.kernel.transactions import WriteTransaction
from app.notifications.actions import notify_offices as notify
from app.referrals import queries as referral_queries
from app.referrals.actions import (
    is_paused,
    prepare_step,
    start_deadline,
    take_step,
)
from app.referrals.lifecycle import AT_WORK, CLOCKS, OPEN, TABLE, Action, State
from app.referrals.models import Basis, Referral
from app.referrals.situation import load_facts
from app.referrals.steps import end_with_reason


def reassign_deadlines(tx: WriteTransaction, case: Case) -> None:
    """Reassign the INFORM_PERSON and sender deadlines of a case to its new holder.

    If the recipient of a referral reads a snapshot of the case, the due time of the sender
    stays the same, because a new due time would reveal that the lead changed. Otherwise,
    the sender's deadline starts again.
    """
    deadline_actions.hand_over_kind(tx, case.id, DeadlineKind.INFORM_PERSON, case.holder)
    for referral in referral_queries.list_of_case(tx, case.id):
        if CLOCKS.get(referral.state, (None, None))[1] != Side.SENDER:
            continue
        if case.get_recipient_snapshot(referral.id):
            deadline_actions.reassign(tx, referral.id, case.holder)
        else:
            start_deadline(tx, referral)


def revoke_drafts(tx: WriteTransaction, case: Case, reason: str) -> None:
    """Revoke all draft referrals of a case, with a reason."""
    for referral in referral_queries.list_of_case(tx, case.id):
        if referral.state == State.DRAFT:
            revoke_draft(tx, referral, reason)


def revoke_draft(tx: WriteTransaction, referral: Referral, reason: str) -> None:
    """Revoke one draft referral, which was never shown to its recipient."""
    step = TABLE.find(State.DRAFT, Action.REVOKE, {Side.SENDER}, OPENING_ROLES)
    end_with_reason(tx, prepare_step(referral, step), reason)


def find_covered(tx: WriteTransaction, case: Case, case_file: Standing) -> frozenset[UUID]:
    """Return the ids of the open referrals that the consents in `case_file` cover.

    A referral on another basis is included only if it has sections; without sections, it
    needs no consent. If such a referral changed when a consent was withdrawn, the change
    would reveal that the consent named its recipient.
    """
    return frozenset(
        referral.id
        for referral in referral_queries.list_of_case(tx, case.id)
        if referral.state in OPEN
        and (referral.basis == Basis.CONSENT or referral.sections)
        and load_facts(tx, referral, case_file, requests=()).covered
    )


def withdraw_uncovered(
    tx: WriteTransaction, case: Case, covered_before: frozenset[UUID]
) -> None:
    """Withdraw the referrals in `covered_before` that no remaining consent covers.

    A child's referral that needs no consent continues with the summary alone, because the
    guardian who withdrew the consent may be a danger to the child.
    """
    case_file = standing.load_for_case(tx, case)
    uncovered = covered_before - find_covered(tx, case, case_file)
    for referral in referral_queries.list_of_case(tx, case.id):
        if referral.id not in uncovered:
            continue
        if case_file.may_refer_child(referral.service, frozenset()):
            narrow_to_summary(tx, referral)
        else:
            withdraw_by_system(tx, referral, WithdrawReason.CONSENT_WITHDRAWN)


def narrow_to_summary(tx: WriteTransaction, referral: Referral) -> None:
    """Limit a child's referral to the summary, which needs no consent (BR09, BR14)."""
    referral.sections, referral.basis = [], Basis.CHILD_PATH
    referral.raise_version()
    facts = {"state": referral.state, "service": referral.service, "basis": referral.basis}
    audience = referral.audience
    tx.record("referral.narrowed", referral, audience, facts, by_system=True)


def notify_of_change(tx: WriteTransaction, case: Case, changed: Section | None) -> None:
    """Send recipients an event if a section or a summary that they may read has changed.

    If `changed` is None, the field `safe_contact` has changed. After a change of the
    contact, the needs or `safe_contact`, the recipients also get a notification as in an
    emergency, because a number that they call may no longer be safe (BR19).
    """
    case_file = standing.load_for_case(tx, case)
    facts = {"section": changed} if changed else {"field": "safe_contact"}
    notified = set[UUID]()
    for referral in referral_queries.list_of_case(tx, case.id):
        if may_read_change(referral, case_file, changed):
            audience = frozenset({referral.recipient_id})
            tx.record("referral.content_changed", referral, audience, facts, by_system=True)
            notified |= audience
    if notified and changed in URGENT_CHANGES:
        urgency, event = Priority.EMERGENCY, "referral.content_changed"
        notify(tx, notified, event, urgency=urgency, case_id=case.id)


URGENT_CHANGES: Final = frozenset({Section.CONTACT, Section.NEEDS, None})


def may_read_change(
    referral: Referral, case_file: Standing, changed: Section | None
) -> bool:
    """Return whether a recipient may read `changed`: a section, or None for the summary."""
    to = referral.recipient
    if referral.state not in OPEN or not case_file.is_safe(to, to.code):
        return False
    if changed is None:
        return Grant.SUMMARY in case_file.case.get_grants(to.id)
    sections = case_file.get_covered_sections(to, Purpose(referral.service)) or frozenset()
    covered = changed in sections and changed in referral.sections
    may_open = changed == Section.NEEDS or referral.state in AT_WORK
    return covered and may_open and case_file.is_permitted_for_origin(to)


def withdraw_unsafe(tx: WriteTransaction, case: Case) -> None:
    """Withdraw the open referrals to unsafe recipients, without revealing the reason.

    A recipient whose help is completed notices nothing, because it reads no later data.
    """
    case_file = standing.load_for_case(tx, case)
    for referral in referral_queries.list_of_case(tx, case.id):
        to = referral.recipient
        if referral.state in OPEN and not case_file.is_safe(to, to.code):
            withdraw_by_system(tx, referral, WithdrawReason.NO_LONGER_NEEDED)


def store_moved_snapshots(tx: WriteTransaction, case: Case, country: str) -> None:
    """Hide from recipients to which country the person goes, and who leads there.

    A recipient at home in the new country works with the person there, so it sees both.
    """
    referrals = referral_queries.list_of_case(tx, case.id)
    near = {r.recipient_id for r in referrals if is_at_home(r.recipient, country)}
    case.store_moved_snapshots(tx.now, near)


def withdraw_by_system(
    tx: WriteTransaction, referral: Referral, reason: WithdrawReason
) -> None:
    """Withdraw a referral automatically, with a reason."""
    step = TABLE.find(referral.state, Action.WITHDRAW, {Side.SYSTEM}, frozenset())
    referral.reason = reason
    take_step(tx, prepare_step(referral, step), by_system=True)


def pause_deadlines(tx: WriteTransaction, case: Case) -> None:
    """Pause the deadlines of the referrals that may wait while the case is suspended."""
    for referral in referral_queries.list_of_case(tx, case.id):
        if is_paused(referral):
            deadline_actions.stop(tx, referral.id)


def resume_deadlines(tx: WriteTransaction, case: Case) -> None:
    """Resume the paused deadlines of a case's referrals with their remaining time."""
    referrals = referral_queries.list_of_case(tx, case.id)
    running = find_running(tx, [referral.id for referral in referrals])
    for referral in referrals:
        if referral.state in OPEN and referral.id not in running:
            start_deadline(tx, referral, resumed=True)


def end_all(tx: WriteTransaction, case: Case, reason: WithdrawReason) -> None:
    """Withdraw every open referral of a case and revoke its drafts."""
    for referral in referral_queries.list_of_case(tx, case.id):
        if referral.state in OPEN:
            withdraw_by_system(tx, referral, reason)
    revoke_drafts(tx, case, reason)


def expire(tx: WriteTransaction, referral: Referral) -> None:
    """Expire an undecided referral, for example after a missed deadline (D01, D03)."""
    step = TABLE.find(referral.state, Action.EXPIRE, {Side.SYSTEM}, frozenset())
    take_step(tx, prepare_step(referral, step), by_system=True)
