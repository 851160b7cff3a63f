"""Seeds with which the simulation has failed. Every test run repeats these seeds."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

KEPT: Final = Path(__file__).with_name("seeds.txt")


def read_seeds(path: Path = KEPT) -> list[int]:
    """Read one seed from each line. The text after # is a comment."""
    lines = path.read_text("utf-8").splitlines()
    seeds = (line.partition("#")[0].strip() for line in lines)
    return [int(seed) for seed in seeds if seed]


def add_seeds(failed: Iterable[tuple[int, str]], path: Path = KEPT) -> None:
    """Append the new seeds, each with the first line of its failure as a comment."""
    known = set(read_seeds(path))
    with path.open("a", encoding="utf-8") as file:
        for seed, broken in failed:
            if seed not in known:
                file.write(f"{seed}  # {broken.splitlines()[0]}\n")
