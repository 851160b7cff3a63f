"""Updating open cases after an agreement, an office or its last account has ended."""

from itertools import islice

from app.casework.endings import follow, list_cases
from app.kernel.actors import SYSTEM
from app.kernel.work import Ground, reading
from app.worker.case_steps import BATCH, run_for_case


def follow_endings(ground: Ground, limit: int = BATCH) -> int:
    """Update the cases in which something ended, and return how many.

    At most `limit` cases are updated; the next run continues. A case that is in use, or
    that fails, is tried again in a later run.
    """
    with reading(ground, SYSTEM) as tx:
        found = list_cases(tx)
    followed = (
        run_for_case(ground, case_id, follow, failure="ending.failed") for case_id in found
    )
    return len(list(islice(filter(None, followed), limit)))
