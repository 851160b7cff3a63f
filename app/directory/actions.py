"""Bringing the directory up to date: ours and an operator's files take the same way in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.directory import queries
from app.directory.files import read
from app.directory.models import Agreement, Country, FocalPoint
from app.directory.rows import Row
from app.kernel.actors import Role
from app.kernel.journal import Mailbox
from app.kernel.lifecycle import ActionNotYours, RoleMissing
from app.kernel.work import Writing

type Values = Mapping[str, Any]

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


def standard_data() -> Traversable:
    """Name the folder of what our sources say: 28 countries, and whom to turn to there."""
    return files("app.directory").joinpath("data")


def load(session: Session, new_id: Callable[[], UUID], folder: Traversable) -> Loaded:
    """Add and change what `countries.csv`, `focal_points.csv` and `agreements.csv` say.

    A folder may hold any of them; a `Path` will do. Rows are known by their codes, and none
    is ever deleted, since cases refer to it: set `active` to false. Raises FilesRefused,
    with every fault, before anything is written.
    """
    known = session.scalars(select(Country.iso2)), session.scalars(select(FocalPoint.code))
    found = read(folder, *known)
    rows = with_last_word(session, spelled(found.focal_points))
    offices = with_mailboxes(session, new_id, rows)
    return Loaded(
        countries=store(session, Country, "iso2", spelled(found.countries)),
        focal_points=store(session, FocalPoint, "code", offices),
        agreements=store(session, Agreement, "code", spelled(found.agreements)),
    )


def spelled(rows: Sequence[Row]) -> list[Values]:
    """Turn rows into the values of columns."""
    return [row.model_dump() for row in rows]


def with_last_word(session: Session, offices: Sequence[Values]) -> list[Values]:
    """Let the newer count of free places stand: never undo an office's own word."""
    last = FocalPoint.code, FocalPoint.capacity, FocalPoint.capacity_as_of
    said = select(*last).where(FocalPoint.capacity_as_of.is_not(None))
    stored = {row.code: row for row in session.execute(said)}
    return [
        {**row, "capacity": word.capacity, "capacity_as_of": word.capacity_as_of}
        if (word := stored.get(row["code"])) and is_older(row, word.capacity_as_of)
        else row
        for row in offices
    ]


def is_older(row: Values, as_of: datetime) -> bool:
    """Say whether a row's count of places is not of that moment or later."""
    return row["capacity_as_of"] is None or row["capacity_as_of"] < as_of


def with_mailboxes(
    session: Session, new_id: Callable[[], UUID], offices: Sequence[Values]
) -> list[Values]:
    """Open a mailbox for each new focal point, so that nothing sent to it is lost."""
    known = dict(session.execute(select(FocalPoint.code, FocalPoint.id)).all())
    fresh = {row["code"]: new_id() for row in offices if row["code"] not in known}
    session.add_all(Mailbox(focal_point_id=new) for new in fresh.values())
    session.flush()
    ids = known | fresh
    return [{"id": ids[row["code"]], **row} for row in offices]


def store(
    session: Session,
    model: type[Country | FocalPoint | Agreement],
    key: str,
    rows: Sequence[Values],
) -> Count:
    """Insert the rows whose key is new, and update those that say something else now."""
    table = model.__table__
    stored = {row[key]: dict(row) for row in session.execute(select(table)).mappings()}
    added = [row for row in rows if row[key] not in stored]
    changed = [row for row in rows if row[key] in stored and row != stored[row[key]]]
    if added:
        session.execute(insert(model), added)
    for row in changed:
        session.execute(update(model).where(table.c[key] == row[key]).values(row))
    return Count(len(added), len(changed), len(rows) - len(added) - len(changed))


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
