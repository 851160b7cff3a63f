"""Events as one office may see them: the feed of the office, and the history of a case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypedDict
from uuid import UUID

from pydantic_core import to_json

from app.cases.grants import Grant
from app.cases.lifecycle import State
from app.cases.models import Case
from app.cases.unchecked_queries import LIMITED, LIMITED_FACTS, load_by_ids
from app.consents import office_names
from app.consents.office_names import OfficeNames
from app.directory.kinds import OfficeKind, may_be_abroad
from app.feed import queries as feed_queries
from app.feed.queries import Delivered, FeedPosition
from app.feed.schemas import EventOut, HistoryPage
from app.feed.stored_entries import describe_office, format_id, parse_facts
from app.kernel.journal import Delivery, Entry
from app.kernel.paging import PageQuery, load_page
from app.kernel.transactions import ReadTransaction
from app.referrals import queries as referral_queries
from app.referrals.lifecycle import TAKEN_BACK
from app.referrals.situation import SHOWN_REASON

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

    `cases` contains the cases with entries that may have to be hidden in part, by the text
    of their ids. For cases in which the reader may belong to the country of origin,
    `opened_by` maps each referral to the office that opened it.
    """

    names: OfficeNames
    cases: Mapping[str, Case]
    opened_by: Mapping[UUID, UUID | None]


@dataclass(frozen=True)
class EntryIds:
    """The ids of the record and the author of an entry."""

    record: UUID
    author: UUID | None

    @classmethod
    def parse(cls, entry: Delivered) -> "EntryIds":
        """Return the ids of an entry, which are stored as texts in its row."""
        author = entry.author_id
        return cls(UUID(entry.record_id), UUID(author) if author else None)


class EventFields(TypedDict):
    """The fields of `EventOut`, from which JSON is made without creating the object."""

    id: str
    at: datetime
    type: str
    subject: str
    by: str | None
    facts: Mapping[str, Any]


type News = Sequence[tuple[int, EventFields]]
"""Events with their positions in the feed."""


def list_news(tx: ReadTransaction, mark: FeedPosition, limit: int) -> News:
    """List the events after the cursor with their positions, in the order of commits."""
    rows = feed_queries.list_new(tx, mark, limit)
    return list(zip([row.position for row in rows], show_entries(tx, rows), strict=True))


def render_page(mark: FeedPosition, found: News) -> bytes:
    """Return the JSON of `EventPage`, with the events that were found after the cursor."""
    last = found[-1][0] if found else mark.start
    items = [event for _, event in found]
    page = {"items": items, "cursor": mark.format_cursor(last), "more": last < mark.head}
    return to_json(page)


def load_history(tx: ReadTransaction, case: Case, query: PageQuery) -> HistoryPage:
    """List a case's events for the caller, or raise CursorUnknown (422)."""
    statement = feed_queries.select_entries(tx).where(Entry.case_id == case.id)
    keys, name = (Delivery.position,), f"history {case.id}"
    rows, after = load_page(tx, statement, keys, query, name=name)
    items = [EventOut.model_validate(event) for event in show_entries(tx, rows)]
    return HistoryPage(items=items, next=after)


def show_entries(tx: ReadTransaction, rows: Sequence[Delivered]) -> list[EventFields]:
    """Return entries as events, with only those facts that the reader may see now."""
    view = load_view(tx, rows)
    return [show_entry(view, row) for row in rows]


def show_entry(view: EntryView | None, entry: Delivered) -> EventFields:
    """Return an entry as an event, for an office with a view of the cases that need one.

    If the office's referral was taken back, the event has the same author and reason for
    every cause, because the cause may be that the person fears the office (R12).
    """
    by, facts = entry.code, parse_facts(entry.facts)
    if view and entry.case_id in view.cases and not entry.is_own:
        ids = EntryIds.parse(entry)
        by = by if may_name(view, entry, ids) else None
        facts = get_visible_facts(view, entry, ids, facts)
    if entry.is_recipient and facts["state"] in TAKEN_BACK:
        by, facts = by if entry.is_own else None, {**facts, "reason": SHOWN_REASON}
    return {
        "id": format_id(entry.id),
        "at": entry.at,
        "type": entry.type,
        "subject": entry.reference,
        "by": by,
        "facts": facts,
    }


