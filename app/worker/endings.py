"""Updates to open cases after an agreement ended or an office can no longer act."""

from itertools import islice

from app.casework.endings import apply_case_endings, list_cases
from app.kernel.actors import SYSTEM
from app.kernel.transactions import Runtime, begin_read
from app.worker.case_steps import BATCH, run_for_case


def apply_endings(runtime: Runtime, limit: int = BATCH) -> int:
    """Update the cases affected by ended agreements, or by offices that can no longer act.

    Returns the number of updated cases. The next run updates cases beyond `limit`, cases in
    use, and cases whose update failed.
    """
    with begin_read(runtime, SYSTEM) as tx:
        found = list_cases(tx)
    followed = (
        run_for_case(runtime, case_id, apply_case_endings, failure="ending.failed")
        for case_id in found
    )
    return len(list(islice(filter(None, followed), limit)))
