"""The life cycle of a message in the outbox (R53)."""

from enum import StrEnum
from typing import Final

from app.kernel.actors import Side
from app.kernel.lifecycle import Step, Table


class State(StrEnum):
    """The state of a message in the outbox."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"


class Action(StrEnum):
    """An action on a message of the outbox."""

    CLAIM = "claim"
    DELIVER = "deliver"
    RETRY = "retry"
    GIVE_UP = "give_up"
    DROP = "drop"


class Need(StrEnum):
    """The requirements of the actions on a message; there are none."""


OPEN: Final = frozenset({State.WAITING, State.SENDING})
FAILED: Final = frozenset({State.DEAD, State.DROPPED})
_S, _A = State, Action
_SENDER: Final = frozenset({Side.SYSTEM})

# A claim commits SENDING before the message is sent. If its outcome is never stored, the
# message is claimed again once its window is over.
# fmt: off
TABLE: Final[Table[State, Action, Need]] = Table(
    start=_S.WAITING,
    steps=(
        Step(_A.CLAIM,   OPEN,          _S.SENDING, _SENDER),
        Step(_A.DELIVER, {_S.SENDING},  _S.SENT,    _SENDER),
        Step(_A.RETRY,   {_S.SENDING},  _S.WAITING, _SENDER),
        Step(_A.GIVE_UP, {_S.SENDING},  _S.DEAD,    _SENDER),
        Step(_A.DROP,    OPEN,          _S.DROPPED, _SENDER),
    ),
)
# fmt: on
