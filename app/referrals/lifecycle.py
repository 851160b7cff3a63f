"""The life cycle of a referral, as one table (LIFECYCLES.md, section 2)."""

from enum import StrEnum
from typing import Final

from app.deadlines.limits import DeadlineKind
from app.kernel.actors import Role, Side
from app.kernel.lifecycle import AnyOf, Step, Table


class State(StrEnum):
    """The states of a referral."""

    DRAFT = "draft"
    SENT = "sent"
    RECEIVED = "received"
    INFO_REQUESTED = "info_requested"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    DECLINED = "declined"
    REDIRECTED = "redirected"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Action(StrEnum):
    """The actions on a referral."""

    SEND = "send"
    ACKNOWLEDGE = "acknowledge"
    ASK = "ask"
    ANSWER = "answer"
    ACCEPT = "accept"
    DECLINE = "decline"
    REDIRECT = "redirect"
    START = "start"
    HOLD = "hold"
    RESUME = "resume"
    REPORT = "report"
    COMPLETE = "complete"
    WITHDRAW = "withdraw"
    REVOKE = "revoke"
    CONFIRM_DELETION = "confirm_deletion"
    EXPIRE = "expire"


class Need(StrEnum):
    """The requirements that the steps of a referral can have."""

    CASE_OPEN = "case_open"
    CONSENT = "consent"
    CHILD_PATH = "child_path"
    VITAL_INTEREST = "vital_interest"
    RISK_CURRENT = "risk_current"
    RECIPIENT_SAFE = "recipient_safe"
    AGREEMENT = "agreement"
    ORIGIN_PERMITTED = "origin_permitted"
    REFLECTION_TOLD = "reflection_told"
    NOT_ALREADY_ASKED = "not_already_asked"
    QUESTION = "question"
    CONSENT_TO_ANSWER = "consent_to_answer"
    TWO_CONTACTS = "two_contacts"
    MEETING = "meeting"
    REASON = "reason"
    ALTERNATIVE = "alternative"
    PERSON_MET = "person_met"
    REVIEW_DATE = "review_date"
    OUTCOME = "outcome"
    FEEDBACK = "feedback"
    TIME_IS_UP = "time_is_up"
    RETURN_CLEARED = "return_cleared"
    RETURN_DONE = "return_done"


type Row = Step[State, Action, Need]

_S, _A, _N = State, Action, Need
_SENDER, _RECIPIENT, _SYSTEM = Side.SENDER, Side.RECIPIENT, Side.SYSTEM
_WORKERS = {Role.CASEWORKER, Role.COORDINATOR}
_ARRIVED = {_S.SENT, _S.RECEIVED}
_UNDECIDED = _ARRIVED | {_S.INFO_REQUESTED}
_ALIVE = _UNDECIDED | {_S.ACCEPTED, _S.IN_PROGRESS, _S.ON_HOLD}
_STOPPED = {_S.WITHDRAWN, _S.DECLINED, _S.REVOKED, _S.EXPIRED, _S.REDIRECTED}
_MAY_BE_TOLD = AnyOf((_N.CONSENT, _N.CHILD_PATH, _N.VITAL_INTEREST))

# fmt: off
TABLE: Final = Table(_S.DRAFT, (
    #    action               from                       to                 by             role       needs
    Step(_A.SEND,             {_S.DRAFT},                _S.SENT,           {_SENDER},     _WORKERS,
         (_N.CASE_OPEN, _MAY_BE_TOLD, _N.RISK_CURRENT, _N.RECIPIENT_SAFE, _N.AGREEMENT, _N.ORIGIN_PERMITTED,
          _N.REFLECTION_TOLD, _N.NOT_ALREADY_ASKED)),
    Step(_A.ACKNOWLEDGE,      {_S.SENT},                 _S.RECEIVED,       {_RECIPIENT},  _WORKERS),
    Step(_A.ASK,              _ARRIVED,                  _S.INFO_REQUESTED, {_RECIPIENT},  _WORKERS, (_N.QUESTION,)),
    Step(_A.ANSWER,           {_S.INFO_REQUESTED},       _S.RECEIVED,       {_SENDER},     _WORKERS,
         (_N.CONSENT_TO_ANSWER, _N.AGREEMENT)),
    Step(_A.ACCEPT,           _ARRIVED,                  _S.ACCEPTED,       {_RECIPIENT},  _WORKERS,
         (_MAY_BE_TOLD, _N.RECIPIENT_SAFE, _N.TWO_CONTACTS, _N.MEETING)),
    Step(_A.DECLINE,          _UNDECIDED | {_S.ACCEPTED}, _S.DECLINED,      {_RECIPIENT},  _WORKERS, (_N.REASON,)),
    Step(_A.REDIRECT,         _ARRIVED,                  _S.REDIRECTED,     {_RECIPIENT},  _WORKERS, (_N.REASON, _N.ALTERNATIVE)),
    Step(_A.START,            {_S.ACCEPTED},             _S.IN_PROGRESS,    {_RECIPIENT},  _WORKERS, (_N.PERSON_MET, _N.RETURN_CLEARED)),
    Step(_A.HOLD,             {_S.IN_PROGRESS},          _S.ON_HOLD,        {_RECIPIENT},  _WORKERS, (_N.REASON, _N.REVIEW_DATE)),
    Step(_A.RESUME,           {_S.ON_HOLD},              _S.IN_PROGRESS,    {_RECIPIENT},  _WORKERS),
    Step(_A.REPORT,           {_S.IN_PROGRESS},          None,              {_RECIPIENT},  _WORKERS, (_N.FEEDBACK,)),
    Step(_A.COMPLETE,         {_S.IN_PROGRESS},          _S.COMPLETED,      {_RECIPIENT},  _WORKERS, (_N.OUTCOME, _N.FEEDBACK, _N.RETURN_DONE)),
    Step(_A.WITHDRAW,         _ALIVE,                    _S.WITHDRAWN,      {_SENDER, _SYSTEM}, _WORKERS, (_N.REASON,)),
    Step(_A.REVOKE,           {_S.DRAFT, _S.ACCEPTED} | _UNDECIDED, _S.REVOKED, {_SENDER}, _WORKERS, (_N.REASON,)),
    Step(_A.CONFIRM_DELETION, _STOPPED,                  None,              {_RECIPIENT},  _WORKERS),
    Step(_A.EXPIRE,           _UNDECIDED,                _S.EXPIRED,        {_SYSTEM},     set(),    (_N.TIME_IS_UP,)),
))

