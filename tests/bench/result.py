"""What came of a run, as it is kept in JSON and shown on a page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench.figures import Comparison, Figure, is_noisy
from tests.bench.goals import GOALS, IDLE, LOADED, READY, TAIL, Goal, Verdict, judged, tail
from tests.bench.sides import Kind


@dataclass(frozen=True)
class Line:
    """One request on one database."""

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
    """One number that is at most so much."""

    name: str
    found: float
    unit: str
    goal: Goal | None
    reached: Verdict


@dataclass(frozen=True)
class Start:
    """How the product started, and what it took up."""

    ready: float
    ready_cpu: float
    idle: float
    loaded: float
    idle_cpu: float
    """Milliseconds of CPU a second, before anybody asks."""


@dataclass(frozen=True)
class OfPlace:
    """All that was measured on one kind of database."""

    database: str
    noisy: bool
    lines: list[Line]
    measures: list[Measure]
    checked: list[str]


@dataclass(frozen=True)
class Result:
    """A whole run."""

    date: str
    commit: str
    machine: str
    pace: Mapping[str, float]
    client: Mapping[str, float]
    places: list[OfPlace] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Spell it."""
        return asdict(self)


def of_place(
    database: str,
    found: Mapping[Kind, Comparison],
    start: Start,
    checked: Sequence[str],
) -> OfPlace:
    """Judge what was found."""
    noisy = is_noisy(list(found.values()))
    lines = [line(database, kind, one, noisy=noisy) for kind, one in found.items()]
    measures = measures_of(database, found, start, noisy=noisy)
    return OfPlace(database, noisy, lines, measures, list(checked))


def line(database: str, kind: Kind, found: Comparison, *, noisy: bool) -> Line:
    """Judge one request."""
    goal = GOALS[database].get(kind)
    return Line(
        f"{kind.name} {kind}",
        found.floor,
        found.product,
        found.by_rps,
        found.by_cpu,
        found.noise,
        found.noise_of_cpu,
        goal,
        judged(goal, found.by_rps, noisy=noisy),
    )


def measures_of(
    database: str, found: Mapping[Kind, Comparison], start: Start, *, noisy: bool
) -> list[Measure]:
    """Judge what else has a goal: what takes time only where the run is not noisy."""

    def at_most(name: str, value: float, unit: str, most: float, *, noisy: bool) -> Measure:
        goal = Goal(most, 0)
        return Measure(name, value, unit, goal, judged(goal, value, noisy=noisy))

    measures = [
        at_most("start to ready", start.ready, "s", READY, noisy=noisy),
        Measure("CPU until ready", start.ready_cpu, "s", None, Verdict.FREE),
        at_most("memory, idle", start.idle, "MB", IDLE, noisy=False),
        at_most("memory, after the load", start.loaded, "MB", LOADED, noisy=False),
        Measure("CPU, idle", start.idle_cpu, "ms/s", None, Verdict.FREE),
    ]
    if database == "SQLite" and Kind.S in found:
        ratio = tail(found[Kind.S])
        verdict = judged(TAIL, ratio, noisy=noisy)
        measures.append(Measure("S: p99 / p50", ratio, "", TAIL, verdict))
    return measures
