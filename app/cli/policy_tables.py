"""Tables for officers and lawyers, such as the documents that each office may open.

If a value of the policy has no text here, `safe-conduct docs` or a test fails, so that the
pages cannot omit the value.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from app.cases.grants import CONDITION_TEXTS, GRANT_TEXTS, GRANTS, Grant
from app.cases.grants import Condition as GrantCondition
from app.cases.lifecycle import LED, OPEN, UNLED
from app.cases.lifecycle import State as CaseState
from app.cases.reasons import CLOSED_UNINFORMED
from app.cases.sections import Paper, Section
from app.disclosure.policy import POLICY, POLICY_HASH, Condition, Deed, Rule, Subject
from app.kernel.actors import Relation, Side
from app.reference.lists import ITEMS
from app.referrals.lifecycle import ASKED, AT_WORK
from app.referrals.lifecycle import State as ReferralState

DEEDS: Final[Mapping[Deed, str]] = {Deed.OPEN: "opens", Deed.WRITE: "writes"}
SIDES: Final[Mapping[Side, str]] = {
    Side.SUBMITTER: "the submitter",
    Side.CANDIDATE: "the candidate, which is asked to lead",
    Side.LEAD: "the lead",
    Side.SENDER: "the holder of the case, which asked for help",
    Side.RECIPIENT: "the recipient, which is asked to help",
    Side.HANDOVER_CANDIDATE: "the office that is asked to take over the lead",
    Side.FORMER_LEAD: "a former lead",
    Side.VITAL_READER: "an office with emergency access",
}
SUBJECTS: Final[Mapping[Subject, str]] = {
    Section.NEEDS: "needs",
    Section.CONTACT: "how to reach the person",
    Section.IDENTITY: "names, birth date, nationality, documents",
    Section.NARRATIVE: "what happened",
    Section.INDICATORS: "indicators",
    Section.PERPETRATORS: "perpetrators",
    Section.HEALTH: "health",
    Paper.SAFEGUARDS: "safeguards, such as feared offices",
    Paper.SAFEGUARDS_PAST: "earlier safeguards",
    Paper.SAFETY_ALERT: "the safety alert",
    Paper.CONTACTS: "contacts of the lead",
    Paper.ARRANGEMENT: "where and when the person is met",
    Paper.TRAVEL_PLAN: "the travel plan",
    Paper.NOTE: "notes on actions",
    Paper.MESSAGE: "questions and answers",
    Paper.ROUTING: "the candidates still to be asked, and those left out",
    Paper.SCREENING: "screenings",
}
ALL_SECTIONS: Final = "every section"
_NEW: Final = frozenset({CaseState.SUBMITTED, CaseState.UNDER_REVIEW})
WHILE: Final[Mapping[frozenset[CaseState], str]] = {
    UNLED: "until there is a lead",
    LED: "while there is a lead",
    UNLED | LED: "until it is closed",
    OPEN: "from submission until it is closed",
    _NEW: "from submission until there is a lead",
    frozenset({CaseState.UNDER_REVIEW}): "once acknowledged, until there is a lead",
    LED | {CaseState.UNDER_REVIEW}: "from the acknowledgement until it is closed",
}
HELPED: Final = AT_WORK | {ReferralState.COMPLETED}
WHERE: Final[Mapping[frozenset[ReferralState], str]] = {
    frozenset(): "",
    AT_WORK: "accepted, and not ended",
    ASKED | AT_WORK: "sent or accepted, and not ended",
    HELPED: "accepted or completed",
    frozenset({ReferralState.COMPLETED}): "completed",
    frozenset(ReferralState) - {ReferralState.DRAFT}: "sent, in any later state",
}
IF: Final[Mapping[Condition, str]] = {
    Condition.CONSENTED: "a consent names the office, the section and the purpose",
    Condition.OWN_TEXT: "the office wrote the text",
    Condition.ORIGIN_PERMITTED: "for the State of origin: the person permitted contact",
    Condition.NOT_OF_ORIGIN: "the office is not of the State of origin",
    Condition.SAFE: "the person does not fear the office",
    Condition.POLICE_CONSENT: "for police and prosecution: a consent for `LAW_ENFORCEMENT`",
    Condition.IN_TOUCH: "the office is not of the State of origin and still has access",
    Condition.KNOWS_LEAD: "the office may know who leads",
    Condition.MAY_BE_NAMED: "for a State body, if an NGO wrote: a consent names the body",
}


def render_disclosure() -> list[str]:
    """Return the hash of the policy and a table with one line for each rule."""
    now = f"The hash of this policy is `{POLICY_HASH}`."
    head = [
        f"{now} Each access entry contains the hash of the policy at that time.",
        "",
        "| office | may | what | state of the case | state of the referral | if |",
        "|---|---|---|---|---|---|",
    ]
    return [*head, *(render_row(rule) for rule in sort_by_side(POLICY))]


def sort_by_side(policy: Iterable[Rule]) -> list[Rule]:
    """Return the rules sorted by side, in the order of `SIDES`."""
    order = list(SIDES)
    return sorted(policy, key=lambda rule: order.index(rule.side))


def render_row(rule: Rule) -> str:
    """Return one rule as a row of the table."""
    cells = (
        SIDES[rule.side],
        DEEDS[rule.deed],
        format_subjects(rule),
        WHILE[rule.case_states],
        WHERE[rule.referral_states],
        "; ".join(text for condition, text in IF.items() if condition in rule.conditions),
    )
    return f"| {' | '.join(cells)} |"


def format_subjects(rule: Rule) -> str:
    """Return the documents of a rule as text. All sections become "every section"."""
    whole = set(Section) <= rule.subjects
    named = [
        text
        for subject, text in SUBJECTS.items()
        if subject in rule.subjects and not (whole and subject in set(Section))
    ]
    return ", ".join([ALL_SECTIONS, *named] if whole else named)


RELATIONS: Final[Mapping[Relation, str]] = {
    Relation.SUBMITTER: "submitted the case",
    Relation.CANDIDATE: "is asked to lead",
    Relation.LEAD: "leads",
    Relation.DESK: "has the case as the desk",
    Relation.ESCALATION_DESK: "is the desk of an escalation",
    Relation.OVERSIGHT: "oversees the case",
    Relation.RECIPIENT: "is asked to help, or helps",
    Relation.HANDOVER_CANDIDATE: "is asked to take over the lead",
}
"""Texts for the relations with grants. A former lead or former recipient has no grant."""


def render_grants() -> list[str]:
    """Return a table of the grants of each relation, with one row for each grant."""
    head = ["| an office that ...", *(RELATIONS.values())]
    lines = [" | ".join(head) + " |", "|---" * len(head) + "|"]
    for grant in Grant:
        cells = (describe_grant(relation, grant) for relation in RELATIONS)
        lines.append(f"| {GRANT_TEXTS[grant]} | {' | '.join(cells)} |")
    return lines


def describe_grant(relation: Relation, grant: Grant) -> str:
    """Return "yes", the conditions of a grant as text, or an empty string for no grant."""
    rows = [r for r in GRANTS if relation in r.relations and grant in r.grants]
    if any(not r.conditions for r in rows):
        return "yes"
    every = [
        "; ".join(CONDITION_TEXTS[c] for c in GrantCondition if c in r.conditions)
        for r in rows
    ]
    return " or ".join(every)


KNOWN_CONSENTS: Final[Mapping[str, str]] = {
    "app/referrals/helper_ranking.py rank_helpers": (
        "offices that could help: `GET .../recipients`"
    ),
    "app/api/routing.py may_know": "the lists of candidates and of offices left out",
    "app/casework/moving.py rank_successors": "the order of offers after a relocation",
    "app/referrals/situation.py show": "the actions and unmet requirements of a referral",
    "app/referrals/actions.py check_step": "every action on a referral, such as sending it",
    "app/handovers/situation.py show": "the actions and unmet requirements of a handover",
    "app/handovers/actions.py offer": "the offer of a handover",
    "app/handovers/actions.py lock_and_check": "every other action on a handover",
    "app/handovers/following.py offer_to_first": "the offer after a relocation",
}
"""The functions that ignore the consents that are hidden from the caller (ADR 35).

A test compares this list with the calls.
"""


def render_known_consents() -> list[str]:
    """Return a list of the results and actions that ignore consents hidden from callers."""
    return [f"- {words}" for words in KNOWN_CONSENTS.values()]


def render_closure_reasons() -> list[str]:
    """Return a table of closure reasons, and whether the person must be informed."""
    head = ["| reason | meaning | the person was informed |", "|---|---|---|"]
    rows = [
        f"| `{code}` | {row.label_en} | "
        f"{'not needed' if code in CLOSED_UNINFORMED else 'needed'} |"
        for code, row in ITEMS["closure_reasons"].items()
    ]
    return [*head, *rows]
