"""Oversight that was replaced: each case is handed on in a transaction of its own."""

from typing import Final
from uuid import UUID

import structlog

from app.casework.oversight import hand_on, unwatched
from app.kernel.actors import SYSTEM
from app.kernel.problems import Busy
from app.kernel.trouble import described
from app.kernel.work import Ground, reading, writing

log = structlog.get_logger("safe_conduct.worker")
BATCH: Final = 200


def replace_oversight(ground: Ground, limit: int = BATCH) -> int:
    """Give cases that nobody active watches to who does; say how many were given.

    What is in somebody's hand comes again with the next look, and so does what failed: no
    case keeps the others waiting.
    """
    with reading(ground, SYSTEM) as work:
        found = unwatched(work, limit)
    return sum(given(ground, case_id) for case_id in found)


def given(ground: Ground, case_id: UUID) -> bool:
    """Hand on one case, whatever is the matter with it."""
    try:
        with writing(ground, SYSTEM) as work:
            return hand_on(work, case_id)
    except Busy:
        return False
    except Exception as error:  # noqa: BLE001 - see above
        log.error("oversight.failed", **described(error.__cause__ or error))  # noqa: TRY400 - a message may repeat what was written
        return False
