"""Functions that add messages to the outbox, claim them, and store the outcome of attempts.

A message is claimed in one transaction and sent outside of it; its outcome is stored in a
second transaction. If the process dies in between, the message is sent again after its
window (the minimum time between two messages), although it may have arrived.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.deadlines.limits import Priority
from app.kernel.actors import Side
from app.kernel.db import lock_name
from app.kernel.lifecycle import apply_step
from app.kernel.transactions import WriteTransaction
from app.outbox import pacing
from app.outbox import queries as outbox_queries
from app.outbox.lifecycle import TABLE, Action, State
from app.outbox.models import MessageChannel, Outgoing
from app.outbox.pacing import Outcome

SYSTEM: Final = frozenset({Side.SYSTEM})
JITTER_BITS: Final = 32
MAX_CODE_LENGTH: Final = 40
"""The maximum length of a stored code, in characters; longer codes are cut."""


@dataclass(frozen=True)
class Answer:
    """The outcome of an attempt to send, with its code: a number or an error name."""

    outcome: Outcome
    code: str


def add_message(
    tx: WriteTransaction,
    way: MessageChannel,
    recipient: str,
    urgency: Priority = Priority.NORMAL,
    instead_of: UUID | None = None,
) -> Outgoing:
    """Add a message to the outbox, or return the message already queued for this recipient.

    A message that is being sent is not returned, because it may have arrived already. A
    message that has failed often is not returned, because it may soon be given up. If the
    new message is more urgent, the queued message gets its urgency and becomes due at once.
    The caller has to lock the recipient.
    """
    now = tx.runtime.time(tx.session)
    found = outbox_queries.lock_waiting(tx, way, recipient)
    if found is None:
        outgoing = Outgoing(
            id=tx.create_id(),
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
        tx.session.add(outgoing)
        tx.session.flush()
        return outgoing
    ranks = list(Priority)
    if ranks.index(urgency) < ranks.index(found.urgency):
        found.urgency, found.due_at = urgency, min(found.due_at, now)
    return found


def apply_window(tx: WriteTransaction, outgoing: Outgoing, window: timedelta) -> bool:
    """Postpone a message if the window after the last message to its recipient is not over.

    Returns whether the message was postponed. Its waiting time is then counted from the end
    of the window, because the delay is intended. The recipient is locked, so that two
    processes cannot both find that no message was sent.
    """
    lock_name(tx.session, f"outgoing:{outgoing.way}:{outgoing.recipient}")
    left_at = outbox_queries.get_last_sent_time(tx, outgoing)
    free_at = pacing.get_earliest(left_at, window, outgoing.urgency)
    if free_at is None or free_at <= tx.now:
        return False
    outgoing.due_at = outgoing.queued_at = free_at
    return True


def add_unknown_outcome(outgoing: Outgoing) -> bool:
    """Add the weight of an unknown outcome if needed; return whether to give a message up.

    A due message in the state `sending` has an earlier attempt whose outcome is unknown.
    """
    if outgoing.state != State.SENDING:
        return False
    outgoing.weight += pacing.WEIGHT[Outcome.UNKNOWN]
    return pacing.is_given_up(outgoing.weight)


def claim(tx: WriteTransaction, outgoing: Outgoing, window: timedelta) -> UUID:
    """Claim a message, so that no other process sends it, and return the id of the claim.

    The claim ends when the longest possible attempt and the window after it are over.
    """
    apply_action(outgoing, Action.CLAIM)
    outgoing.tries += 1
    outgoing.left_at = tx.now + pacing.LONGEST_TRY
    outgoing.due_at = outgoing.left_at + pacing.compute_window(window, outgoing.urgency)
    outgoing.claim = tx.create_id()
    return outgoing.claim


def store_outcome(tx: WriteTransaction, outgoing: Outgoing, answer: Answer) -> bool:
    """Store the outcome of an attempt; return False if the message was given up."""
    code = answer.code[:MAX_CODE_LENGTH]
    match answer.outcome:
        case Outcome.DELIVERED:
            apply_action(outgoing, Action.DELIVER)
            outgoing.left_at = outgoing.ended_at = tx.now
            outgoing.trouble = None
        case Outcome.UNKNOWN:  # the weight is added at the next claim
            outgoing.trouble = code
        case Outcome.REFUSED | Outcome.REJECTED:
            outgoing.weight += pacing.WEIGHT[answer.outcome]
            outgoing.trouble, outgoing.left_at = code, None
            if pacing.is_given_up(outgoing.weight):
                set_dead(tx, outgoing)
                return False
            apply_action(outgoing, Action.RETRY)
            outgoing.due_at = tx.now + pacing.compute_pause(outgoing.weight, get_jitter(tx))
    return True


def get_jitter(tx: WriteTransaction) -> float:
    """Return a random number that is at least 0 and less than 1."""
    size = 1 << JITTER_BITS
    return (tx.create_id().int % size) / size


def set_dead(tx: WriteTransaction, outgoing: Outgoing) -> None:
    """Mark a message as given up. The caller has to log this."""
    apply_action(outgoing, Action.GIVE_UP)
    outgoing.ended_at = tx.now


def drop(tx: WriteTransaction, outgoing: Outgoing) -> None:
    """Mark a message as dropped, because its recipient is no longer in use."""
    apply_action(outgoing, Action.DROP)
    outgoing.ended_at = tx.now


def apply_action(outgoing: Outgoing, action: Action) -> None:
    """Apply an action of the life cycle to a message of the outbox."""
    apply_step(outgoing, TABLE.find(outgoing.state, action, SYSTEM, frozenset()))
