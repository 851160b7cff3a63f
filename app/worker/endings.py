"""Apply what follows in open cases when an agreement, an office or its accounts end."""

from itertools import islice
from typing import Final
from uuid import UUID

import structlog

from app.casework.endings import follow, list_cases
from app.kernel.actors import SYSTEM
from app.kernel.problems import Busy
from app.kernel.trouble import described
from app.kernel.work import Ground, reading, writing

log = structlog.get_logger("safe_conduct.worker")
BATCH: Final = 200


def follow_endings(ground: Ground, limit: int = BATCH) -> int:
    """Update the cases in which something ended, and return how many.

    At most `limit` cases are updated; the next run continues. A case that is in use, or
    that fails, is tried again in a later run.
    """
    with reading(ground, SYSTEM) as tx:
        found = list_cases(tx)
    followed = (follow_one(ground, case_id) for case_id in found)
    return len(list(islice(filter(None, followed), limit)))


def follow_one(ground: Ground, case_id: UUID) -> bool:
    """Update one case in a transaction of its own, and log what fails."""
    try:
        with writing(ground, SYSTEM) as tx:
            return follow(tx, case_id)
    except Busy:
        return False
    except Exception as error:  # noqa: BLE001 - one case must not keep the others waiting
        log.error("ending.failed", **described(error.__cause__ or error))  # noqa: TRY400 - a message may repeat what was written
        return False
