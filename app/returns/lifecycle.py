"""The twelve steps of an assisted voluntary return, as one table (LIFECYCLES.md; N32).

The person can refuse at every step before the departure. The system ends a return that has
lost its basis, for example when the consent is withdrawn or the case ends.
"""

from enum import StrEnum
from typing import Final

from app.deadlines.limits import DeadlineKind
from app.kernel.actors import Role, Side
from app.kernel.lifecycle import Step, Table


class State(StrEnum):
    """The states of a return."""

    OPENED = "opened"
    INFORMED = "informed"
    PERMITTED = "permitted"
    ASSESSING = "assessing"
    CLEARED = "cleared"
    DOCUMENTED = "documented"
    PLANNING = "planning"
    PLANNED = "planned"
    IN_TRANSIT = "in_transit"
    ARRIVED = "arrived"
    MONITORING = "monitoring"
    COMPLETED = "completed"
    NO_GO = "no_go"
    CALLED_OFF = "called_off"
    HALTED = "halted"
    ENDED = "ended"


class Action(StrEnum):
    """The actions on a return. Most belong to one of the twelve steps (`STEPS`)."""

    INFORM = "inform"
    PERMIT_CONTACT = "permit_contact"
    VERIFY_NATIONALITY = "verify_nationality"
    ASSESS_DESTINATION = "assess_destination"
    ASSESS_ORIGIN = "assess_origin"
    DETERMINE_INTERESTS = "determine_interests"
    RECEIVE_CHILD = "receive_child"
    GO = "go"
    REOPEN = "reopen"
    NO_GO = "no_go"
    ISSUE_DOCUMENT = "issue_document"
    PLAN = "plan"
    ACCEPT_PLAN = "accept_plan"
    DEPART = "depart"
    ARRIVE = "arrive"
    MONITOR = "monitor"
    REPORT = "report"
    FINISH = "finish"
    CALL_OFF = "call_off"
    END = "end"
    LOCATE = "locate"


class Need(StrEnum):
    """The requirements that the steps of a return can have."""

    UNDER_WAY = "under_way"
    LEAD_READY = "lead_ready"
    STILL_CLEARED = "still_cleared"
    RETURN_CONSENT = "return_consent"
    INFORMATION = "information"
    CONTACT_PERMITTED = "contact_permitted"
    IDENTITY_CONSENT = "identity_consent"
    FAMILY_CONSENT = "family_consent"
    CHILD = "child"
    INTERESTS_DETERMINED = "interests_determined"
    CHILD_RECEPTION = "child_reception"
    NATIONALITY_CONFIRMED = "nationality_confirmed"
    RISKS_CURRENT = "risks_current"
    NO_THREAT = "no_threat"
    CHILD_PROVIDED_FOR = "child_provided_for"
    GUARDIAN = "guardian"
    REFLECTION_OVER = "reflection_over"
    SECOND_PERSON = "second_person"
    REASON = "reason"
    PROTECTION = "protection"
    NO_MARKER = "no_marker"
    TWO_CONTACTS = "two_contacts"
    ARRIVAL = "arrival"
    ARRIVAL_AHEAD = "arrival_ahead"
    ESCORT = "escort"
    ESCORTED = "escorted"
    PERSON_AGREES = "person_agrees"
    RECONFIRMED = "reconfirmed"
    PERSON_MET = "person_met"
    SCHEDULE = "schedule"
    VISITS_OVER = "visits_over"
    RECIPIENT_GONE = "recipient_gone"


type Row = Step[State, Action, Need]

_S, _A, _N = State, Action, Need
_LEAD, _RECIPIENT, _SYSTEM = {Side.LEAD}, {Side.RECIPIENT}, {Side.SYSTEM}
_CONSULATE = {Side.CONSULATE}
_WORKERS = {Role.CASEWORKER, Role.COORDINATOR}
_OFFICERS = _WORKERS | {Role.OFFICER}
_ALL_SIDES = {Side.LEAD, Side.RECIPIENT, Side.CONSULATE}
_ON_THE_WAY_TO_GO = {_S.OPENED, _S.INFORMED, _S.PERMITTED, _S.ASSESSING}
_CLEARED = {_S.CLEARED, _S.DOCUMENTED, _S.PLANNING, _S.PLANNED}
_BEFORE_DEPARTURE = _ON_THE_WAY_TO_GO | _CLEARED
_ASSESSABLE = _CLEARED | {_S.ASSESSING}
_STILL = (
    _N.UNDER_WAY,
    _N.RETURN_CONSENT,
    _N.CONTACT_PERMITTED,
    _N.RISKS_CURRENT,
    _N.NO_THREAT,
    _N.CHILD_PROVIDED_FOR,
    _N.GUARDIAN,
)
"""The requirements of the lead's steps GO, PLAN and DEPART.

The other sides have the single requirement `still_cleared` instead, so that the State of
origin does not learn which requirement is unmet, which could reveal a threat or a fear.
"""

