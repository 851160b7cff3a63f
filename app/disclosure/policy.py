"""The disclosure policy: a table of the sides that may open or write sealed documents.

The table implements LIFECYCLES.md, section 5. Access that no row allows is denied. Every
access entry has the hash of the table, to show under which rules a document was read.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.cases.lifecycle import LED, UNLED
from app.cases.lifecycle import OPEN as CASE_OPEN
from app.cases.lifecycle import State as CaseState
from app.cases.sections import Paper, Section
from app.kernel.actors import CASE_ROLES, Role, Side
from app.referrals.lifecycle import ASKED, AT_WORK
from app.referrals.lifecycle import State as ReferralState

type Subject = Section | Paper


class Deed(StrEnum):
    """The requested action: opening or writing a sealed document."""

    OPEN = "open"
    WRITE = "write"


class Condition(StrEnum):
    """A condition of a row of the policy, in addition to the side and the states."""

    CONSENTED = "consented"
    OWN_TEXT = "own_text"
    ORIGIN_PERMITTED = "origin_permitted"
    NOT_OF_ORIGIN = "not_of_origin"
    SAFE = "safe"
    POLICE_CONSENT = "police_consent"
    IN_TOUCH = "in_touch"
    KNOWS_LEAD = "knows_lead"
    MAY_BE_NAMED = "may_be_named"


@dataclass(frozen=True)
class Rule:
    """A row of the policy, which allows a request if all its columns match."""

    deed: Deed
    side: Side
    subjects: frozenset[Subject]
    case_states: frozenset[CaseState]
    referral_states: frozenset[ReferralState] = frozenset()
    conditions: frozenset[Condition] = frozenset()
    roles: frozenset[Role] = CASE_ROLES


@dataclass(frozen=True)
class AccessRequest:
    """A request to open or write a document, with the facts that the decision needs."""

    deed: Deed
    subject: Subject
    sides: frozenset[Side]
    case_state: CaseState
    referral_states: frozenset[ReferralState]
    holds: frozenset[Condition]
    roles: frozenset[Role] = CASE_ROLES


_C, _R = CaseState, ReferralState
_NEW = frozenset({_C.SUBMITTED, _C.UNDER_REVIEW})
_WORKED_ON = LED | {_C.UNDER_REVIEW}
_SECTIONS: frozenset[Subject] = frozenset(Section)
_L1: frozenset[Subject] = frozenset({Section.NEEDS})
_L2: frozenset[Subject] = frozenset({Section.CONTACT})
_L3: frozenset[Subject] = frozenset({Section.IDENTITY})
_L4 = _SECTIONS - _L1 - _L2 - _L3
_GUARDS: frozenset[Subject] = frozenset({Paper.SAFEGUARDS, Paper.SAFEGUARDS_PAST})
_DANGER: frozenset[Subject] = frozenset({Paper.SAFETY_ALERT})
_WRITTEN: frozenset[Subject] = _SECTIONS | {Paper.SAFEGUARDS}
_CONTACTS: frozenset[Subject] = frozenset({Paper.CONTACTS})
_NOTES: frozenset[Subject] = frozenset({Paper.NOTE, Paper.MESSAGE})
_TO_ME: frozenset[Subject] = frozenset({Paper.MESSAGE})
_SIGNS: frozenset[Subject] = frozenset({Paper.SCREENING})
_PLACE: frozenset[Subject] = frozenset({Paper.ARRANGEMENT})
_TRAVEL: frozenset[Subject] = frozenset({Paper.TRAVEL_PLAN})
_KEPT = frozenset({*AT_WORK, _R.COMPLETED})
_TOLD = frozenset(ReferralState) - {_R.DRAFT}
_THEIRS = ASKED | AT_WORK
_HELPED = frozenset({_R.COMPLETED})
_IF_CONSENTED = frozenset({Condition.CONSENTED})
_IF_OWN = frozenset({Condition.OWN_TEXT})
_IF_ORIGIN = _IF_CONSENTED | {Condition.ORIGIN_PERMITTED}
_IF_POLICE = _IF_CONSENTED | {Condition.POLICE_CONSENT}
_NOT_ORIGIN = frozenset({Condition.NOT_OF_ORIGIN})
_IF_PERMITTED = frozenset({Condition.ORIGIN_PERMITTED})
_IF_SAFE = frozenset({Condition.SAFE})
_IF_EXPECTED = _IF_SAFE | {Condition.ORIGIN_PERMITTED}
_IF_IN_TOUCH = frozenset({Condition.IN_TOUCH})
_IF_LEAD_KNOWN = _NOT_ORIGIN | {Condition.KNOWS_LEAD}
_IF_NAMEABLE = _IF_EXPECTED | {Condition.MAY_BE_NAMED}
_NO = frozenset[ReferralState]()
_OPEN, _WRITE = Deed.OPEN, Deed.WRITE

# fmt: off
POLICY: Final = (
    #    deed    side            subjects             case states  referral     conditions
    Rule(_OPEN,  Side.SUBMITTER, _SECTIONS | _GUARDS, UNLED | LED, _NO,        _IF_OWN),
    Rule(_OPEN,  Side.SUBMITTER, _NOTES | _SIGNS,     UNLED | LED, _NO,        _IF_OWN),
    Rule(_OPEN,  Side.SUBMITTER, _TO_ME,              CASE_OPEN,   _NO),
    Rule(_OPEN,  Side.SUBMITTER, _CONTACTS,           LED,         _NO,        _IF_IN_TOUCH),
    Rule(_OPEN,  Side.SUBMITTER, _DANGER,             UNLED | LED, _NO,        _IF_OWN),
    Rule(_OPEN,  Side.CANDIDATE, _DANGER,             _NEW,        _NO,        _IF_SAFE),
    Rule(_OPEN,  Side.LEAD,      _DANGER,             LED,         _NO,        _IF_SAFE),
    Rule(_OPEN,  Side.RECIPIENT, _DANGER,             CASE_OPEN,   _THEIRS,     _IF_EXPECTED),
    Rule(_OPEN,  Side.CANDIDATE, _L1,                 _NEW,        _NO,         _IF_CONSENTED),
    Rule(_OPEN,  Side.CANDIDATE, _L2,       frozenset({_C.UNDER_REVIEW}), _NO,  _IF_CONSENTED),
    Rule(_OPEN,  Side.CANDIDATE, _GUARDS,   frozenset({_C.UNDER_REVIEW}), _NO,  _IF_SAFE),
    Rule(_OPEN,  Side.CANDIDATE, _NOTES,    frozenset({_C.UNDER_REVIEW}), _NO,  _NOT_ORIGIN),
    Rule(_OPEN,  Side.LEAD,      _L1 | _L2,           LED,         _NO,         _IF_CONSENTED),
    Rule(_OPEN,  Side.LEAD,      _L3,                 LED,         _NO,         _IF_ORIGIN),
    Rule(_OPEN,  Side.LEAD,      _L4 | _SIGNS,        LED,         _NO,         _IF_POLICE),
    Rule(_OPEN,  Side.LEAD,      _SECTIONS | _SIGNS,  LED,         _NO,         _IF_OWN),
    Rule(_OPEN,  Side.LEAD,      _GUARDS | _CONTACTS, LED,         _NO,         _IF_SAFE),
    Rule(_OPEN,  Side.LEAD,      _NOTES,              LED,         _NO,         _NOT_ORIGIN),
    Rule(_OPEN,  Side.SENDER,    _PLACE,              _WORKED_ON,  _KEPT,       _NOT_ORIGIN),
    Rule(_OPEN,  Side.SENDER,    _NOTES,              _WORKED_ON,  _TOLD,       _NOT_ORIGIN),
    Rule(_OPEN,  Side.RECIPIENT, _PLACE,              CASE_OPEN,   AT_WORK,     _IF_PERMITTED),
    Rule(_OPEN,  Side.RECIPIENT, _PLACE | _NOTES,     CASE_OPEN,   _HELPED,     _IF_OWN),
    Rule(_OPEN,  Side.SENDER,    _TRAVEL,             _WORKED_ON,  _KEPT,       _NOT_ORIGIN),
    Rule(_OPEN,  Side.RECIPIENT, _TRAVEL,             CASE_OPEN,   AT_WORK,     _IF_EXPECTED),
    Rule(_OPEN,  Side.RECIPIENT, _NOTES,              CASE_OPEN,   _THEIRS,     _NOT_ORIGIN),
    Rule(_OPEN,  Side.RECIPIENT, _NOTES,              CASE_OPEN,   _THEIRS,     _IF_OWN | _IF_PERMITTED),
    Rule(_OPEN,  Side.RECIPIENT, _TO_ME,              CASE_OPEN,   _THEIRS,     _IF_EXPECTED),
    Rule(_OPEN,  Side.RECIPIENT, _L1,                 CASE_OPEN,   _THEIRS,     _IF_ORIGIN),
    Rule(_OPEN,  Side.RECIPIENT, _L2,                 CASE_OPEN,   AT_WORK,     _IF_ORIGIN),
    Rule(_OPEN,  Side.RECIPIENT, _L3,                 CASE_OPEN,   AT_WORK,     _IF_ORIGIN),
    Rule(_OPEN,  Side.RECIPIENT, _L4 | _SIGNS,        CASE_OPEN,   AT_WORK,     _IF_POLICE | _IF_PERMITTED),
    Rule(_OPEN,  Side.RECIPIENT, _CONTACTS,           CASE_OPEN,   AT_WORK,     _IF_LEAD_KNOWN),
    Rule(_OPEN,  Side.HANDOVER_CANDIDATE, _L1,        LED,         _NO,         _IF_ORIGIN),
    Rule(_OPEN,  Side.FORMER_LEAD, _SECTIONS | _NOTES | _SIGNS, LED,        _NO,         _IF_OWN),
    Rule(_OPEN,  Side.VITAL_READER, _SECTIONS - _L3,  CASE_OPEN,   _NO,         _IF_EXPECTED),
    Rule(_OPEN,  Side.VITAL_READER, _L3,              CASE_OPEN,   _NO,         _IF_NAMEABLE),
    Rule(_WRITE, Side.SUBMITTER, _WRITTEN,            UNLED,       _NO),
    Rule(_WRITE, Side.LEAD,      _WRITTEN | _CONTACTS, LED,        _NO),
)
# fmt: on


def is_allowed(asked: AccessRequest, policy: Iterable[Rule] = POLICY) -> bool:
    """Return whether at least one row of the policy allows a request."""
    return any(allows(rule, asked) for rule in policy)


def allows(rule: Rule, asked: AccessRequest) -> bool:
    """Return whether a rule, which is one row of the policy, allows a request."""
    return (
        rule.deed == asked.deed
        and rule.side in asked.sides
        and asked.subject in rule.subjects
        and asked.case_state in rule.case_states
        and (not rule.referral_states or bool(rule.referral_states & asked.referral_states))
        and rule.conditions <= asked.holds
        and bool(rule.roles & asked.roles)
    )


def format_rule(rule: Rule) -> str:
    """Return the canonical text of a rule, for the hash of the policy."""
    parts = (
        (rule.deed, rule.side),
        *(sorted(part) for part in (rule.subjects, rule.case_states)),
        *(sorted(part) for part in (rule.referral_states, rule.conditions, rule.roles)),
    )
    return "|".join(",".join(part) for part in parts)


_LINES = "\n".join(map(format_rule, POLICY))
POLICY_HASH: Final = hashlib.sha256(_LINES.encode()).hexdigest()[:16]
