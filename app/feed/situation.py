"""Events as one office may see them: the feed of the office, and the history of a case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.cases.grants import Grant
from app.cases.lifecycle import State
from app.cases.models import Case
from app.cases.unchecked_queries import load_by_ids
from app.consents import office_names
from app.consents.office_names import OfficeNames
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind, may_be_abroad
from app.feed import queries as feed_queries
from app.feed.queries import Delivered, FeedPosition
from app.feed.schemas import EventOut, EventPage, HistoryPage
from app.kernel.journal import Delivery, Entry
from app.kernel.paging import PageQuery, load_page
from app.kernel.transactions import ReadTransaction
from app.referrals import queries as referral_queries

SUBMITTER_FACTS: Final = frozenset({"state", "question"})
"""Facts that a submitter may always see, because they reveal no reasons (R12)."""
ALTERNATIVE, ACTIVE = "alternative", "active"
IDENTIFYING_FACTS: Final = frozenset({ALTERNATIVE, ACTIVE})
"""Facts that identify an office: an alternative office, and whether the office that missed
a deadline is active, because the directory shows which offices are active."""
HELPER_EVENTS: Final = frozenset(
    {
        "case.risk_assessed",
        "case.fact_recorded",
        "consent.withdrawn",
        "case.emergency_access_requested",
        "case.emergency_access_ended",
    }
)
"""Events of a case that a helping office can cause, besides the events of its referral."""


@dataclass(frozen=True)
class EntryView:
    """The data that is needed to decide which parts of entries the reader may see.

    For cases in which the reader may belong to the country of origin, `opened_by` maps each
    referral to the office that opened it.
    """

    names: OfficeNames
    cases: Mapping[UUID, Case]
    opened_by: Mapping[UUID, UUID | None]


type News = Sequence[tuple[int, EventOut]]
"""Events with their positions in the feed."""


def list_news(tx: ReadTransaction, mark: FeedPosition, limit: int) -> News:
    """List the events after the cursor with their positions, in the order of commits."""
    rows = feed_queries.list_new(tx, mark, limit)
    return list(zip([row.position for row in rows], show_entries(tx, rows), strict=True))


def build_page(mark: FeedPosition, found: News) -> EventPage:
    """Return a page of the events that were found after the cursor."""
    last = found[-1][0] if found else mark.start
    items = [event for _, event in found]
    return EventPage(items=items, cursor=mark.format_cursor(last), more=last < mark.head)


def load_history(tx: ReadTransaction, case: Case, query: PageQuery) -> HistoryPage:
    """List a case's events for the caller; a bad cursor raises CursorUnknown (422)."""
    statement = feed_queries.select_entries(tx).where(Entry.case_id == case.id)
    keys, name = (Delivery.position,), f"history {case.id}"
    rows, after = load_page(tx, statement, keys, query, name=name)
    items = show_entries(tx, rows)
    return HistoryPage(items=items, next=after)


def show_entries(tx: ReadTransaction, rows: Sequence[Delivered]) -> list[EventOut]:
    """Return entries as events, with only those facts that the reader may see now."""
    view = load_view(tx, rows)
    return [
        EventOut(
            id=row.id,
            at=row.at,
            type=row.type,
            subject=row.reference,
            by=row.code if may_name(view, row) else None,
            facts=get_visible_facts(view, row),
        )
        for row in rows
    ]


def load_view(tx: ReadTransaction, rows: Sequence[Delivered]) -> EntryView:
    """Load the data of the cases for which a part of an entry may have to be hidden.

    A part may have to be hidden from the submitter of a case, if an entry has a reason or
    the submitter may no longer follow the case. A part may also have to be hidden from an
    office of a State, if an office outside that State may help in the case.
    """
    reader = directory_queries.by_id(tx, tx.actor.focal_point_id)
    entries = [row for row in rows if row.focal_point_id != reader.id]
    beyond = {e.case_id for e in entries if e.code and may_be_abroad(reader, e)}
    doubtful = {e.case_id for e in entries if e.case_id in beyond and may_help(e)}
    identifying = [e for e in entries if may_identify_office(e)]
    named = {e.case_id for e in identifying if reader.kind == OfficeKind.STATE}
    reasoned = {entry.case_id for entry in entries if entry.facts.keys() - SUBMITTER_FACTS}
    all_cases = {entry.case_id for entry in entries}
    known = load_by_ids(tx, doubtful | named, reasoned, all_cases) if entries else {}
    if not known:
        return EntryView(OfficeNames(reader, {}, frozenset(), frozenset()), {}, {})
    acts = [
        (known[e.case_id], e.focal_point_id, e.at)
        for e in entries
        if e.case_id in known and e.focal_point_id
    ]
    names = office_names.load_names(tx, acts, named)
    records = [e.record_id for e in entries if e.case_id in names.origin_cases]
    openers = referral_queries.get_openers(tx, records) if records else {}
    return EntryView(names, known, openers)


def may_help(entry: Delivered) -> bool:
    """Return whether the author of an entry may be an office that helps the person."""
    return entry.type in HELPER_EVENTS or entry.type.startswith(("referral.", "return."))


def may_identify_office(entry: Delivered) -> bool:
    """Return whether facts may identify an office that did not cause the event."""
    return ALTERNATIVE in entry.facts or entry.facts.get(ACTIVE) is False


def may_name(view: EntryView, entry: Delivered) -> bool:
    """Return whether the reader may know which office caused an event."""
    actor, reader = entry.focal_point_id, view.names.reader.id
    if actor is None or actor == reader or entry.case_id not in view.cases:
        return True
    if entry.record_id in view.opened_by:
        is_opener = view.opened_by[entry.record_id] == reader
        return is_opener or actor not in view.names.foreign
    case, as_party = view.cases[entry.case_id], entry.record_id == entry.case_id
    return view.names.may_name(case, actor, entry.at, as_party=as_party)


def get_visible_facts(view: EntryView, entry: Delivered) -> dict[str, Any]:
    """Return the facts of an entry that the reader may see.

    A submitter sees no reasons if the case has a lead, is closed or has crossed a border,
    because reasons may reveal what the person fears. An office of the country of origin
    sees no fact that identifies a helping office.
    """
    reader, facts = view.names.reader.id, entry.facts
    case = view.cases.get(entry.case_id)
    if case is None or entry.focal_point_id == reader:
        return facts
    if reader == case.submitter and not may_see_all_facts(case, reader, entry):
        return {name: fact for name, fact in facts.items() if name in SUBMITTER_FACTS}
    if case.id in view.names.origin_cases:
        return {name: fact for name, fact in facts.items() if name not in IDENTIFYING_FACTS}
    return facts


def may_see_all_facts(case: Case, submitter: UUID, entry: Delivered) -> bool:
    """Return whether the submitter of a case may see all facts of an entry.

    An entry about a referral or handover reached the submitter as a party of that record,
    so all its facts are visible. For an entry about the case, the submitter must have had a
    grant at the time of the entry: for a closure `CLOSING_FACTS`, otherwise `EVENT_FACTS`.
    """
    if entry.record_id != case.id:
        return True
    closed = entry.facts.get("state") == State.CLOSED
    grant = Grant.CLOSING_FACTS if closed else Grant.EVENT_FACTS
    return case.is_granted_at(submitter, grant, entry.at)
