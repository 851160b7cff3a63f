"""How much one run of the tests does: `pytest --effort fast`, `sample`, `all` or `night`.

The same tests run at each effort. What differs is how many cells of a sweep are run, how
often a load is repeated and how many examples are drawn; docs and Makefile say which
command runs which effort. The effort is set before any test module is imported, so a
module may choose its numbers where it defines its constants.
"""

from enum import StrEnum


class Effort(StrEnum):
    """How much a run does, from the least to the most."""

    FAST = "fast"
    SAMPLE = "sample"
    ALL = "all"
    NIGHT = "night"


class Run:
    """The run of this process; there is one."""

    effort = Effort.ALL
    seed = 0


def is_night() -> bool:
    """Return whether this run has the effort `night`."""
    return Run.effort is Effort.NIGHT


def is_sample() -> bool:
    """Return whether this run does only a share of each sweep."""
    return Run.effort in {Effort.FAST, Effort.SAMPLE}


def choose_number(
    usual: int, *, sample: int | None = None, night: int | None = None
) -> int:
    """Return a number of rounds, stories or requests that depends on the effort."""
    if is_night() and night is not None:
        return night
    return sample if is_sample() and sample is not None else usual
