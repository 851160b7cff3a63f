"""Whether the database still has the guards that the migrations made (ADR 36).

Guards are what the database enforces by itself: triggers that keep the journal and the
access log, row security, and the rights of the roles. Somebody who may change the schema
can take them away, and a restored backup may lack them, so they are compared with
`guards.json` before the service starts. `make guards` writes that file from databases that
were migrated from nothing; a test compares it with what the migrations make today.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final, override

from sqlalchemy.orm import Session

from app.kernel.db import kind_of as database_kind

type Catalogue = Mapping[str, str]
"""What guards a database: each guard by its name, with its definition."""

FILE: Final = "guards.json"
WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "CREATE"})
"""Rights by which somebody could write, or run code when somebody else writes."""


OLDER_SPELLINGS: Final = {
    "view my_cases": "SELECT party.case_id FROM party"
    " WHERE ((party.focal_point_id) = (SELECT acts_for()));"
}
"""How PostgreSQL 15 spells definitions that later versions spell in another way."""


class Kind(StrEnum):
    """The first word of a guard's name."""

    TRIGGER = "trigger"
    RULE = "rule"
    POLICY = "policy"
    ROW_SECURITY = "row security"
    FUNCTION = "function"
    VIEW = "view"
    OWNER = "owner"
    RIGHT = "right"
    INDEX = "index"
    EXTENSION = "extension"
    EVENT_TRIGGER = "event trigger"
    SETTING = "setting"
    UNIQUE = "unique"
    CONFLICT = "conflict clause"
    CONSTRAINT = "constraint"
    PERSISTENCE = "persistence"


REFUSED_IF_ADDED: Final = frozenset(
    {
        *(Kind.TRIGGER, Kind.RULE, Kind.POLICY, Kind.UNIQUE, Kind.CONFLICT),
        *(Kind.CONSTRAINT, Kind.PERSISTENCE),
    }
)
TOLERATED_IF_MISSING: Final = frozenset({Kind.INDEX, Kind.EXTENSION, Kind.EVENT_TRIGGER})


@dataclass(frozen=True)
class Difference:
    """A guard that is not as the migrations made it.

    `refuses`: the service must not start.
    """

    name: str
    how: str
    refuses: bool

    @override
    def __str__(self) -> str:
        """Return it as one phrase of a message."""
        return f"{self.name} {self.how}"


def kind_of(name: str) -> Kind:
    """Return what kind of guard a name is of."""
    return next(kind for kind in Kind if name.startswith(f"{kind} "))


def compare(expected: Catalogue, found: Catalogue) -> list[Difference]:
    """List the guards that differ from the expected ones."""
    return [*missing(expected, found), *added(expected, found)]


def missing(expected: Catalogue, found: Catalogue) -> Iterator[Difference]:
    """Find guards that are not there, or not as they were made."""
    for name, definition in expected.items():
        if name not in found and not may_be_missing(name):
            yield Difference(name, "is missing", refuses=True)
        elif name in found and found[name] not in {definition, OLDER_SPELLINGS.get(name)}:
            yield Difference(name, "was changed", refuses=True)


def may_be_missing(name: str) -> bool:
    """Return whether a guard may be missing; PostgreSQL has MAINTAIN since version 17."""
    maintain = name.startswith(f"{Kind.RIGHT} MAINTAIN ")
    return maintain or kind_of(name) in TOLERATED_IF_MISSING


def added(expected: Catalogue, found: Catalogue) -> Iterator[Difference]:
    """Find what was added; what could write or weaken a guard refuses."""
    for name in found.keys() - expected.keys():
        kind = kind_of(name)
        writes = kind == Kind.RIGHT and name.split()[1] in WRITES
        yield Difference(name, "was added", refuses=writes or kind in REFUSED_IF_ADDED)


def expected(dialect: str) -> Catalogue:
    """Return the guards that the migrations make on a kind of database."""
    known: Mapping[str, Catalogue] = json.loads(
        files(__package__).joinpath(FILE).read_text("utf-8")
    )
    return known[dialect]


def list_differences(session: Session) -> list[Difference]:
    """List the guards of this database that differ from those the migrations make."""
    found = compare(expected(database_kind(session)), read_guards(session))
    return sorted(found, key=lambda one: (not one.refuses, one.name))


def read_guards(session: Session) -> Catalogue:
    """Read the guards of a database from its catalogue."""
    rows = session.connection().exec_driver_sql(statement(database_kind(session)))
    return {name: normalize(definition or "") for name, definition in sorted(rows)}


@cache
def statement(dialect: str) -> str:
    """Return the statement that reads the guards of a kind of database."""
    return files(__package__).joinpath(f"guards_{dialect}.sql").read_text("utf-8")


NOISE: Final = re.compile(r"::\w+|\bpublic\.| AS acts_for\b|\s+(?=\))|(?<=\()\s+")


def normalize(definition: str) -> str:
    """Leave out what versions of the database spell differently.

    Casts, the schema, names of columns that nobody reads, and white space.
    """
    return " ".join(NOISE.sub("", definition).split())
