"""A search for states of a case from which no steps lead to an end.

The moves are drawn with a seed. Each new abstract state is checked and stored. A path
continues from new states, and stops at a known state.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final, override

from tests.exploration.abstract import OVER, Abstract, read_abstract
from tests.exploration.case_endings import Means, Way, find_closure
from tests.exploration.move_choice import Chosen, choose_move
from tests.exploration.moves import NOBODY, WORLD, Answer, Move, MoveRunner
from tests.exploration.stage import Saved, Stage

KEPT: Final = 600
"""Number of states from which a walk can start; the oldest are dropped first."""
RECENT: Final = 40
NEW: Final = 0.4
"""Probability that a walk starts at one of the most recent states."""
DISTURBED: Final = 3
"""Maximum number of changes to the directory or to accounts on one path."""
DEEP: Final = 40
"""Maximum number of moves on one path."""
FAR: Final = 6
"""Maximum number of moves that are tried in one walk."""
DEPENDS: Final = frozenset(
    {
        "case.assign",
        "case.take_over",
        "case.record_lead_consent",
        "referral.redirect",
        "return.arrive",
        "return.report",
    }
)
"""Actions that may be refused although they are available, because of their content.

A visit or an arrival before its date is refused unless the report says `early`.
"""
SERVER_ERROR: Final = 500
ERASED_LATER: Final = """SELECT 1 FROM "case" c LEFT JOIN clock k ON k.record_id = c.id
    AND k.kind = 'erase' AND k.stopped_at IS NULL
    WHERE c.code = :code AND (c.state = 'erased' OR k.number IS NOT NULL)"""

type Story = tuple[Move, ...]


class Kind(StrEnum):
    """The kind of a finding."""

    STUCK = "stuck: no action of any office leads to an end"
    ONLY_STOP = "it can end only as a wish of the person"
    NEVER_ERASED = "it has ended, and no deadline will erase it"
    REFUSED = "an action that is shown as available is refused"
    WORKER_FAILS = "the worker cannot handle a deadline"
    SERVICE_FAILS = "the service answers with a server error"


@dataclass(frozen=True)
class Finding:
    """A fault that was found, and the moves that lead to the faulty state."""

    kind: Kind
    details: str
    path: Story
    state: Abstract | None = None

    @override
    def __str__(self) -> str:
        steps = [f"  {number}. {move}" for number, move in enumerate(self.path, 1)]
        return "\n".join([f"{self.kind} ({self.details})", *steps])


@dataclass(frozen=True)
class Node:
    """A state that was reached, and the moves that lead to it."""

    saved: Saved
    path: Story


@dataclass
class Result:
    """The results of an exploration."""

    states: int = 0
    tried: int = 0
    moves: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    means: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    longest: Way = field(default_factory=Way)
    longest_path: Story = ()


def is_disturbance(move: Move) -> bool:
    """Return whether a move changes the directory or the accounts."""
    return move.office == WORLD and move.action != "waits"


class Explorer:
    """An explorer of the states of one stage that can be reached from given stories."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage, self.do = stage, MoveRunner(stage)
        self.chance = Random(f"{seed} exploration")
        self.seen: set[Abstract] = set()
        self.nodes: list[Node] = []
        self.result = Result()

    def begin(self, stories: Iterable[Story], *, only_last: bool = False) -> None:
        """Make the moves of stories, each of which must succeed, and store the states.

        With `only_last`, only the last state of each story is checked and stored.
        """
        for moves in stories:
            self.stage.restore(self.stage.beginning)
            for at, move in enumerate(moves, 1):
                said = self.do(move)
                assert said.is_done, f"{move}: {said}"
                if at == len(moves) or not only_last:
                    self.arrive(moves[:at])

    def run(
        self,
        states: int,
        tell: Callable[[Result], None] = lambda _: None,
        until: Callable[[Result], bool] = lambda _: False,
    ) -> Result:
        """Explore until `states` new states are known, or until `until` returns true."""
        most = len(self.seen) + states
        while len(self.seen) < most and not until(self.result):
            some = self.nodes[-RECENT:] if self.chance.random() < NEW else self.nodes
            node = self.chance.choice(some)
            self.stage.restore(node.saved)
            self.walk(node.path)
            tell(self.result)
        return self.result

    def walk(self, path: Story) -> None:
        """Make up to `FAR` moves from the current state, and stop at a known state."""
        for _ in range(FAR):
            chosen = choose_move(self.stage, self.chance)
            if chosen is None or len(path) >= DEEP:
                return
            disturbed = sum(map(is_disturbance, path))
            if is_disturbance(chosen.move) and disturbed >= DISTURBED:
                continue
            said = self.take(chosen, (*path, chosen.move))
            if said is None:
                return
            if said.is_done:
                path = (*path, chosen.move)
                if not self.arrive(path):
                    return

    def take(self, chosen: Chosen, path: Story) -> Answer | None:
        """Make a move, and check that an action shown as available is not refused.

        Return None if the worker failed, because the stage cannot be used any more.
        """
        move, self.result.tried = chosen.move, self.result.tried + 1
        try:
            said = self.do(move)
        except AssertionError as failed:
            self.find(Kind.WORKER_FAILS, str(failed), path)
            return None
        if said.is_done:
            self.result.moves[move.action] += 1
            return said
        self.result.refused[f"{move.action}: {said.problem}"] += 1
        if said.status >= SERVER_ERROR:
            self.find(Kind.SERVICE_FAILS, said.problem, path)
        elif chosen.was_offered and move.action not in DEPENDS and said != NOBODY:
            self.find(Kind.REFUSED, said.problem, path)
        return said

    def arrive(self, path: Story) -> bool:
        """Check the state if it is new, and return whether to continue.

        After a finding the path ends, because most later states have the same fault.
        """
        here = read_abstract(self.stage)
        if here in self.seen:
            return False
        self.seen.add(here)
        self.result.states = len(self.seen)
        node = Node(self.stage.save(), path)
        found = len(self.result.findings)
        self.check(node, here)
        self.stage.restore(node.saved)
        if len(self.result.findings) > found:
            return False
        self.nodes = [*self.nodes[-KEPT:], node]
        return True

    def check(self, node: Node, here: Abstract) -> None:
        """Check that the case can still end or, if it is over, that it will be erased.

        The way to its end consists of steps that succeed, taken by open offices with an
        account, and of waits, after each of which the worker runs. If there is a way, the
        case also has an owner and a next step. A case that is over must be erased or have a
        deadline for its erasure.
        """
        if here.state in OVER:
            if not self.stage.fetch_rows(ERASED_LATER):
                self.find(Kind.NEVER_ERASED, str(here), node.path, here)
            return
        try:
            way = find_closure(self.stage, self.do)
        except AssertionError as failed:
            self.find(Kind.WORKER_FAILS, str(failed), node.path, here)
            return
        if not way.is_closed:
            self.find(Kind.STUCK, str(here), node.path, here)
            return
        self.result.means[way.means.name] += 1
        if way.means == Means.STOPPING:
            self.find(Kind.ONLY_STOP, str(here), node.path, here)
        elif way.days > self.result.longest.days:
            self.result.longest, self.result.longest_path = way, node.path

    def find(
        self, kind: Kind, what: str, path: Story, state: Abstract | None = None
    ) -> None:
        """Record a finding."""
        self.result.findings.append(Finding(kind, what, path, state))
