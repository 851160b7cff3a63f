"""Updates to cases after an agreement has ended, or if an office can no longer act."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

from app.casework.oversight import list_unwatched, replace_overseers
from app.kernel.actors import SYSTEM
from app.kernel.transactions import Runtime, begin_read
from app.worker.case_steps import BATCH, run_for_case
from app.worker.endings import apply_endings
from app.worker.jobs import Job

SEARCH_INTERVAL: Final = 600.0
"""Seconds to wait after a run that updated nothing, because a search reads many cases."""


@dataclass
class CaseWatch:
    """A search for cases affected by ended agreements, or by offices that cannot act."""

    elapsed: Callable[[], float] = monotonic
    idle_until: float = 0.0

    def run(self, runtime: Runtime) -> int:
        """Update the affected cases if a run is due, and return the number of updates.

        After a run without an update, the next one is due in SEARCH_INTERVAL seconds.
        """
        if self.elapsed() < self.idle_until:
            return 0
        count = replace_oversight(runtime) + apply_endings(runtime)
        if not count:
            self.idle_until = self.elapsed() + SEARCH_INTERVAL
        return count


def add_oversight(clocks: Job) -> Job:
    """Return the deadline job, extended by the search and the updates of a `CaseWatch`."""
    watch = CaseWatch()
    return replace(clocks, run=lambda runtime: clocks.run(runtime) + watch.run(runtime))


def replace_oversight(runtime: Runtime, limit: int = BATCH) -> int:
    """Add the active oversight offices to cases that have none; return how many changed."""
    with begin_read(runtime, SYSTEM) as tx:
        found = list_unwatched(tx, limit)
    return sum(
        run_for_case(runtime, case_id, replace_overseers, failure="oversight.failed")
        for case_id in found
    )
