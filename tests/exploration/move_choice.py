"""The choice of the next move: an action that an office may take, or a disturbance."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from random import Random
from typing import Final
from uuid import UUID

from tests.exploration.abstract import OVER, get_state
from tests.exploration.case_endings import LEAD_KINDS, RELATIONS
from tests.exploration.moves import (
    ASKED,
    CONSENTS,
    FACTS,
    GUARDS,
    RECORDS,
    WAITS,
    WORLD,
    Move,
)
from tests.exploration.stage import (
    DESK,
    HOME,
    KZ,
    LEADERS,
    NGO,
    OVERSIGHT,
    POST,
    SHELTER,
    UZ,
    Stage,
)
from tests.support.case_actions import list_steps
from tests.support.world import Json

KINDS: Final = {"offered": 50, "beside": 25, "waits": 12, "disturbance": 13}
"""The relative probability of each kind of move."""
ENDING: Final = frozenset({"close", "stop", "discard", "withdraw", "erase"})
RARE: Final = 0.15
"""Probability of trying an action that ends the case; low, because few moves follow it."""
PURPOSES: Final = ("REFER", "HANDOVER", "SHELTER", "RETURN", "CONSULAR_DOCUMENT")
OFFICES: Final = (KZ, NGO, UZ, SHELTER, HOME, POST)
"""Offices that a disturbance can close, or whose account it can disable."""
SHORT: Final = tuple(WAITS)[:4]
AGES: Final = ("adult", "child", "presumed_child")
COUNTRIES: Final = ("UZ", "KG", "KZ")
BY: Final = ("", "", "guardian: ", "decision: ")
OF_LENGTH: Final = ("", " for a week")
HOLDERS: Final = frozenset({"lead", "candidate", "desk"})
WRITERS: Final = frozenset({"lead", "candidate", "submitter"})
FAILURES: Final = ("LEAD_INACTIVE", "LEAD_SILENT")
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "assign": LEADERS,
    "monitor": ("", "as usual"),
    "take_over": tuple(f"{why} to {to}" for why in FAILURES for to in LEADERS),
    "record_lead_consent": tuple(
        f"{why}, {kind}, {by}"
        for why in (*FAILURES, "SUBMITTER_INACTIVE")
        for kind in LEAD_KINDS
        for by in ("person", "best_interests_decision")
    ),
}
"""The choices to try for each action that needs a choice."""


@dataclass(frozen=True)
class Chosen:
    """A move, and whether the service showed the action of this move as available."""

    move: Move
    was_offered: bool = False


def choose_move(stage: Stage, chance: Random) -> Chosen | None:
    """Draw the next move, or return None if the case is over and cannot be reopened."""
    if get_state(stage) in OVER - {"closed"}:
        return None
    [kind] = chance.choices(list(KINDS), list(KINDS.values()))
    parts: dict[str, set[str]] = {}
    for relation, office in stage.fetch_rows(RELATIONS):
        parts.setdefault(office, set()).add(relation)
    if kind == "disturbance":
        return Chosen(chance.choice(list_disturbances(parts)))
    offices = sorted(parts.keys() & (stage.list_staffed() - {OVERSIGHT}))
    for office in chance.sample(offices, len(offices)) if kind != "waits" else ():
        if kind == "offered" and (moves := list_offered(stage, office, chance)):
            return Chosen(chance.choice(moves), was_offered=True)
        if kind == "beside" and (
            moves := list_side_moves(stage, office, parts[office], chance)
        ):
            return Chosen(chance.choice(moves))
    return Chosen(Move(WORLD, "waits", choice=chance.choice(SHORT)))


def list_offered(stage: Stage, office: str, chance: Random) -> list[Move]:
    """List the actions that the service shows to an office as available."""
    who = stage.get_worker(office)
    answer = who.get(f"/cases/{stage.code}")
    if not answer.is_success:
        return []
    found = [("case", 0, answer.json())]
    for kind in ("referral", "handover", "return"):
        for number, (record, _) in enumerate(stage.fetch_rows(RECORDS[kind])):
            shown = who.get(f"/{kind}s/{UUID(record)}")
            if shown.is_success:
                found.append((kind, number, shown.json()))
    return [
        Move(office, f"{kind}.{action}", number, choice)
        for kind, number, shown in found
        for action in open_actions(shown, chance)
        for choice in CHOICES.get(action, ("",))
    ]


def open_actions(shown: Json, chance: Random) -> list[str]:
    """List the available actions. Actions that end the case are listed only sometimes."""
    ends = chance.random() < RARE
    actions = [one["action"] for one in list_steps(shown) if one["open"]]
    return [action for action in actions if ends or action not in ENDING]


def list_side_moves(
    stage: Stage, office: str, relations: set[str], chance: Random
) -> list[Move]:
    """List an office's moves other than life-cycle actions, such as recording a consent."""

    def make_moves(action: str, choices: Iterable[str]) -> list[Move]:
        return [Move(office, action, choice=one) for one in choices]

    moves = make_moves("consent.withdraw_all", PURPOSES)
    if relations & WRITERS:
        by, ends = chance.choice(BY), chance.choice(OF_LENGTH)
        moves += make_moves("consent.record", [f"{by}{name}{ends}" for name in CONSENTS])
        moves += make_moves("safeguards.write", GUARDS)
        moves += make_moves("notice.mend", AGES)
        moves += make_moves("fact.record", FACTS)
        moves += make_moves("risk.assess", ("low", "high"))
        moves += make_moves("vital.declare", ("",))
    if relations & HOLDERS:
        moves += make_moves("case.relocate", COUNTRIES)
        moves += make_moves("referral.open", ASKED)
    if "lead" in relations:
        moves += make_moves("handover.offer", LEADERS)
        moves += make_moves("case.visits", ("",))
    if "recipient" in relations:
        referrals = range(len(stage.fetch_rows(RECORDS["referral"])))
        moves += [Move(office, "return.open", number) for number in referrals]
    return moves


def list_disturbances(parts: Mapping[str, AbstractSet[str]]) -> list[Move]:
    """List the changes to offices, accounts and agreements that may affect a case.

    Changes to an office that is a party are listed several times, and changes to the office
    that holds the case most often, so that they are drawn more often.
    """
    known = [one for one in sorted(parts) if one in OFFICES]
    holders = [one for one in known if parts[one] & HOLDERS]
    hit = [*OFFICES, *2 * known, *10 * holders]
    return [
        *(Move(WORLD, "shuts", choice=one) for one in hit),
        *(Move(WORLD, "disables", choice=one) for one in (*hit, DESK)),
        *(Move(WORLD, "disables", choice=f"{one}, second person") for one in sorted(parts)),
        *2 * [Move(WORLD, "replaces")],
        *2 * [Move(WORLD, "ends")],
    ]