# fmt: off
TABLE: Final = Table(_S.OPENED, (
    #    action                  from                           to              side          role         needs
    Step(_A.INFORM,              {_S.OPENED},                   _S.INFORMED,    _LEAD,        _WORKERS,
         (_N.UNDER_WAY, _N.RETURN_CONSENT, _N.INFORMATION)),
    Step(_A.PERMIT_CONTACT,      {_S.INFORMED},                 _S.PERMITTED,   _LEAD,        _WORKERS,
         (_N.UNDER_WAY, _N.CONTACT_PERMITTED)),
    Step(_A.VERIFY_NATIONALITY,  {_S.PERMITTED, _S.ASSESSING},  _S.ASSESSING,   _CONSULATE,   _OFFICERS,
         (_N.LEAD_READY, _N.IDENTITY_CONSENT)),
    Step(_A.ASSESS_DESTINATION,  _ASSESSABLE,                   None,           _LEAD,        _WORKERS, (_N.UNDER_WAY,)),
    Step(_A.ASSESS_ORIGIN,       _ASSESSABLE,                   None,           _RECIPIENT,   _WORKERS,
         (_N.LEAD_READY, _N.FAMILY_CONSENT)),
    Step(_A.DETERMINE_INTERESTS, _ASSESSABLE,                   None,           _LEAD,        _WORKERS,
         (_N.UNDER_WAY, _N.CHILD, _N.INTERESTS_DETERMINED)),
    Step(_A.RECEIVE_CHILD,       _ASSESSABLE,                   None,           _RECIPIENT,   _WORKERS,
         (_N.LEAD_READY, _N.CHILD_RECEPTION)),
    Step(_A.GO,                  {_S.ASSESSING},                _S.CLEARED,     _LEAD,        {Role.COORDINATOR},
         (*_STILL, _N.NATIONALITY_CONFIRMED, _N.REFLECTION_OVER, _N.SECOND_PERSON)),
    Step(_A.REOPEN,              _CLEARED,                      _S.ASSESSING,   _SYSTEM),
    Step(_A.NO_GO,               _BEFORE_DEPARTURE,             _S.NO_GO,       _LEAD,        {Role.COORDINATOR},
         (_N.REASON, _N.PROTECTION, _N.SECOND_PERSON)),
    Step(_A.ISSUE_DOCUMENT,      {_S.CLEARED},                  _S.DOCUMENTED,  _CONSULATE,   _OFFICERS,
         (_N.STILL_CLEARED, _N.IDENTITY_CONSENT, _N.NO_MARKER)),
    Step(_A.PLAN,                {_S.DOCUMENTED, _S.PLANNING, _S.PLANNED}, _S.PLANNING, _LEAD, _WORKERS,
         (*_STILL, _N.TWO_CONTACTS, _N.ARRIVAL, _N.PERSON_AGREES, _N.ESCORT)),
    Step(_A.ACCEPT_PLAN,         {_S.PLANNING},                 _S.PLANNED,     _RECIPIENT,   _WORKERS,
         (_N.STILL_CLEARED, _N.ARRIVAL_AHEAD)),
    Step(_A.DEPART,              {_S.PLANNED},                  _S.IN_TRANSIT,  _LEAD,        _WORKERS,
         (*_STILL, _N.ARRIVAL_AHEAD, _N.RECONFIRMED, _N.ESCORTED)),
    Step(_A.ARRIVE,              {_S.IN_TRANSIT},               _S.ARRIVED,     _RECIPIENT,   _WORKERS, (_N.PERSON_MET,)),
    Step(_A.MONITOR,             {_S.ARRIVED},                  _S.MONITORING,  _RECIPIENT,   _WORKERS, (_N.SCHEDULE,)),
    Step(_A.REPORT,              {_S.MONITORING},               None,           _RECIPIENT,   _WORKERS),
    Step(_A.REPORT,              {_S.MONITORING},               None,           _LEAD,        _WORKERS, (_N.RECIPIENT_GONE,)),
    Step(_A.FINISH,              {_S.MONITORING},               _S.COMPLETED,   _SYSTEM,      set(), (_N.VISITS_OVER,)),
    Step(_A.CALL_OFF,            _BEFORE_DEPARTURE,             _S.CALLED_OFF,  _ALL_SIDES,   _OFFICERS),
    Step(_A.END,                 _BEFORE_DEPARTURE | {_S.ARRIVED, _S.MONITORING}, _S.ENDED, _SYSTEM),
    Step(_A.END,                 {_S.IN_TRANSIT},               _S.HALTED,      _SYSTEM),
    Step(_A.LOCATE,         {_S.HALTED},                   _S.ENDED,       _LEAD,        _WORKERS, (_N.PERSON_MET,)),
))

