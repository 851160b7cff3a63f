"""The life cycle of a case as one table (LIFECYCLES.md, section 1).

No step requires formal identification or cooperation with the police, because help does not
depend on either (BR01, BR02).
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from app.deadlines.limits import DeadlineKind
from app.kernel.actors import Role, Side
from app.kernel.lifecycle import AnyOf, Step, Table


class State(StrEnum):
    """The state of a case in its life cycle."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    REFERRING = "referring"
    ASSISTING = "assisting"
    SUSPENDED = "suspended"
    MONITORING = "monitoring"
    CLOSED = "closed"
    VOID = "void"
    ERASED = "erased"


class Stage(StrEnum):
    """The stage of a case, in the terms that practitioners use."""

    IDENTIFICATION = "identification"
    REFERRAL = "referral"
    ASSISTANCE = "assistance"
    CLOSURE = "closure"


class Action(StrEnum):
    """An action on a case.

    `TABLE` has the actions up to `ERASE_AGAIN`. The other actions are not steps of the life
    cycle, and have their own table (`further_actions.py`).
    """

    SUBMIT = "submit"
    DISCARD = "discard"
    WITHDRAW = "withdraw"
    ACKNOWLEDGE = "acknowledge"
    DECLINE_LEAD = "decline_lead"
    REROUTE = "reroute"
    ASSIGN = "assign"
    RECORD_LEAD_CONSENT = "record_lead_consent"
    TAKE_OVER = "take_over"
    ACCEPT_LEAD = "accept_lead"
    BEGIN_ASSISTANCE = "begin_assistance"
    FALL_BACK = "fall_back"
    SUSPEND = "suspend"
    RESUME = "resume"
    MONITOR = "monitor"
    REOPEN_ASSISTANCE = "reopen_assistance"
    CLOSE = "close"
    STOP = "stop"
    REOPEN = "reopen"
    ERASE = "erase"
    ERASE_AGAIN = "erase_again"
    UPDATE_SUMMARY = "update_summary"
    WRITE_SECTION = "write_section"
    WRITE_SAFEGUARDS = "write_safeguards"
    WRITE_CONTACTS = "write_contacts"
    RECORD_SCREENING = "record_screening"
    RECORD_CONSENT = "record_consent"
    WITHDRAW_CONSENTS = "withdraw_consents"
    RECORD_FACT = "record_fact"
    DECLARE_VITAL_INTEREST = "declare_vital_interest"
    ASSESS_RISK = "assess_risk"
    ASK_SUBMITTER = "ask_submitter"
    ANSWER_QUESTION = "answer_question"
    RELOCATE = "relocate"
    REPORT_VISIT = "report_visit"
    REFER = "refer"
    OFFER_HANDOVER = "offer_handover"
    REQUEST_EMERGENCY_ACCESS = "request_emergency_access"
    SET_LEGAL_HOLD = "set_legal_hold"


class Need(StrEnum):
    """A requirement that must hold before a step is taken."""

    SUMMARY = "summary"
    CONSENT_TO_REFER = "consent_to_refer"
    CHILD_PATH = "child_path"
    VITAL_INTEREST = "vital_interest"
    REASON = "reason"
    NOTHING_SENT = "nothing_sent"
    RECIPIENT_SAFE = "recipient_safe"
    NEXT_CANDIDATE = "next_candidate"
    RISK_CURRENT = "risk_current"
    TWO_CONTACTS = "two_contacts"
    REVIEW_DATE = "review_date"
    NOTHING_OPEN = "nothing_open"
    SCHEDULE = "schedule"
    PERSON_INFORMED = "person_informed"
    SECOND_PERSON = "second_person"
    NO_LEGAL_HOLD = "no_legal_hold"
    FOCAL_POINT_CHOSEN = "focal_point_chosen"
    LEAD_FAILING = "lead_failing"
    NOBODY_NAMED = "nobody_named"
    SUBMITTER_GONE = "submitter_gone"
    RETURN_OVER = "return_over"
    REFERRAL_ACCEPTED = "referral_accepted"
    NO_REFERRAL_ACCEPTED = "no_referral_accepted"
    TIME_IS_UP = "time_is_up"
    ERASED_BEFORE = "erased_before"
    NO_OFFER_OPEN = "no_offer_open"
    NO_REQUEST_OPEN = "no_request_open"
    ACCESS_REVIEWED = "access_reviewed"


