"""The search for a request that both commits answer differently, and its shortest cause."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from random import Random
from typing import Final

from tests.differential.pair import Outcome, Pair, Step
from tests.differential.walk import Ask, Walker
from tests.support.raw_requests import Operation

EPISODE: Final = 2000
"""Number of requests in one world. Both sides then begin a new world."""
PROGRESS: Final = 500
"""Number of requests after which progress is printed."""
REPLAYS: Final = 60
"""Maximum number of replays that shorten a sequence of requests."""

type Numbered = tuple[int, Step]
"""A step with its number in the walk."""


@dataclass(frozen=True)
class Difference:
    """The shortest sequence found, whose last request is answered differently."""

    steps: list[Numbered]
    outcome: Outcome


@dataclass
class Tally:
    """The number of compared requests of each operation, by the status of the response."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)

    def count_requests(self) -> int:
        """Return the number of requests."""
        return self.answers.total()

    def count_statuses(self) -> Counter[int]:
        """Return the number of responses of each status."""
        found = Counter[int]()
        for (_, status), many in self.answers.items():
            found[status] += many
        return found

    def count_operations(self) -> Counter[str]:
        """Return the number of requests of each operation."""
        found = Counter[str]()
        for (operation, _), many in self.answers.items():
            found[operation] += many
        return found


@dataclass
class Search:
    """A search by random walks, which stops at the first difference."""

    pair: Pair
    operations: list[Operation]
    seed: int
    say: Callable[[str], None]
    tally: Tally = field(default_factory=Tally)

    def run(self, requests: int) -> Difference | None:
        """Compare a number of responses, and return the first difference, or None."""
        episode = 0
        while self.tally.count_requests() < requests:
            least = min(EPISODE, requests - self.tally.count_requests())
            found = self.run_episode(Random(f"{self.seed}-{episode}"), least)
            if found:
                self.say(f"A difference after {len(found)} steps of walk {episode}.")
                return self.shorten(found)
            episode += 1
        return None

    def count_answer(self, operation: Operation, outcome: Outcome) -> None:
        """Count a response, and print the number of all responses from time to time."""
        self.tally.answers[operation.name, outcome.answer["status"]] += 1
        if self.tally.count_requests() % PROGRESS == 0:
            self.say(f"{self.tally.count_requests()} requests")

    def run_episode(self, chance: Random, requests: int) -> list[Numbered]:
        """Walk in a new world. Return the steps up to a difference, or an empty list."""
        begun = self.pair.begin()
        walk = Walker(self.operations, chance, begun.answer["keys"]).walk()
        if begun.differs:
            return [(0, Step("begin"))]
        steps, last = list[Numbered](), self.tally.count_requests() + requests
        ask = next(walk)
        while self.tally.count_requests() < last:
            step = self.pair.write_step(make_step(ask), ask.arguments)
            steps.append((self.pair.steps, step))
            outcome = self.pair.run(step)
            if ask.operation:
                self.count_answer(ask.operation, outcome)
            if outcome.differs:
                return steps
            ask = walk.send(outcome.answer)
        return []

    def shorten(self, steps: list[Numbered]) -> Difference:
        """Leave out steps as long as the last one is still answered differently.

        Return the remaining steps and their outcome, after at most `REPLAYS` attempts.
        """
        *before, last = steps
        writes = [one for one in before if not one[1].reads]
        if self.replay([*writes, last]).differs:
            before = writes
        left, size = REPLAYS, len(before)
        while left and size:
            kept = list[Numbered]()
            parts = [before[at : at + size] for at in range(0, len(before), size)]
            for number, part in enumerate(parts):
                rest = [one for other in parts[number + 1 :] for one in other]
                left -= 1
                if left < 0 or not self.replay([*kept, *rest, last]).differs:
                    kept += part
            left, before = max(left, 0), kept
            size = size // 2 if size > 1 else 0
        outcome = self.replay([*before, last])
        return Difference([*before, last], outcome)

    def replay(self, steps: Sequence[Numbered]) -> Outcome:
        """Run steps in a new world, and return the answers to the last one."""
        outcome = self.pair.begin()
        for number, step in steps:
            if step.do != "begin":
                outcome = self.pair.run(step, number)
        return outcome


def make_step(ask: Ask) -> Step:
    """Return the command of a walk as a step without arguments."""
    if ask.operation is None:
        return Step("wait")
    return Step("send", ask.operation.name, ask.person)


def format_difference(difference: Difference) -> Iterator[str]:
    """Yield lines about a sequence of requests and the answers to the last one."""
    for number, step in difference.steps:
        line = f"{number}. {step.do} {step.person} {step.operation}: {step.template}"
        yield decode(line)
    old, new = (decode(text).splitlines() for text in difference.outcome.texts)
    yield from unified_diff(old, new, "the other commit", "this tree", lineterm="", n=3)


def decode(text: str) -> str:
    """Decode UTF-8 text whose bytes are given as characters of Latin-1.

    Characters and bytes that cannot be converted are replaced.
    """
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def format_tally(tally: Tally) -> Iterator[str]:
    """Yield lines about the requests that were compared."""
    operations, statuses = tally.count_operations(), tally.count_statuses()
    yield f"{tally.count_requests()} requests of {len(operations)} operations."
    yield "By status: " + ", ".join(f"{k}: {n}" for k, n in sorted(statuses.items()))
    succeeded = {name for (name, status) in tally.answers if status < 300}
    yield f"{len(succeeded)} operations had an answer that is not an error."
    missing = sorted(operations.keys() - succeeded)
    yield f"Only errors or 304: {', '.join(missing) or 'none'}"
