"""The actions on a case that are not steps of its life cycle, as one table.

They change the case file, or create a record of the case. None of them changes the state.
"""

from typing import Final

from app.cases.lifecycle import LED, OPEN, TABLE, UNLED, Action, Need, Row, State
from app.kernel.actors import CASE_ROLES, Role, Side
from app.kernel.lifecycle import ActionIllegal, Step, Table

WRITERS: Final = frozenset({Role.OFFICER, Role.CASEWORKER})
"""The roles at the submitter that may create a case and, until it has a lead, change its
summary and record screenings, consents, facts and declarations of a vital interest."""
OPENING_ROLES: Final = frozenset({Role.CASEWORKER, Role.COORDINATOR})
"""The roles that may open referrals and returns."""

_A, _S, _N = Action, State, Need
_SUBMITTER, _LEAD, _HOLDER = {Side.SUBMITTER}, {Side.LEAD}, {Side.HOLDER}
_RECIPIENT, _OVERSIGHT = {Side.RECIPIENT}, {Side.OVERSIGHT}
_ASSESSING = _SUBMITTER | _HOLDER | _RECIPIENT | _OVERSIGHT | {Side.DESK}
_WORKING = _SUBMITTER | _HOLDER | _RECIPIENT | {Side.DESK, Side.HANDOVER_CANDIDATE}
_TAKING_PART = _WORKING | _OVERSIGHT
_EVER = frozenset(State)
_OFFICE = {Role.PROTECTION_OFFICER}

# fmt: off
FURTHER: Final = Table(_S.DRAFT, (
    #    action                     in                to    side        role           needs
    Step(_A.UPDATE_SUMMARY,         UNLED,            None, _SUBMITTER, WRITERS),
    Step(_A.UPDATE_SUMMARY,         LED,              None, _LEAD,      CASE_ROLES),
    Step(_A.WRITE_SECTION,          UNLED,            None, _SUBMITTER, CASE_ROLES),
    Step(_A.WRITE_SECTION,          LED,              None, _LEAD,      CASE_ROLES),
    Step(_A.WRITE_SAFEGUARDS,       UNLED,            None, _SUBMITTER, CASE_ROLES),
    Step(_A.WRITE_SAFEGUARDS,       LED,              None, _LEAD,      CASE_ROLES),
    Step(_A.WRITE_CONTACTS,         LED,              None, _LEAD,      CASE_ROLES),
    Step(_A.RECORD_SCREENING,       UNLED,            None, _SUBMITTER, WRITERS),
    Step(_A.RECORD_SCREENING,       LED,              None, _LEAD,      CASE_ROLES),
    Step(_A.RECORD_CONSENT,         UNLED,            None, _SUBMITTER, WRITERS),
    Step(_A.RECORD_CONSENT,         LED | {_S.CLOSED}, None, _LEAD,     CASE_ROLES),
    Step(_A.WITHDRAW_CONSENTS,      _EVER,            None, _TAKING_PART, CASE_ROLES),
    Step(_A.RECORD_FACT,            UNLED,            None, _SUBMITTER, WRITERS),
    Step(_A.RECORD_FACT,            LED | {_S.CLOSED}, None, _LEAD,     CASE_ROLES),
    Step(_A.RECORD_FACT,            OPEN,             None, _RECIPIENT, CASE_ROLES),
    Step(_A.DECLARE_VITAL_INTEREST, UNLED,            None, _SUBMITTER, WRITERS),
    Step(_A.DECLARE_VITAL_INTEREST, OPEN,             None, _HOLDER,    CASE_ROLES),
    Step(_A.ASSESS_RISK,            OPEN | {_S.DRAFT}, None, _ASSESSING, CASE_ROLES),
    Step(_A.ASK_SUBMITTER,          OPEN,             None, _HOLDER,    CASE_ROLES),
    Step(_A.ANSWER_QUESTION,        OPEN,             None, _SUBMITTER, CASE_ROLES),
    Step(_A.RELOCATE,               OPEN,             None, _HOLDER,    CASE_ROLES),
    Step(_A.REPORT_VISIT,           {_S.MONITORING},  None, _LEAD,      CASE_ROLES),
    Step(_A.REFER,                  OPEN,             None, _HOLDER,    OPENING_ROLES),
    Step(_A.OFFER_HANDOVER,         LED,              None, _LEAD,      {Role.COORDINATOR},
         (_N.NO_OFFER_OPEN,)),
    Step(_A.REQUEST_EMERGENCY_ACCESS, OPEN,           None, _WORKING,   CASE_ROLES,
         (_N.ACCESS_REVIEWED, _N.NO_REQUEST_OPEN)),
    Step(_A.SET_LEGAL_HOLD,         _EVER - {_S.ERASED}, None, _OVERSIGHT, _OFFICE),
))
# fmt: on


def find_further(
    state: State, action: Action, sides: frozenset[Side], roles: frozenset[Role]
) -> Row:
    """Return the row of an action that these sides and roles may take in this state.

    Raises ActionIllegal (409), ActionNotYours (403) or RoleMissing (403).
    """
    if not any(action == row.action for row in FURTHER.list_steps_in(state)):
        legal = TABLE.describe_actions(state)
        raise ActionIllegal(f"The case is {state}.", legal)
    return FURTHER.find(state, action, sides, roles)
