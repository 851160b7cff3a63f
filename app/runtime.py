"""The function that builds the runtime, which every transaction needs."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.access.row_protection import create_macs
from app.cases import case_changes, case_loading
from app.clock import get_utc_now
from app.disclosure.refused_openings import RefusedOpenings
from app.kernel.db import Database, get_database_time
from app.kernel.free_space import UNWATCHED, FreeSpace
from app.kernel.quotas import Quotas
from app.kernel.transactions import Runtime
from app.kernel.vault import KeyProvider, Vault

LISTENERS = (case_changes, case_loading)
"""Modules that protect the rows of cases in all sessions, once they are imported."""


def build_runtime(  # noqa: PLR0913 - each is a dependency that a test may replace
    url: str,
    keys: KeyProvider,
    clock: Callable[[], datetime] = get_utc_now,
    ids: Callable[[], UUID] = uuid4,
    *,
    time: Callable[[Session], datetime] = get_database_time,
    speed: int = 1,
    daily_cap: int | None = None,
    hosts: frozenset[str] = frozenset(),
    refusals: int | None = None,
    quotas: Quotas | None = None,
    free_space: FreeSpace = UNWATCHED,
    drill: bool = False,
    person_keys: bool = True,
    unprotected_until: datetime | None = None,
) -> Runtime:
    """Return the runtime for a database and its keys.

    Rows without a MAC are accepted until the time `unprotected_until`, if any (ADR 80).
    """
    macs = create_macs(
        keys, clock, lambda: unprotected_until is not None and clock() < unprotected_until
    )
    return Runtime(
        database=Database(url, macs=macs),
        vault=Vault(keys),
        clock=clock,
        ids=ids,
        time=time,
        speed=speed,
        daily_cap=daily_cap,
        hosts=hosts,
        refused_openings=None if refusals is None else RefusedOpenings(refusals),
        quotas=quotas or Quotas(),
        free_space=free_space,
        drill=drill,
        person_keys=person_keys,
    )
