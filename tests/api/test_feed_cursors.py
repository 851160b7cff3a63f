"""Feed cursors reveal nothing about the feed, and cursors of older versions still work."""

import re
from typing import Final

from tests.support.account_changes import add
from tests.support.databases import EPOCH
from tests.support.feeds import get_position, read_cursors
from tests.support.webhook_receivers import create_webhook
from tests.support.world import Someone, World, get_problem, list_types, unwrap

OPAQUE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
UNKNOWN: Final = (422, "cursor-unknown")


def test_a_cursor_or_entity_tag_tells_neither_epoch_nor_number(
    officer: Someone, lead: Someone
) -> None:
    """Cursors and entity tags show neither the epoch of the database nor a position.

    Cursors have the same length, and differ between offices at the same position.
    """
    for _ in range(6):
        lead.take_lead(officer.submit())
    mine, theirs = read_cursors(lead), read_cursors(officer)
    page = lead.get("/events", after=mine[9])
    tags = {page.headers["ETag"], lead.get("/events", after=mine[8]).headers["ETag"]}

    assert len(set(mine)) == len(mine) > 10
    assert all(OPAQUE.fullmatch(one) for one in (*mine, *theirs))
    assert not set(mine) & set(theirs)
    assert all(re.fullmatch(r'"[0-9a-f]{32}"', tag) for tag in tags)
    assert len(tags) == 2


def test_the_same_position_has_the_same_cursor_in_each_process(
    officer: Someone, lead: Someone
) -> None:
    """All processes give a position the same cursor, so a client can use any process."""
    officer.submit()
    first = unwrap(lead.get("/events"))["cursor"]
    other = World(lead.world.url)

    assert unwrap(other.add_person("KZ_LEAD").get("/events"))["cursor"] == first


def test_cursors_of_earlier_versions_are_accepted_wherever_one_is_taken(
    officer: Someone, lead: Someone, supervisor: Someone, world: World
) -> None:
    lead.take_lead(officer.submit())
    _, head = get_position(lead)
    every = unwrap(lead.get("/events"))["items"]
    path = f"/webhooks/{create_webhook(world, 'KZ_LEAD').id}/replay"

    for position in range(head + 1):
        old = f"{EPOCH}.{position}"
        page = unwrap(lead.get("/events", after=old))
        assert page["items"][: len(every) - position] == every[position:]
        assert (
            unwrap(add(supervisor, path, {"after": old}))["undelivered"] >= head - position
        )
    listened = lead.get("/events/stream", after=f"{EPOCH}.{head + 99}")
    beyond = lead.get("/events", after=f"{EPOCH}.{head + 99}")
    assert get_problem(beyond) == get_problem(listened) == (410, "cursor-gone")


def test_a_cursor_that_was_changed_anywhere_is_refused(
    officer: Someone, lead: Someone
) -> None:
    officer.submit()
    cursor = unwrap(lead.get("/events"))["cursor"]
    changed = {
        f"{cursor[:at]}{letter}{cursor[at + 1 :]}"
        for at in range(len(cursor))
        for letter in "AZaz09-_"
    }

    refused = [lead.get("/events", after=one) for one in sorted(changed - {cursor})]

    assert len(refused) > 300
    assert {get_problem(one) for one in refused} == {UNKNOWN}


def test_a_cursor_of_another_feed_or_list_is_refused(
    officer: Someone, lead: Someone, supervisor: Someone, world: World
) -> None:
    case = lead.take_lead(officer.submit())
    theirs = unwrap(officer.get("/events"))["cursor"]
    history = unwrap(lead.get(f"/cases/{case['code']}/history", limit=1))["next"]
    path = f"/webhooks/{create_webhook(world, 'KZ_LEAD').id}/replay"

    refused = [
        *(lead.get("/events", after=one) for one in (theirs, history, theirs[:-1])),
        *(lead.get("/events/stream", after=one) for one in (theirs, history)),
        *(add(supervisor, path, {"after": one}) for one in (theirs, history)),
    ]

    assert {get_problem(one) for one in refused} == {UNKNOWN}


def test_a_message_is_replayed_from_the_cursor_that_it_brought(
    officer: Someone, lead: Someone, supervisor: Someone, world: World
) -> None:
    path = f"/webhooks/{create_webhook(world, 'KZ_LEAD').id}"
    officer.submit()
    officer.submit()
    [first, _] = read_cursors(lead)
    replayed = unwrap(add(supervisor, f"{path}/replay", {"after": first}))

    assert replayed["cursor"] == first
    assert replayed["undelivered"] == 1
    assert "webhook.replayed" in list_types(lead.poll())
