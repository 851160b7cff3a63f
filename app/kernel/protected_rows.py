"""Rows whose MACs show whether they were altered outside the service (ADR 82, ADR 83).

A row that does not match its MAC is read with harmless values: an office is inactive, an
agreement covers no country. So nobody gains a right, and a submission still succeeds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from operator import itemgetter
from typing import Any, ClassVar, Final, NamedTuple, NoReturn

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Select,
    and_,
    bindparam,
    inspect,
    select,
    update,
)
from sqlalchemy.event import listens_for
from sqlalchemy.orm import (
    Mapped,
    QueryContext,
    Session,
    UOWTransaction,
    mapped_column,
    object_session,
)
from sqlalchemy.orm.attributes import set_committed_value

from app.kernel.db import get_own_office
from app.kernel.mac_values import copy_values
from app.kernel.macs import MACS, RowMacs, log_alarm, raise_alarm
from app.kernel.statements import lock_rows

MAC: Final = "mac"
LAST: Final = 1000
"""The `sort_order` of the MAC, which is the last column of each table."""

type Row = Mapping[str, Any]
"""Columns and values of a row."""


class ProtectedRow:
    """A base class of rows that each have a MAC.

    `harmless` are the values that a row gets when it is read and does not match its MAC.
    `unprotected` are the columns that the MAC does not cover.
    """

    __tablename__: Any
    __table__: ClassVar[Any]
    harmless: ClassVar[Row] = {}
    unprotected: ClassVar[frozenset[str]] = frozenset()
    is_altered = False
    """Whether the row does not match its MAC."""

    mac: Mapped[bytes | None] = mapped_column(LargeBinary, sort_order=LAST)

    def is_office(self, _: str | None) -> bool:
        """Return whether this is the office with the given id; False for other rows."""
        return False


class Columns(NamedTuple):
    """The names of the columns that a MAC covers, and functions that read a row.

    `read_protected` returns the values of these columns, and `read_key` the primary key.
    """

    protected: tuple[str, ...]
    read_protected: Callable[[Row], tuple[Any, ...]]
    read_key: Callable[[Row], Any]


COLUMNS: Final[dict[type[ProtectedRow], Columns]] = {}


def get_columns(model: type[ProtectedRow]) -> Columns:
    """Return the columns that a model's MAC covers, in the order of the table."""
    if model not in COLUMNS:
        without = {MAC, *model.unprotected}
        names = tuple(one.key for one in model.__table__.columns if one.key not in without)
        key = [one.key for one in model.__table__.primary_key]
        COLUMNS[model] = Columns(names, itemgetter(*names), itemgetter(*key))
    return COLUMNS[model]


def compute_mac(macs: RowMacs, model: type[ProtectedRow], row: Row) -> bytes:
    """Return the MAC of a row."""
    return macs.compute_row_mac(model.__tablename__, list_values(model, row))


def list_values(model: type[ProtectedRow], row: Row) -> list[Row]:
    """List the content that the MAC of a row covers: the columns that are not null.

    So a column that is added later, and is null, does not change the MAC.
    """
    columns = get_columns(model)
    values = zip(columns.protected, columns.read_protected(row), strict=True)
    return [{name: value for name, value in values if value is not None}]


def matches_mac(macs: RowMacs, model: type[ProtectedRow], row: Row) -> bool:
    """Return whether a row matches its MAC. The values of rows that matched are cached.

    A row without a MAC matches if such rows are accepted; without keys, every row matches.
    """
    columns, stored = get_columns(model), row[MAC]
    if macs.is_disabled:
        return True
    if stored is None:
        return macs.accepts_missing()
    values, known = columns.read_protected(row), macs.known_rows
    if known.get((model, stored)) == values:
        return True
    if not macs.is_row_mac(stored, model.__tablename__, list_values(model, row)):
        return False
    known.store((model, stored), copy_values(values))
    return True


def make_mac(macs: RowMacs, model: type[ProtectedRow], row: Row) -> bytes:
    """Return the MAC of a row that will be written, and cache it as verified."""
    known, mac = macs.known_rows, compute_mac(macs, model, row)
    known.store((model, mac), copy_values(get_columns(model).read_protected(row)))
    return mac


def was_verified(
    session: Session, model: type[ProtectedRow], mac: bytes | None, **values: Any
) -> bool:
    """Return whether this process has verified a row with this MAC and these values.

    Rows with the same MAC have the same protected values. Without keys, the result is True.
    """
    macs = session.info.get(MACS)
    if macs is None or macs.is_disabled:
        return True
    verified = macs.known_rows.get((model, mac))
    if verified is None:
        return False
    names = get_columns(model).protected
    return all(verified[names.index(name)] == value for name, value in values.items())


def select_rows(model: type[ProtectedRow]) -> Select[*tuple[Any, ...]]:
    """Return a statement that selects all columns of a model, named like its attributes."""
    names = [one.key for one in model.__table__.columns]
    return select(*(getattr(model, name).label(name) for name in names))


def match_key(model: type[ProtectedRow], row: Row) -> ColumnElement[bool]:
    """Return the condition that matches the primary key of a row."""
    key = model.__table__.primary_key
    return and_(*(column == row[column.key] for column in key))


