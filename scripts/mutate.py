"""Change the listed modules in one place at a time, and check that a test fails.

The modules are listed in `mutation/modules.py`; `make mutate M=vault` tests only those with
`vault` in their name. The verdicts are stored in `.mutation/`, so that a stopped run can
continue; `FRESH=1` starts again. The script prints each surviving mutant as a diff, and
writes all results to `.mutation/result.json`.
"""

import os
import sys
from argparse import ArgumentParser
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from multiprocessing.connection import Connection, wait
from signal import SIGTERM, default_int_handler, signal
from time import monotonic
from typing import Final

from mutation import lanes, results
from mutation.judging import SURVIVED
from mutation.lanes import LONGEST, Found, Task
from mutation.modules import BESIDE, MODULES, RULES
from mutation.mutants import ROOT, Mutant, compute_digest, make_mutants, read
from mutation.reach import Reach
from mutation.results import State, Verdict

FOLDER: Final = ROOT / ".mutation"
MOST_SECONDS: Final = 120.0
MOST_TESTS: Final = 800
"""Limits for the tests of one mutant, which survives if none of these tests fails."""
PATIENCE: Final = 60.0
"""Seconds that tests may take beyond `SLOWER` times their usual duration."""
SLOWER: Final = 4
"""How many times slower tests may be while the machine is busy."""
EVERY: Final = 25


@dataclass
class Module:
    """A module with its mutants and tests. The tests that killed most mutants run first."""

    name: str
    text: str
    mutants: list[Mutant]
    lines: Mapping[int, frozenset[str]]
    pure: list[str]
    beside: list[str]
    killers: Counter[str] = field(default_factory=Counter)
    trusted: set[str] = field(default_factory=set)

    @property
    def source(self) -> str:
        """The digest of the source text."""
        return compute_digest([self.text.encode()])

    def find_reaching(self, mutant: Mutant) -> frozenset[str]:
        """Return the tests that reach a mutant or, if it runs at import, any line."""
        first, last = mutant.lines if mutant.body else (1, len(self.text))
        reached = (t for line, t in self.lines.items() if first <= line <= last)
        return frozenset[str]().union(*reached)

    def find_users(self, mutant: Mutant) -> frozenset[str]:
        """Return the tests that use the constant that a mutant changes. They run first."""
        if mutant.body:
            return frozenset()
        return frozenset[str]().union(*(self.lines.get(n, ()) for n in mutant.users))

    def make_task(self, mutant: Mutant, reach: Reach) -> Task:
        """Return the task for a mutant: its tests and their time limit."""
        reaching = self.find_reaching(mutant) - frozenset(self.pure) | frozenset(
            self.beside
        )
        known = [test for test, _ in self.killers.most_common() if test in reaching]
        users = self.find_users(mutant) & reaching
        order = [*reach.sort_by_cost(users), *reach.sort_by_cost(reaching - users)]
        quick = [*known, *(test for test in order if test not in self.killers)]
        costs = accumulate(map(reach.get_cost, quick))
        tests = [t for t, spent in zip(quick, costs, strict=True) if spent <= MOST_SECONDS]
        pure = sorted(self.pure, key=lambda test: -self.killers[test])
        seconds = PATIENCE + SLOWER * sum(map(reach.get_cost, tests[:MOST_TESTS]))
        return Task(mutant, self.text, pure, tests[:MOST_TESTS], seconds)


def main(arguments: list[str]) -> int:
    """Test the mutants, print the results, and return the exit code."""
    parser = ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument(
        "modules", nargs="*", help="parts of names of modules; default: all"
    )
    parser.add_argument("--fresh", action="store_true", help="discard earlier verdicts")
    parser.add_argument("--lanes", type=int, default=os.cpu_count())
    options = parser.parse_args(arguments)
    signal(SIGTERM, default_int_handler)  # so that `timeout` stops the lanes too
    FOLDER.mkdir(exist_ok=True)
    reach, state = Reach(FOLDER, fresh=options.fresh), State(FOLDER, fresh=options.fresh)
    names = [
        m for m in MODULES if not options.modules or any(w in m for w in options.modules)
    ]
    files = sorted({test for name in names for test in MODULES[name]})
    pure, others = lanes.split_pure([f for f in files if f.startswith(RULES)], FOLDER)
    judges = [f for f in files if not f.startswith(RULES) or f in lanes.list_files(others)]
    reach.find(judges)
    modules = [make_module(name, reach, pure) for name in names]
    try:
        with lanes.start_lanes(options.lanes, judges, FOLDER) as connections:
            for module in modules:
                assess_module(module, connections, reach, state)
    except KeyboardInterrupt:
        print("Stopped. The next run continues here.", file=sys.stderr)
    return print_results(modules, state)


