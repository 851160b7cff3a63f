"""Write the results of the long test runs into docs/assurance.md: `make assurance`.

Each run stores its numbers as JSON, which git does not track. If a run was not made on this
machine, its row of the page stays as it is.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.bench.page import replace_part
from tests.support.results import ROOT

PAGE: Final = ROOT / "docs" / "assurance.md"
PART: Final = "runs"
NAMES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

type Numbers = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A long test run: its name, the path of its result, and how to describe the result."""

    name: str
    path: str
    describe: Callable[[Numbers], tuple[str, str]]


def describe_torture(told: Numbers) -> tuple[str, str]:
    """Return the extent and the findings of a run that kills the service under load."""
    acts, beside = told["operations"], told["disturbances"]
    others = ", ".join(f"{count} {name}" for name, count in beside.items())
    how = (
        f"{told['kills']} kills ({others}), seed {told['seed']}; {format_counts(acts)}; "
        f"{told['cases']} cases, {told['events']} events, {told['seconds'] / 60:.0f} min"
    )
    return how, format_findings(told["findings"])


def describe_failpoints(told: Numbers) -> tuple[str, str]:
    """Return the extent and the findings of a run that makes single statements fail."""
    share = "" if told["all_points"] else f", one in {told['one_point_in']}"
    how = (
        f"{told['operations_that_write']} operations that write, {told['calls']} calls, "
        f"{told['points']} points{share}; {told['failures']} failures, "
        f"{told['seconds'] / 60:.0f} min"
    )
    return how, format_findings(told["faults"])


def describe_drill(told: Numbers) -> tuple[str, str]:
    """Return the extent and the findings of a run that restores a lost service."""
    how = (
        f"{told['submitted']} cases acknowledged, {told['lost']} of them after the "
        f"backup; {told['erased_again']} erased again; served again after "
        f"{told['seconds_to_restore']:.0f} s"
    )
    return how, format_findings([])  # a drill with a finding fails before it writes numbers


def describe_simulation(told: Numbers) -> tuple[str, str]:
    """Return the extent and the findings of a run of the simulation."""
    how = (
        f"seeds {told['first_seed']} to {told['last_seed']}: {told['steps']:,} steps, "
        f"{told['requests']:,} requests, {sum(told['crashes'].values()):,} crashes of the "
        f"worker, {told['virtual_days']:,} days; {told['seconds'] / 60:.0f} min"
    )
    return how, format_findings(told["failed"])


def describe_twins(told: Numbers) -> tuple[str, str]:
    """Return the extent and the findings of a run of twin worlds."""
    how = (
        f"seeds {told['first_seed']} to {told['last_seed']}: {told['answers']:,} pairs of "
        f"answers; each secret before each relation at least {told['least']} times; "
        f"{told['seconds'] / 60:.0f} min"
    )
    return how, format_findings(told["failed"])


def describe_outage(told: Numbers) -> tuple[str, str]:
    """Return the extent and the findings of a run of outages behind a proxy."""
    how = (
        f"{5 * told['seconds']:.0f} s without a worker, {told['seconds']:.0f} s without "
        f"the database, one process killed; {sum(told['reads'].values()):,} reads, "
        f"{told['submitted']:,} submissions"
    )
    return how, format_findings([*told["wrong"], *told["lost"]])


def describe_fuzzing(told: Numbers) -> tuple[str, str]:
    """Return the extent and the findings of a fuzzing run."""
    users = told["users"]
    how = (
        f"{users[0]['examples']} examples an operation, as {len(users)} people; "
        f"{sum(one['cases'] for one in users):,} cases, {told['seconds'] / 60:.0f} min"
    )
    return how, format_findings([one["name"] for one in users if one["failed"]])


def describe_mutation(told: Numbers) -> tuple[str, str]:
    """Return the extent of a mutation run, and how many changes no test detected."""
    of = {name: sum(one[name] for one in told["modules"]) for name in COUNTED}
    judged = of["killed"] + of["survived"]
    rate = 100 * of["killed"] / judged if judged else 0.0
    how = (
        f"{len(told['modules'])} modules: {of['mutants']:,} changes, {of['killed']:,} "
        f"noticed ({rate:.1f} %), {of['equivalent']} that change nothing, "
        f"{of['open']} not judged"
    )
    return how, f"{of['survived']} not noticed" if of["survived"] else "nothing"


COUNTED: Final = ("mutants", "killed", "survived", "equivalent", "open")


def format_findings(what: list[Any]) -> str:
    """Return the number of findings as text, or "nothing" if there are none."""
    return f"{len(what)} found" if what else "nothing"


def format_counts(counts: dict[str, int]) -> str:
    """Format counts with their names, separated by commas."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def list_runs() -> Iterator[Run]:
    """Yield every kind of long run that stores its results."""
    for kind, name in NAMES.items():
        yield Run(f"`make torture`, {name}", f".torture/{kind}.json", describe_torture)
        yield Run(
            f"`make failpoints`, {name}",
            f".torture/failpoints-{kind}.json",
            describe_failpoints,
        )
        yield Run(f"`make drill`, {name}", f".torture/drill-{kind}.json", describe_drill)
        yield Run(f"`make twins`, {name}", f".simulation/twins-{kind}.json", describe_twins)
    yield Run("`make outage`", ".torture/outage.json", describe_outage)
    yield Run("`make simulate`", ".simulation/result.json", describe_simulation)
    yield Run("`make mutate`", ".mutation/result.json", describe_mutation)
    yield Run("`make fuzz-api`", ".fuzz/result.json", describe_fuzzing)


def main() -> None:
    """Update the table in docs/assurance.md with the runs made on this machine.

    Raises `PageBroken` if the page has no place for the table.
    """
    page = PAGE.read_text("utf-8")
    rows = {line.split(" | ")[0]: line for line in page.splitlines() if line[:3] == "| `"}
    for run in list_runs():
        if (path := ROOT / run.path).is_file():
            numbers = json.loads(path.read_text("utf-8"))
            cells = (run.name, *run.describe(numbers), numbers.get("commit", "not known"))
            rows[f"| {run.name}"] = f"| {' | '.join(cells)} |"
    head = ("| run | how much | found | commit |", "|---|---|---|---|")
    table = "\n".join((*head, *(rows[name] for name in sorted(rows))))
    PAGE.write_text(replace_part(page, PART, table), "utf-8")


if __name__ == "__main__":
    main()
