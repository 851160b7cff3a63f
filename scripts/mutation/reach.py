"""Which tests reach which line, and how long each takes: found once, by running them all.

A mutant is judged by those that reach it, fastest first. Found with coverage's contexts for
each file of tests once; kept in `.mutation/`, and found anew by `make mutate FRESH=1`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from coverage import CoverageData

from mutation.modules import MODULES, ON_BOTH
from mutation.mutants import ROOT, digest

CONFIG: Final = """[run]
branch = false
core = ctrace
include =
"""
DURATIONS: Final = "MUTATION_DURATIONS"
"""Where the plugin `mutation.timing` writes how long each test took."""
UNKNOWN: Final = 1.0


class Reach:
    """What is known of the tests."""

    def __init__(self, folder: Path, *, fresh: bool) -> None:
        self.data, self.times = folder / "reach.sqlite", folder / "durations.json"
        self.config, self.log = folder / "reach.ini", folder / "reach.log"

        self.known = folder / "known.json"
        if fresh:
            for path in (self.data, self.times, self.known):
                path.unlink(missing_ok=True)
        self.seconds: Mapping[str, float] = self.timed()

    def find(self, files: Iterable[str]) -> None:
        """Run those files of tests that were not run yet as they are now."""
        known = json.loads(self.known.read_text()) if self.known.exists() else {}
        now = {file: digest([(ROOT / file).read_bytes()]) for file in files}
        if new := sorted(file for file in now if known.get(file) != now[file]):
            print(f"Finding which tests of {len(new)} files reach which line", flush=True)
            self.config.write_text(CONFIG + "".join(f"    {m}\n" for m in MODULES))
            for some in ([f for f in new if f not in ON_BOTH], ON_BOTH.intersection(new)):
                if some:
                    self.run(some)
            self.known.write_text(json.dumps(known | now, indent=0))

    def run(self, files: Iterable[str]) -> None:
        """Run them, and add what they reached and how long they took to what is known."""
        both, wanted = ON_BOTH.issuperset(files), set(files)
        kept = {t: s for t, s in self.seconds.items() if t.partition("::")[0] not in wanted}
        self.times.write_text(json.dumps(kept, indent=0))
        words = [
            *(sys.executable, "-m", "pytest", "-q", "-p", "mutation.timing", "-n", "auto"),
            *("--dist", "loadscope", "--no-loadscope-reorder"),
            *("--databases", "sqlite,postgresql" if both else "sqlite"),
            *("--cov", "--cov-append", "--cov-context=test", f"--cov-config={self.config}"),
            *("--cov-report=", *files),
        ]
        told = os.environ | {
            "COVERAGE_FILE": str(self.data),
            DURATIONS: str(self.times),
            "PYTHONPATH": str(ROOT / "scripts"),
        }
        with self.log.open("w") as log:
            done = subprocess.run(words, cwd=ROOT, env=told, stdout=log, check=False)
        if done.returncode:
            sys.exit(f"Tests fail without any mutant: see {self.log}")
        self.seconds = self.timed()

    def timed(self) -> dict[str, float]:
        """Read how long each test took."""
        return json.loads(self.times.read_text()) if self.times.exists() else {}

    def lines(self, module: str, files: Iterable[str]) -> Mapping[int, frozenset[str]]:
        """Say which tests of some files reach each line of a module."""
        wanted = set(files)
        data = CoverageData(str(self.data))
        data.read()
        paths = [path for path in data.measured_files() if path.endswith(module)]
        return {
            line: frozenset(
                one.partition("|")[0]
                for one in contexts
                if one.partition("::")[0] in wanted
            )
            for path in paths
            for line, contexts in data.contexts_by_lineno(path).items()
        }

    def quickest(self, tests: Iterable[str]) -> list[str]:
        """Put the quickest first, and of each file one before another of the same."""
        placed: dict[str, int] = {}
        order: list[tuple[float, str]] = []
        for test in sorted(tests, key=lambda test: (self.cost(test), test)):
            name = test.partition("[")[0]
            placed[name] = placed.get(name, 0) + 1
            order.append((self.cost(test) * placed[name], test))
        return [test for _, test in sorted(order)]

    def cost(self, test: str) -> float:
        """Say how long a test takes, in seconds."""
        return self.seconds.get(test, UNKNOWN)
