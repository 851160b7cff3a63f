"""A notice outlives an outage, a clock that was wrong and a contact that is shut."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.deadlines.limits import Priority
from app.outbox.lifecycle import State
from app.outbox.pacing import JOINED, MOST
from tests.postmen import Mood, Post, outbox, post_of, states, tells
from tests.world import Someone, World

pytestmark = pytest.mark.slow


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    with post_of(world) as made:
        yield made


def fails_until(post: Post, weight: int) -> None:
    """Let the one message that waits be refused, until it weighs so much."""
    post.mail.mood = lambda: Mood.BUSY
    while (waits := outbox(post.world)[0]).weight < weight:
        post.world.now = max(post.world.now, waits.due_at)
        post.leaves()


def test_who_is_called_on_late_in_an_outage_is_not_given_up_with_who_was_early(
    post: Post, officer: Someone
) -> None:
    tells(officer, "KZ_LEGAL_AID")
    fails_until(post, MOST - 1)
    tells(officer, "KZ_LEGAL_AID", urgency=Priority.EMERGENCY)
    post.leaves()
    post.all_leaves(timedelta(hours=2))
    down = [one.state for one in outbox(post.world)]
    post.mail.mood = lambda: Mood.TAKES
    post.all_leaves(timedelta(minutes=5))

    assert down == [State.DEAD, State.WAITING]
    assert len(post.mail.given) == 1


@pytest.mark.parametrize(("weight", "messages"), [(JOINED - 1, 1), (JOINED, 2)])
def test_a_notice_joins_what_has_half_of_its_tries_before_it(
    post: Post, officer: Someone, weight: int, messages: int
) -> None:
    tells(officer, "KZ_LEGAL_AID")
    fails_until(post, weight)
    for _ in "12":
        tells(officer, "KZ_LEGAL_AID")
    post.mail.mood = lambda: Mood.TAKES
    post.all_leaves(timedelta(hours=2))

    assert states(post.world) == [("KZ_LEGAL_AID_MAIL", "sent")] * messages
    assert len(post.mail.given) == messages
