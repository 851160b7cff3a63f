"""Functions that count, sample and rewrap the secrets that key-encryption keys wrap.

The data key of a case is wrapped again with the current key. A document without a case is
bound to the version of its key, so it is sealed again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import batched
from typing import Any, Final

from sqlalchemy import ColumnElement, func, inspect, select, true, tuple_

from app.access import kept_requests
from app.access.models import Approval
from app.cases import default_contacts, form_drafts
from app.cases.models import CaseKey, DefaultContacts
from app.cases.records import FormDraft
from app.figures import point_queries, weekly_counts
from app.figures.models import WeekFigures
from app.figures.point_models import MeetingPoint
from app.kernel.actors import SYSTEM
from app.kernel.db import Base
from app.kernel.statements import lock_rows
from app.kernel.stored_keys import KeyRefused
from app.kernel.transactions import (
    ReadTransaction,
    Runtime,
    WriteTransaction,
    begin_read,
    begin_write,
)
from app.kernel.vault import SealedDocument, Unopenable, get_key_place
from app.webhooks.actions import get_secret_place
from app.webhooks.models import WebhookSecret

ALL: Final = true()
"""The condition that selects all rows of a table."""
SAMPLE: Final = 5
"""The number of secrets of each key and table that are opened before the start."""
BATCH: Final = 100
"""The maximum number of rows in a transaction, so that requests do not wait long."""


@dataclass(frozen=True, eq=False)
class WrappedSecrets:
    """The rows of a table with a secret that a key-encryption key wraps.

    `get_place` returns the values to which the secret of a row is bound. `wrapped`,
    `version` and `sealed` are names of columns. `sealed` is None if the row itself contains
    no sealed document. `alone` selects the rows that have such a secret. `needed` selects
    the rows whose secrets the service must be able to open at the start.
    """

    model: type[Base]
    get_place: Callable[[Any], tuple[str, ...]]
    sealed: str | None = "sealed"
    wrapped: str = "wrapped"
    version: str = "version"
    alone: ColumnElement[bool] = ALL
    needed: ColumnElement[bool] = ALL

    @property
    def version_column(self) -> ColumnElement[str]:
        """The column with the version of the key-encryption key."""
        column: ColumnElement[str] = getattr(self.model, self.version)
        return column

    @property
    def keys(self) -> tuple[ColumnElement[Any], ...]:
        """The columns of the primary key."""
        return tuple(inspect(self.model).primary_key)

    def unwrap(self, tx: ReadTransaction, row: Any) -> bytes:
        """Return the secret of a row, or raise Unopenable."""
        version, wrapped = getattr(row, self.version), getattr(row, self.wrapped)
        return tx.vault.unwrap_secret(version, wrapped, *self.get_place(row))

    def require_opened(self, tx: ReadTransaction, rows: Sequence[Any]) -> None:
        """Raise Unopenable unless the secret of at least one of these rows is opened."""
        failure: Unopenable | None = None
        for row in rows:
            try:
                self.unwrap(tx, row)
            except Unopenable as error:
                failure = error
            else:
                return
        if failure is not None:
            raise failure

    def wrap_again(self, tx: WriteTransaction, row: Any) -> None:
        """Wrap the secret of a row with the current key, or raise Unopenable."""
        place = self.get_place(row)
        if self.sealed is None:
            version, wrapped = tx.vault.wrap_secret(self.unwrap(tx, row), *place)
        else:
            old = SealedDocument(getattr(row, self.sealed), getattr(row, self.wrapped))
            plain = tx.vault.open_alone(getattr(row, self.version), old, *place)
            version, document = tx.vault.seal_alone(plain, *place)
            wrapped = document.wrapped_key
            setattr(row, self.sealed, document.sealed)
        setattr(row, self.wrapped, wrapped)
        setattr(row, self.version, version)


WRAPPED: Final = (
    WrappedSecrets(CaseKey, lambda row: get_key_place(row.case_id), sealed=None),
    WrappedSecrets(
        WebhookSecret,
        lambda row: get_secret_place(row.id),
        sealed=None,
        needed=WebhookSecret.ends_at.is_(None),
    ),
    WrappedSecrets(
        DefaultContacts, lambda row: default_contacts.get_place(row.focal_point_id)
    ),
    WrappedSecrets(
        FormDraft, form_drafts.list_bound_values, alone=FormDraft.case_id.is_(None)
    ),
    WrappedSecrets(MeetingPoint, point_queries.list_bound_values),
    WrappedSecrets(WeekFigures, weekly_counts.list_bound_values),
    WrappedSecrets(
        Approval,
        kept_requests.list_bound_values,
        sealed="sealed_request",
        wrapped="request_key",
        version="request_key_version",
        alone=Approval.case_id.is_(None) & Approval.request_key.is_not(None),
    ),
)
"""Each table with secrets that key-encryption keys wrap."""


def list_samples(
    tx: ReadTransaction,
) -> Iterator[tuple[str, WrappedSecrets, Sequence[Any]]]:
    """Yield the key version, table and some needed rows for each version in each table."""
    for table in WRAPPED:
        for version in count_secrets(tx, table, table.needed):
            rows = select(table.model).where(table.alone, table.needed)
            sample = rows.where(table.version_column == version).limit(SAMPLE)
            yield version, table, tx.session.scalars(sample).all()


def count_secrets(
    tx: ReadTransaction, table: WrappedSecrets, which: ColumnElement[bool] = ALL
) -> Mapping[str, int]:
    """Return the number of secrets in a table, by the version of their key."""
    column = table.version_column
    counts = select(column, func.count()).where(table.alone, which).group_by(column)
    return {version: count for version, count in tx.session.execute(counts)}  # noqa: C416


def count_by_version(runtime: Runtime) -> Counter[str]:
    """Return the number of secrets in all tables, by the version of their key."""
    total = Counter[str]()
    with begin_read(runtime, SYSTEM) as tx:
        for table in WRAPPED:
            total.update(count_secrets(tx, table))
    return total


def count_opened(runtime: Runtime, version: str) -> int:
    """Return how many secrets a key opens. Secrets of changed rows are not counted."""
    count = 0
    with begin_read(runtime, SYSTEM) as tx:
        for table in WRAPPED:
            rows = select(table.model).where(table.alone, table.version_column == version)
            for row in tx.session.scalars(rows).yield_per(BATCH):
                with suppress(Unopenable):
                    table.unwrap(tx, row)
                    count += 1
    return count


def require_no_standby(runtime: Runtime, versions: Iterable[str | None]) -> None:
    """Raise KeyRefused if the standby key is one of `versions`, which are in use.

    In this case, another machine has activated the standby key, and the key file of this
    machine is outdated.
    """
    secrets = runtime.row_macs.secrets
    standby = secrets.accepted.keys() - {secrets.current_version, *secrets.replaced}
    if standby & {*versions}:
        raise KeyRefused(
            "The database has data of the standby key, which another machine activated. "
            "Copy the key file of that machine, and run this command again."
        )


def rewrap_secrets(runtime: Runtime, failed: Counter[str]) -> Iterator[tuple[int, int]]:
    """Wrap the secrets of earlier keys with the current key, in batches.

    Yields, after each batch, the numbers of processed secrets and of secrets to process.
    `failed` gets the number of secrets that cannot be opened, by the version of their key.
    Each batch has its own transaction, so the command can be run again. Raises KeyRefused
    if the database has secrets of the standby key.
    """
    require_no_standby(runtime, count_by_version(runtime))
    current = runtime.vault.current_version
    with begin_read(runtime, SYSTEM) as tx:
        work = {table: list_outdated(tx, table, current) for table in WRAPPED}
    done, total = 0, sum(map(len, work.values()))
    for table, keys in work.items():
        for some in batched(keys, BATCH):
            rewrap_rows(runtime, table, some, failed)
            done += len(some)
            yield done, total


def list_outdated(
    tx: ReadTransaction, table: WrappedSecrets, current: str
) -> list[tuple[Any, ...]]:
    """List the primary keys of the rows whose secret an earlier key wraps."""
    old = select(*table.keys).where(table.alone, table.version_column != current)
    return [tuple(row) for row in tx.session.execute(old.order_by(*table.keys))]


def rewrap_rows(
    runtime: Runtime,
    table: WrappedSecrets,
    keys: Sequence[tuple[Any, ...]],
    failed: Counter[str],
) -> None:
    """Rewrap the secrets of the given rows, except rows already rewrapped or deleted."""
    current = runtime.vault.current_version
    wanted = tuple_(*table.keys).in_(keys)
    rows = select(table.model).where(wanted, table.alone, table.version_column != current)
    with begin_write(runtime, SYSTEM) as tx:
        for row in tx.session.scalars(lock_rows(rows)):
            try:
                table.wrap_again(tx, row)
            except Unopenable:
                failed[getattr(row, table.version)] += 1
