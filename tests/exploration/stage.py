"""The service on one SQLite database, which is saved and restored between paths.

All offices that do not take part are closed at the start, because otherwise many paths
would differ only by an office that never answers. No test sleeps: the clock is advanced,
and the worker is called.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, override
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import update

from app.directory.models import FocalPoint
from app.kernel.actors import Role
from app.main import create_app
from app.metrics.offices import (
    Offices,
    list_countries_without_lead,
    list_unattended,
    list_without_second_person,
    load_offices,
)
from app.runtime import build_runtime
from tests.support.databases import draw_id, open_alone
from tests.support.directory_changes import update_directory
from tests.support.in_thread import ThreadLoops, run_in_thread
from tests.support.world import KEYS, PUBLIC, WORKERS, Someone, World

POST: Final = "UZ_CONSULATE_ALMATY"
KZ: Final = "KZ_LEAD"
NGO: Final = "SANA_SEZIM"
UZ: Final = "UZ_LEAD"
SHELTER: Final = "KZ_SHELTER_KOGERSHIN"
LAWYER: Final = "KZ_LEGAL_AID"
HOME: Final = "ISTIQBOLLI_AVLOD"
DESK: Final = "DESK_CENTRAL_ASIA"
OTHER_DESK: Final = "DESK_CARIBBEAN"
OVERSIGHT: Final = "OVERSIGHT_DEMO"
KG: Final = "KG_LEAD"
LEADERS: Final = (KZ, NGO, UZ, KG)
DESKS: Final = (DESK, OTHER_DESK)
CAST: Final = (POST, *LEADERS, SHELTER, LAWYER, HOME, *DESKS, OVERSIGHT)
AGREEMENT: Final = "KZ_UZ_DEMO"
PAGE: Final = 4096

type Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Saved:
    """A saved state, with the pages of the database that differ from the first state."""

    now: datetime
    code: str
    size: int
    pages: Mapping[int, bytes]


class Stage(World):
    """The service with accounts for all offices that take part, and one case."""

    def __init__(self, url: str, app: FastAPI, loop: ThreadLoops) -> None:
        super().__init__(url, app, loop, partial(draw_id, Random("exploration")))
        self.path = Path(url.removeprefix("sqlite:///"))
        self.code = ""
        with self.database.begin_write() as session:
            outside = FocalPoint.code.not_in(CAST)
            update_directory(
                session, update(FocalPoint).where(outside).values(active=False)
            )
        protects = {Role.PROTECTION_OFFICER}
        self.workers = {
            one: self.add_person(one, protects if one == OVERSIGHT else WORKERS)
            for one in CAST
        }
        self.first_workers = dict(self.workers)
        self.seconds = {one: self.add_person(one, {Role.SUPERVISOR}) for one in CAST}
        self.first_seconds = dict(self.seconds)
        self.clerks = [
            self.add_person(one, {Role.ADMINISTRATOR}) for one in (DESK, OVERSIGHT)
        ]
        self.first = b""
        self.look: sqlite3.Connection | None = None
        self.first = self.read_content()
        self.beginning = self.save()

    # Save and restore.

    def read_content(self) -> bytes:
        """Return the content of the database file."""
        self.leave_file()
        with closing(sqlite3.connect(self.path)) as look:
            look.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return self.path.read_bytes()

    def save(self) -> Saved:
        """Save the state of the database, the clock and the case code, and return it."""
        content = self.read_content()
        pages = {
            at: page
            for at in range(0, len(content), PAGE)
            if (page := content[at : at + PAGE]) != self.first[at : at + PAGE]
        }
        return Saved(self.now, self.code, len(content), pages)

    def restore(self, then: Saved) -> None:
        """Restore the saved database, clock and case code, and the first accounts."""
        self.leave_file()
        content = bytearray(self.first.ljust(then.size, b"\0")[: then.size])
        for at, page in then.pages.items():
            content[at : at + PAGE] = page
        for left in self.path.parent.glob(f"{self.path.name}-*"):
            left.unlink()
        self.path.write_bytes(content)
        self.now, self.code = then.now, then.code
        self.workers = dict(self.first_workers)
        self.seconds = dict(self.first_seconds)

    # Queries on the database.

    def leave_file(self) -> None:
        """Close every connection to the database."""
        self.database.engine.dispose()
        if self.look is not None:
            self.look.close()
        self.look = None

    def fetch_rows(self, query: str, **values: Any) -> Rows:
        """Run a query on the database directly; `:code` is the code of the case."""
        if self.look is None:
            self.look = sqlite3.connect(self.path, isolation_level=None)
        return self.look.execute(query, {"code": self.code} | values).fetchall()

    @override
    def close(self) -> None:
        self.leave_file()
        super().close()

    # Accounts.

    def list_staffed(self) -> frozenset[str]:
        """Return the open offices whose person in `workers` has an enabled account."""
        return self.list_present(self.workers)

    def list_present(self, people: Mapping[str, Someone]) -> frozenset[str]:
        """Return the open offices whose person in `people` has an enabled account."""
        found = {account for (account,) in self.fetch_rows(ENABLED)}
        return frozenset(
            office for office, one in people.items() if one.actor.account_id.hex in found
        )

    def list_unattended(self) -> list[str]:
        """List the offices on the stage that the alarm `offices_unattended` counts."""
        found = self.load_offices()
        return list_codes(found, list_unattended(found))

    def list_without_second_person(self) -> list[str]:
        """List the offices on the stage that `offices_without_second_person` counts."""
        found = self.load_offices()
        return list_codes(found, list_without_second_person(found))

    def list_closed_leads(self) -> list[str]:
        """List the closed offices of `LEADERS` that serve a country without a lead."""
        found = self.load_offices()
        countries = list_countries_without_lead(found)
        closed = [one for one in found.every if not one.active and one.code in LEADERS]
        return sorted(one.code for one in closed if countries & set(one.serves))

    def load_offices(self) -> Offices:
        """Load the data from which the alarms about offices are computed."""
        with self.database.begin_read() as session:
            found = load_offices(session, self.now)
            session.expunge_all()
        return found

    def get_worker(self, office: str) -> Someone:
        """Return the person of an office who works on cases."""
        return self.workers[office]


def list_codes(found: Offices, ids: Collection[UUID]) -> list[str]:
    """Return the sorted codes of the offices with these ids that are on the stage."""
    return sorted(one.code for one in found.every if one.id in ids and one.code in CAST)


ENABLED: Final = """SELECT a.id FROM account a JOIN focal_point f ON f.id = a.focal_point_id
    WHERE f.active AND a.disabled_at IS NULL"""


@contextmanager
def build_stage() -> Iterator[Stage]:
    """Build the stage once for a whole exploration, and yield it."""
    with open_alone() as (_, url), run_in_thread() as loop:
        app = create_app(
            build_runtime("sqlite:///never-opened.db", KEYS), public_url=PUBLIC
        )
        stage = Stage(url, app, loop)
        yield stage
        stage.close()