def leave_out_altered(
    session: Session, model: type[ProtectedRow], rows: Iterable[Row]
) -> list[Row]:
    """Return the rows that match their MACs, and log the others."""
    macs, kept = session.info.get(MACS), []
    for row in rows:
        if macs is None or matches_mac(macs, model, row):
            kept.append(row)
        else:
            log_alarm(model.__tablename__, [get_columns(model).read_key(row)])
    return kept


@listens_for(ProtectedRow, "load", propagate=True)
def verify_loaded_row(row: ProtectedRow, _: QueryContext | None) -> None:
    """Verify a row that a session has loaded.

    If it does not match its MAC, it gets its harmless values. Raises NotAuthentic as
    `verify_values` does.
    """
    session = object_session(row)
    if session is None:
        return
    verify_values(session, row, vars(row))
    if row.is_altered:
        for name, value in row.harmless.items():
            set_committed_value(row, name, copy(value))


def verify_values(session: Session, row: ProtectedRow, values: Row) -> None:
    """Compare the values of a row with its MAC, and set `is_altered`.

    A row that does not match is logged. If it is the office for which the session acts,
    NotAuthentic is raised: its kind and its country decide what its people may read.
    """
    macs = session.info.get(MACS)
    row.is_altered = macs is not None and not matches_mac(macs, type(row), values)
    if not row.is_altered:
        return
    if row.is_office(get_own_office(session)):
        raise_altered(row)
    log_alarm(row.__tablename__, [get_columns(type(row)).read_key(values)])


@listens_for(ProtectedRow, "refresh", propagate=True)
def verify_reloaded_row(row: ProtectedRow, context: QueryContext | None, _: object) -> None:
    """Verify a row that a session has reloaded.

    A row with unsaved changes is verified when these are written.
    """
    if not inspect(row).modified:
        verify_loaded_row(row, context)


@listens_for(Session, "before_flush")
def write_macs(session: Session, _: UOWTransaction, __: object) -> None:
    """Set the MACs of the rows in a flush. Raises NotAuthentic as `update_mac` does."""
    macs = session.info.get(MACS)
    if macs is None or macs.is_disabled:
        return
    for row in session.new:
        if isinstance(row, ProtectedRow):
            set_defaults(row)
            row.mac = make_mac(macs, type(row), read_row(row))
    for row in session.dirty:
        if isinstance(row, ProtectedRow) and (changes := read_changes(row)):
            update_mac(session, row, changes)


def update_mac(session: Session, row: ProtectedRow, changes: Row) -> None:
    """Set the MAC of a row in which some columns were changed.

    The row is locked and read again. So the MAC covers the future values of the row, even
    if another transaction has changed it meanwhile. Raises NotAuthentic if the row in the
    database is missing or does not match its MAC. A row without a MAC remains without one.
    """
    if row.is_altered:
        raise_altered(row)
    if row.mac is None:
        return
    macs, model = session.info[MACS], type(row)
    stored = lock_row(session, model, read_key(row))
    if stored is None or not matches_mac(macs, model, stored):
        raise_altered(row)
    row.mac = make_mac(macs, model, {**stored, **changes})


def lock_row(session: Session, model: type[ProtectedRow], key: Row) -> Row | None:
    """Lock a row, and return it as it is in the database, or None if it was deleted."""
    own = select_rows(model).where(match_key(model, key))
    found = session.connection().execute(lock_rows(own)).mappings().one_or_none()
    return None if found is None else dict(found)


def read_changes(row: ProtectedRow) -> Row:
    """Return the new values of the columns that were changed and that the MAC covers."""
    state = inspect(row)
    names = get_columns(type(row)).protected
    changed = (name for name in names if state.attrs[name].history.has_changes())
    return {name: getattr(row, name) for name in changed}


def set_defaults(row: ProtectedRow) -> None:
    """Set the defaults of the columns without a value, as the INSERT would do later."""
    for name in get_columns(type(row)).protected:
        default = row.__table__.columns[name].default
        if default is not None and getattr(row, name) is None:
            setattr(row, name, default.arg(None) if default.is_callable else default.arg)


def read_row(row: ProtectedRow) -> Row:
    """Return the values of the columns that the MAC of a row covers."""
    return {name: getattr(row, name) for name in get_columns(type(row)).protected}


def read_key(row: ProtectedRow) -> Row:
    """Return the primary key of a row by column. SQLAlchemy loads expired attributes."""
    key = row.__table__.primary_key
    return {column.key: getattr(row, column.key) for column in key}


def store_macs(session: Session, model: type[ProtectedRow], rows: Sequence[Row]) -> None:
    """Store MACs for rows that were read with `select_rows`, without verifying the rows."""
    if not rows:
        return
    macs, key = session.info[MACS], model.__table__.primary_key
    own = and_(*(column == bindparam(f"key_{column.key}") for column in key))
    values = [
        {f"key_{column.key}": row[column.key] for column in key}
        | {"new": compute_mac(macs, model, row)}
        for row in rows
    ]
    stored = update(model.__table__).where(own).values(mac=bindparam("new"))
    session.connection().execute(stored, values)


def raise_altered(row: ProtectedRow) -> NoReturn:
    """Log that a row does not match its MAC, and raise NotAuthentic."""
    raise_alarm(row.__tablename__, [get_columns(type(row)).read_key(read_key(row))])