def make_module(name: str, reach: Reach, pure: list[str]) -> Module:
    """Return a module with its mutants and tests."""
    text, own = read(name), MODULES[name]
    return Module(
        name=name,
        text=text,
        mutants=make_mutants(name, text),
        lines=reach.load_lines(name, own),
        pure=[test for test in pure if test.partition("::")[0] in own],
        beside=[
            t for t in reach.seconds if t.partition("::")[0] in BESIDE.intersection(own)
        ],
    )


def assess_module(
    module: Module, connections: list[Connection], reach: Reach, state: State
) -> None:
    """Run the tests for the mutants of a module that have no valid verdict."""
    tests, source = results.compute_digest_of_tests(), module.source
    waiting = deque(
        mutant
        for mutant in module.mutants
        if not (known := state.verdicts.get(mutant.key))
        or not known.is_valid(source, tests)
    )
    if not waiting:
        return
    print(f"{module.name}: {len(waiting)} of {len(module.mutants)} to judge", flush=True)
    check_unchanged(module, connections[0], reach)
    at_work: dict[Connection, Mutant] = {}
    began, count = monotonic(), len(waiting)
    while waiting or at_work:
        for lane in [lane for lane in connections if lane not in at_work][: len(waiting)]:
            at_work[lane] = waiting.popleft()
            lane.send(module.make_task(at_work[lane], reach))
        ready = wait(list(at_work))
        for lane in [lane for lane in at_work if lane in ready]:
            mutant, found = at_work.pop(lane), Found(*lane.recv())
            check_killer(module, found, lane)
            state.store(Verdict(mutant.key, *found, source=source, tests=tests))
            module.killers[found.killer] += 1
            if found.killer == SURVIVED:
                print(f"\n{mutant.format_diff(module.text)}\n", flush=True)
            left = len(waiting) + len(at_work)
            if left % EVERY == 0:
                spent = (monotonic() - began) / (count - left)
                print(f"  {left:4} left, about {spent * left / 60:.0f} min", flush=True)


def check_unchanged(module: Module, lane: Connection, reach: Reach) -> None:
    """Exit if a test fails on the unchanged module, because no verdict is valid then."""
    as_is = replace(module.mutants[0], text=module.text, body=False)
    for mutant in (as_is, replace(as_is, body=True)):
        require_survival(module, module.make_task(mutant, reach), lane)


def check_killer(module: Module, found: Found, lane: Connection) -> None:
    """Exit if a test that kills a mutant for the first time fails without mutants too."""
    if "::" not in found.killer or found.way == "pure" or found.killer in module.trusted:
        return
    module.trusted.add(found.killer)
    as_is = replace(module.mutants[0], text=module.text, body=found.way == "at once")
    require_survival(module, Task(as_is, module.text, [], [found.killer], LONGEST), lane)


def require_survival(module: Module, task: Task, lane: Connection) -> None:
    """Exit if a test fails on the unchanged module."""
    lane.send(task)
    killer = lane.recv().killer
    if killer != SURVIVED:
        sys.exit(f"{killer} fails on the unchanged {module.name}: see {FOLDER}/*.log")


def print_results(modules: list[Module], state: State) -> int:
    """Print and store survivors and the totals of each module; return the exit code."""
    totals = [results.count_verdicts(m.name, m.mutants, state.verdicts) for m in modules]
    same = results.load_equivalents()
    survivors = [
        {"row": results.format_row(mutant), "diff": mutant.format_diff(module.text)}
        for module in modules
        for mutant in module.mutants
        if results.name_verdict(mutant, state.verdicts.get(mutant.key), same) == "survived"
    ]
    for survivor in survivors:
        print(survivor["diff"], survivor["row"], sep="\n")
    for each in totals:
        print(each.format_line())
    results.write(FOLDER / "result.json", totals, survivors)
    stale = results.find_stale(
        (m for each in modules for m in each.mutants), state.verdicts
    )
    for row in stale:
        print(f"Not equivalent: {row}", file=sys.stderr)
    return 0 if all(each.is_enough for each in totals) and not stale else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
