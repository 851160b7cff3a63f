"""Tests that a seed always gives the same simulation, and that every invariant holds."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.simulation.cast import Stage
from tests.simulation.many_seeds import play_some
from tests.simulation.play import play_seed
from tests.simulation.seeds import add_seeds, read_seeds
from tests.support.effort import Run, choose_number
from tests.support.servers import ROOT

FRESH: Final = choose_number(12, sample=2, night=24)
"""Number of new seeds to simulate; they are drawn with the seed of the test run."""


def draw_seeds() -> list[int]:
    """Draw new seeds for this test run."""
    return Random(Run.seed).sample(range(1, 1_000_000), FRESH)


@pytest.mark.parametrize("seed", [*read_seeds(), *draw_seeds()])
def test_whatever_happens_nobody_is_lost_and_nothing_is_told(
    made: Stage, seed: int
) -> None:
    result = play_seed(made, seed)

    assert not result.failure, "\n".join([*result.trace, result.failure])


@pytest.mark.whole
def test_a_seed_repeats_exactly(made: Stage) -> None:
    first, second = play_seed(made, 2), play_seed(made, 2)

    assert first.full_trace == second.full_trace
    assert first.digest == second.digest


def get_digest(seed: int, hashing: str) -> str:
    """Simulate a seed in another process with this hash seed, and return the digest."""
    module = play_some.__module__
    program = f"import {module} as m; print(m.play_some([{seed}])[0].digest)"
    command = [sys.executable, "-W", "ignore", "-c", program]
    env = os.environ | {"PYTHONHASHSEED": hashing}
    run = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, check=True)
    return run.stdout.decode().strip()


@pytest.mark.whole
@pytest.mark.slow
def test_no_order_of_a_set_matters(made: Stage) -> None:
    digests = {get_digest(7, hashing) for hashing in ("0", "42")}

    assert digests == {play_seed(made, 7).digest}


def test_a_seed_that_failed_is_kept_once_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "seeds.txt"
    path.write_text("# Seeds.\n3  # lost\n", "utf-8")

    add_seeds([(3, "lost"), (5, "told twice\nat step 4")], path)

    assert path.read_text("utf-8") == "# Seeds.\n3  # lost\n5  # told twice\n"
    assert read_seeds(path) == [3, 5]
