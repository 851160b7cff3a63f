"""What came of each mutant: kept as it comes, so that a run that was stopped goes on."""

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
from mutation.mutants import ROOT, Mutant, digest

ENOUGH: Final = 95.0
"""Of a hundred mutants of a module, how many have to die."""
EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Verdict:
    """Who killed a mutant, if anybody; and of which source and tests that is true."""

    key: str
    killer: str
    way: str
    seconds: float
    source: str
    tests: str

    def holds(self, source: str, tests: str) -> bool:
        """Say whether it need not be judged again: a survivor meets every new test."""
        return self.source == source and (self.killer != SURVIVED or self.tests == tests)


class State:
    """All verdicts, each a line of a file."""

    def __init__(self, folder: Path, *, fresh: bool) -> None:
        self.path = folder / "verdicts.jsonl"
        if fresh:
            self.path.unlink(missing_ok=True)
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        read = [Verdict(**json.loads(line)) for line in lines]
        self.verdicts = {verdict.key: verdict for verdict in read}

    def keep(self, verdict: Verdict) -> None:
        """Keep one, whatever happens next."""
        self.verdicts[verdict.key] = verdict
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(verdict)) + "\n")


def of_tests() -> str:
    """Recognise the tests as they are now."""
    return digest(path.read_bytes() for path in sorted((ROOT / "tests").rglob("*.py")))


def equivalents() -> dict[tuple[str, ...], str]:
    """Read the list of mutants that nobody could tell from the module, and why not."""
    rows = tomllib.loads(EQUIVALENT.read_text())["mutant"]
    return {
        (row["module"], row["scope"], row["at"], row["was"], row["now"]): row["why"]
        for row in rows
    }


def place(mutant: Mutant) -> tuple[str, ...]:
    """Say of a mutant what the list of equivalent ones says."""
    return mutant.module, mutant.scope, mutant.at, mutant.was, mutant.now


def stale(mutants: Iterable[Mutant], verdicts: Mapping[str, Verdict]) -> list[str]:
    """List rows of these modules that are no mutant any more, or that a test killed."""
    mutants = list(mutants)
    modules = {mutant.module for mutant in mutants}
    found = [(place(m), verdicts.get(m.key)) for m in mutants]
    alive = {here for here, known in found if known is None or known.killer == SURVIVED}
    return [
        " ".join(row) for row in equivalents() if row[0] in modules and row not in alive
    ]


def row_of(mutant: Mutant) -> str:
    """Spell a mutant as a row of the list of equivalent ones."""
    fields = zip(("module", "scope", "at", "was", "now"), place(mutant), strict=True)
    said = "\n".join(f"{name} = {spelled(value)}" for name, value in fields)
    return f'[[mutant]]\n{said}\nwhy = ""\n'


def spelled(value: str) -> str:
    """Spell a string of TOML."""
    return f"'{value}'" if "'" not in value and "\n" not in value else json.dumps(value)


@dataclass(frozen=True)
class Total:
    """How many mutants of a module there are, and what came of them."""

    module: str
    mutants: int
    killed: int
    by_time: int
    survived: int
    equivalent: int
    open: int

    @property
    def rate(self) -> float:
        """Say how many of a hundred died of those that can be told from the module.

        Who was not judged counts as one that lives.
        """
        return 100 * self.killed / max(1, self.killed + self.survived + self.open)

    @property
    def is_enough(self) -> bool:
        """Say whether all are judged, and enough of them died."""
        return not self.open and self.rate >= ENOUGH

    def line(self) -> str:
        """Spell it for people."""
        return (
            f"{self.module:32} {self.rate:6.1f} %  {self.killed:4} killed"
            f" ({self.by_time} by time), {self.survived:3} survived,"
            f" {self.equivalent:3} equivalent, {self.open:3} not judged"
        )


def total(module: str, mutants: Iterable[Mutant], verdicts: Mapping[str, Verdict]) -> Total:
    """Count what came of a module."""
    same = equivalents()
    counted = Counter(fate(mutant, verdicts.get(mutant.key), same) for mutant in mutants)
    return Total(
        module=module,
        mutants=counted.total(),
        killed=counted["killed"] + counted["by time"],
        by_time=counted["by time"],
        survived=counted["survived"],
        equivalent=counted["equivalent"],
        open=counted["open"],
    )


def fate(
    mutant: Mutant, verdict: Verdict | None, same: Mapping[tuple[str, ...], str]
) -> str:
    """Say what came of a mutant in one word."""
    if verdict is None:
        return "open"
    if verdict.killer == TIMED_OUT:
        return "by time"
    if verdict.killer != SURVIVED:
        return "killed"
    return "equivalent" if place(mutant) in same else "survived"


def write(path: Path, totals: list[Total], survivors: list[dict[str, str]]) -> None:
    """Write the result for whoever tells of it: docs/assurance.md."""
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
