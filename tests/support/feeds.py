"""Feeds of offices: the present position, and the cursors of the events."""

from app.feed.cursors import Feed
from app.feed.queries import reach
from tests.support.world import Someone, after, done


def stand_of(who: Someone) -> tuple[Feed, int]:
    """Return the feed of a person's office and its last position."""
    with who.reading() as work:
        return reach(work, who.id)


def read_cursors(who: Someone) -> list[str]:
    """Return the cursor behind each event of a feed, from the first event on."""
    cursors: list[str] = []
    more = True
    while more:
        page = done(who.get("/events", limit=1, **after(cursors[-1] if cursors else None)))
        more = page["more"]
        cursors += [page["next"]] * len(page["items"])
    return cursors