def load_view(tx: ReadTransaction, rows: Sequence[Delivered]) -> EntryView | None:
    """Load the data of the cases for which a part of an entry may have to be hidden.

    A part may have to be hidden from the submitter, if an entry has a reason or the
    submitter may no longer follow the case, and from an office that reads a snapshot. A
    part may also have to be hidden from an office of a State, if an office outside that
    State may help, or if facts may identify one. Returns None if there is no such case.
    """
    entries = [row for row in rows if not row.is_own]
    authors = {e.author_id: e for e in entries}  # few offices cause most entries
    abroad = {author for author, e in authors.items() if is_from_abroad(e)}
    beyond = {e.case_id for e in entries if e.author_id in abroad}
    doubtful = {e.case_id for e in entries if e.case_id in beyond and may_help(e)}
    named = {e.case_id for e in entries if is_of_state(e) and may_identify_office(e)}
    limited = {e.case_id for e in entries if is_limited(e)}
    wanted = doubtful | named | limited
    if not wanted:
        return None
    found = load_by_ids(tx, map(UUID, wanted))
    known = {one: found[UUID(one)] for one in wanted if UUID(one) in found}
    mine = [
        (known[e.case_id], EntryIds.parse(e), e.at) for e in entries if e.case_id in known
    ]
    acts = [(case, ids.author, at) for case, ids, at in mine if ids.author]
    names = office_names.load_names(tx, acts, {UUID(one) for one in named})
    records = [ids.record for case, ids, _ in mine if case.id in names.origin_cases]
    openers = referral_queries.get_openers(tx, records) if records else {}
    return EntryView(names, known, openers)


def is_limited(entry: Delivered) -> bool:
    """Return whether a part of an entry may have to be hidden due to the reader's limit."""
    if entry.limit == LIMITED_FACTS:
        return not parse_facts(entry.facts).keys() <= SUBMITTER_FACTS
    return entry.limit == LIMITED


def is_of_state(entry: Delivered) -> bool:
    """Return whether the reader of an entry is an office of a State."""
    return entry.reader_kind == OfficeKind.STATE


def is_from_abroad(entry: Delivered) -> bool:
    """Return whether the author of an entry may be outside the State of the reader."""
    if entry.kind is None or entry.serves is None:
        return False
    reader = describe_office(entry.reader_kind, entry.reader_state, "[]")
    return may_be_abroad(reader, describe_office(entry.kind, entry.of_state, entry.serves))


def may_help(entry: Delivered) -> bool:
    """Return whether the author of an entry may be an office that helps the person."""
    return entry.type in HELPER_EVENTS or entry.type.startswith(("referral.", "return."))


def may_identify_office(entry: Delivered) -> bool:
    """Return whether the facts of an entry may identify an office other than its author."""
    facts = parse_facts(entry.facts)
    return ALTERNATIVE in facts or facts.get(ACTIVE) is False


def may_name(view: EntryView, entry: Delivered, ids: EntryIds) -> bool:
    """Return whether the reader may learn which other office caused an event."""
    actor, reader, case = ids.author, view.names.reader.id, view.cases[entry.case_id]
    if actor is None:
        return True
    if ids.record in view.opened_by:
        is_opener = view.opened_by[ids.record] == reader
        return is_opener or actor not in view.names.foreign
    return view.names.may_name(case, actor, entry.at, as_party=ids.record == case.id)


def get_visible_facts(
    view: EntryView, entry: Delivered, ids: EntryIds, facts: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the facts that the reader may see in an entry that another office caused.

    A submitter sees no reasons in an entry about a closure, nor in an entry recorded after
    a lead took the case or the person crossed a border, because reasons may reveal what the
    person fears. An office that may belong to the State of origin sees no fact that
    identifies a helping office.
    """
    reader, case = view.names.reader.id, view.cases[entry.case_id]
    if reader == case.submitter and not may_see_all_facts(case, reader, entry, ids):
        return {name: fact for name, fact in facts.items() if name in SUBMITTER_FACTS}
    if case.id in view.names.origin_cases:
        return {name: fact for name, fact in facts.items() if name not in IDENTIFYING_FACTS}
    return facts


def may_see_all_facts(case: Case, submitter: UUID, entry: Delivered, ids: EntryIds) -> bool:
    """Return whether the submitter of a case may see all facts of an entry.

    An entry about a referral or handover reached the submitter as a party of that record,
    so all its facts are visible. For an entry about the case, the submitter must have had a
    grant at the time of the entry: for a closure `CLOSING_FACTS`, otherwise `EVENT_FACTS`.
    """
    if ids.record != case.id:
        return True
    closed = parse_facts(entry.facts).get("state") == State.CLOSED
    grant = Grant.CLOSING_FACTS if closed else Grant.EVENT_FACTS
    return case.is_granted_at(submitter, grant, entry.at)
