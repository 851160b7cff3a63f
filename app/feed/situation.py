"""The journal as one focal point is told of it: its feed, and the history of a case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.cases import queries as cases
from app.cases.lifecycle import State
from app.cases.models import Case
from app.consents import naming
from app.consents.naming import Naming
from app.directory import queries as directory
from app.directory.kinds import Kind, is_beyond
from app.feed import queries
from app.feed.queries import Mark
from app.feed.schemas import EventOut, EventPage, HistoryPage
from app.kernel.journal import Delivery, Entry
from app.kernel.paging import PageQuery, paginate
from app.kernel.work import Reading
from app.referrals import queries as referrals

TOLD: Final = frozenset({"state", "question"})
"""What a submitter that handed a case on is told of a step; why is not (R12)."""

ALTERNATIVE: Final = "alternative"
"""Who could help instead, as a recipient says that redirects a referral."""


@dataclass(frozen=True)
class Sight:
    """What it takes to say of some entries what their reader may know.

    `opened_by` has the referrals of cases in which the reader is on the side of origin.
    """

    names: Naming
    cases: Mapping[UUID, Case]
    opened_by: Mapping[UUID, UUID | None]
    codes: Mapping[UUID, str]


def page(work: Reading, mark: Mark, limit: int) -> EventPage:
    """List what happened after the cursor, in the order of commits."""
    fresh = queries.entries(work).where(Delivery.position > mark.start)
    rows = work.session.execute(fresh.order_by(Delivery.position).limit(limit)).all()
    last = rows[-1].position if rows else mark.start
    items = show(work, [row.Entry for row in rows])
    return EventPage(items=items, next=f"{mark.epoch}.{last}", more=last < mark.head)


def history(work: Reading, case: Case, query: PageQuery) -> HistoryPage:
    """List what this focal point was told of a case. Raises CursorUnknown (422)."""
    statement = queries.entries(work).where(Entry.case_id == case.id)
    keys, name = (Delivery.position,), f"history {case.id}"
    rows, after, more = paginate(work, statement, keys, query, name=name)
    items = show(work, [row.Entry for row in rows])
    return HistoryPage(items=items, next=after, more=more)


def show(work: Reading, found: Sequence[Entry]) -> list[EventOut]:
    """Show entries, each as far as the reader may know it now."""
    sight = look(work, found)
    return [
        EventOut(
            id=entry.id,
            at=entry.at,
            type=entry.type,
            subject=entry.reference,
            by=by_of(sight, entry),
            facts=facts_of(sight, entry),
        )
        for entry in found
    ]


def look(work: Reading, found: Sequence[Entry]) -> Sight:
    """Read the cases of which something may have to be left out, and no others.

    Those that the reader submitted; and to a body of a State, those in which somebody
    beyond it acted, or was named.
    """
    me = directory.by_id(work, work.actor.focal_point_id)
    others = [entry for entry in found if entry.focal_point_id != me.id]
    people = {entry.focal_point_id for entry in others if entry.focal_point_id}
    offices = directory.by_ids(work, people) if people else {}
    beyond = {one for one, office in offices.items() if is_beyond(me, office)}
    doubtful = {e.case_id for e in others if e.focal_point_id in beyond}
    named = {e.case_id for e in others if ALTERNATIVE in e.facts and me.kind == Kind.STATE}
    others_of = {entry.case_id for entry in others}
    known = cases.by_ids(work, doubtful | named, others_of) if others else {}
    acts = [
        (known[e.case_id], e.focal_point_id, e.at)
        for e in others
        if e.case_id in known and e.focal_point_id
    ]
    names = naming.read(work, acts, named)
    records = [e.record_id for e in others if e.case_id in names.apart]
    openers = referrals.opened_by(work, records) if records else {}
    return Sight(names, known, openers, {o.id: o.code for o in (me, *offices.values())})


def by_of(sight: Sight, entry: Entry) -> str | None:
    """Name who acted; None: the system, or not the reader's to know."""
    who, me = entry.focal_point_id, sight.names.me.id
    if who is None or who == me or entry.case_id not in sight.cases:
        return sight.codes[who] if who else None
    if entry.record_id in sight.opened_by:
        asked = sight.opened_by[entry.record_id] == me
        return sight.codes[who] if asked or who not in sight.names.beyond else None
    return sight.names.name(sight.cases[entry.case_id], who, entry.at)


def facts_of(sight: Sight, entry: Entry) -> dict[str, Any]:
    """Say what came with an entry.

    To a submitter no more than the step, once a lead has the case or it is closed: a reason
    may tell of a fear. To the side of origin not who could help instead.
    """
    me, said = sight.names.me.id, entry.facts
    case = sight.cases.get(entry.case_id)
    if case is None or entry.focal_point_id == me:
        return said
    if case.id in sight.names.apart:
        return {name: fact for name, fact in said.items() if name != ALTERNATIVE}
    led = case.led_since is not None and entry.at >= case.led_since
    if case.only_submitted(me) and (led or said.get("state") == State.CLOSED):
        return {name: fact for name, fact in said.items() if name in TOLD}
    return said
