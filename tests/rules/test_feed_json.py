"""JSON that is written without schema objects equals the JSON of the schema objects."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from app.cases.lifecycle import Stage, State
from app.cases.schemas import Summary
from app.deadlines.limits import DeadlineKind
from app.feed import worklist
from app.feed.cursors import Feed
from app.feed.queries import FeedPosition
from app.feed.schemas import EventOut, EventPage, WorkCase, Worklist, WorkOut
from app.feed.situation import EventFields, render_page, show_entry
from app.feed.stored_entries import format_id, parse_facts
from app.kernel.file_keys import FileKeys
from app.kernel.paging import CursorUnknown, encrypt_cursor
from app.kernel.stored_names import SERVED_DEADLINES, STORED_FACTS, EventFacts
from app.kernel.vault import Vault

TIMES = st.datetimes(timezones=st.just(UTC))
TEXTS = st.text(max_size=20)
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), TEXTS, st.lists(TEXTS))
FACTS = st.dictionaries(TEXTS, VALUES, max_size=4)
EVENTS = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "at": TIMES,
        "type": TEXTS,
        "subject": TEXTS,
        "by": st.none() | TEXTS,
        "facts": FACTS,
    }
).map(lambda event: {name: event[name] for name in EventFields.__annotations__})
CASE = WorkCase(
    code="SC-7K3F-9QXM-4T2B-3",
    stage=Stage.IDENTIFICATION,
    state=State.SUBMITTED,
    summary=Summary(
        country="KZ",
        age_class=None,
        language="uz",
        priority=None,
        services=["SHELTER"],
        urgent_needs=[],
        safe_contact=None,
    ),
    sender=None,
)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    folder: Path = tmp_path_factory.mktemp("vault")
    return Vault(FileKeys.create(folder / "keys"))


@given(events=st.lists(EVENTS, max_size=4), head=st.integers(0, 9))
def test_page_of_the_feed_equals_that_of_the_schema(
    vault: Vault, events: list[EventFields], head: int
) -> None:
    mark = FeedPosition(Feed(vault, UUID(int=1), "0a1b2c3d"), 0, head, 0)
    last = len(events)
    page = EventPage(
        items=[EventOut.model_validate(event) for event in events],
        cursor=mark.format_cursor(last),
        more=last < head,
    )

    written = render_page(mark, list(enumerate(events, start=1)))

    assert written == page.model_dump_json().encode()


@given(
    kind=st.sampled_from(DeadlineKind),
    subject=TEXTS,
    due_at=TIMES,
    set_at=TIMES,
    case_id=st.uuids(),
    has_case=st.booleans(),
    after=st.none() | TEXTS,
)
def test_worklist_equals_that_of_the_schema(  # noqa: PLR0913 - each is a value of a task
    *,
    kind: DeadlineKind,
    subject: str,
    due_at: datetime,
    set_at: datetime,
    case_id: UUID,
    has_case: bool,
    after: str | None,
) -> None:
    row = SimpleNamespace(
        kind=kind, reference=subject, due_at=due_at, set_at=set_at, case_id=case_id.hex
    )
    task = WorkOut(
        subject=subject,
        kind=kind,
        due_at=due_at,
        waiting_since=set_at,
        case=CASE if has_case else None,
    )

    fields = worklist.show_task(row, {case_id: CASE} if has_case else {})

    expected = Worklist(items=[task, task], next=after).model_dump_json().encode()
    assert worklist.format_worklist([fields, fields], after) == expected


@given(identifier=st.uuids())
def test_id_is_written_like_a_uuid_on_both_databases(identifier: UUID) -> None:
    assert format_id(identifier.hex) == format_id(str(identifier)) == str(identifier)


@given(facts=FACTS, renamed=st.sampled_from(sorted(STORED_FACTS.values())))
def test_stored_facts_are_parsed_as_their_column_does(
    facts: dict[str, object], renamed: str
) -> None:
    stored = facts | {renamed: min(SERVED_DEADLINES)}
    column = EventFacts().result_processor(sqlite.dialect(), None)
    assert column is not None

    assert parse_facts(json.dumps(stored)) == column(json.dumps(stored))


def test_entry_without_hidden_parts_keeps_its_author_and_facts() -> None:
    at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    row = SimpleNamespace(
        id=UUID(int=7).hex,
        at=at,
        type="case.told",
        reference="cases/1",
        code="KZ_LEAD",
        facts='{"state": "closed"}',
        is_recipient=False,
    )

    assert show_entry(None, row) == {
        "id": str(UUID(int=7)),
        "at": at,
        "type": "case.told",
        "subject": "cases/1",
        "by": "KZ_LEAD",
        "facts": {"state": "closed"},
    }


def test_forged_cursor_of_other_bytes_is_unknown(vault: Vault) -> None:
    """A cursor with invalid contents is refused. An earlier key can forge one (ADR 84)."""
    feed = Feed(vault, UUID(int=1), "0a1b2c3d")
    cursor = encrypt_cursor(vault, b"\xff" * 16, feed.context)

    with pytest.raises(CursorUnknown):
        feed.read_cursor(cursor, head=9)
