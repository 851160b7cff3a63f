"""Faults that are planted in the service; each could lose a person or reveal data."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from app.api import acting
from app.cases import actions as cases
from app.cases import holding
from app.cases.models import Case
from app.casework import erasing, leading, overdue
from app.casework.lateness import Effect
from app.casework.overdue import Ran
from app.consents import coverage
from app.deadlines import breaches
from app.deadlines.breaches import Due
from app.deadlines.limits import ClockKind
from app.kernel import idempotency
from app.kernel.actors import SYSTEM, Relation, system_for
from app.kernel.idempotency import Outcome as Kept
from app.kernel.idempotency import Ticket
from app.kernel.work import Ground, Recorded, Writing, writing
from app.outbox.actions import Answer
from app.outbox.pacing import Outcome
from app.referrals import actions as referrals
from app.webhooks import carrying, queries
from app.webhooks.carrying import Parcel
from app.worker import firing, sending

type Patch = pytest.MonkeyPatch
type Plant = Callable[[Patch], None]


def plant_early_record(patch: Patch) -> None:
    """Record a missed deadline in a transaction of its own, before its effect."""

    def find_missed(work: Writing, due: Due) -> Ran | None:
        case = holding.unless_held(work, due.case_id)
        clock = breaches.again(work, due.number)
        assert case is not None
        absent = overdue.is_absent(work, clock)
        work.actor = system_for(clock.waits_on or case.submitter)
        return overdue.look(work, case, clock, absent=absent)

    def handle_one(ground: Ground, due: Due) -> bool:
        with writing(ground, SYSTEM) as work:
            clock = breaches.again(work, due.number)
            if not breaches.is_up(clock, work.now, absent=overdue.is_absent(work, clock)):
                return False
            if ran := find_missed(work, due):
                overdue.keep(work, ran)
        with writing(ground, SYSTEM) as work:
            if ran := find_missed(work, due):
                overdue.tell(work, ran)
                overdue.EFFECTS[overdue.effect_for(ran)](work, ran)
        return True

    patch.setattr(firing, "fire_one", handle_one)


def plant_missing_escalation(patch: Patch) -> None:
    """Apply no effect if a candidate misses its deadline."""
    effects = {**overdue.EFFECTS, Effect.REROUTE: lambda *_: None}
    patch.setattr(overdue, "EFFECTS", effects)


def plant_unhandled_deadline(patch: Patch) -> None:
    """Leave one kind of deadline unhandled."""
    found = breaches.overdue

    def list_due(session: Any, now: Any, limit: int) -> list[Due]:
        due = found(session, now, limit)
        return [one for one in due if one.kind != ClockKind.CONFIRM_DELETION]

    patch.setattr(breaches, "overdue", list_due)


def plant_forgotten_key(patch: Patch) -> None:
    """Treat each request as a new one, whatever its idempotency key is."""

    settle = idempotency.settle

    def record_again(work: Writing, ticket: Ticket, resource_id: UUID, status: int) -> None:
        if kept := work.session.get(Kept, (work.actor.account_id, ticket.key)):
            work.session.delete(kept)
            work.session.flush()
        settle(work, ticket, resource_id, status)

    patch.setattr(acting, "claim", lambda *_: None)
    patch.setattr(acting, "settle", record_again)


def plant_missed_party(patch: Patch) -> None:
    """Leave the submitter out of the audience."""

    def get_audience(case: Case) -> frozenset[UUID]:
        parties = (p for p in case.parties if p.record_id == case.id and not p.until)
        return frozenset(p.focal_point_id for p in parties) - {case.submitter}

    patch.setattr(Case, "audience", property(get_audience))


def plant_leaked_event(patch: Patch) -> None:
    """Include former leads in the audience."""

    def get_audience(case: Case) -> frozenset[UUID]:
        return frozenset(p.focal_point_id for p in case.parties if p.record_id == case.id)

    patch.setattr(Case, "audience", property(get_audience))


def plant_early_position(patch: Patch) -> None:
    """Advance the position of a webhook before its message is delivered."""
    take = carrying.take

    def take_and_advance(
        work: Writing, webhook_id: UUID, longest: timedelta
    ) -> Parcel | None:
        parcel = take(work, webhook_id, longest)
        if parcel is not None and parcel.upto is not None:
            held = queries.claimed(work, webhook_id, parcel.claim)
            assert held is not None
            held.position = parcel.upto
        return parcel

    patch.setattr(carrying, "take", take_and_advance)


def plant_false_delivery(patch: Patch) -> None:
    """Treat a notification with an unknown outcome as sent."""
    settle = sending.settle

    def record_as_delivered(
        ground: Any, way: Any, taken: Any, answer: Answer | None
    ) -> Any:
        if answer is not None and answer.outcome == Outcome.UNKNOWN:
            answer = replace(answer, outcome=Outcome.DELIVERED)
        return settle(ground, way, taken, answer)

    patch.setattr(sending, "settle", record_as_delivered)


def plant_ignored_withdrawal(patch: Patch) -> None:
    """Let a withdrawn consent count."""

    def is_valid(consent: coverage.Given, now: datetime, **_: bool) -> bool:
        return now < consent.expires_at

    patch.setattr(coverage, "counts", is_valid)


def plant_kept_access(patch: Patch) -> None:
    """Let an office keep its part after its referral has ended."""
    patch.setattr(referrals, "end_part", lambda *_: None)


def plant_text_in_journal(patch: Patch) -> None:
    """Write the remarks of a risk assessment into an event."""
    note = cases.note

    def record_note(work: Writing, record: Recorded, about: str, text: str | None) -> None:
        note(work, record, about, text)
        if text and isinstance(record, Case):
            work.record("case.noted", record, record.audience, {"note": text})

    patch.setattr(cases, "note", record_note)


def plant_kept_key(patch: Patch) -> None:
    """Mark a case as erased, and keep its key."""
    patch.setattr(erasing, "erase_case_data", lambda *_: None)


def plant_two_leads(patch: Patch) -> None:
    """Add a new lead without removing the old one."""
    dismiss = Case.dismiss

    def remove_party(case: Case, relation: Relation, *rest: Any) -> None:
        if relation != Relation.LEAD:
            dismiss(case, relation, *rest)

    patch.setattr(Case, "dismiss", remove_party)


def plant_missing_deadline(patch: Patch) -> None:
    """Start no deadline after a candidate declines."""
    patch.setattr(leading, "hand_to_next_office", lambda *_: None)


PLANTS: Final[tuple[Plant, ...]] = (
    plant_early_record,
    plant_missing_escalation,
    plant_unhandled_deadline,
    plant_forgotten_key,
    plant_missed_party,
    plant_leaked_event,
    plant_early_position,
    plant_false_delivery,
    plant_ignored_withdrawal,
    plant_kept_access,
    plant_text_in_journal,
    plant_kept_key,
    plant_two_leads,
    plant_missing_deadline,
)
