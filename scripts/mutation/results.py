"""Verdicts on mutants. Each is stored at once, so that a stopped run can continue."""

import json
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mutation.judging import SURVIVED
from mutation.lanes import TIMED_OUT
from mutation.mutants import ROOT, Mutant, compute_digest

ENOUGH: Final = 95.0
"""The percentage of the mutants of a module that must be killed."""
EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Verdict:
    """The result for a mutant. `killer` is the test that killed it, or an empty string."""

    key: str
    killer: str
    way: str
    seconds: float
    source: str
    tests: str

    def is_valid(self, source: str, tests: str) -> bool:
        """Return whether the verdict is still valid for a source and its tests.

        If the tests have changed, a mutant that survived is tested again.
        """
        return self.source == source and (self.killer != SURVIVED or self.tests == tests)


class State:
    """A file of verdicts, one on each line."""

    def __init__(self, folder: Path, *, fresh: bool) -> None:
        self.path = folder / "verdicts.jsonl"
        if fresh:
            self.path.unlink(missing_ok=True)
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        read = [Verdict(**json.loads(line)) for line in lines]
        self.verdicts = {verdict.key: verdict for verdict in read}

    def store(self, verdict: Verdict) -> None:
        """Append a verdict to the file."""
        self.verdicts[verdict.key] = verdict
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(verdict)) + "\n")


def compute_digest_of_tests() -> str:
    """Return the digest of all tests."""
    return compute_digest(
        path.read_bytes() for path in sorted((ROOT / "tests").rglob("*.py"))
    )


def load_equivalents() -> dict[tuple[str, ...], str]:
    """Return the mutants that behave like the module, with the reasons."""
    rows = tomllib.loads(EQUIVALENT.read_text())["mutant"]
    return {
        (row["module"], row["scope"], row["at"], row["was"], row["now"]): row["why"]
        for row in rows
    }


def get_place(mutant: Mutant) -> tuple[str, ...]:
    """Return the fields that identify a mutant in the list of equivalent mutants."""
    return mutant.module, mutant.scope, mutant.at, mutant.was, mutant.now


def find_stale(mutants: Iterable[Mutant], verdicts: Mapping[str, Verdict]) -> list[str]:
    """Return the equivalent mutants of the list that do not exist or that a test killed."""
    mutants = list(mutants)
    modules = {mutant.module for mutant in mutants}
    found = [(get_place(m), verdicts.get(m.key)) for m in mutants]
    alive = {here for here, known in found if known is None or known.killer == SURVIVED}
    return [
        " ".join(row)
        for row in load_equivalents()
        if row[0] in modules and row not in alive
    ]


def format_row(mutant: Mutant) -> str:
    """Return a mutant as a row of the list of equivalent mutants."""
    fields = zip(("module", "scope", "at", "was", "now"), get_place(mutant), strict=True)
    lines = "\n".join(f"{name} = {format_string(value)}" for name, value in fields)
    return f'[[mutant]]\n{lines}\nwhy = ""\n'


def format_string(value: str) -> str:
    """Return a string in the syntax of TOML."""
    return f"'{value}'" if "'" not in value and "\n" not in value else json.dumps(value)


@dataclass(frozen=True)
class Total:
    """The numbers of mutants of a module, by verdict."""

    module: str
    mutants: int
    killed: int
    by_time: int
    survived: int
    equivalent: int
    open: int

    @property
    def rate(self) -> float:
        """The percentage of mutants that were killed, without the equivalent mutants.

        A mutant without a verdict counts as a survivor.
        """
        return 100 * self.killed / max(1, self.killed + self.survived + self.open)

    @property
    def is_enough(self) -> bool:
        """Whether all mutants have a verdict and enough of them were killed."""
        return not self.open and self.rate >= ENOUGH

    def format_line(self) -> str:
        """Return the totals as a line of text."""
        return (
            f"{self.module:32} {self.rate:6.1f} %  {self.killed:4} killed"
            f" ({self.by_time} by time), {self.survived:3} survived,"
            f" {self.equivalent:3} equivalent, {self.open:3} not judged"
        )


def count_verdicts(
    module: str, mutants: Iterable[Mutant], verdicts: Mapping[str, Verdict]
) -> Total:
    """Return the totals of a module."""
    same = load_equivalents()
    counted = Counter(
        name_verdict(mutant, verdicts.get(mutant.key), same) for mutant in mutants
    )
    return Total(
        module=module,
        mutants=counted.total(),
        killed=counted["killed"] + counted["by time"],
        by_time=counted["by time"],
        survived=counted["survived"],
        equivalent=counted["equivalent"],
        open=counted["open"],
    )


def name_verdict(
    mutant: Mutant, verdict: Verdict | None, same: Mapping[tuple[str, ...], str]
) -> str:
    """Return the verdict on a mutant as text, such as `killed` or `by time`."""
    if verdict is None:
        return "open"
    if verdict.killer == TIMED_OUT:
        return "by time"
    if verdict.killer != SURVIVED:
        return "killed"
    return "equivalent" if get_place(mutant) in same else "survived"


def write(path: Path, totals: list[Total], survivors: list[dict[str, str]]) -> None:
    """Write the results as JSON, which docs/assurance.md quotes."""
    words = ("git", "rev-parse", "--short", "HEAD")
    commit = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    result = {
        "commit": commit.stdout.strip(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "enough": ENOUGH,
        "modules": [asdict(each) | {"rate": round(each.rate, 1)} for each in totals],
        "survivors": survivors,
    }
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
