"""A search for steps that end a case.

The search is greedy: the open offices with an enabled account always take the step that
leads most directly to the end. If no step is possible, time passes and the worker runs.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from tests.exploration.abstract import HELPING, LIVE, OVER, get_state
from tests.exploration.moves import RECORDS, WORLD, Move, MoveRunner
from tests.exploration.stage import LEADERS, Stage

LONGEST: Final = 80
"""Number of steps after which a search is given up."""
PATIENCE: Final = ("4 hours", "4 days", "8 days", "32 days", "32 days", "200 days")
"""The times to wait, one after another, while no step is possible."""
ANEW: Final = {
    "KZ": ("refer to State offices", "refer to NGOs"),
    "UZ": ("refer to State offices in UZ", "refer to the lead at home"),
    "KG": ("refer to State offices in KG",),
}
"""The consents that the person is asked to give again, by the country of the case."""
RELATIONS: Final = """SELECT p.relation, f.code FROM party p
    JOIN "case" c ON c.id = p.case_id JOIN focal_point f ON f.id = p.focal_point_id
    WHERE c.code = :code AND p.until IS NULL"""
LEAD: Final = """SELECT f.active FROM party p
    JOIN "case" c ON c.id = p.case_id JOIN focal_point f ON f.id = p.focal_point_id
    WHERE c.code = :code AND p.until IS NULL AND p.relation = 'lead'"""
ONCE: Final = frozenset(
    {
        "consent.record",
        "consent.withdraw_all",
        "case.record_lead_consent",
        "case.decline_lead",
        "case.assign",
        "case.take_over",
        "handover.accept",
    }
)
LEAD_KINDS: Final = ("state", "non_state")
HOMECOMING: Final = {
    "in_transit": ("arrive",),
    "arrived": ("monitor",),
    "monitoring": ("report",),
}
VISITS: Final = {"monitoring": ("report",)}
"""Actions of the lead in each state if the office that received the person is closed."""
REFERRALS: Final = """SELECT r.state FROM referral r JOIN "case" c ON c.id = r.case_id
    WHERE c.code = :code ORDER BY r.number"""
RETURNS: Final = """SELECT r.state FROM return_checklist r
    JOIN "case" c ON c.id = r.case_id WHERE c.code = :code ORDER BY r.number"""


class Means(IntEnum):
    """The means by which a case can still end, from the most to the least desirable."""

    OFFICES = 0
    """Actions of the offices with the existing consents."""
    ASKING_ANEW = 1
    """The person is asked for a consent to another class of offices."""
    ADMINISTRATORS = 2
    """Two administrators open an account, or a closed office, because of an alarm.

    The case waits until they do. The alarms are `offices_unattended`,
    `offices_without_second_person` and `countries_without_lead`.
    """
    STOPPING = 3
    """The person wants everything to end, or the submitter withdraws the case."""


@dataclass
class Way:
    """A way to end a case: the moves made so far, and the means tried so far."""

    moves: list[Move] = field(default_factory=list)
    means: Means = Means.OFFICES
    is_closed: bool = False
    days: float = 0.0


def find_closure(stage: Stage, do: MoveRunner) -> Way:
    """Try to end the case on the stage, and return the moves that were made.

    Less desirable means are tried only if waiting does not help any more. All moves are
    possible again then: an office that declined can accept once it has enough people.
    """
    way, waits, began = Way(), iter(PATIENCE), stage.now
    first = 0
    while len(way.moves) < LONGEST and not way.is_closed:
        made = way.moves[first:]
        moves = (m for m in list_moves(stage, way.means) if m not in made or not is_once(m))
        taken = next((move for move in moves if do(move).is_done), None)
        if taken is not None:
            way.moves.append(taken)
            way.is_closed = get_state(stage) in OVER
            waits = iter(PATIENCE)
        elif wait := next(waits, ""):
            way.moves.append(Move(WORLD, "waits", choice=wait))
            do(way.moves[-1])
            way.is_closed = get_state(stage) in OVER
        elif way.means < max(Means):
            way.means, waits = Means(way.means + 1), iter(PATIENCE[:2])
            first = len(way.moves)
        else:
            break
    way.days = (stage.now - began).total_seconds() / 86400
    return way


def is_once(move: Move) -> bool:
    """Return whether a move is made only once, because repeating it is useless."""
    return move.action in ONCE


def list_moves(stage: Stage, means: Means) -> Iterator[Move]:
    """Yield the moves that bring the case nearer to its end, the best first."""
    state, staffed = get_state(stage), stage.list_staffed()
    relations = [
        (one, code) for one, code in stage.fetch_rows(RELATIONS) if code in staffed
    ]

    def list_offices(relation: str) -> list[str]:
        return sorted({code for one, code in relations if one == relation})

    yield from (
        Move(one, "case.discard") for one in list_offices("submitter") if state == "draft"
    )
    for one in [*list_offices("lead"), *list_offices("candidate")]:
        yield Move(one, "case.close")
        yield from list_endings(stage, one)
    for one in list_offices("candidate"):
        yield Move(one, "case.acknowledge")
    for one in list_offices("desk"):
        yield from (Move(one, "case.assign", choice=to) for to in LEADERS if to in staffed)
        yield from list_class_consents(one, "SUBMITTER_INACTIVE")
    for one in list_offices("escalation_desk"):
        yield from list_takeovers(stage, one)
    for one in list_offices("recipient"):
        yield from list_return_moves(stage, one, HOMECOMING)
    for one in list_offices("lead"):
        yield from list_return_moves(stage, one, VISITS)
    yield from (Move(one, "handover.accept") for one in list_offices("handover_candidate"))
    yield from list_last_moves(stage, means, list_offices)


def list_last_moves(
    stage: Stage, means: Means, list_offices: Callable[[str], list[str]]
) -> Iterator[Move]:
    """Yield the last moves that `means` allows, and refusals of the lead.

    `means` may allow new consents, then moves of administrators, then to stop or withdraw
    the case. `list_offices` returns the offices that have a relation to the case.
    """
    if means >= Means.ASKING_ANEW:
        writers = list_offices("lead") or list_offices("submitter")
        [(country,)] = stage.fetch_rows('SELECT country FROM "case" WHERE code = :code')
        asked = [f"{by}{one}" for one in ANEW[country] for by in ("", "decision: ")]
        yield from (
            Move(who, "consent.record", choice=one) for who in writers for one in asked
        )
    if means >= Means.ADMINISTRATORS:
        yield from list_administrator_moves(stage)
    yield from (Move(one, "case.decline_lead") for one in list_offices("candidate"))
    if means >= Means.STOPPING:
        holders = [
            *list_offices("lead"),
            *list_offices("candidate"),
            *list_offices("desk"),
            *list_offices("escalation_desk"),
        ]
        yield from (Move(one, "case.stop") for one in holders)
        yield from (Move(one, "case.withdraw") for one in list_offices("submitter"))


def list_administrator_moves(stage: Stage) -> Iterator[Move]:
    """Yield the moves with which administrators react to alarms."""
    for office in stage.list_unattended():
        yield Move(WORLD, "staffs", choice=office)
    for office in stage.list_without_second_person():
        yield Move(WORLD, "staffs", choice=f"{office}, second person")
    for office in stage.list_closed_leads():
        yield Move(WORLD, "opens", choice=office)


def list_endings(stage: Stage, office: str) -> Iterator[Move]:
    """Yield the moves by which the holder of a case ends the open records of the case."""
    if stage.fetch_rows(RECORDS["handover"]):
        yield Move(office, "handover.cancel")
    for number, (state,) in enumerate(stage.fetch_rows(RETURNS)):
        if state == "halted":
            yield Move(office, "return.locate", number)
    for number, (state,) in enumerate(stage.fetch_rows(REFERRALS)):
        if state in LIVE:
            yield Move(office, "referral.revoke", number)
        if state in HELPING:
            yield Move(office, "referral.withdraw", number)


def list_takeovers(stage: Stage, desk: str) -> Iterator[Move]:
    """Yield the moves by which a desk replaces the lead, or records or withdraws consents.

    Offices without an account come last: they cannot act, and the desk gets the case again.
    """
    found, staffed = stage.fetch_rows(LEAD), stage.list_staffed()
    why = "LEAD_SILENT" if found and found[0][0] else "LEAD_INACTIVE"
    for to in sorted(LEADERS, key=lambda one: one not in staffed):
        yield Move(desk, "case.take_over", choice=f"{why} to {to}")
    yield from list_class_consents(desk, why)
    yield Move(desk, "consent.withdraw_all", choice="REFER")


def list_class_consents(desk: str, why: str) -> Iterator[Move]:
    """Yield the moves by which a desk records a consent to a class of offices."""
    for kind in LEAD_KINDS:
        for by in ("person", "best_interests_decision"):
            yield Move(desk, "case.record_lead_consent", choice=f"{why}, {kind}, {by}")


def list_return_moves(
    stage: Stage, office: str, actions: Mapping[str, tuple[str, ...]]
) -> Iterator[Move]:
    """Yield the moves that advance each return from its present state."""
    for number, (state,) in enumerate(stage.fetch_rows(RETURNS)):
        for action in actions.get(state, ()):
            yield Move(office, f"return.{action}", number)
