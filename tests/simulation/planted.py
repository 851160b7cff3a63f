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


def fires_apart_from_the_effect(patch: Patch) -> None:
    """Record a missed deadline in a transaction of its own, before its effect."""

    def ran_of(work: Writing, due: Due) -> Ran | None:
        case = holding.unless_held(work, due.case_id)
        clock = breaches.again(work, due.number)
        assert case is not None
        absent = overdue.is_absent(work, clock)
        work.actor = system_for(clock.waits_on or case.submitter)
        return overdue.look(work, case, clock, absent=absent)

    def fire_one(ground: Ground, due: Due) -> bool:
        with writing(ground, SYSTEM) as work:
            clock = breaches.again(work, due.number)
            if not breaches.is_up(clock, work.now, absent=overdue.is_absent(work, clock)):
                return False
            if ran := ran_of(work, due):
                overdue.keep(work, ran)
        with writing(ground, SYSTEM) as work:
            if ran := ran_of(work, due):
                overdue.tell(work, ran)
                overdue.EFFECTS[overdue.effect_for(ran)](work, ran)
        return True

    patch.setattr(firing, "fire_one", fire_one)


def fires_what_nobody_hears(patch: Patch) -> None:
    """Apply no effect if a candidate misses its deadline."""
    effects = {**overdue.EFFECTS, Effect.REROUTE: lambda *_: None}
    patch.setattr(overdue, "EFFECTS", effects)


def looks_away(patch: Patch) -> None:
    """Leave one kind of deadline unhandled."""
    found = breaches.overdue

    def some(session: Any, now: Any, limit: int) -> list[Due]:
        due = found(session, now, limit)
        return [one for one in due if one.kind != ClockKind.CONFIRM_DELETION]

    patch.setattr(breaches, "overdue", some)


def forgets_a_key(patch: Patch) -> None:
    """Treat each request as a new one, whatever its idempotency key is."""

    settle = idempotency.settle

    def again(work: Writing, ticket: Ticket, resource_id: UUID, status: int) -> None:
        if kept := work.session.get(Kept, (work.actor.account_id, ticket.key)):
            work.session.delete(kept)
            work.session.flush()
        settle(work, ticket, resource_id, status)

    patch.setattr(acting, "claim", lambda *_: None)
    patch.setattr(acting, "settle", again)


def misses_a_party(patch: Patch) -> None:
    """Leave the submitter out of the audience."""

    def audience(case: Case) -> frozenset[UUID]:
        parties = (p for p in case.parties if p.record_id == case.id and not p.until)
        return frozenset(p.focal_point_id for p in parties) - {case.submitter}

    patch.setattr(Case, "audience", property(audience))


def tells_a_stranger(patch: Patch) -> None:
    """Include former leads in the audience."""

    def audience(case: Case) -> frozenset[UUID]:
        return frozenset(p.focal_point_id for p in case.parties if p.record_id == case.id)

    patch.setattr(Case, "audience", property(audience))


def moves_on_before_it_arrived(patch: Patch) -> None:
    """Advance the position of a webhook before its message is delivered."""
    take = carrying.take

    def taken(work: Writing, webhook_id: UUID, longest: timedelta) -> Parcel | None:
        parcel = take(work, webhook_id, longest)
        if parcel is not None and parcel.upto is not None:
            held = queries.claimed(work, webhook_id, parcel.claim)
            assert held is not None
            held.position = parcel.upto
        return parcel

    patch.setattr(carrying, "take", taken)


def believes_that_it_left(patch: Patch) -> None:
    """Treat a notification with an unknown outcome as sent."""
    settle = sending.settle

    def settled(ground: Any, way: Any, taken: Any, answer: Answer | None) -> Any:
        if answer is not None and answer.outcome == Outcome.UNKNOWN:
            answer = replace(answer, outcome=Outcome.DELIVERED)
        return settle(ground, way, taken, answer)

    patch.setattr(sending, "settle", settled)


def heeds_no_withdrawal(patch: Patch) -> None:
    """Let a withdrawn consent count."""

    def counts(consent: coverage.Given, now: datetime, **_: bool) -> bool:
        return now < consent.expires_at

    patch.setattr(coverage, "counts", counts)


def keeps_the_part(patch: Patch) -> None:
    """Let an office keep its part after its referral has ended."""
    patch.setattr(referrals, "end_part", lambda *_: None)


def writes_words_in_the_journal(patch: Patch) -> None:
    """Write the remarks of a risk assessment into an event."""
    note = cases.note

    def told(work: Writing, record: Recorded, about: str, text: str | None) -> None:
        note(work, record, about, text)
        if text and isinstance(record, Case):
            work.record("case.noted", record, record.audience, {"note": text})

    patch.setattr(cases, "note", told)


def erases_nothing(patch: Patch) -> None:
    """Mark a case as erased, and keep its key."""
    patch.setattr(erasing, "forget", lambda *_: None)


def leaves_two_leads(patch: Patch) -> None:
    """Add a new lead without removing the old one."""
    dismiss = Case.dismiss

    def dismissed(case: Case, relation: Relation, *rest: Any) -> None:
        if relation != Relation.LEAD:
            dismiss(case, relation, *rest)

    patch.setattr(Case, "dismiss", dismissed)


def lets_a_case_rest_for_ever(patch: Patch) -> None:
    """Start no deadline after a candidate declines."""
    patch.setattr(leading, "hand_to_next", lambda *_: None)


PLANTS: Final[tuple[Plant, ...]] = (
    fires_apart_from_the_effect,
    fires_what_nobody_hears,
    looks_away,
    forgets_a_key,
    misses_a_party,
    tells_a_stranger,
    moves_on_before_it_arrived,
    believes_that_it_left,
    heeds_no_withdrawal,
    keeps_the_part,
    writes_words_in_the_journal,
    erases_nothing,
    leaves_two_leads,
    lets_a_case_rest_for_ever,
)
