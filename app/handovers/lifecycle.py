"""The life cycle of a handover of the lead, as one table (LIFECYCLES.md, section 3)."""

from enum import StrEnum
from typing import Final

from app.deadlines.limits import DeadlineKind
from app.kernel.actors import Role, Side
from app.kernel.lifecycle import AnyOf, Step, Table


class State(StrEnum):
    """The states of a handover."""

    OFFERED = "offered"
    EFFECTIVE = "effective"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Action(StrEnum):
    """The actions on a handover; the action `offer` creates it."""

    OFFER = "offer"
    ACCEPT = "accept"
    DECLINE = "decline"
    CANCEL = "cancel"
    EXPIRE = "expire"


class Need(StrEnum):
    """The requirements that the steps of a handover can have."""

    CASE_LED = "case_led"
    CONSENT = "consent"
    CHILD_PATH = "child_path"
    RECIPIENT_SAFE = "recipient_safe"
    AGREEMENT = "agreement"
    ORIGIN_PERMITTED = "origin_permitted"
    REASON = "reason"
    TWO_CONTACTS = "two_contacts"
    CAPACITY = "capacity"
    TIME_IS_UP = "time_is_up"


type Row = Step[State, Action, Need]

_S, _A, _N = State, Action, Need
_LEAD, _CANDIDATE, _SYSTEM = Side.LEAD, Side.HANDOVER_CANDIDATE, Side.SYSTEM
_COORDINATOR = {Role.COORDINATOR}
_WORKERS = {Role.CASEWORKER, Role.COORDINATOR}
_NEW: frozenset[State] = frozenset()
_EACH_TIME = (
    _N.CASE_LED,
    AnyOf((_N.CONSENT, _N.CHILD_PATH)),
    _N.RECIPIENT_SAFE,
    _N.AGREEMENT,
    _N.ORIGIN_PERMITTED,
)
"""Requirements that are checked at the offer and again when the lead is accepted."""

# fmt: off
OFFER: Final = Step(
    #    action       from           to            by                role          needs
         _A.OFFER,    _NEW,          _S.OFFERED,   {_LEAD},          _COORDINATOR, (*_EACH_TIME, _N.REASON))
TABLE: Final = Table(_S.OFFERED, (
    OFFER,
    Step(_A.ACCEPT,   {_S.OFFERED},  _S.EFFECTIVE, {_CANDIDATE},     _COORDINATOR, (*_EACH_TIME, _N.TWO_CONTACTS, _N.CAPACITY)),
    Step(_A.DECLINE,  {_S.OFFERED},  _S.DECLINED,  {_CANDIDATE},     _WORKERS,     (_N.REASON,)),
    Step(_A.CANCEL,   {_S.OFFERED},  _S.CANCELLED, {_LEAD, _SYSTEM}, _WORKERS),
    Step(_A.EXPIRE,   {_S.OFFERED},  _S.EXPIRED,   {_SYSTEM},        set(),        (_N.TIME_IS_UP,)),
))

CLOCKS: Final[dict[State, tuple[DeadlineKind, Side]]] = {
    _S.OFFERED: (DeadlineKind.ANSWER_HANDOVER, Side.HANDOVER_CANDIDATE),
}

ANSWERS: Final[dict[DeadlineKind, frozenset[Action]]] = {
    DeadlineKind.ANSWER_HANDOVER: frozenset({_A.ACCEPT, _A.DECLINE}),
}
"""The actions that complete the task of each deadline of a handover."""

EVENTS: Final[dict[Action, str]] = {
    _A.OFFER:   "handover.offered",
    _A.ACCEPT:  "handover.accepted",
    _A.DECLINE: "handover.declined",
    _A.CANCEL:  "handover.cancelled",
    _A.EXPIRE:  "handover.expired",
}
# fmt: on
