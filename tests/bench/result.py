"""The result of a run, which is written as JSON and shown on a page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench.figures import Comparison, Figure, is_noisy
from tests.bench.goals import (
    GOALS,
    IDLE,
    LOADED,
    READY,
    TAIL,
    Goal,
    Verdict,
    assess,
    compute_tail,
)
from tests.bench.sides import Kind


@dataclass(frozen=True)
class Line:
    """A line of the result, which compares one kind of request on one kind of database."""

    kind: str
    floor: Figure
    product: Figure
    by_rps: float
    by_cpu: float
    noise: float
    noise_of_cpu: float
    goal: Goal | None
    reached: Verdict


@dataclass(frozen=True)
class Measure:
    """A measured number. If it has a goal, it must not exceed the goal."""

    name: str
    found: float
    unit: str
    goal: Goal | None
    reached: Verdict


@dataclass(frozen=True)
class Start:
    """The start-up time of Safe Conduct in seconds, its CPU, and its memory in MB."""

    ready: float
    ready_cpu: float
    idle: float
    loaded: float
    idle_cpu: float
    """Milliseconds of CPU per second without requests."""


@dataclass(frozen=True)
class PlaceResult:
    """All measurements on one kind of database."""

    database: str
    noisy: bool
    lines: list[Line]
    measures: list[Measure]
    checked: list[str]


@dataclass(frozen=True)
class Result:
    """The result of a whole run."""

    date: str
    commit: str
    machine: str
    pace: Mapping[str, float]
    client: Mapping[str, float]
    places: list[PlaceResult] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON data."""
        return asdict(self)


def make_place_result(
    database: str,
    found: Mapping[Kind, Comparison],
    start: Start,
    checked: Sequence[str],
) -> PlaceResult:
    """Return the result for one kind of database."""
    noisy = is_noisy(list(found.values()))
    lines = [
        compare_with_goal(database, kind, one, noisy=noisy) for kind, one in found.items()
    ]
    measures = list_measures(database, found, start, noisy=noisy)
    return PlaceResult(
        database=database,
        noisy=noisy,
        lines=lines,
        measures=measures,
        checked=list(checked),
    )


def compare_with_goal(database: str, kind: Kind, found: Comparison, *, noisy: bool) -> Line:
    """Return the comparison of one kind of request with its goal."""
    goal = GOALS[database].get(kind)
    return Line(
        kind=f"{kind.name} {kind}",
        floor=found.floor,
        product=found.product,
        by_rps=found.by_rps,
        by_cpu=found.by_cpu,
        noise=found.noise,
        noise_of_cpu=found.noise_of_cpu,
        goal=goal,
        reached=assess(goal, found.by_rps, noisy=noisy),
    )


def list_measures(
    database: str, found: Mapping[Kind, Comparison], start: Start, *, noisy: bool
) -> list[Measure]:
    """Return the measures of start-up, memory and CPU.

    If submissions were measured on SQLite, add the ratio of their p99 to their p50.
    Durations have no verdict if the run is noisy.
    """

    def limit(name: str, value: float, unit: str, most: float, *, noisy: bool) -> Measure:
        goal = Goal(most, 0)
        reached = assess(goal, value, noisy=noisy)
        return Measure(name=name, found=value, unit=unit, goal=goal, reached=reached)

    measures = [
        limit("start to ready", start.ready, "s", READY, noisy=noisy),
        Measure("CPU until ready", start.ready_cpu, "s", None, Verdict.FREE),
        limit("memory, idle", start.idle, "MB", IDLE, noisy=False),
        limit("memory, after the load", start.loaded, "MB", LOADED, noisy=False),
        Measure("CPU, idle", start.idle_cpu, "ms/s", None, Verdict.FREE),
    ]
    if database == "SQLite" and Kind.S in found:
        ratio = compute_tail(found[Kind.S])
        verdict = assess(TAIL, ratio, noisy=noisy)
        measures.append(Measure("S: p99 / p50", ratio, "", TAIL, verdict))
    return measures
