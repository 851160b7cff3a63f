"""Faults that are planted in the service, and that could lose a case or reveal data."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from app.api import idempotent_requests
from app.cases import actions as case_actions
from app.cases import system_queries
from app.cases.models import Case
from app.casework import erasing, leading, overdue
from app.casework.lateness import Effect
from app.casework.overdue import MissedDeadline
from app.consents import coverage
from app.deadlines import missed_deadlines
from app.deadlines.limits import DeadlineKind
from app.deadlines.missed_deadlines import DueClock
from app.kernel import idempotency
from app.kernel.actors import SYSTEM, Relation, get_system_actor
from app.kernel.idempotency import KeyedRequest
from app.kernel.idempotency import Outcome as Kept
from app.kernel.transactions import Recorded, Runtime, WriteTransaction, begin_write
from app.outbox.actions import Answer
from app.outbox.pacing import Outcome
from app.referrals import actions as referral_actions
from app.webhooks import delivery
from app.webhooks import queries as webhook_queries
from app.webhooks.delivery import OutgoingMessage
from app.worker import deadline_job, outbox_job

type Patch = pytest.MonkeyPatch
type Plant = Callable[[Patch], None]


def plant_early_record(patch: Patch) -> None:
    """Make the service commit the record of a missed deadline before its consequence."""

    def find_missed(tx: WriteTransaction, due: DueClock) -> MissedDeadline | None:
        case = system_queries.lock_if_free(tx, due.case_id)
        clock = missed_deadlines.read_again(tx, due.number)
        assert case is not None
        absent = overdue.is_absent(tx, clock)
        tx.actor = get_system_actor(clock.waits_on or case.submitter)
        return overdue.build_missed_deadline(tx, case, clock, absent=absent)

    def handle_one(runtime: Runtime, due: DueClock) -> bool:
        with begin_write(runtime, SYSTEM) as tx:
            clock = missed_deadlines.read_again(tx, due.number)
            if not missed_deadlines.has_run_out(
                clock, tx.now, absent=overdue.is_absent(tx, clock)
            ):
                return False
            if ran := find_missed(tx, due):
                overdue.record_firing(tx, ran)
        with begin_write(runtime, SYSTEM) as tx:
            if ran := find_missed(tx, due):
                overdue.record_event(tx, ran)
                overdue.EFFECTS[overdue.resolve_effect(ran)](tx, ran)
        return True

    patch.setattr(deadline_job, "handle_deadline", handle_one)


def plant_missing_escalation(patch: Patch) -> None:
    """Keep the service from rerouting a case if a candidate misses its deadline."""
    effects = {**overdue.EFFECTS, Effect.REROUTE: lambda *_: None}
    patch.setattr(overdue, "EFFECTS", effects)


def plant_unhandled_deadline(patch: Patch) -> None:
    """Make the service ignore due deadlines of one kind."""
    found = missed_deadlines.list_overdue

    def list_due(session: Any, now: Any, limit: int) -> list[DueClock]:
        due = found(session, now, limit)
        return [one for one in due if one.kind != DeadlineKind.CONFIRM_DELETION]

    patch.setattr(missed_deadlines, "list_overdue", list_due)


def plant_forgotten_key(patch: Patch) -> None:
    """Make the service treat each request as new, even if its idempotency key is known."""

    settle = idempotency.store_outcome

    def record_again(
        tx: WriteTransaction, ticket: KeyedRequest, resource_id: UUID, status: int
    ) -> None:
        if kept := tx.session.get(Kept, (tx.actor.account_id, ticket.key)):
            tx.session.delete(kept)
            tx.session.flush()
        settle(tx, ticket, resource_id, status)

    patch.setattr(idempotent_requests, "claim", lambda *_: None)
    patch.setattr(idempotent_requests, "store_outcome", record_again)


def plant_missed_party(patch: Patch) -> None:
    """Make the service leave the submitter out of the audience of a case."""

    def get_audience(case: Case) -> frozenset[UUID]:
        parties = (p for p in case.parties if p.record_id == case.id and not p.until)
        return frozenset(p.focal_point_id for p in parties) - {case.submitter}

    patch.setattr(Case, "audience", property(get_audience))


def plant_leaked_event(patch: Patch) -> None:
    """Make the service include the former parties of a case in its audience."""

    def get_audience(case: Case) -> frozenset[UUID]:
        return frozenset(p.focal_point_id for p in case.parties if p.record_id == case.id)

    patch.setattr(Case, "audience", property(get_audience))


def plant_early_position(patch: Patch) -> None:
    """Make the service advance the position of a webhook before the delivery."""
    take = delivery.claim_message

    def take_and_advance(
        tx: WriteTransaction, webhook_id: UUID, longest: timedelta
    ) -> OutgoingMessage | None:
        parcel = take(tx, webhook_id, longest)
        if parcel is not None and parcel.upto is not None:
            held = webhook_queries.lock_claimed(tx, webhook_id, parcel.claim)
            assert held is not None
            held.position = parcel.upto
        return parcel

    patch.setattr(delivery, "claim_message", take_and_advance)


def plant_false_delivery(patch: Patch) -> None:
    """Make the service treat a notification with an unknown outcome as sent."""
    settle = outbox_job.store_outcome

    def record_as_delivered(
        runtime: Any, way: Any, taken: Any, answer: Answer | None
    ) -> Any:
        if answer is not None and answer.outcome == Outcome.UNKNOWN:
            answer = replace(answer, outcome=Outcome.DELIVERED)
        return settle(runtime, way, taken, answer)

    patch.setattr(outbox_job, "store_outcome", record_as_delivered)


def plant_ignored_withdrawal(patch: Patch) -> None:
    """Make the service treat a withdrawn consent as valid."""

    def is_valid(consent: coverage.Given, now: datetime, **_: bool) -> bool:
        return now < consent.expires_at

    patch.setattr(coverage, "is_valid", is_valid)


def plant_kept_access(patch: Patch) -> None:
    """Make the service keep the access of a recipient whose referral has ended."""
    patch.setattr(referral_actions, "end_recipient_relation", lambda *_: None)


def plant_text_in_journal(patch: Patch) -> None:
    """Patch the service so that the text of a note is also stored in an event."""
    note = case_actions.add_note

    def record_note(
        tx: WriteTransaction, record: Recorded, about: str, text: str | None
    ) -> None:
        note(tx, record, about, text)
        if text and isinstance(record, Case):
            tx.record("case.noted", record, record.audience, {"note": text})

    patch.setattr(case_actions, "add_note", record_note)


def plant_kept_key(patch: Patch) -> None:
    """Make the service mark a case as erased without destroying its key."""
    patch.setattr(erasing, "erase_case_data", lambda *_: None)


def plant_two_leads(patch: Patch) -> None:
    """Make the service add a new lead without removing the old one."""
    dismiss = Case.end_relation

    def remove_party(case: Case, relation: Relation, *rest: Any) -> None:
        if relation != Relation.LEAD:
            dismiss(case, relation, *rest)

    patch.setattr(Case, "end_relation", remove_party)


def plant_missing_deadline(patch: Patch) -> None:
    """Keep the service from handing a case to the next office if a candidate declines."""
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