type Row = Step[State, Action, Need]

_S, _A, _N = State, Action, Need
_OFFICER, _CASEWORKER, _COORDINATOR = Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR
_NEW = {_S.SUBMITTED, _S.UNDER_REVIEW}
_LED = {_S.REFERRING, _S.ASSISTING, _S.SUSPENDED, _S.MONITORING}
_OVER = {_S.CLOSED, _S.VOID}
_MAY_BE_REFERRED = AnyOf((_N.CONSENT_TO_REFER, _N.CHILD_PATH, _N.VITAL_INTEREST))
_MAY_BE_REFERRED_AGAIN = AnyOf((_N.CONSENT_TO_REFER, _N.CHILD_PATH))

# fmt: off
TABLE: Final = Table(_S.DRAFT, (
    #    action                from              to               side               role                     needs
    Step(_A.SUBMIT,            {_S.DRAFT},       _S.SUBMITTED,    {Side.SUBMITTER},  {_OFFICER, _CASEWORKER},
         (_N.SUMMARY, _MAY_BE_REFERRED)),
    Step(_A.DISCARD,           {_S.DRAFT},       _S.VOID,         {Side.SUBMITTER},  {_OFFICER, _CASEWORKER, _COORDINATOR}),
    Step(_A.DISCARD,           {_S.DRAFT},       _S.VOID,         {Side.SYSTEM},     set(),
         (AnyOf((_N.TIME_IS_UP, _N.ERASED_BEFORE)),)),
    Step(_A.WITHDRAW,          {_S.SUBMITTED},   _S.VOID,         {Side.SUBMITTER},  {_OFFICER, _CASEWORKER},
         (_N.REASON, _N.NOTHING_SENT)),
    Step(_A.ACKNOWLEDGE,       {_S.SUBMITTED},   _S.UNDER_REVIEW, {Side.CANDIDATE},  {_CASEWORKER},
         (_N.RECIPIENT_SAFE,)),
    Step(_A.DECLINE_LEAD,      _NEW,             _S.SUBMITTED,    {Side.CANDIDATE},  {_COORDINATOR, _CASEWORKER},
         (_N.REASON,)),
    Step(_A.REROUTE,           _NEW,             _S.SUBMITTED,    {Side.SYSTEM},     set(),
         (_N.NEXT_CANDIDATE,)),
    Step(_A.ASSIGN,            {_S.SUBMITTED},   _S.SUBMITTED,    {Side.DESK},       {_COORDINATOR},
         (_N.REASON, _N.FOCAL_POINT_CHOSEN)),
    Step(_A.RECORD_LEAD_CONSENT, _LED,           None,            {Side.DESK},       {_COORDINATOR},
         (_N.REASON, _N.LEAD_FAILING, _N.NOBODY_NAMED, _N.SECOND_PERSON)),
    Step(_A.RECORD_LEAD_CONSENT, {_S.SUBMITTED}, None,            {Side.DESK},       {_COORDINATOR},
         (_N.REASON, _N.SUBMITTER_GONE, _N.SECOND_PERSON)),
    Step(_A.TAKE_OVER,         _LED,             None,            {Side.DESK},       {_COORDINATOR},
         (_N.REASON, _N.LEAD_FAILING, _N.PERSON_INFORMED, _N.FOCAL_POINT_CHOSEN, _N.SECOND_PERSON)),
    Step(_A.ACCEPT_LEAD,       {_S.UNDER_REVIEW}, _S.REFERRING,   {Side.CANDIDATE},  {_COORDINATOR},
         (_N.RECIPIENT_SAFE, _N.RISK_CURRENT, _N.TWO_CONTACTS)),
    Step(_A.BEGIN_ASSISTANCE,  {_S.REFERRING, _S.MONITORING},
                                                 _S.ASSISTING,    {Side.SYSTEM},     set(),
         (_N.REFERRAL_ACCEPTED,)),
    Step(_A.FALL_BACK,         {_S.ASSISTING},   _S.REFERRING,    {Side.SYSTEM},     set(),
         (_N.NO_REFERRAL_ACCEPTED,)),
    Step(_A.SUSPEND,           {_S.REFERRING, _S.ASSISTING, _S.MONITORING},
                                                 _S.SUSPENDED,    {Side.LEAD},       {_CASEWORKER},
         (_N.REASON, _N.REVIEW_DATE)),
    Step(_A.RESUME,            {_S.SUSPENDED},   _S.REFERRING,    {Side.LEAD},       {_CASEWORKER},
         (_N.RISK_CURRENT,)),
    Step(_A.MONITOR,           {_S.REFERRING, _S.ASSISTING},
                                                 _S.MONITORING,   {Side.LEAD},       {_CASEWORKER},
         (_N.NOTHING_OPEN, _N.SCHEDULE)),
    Step(_A.REOPEN_ASSISTANCE, {_S.MONITORING},  _S.REFERRING,    {Side.LEAD},       {_CASEWORKER},
         (_N.REASON,)),
    Step(_A.CLOSE,             {_S.UNDER_REVIEW} | _LED, _S.CLOSED, {Side.HOLDER},   {_COORDINATOR},
         (_N.REASON, _N.NOTHING_OPEN, _N.RETURN_OVER, _N.PERSON_INFORMED, _N.SECOND_PERSON)),
    Step(_A.STOP,              _NEW | _LED,      _S.CLOSED,       {Side.HOLDER},     {_CASEWORKER},
         (_N.REASON,)),
    Step(_A.STOP,              _LED,             _S.CLOSED,       {Side.DESK},       {_COORDINATOR},
         (_N.REASON, _N.LEAD_FAILING, _N.SECOND_PERSON)),
    Step(_A.REOPEN,            {_S.CLOSED},      _S.REFERRING,    {Side.LEAD},       {_COORDINATOR},
         (_N.REASON, _MAY_BE_REFERRED_AGAIN)),
    Step(_A.ERASE,             _OVER,            _S.ERASED,       {Side.OVERSIGHT},  {Role.PROTECTION_OFFICER},
         (_N.NO_LEGAL_HOLD, _N.SECOND_PERSON)),
    Step(_A.ERASE,             _OVER,            _S.ERASED,       {Side.SYSTEM},     set(),
         (_N.NO_LEGAL_HOLD, _N.TIME_IS_UP)),
    Step(_A.ERASE_AGAIN,       _NEW | _LED | _OVER, _S.ERASED,    {Side.SYSTEM},     set(),
         (_N.ERASED_BEFORE,)),
))

