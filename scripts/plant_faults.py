"""Plant faults of one line, and report which test fails: `make plant FAULTS=40 SEED=20`.

The seed selects the faults from the mutants of the modules in mutation/modules.py, without
the mutants that are known to be equivalent, and at most one for each scope. Each fault
is written into its module, the tests run until the first failure, and the module is
restored. The tests that are listed for the module run first, because a failure of one of
them is also a failure of `make test`. If none of them fails, all of `make test` runs, and
then all of `make test-all`.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Final

from mutation.modules import MODULES
from mutation.mutants import ROOT, Mutant, make_mutants, read
from mutation.results import get_place, load_equivalents

EFFORTS: Final = ("sample", "all")
"""The values of `--effort` that `make test` and `make test-all` use."""
PYTEST: Final = (
    sys.executable,
    "-m",
    "pytest",
    "-q",
    "-x",
    "-n",
    "auto",
    "--dist",
    "loadscope",
    "--no-loadscope-reorder",
)


def select_faults(count: int, seed: int) -> list[Mutant]:
    """Return at most `count` faults, with at most one for each scope of a module."""
    known = load_equivalents()
    found = [one for name in MODULES for one in make_mutants(name, read(name))]
    Random(seed).shuffle(found)  # noqa: S311 - nothing secret
    by_scope = {
        (one.module, one.scope): one for one in found if get_place(one) not in known
    }
    return list(by_scope.values())[:count]


@contextmanager
def plant(mutant: Mutant) -> Iterator[None]:
    """Apply a mutant to its module while the context is open."""
    path, before = ROOT / mutant.module, read(mutant.module)
    path.write_text(mutant.text, "utf-8")
    try:
        yield
    finally:
        path.write_text(before, "utf-8")


def run_tests(effort: str, seed: int, files: Sequence[str]) -> str:
    """Run tests until one fails; return its result line, or an empty string if all pass."""
    words = [*PYTEST, "--effort", effort, f"--seed={seed}"]
    words += [f"--hypothesis-seed={seed}", *files]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        words, cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return ""
    lines = done.stdout.splitlines() + done.stderr.splitlines()
    named = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return (named or lines[-1:] or ["it does not start"])[0].removeprefix("FAILED ")


def find_test(mutant: Mutant, seed: int) -> tuple[str, str]:
    """Return the lowest effort at which a test fails, and the test.

    Returns two empty strings if no test fails.
    """
    judges = list(dict.fromkeys(one.partition("::")[0] for one in MODULES[mutant.module]))
    for effort in EFFORTS:
        for files in (judges, []):
            if test := run_tests(effort, seed, files):
                return effort, test
    return "", ""


def main() -> int:
    """Plant the faults, and print each with the test that failed, or as survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--seed", type=int, default=20)
    args = parser.parse_args()
    changed = ["git", "diff", "--quiet", "--", "app"]
    if subprocess.run(changed, cwd=ROOT, check=False).returncode:
        sys.exit("Commit or undo the changes in app/ first: this script would lose them.")
    noticed = dict.fromkeys((*EFFORTS, ""), 0)
    faults = list(select_faults(args.faults, args.seed))
    for number, mutant in enumerate(faults, 1):
        began = time.monotonic()
        with plant(mutant):
            effort, test = find_test(mutant, args.seed)
        noticed[effort] += 1
        where = f"{mutant.module}:{mutant.line} {mutant.scope}: {mutant.at!r}"
        change = f"{mutant.was!r} -> {mutant.now!r}"
        result = f"{effort}: {test}" if effort else "SURVIVED"
        took = f"{time.monotonic() - began:.0f} s"
        print(f"{number}. {where}: {change}: {result} ({took})", flush=True)
    some, every = noticed["sample"], noticed["sample"] + noticed["all"]
    print(f"of {len(faults)}: make test notices {some}, make test-all {every}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
