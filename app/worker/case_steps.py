"""A function that runs a step for one case, so that a failure delays no other case."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog

from app.kernel.actors import SYSTEM
from app.kernel.database_errors import describe_error
from app.kernel.problems import Busy
from app.kernel.transactions import Runtime, WriteTransaction, begin_write

log = structlog.get_logger("safe_conduct.worker")
BATCH: Final = 200
"""The maximum number of cases that are updated before the job checks whether to stop."""


def run_for_case(
    runtime: Runtime,
    case_id: UUID,
    step: Callable[[WriteTransaction, UUID], bool],
    *,
    failure: str,
) -> bool:
    """Run a step for one case in a transaction, and return its result.

    Returns False if the case is busy or the step fails. A failure is logged as the event
    `failure`.
    """
    try:
        with begin_write(runtime, SYSTEM) as tx:
            return step(tx, case_id)
    except Busy:
        return False
    except Exception as error:  # noqa: BLE001 - one case must not block the others
        log.error(failure, **describe_error(error.__cause__ or error))  # noqa: TRY400 - the message may contain data
        return False