CLOCKS: Final[dict[State, tuple[DeadlineKind, Side]]] = {
    _S.DRAFT:          (DeadlineKind.FINISH_DRAFT,     Side.SENDER),
    _S.SENT:           (DeadlineKind.ACKNOWLEDGE,      Side.RECIPIENT),
    _S.RECEIVED:       (DeadlineKind.DECIDE_REFERRAL,  Side.RECIPIENT),
    _S.INFO_REQUESTED: (DeadlineKind.ANSWER,           Side.SENDER),
    _S.ACCEPTED:       (DeadlineKind.MEET_PERSON,      Side.RECIPIENT),
    _S.IN_PROGRESS:    (DeadlineKind.GIVE_FEEDBACK,    Side.RECIPIENT),
    _S.ON_HOLD:        (DeadlineKind.REVIEW,           Side.RECIPIENT),
    _S.WITHDRAWN:      (DeadlineKind.CONFIRM_DELETION, Side.RECIPIENT),
    _S.DECLINED:       (DeadlineKind.CONFIRM_DELETION, Side.RECIPIENT),
    _S.REVOKED:        (DeadlineKind.CONFIRM_DELETION, Side.RECIPIENT),
    _S.EXPIRED:        (DeadlineKind.CONFIRM_DELETION, Side.RECIPIENT),
    _S.REDIRECTED:     (DeadlineKind.CONFIRM_DELETION, Side.RECIPIENT),
}

ANSWERS: Final[dict[DeadlineKind, frozenset[Action]]] = {
    DeadlineKind.FINISH_DRAFT:     frozenset({_A.SEND, _A.REVOKE}),
    DeadlineKind.ACKNOWLEDGE:      frozenset({_A.ACKNOWLEDGE, _A.ACCEPT, _A.DECLINE, _A.REDIRECT, _A.ASK}),
    DeadlineKind.DECIDE_REFERRAL:  frozenset({_A.ACCEPT, _A.DECLINE, _A.REDIRECT, _A.ASK}),
    DeadlineKind.ANSWER:           frozenset({_A.ANSWER}),
    DeadlineKind.MEET_PERSON:      frozenset({_A.START}),
    DeadlineKind.GIVE_FEEDBACK:    frozenset({_A.REPORT, _A.COMPLETE}),
    DeadlineKind.REVIEW:           frozenset({_A.RESUME}),
    DeadlineKind.CONFIRM_DELETION: frozenset({_A.CONFIRM_DELETION}),
}
"""The actions that complete the task of each deadline of a referral."""

EVENTS: Final[dict[Action, str]] = {
    _A.SEND:             "referral.sent",
    _A.ACKNOWLEDGE:      "referral.acknowledged",
    _A.ASK:              "referral.asked",
    _A.ANSWER:           "referral.answered",
    _A.ACCEPT:           "referral.accepted",
    _A.DECLINE:          "referral.declined",
    _A.REDIRECT:         "referral.redirected",
    _A.START:            "referral.started",
    _A.HOLD:             "referral.held",
    _A.RESUME:           "referral.resumed",
    _A.REPORT:           "referral.reported",
    _A.COMPLETE:         "referral.completed",
    _A.WITHDRAW:         "referral.withdrawn",
    _A.REVOKE:           "referral.revoked",
    _A.CONFIRM_DELETION: "referral.deletion_confirmed",
    _A.EXPIRE:           "referral.expired",
}
# fmt: on

OPEN: Final = frozenset(_ALIVE)
HELPED: Final = frozenset({_S.ACCEPTED, _S.IN_PROGRESS, _S.ON_HOLD, _S.COMPLETED})
AT_WORK: Final = frozenset({_S.ACCEPTED, _S.IN_PROGRESS, _S.ON_HOLD})
ASKED: Final = frozenset(_UNDECIDED)
TAKEN_BACK: Final = frozenset({_S.WITHDRAWN, _S.REVOKED})
"""States of a referral that the sender or the system ended."""
STOPPED: Final = frozenset(_STOPPED)
"""States in which the recipient cannot open any section, and can read the referral only
until it confirms that it deleted its copy."""