STAGES: Final[dict[State, Stage]] = {
    _S.DRAFT:        Stage.IDENTIFICATION,
    _S.SUBMITTED:    Stage.IDENTIFICATION,
    _S.UNDER_REVIEW: Stage.IDENTIFICATION,
    _S.REFERRING:    Stage.REFERRAL,
    _S.ASSISTING:    Stage.ASSISTANCE,
    _S.SUSPENDED:    Stage.ASSISTANCE,
    _S.MONITORING:   Stage.ASSISTANCE,
    _S.CLOSED:       Stage.CLOSURE,
    _S.VOID:         Stage.CLOSURE,
    _S.ERASED:       Stage.CLOSURE,
}

CLOCKS: Final[dict[State, tuple[DeadlineKind, Side]]] = {
    _S.DRAFT:        (DeadlineKind.FINISH_DRAFT, Side.SUBMITTER),
    _S.SUBMITTED:    (DeadlineKind.ACKNOWLEDGE,  Side.HOLDER),
    _S.UNDER_REVIEW: (DeadlineKind.DECIDE_LEAD,  Side.HOLDER),
    _S.REFERRING:    (DeadlineKind.REVIEW_RISK,  Side.HOLDER),
    _S.ASSISTING:    (DeadlineKind.REVIEW_RISK,  Side.HOLDER),
    _S.SUSPENDED:    (DeadlineKind.REVIEW,       Side.HOLDER),
    _S.MONITORING:   (DeadlineKind.MONITOR,      Side.HOLDER),
    _S.CLOSED:       (DeadlineKind.ERASE,        Side.SYSTEM),
    _S.VOID:         (DeadlineKind.ERASE,        Side.SYSTEM),
}

