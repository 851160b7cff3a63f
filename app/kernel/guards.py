"""The guards of the database, and their comparison with the migrations (ADR 36).

Guards are rules that the database itself enforces: triggers that protect the journal and
the access log, row security, and the privileges of roles. A user with rights on the schema
can remove them, and a restored backup may lack them. So they are compared with
`guards.json` before the service starts. `make guards` writes that file from freshly
migrated databases, and a test checks that it is up to date.
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

from app.kernel.db import get_dialect

type Catalogue = Mapping[str, str]
"""The guards of a database, such as triggers: each name with its definition."""
EMPTY: Final[Catalogue] = {}
FILE: Final = "guards.json"
RESTORED: Final = "{} restored"
"""The part of `guards.json` with the definitions that a restored dump formats differently.

After `pg_restore` or `pg_upgrade`, PostgreSQL has parsed the text that it printed itself,
and then prints a condition such as `kind IN (...)` differently. If that text is parsed
again, it does not change any more.
"""
WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "CREATE"})
"""Privileges that allow writing, or running code when somebody else writes."""
OLDER_SPELLINGS: Final = {
    "view my_cases": "SELECT party.case_id FROM party"
    " WHERE ((party.focal_point_id) = (SELECT acts_for()));"
}
"""Definitions that PostgreSQL 15 formats differently from later versions."""


class Kind(StrEnum):
    """The kind of a guard, such as a trigger; also the first part of the guard's name."""

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


_K = Kind
REFUSED_IF_ADDED: Final = frozenset(
    {_K.TRIGGER, _K.RULE, _K.POLICY, _K.UNIQUE, _K.CONFLICT, _K.CONSTRAINT, _K.PERSISTENCE}
)
TOLERATED_IF_MISSING: Final = frozenset({Kind.INDEX, Kind.EXTENSION, Kind.EVENT_TRIGGER})


@dataclass(frozen=True)
class Difference:
    """A guard, such as a trigger, that differs from what the migrations create.

    `refuses` is true if the service must not start because of the difference.
    """

    name: str
    how: str
    refuses: bool

    @override
    def __str__(self) -> str:
        """Return the difference as a phrase for a message."""
        return f"{self.name} {self.how}"


def get_guard_kind(name: str) -> Kind:
    """Return the kind, such as `trigger`, with which the name of a guard begins."""
    return next(kind for kind in Kind if name.startswith(f"{kind} "))


def compare(
    expected: Catalogue, found: Catalogue, restored: Catalogue = EMPTY
) -> list[Difference]:
    """List the differences between the expected and the found guards, such as triggers.

    `restored` has the definitions that a restored dump formats differently.
    """
    missing = find_missing(expected, found, {**OLDER_SPELLINGS, **restored})
    return [*missing, *find_added(expected, found)]


def find_missing(
    expected: Catalogue, found: Catalogue, other_spellings: Catalogue
) -> Iterator[Difference]:
    """Yield the guards, such as triggers, that were changed or are missing but required."""
    for name, definition in expected.items():
        if name not in found and not may_be_missing(name):
            yield Difference(name, "is missing", refuses=True)
        elif name in found and found[name] not in {definition, other_spellings.get(name)}:
            yield Difference(name, "was changed", refuses=True)


def may_be_missing(name: str) -> bool:
    """Return whether a guard may be missing, such as MAINTAIN before PostgreSQL 17."""
    maintain = name.startswith(f"{Kind.RIGHT} MAINTAIN ")
    return maintain or get_guard_kind(name) in TOLERATED_IF_MISSING


def find_added(expected: Catalogue, found: Catalogue) -> Iterator[Difference]:
    """Yield the guards, such as triggers, that were added.

    A privilege to write, or a guard of a kind in `REFUSED_IF_ADDED`, prevents start-up.
    """
    for name in found.keys() - expected.keys():
        kind = get_guard_kind(name)
        writes = kind == Kind.RIGHT and name.split()[1] in WRITES
        yield Difference(name, "was added", refuses=writes or kind in REFUSED_IF_ADDED)


def load_expected(dialect: str) -> Catalogue:
    """Return the triggers, privileges and other guards that a database should have."""
    return load_catalogues()[dialect]


def load_restored(dialect: str) -> Catalogue:
    """Return the definitions of guards that a restored dump formats differently."""
    return load_catalogues().get(RESTORED.format(dialect), EMPTY)


def load_catalogues() -> Mapping[str, Catalogue]:
    """Return the content of `guards.json`."""
    text = files(__package__).joinpath(FILE).read_text("utf-8")
    catalogues: Mapping[str, Catalogue] = json.loads(text)
    return catalogues


def list_differences(session: Session) -> list[Difference]:
    """List the triggers and other guards that differ; those that prevent start-up first."""
    dialect = get_dialect(session).name
    expected, restored = load_expected(dialect), load_restored(dialect)
    found = compare(expected, read_guards(session), restored)
    return sorted(found, key=lambda one: (not one.refuses, one.name))


def read_guards(session: Session) -> Catalogue:
    """Return the triggers and other guards of a database, from its system catalogue."""
    rows = session.connection().exec_driver_sql(load_statement(get_dialect(session).name))
    return {name: normalize(definition or "") for name, definition in sorted(rows)}


@cache
def load_statement(dialect: str) -> str:
    """Return the SQL that reads triggers and other guards, for the given dialect."""
    return files(__package__).joinpath(f"guards_{dialect}.sql").read_text("utf-8")


NOISE: Final = re.compile(r"::\w+|\bpublic\.| AS acts_for\b|\s+(?=\))|(?<=\()\s+")


def normalize(definition: str) -> str:
    """Remove the parts of a definition that versions of PostgreSQL format differently.

    These are casts, the schema name, an unused column alias, and superfluous white space.
    """
    return " ".join(NOISE.sub("", definition).split())
