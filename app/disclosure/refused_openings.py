"""A limit on the refused openings of an account per minute (R18, R35).

Each refusal adds a permanent entry to the access log, so an account could fill the disk.
Above the limit, refusals are answered with 429 and without an entry, and one event per hour
reports this. The account can still open what it may read.
"""

import math
from datetime import datetime, timedelta
from threading import Lock
from typing import Final
from uuid import UUID

from app.access import queries as access_queries
from app.directory import queries as directory_queries
from app.kernel.db import lock_name
from app.kernel.journal import was_recorded_since
from app.kernel.problems import Problem
from app.kernel.transactions import WriteTransaction

LIMITED: Final = "account.refusals_limited"
MINUTE: Final = timedelta(minutes=1)
REPORTED_EVERY: Final = timedelta(hours=1)


class TooManyRefusedOpenings(Problem):
    """Too many of your openings were refused; your office and oversight were informed."""

    status = 429

    def __init__(self, wait: timedelta) -> None:
        advice = "You can still open what you may read. Check what your program requests."
        super().__init__(advice, wait=max(1, math.ceil(wait.total_seconds())))


class RefusedOpenings:
    """The refused openings of each account in the last minute, counted in this process.

    Requests that get 429 do not count, so an account can always try again after a minute.
    """

    def __init__(self, per_minute: int) -> None:
        self.per_minute, self.lock = per_minute, Lock()
        self.known = dict[UUID, list[datetime]]()
        self.reported = dict[UUID, datetime]()

    def count(self, account: UUID, now: datetime) -> None:
        """Count a refusal; raises TooManyRefusedOpenings (429) above the limit."""
        with self.lock:
            kept = [at for at in self.known.get(account, []) if now - at < MINUTE]
            if len(kept) < self.per_minute:
                self.known[account] = [*kept, now]
                return
            self.known[account] = kept
        raise TooManyRefusedOpenings(kept[0] + MINUTE - now)

    def was_reported(self, account: UUID, now: datetime) -> bool:
        """Return whether this process reported the account within the last hour."""
        reported = self.reported.get(account)
        return reported is not None and now - reported < REPORTED_EVERY

    def record_reported(self, account: UUID, now: datetime) -> None:
        """Record that the report about an account's refused openings was committed."""
        self.reported[account] = now


def count_refusal(tx: WriteTransaction) -> None:
    """Count a refused opening; raises TooManyRefusedOpenings (429) above the limit."""
    counter = tx.runtime.refused_openings
    if counter is not None:
        counter.count(tx.actor.account_id, tx.now)


def record_limit(tx: WriteTransaction) -> None:
    """Record for the office and oversight, at most hourly, that the limit was reached."""
    account = access_queries.get_own_account(tx)
    lock_name(tx.session, f"refusals {account.id}")
    if not was_recorded_since(tx.session, account.id, LIMITED, tx.now - REPORTED_EVERY):
        audience = directory_queries.list_overseers(tx) | {account.focal_point_id}
        tx.record(LIMITED, account, audience)
