"""Who opens and writes what, in words an officer reads: spelled from the policy itself.

A row for which there are no words stops `safe-conduct docs`: nobody is to be told a policy
that says more than the page does.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from app.cases.grants import GRANTS, MEANINGS, WORDS, Grant
from app.cases.grants import Condition as GrantCondition
from app.cases.lifecycle import LED, OPEN, UNLED
from app.cases.lifecycle import State as CaseState
from app.cases.reasons import CLOSED_UNINFORMED
from app.cases.sections import Paper, Section
from app.disclosure.policy import (
    POLICY,
    POLICY_HASH,
    Condition,
    Deed,
    Rule,
    Subject,
)
from app.kernel.actors import Relation, Side
from app.reference.lists import ITEMS
from app.referrals.lifecycle import ASKED, AT_WORK
from app.referrals.lifecycle import State as ReferralState

DEEDS: Final[Mapping[Deed, str]] = {Deed.OPEN: "opens", Deed.WRITE: "writes"}
SIDES: Final[Mapping[Side, str]] = {
    Side.SUBMITTER: "who wrote the case",
    Side.CANDIDATE: "who is asked to lead",
    Side.LEAD: "who leads",
    Side.SENDER: "who has the case, and asked for help",
    Side.RECIPIENT: "who is asked to help",
    Side.HANDOVER_CANDIDATE: "who is asked to take the lead over",
    Side.FORMER_LEAD: "who has led before",
    Side.VITAL_READER: "whom another organisation lets read while a life is at risk",
}
SUBJECTS: Final[Mapping[Subject, str]] = {
    Section.NEEDS: "needs",
    Section.CONTACT: "how to reach the person",
    Section.IDENTITY: "names, birth date, nationality, documents",
    Section.NARRATIVE: "what happened",
    Section.INDICATORS: "signs",
    Section.PERPETRATORS: "who did it",
    Section.HEALTH: "health",
    Paper.SAFEGUARDS: "safeguards: whom the person fears",
    Paper.SAFEGUARDS_PAST: "what the safeguards said before",
    Paper.SAFETY_NOTICE: "the safety notice",
    Paper.CONTACTS: "whom to call at the lead",
    Paper.ARRANGEMENT: "where and when the person is met",
    Paper.TRAVEL_PLAN: "the travel plan",
    Paper.NOTE: "free words that came with a step",
    Paper.MESSAGE: "questions and answers",
    Paper.ROUTING: "who is still to be asked to lead, and who is not",
    Paper.SCREENING: "screenings",
}
ALL_SECTIONS: Final = "every section"
_NEW: Final = frozenset({CaseState.SUBMITTED, CaseState.UNDER_REVIEW})
WHILE: Final[Mapping[frozenset[CaseState], str]] = {
    UNLED: "until somebody leads",
    LED: "while somebody leads",
    UNLED | LED: "until it is closed",
    OPEN: "from submission until it is closed",
    _NEW: "from submission until somebody leads",
    frozenset({CaseState.UNDER_REVIEW}): "once acknowledged, until somebody leads",
    LED | {CaseState.UNDER_REVIEW}: "from the acknowledgement until it is closed",
}
HELPED: Final = AT_WORK | {ReferralState.COMPLETED}
WHERE: Final[Mapping[frozenset[ReferralState], str]] = {
    frozenset(): "",
    AT_WORK: "accepted, and not ended",
    ASKED | AT_WORK: "asked or accepted, and not ended",
    HELPED: "accepted or completed",
    ASKED | HELPED: "asked, accepted or completed",
    frozenset(ReferralState) - {ReferralState.DRAFT}: "sent, whatever became of it",
}
IF: Final[Mapping[Condition, str]] = {
    Condition.CONSENTED: "a consent names it, this section and what for",
    Condition.OWN_TEXT: "it wrote that itself",
    Condition.ORIGIN_PERMITTED: "of the State of origin: the person let it know",
    Condition.NOT_OF_ORIGIN: "it is not of the State of origin",
    Condition.SAFE: "the person does not fear it",
    Condition.POLICE_CONSENT: "police, prosecution: a consent for `LAW_ENFORCEMENT`",
    Condition.IN_TOUCH: "it is not of the State of origin, and still follows the case",
    Condition.MAY_BE_NAMED: "a State body, if an NGO wrote: a consent names this body",
}


def disclosure() -> list[str]:
    """Write the policy as a table, one line a row, and its hash."""
    head = [
        f"The hash of this policy is `{POLICY_HASH}`; an access entry keeps its own.",
        "",
        "| who | may | what | while the case is open | the referral is | if |",
        "|---|---|---|---|---|---|",
    ]
    return [*head, *(row(rule) for rule in by_side(POLICY))]


def by_side(policy: Iterable[Rule]) -> list[Rule]:
    """Put together what one side may, in the order of the sides."""
    order = list(SIDES)
    return sorted(policy, key=lambda rule: order.index(rule.side))


def row(rule: Rule) -> str:
    """Write one row."""
    cells = (
        *(SIDES[rule.side], DEEDS[rule.deed], subjects(rule)),
        *(WHILE[rule.case_states], WHERE[rule.referral_states]),
        "; ".join(text for condition, text in IF.items() if condition in rule.conditions),
    )
    return f"| {' | '.join(cells)} |"


def subjects(rule: Rule) -> str:
    """Name what a row is about; all sections in one word."""
    whole = set(Section) <= rule.subjects
    named = [
        text
        for subject, text in SUBJECTS.items()
        if subject in rule.subjects and not (whole and subject in set(Section))
    ]
    return ", ".join([ALL_SECTIONS, *named] if whole else named)


RELATIONS: Final[Mapping[Relation, str]] = {
    Relation.SUBMITTER: "submitted it",
    Relation.CANDIDATE: "is asked to lead",
    Relation.LEAD: "leads",
    Relation.DESK: "has it as the desk",
    Relation.ESCALATION_DESK: "is the desk it was escalated to",
    Relation.OVERSIGHT: "oversees it",
    Relation.RECIPIENT: "is asked to help, or helps",
    Relation.HANDOVER_CANDIDATE: "is asked to take the lead over",
}
"""The relations that grant anything; a former lead or recipient is granted nothing new."""


def grants() -> list[str]:
    """Write what each relation grants, one line for each grant."""
    head = ["| an office that ...", *(RELATIONS.values())]
    lines = [" | ".join(head) + " |", "|---" * len(head) + "|"]
    for grant in Grant:
        cells = (granted_by(relation, grant) for relation in RELATIONS)
        lines.append(f"| {MEANINGS[grant]} | {' | '.join(cells)} |")
    return lines


def granted_by(relation: Relation, grant: Grant) -> str:
    """Write under which conditions a relation grants something; empty: never."""
    rows = [r for r in GRANTS if relation in r.relations and grant in r.grants]
    if any(not r.conditions for r in rows):
        return "yes"
    every = ["; ".join(WORDS[c] for c in GrantCondition if c in r.conditions) for r in rows]
    return " or ".join(every)


KNOWN_CONSENTS: Final[Mapping[str, str]] = {
    "app/referrals/proposing.py helpers": "who could help: `GET .../recipients`",
    "app/api/routing.py may_know": "the list of who is asked to lead, and who is not",
    "app/casework/moving.py rank_successors": "in which order a border offers the lead",
    "app/referrals/situation.py show": "the actions and unmet requirements of a referral",
    "app/referrals/actions.py judge": "every action on a referral, first of all to send it",
    "app/handovers/situation.py show": "the actions and unmet requirements of a handover",
    "app/handovers/actions.py offer": "to offer the lead",
    "app/handovers/actions.py ready": "every other action on a handover",
    "app/handovers/following.py offer_to_first": "the offer that a border sets off",
}
"""The places where only consents that the caller may know count (ADR 35).

A test compares this list with the calls.
"""


def known_consents() -> list[str]:
    """Write where a consent that the reader may not know counts for nothing."""
    return [f"- {words}" for words in KNOWN_CONSENTS.values()]


def closure_reasons() -> list[str]:
    """Write each reason to close a case, and whether the person has to be told."""
    head = ["| reason | what it means | the person was told |", "|---|---|---|"]
    rows = [
        f"| `{code}` | {row.label_en} | "
        f"{'not needed' if code in CLOSED_UNINFORMED else 'needed'} |"
        for code, row in ITEMS["closure_reasons"].items()
    ]
    return [*head, *rows]
