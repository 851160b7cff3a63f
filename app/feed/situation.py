"""The journal as one focal point is told of it: its feed, and the history of a case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.cases.grants import Grant
from app.cases.lifecycle import State
from app.cases.models import Case
from app.cases.naming import by_ids
from app.consents import naming
from app.consents.naming import Naming
from app.directory import queries as directory
from app.directory.kinds import Kind, is_beyond
from app.feed import queries
from app.feed.queries import Delivered, Mark
from app.feed.schemas import EventOut, EventPage, HistoryPage
from app.kernel.journal import Delivery, Entry
from app.kernel.paging import PageQuery, paginate
from app.kernel.work import Reading
from app.referrals import queries as referrals

TOLD: Final = frozenset({"state", "question"})
"""What a submitter that handed a case on is told of a step; why is not (R12)."""

ALTERNATIVE, ACTIVE = "alternative", "active"
TELLING: Final = frozenset({ALTERNATIVE, ACTIVE})
"""What tells of an office: who could help instead, and whether the one that is silent is
active still, which the directory says of each."""


DEEDS: Final = frozenset(
    {
        *("case.risk_assessed", "case.fact_recorded", "consent.withdrawn"),
        *("case.vital_reading_asked", "case.vital_reading_ended"),
    }
)
"""What one who helps may do in a case, beside its own referral."""


@dataclass(frozen=True)
class Sight:
    """What it takes to say of some entries what their reader may know.

    `opened_by` has the referrals of cases in which the reader is on the side of origin.
    """

    names: Naming
    cases: Mapping[UUID, Case]
    opened_by: Mapping[UUID, UUID | None]


type News = Sequence[tuple[int, EventOut]]
"""Events, each at its position of the feed."""


def news(work: Reading, mark: Mark, limit: int) -> News:
    """List what happened after the cursor, in the order of commits."""
    rows = queries.fresh(work, mark, limit)
    return list(zip([row.position for row in rows], show(work, rows), strict=True))


def page(mark: Mark, found: News) -> EventPage:
    """Put on a page what was found after the cursor."""
    last = found[-1][0] if found else mark.start
    items = [event for _, event in found]
    return EventPage(items=items, next=mark.cursor(last), more=last < mark.head)


def history(work: Reading, case: Case, query: PageQuery) -> HistoryPage:
    """List what this focal point was told of a case. Raises CursorUnknown (422)."""
    statement = queries.entries(work).where(Entry.case_id == case.id)
    keys, name = (Delivery.position,), f"history {case.id}"
    rows, after, more = paginate(work, statement, keys, query, name=name)
    items = show(work, rows)
    return HistoryPage(items=items, next=after, more=more)


def show(work: Reading, rows: Sequence[Delivered]) -> list[EventOut]:
    """Show entries, each as far as the reader may know it now."""
    sight = look(work, rows)
    return [
        EventOut(
            id=row.id,
            at=row.at,
            type=row.type,
            subject=row.reference,
            by=row.code if may_name(sight, row) else None,
            facts=facts_of(sight, row),
        )
        for row in rows
    ]


def look(work: Reading, rows: Sequence[Delivered]) -> Sight:
    """Read the cases of which something may have to be left out, and no others.

    Of those that the reader submitted, where a reason came with a step or it no longer
    follows; and to a body of a State, where somebody beyond it may have helped.
    """
    me = directory.by_id(work, work.actor.focal_point_id)
    entries = [row for row in rows if row.focal_point_id != me.id]
    beyond = {e.case_id for e in entries if e.code and is_beyond(me, e)}
    doubtful = {e.case_id for e in entries if e.case_id in beyond and may_help(e)}
    named = {e.case_id for e in entries if tells_of(e) and me.kind == Kind.STATE}
    reasoned = {entry.case_id for entry in entries if entry.facts.keys() - TOLD}
    every = {entry.case_id for entry in entries}
    known = by_ids(work, doubtful | named, reasoned, every) if entries else {}
    if not known:
        return Sight(Naming(me, {}, frozenset(), frozenset()), {}, {})
    acts = [
        (known[e.case_id], e.focal_point_id, e.at)
        for e in entries
        if e.case_id in known and e.focal_point_id
    ]
    names = naming.read(work, acts, named)
    records = [e.record_id for e in entries if e.case_id in names.apart]
    openers = referrals.opened_by(work, records) if records else {}
    return Sight(names, known, openers)


def may_help(entry: Delivered) -> bool:
    """Say whether this can be the deed of one who helps, by a referral."""
    return entry.type in DEEDS or entry.type.startswith(("referral.", "return."))


def tells_of(entry: Delivered) -> bool:
    """Say whether it may tell which office it is about, though nobody acted."""
    return ALTERNATIVE in entry.facts or entry.facts.get(ACTIVE) is False


def may_name(sight: Sight, entry: Delivered) -> bool:
    """Say whether the reader may know who acted."""
    who, me = entry.focal_point_id, sight.names.me.id
    if who is None or who == me or entry.case_id not in sight.cases:
        return True
    if entry.record_id in sight.opened_by:
        asked = sight.opened_by[entry.record_id] == me
        return asked or who not in sight.names.beyond
    case, as_party = sight.cases[entry.case_id], entry.record_id == entry.case_id
    return sight.names.may_name(case, who, entry.at, as_party=as_party)


def facts_of(sight: Sight, entry: Delivered) -> dict[str, Any]:
    """Return the facts of an entry as the reader may know them.

    A submitter, as such, is told no more than the step, once a lead has the case, it is
    closed, or beyond a border: a reason may tell of a fear. The side of origin is told
    nothing that names an office that helps.
    """
    me, said = sight.names.me.id, entry.facts
    case = sight.cases.get(entry.case_id)
    if case is None or entry.focal_point_id == me:
        return said
    if me == case.submitter and not tells_all(case, me, entry):
        return {name: fact for name, fact in said.items() if name in TOLD}
    if case.id in sight.names.apart:
        return {name: fact for name, fact in said.items() if name not in TELLING}
    return said


def tells_all(case: Case, submitter: UUID, entry: Delivered) -> bool:
    """Return whether the submitter of a case may know all facts of an entry.

    What is about a referral or handover was delivered to it as a party to that record. Of
    the case itself it needs the grant at that time; that its own case was closed, and why,
    is granted by another relation alone.
    """
    if entry.record_id != case.id:
        return True
    closed = entry.facts.get("state") == State.CLOSED
    grant = Grant.CLOSING_FACTS if closed else Grant.EVENT_FACTS
    return case.granted_at(submitter, grant, entry.at)
