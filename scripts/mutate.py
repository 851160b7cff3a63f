"""Change the modules that matter, one thing at a time, and see the tests notice.

`make mutate` judges all of them, `make mutate M=vault` some. What was judged is kept in
`.mutation/`, so it goes on where it was stopped; `FRESH=1` begins anew. Survivors are
printed with their difference; `.mutation/result.json` has it all.
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
from mutation.mutants import ROOT, Mutant, digest, mutants_of, read
from mutation.reach import Reach
from mutation.results import State, Verdict

FOLDER: Final = ROOT / ".mutation"
MOST_SECONDS: Final = 120.0
MOST_TESTS: Final = 800
"""How much is tried against one mutant before it counts as a survivor."""
PATIENCE: Final = 60.0
"""Seconds that judging may take on top of what its tests took without a mutant, ..."""
SLOWER: Final = 4
"""... which others on this machine may make so many times slower."""
EVERY: Final = 25


@dataclass
class Module:
    """A module, its mutants, and who may judge them; who killed most is asked first."""

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
        """Recognise the module as it is now."""
        return digest([self.text.encode()])

    def reaching(self, mutant: Mutant) -> frozenset[str]:
        """Say which tests reach a mutant: any of the module, if it is done at import."""
        first, last = mutant.lines if mutant.body else (1, len(self.text))
        reached = (t for line, t in self.lines.items() if first <= line <= last)
        return frozenset[str]().union(*reached)

    def using(self, mutant: Mutant) -> frozenset[str]:
        """Say which tests use the constant that a mutant changes: they are asked first."""
        if mutant.body:
            return frozenset()
        return frozenset[str]().union(*(self.lines.get(n, ()) for n in mutant.users))

    def task(self, mutant: Mutant, reach: Reach) -> Task:
        """Choose who judges a mutant, and how long that may take."""
        reaching = self.reaching(mutant) - frozenset(self.pure) | frozenset(self.beside)
        known = [test for test, _ in self.killers.most_common() if test in reaching]
        users = self.using(mutant) & reaching
        order = [*reach.quickest(users), *reach.quickest(reaching - users)]
        quick = [*known, *(test for test in order if test not in self.killers)]
        costs = accumulate(map(reach.cost, quick))
        tests = [t for t, spent in zip(quick, costs, strict=True) if spent <= MOST_SECONDS]
        pure = sorted(self.pure, key=lambda test: -self.killers[test])
        seconds = PATIENCE + SLOWER * sum(map(reach.cost, tests[:MOST_TESTS]))
        return Task(mutant, self.text, pure, tests[:MOST_TESTS], seconds)


def main(words: list[str]) -> int:
    """Judge, and answer for the shell: 1 if too many survive."""
    parser = ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("modules", nargs="*", help="parts of the modules' names")
    parser.add_argument("--fresh", action="store_true", help="begin anew")
    parser.add_argument("--lanes", type=int, default=os.cpu_count())
    told = parser.parse_args(words)
    signal(SIGTERM, default_int_handler)  # `timeout` ends the lanes too
    FOLDER.mkdir(exist_ok=True)
    reach, state = Reach(FOLDER, fresh=told.fresh), State(FOLDER, fresh=told.fresh)
    names = [m for m in MODULES if not told.modules or any(w in m for w in told.modules)]
    files = sorted({test for name in names for test in MODULES[name]})
    pure, others = lanes.tried([f for f in files if f.startswith(RULES)], FOLDER)
    judges = [f for f in files if not f.startswith(RULES) or f in lanes.files(others)]
    reach.find(judges)
    modules = [module_of(name, reach, pure) for name in names]
    try:
        with lanes.opened(told.lanes, judges, FOLDER) as ways:
            for module in modules:
                judge(module, ways, reach, state)
    except KeyboardInterrupt:
        print("Stopped. It goes on where it was.", file=sys.stderr)
    return tell(modules, state)


def module_of(name: str, reach: Reach, pure: list[str]) -> Module:
    """Make the mutants of a module, and find its tests."""
    text, own = read(name), MODULES[name]
    return Module(
        name=name,
        text=text,
        mutants=mutants_of(name, text),
        lines=reach.lines(name, own),
        pure=[test for test in pure if test.partition("::")[0] in own],
        beside=[
            t for t in reach.seconds if t.partition("::")[0] in BESIDE.intersection(own)
        ],
    )


def judge(module: Module, ways: list[Connection], reach: Reach, state: State) -> None:
    """Judge those mutants of a module that are not judged yet, one in each lane."""
    tests, source = results.of_tests(), module.source
    waiting = deque(
        mutant
        for mutant in module.mutants
        if not (known := state.verdicts.get(mutant.key)) or not known.holds(source, tests)
    )
    if not waiting:
        return
    print(f"{module.name}: {len(waiting)} of {len(module.mutants)} to judge", flush=True)
    check(module, ways[0], reach)
    at_work: dict[Connection, Mutant] = {}
    began, count = monotonic(), len(waiting)
    while waiting or at_work:
        for way in [way for way in ways if way not in at_work][: len(waiting)]:
            at_work[way] = waiting.popleft()
            way.send(module.task(at_work[way], reach))
        ready = wait(list(at_work))
        for way in [way for way in at_work if way in ready]:
            mutant, found = at_work.pop(way), Found(*way.recv())
            check_killer(module, found, way)
            state.keep(Verdict(mutant.key, *found, source=source, tests=tests))
            module.killers[found.killer] += 1
            if found.killer == SURVIVED:
                print(f"\n{mutant.diff(module.text)}\n", flush=True)
            left = len(waiting) + len(at_work)
            if left % EVERY == 0:
                spent = (monotonic() - began) / (count - left)
                print(f"  {left:4} left, about {spent * left / 60:.0f} min", flush=True)


def check(module: Module, way: Connection, reach: Reach) -> None:
    """See the module itself survive, or what its judges say of others is worth nothing."""
    as_is = replace(module.mutants[0], text=module.text, body=False)
    for mutant in (as_is, replace(as_is, body=True)):
        must_survive(module, module.task(mutant, reach), way)


def check_killer(module: Module, found: Found, way: Connection) -> None:
    """See a test that killed for the first time let the module itself live."""
    if "::" not in found.killer or found.way == "pure" or found.killer in module.trusted:
        return
    module.trusted.add(found.killer)
    as_is = replace(module.mutants[0], text=module.text, body=found.way == "at once")
    must_survive(module, Task(as_is, module.text, [], [found.killer], LONGEST), way)


def must_survive(module: Module, task: Task, way: Connection) -> None:
    """End here, if a test fails on what was not changed."""
    way.send(task)
    killer = way.recv().killer
    if killer != SURVIVED:
        sys.exit(f"{module.name} itself does not survive {killer}: see {FOLDER}/*.log")


def tell(modules: list[Module], state: State) -> int:
    """Say what survived, and how many died of each module."""
    totals = [results.total(m.name, m.mutants, state.verdicts) for m in modules]
    same = results.equivalents()
    survivors = [
        {"row": results.row_of(mutant), "diff": mutant.diff(module.text)}
        for module in modules
        for mutant in module.mutants
        if results.fate(mutant, state.verdicts.get(mutant.key), same) == "survived"
    ]
    for survivor in survivors:
        print(survivor["diff"], survivor["row"], sep="\n")
    for each in totals:
        print(each.line())
    results.write(FOLDER / "result.json", totals, survivors)
    stale = results.stale((m for each in modules for m in each.mutants), state.verdicts)
    for row in stale:
        print(f"Not equivalent: {row}", file=sys.stderr)
    return 0 if all(each.is_enough for each in totals) and not stale else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
