"""Bringing the directory up to date: files and administrators write it the same way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from sqlalchemy import insert, select, update

from app.directory import queries
from app.directory.changes import Clerk, Values, change
from app.directory.files import read
from app.directory.models import Agreement, Contact, Country, FocalPoint
from app.directory.rows import Row
from app.kernel.actors import Role
from app.kernel.db import hold
from app.kernel.journal import Mailbox
from app.kernel.lifecycle import ActionNotYours, RoleMissing
from app.kernel.work import Writing

type Table = type[Country | FocalPoint | Agreement | Contact]


@dataclass(frozen=True)
class Register:
    """One table of the directory: how its rows are known, and under which path."""

    table: Table
    key: str
    path: str


COUNTRIES: Final = Register(Country, "iso2", "countries")
FOCAL_POINTS: Final = Register(FocalPoint, "code", "focal-points")
AGREEMENTS: Final = Register(Agreement, "code", "agreements")
CONTACTS: Final = Register(Contact, "code", "contacts")
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


@dataclass(frozen=True)
class Loaded:
    """What a folder did to the directory."""

    countries: Count
    focal_points: Count
    agreements: Count
    contacts: Count


def standard_data() -> Traversable:
    """Name the folder of what our sources say: 28 countries, and whom to turn to there."""
    return files("app.directory").joinpath("data")


def load(clerk: Clerk, folder: Traversable) -> Loaded:
    """Add and change what the files of a folder say: see `app.directory.files`.

    A folder may hold any of them; a `Path` will do. Rows are known by their codes, and none
    is ever deleted, since cases refer to it: set `active` to false. Raises FilesRefused,
    with every fault, before anything is written.
    """
    hold(clerk.session, ONE_AT_A_TIME)
    countries = clerk.session.scalars(select(Country.iso2))
    found = read(folder, countries, clerk.session.scalars(select(FocalPoint.code)))
    offices = with_last_word(clerk, spelled(found.focal_points))
    return Loaded(
        countries=store(clerk, COUNTRIES, spelled(found.countries)),
        focal_points=store(clerk, FOCAL_POINTS, offices),
        agreements=store(clerk, AGREEMENTS, spelled(found.agreements)),
        contacts=store(clerk, CONTACTS, spelled(found.contacts)),
    )


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


def store(clerk: Clerk, register: Register, rows: Sequence[Values]) -> Count:
    """Insert the rows whose key is new, and change in the others what they say anew.

    Each change is kept. A column that a row does not name stays as it is.
    """
    table, key = register.table.__table__, register.key
    found = clerk.session.execute(select(table)).mappings()
    stored = {row[key]: dict(row) for row in found}
    added = [row for row in rows if row[key] not in stored]
    changed = [row for row in rows if row[key] in stored and news(stored[row[key]], row)]
    if added:
        clerk.session.execute(
            insert(register.table), with_mailboxes(clerk, register, added)
        )
    for row in changed:
        here = update(register.table).where(table.c[key] == row[key])
        clerk.session.execute(here.values(news(stored[row[key]], row)))
    clerk.session.add_all(
        change(clerk, f"{register.path}/{row[key]}", stored.get(row[key]), row)
        for row in (*added, *changed)
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
