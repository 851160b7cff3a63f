"""Helpers that read the position of an office's feed and the cursors of its events."""

from app.feed.cursors import Feed
from app.feed.queries import get_feed
from tests.support.world import Someone, make_cursor_query, unwrap


def get_position(who: Someone) -> tuple[Feed, int]:
    """Return the feed of a person's office, and the position of its newest event."""
    with who.begin_read() as tx:
        return get_feed(tx, who.id)


def read_cursors(who: Someone) -> list[str]:
    """Return the cursor that follows each event of a feed, oldest first."""
    cursors: list[str] = []
    more = True
    while more:
        page = unwrap(
            who.get(
                "/events", limit=1, **make_cursor_query(cursors[-1] if cursors else None)
            )
        )
        more = page["more"]
        cursors += [page["cursor"]] * len(page["items"])
    return cursors
