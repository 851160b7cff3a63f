"""What becomes of referrals when the case they belong to changes."""

from typing import Final
from uuid import UUID

from app.cases.grants import Grant
from app.cases.models import Case
from app.cases.reasons import WithdrawReason
from app.cases.sections import Section
from app.consents import standing
from app.consents.coverage import Purpose
from app.consents.standing import Standing
from app.deadlines import actions as deadlines
from app.deadlines.limits import ClockKind, Priority
from app.deadlines.queries import running
from app.kernel.actors import Side
from app.kernel.work import Writing
from app.notices.actions import tell as call_on
from app.referrals import queries
from app.referrals.actions import OPENERS, Move, end_part, rests, take, wind
from app.referrals.lifecycle import AT_WORK, CLOCKS, OPEN, TABLE, Action, State
from app.referrals.models import Basis, Referral
from app.referrals.situation import facts_of
from app.referrals.steps import end


def hand_on(work: Writing, case: Case) -> None:
    """Let what waited for the holder of a case wait for the new one.

    Until the same moment, where a State body that asked must not learn of it.
    """
    deadlines.pass_on_kind(work, case.id, ClockKind.TELL_PERSON, case.holder)
    for referral in queries.of_case(work, case.id):
        if CLOCKS.get(referral.state, (None, None))[1] != Side.SENDER:
            continue
        if case.snapshot_behind(referral.id):
            deadlines.reassign(work, referral.id, case.holder)
        else:
            wind(work, referral)


def end_drafts(work: Writing, case: Case, reason: str) -> None:
    """Revoke what was never sent, when the case ends."""
    for referral in queries.of_case(work, case.id):
        if referral.state == State.DRAFT:
            drop(work, referral, reason)


def drop(work: Writing, referral: Referral, reason: str) -> None:
    """Revoke a draft of a case that is held; nobody was told of it."""
    step = TABLE.find(State.DRAFT, Action.REVOKE, {Side.SENDER}, OPENERS)
    end(work, Move(referral.case, referral, step, referral.audience), reason)


def covered(work: Writing, case: Case, stands: Standing) -> frozenset[UUID]:
    """Return the open referrals of a case that rest on a consent, as the person stands.

    One that was sent on another basis rests on a consent only with the sections it has got:
    else taking a consent back would tell whom it names.
    """
    return frozenset(
        referral.id
        for referral in queries.of_case(work, case.id)
        if referral.state in OPEN
        and (referral.basis == Basis.CONSENT or referral.sections)
        and facts_of(work, referral, stands, requests=()).covered
    )


def withdraw_uncovered(work: Writing, case: Case, rested: frozenset[UUID]) -> None:
    """End what rested on a consent that was taken back, and on no other.

    Help that no consent covered before goes on: another withdrawal must not end it. So does
    what a child is owed without one: a guardian may be who it has to be protected from.
    """
    stands = standing.of_case(work, case)
    lost = rested - covered(work, case, stands)
    for referral in queries.of_case(work, case.id):
        if referral.id not in lost:
            continue
        if stands.child_may_be_helped(referral.service, frozenset()):
            narrow(work, referral)
        else:
            withdraw(work, referral, WithdrawReason.CONSENT_WITHDRAWN)


def narrow(work: Writing, referral: Referral) -> None:
    """Let help for a child go on with the notice alone, by the law (BR09, BR14)."""
    referral.sections, referral.basis = [], Basis.CHILD_PATH
    referral.touch()
    facts = {"state": referral.state, "service": referral.service, "basis": referral.basis}
    audience = referral.audience
    work.record("referral.narrowed", referral, audience, facts, by_system=True)


def announce_change(tx: Writing, case: Case, changed: Section | None) -> None:
    """Tell the recipients that read a section, or the summary, that it was written anew.

    `None` means `safe_contact` of the summary. A recipient that is not told keeps calling a
    number that may be in the wrong hands (BR19). A recipient is told if its referral is
    open and it may read the change. For the contact, the needs and `safe_contact` it also
    gets an urgent notification.
    """
    stands = standing.of_case(tx, case)
    facts = {"section": changed} if changed else {"field": "safe_contact"}
    readers = set[UUID]()
    for referral in queries.of_case(tx, case.id):
        if reads_change(referral, stands, changed):
            told = frozenset({referral.recipient_id})
            tx.record("referral.content_changed", referral, told, facts, by_system=True)
            readers |= told
    if readers and changed in URGENT_CHANGES:
        urgency, why = Priority.EMERGENCY, "referral.content_changed"
        call_on(tx, readers, why, urgency=urgency, case_id=case.id)


URGENT_CHANGES: Final = frozenset({Section.CONTACT, Section.NEEDS, None})


def reads_change(referral: Referral, stands: Standing, changed: Section | None) -> bool:
    """Return whether the recipient of a referral reads what was written anew."""
    to = referral.recipient
    if referral.state not in OPEN or not stands.is_safe(to, to.code):
        return False
    if changed is None:
        return Grant.SUMMARY in stands.case.grants(to.id)
    told = stands.told(to, Purpose(referral.service)) or frozenset()
    covered = changed in told and changed in referral.sections
    opens = changed == Section.NEEDS or referral.state in AT_WORK
    return covered and opens and stands.origin_is_permitted(to)


def withdraw_unsafe(work: Writing, case: Case) -> None:
    """End what was sent to a recipient that turns out to be unsafe, without saying why.

    One that has helped already follows the person no further.
    """
    stands = standing.of_case(work, case)
    for referral in queries.of_case(work, case.id):
        to = referral.recipient
        if stands.is_safe(to, to.code):
            continue
        if referral.state in OPEN:
            withdraw(work, referral, WithdrawReason.NO_LONGER_NEEDED)
        end_part(work, referral)


def leave_behind(work: Writing, case: Case) -> None:
    """Let nobody whose help is over follow a person across a border.

    Who reads the case as when it was asked does not follow anybody; to lose sight of it
    would tell that there was a border.
    """
    for referral in queries.of_case(work, case.id):
        follows = case.snapshot_behind(referral.id) is None
        if referral.state == State.COMPLETED and follows:
            end_part(work, referral)


def withdraw(work: Writing, referral: Referral, reason: WithdrawReason) -> None:
    """Let the system take a referral back."""
    step = TABLE.find(referral.state, Action.WITHDRAW, {Side.SYSTEM}, frozenset())
    referral.reason = reason
    take(work, Move(referral.case, referral, step, referral.audience), by_system=True)


def pause(work: Writing, case: Case) -> None:
    """Let the clocks of what may wait stand still while the case is suspended."""
    for referral in queries.of_case(work, case.id):
        if rests(referral):
            deadlines.stop(work, referral.id)


def go_on(work: Writing, case: Case) -> None:
    """Let the clocks that stood still run again, with the time that was left."""
    going = running(work, [r.id for r in queries.of_case(work, case.id)])
    for referral in queries.of_case(work, case.id):
        if referral.state in OPEN and referral.id not in going:
            wind(work, referral, resumed=True)


def end_all(work: Writing, case: Case, reason: WithdrawReason) -> None:
    """End every referral at once: the person wants it, or the case was closed."""
    for referral in queries.of_case(work, case.id):
        if referral.state in OPEN:
            withdraw(work, referral, reason)
    end_drafts(work, case, reason)


def expire(work: Writing, referral: Referral) -> None:
    """Let a referral end that nobody decided or answered in time (D01 twice, D03)."""
    step = TABLE.find(referral.state, Action.EXPIRE, {Side.SYSTEM}, frozenset())
    take(work, Move(referral.case, referral, step, referral.audience), by_system=True)
