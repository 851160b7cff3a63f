"""Functions that change the directory, for the load of files and for administrators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from app.directory import queries as directory_queries
from app.directory.file_rows import Row
from app.directory.history import ChangeAuthor, Values, build_change
from app.directory.kinds import limit_free_places
from app.directory.models import Agreement, Contact, Country, FocalPoint
from app.kernel.actors import Role
from app.kernel.journal import Mailbox
from app.kernel.lifecycle import ActionNotYours, RoleMissing
from app.kernel.problems import Problem
from app.kernel.protected_rows import ProtectedRow
from app.kernel.statements import lock_rows
from app.kernel.transactions import WriteTransaction


class TooManyFreePlaces(Problem):
    """The report has more free places than the office has in all."""

    status = 422


@dataclass(frozen=True)
class Register:
    """A table of the directory, its key columns, and its path in the API."""

    table: type[ProtectedRow]
    keys: tuple[str, ...]
    path: str

    def get_key(self, row: Values) -> str:
        """Return the values of the key columns of a row, joined with slashes."""
        return "/".join(str(row[name]) for name in self.keys)

    def get_subject(self, row: Values) -> str:
        """Return the API path of a row, without `/v1/`."""
        return f"{self.path}/{self.get_key(row)}"

    def matches_key(self, key: str) -> ColumnElement[bool]:
        """Return the condition that matches the row with the given key."""
        columns = self.table.__table__.c
        parts = zip(self.keys, key.split("/"), strict=True)
        return and_(*(columns[name] == part for name, part in parts))


COUNTRIES: Final = Register(Country, ("code",), "countries")
FOCAL_POINTS: Final = Register(FocalPoint, ("code",), "focal-points")
AGREEMENTS: Final = Register(Agreement, ("code",), "agreements")
CONTACTS: Final = Register(Contact, ("code",), "contacts")
WRITE_LOCK: Final = "directory"
"""The name of the lock for changes to directory rows, except for the number of free places.