ANSWERS: Final[dict[DeadlineKind, frozenset[Action]]] = {
    DeadlineKind.FINISH_DRAFT:   frozenset({_A.SUBMIT, _A.DISCARD}),
    DeadlineKind.ACKNOWLEDGE:    frozenset({_A.ACKNOWLEDGE, _A.DECLINE_LEAD, _A.ASSIGN}),
    DeadlineKind.DECIDE_LEAD:    frozenset({_A.ACCEPT_LEAD, _A.DECLINE_LEAD}),
    DeadlineKind.REVIEW_RISK:    frozenset({_A.ASSESS_RISK}),
    DeadlineKind.REVIEW:         frozenset({_A.RESUME}),
    DeadlineKind.MONITOR:        frozenset({_A.REPORT_VISIT}),
    DeadlineKind.REVIEW_CLOSURE: frozenset({_A.CLOSE, _A.REOPEN_ASSISTANCE}),
}
"""The actions that complete the task of each deadline of a case."""

EVENTS: Final[dict[Action, str]] = {
    _A.SUBMIT:            "case.submitted",
    _A.DISCARD:           "case.discarded",
    _A.WITHDRAW:          "case.withdrawn",
    _A.ACKNOWLEDGE:       "case.acknowledged",
    _A.DECLINE_LEAD:      "case.lead_declined",
    _A.REROUTE:           "case.rerouted",
    _A.ASSIGN:            "case.assigned",
    _A.RECORD_LEAD_CONSENT: "case.lead_consent_recorded",
    _A.TAKE_OVER:         "case.taken_over",
    _A.ACCEPT_LEAD:       "case.lead_accepted",
    _A.BEGIN_ASSISTANCE:  "case.assistance_begun",
    _A.FALL_BACK:         "case.referring_again",
    _A.SUSPEND:           "case.suspended",
    _A.RESUME:            "case.resumed",
    _A.MONITOR:           "case.monitoring_begun",
    _A.REOPEN_ASSISTANCE: "case.assistance_reopened",
    _A.CLOSE:             "case.closed",
    _A.STOP:              "case.stopped",
    _A.REOPEN:            "case.reopened",
    _A.ERASE:             "case.erased",
    _A.ERASE_AGAIN:       "case.erased_again",
}
# fmt: on

WITH_A_CANDIDATE: Final = frozenset(_NEW)
UNLED: Final = WITH_A_CANDIDATE | {_S.DRAFT}
LED: Final = frozenset(_LED)
OPEN: Final = WITH_A_CANDIDATE | LED
OVER: Final = frozenset(_OVER)


def get_stage(state: State, *, suspended_while_referring: bool) -> Stage:
    """Return the stage of a case; a suspended case keeps its previous stage."""
    if state == State.SUSPENDED and suspended_while_referring:
        return Stage.REFERRAL
    return STAGES[state]


def list_states(stages: Iterable[Stage]) -> frozenset[State]:
    """Return the states that belong to the stages.

    Here, `SUSPENDED` always belongs to the stage of assistance, unlike in `get_stage`.
    """
    wanted = set(stages)
    return frozenset(state for state, stage in STAGES.items() if stage in wanted)
