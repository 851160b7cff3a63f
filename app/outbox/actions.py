"""Putting something into the outbox, taking it in hand, and saying what came of it.

What is sent is taken in hand in one transaction, sent outside of any, and settled in
another. Between the two a process may die: then it is open whether it arrived, and it is
not sent again before its window is over.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.deadlines.limits import Priority
from app.kernel.actors import Side
from app.kernel.db import hold
from app.kernel.lifecycle import take
from app.kernel.work import Writing
from app.outbox import queries
from app.outbox.lifecycle import TABLE, Action, State
from app.outbox.models import Outgoing, Way
from app.outbox.pacing import (
    LONGEST_TRY,
    WEIGHT,
    Outcome,
    earliest,
    is_over,
    pause,
    window_for,
)

SYSTEM: Final = frozenset({Side.SYSTEM})
LUCK_BITS: Final = 32
CODE: Final = 40
"""Characters of a code that are kept."""


@dataclass(frozen=True)
class Answer:
    """What came of a try, and the code that says so: a number or a name, never a text."""

    outcome: Outcome
    code: str


def queue(
    work: Writing,
    way: Way,
    recipient: str,
    urgency: Priority = Priority.NORMAL,
    instead_of: UUID | None = None,
) -> Outgoing:
    """Let something leave; what waits to go to the same recipient goes for both.

    Only what is not in hand yet, for a message that left before this cannot tell of it, nor
    soon given up. One that is more urgent does not wait for the longer window. Take turns
    for a recipient. The time is that of senders, by the clock of the database.
    """
    now = work.ground.time(work.session)
    found = queries.lock_waiting(work, way, recipient)
    if found is None:
        outgoing = Outgoing(
            id=work.new_id(),
            way=way,
            recipient=recipient,
            urgency=urgency,
            state=TABLE.start,
            queued_at=now,
            due_at=now,
            tries=0,
            weight=0,
            instead_of=instead_of,
        )
        work.session.add(outgoing)
        work.session.flush()
        return outgoing
    ranks = list(Priority)
    if ranks.index(urgency) < ranks.index(found.urgency):
        found.urgency, found.due_at = urgency, min(found.due_at, now)
    return found


def must_wait(work: Writing, outgoing: Outgoing, window: timedelta) -> bool:
    """Put something off whose recipient was sent something within the window.

    It counts as waiting from the end of the window on: until then nothing is wrong.
    Senders take turns for a recipient, or two would each find that nothing was sent.
    """
    hold(work.session, f"outgoing:{outgoing.way}:{outgoing.recipient}")
    last = queries.last_left(work, outgoing)
    free_at = earliest(last, window, outgoing.urgency)
    if free_at is None or free_at <= work.now:
        return False
    outgoing.due_at = outgoing.queued_at = free_at
    return True


def is_lost(outgoing: Outgoing) -> bool:
    """Weigh a try of which nobody said what came of it; say whether that was the last."""
    if outgoing.state != State.SENDING:
        return False
    outgoing.weight += WEIGHT[Outcome.UNKNOWN]
    return is_over(outgoing.weight)


def claim(work: Writing, outgoing: Outgoing, window: timedelta) -> UUID:
    """Take something in hand: until its window is over nobody sends it again."""
    step(outgoing, Action.CLAIM)
    outgoing.tries += 1
    outgoing.left_at = work.now + LONGEST_TRY
    outgoing.due_at = outgoing.left_at + window_for(window, outgoing.urgency)
    outgoing.claim = work.new_id()
    return outgoing.claim


def settle(work: Writing, outgoing: Outgoing, answer: Answer) -> bool:
    """Say what came of a try; False: it was the last one, and it is given up."""
    code = answer.code[:CODE]
    match answer.outcome:
        case Outcome.DELIVERED:
            step(outgoing, Action.DELIVER)
            outgoing.left_at = outgoing.ended_at = work.now
            outgoing.trouble = None
        case Outcome.UNKNOWN:  # weighed when it is claimed again, like one that died
            outgoing.trouble = code
        case Outcome.REFUSED | Outcome.REJECTED:
            outgoing.weight += WEIGHT[answer.outcome]
            outgoing.trouble, outgoing.left_at = code, None
            if is_over(outgoing.weight):
                give_up(work, outgoing)
                return False
            step(outgoing, Action.RETRY)
            outgoing.due_at = work.now + pause(outgoing.weight, luck(work))
    return True


def luck(work: Writing) -> float:
    """Draw a number between 0 and 1."""
    sides = 1 << LUCK_BITS
    return (work.new_id().int % sides) / sides


def give_up(work: Writing, outgoing: Outgoing) -> None:
    """Let something be dead: whoever does this raises the alarm."""
    step(outgoing, Action.GIVE_UP)
    outgoing.ended_at = work.now


def drop(work: Writing, outgoing: Outgoing) -> None:
    """Let something go nowhere, since its recipient is not to be written to any more."""
    step(outgoing, Action.DROP)
    outgoing.ended_at = work.now


def step(outgoing: Outgoing, action: Action) -> None:
    """Take a step of the table."""
    take(outgoing, TABLE.find(outgoing.state, action, SYSTEM, frozenset()))
