"""What may happen to something that is to leave the system: one table (R53)."""

from enum import StrEnum
from typing import Final

from app.kernel.actors import Side
from app.kernel.lifecycle import Step, Table


class State(StrEnum):
    """Where something that is to leave stands."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"


class Action(StrEnum):
    """What the sender does with it."""

    CLAIM = "claim"
    DELIVER = "deliver"
    RETRY = "retry"
    GIVE_UP = "give_up"
    DROP = "drop"


class Need(StrEnum):
    """What a step needs: nothing."""


OPEN: Final = frozenset({State.WAITING, State.SENDING})
_S, _A = State, Action
_SENDER: Final = frozenset({Side.SYSTEM})

# Who claims something commits SENDING before a word goes out. Should nobody ever say what
# came of it, it is claimed anew once it may be sent again: never within its window.
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
