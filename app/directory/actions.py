"""Bringing the directory up to date: files and administrators write it the same way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from sqlalchemy import ColumnElement, and_, insert, select, update

from app.directory import queries
from app.directory.changes import Clerk, Values, change
from app.directory.models import Agreement, Contact, Country, FocalPoint
from app.directory.rows import Row
from app.kernel.actors import Role
from app.kernel.db import Base
from app.kernel.journal import Mailbox
from app.kernel.lifecycle import ActionNotYours, RoleMissing
from app.kernel.work import Writing


@dataclass(frozen=True)
class Register:
    """One table of the directory: how its rows are known, and under which path."""

    table: type[Base]
    keys: tuple[str, ...]
    path: str

    def key_of(self, row: Values) -> str:
        """Name a row as its path does: by one column, or by some with strokes between."""
        return "/".join(str(row[name]) for name in self.keys)

    def subject_of(self, row: Values) -> str:
        """Say where a row is read, under /v1/."""
        return f"{self.path}/{self.key_of(row)}"

    def named(self, key: str) -> ColumnElement[bool]:
        """Choose the row of a key."""
        columns = self.table.__table__.c
        parts = zip(self.keys, key.split("/"), strict=True)
        return and_(*(columns[name] == part for name, part in parts))


COUNTRIES: Final = Register(Country, ("iso2",), "countries")
FOCAL_POINTS: Final = Register(FocalPoint, ("code",), "focal-points")
AGREEMENTS: Final = Register(Agreement, ("code",), "agreements")
CONTACTS: Final = Register(Contact, ("code",), "contacts")
ONE_AT_A_TIME: Final = "directory"
"""Who writes holds this: rules look at several rows, and each write at what is true."""

KEEPERS: Final = frozenset({Role.CASEWORKER, Role.COORDINATOR})
"""Who knows how many places are free: whoever gives them away."""


@dataclass(frozen=True)
class Count:
    """What a file did to its table."""

    added: int
    changed: int
    unchanged: int


def standard_data() -> Traversable:
    """Name the folder of what our sources say: 28 countries, and whom to turn to there."""
    return files("app.directory").joinpath("data")


def spelled(rows: Sequence[Row]) -> list[Values]:
    """Turn rows into the values of columns."""
    return [row.model_dump() for row in rows]


def with_last_word(clerk: Clerk, offices: Sequence[Values]) -> list[Values]:
    """Let the newer count of free places stand: never undo an office's own word."""
    last = FocalPoint.code, FocalPoint.capacity, FocalPoint.capacity_as_of
    said = select(*last).where(FocalPoint.capacity_as_of.is_not(None))
    stored = {row.code: row for row in clerk.session.execute(said)}
    return [
        {**row, "capacity": word.capacity, "capacity_as_of": word.capacity_as_of}
        if (word := stored.get(row["code"])) and is_older(row, word.capacity_as_of)
        else row
        for row in offices
    ]


def is_older(row: Values, as_of: datetime) -> bool:
    """Say whether a row's count of places is not of that moment or later."""
    return row["capacity_as_of"] is None or row["capacity_as_of"] < as_of


def stored_rows(clerk: Clerk, register: Register) -> list[Values]:
    """Read the rows of a table."""
    found = clerk.session.execute(select(register.table.__table__))
    return [dict(row) for row in found.mappings()]


def store(clerk: Clerk, register: Register, rows: Sequence[Values]) -> Count:
    """Insert the rows whose key is new, and change in the others what they say anew.

    Each change is kept. A column that a row does not name stays as it is.
    """
    stored = {register.key_of(row): row for row in stored_rows(clerk, register)}
    keyed = [(register.key_of(row), row) for row in rows]
    added = [row for key, row in keyed if key not in stored]
    changed = [(k, row) for k, row in keyed if k in stored and news(stored[k], row)]
    if added:
        clerk.session.execute(
            insert(register.table), with_mailboxes(clerk, register, added)
        )
    for key, row in changed:
        here = update(register.table).where(register.named(key))
        clerk.session.execute(here.values(news(stored[key], row)))
    clerk.session.add_all(
        change(clerk, register.subject_of(row), stored.get(register.key_of(row)), row)
        for row in (*added, *(row for _, row in changed))
    )
    clerk.session.flush()
    return Count(len(added), len(changed), len(rows) - len(added) - len(changed))


def news(stored: Values, row: Values) -> Values:
    """Say in which columns a row says something else than what is stored."""
    return {name: value for name, value in row.items() if stored[name] != value}


def with_mailboxes(
    clerk: Clerk, register: Register, added: Sequence[Values]
) -> Sequence[Values]:
    """Open a mailbox for each new focal point, so that nothing sent to it is lost."""
    if register is not FOCAL_POINTS:
        return added
    rows = [{"id": clerk.new_id(), **row} for row in added]
    clerk.session.add_all(Mailbox(focal_point_id=row["id"]) for row in rows)
    clerk.session.flush()
    return rows


def say_capacity(work: Writing, code: str, free: int | None) -> FocalPoint:
    """Let an office say how many places are free now; None: it does not say any more.

    Raises NotFound (404), ActionNotYours or RoleMissing (403).
    """
    focal_point = queries.find(work, code)
    if focal_point.id != work.actor.focal_point_id:
        raise ActionNotYours("Only the focal point itself says how many places it has.")
    if not KEEPERS & work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(sorted(KEEPERS))}.")
    focal_point.capacity = free
    focal_point.capacity_as_of = work.now
    return focal_point