CLOCKS: Final[dict[State, tuple[DeadlineKind, Side]]] = {
    _S.OPENED:     (DeadlineKind.REVIEW,          Side.LEAD),
    _S.INFORMED:   (DeadlineKind.REVIEW,          Side.LEAD),
    _S.PERMITTED:  (DeadlineKind.REVIEW,          Side.CONSULATE),
    _S.ASSESSING:  (DeadlineKind.REVIEW,          Side.LEAD),
    _S.CLEARED:    (DeadlineKind.REVIEW,          Side.CONSULATE),
    _S.DOCUMENTED: (DeadlineKind.REVIEW,          Side.LEAD),
    _S.PLANNING:   (DeadlineKind.REVIEW,          Side.RECIPIENT),
    _S.PLANNED:    (DeadlineKind.REVIEW,          Side.LEAD),
    _S.IN_TRANSIT: (DeadlineKind.CONFIRM_ARRIVAL, Side.RECIPIENT),
    _S.HALTED:     (DeadlineKind.CONFIRM_ARRIVAL, Side.LEAD),
    _S.ARRIVED:    (DeadlineKind.MONITOR,         Side.RECIPIENT),
    _S.MONITORING: (DeadlineKind.MONITOR,         Side.RECIPIENT),
}

ANSWERS: Final[dict[State, frozenset[Action]]] = {
    _S.OPENED:     frozenset({_A.INFORM}),
    _S.INFORMED:   frozenset({_A.PERMIT_CONTACT}),
    _S.PERMITTED:  frozenset({_A.VERIFY_NATIONALITY}),
    _S.ASSESSING:  frozenset({_A.GO, _A.NO_GO}),
    _S.CLEARED:    frozenset({_A.ISSUE_DOCUMENT}),
    _S.DOCUMENTED: frozenset({_A.PLAN}),
    _S.PLANNING:   frozenset({_A.ACCEPT_PLAN}),
    _S.PLANNED:    frozenset({_A.DEPART}),
    _S.IN_TRANSIT: frozenset({_A.ARRIVE}),
    _S.HALTED:     frozenset({_A.LOCATE}),
    _S.ARRIVED:    frozenset({_A.MONITOR}),
    _S.MONITORING: frozenset({_A.REPORT}),
}
"""The actions that complete the task of the deadline in each state of a return."""

EVENTS: Final[dict[Action, str]] = {
    _A.INFORM:              "return.informed",
    _A.PERMIT_CONTACT:      "return.contact_permitted",
    _A.VERIFY_NATIONALITY:  "return.nationality_verified",
    _A.ASSESS_DESTINATION:  "return.destination_assessed",
    _A.ASSESS_ORIGIN:       "return.origin_assessed",
    _A.DETERMINE_INTERESTS: "return.interests_determined",
    _A.RECEIVE_CHILD:       "return.child_received",
    _A.GO:                  "return.cleared",
    _A.REOPEN:              "return.reopened",
    _A.NO_GO:               "return.refused",
    _A.ISSUE_DOCUMENT:      "return.document_issued",
    _A.PLAN:                "return.planned",
    _A.ACCEPT_PLAN:         "return.plan_accepted",
    _A.DEPART:              "return.departed",
    _A.ARRIVE:              "return.arrived",
    _A.MONITOR:             "return.monitoring_begun",
    _A.REPORT:              "return.reported",
    _A.FINISH:              "return.completed",
    _A.CALL_OFF:            "return.called_off",
    _A.END:                 "return.ended",
    _A.LOCATE:         "return.person_located",
}

STEPS: Final[dict[Action, int]] = {
    _A.INFORM: 1, _A.PERMIT_CONTACT: 2, _A.VERIFY_NATIONALITY: 3, _A.ASSESS_DESTINATION: 4,
    _A.ASSESS_ORIGIN: 5, _A.DETERMINE_INTERESTS: 6, _A.RECEIVE_CHILD: 6, _A.GO: 7, _A.NO_GO: 7,
    _A.ISSUE_DOCUMENT: 8, _A.PLAN: 9, _A.ACCEPT_PLAN: 9, _A.DEPART: 10, _A.ARRIVE: 11,
    _A.MONITOR: 12, _A.REPORT: 12,
}
"""The number of the step to which an action belongs, from 1 to 12 (docs/returns.md)."""
# fmt: on

CANCELLED: Final = frozenset({_S.NO_GO, _S.CALLED_OFF, _S.HALTED, _S.ENDED})
"""States in which the recipient no longer sees the return or the reason for its end."""
OPEN: Final = frozenset(State) - {_S.COMPLETED, _S.NO_GO, _S.CALLED_OFF, _S.ENDED}
GOING: Final = OPEN - {_S.HALTED}
BEFORE_DEPARTURE: Final = frozenset(_BEFORE_DEPARTURE)
ON_THE_WAY_TO_GO: Final = frozenset(_ON_THE_WAY_TO_GO)
DECIDED: Final = frozenset(_CLEARED) | {_S.IN_TRANSIT, _S.ARRIVED}
FOR_THE_CONSULATE: Final = frozenset({_S.PERMITTED, _S.ASSESSING, _S.CLEARED})
"""States in which the consulate sees its task, which ends when the document is issued.

A later state would reveal the day on which the person departs (R12).
"""