The rules compare several rows, so two changes must not overlap.
"""

OPTIONAL_COLUMNS: Final[Values] = {"short_names": {}, "places": None}
"""The columns that a file of offices may leave out, with their values in a new row."""

CAPACITY_ROLES: Final = frozenset({Role.CASEWORKER, Role.COORDINATOR})
"""Roles that may set the free places of their office."""


@dataclass(frozen=True)
class ChangedRow:
    """A row that a file changes, and the names of the columns that get a new value.

    The values are left out, because those of a contact may be personal data.
    """

    subject: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Count:
    """The numbers of added, changed and unchanged rows of a file, with the changed rows."""

    added: int
    changed: int
    unchanged: int
    changed_rows: tuple[ChangedRow, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """The new rows of a file, and its changed rows as pairs of stored and new row."""

    added: Sequence[Values]
    changed: Sequence[tuple[Values, Values]]
    total: int

    def to_count(self, register: Register) -> Count:
        """Return the counts of the rows, with the columns of each changed row."""
        changed_rows = tuple(
            ChangedRow(register.get_subject(row), tuple(find_changed_values(stored, row)))
            for stored, row in self.changed
        )
        added, changed = len(self.added), len(self.changed)
        return Count(added, changed, self.total - added - changed, changed_rows)


def get_standard_data() -> Traversable:
    """Return the folder with the standard data on 28 countries and their offices."""
    return files("app.directory").joinpath("data")


def to_values(rows: Sequence[Row]) -> list[Values]:
    """Convert rows to mappings from column names to values.

    Columns that the file does not have are left out.
    """
    return [row.model_dump(exclude_unset=True) for row in rows]


def with_stored_values(author: ChangeAuthor, offices: Sequence[Values]) -> list[Values]:
    """Return the rows of offices, with the stored values that a file does not replace.

    The stored number of free places is kept if the file has no number or an older number,
    but is at most the number of all places. The stored values of the columns in
    `OPTIONAL_COLUMNS` are kept if the file does not have them.
    """
    stored = {row["code"]: row for row in load_rows(author, FOCAL_POINTS)}
    return [complete_row(row, stored.get(row["code"])) for row in offices]


def complete_row(row: Values, stored: Values | None) -> Values:
    """Return the row of an office with the stored values that it does not replace."""
    if stored is None:
        return {**OPTIONAL_COLUMNS, **row}
    filled = {**{name: stored[name] for name in OPTIONAL_COLUMNS}, **row}
    as_of = stored["capacity_as_of"]
    if as_of is not None and is_older(row, as_of):
        filled |= {"capacity": stored["capacity"], "capacity_as_of": as_of}
    free = limit_free_places(filled["capacity"], filled["places"])
    return filled | {"capacity": free}


def is_older(row: Values, as_of: datetime) -> bool:
    """Return whether the free places of a row are unknown or older than `as_of`."""
    return row["capacity_as_of"] is None or row["capacity_as_of"] < as_of


def load_rows(author: ChangeAuthor, register: Register) -> list[Values]:
    """Load all rows of a directory table, as mappings from attribute names to values."""
    columns = register.table.__table__.columns
    found = author.session.execute(select(*columns))
    return [dict(zip(columns.keys(), row, strict=True)) for row in found]


def store(author: ChangeAuthor, register: Register, rows: Sequence[Values]) -> Count:
    """Insert the rows with a new key, update the others, and return the counts.

    Raises NotAuthentic if one of the updated rows was altered outside the service.
    """
    found = compare_rows(author, register, rows)
    new_rows = add_mailboxes(author, register, found.added)
    author.session.add_all(register.table(**row) for row in new_rows)
    for stored, row in found.changed:
        entry = lock_entry(author.session, register, register.get_key(row))
        changed = find_changed_values(stored, row)
        for name, value in changed.items():
            setattr(entry, name, value)
        if "places" in changed:
            entry.capacity = limit_free_places(entry.capacity, entry.places)
        if has_activation(register) and "active" in changed:
            entry.deactivated_by_account = find_deactivation(author, row)
    entries = [(None, row) for row in found.added] + list(found.changed)
    author.session.add_all(
        build_change(author, register.get_subject(row), stored, row)
        for stored, row in entries
    )
    author.session.flush()
    return found.to_count(register)


def has_activation(register: Register) -> bool:
    """Return whether a table has the column `deactivated_by_account` (ADR 88)."""
    return issubclass(register.table, FocalPoint | Contact)


def find_deactivation(author: ChangeAuthor, row: Values) -> bool | None:
    """Return whether an account deactivates a row, or None if the row is active."""
    return None if row["active"] else author.account_id is not None


def lock_entry(session: Session, register: Register, key: str) -> Any:
    """Lock the row with this key and return its object, or return None if there is none."""
    found = select(register.table).where(register.matches_key(key))
    return session.scalar(lock_rows(found))


def compare_rows(
    author: ChangeAuthor, register: Register, rows: Sequence[Values]
) -> Comparison:
    """Compare rows with the stored rows that have the same key, and change nothing."""
    stored = {register.get_key(row): row for row in load_rows(author, register)}
    keyed = [(stored.get(register.get_key(row)), row) for row in rows]
    return Comparison(
        added=[row for before, row in keyed if before is None],
        changed=[
            (before, row)
            for before, row in keyed
            if before and find_changed_values(before, row)
        ],
        total=len(rows),
    )


def count_changes(
    author: ChangeAuthor, register: Register, rows: Sequence[Values]
) -> Count:
    """Return the counts that `store` would return, and change nothing."""
    return compare_rows(author, register, rows).to_count(register)


def find_changed_values(stored: Values, row: Values) -> Values:
    """Return the values of a row that differ from the stored values."""
    return {name: value for name, value in row.items() if stored[name] != value}


def add_mailboxes(
    author: ChangeAuthor, register: Register, added: Sequence[Values]
) -> Sequence[Values]:
    """Return the new rows; give each new office an id and a mailbox for its feed."""
    if register is not FOCAL_POINTS:
        return added
    rows = [{"id": author.new_id(), **row} for row in added]
    author.session.add_all(Mailbox(focal_point_id=row["id"]) for row in rows)
    author.session.flush()
    return rows


def set_capacity(tx: WriteTransaction, code: str, free: int | None) -> FocalPoint:
    """Set the number of free places of the caller's office; None means unknown.

    Raises NotFound (404) for an unknown code, ActionNotYours (403) for another office,
    RoleMissing (403), or TooManyFreePlaces (422). Without a value in `places` any number is
    accepted; the rules only distinguish 0 from other numbers.
    """
    if directory_queries.get_by_code(tx, code).id != tx.actor.focal_point_id:
        raise ActionNotYours("Only the office itself can set its free places.")
    if not CAPACITY_ROLES & tx.actor.roles:
        roles = ", ".join(sorted(CAPACITY_ROLES))
        raise RoleMissing(f"This needs one of the roles {roles}.")
    focal_point: FocalPoint = lock_entry(tx.session, FOCAL_POINTS, code)
    if limit_free_places(free, focal_point.places) != free:
        raise TooManyFreePlaces("GET /v1/focal-points shows the number of places.")
    focal_point.capacity = free
    focal_point.capacity_as_of = tx.now
    return focal_point
