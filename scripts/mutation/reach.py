"""The lines that each test reaches, and the duration of each test.

Each test file runs once with coverage contexts, and again after the file has changed. The
results are stored in `.mutation/`; `make mutate FRESH=1` measures all files again.
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
from mutation.mutants import ROOT, compute_digest

CONFIG: Final = """[run]
branch = false
core = ctrace
include =
"""
DURATIONS: Final = "MUTATION_DURATIONS"
"""The environment variable with the path for the plugin `mutation.timing`."""
UNKNOWN: Final = 1.0


class Reach:
    """The lines that tests reach, and the durations of the tests."""

    def __init__(self, folder: Path, *, fresh: bool) -> None:
        self.data, self.times = folder / "reach.sqlite", folder / "durations.json"
        self.config, self.log = folder / "reach.ini", folder / "reach.log"

        self.known = folder / "known.json"
        if fresh:
            for path in (self.data, self.times, self.known):
                path.unlink(missing_ok=True)
        self.seconds: Mapping[str, float] = self.read_durations()

    def find(self, files: Iterable[str]) -> None:
        """Run the test files that have changed since they were measured."""
        known = json.loads(self.known.read_text()) if self.known.exists() else {}
        now = {file: compute_digest([(ROOT / file).read_bytes()]) for file in files}
        if new := sorted(file for file in now if known.get(file) != now[file]):
            print(f"Finding which tests of {len(new)} files reach which line", flush=True)
            self.config.write_text(CONFIG + "".join(f"    {m}\n" for m in MODULES))
            for some in ([f for f in new if f not in ON_BOTH], ON_BOTH.intersection(new)):
                if some:
                    self.run(some)
            self.known.write_text(json.dumps(known | now, indent=0))

    def run(self, files: Iterable[str]) -> None:
        """Run test files, and store the lines that they reach and their durations."""
        both, wanted = ON_BOTH.issuperset(files), set(files)
        kept = {t: s for t, s in self.seconds.items() if t.partition("::")[0] not in wanted}
        self.times.write_text(json.dumps(kept, indent=0))
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-pmutation.timing",
            "-nauto",
            "--dist=loadscope",
            "--no-loadscope-reorder",
            f"--databases={'sqlite,postgresql' if both else 'sqlite'}",
            "--cov",
            "--cov-append",
            "--cov-context=test",
            f"--cov-config={self.config}",
            "--cov-report=",
            *files,
        ]
        environment = os.environ | {
            "COVERAGE_FILE": str(self.data),
            DURATIONS: str(self.times),
            "PYTHONPATH": str(ROOT / "scripts"),
        }
        with self.log.open("w") as log:
            done = subprocess.run(words, cwd=ROOT, env=environment, stdout=log, check=False)
        if done.returncode:
            sys.exit(f"Tests fail on the unchanged modules: see {self.log}")
        self.seconds = self.read_durations()

    def read_durations(self) -> dict[str, float]:
        """Return the duration of each test in seconds."""
        return json.loads(self.times.read_text()) if self.times.exists() else {}

    def load_lines(self, module: str, files: Iterable[str]) -> Mapping[int, frozenset[str]]:
        """Return the tests of some files that reach each line of a module."""
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

    def sort_by_cost(self, tests: Iterable[str]) -> list[str]:
        """Return the tests, fastest first.

        The nth test of the same test function is sorted as if it took n times as long.
        """
        placed: dict[str, int] = {}
        order: list[tuple[float, str]] = []
        for test in sorted(tests, key=lambda test: (self.get_cost(test), test)):
            name = test.partition("[")[0]
            placed[name] = placed.get(name, 0) + 1
            order.append((self.get_cost(test) * placed[name], test))
        return [test for _, test in sorted(order)]

    def get_cost(self, test: str) -> float:
        """Return the duration of a test in seconds, or UNKNOWN if it was not measured."""
        return self.seconds.get(test, UNKNOWN)
