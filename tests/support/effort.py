"""The effort of a test run: `pytest --effort fast`, `sample`, `all` or `night`.

A higher effort runs more cells of each sweep, repeats a load more often and draws more
examples. The documents and the Makefile say which command has which effort. The effort is
set before any test module is imported, so the constants of a module may depend on it.
"""

from enum import StrEnum


class Effort(StrEnum):
    """The effort of a test run; each level includes more tests than the level before."""

    FAST = "fast"
    SAMPLE = "sample"
    ALL = "all"
    NIGHT = "night"


class Run:
    """The settings of the test run of this process."""

    effort = Effort.ALL
    seed = 0
    is_complete = False
    """Whether the run includes each cell of the chosen tests on both databases."""


def is_night() -> bool:
    """Return whether this run has the effort `night`."""
    return Run.effort is Effort.NIGHT


def is_sample() -> bool:
    """Return whether this run includes only a share of the cells of each sweep."""
    return Run.effort in {Effort.FAST, Effort.SAMPLE}


def choose_number(
    usual: int, *, sample: int | None = None, night: int | None = None
) -> int:
    """Return how many rounds, stories or requests to run, according to the effort."""
    if is_night() and night is not None:
        return night
    return sample if is_sample() and sample is not None else usual
