"""People of earlier worlds of this process, whose rows are copied into later worlds.

Opening an account with a person and an API key takes as much time as half a request, and
most tests open several. The first world of a process opens them as the service does. The
rows, with their MACs, are then inserted into the databases of the other worlds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Connection, Table, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from app.access.models import Account, ApiKey, Person
from app.directory.models import FocalPoint
from app.kernel.actors import AccountKind, Actor, Role, Scope
from app.kernel.db import Database

type Rows = tuple[tuple[Table, Mapping[str, Any]], ...]
OFFICE_ID: Final = select(FocalPoint.id).where(FocalPoint.code == bindparam("code"))
OWNERS: Final = {Person: "id", Account: "id", ApiKey: "account_id"}
"""The models of the rows of a person, each with the column of the account's id."""


@dataclass(frozen=True)
class Opening:
    """The values with which an account is opened. A world may use the same values again."""

    focal_point_id: UUID
    roles: frozenset[Role]
    scopes: frozenset[Scope]
    kind: AccountKind
    at: datetime


@dataclass(frozen=True)
class StoredPerson:
    """The API key of a person, the actor whom it authenticates, and the person's rows."""

    key: str
    actor: Actor
    rows: Rows


STORED: Final[dict[tuple[Opening, int], StoredPerson]] = {}
"""The people by their opening, numbered from 0."""


def find_office(database: Database, code: str) -> UUID:
    """Return the id of an office."""
    with database.connect_read() as connection:
        return connection.execute(OFFICE_ID, {"code": code}).scalars().one()


def insert_person(database: Database, opening: Opening, first: int) -> StoredPerson | None:
    """Insert and return a stored person with this opening, or return None without one.

    `first` is the number of the person to try first. If another world has inserted that
    person into the same database, the next one is used.
    """
    for number in count(first):
        stored = STORED.get((opening, number))
        if stored is None or insert_rows(database, stored.rows):
            return stored
    return None


def insert_rows(database: Database, rows: Rows) -> bool:
    """Insert rows and return True, or return False if the database has them already."""
    try:
        with database.begin_write() as session:
            for table, row in rows:
                session.connection().execute(insert(table), dict(row))
    except IntegrityError:
        return False
    return True


def store_person(
    connection: Connection, opening: Opening, key: str, actor: Actor
) -> StoredPerson:
    """Store a new person with its rows for other worlds, and return the stored person."""
    made = StoredPerson(key, actor, tuple(read_rows(connection, actor.account_id)))
    number = next(one for one in count() if (opening, one) not in STORED)
    STORED[opening, number] = made
    return made


def read_rows(
    connection: Connection, account_id: UUID
) -> Iterator[tuple[Table, Mapping[str, Any]]]:
    """Yield the rows of an account, in the order in which they can be inserted."""
    for model, column in OWNERS.items():
        table = cast("Table", model.__table__)
        found = select(table).where(table.c[column] == account_id)
        for row in connection.execute(found).mappings():
            yield table, dict(row)
