"""Delivery evidence: the stages that each sent record has reached (LIFECYCLES.md, 4).

It is not stored, but derived from journal entries, deliveries, retrievals and sightings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select

from app.cases.grants import Grant
from app.cases.models import Case, Party
from app.cases.relations import was_in_force
from app.consents import standing
from app.deadlines import missed_deadlines
from app.deadlines.limits import DeadlineKind
from app.deadlines.worker_health import is_worker_silent
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind
from app.directory.models import FocalPoint
from app.feed.models import Sighting
from app.feed.schemas import (
    DeliveryStatus,
    Evidence,
    MissedDeadlineOut,
    Rank,
    RecipientEvidence,
    SentNotification,
)
from app.handovers.models import Handover
from app.kernel.actors import Relation, get_case_sides
from app.kernel.journal import Delivery, Entry, Retrieval
from app.kernel.transactions import ReadTransaction, Recorded
from app.notifications import queries as notifications_queries
from app.referrals.helper_ranking import may_know_recipient
from app.referrals.models import Referral

ACKNOWLEDGED: Final = ("case.acknowledged", "referral.acknowledged")
DECIDED: Final = (
    "case.lead_accepted",
    "case.lead_declined",
    "case.closed",
    "referral.accepted",
    "referral.declined",
    "handover.accepted",
    "handover.declined",
)
MISSED_NAMES: Final = {
    DeadlineKind.ACKNOWLEDGE: "not_acknowledged",
    DeadlineKind.DECIDE_LEAD: "not_decided",
    DeadlineKind.DECIDE_REFERRAL: "not_decided",
    DeadlineKind.ANSWER_HANDOVER: "not_decided",
}
"""The names of missed deadlines, by the kind of deadline (LIFECYCLES.md, section 4)."""
ASKED_TO_LEAD: Final = frozenset({Relation.CANDIDATE, Relation.DESK})


@dataclass(frozen=True)
class SentRecord:
    """A record that was sent to one office, and was with it from `at` until `until`.

    `asked` is true if it is still with the office, and `known` if the reader may learn
    which office it is.
    """

    record_id: UUID
    reference: str
    recipient: UUID
    at: datetime
    until: datetime | None
    asked: bool
    known: bool = True


def build_case_evidence(tx: ReadTransaction, case: Case) -> Evidence:
    """Return the evidence of a case for each office that was asked to lead it.

    Only parties of the case itself see this evidence, and only for offices that they may
    see (R12). The recipient of a referral sees the evidence of the referral instead.
    """
    office = tx.actor.focal_point_id
    is_party = bool(get_case_sides(case.list_relations(office)))
    asked = [party for party in case.parties if party.relation in ASKED_TO_LEAD]
    spans = [
        build_span(case, p)
        for p in asked
        if is_party and case.is_granted_at(office, Grant.ACTORS, p.since)
    ]
    return Evidence(items=[build_evidence(tx, span) for span in spans])


def build_span(record: Recorded, party: Party, *, known: bool = True) -> SentRecord:
    """Return a sent record with its start and, for a case, the end of the relation."""
    return SentRecord(
        record_id=record.id,
        reference=record.reference,
        recipient=party.focal_point_id,
        at=party.since,
        until=party.until if record.id == record.case_id else None,
        asked=party.until is None,
        known=known,
    )


def build_referral_evidence(tx: ReadTransaction, referral: Referral) -> Evidence:
    """Return the evidence of a referral. For a draft, the evidence is empty."""
    office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    if not referral.list_relations(office.id):
        return build_former_evidence(tx, referral, office)
    known = may_know_recipient(referral, standing.load_for_case(tx, referral.case), office)
    spans = [
        build_span(referral, p, known=known)
        for p in referral.case.parties
        if p.record_id == referral.id and p.relation == Relation.RECIPIENT
    ]
    return Evidence(items=[build_evidence(tx, span) for span in spans])


def build_former_evidence(
    tx: ReadTransaction, referral: Referral, office: FocalPoint
) -> Evidence:
    """Return the evidence of a referral for the former lead that sent it.

    The evidence ends when the office last ceased to lead. Whether the office may see the
    recipient does not depend on safeguards that were written later.
    """
    case = referral.case
    leads = [p for p in case.parties if case.was_lead(p) and p.focal_point_id == office.id]
    ends = [party.until for party in leads if party.until]
    known = referral.opened_by == office.id or office.kind != OfficeKind.STATE
    sent = [
        build_span(referral, p, known=known)
        for p in case.parties
        if p.record_id == referral.id and p.relation == Relation.RECIPIENT
        if any(was_in_force(lead, p.since) for lead in leads)
    ]
    found = (limit_evidence(build_evidence(tx, one), max(ends)) for one in sent)
    return Evidence(items=[one for one in found if one.statuses])


def limit_evidence(ladder: RecipientEvidence, end: datetime) -> RecipientEvidence:
    """Return the evidence, limited to the time before `end`."""
    stages = [stage for stage in ladder.statuses if stage.at < end]
    return ladder.model_copy(
        update={
            "rank": max((stage.rank for stage in stages), default=ladder.rank),
            "statuses": stages,
            "missed_deadlines": [
                missed for missed in ladder.missed_deadlines if missed.at < end
            ],
            "notifications": [one for one in ladder.notifications if one.at < end],
            "telephones": [],
        }
    )


def build_handover_evidence(tx: ReadTransaction, handover: Handover) -> Evidence:
    """Return the evidence of a handover, which has no stage `acknowledged`."""
    spans = [
        build_span(handover, p)
        for p in handover.case.parties
        if p.record_id == handover.id and p.relation == Relation.HANDOVER_CANDIDATE
    ]
    return Evidence(items=[build_evidence(tx, span) for span in spans])


def build_evidence(tx: ReadTransaction, sent: SentRecord) -> RecipientEvidence:
    """Return the delivery evidence of one record for its recipient."""
    found = list(find_stages(tx, sent))
    code = directory_queries.get_codes(tx, [sent.recipient])[sent.recipient]
    rank = max(stage.rank for stage in found)
    return RecipientEvidence(
        subject=sent.reference,
        recipient=code if sent.known else None,
        rank=rank,
        statuses=found,
        missed_deadlines=list(find_missed_deadlines(tx, sent, found)),
        notifications=list(find_notifications(tx, sent)) if sent.known else [],
        telephones=list_telephones(tx, sent, code, rank),
    )


def list_telephones(
    tx: ReadTransaction, sent: SentRecord, code: str, rank: int
) -> list[str]:
    """Return the telephone numbers of an office that perhaps was not told of a record.

    The result is empty if a worker sends notifications, or if the office has answered, is
    no longer asked or may not be known. This is the only way in which another office reads
    addresses of contacts (ADR 92).
    """
    is_asked = sent.asked and rank < Rank.ACKNOWLEDGED
    is_other = sent.known and sent.recipient != tx.actor.focal_point_id
    if not (is_asked and is_other and is_worker_silent(tx)):
        return []
    return directory_queries.list_telephones(tx, code)


def find_missed_deadlines(
    tx: ReadTransaction, sent: SentRecord, stages: Sequence[DeliveryStatus]
) -> Iterator[MissedDeadlineOut]:
    """Yield the deadlines that the recipient missed from `sent.at` to `sent.until`.

    If the recipient had not retrieved the record by then, an item `not_retrieved` with the
    same time comes before the item of the missed deadline.
    """
    retrieved = [stage.at for stage in stages if stage.rank == Rank.RETRIEVED]
    for missed in missed_deadlines.list_firings(tx, [sent.record_id]):
        concerns = missed.waits_on == sent.recipient and missed.kind in MISSED_NAMES
        if not concerns or not sent.at <= missed.at <= (sent.until or missed.at):
            continue
        if not any(at < missed.at for at in retrieved):
            yield MissedDeadlineOut(name="not_retrieved", at=missed.at)
        yield MissedDeadlineOut(name=MISSED_NAMES[missed.kind], at=missed.at)


def find_notifications(tx: ReadTransaction, sent: SentRecord) -> Iterator[SentNotification]:
    """Yield the notifications to the recipient, queued from `sent.at` to `sent.until`.

    When a message is sent, and whether it fails and is repeated, depends on notifications
    about other cases, which may join it or be sent shortly before. Only the recipient
    itself sees this.
    """
    is_own = sent.recipient == tx.actor.focal_point_id
    listed = notifications_queries.list_notifications(tx, record_ids=[sent.record_id])
    found = [one for one in listed if one.focal_point_id == sent.recipient]
    failures = {one.failed_at for one in found}
    for one in found:
        if not sent.at <= one.queued_at <= (sent.until or one.queued_at):
            continue
        if is_own or one.queued_at not in failures:
            sent_at = one.sent_at if is_own else None
            yield SentNotification(by=one.way, at=one.queued_at, sent_at=sent_at)


def find_stages(tx: ReadTransaction, sent: SentRecord) -> Iterator[DeliveryStatus]:
    """Yield the stages that the record has reached, lowest rank first."""
    yield build_stage(Rank.SUBMITTED, sent.at)
    position = tx.session.scalar(select_arrival(sent))
    if position is None:
        return
    yield build_stage(Rank.AVAILABLE, sent.at)
    reads = (select_sighting(sent), select_retrieval(sent, position))
    if times := [at for read in reads if (at := tx.session.scalar(read))]:
        yield build_stage(Rank.RETRIEVED, max(min(times), sent.at))
    for rank, types in ((Rank.ACKNOWLEDGED, ACKNOWLEDGED), (Rank.DECIDED, DECIDED)):
        if entry := tx.session.scalar(select_answer(sent, types, position)):
            yield build_stage(rank, entry.at, entry.type)


def build_stage(rank: Rank, at: datetime, event: str | None = None) -> DeliveryStatus:
    """Return one stage of the delivery evidence."""
    return DeliveryStatus(rank=rank, name=rank.name.lower(), at=at, event=event)


def select_positions(sent: SentRecord) -> Select[int]:
    """Select the positions of the record's events in the recipient's feed."""
    of_record = Entry.record_id == sent.record_id
    of_recipient = Delivery.focal_point_id == sent.recipient
    joined = select(Delivery.position).join(Entry, Entry.id == Delivery.entry_id)
    return joined.where(of_recipient, of_record)


def select_arrival(sent: SentRecord) -> Select[int]:
    """Select the position of the event with which the recipient became a party."""
    arrived = select_positions(sent).where(Entry.at == sent.at)
    return arrived.order_by(Delivery.position).limit(1)


def select_retrieval(sent: SentRecord, position: int) -> Select[datetime]:
    """Select the time at which the recipient's cursor passed a position."""
    of_recipient = Retrieval.focal_point_id == sent.recipient
    return select(func.min(Retrieval.at)).where(of_recipient, Retrieval.upto >= position)


def select_sighting(sent: SentRecord) -> Select[datetime]:
    """Select when the recipient first read the record; reading events does not count."""
    of_recipient = Sighting.focal_point_id == sent.recipient
    return select(Sighting.at).where(Sighting.record_id == sent.record_id, of_recipient)


def select_answer(sent: SentRecord, types: tuple[str, ...], position: int) -> Select[Entry]:
    """Select the recipient's first answer of these types, from `position` to `until`."""
    is_answer = (Entry.focal_point_id == sent.recipient) & Entry.type.in_(types)
    answers = select_positions(sent).with_only_columns(Entry).where(is_answer)
    answers = answers.where(Delivery.position >= position)
    if sent.until is not None:
        end = select_positions(sent).where(Entry.at == sent.until)
        end = end.order_by(Delivery.position.desc())
        answers = answers.where(Delivery.position <= end.limit(1).scalar_subquery())
    return answers.order_by(Delivery.position).limit(1)
