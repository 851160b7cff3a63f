"""Functions that simulate many seeds on several cores, and compute the totals."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, Final

from tests.simulation.cast import build_stage
from tests.simulation.play import Result, play_seed

SHARE: Final = 5
"""Number of seeds that a process simulates on one stage."""


def play_some(seeds: Sequence[int]) -> list[Result]:
    """Run the simulation once for each seed, all with the same stage."""
    with build_stage() as made:
        return [play_seed(made, seed) for seed in seeds]


def play_all(seeds: Sequence[int], cores: int) -> Iterator[Result]:
    """Run the simulation of each seed on several cores, and yield the results."""
    shares = [seeds[at : at + SHARE] for at in range(0, len(seeds), SHARE)]
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        for done in as_completed([pool.submit(play_some, share) for share in shares]):
            yield from done.result()


def describe_result(result: Result) -> str:
    """Return the result of one seed as text, with the end of the trace if it failed."""
    line = (
        f"seed {result.seed}: {result.steps} steps, {result.requests} requests, "
        f"{sum(result.crashes.values())} crashes, {result.days:.0f} days, {result.digest}"
    )
    if not result.failure:
        return line
    return "\n".join(
        [*result.trace, f"FAILED {line}, at {result.failed_at}", result.failure]
    )


def sum_results(results: Sequence[Result], seconds: float) -> dict[str, Any]:
    """Return the totals of all seeds."""
    by_kind, crashes, counts = Counter[str](), Counter[str](), Counter[str]()
    for one in results:
        by_kind.update(one.by_kind)
        crashes.update(one.crashes)
        counts.update(one.counts)
    return {
        "seeds": len(results),
        "first_seed": min(one.seed for one in results),
        "last_seed": max(one.seed for one in results),
        "failed": sorted(one.seed for one in results if one.failure),
        "steps": sum(one.steps for one in results),
        "virtual_days": round(sum(one.days for one in results)),
        "requests": by_kind.total(),
        "crashes": dict(sorted(crashes.items())),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(sum(one.seconds for one in results), 1),
        "counts": dict(sorted(counts.items())),
        "requests_by_kind": dict(sorted(by_kind.items())),
    }
