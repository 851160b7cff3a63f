"""A second copy of the disclosure table (LIFECYCLES.md, section 5).

The copy is written from that document, not from the code, so that a change to the table
takes two deliberate edits. Access that no row allows is denied.
"""

from collections.abc import Iterable
from itertools import combinations

from app.cases.sections import Paper, Section
from app.disclosure.policy import AccessRequest, Condition, Deed, Subject

NAMES = {
    "L4": "narrative indicators perpetrators health",
    "sections": "needs contact identity narrative indicators perpetrators health",
    "open": "submitted under_review referring assisting suspended monitoring",
    "led": "referring assisting suspended monitoring",
    "worked_on": "under_review referring assisting suspended monitoring",
    "unled": "draft submitted under_review",
    "asked": "sent received info_requested",
    "at_work": "accepted in_progress on_hold",
    "told": "sent received info_requested accepted in_progress on_hold completed declined"
    " redirected withdrawn revoked expired",
}
# who        | what                | while the case is   | and the referral   | if
OPENS = """
submitter    | sections safeguards | unled led           |                    | own_text
submitter    | safeguards_past safety_notice | unled led |                    | own_text
candidate    | safety_notice       | submitted under_review |                 | safe
candidate    | safeguards_past     | under_review        |                    | safe
lead         | safety_notice safeguards_past | led       |                    | safe
recipient    | safety_notice       | open                | asked at_work      | safe origin_permitted
submitter    | note message screening | unled led         |                    | own_text
submitter    | message             | open                |                    |
submitter    | contacts            | led                 |                    | in_touch
candidate    | needs               | submitted           |                    | consented
candidate    | needs contact       | under_review        |                    | consented
candidate    | safeguards          | under_review        |                    | safe
candidate    | note message        | under_review        |                    | not_of_origin
lead         | needs contact       | led                 |                    | consented
lead         | identity            | led                 |                    | consented origin_permitted
lead         | L4 screening        | led                 |                    | consented police_consent
lead         | sections screening  | led                 |                    | own_text
lead         | safeguards contacts | led                 |                    | safe
lead         | note message        | led                 |                    | not_of_origin
sender       | arrangement         | worked_on           | at_work completed  | not_of_origin
sender       | note message        | worked_on           | told               | not_of_origin
recipient    | arrangement         | open                | at_work            | origin_permitted
recipient    | arrangement note message | open           | completed          | own_text
sender       | travel_plan         | worked_on           | at_work completed  | not_of_origin
recipient    | travel_plan         | open                | at_work            | safe origin_permitted
recipient    | note message        | open                | asked at_work      | not_of_origin
recipient    | note message        | open                | asked at_work      | own_text origin_permitted
recipient    | message             | open                | asked at_work      | safe origin_permitted
recipient    | needs               | open                | asked at_work      | consented origin_permitted
recipient    | contact             | open                | at_work            | consented origin_permitted
recipient    | identity            | open                | at_work            | consented origin_permitted
recipient    | L4 screening        | open                | at_work            | consented police_consent origin_permitted
recipient    | contacts            | open                | at_work            | not_of_origin knows_lead
handover_candidate | needs         | led                 |                    | consented origin_permitted
former_lead  | sections note message screening | led                 |                    | own_text
vital_reader | needs contact L4    | open                |                    | safe origin_permitted
vital_reader | identity            | open                |                    | safe origin_permitted may_be_named
"""  # noqa: E501
WRITES = """
submitter    | sections safeguards | unled               |                    |
lead         | sections safeguards contacts | led        |                    |
"""

WORKERS = ["officer", "caseworker", "coordinator"]
"""The roles of every row, because administrators, analysts and overseers have no access."""

type Line = tuple[list[str], list[str], list[str], list[str], frozenset[str]]
SUBJECTS: tuple[Subject, ...] = (*Section, *Paper)
CONDITIONS = [
    frozenset(some)
    for count in range(len(Condition) + 1)
    for some in combinations(Condition, count)
]
NEARLY_ALL = [holds for holds in CONDITIONS if len(holds) >= len(Condition) - 1]
"""The sets with all conditions or all but one, which show what a row requires."""
FEWER = [holds for holds in CONDITIONS if holds not in NEARLY_ALL]


def parse_words(cell: str) -> list[str]:
    """Return the words of a cell, with the names of groups expanded."""
    return " ".join(NAMES.get(word, word) for word in cell.split()).split()


def lines(table: str) -> list[Line]:
    """Return the rows of a table as tuples."""
    rows = [f"{row} ".split(" | ") for row in table.strip().splitlines()]
    return [
        (
            parse_words(who),
            parse_words(what),
            parse_words(case),
            parse_words(referral),
            frozenset(parse_words(if_)),
        )
        for who, what, case, referral, if_ in rows
    ]


COPY = {Deed.OPEN: lines(OPENS), Deed.WRITE: lines(WRITES)}


def allowed(asked: AccessRequest, table: Iterable[Line] | None = None) -> bool:
    """Return whether a table allows an access; the default is the table in this module."""
    lines_now = COPY[asked.deed] if table is None else table
    return bool(asked.roles.intersection(WORKERS)) and any(
        asked.subject in what
        and asked.case_state in case
        and bool(asked.sides.intersection(who))
        and (not referral or bool(asked.referral_states.intersection(referral)))
        and conditions <= asked.holds
        for who, what, case, referral, conditions in lines_now
    )
