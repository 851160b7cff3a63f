"""The ladder of evidence: what became of what was sent (LIFECYCLES.md, section 4).

Derived from the journal, the mailboxes and what was retrieved; nothing is stored twice, so
receipts may arrive in any order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select

from app.cases.grants import Grant
from app.cases.models import Case, Party
from app.consents import standing
from app.deadlines import breaches
from app.deadlines.limits import ClockKind
from app.directory import queries as directory
from app.feed.models import Sighting
from app.feed.schemas import Evidence, Ladder, Rank, Rung, SentNotice, Silence
from app.handovers.models import Handover
from app.kernel.actors import Relation, sides_of_case
from app.kernel.journal import Delivery, Entry, Retrieval
from app.kernel.work import Reading
from app.notices import queries as notices
from app.referrals.models import Referral
from app.referrals.proposing import knows_recipient

ACKNOWLEDGED: Final = ("case.acknowledged", "referral.acknowledged")
DECIDED: Final = (
    *("case.lead_accepted", "case.lead_declined", "case.closed"),
    *("referral.accepted", "referral.declined"),
    *("handover.accepted", "handover.declined"),
)
UNANSWERED: Final = {
    ClockKind.ACKNOWLEDGE: "not_acknowledged",
    ClockKind.DECIDE_LEAD: "not_decided",
    ClockKind.DECIDE_REFERRAL: "not_decided",
    ClockKind.ANSWER_HANDOVER: "not_decided",
}
"""What the silence of whoever is asked is called (LIFECYCLES.md, section 4)."""
ASKED_TO_LEAD: Final = frozenset({Relation.CANDIDATE, Relation.DESK})


@dataclass(frozen=True)
class Sent:
    """Something that was sent to one focal point at one time, and until when it had it.

    `known`: whether the reader may know who that is.
    """

    record_id: UUID
    reference: str
    recipient: UUID
    at: datetime
    until: datetime | None
    known: bool = True


def of_case(work: Reading, case: Case) -> Evidence:
    """Show what became of a case with each who was asked to lead it.

    For the parties of the case itself; a recipient of a referral has its own ladder. Whom
    it was put to across a border only who may follow there is told (R12).
    """
    me = work.actor.focal_point_id
    mine = sides_of_case(case.relations_of(me))
    asked = [party for party in case.parties if party.relation in ASKED_TO_LEAD]
    sent = [
        of_party(case, p)
        for p in asked
        if mine and case.granted_at(me, Grant.ACTORS, p.since)
    ]
    return Evidence(items=[climb(work, one) for one in sent])


def of_party(case: Case, party: Party) -> Sent:
    """Say when a case was put to a candidate, and until when it had it."""
    return Sent(case.id, case.reference, party.focal_point_id, party.since, party.until)


def of_referral(work: Reading, referral: Referral) -> Evidence:
    """Show what became of a referral; a draft was not sent, so nothing did."""
    me = directory.by_id(work, work.actor.focal_point_id)
    known = knows_recipient(referral, standing.of_case(work, referral.case), me)
    sent = [
        Sent(referral.id, referral.reference, p.focal_point_id, p.since, None, known)
        for p in referral.case.parties
        if p.record_id == referral.id and p.relation == Relation.RECIPIENT
    ]
    return Evidence(items=[climb(work, one) for one in sent])


def of_handover(work: Reading, handover: Handover) -> Evidence:
    """Show what became of an offer of the lead; nobody acknowledges one, it is decided."""
    sent = [
        Sent(handover.id, handover.reference, p.focal_point_id, p.since, None)
        for p in handover.case.parties
        if p.record_id == handover.id and p.relation == Relation.HANDOVER_CANDIDATE
    ]
    return Evidence(items=[climb(work, one) for one in sent])


def climb(work: Reading, sent: Sent) -> Ladder:
    """Find each rung that was reached."""
    found = list(rungs(work, sent))
    code = directory.codes(work, [sent.recipient])[sent.recipient]
    return Ladder(
        subject=sent.reference,
        recipient=code if sent.known else None,
        rank=max(rung.rank for rung in found),
        rungs=found,
        silences=list(silences(work, sent, found)),
        notices=list(calls(work, sent)) if sent.known else [],
    )


def silences(work: Reading, sent: Sent, rungs: Sequence[Rung]) -> Iterator[Silence]:
    """List the deadlines that the recipient let pass while it had the record.

    That it never looked is told where even that was not seen by then.
    """
    looked = [rung.at for rung in rungs if rung.rank == Rank.RETRIEVED]
    for firing in breaches.firings(work, [sent.record_id]):
        mine = firing.waits_on == sent.recipient and firing.kind in UNANSWERED
        if not mine or not sent.at <= firing.at <= (sent.until or firing.at):
            continue
        if not any(at < firing.at for at in looked):
            yield Silence(name="not_retrieved", at=firing.at)
        yield Silence(name=UNANSWERED[firing.kind], at=firing.at)


def calls(work: Reading, sent: Sent) -> Iterator[SentNotice]:
    """List how the recipient was called on about the record while it had it (R53)."""
    for one in notices.told(work, record_ids=[sent.record_id]):
        theirs = one.focal_point_id == sent.recipient
        if theirs and sent.at <= one.queued_at <= (sent.until or one.queued_at):
            yield SentNotice(by=one.way, at=one.queued_at, sent_at=one.sent_at)


def rungs(work: Reading, sent: Sent) -> Iterator[Rung]:
    """List the rungs, lowest first."""
    yield rung(Rank.SUBMITTED, sent.at)
    position = work.session.scalar(arrival(sent))
    if position is None:
        return
    yield rung(Rank.AVAILABLE, sent.at)
    looks = (sight(sent), passing(sent, position))
    if moments := [at for look in looks if (at := work.session.scalar(look))]:
        yield rung(Rank.RETRIEVED, max(min(moments), sent.at))
    for rank, types in ((Rank.ACKNOWLEDGED, ACKNOWLEDGED), (Rank.DECIDED, DECIDED)):
        if entry := work.session.scalar(deed(sent, types, position)):
            yield rung(rank, entry.at, entry.type)


def rung(rank: Rank, at: datetime, event: str | None = None) -> Rung:
    """Show one rung."""
    return Rung(rank=rank, name=rank.name.lower(), at=at, event=event)


def told(sent: Sent) -> Select[int]:
    """Select the positions, in the recipient's feed, of what happened to the record.

    Order is judged by these, which are the order of commits: two servers' clocks differ.
    """
    of_record = Entry.record_id == sent.record_id
    mine = Delivery.focal_point_id == sent.recipient
    joined = select(Delivery.position).join(Entry, Entry.id == Delivery.entry_id)
    return joined.where(mine, of_record)


def arrival(sent: Sent) -> Select[int]:
    """Find where it arrived: with the very transaction that made it a party."""
    here = told(sent).where(Entry.at == sent.at)
    return here.order_by(Delivery.position).limit(1)


def passing(sent: Sent, position: int) -> Select[datetime]:
    """Find when the recipient's cursor passed it."""
    mine = Retrieval.focal_point_id == sent.recipient
    return select(func.min(Retrieval.at)).where(mine, Retrieval.upto >= position)


def sight(sent: Sent) -> Select[datetime]:
    """Find when the recipient first read the record itself."""
    mine = Sighting.focal_point_id == sent.recipient
    return select(Sighting.at).where(Sighting.record_id == sent.record_id, mine)


def deed(sent: Sent, types: tuple[str, ...], position: int) -> Select[Entry]:
    """Find the recipient's own answer of one of these types, while it had the record."""
    mine = (Entry.focal_point_id == sent.recipient) & Entry.type.in_(types)
    answers = told(sent).with_only_columns(Entry).where(mine)
    since = answers.where(Delivery.position >= position)
    if sent.until is not None:
        left = told(sent).where(Entry.at == sent.until).order_by(Delivery.position.desc())
        since = since.where(Delivery.position <= left.limit(1).scalar_subquery())
    return since.order_by(Delivery.position).limit(1)
