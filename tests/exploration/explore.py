"""Explore the states of a case, and find those from which it has no way on.

What is tried is drawn by a seed. Each state that is new in the abstract is checked, and
kept to branch from: walks go on from new states, and begin again where a state is known.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final, override

from tests.exploration.abstract import OVER, Abstract, read_abstract
from tests.exploration.choosing import Chosen, choose
from tests.exploration.closure import Means, Way, find_closure
from tests.exploration.moves import NOBODY, WORLD, Doing, Move, Said
from tests.exploration.stage import Saved, Stage

KEPT: Final = 600
"""States kept to branch from; the oldest go first."""
RECENT: Final = 40
NEW: Final = 0.4
"""How often a walk begins at one of the most recent states."""
DISTURBED: Final = 3
"""Changes of the directory or of accounts on one path."""
DEEP: Final = 40
"""Moves of one path."""
FAR: Final = 6
"""Moves tried in one walk."""
DEPENDS: Final = frozenset(
    {
        "case.assign",
        "case.take_over",
        "case.record_lead_consent",
        "referral.redirect",
        "return.report",
    }
)
"""Steps that depend on what is chosen with them, which the service cannot know before.

A visit or an arrival before its date is refused unless the report says `early`.
"""
SERVER_ERROR: Final = 500
ERASED_LATER: Final = """SELECT 1 FROM "case" c LEFT JOIN clock k ON k.record_id = c.id
    AND k.kind = 'erase' AND k.stopped_at IS NULL
    WHERE c.code = :code AND (c.state = 'erased' OR k.number IS NOT NULL)"""

type Story = tuple[Move, ...]


class Kind(StrEnum):
    """What is wrong with a state."""

    STUCK = "stuck: no way to an end, whatever the offices do"
    ONLY_STOP = "nobody can end it but as a wish of the person"
    NEVER_ERASED = "it is over, and nothing will erase it"
    REFUSED = "a step that is shown as open is refused"
    WORKER_FAILS = "the worker cannot do what is due"
    SERVICE_FAILS = "the service answers with an error of its own"


@dataclass(frozen=True)
class Finding:
    """What is wrong with a state, and how one comes there."""

    kind: Kind
    what: str
    path: Story
    state: Abstract | None = None

    @override
    def __str__(self) -> str:
        steps = [f"  {number}. {move}" for number, move in enumerate(self.path, 1)]
        return "\n".join([f"{self.kind} ({self.what})", *steps])


@dataclass(frozen=True)
class Node:
    """A state that was reached, and how."""

    saved: Saved
    path: Story


@dataclass
class Result:
    """What an exploration came to."""

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
    """Explores from some beginnings on one stage."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage, self.do = stage, Doing(stage)
        self.chance = Random(f"{seed} exploration")
        self.seen: set[Abstract] = set()
        self.nodes: list[Node] = []
        self.result = Result()

    def begin(self, stories: Iterable[Story], *, only_last: bool = False) -> None:
        """Go some ways whose states are explored from; each move has to succeed.

        With `only_last`, check the last state of each and none before.
        """
        for moves in stories:
            self.stage.restore(self.stage.beginning)
            for at, move in enumerate(moves, 1):
                said = self.do(move)
                assert said.is_done, f"{move}: {said}"
                if at == len(moves) or not only_last:
                    self.arrive(moves[:at])

    def explore(
        self,
        states: int,
        tell: Callable[[Result], None] = lambda _: None,
        until: Callable[[Result], bool] = lambda _: False,
    ) -> Result:
        """Explore until so many more states are known, or what is looked for is found."""
        most = len(self.seen) + states
        while len(self.seen) < most and not until(self.result):
            some = self.nodes[-RECENT:] if self.chance.random() < NEW else self.nodes
            node = self.chance.choice(some)
            self.stage.restore(node.saved)
            self.walk(node.path)
            tell(self.result)
        return self.result

    def walk(self, path: Story) -> None:
        """Go on from where the stage is, until what is reached is known already."""
        for _ in range(FAR):
            chosen = choose(self.stage, self.chance)
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

    def take(self, chosen: Chosen, path: Story) -> Said | None:
        """Carry a move out, and see that the service keeps what it promised.

        None: the worker failed, and the stage is of no use any more.
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
        """Check where the stage is if that is new; return whether it is worth going on.

        Where something is wrong it is wrong in most states that follow.
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
        """See whether the case has an owner, a step that succeeds, and a way to its end.

        A way is made of steps that succeeded, of offices that are open and staffed, and of
        waits in which the worker did something: so its first step shows owner and step.
        """
        if here.state in OVER:
            if not self.stage.rows(ERASED_LATER):
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
        """Keep a finding."""
        self.result.findings.append(Finding(kind, what, path, state))
