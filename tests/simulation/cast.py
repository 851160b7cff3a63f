"""The offices of two corridors between countries, and a database with their accounts."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from fastapi import FastAPI

from app.kernel.actors import Actor, Role
from app.main import create_app
from app.runtime import build_runtime
from tests.support.databases import draw_id, open_alone
from tests.support.in_thread import ThreadLoops, run_in_thread
from tests.support.world import KEYS, PUBLIC, WORKERS, World

OVERSIGHT: Final = "OVERSIGHT_DEMO"


@dataclass(frozen=True)
class Corridor:
    """A corridor from a country of origin to a country of stay, with its offices."""

    country: str
    origin: str
    language: str
    officer: str
    state_lead: str
    ngo_lead: str
    origin_lead: str
    helpers: Mapping[str, str]
    desk: str

    @property
    def leads(self) -> tuple[str, ...]:
        return (self.state_lead, self.ngo_lead, self.origin_lead)

    @property
    def offices(self) -> tuple[str, ...]:
        return (self.officer, *self.leads, *self.helpers, self.desk)

    def get_offices(self, kind: str) -> frozenset[str]:
        """Return the State lead in the country of stay if `kind` is `state`.

        For any other kind, return the NGO lead and the helpers.
        """
        if kind == "state":
            return frozenset({self.state_lead})
        return frozenset({self.ngo_lead, *self.helpers})


KZ: Final = Corridor(
    "KZ",
    "UZ",
    "uz",
    "UZ_CONSULATE_ALMATY",
    "KZ_LEAD",
    "SANA_SEZIM",
    "UZ_LEAD",
    {
        "KZ_SHELTER_KOGERSHIN": "SHELTER",
        "KZ_SHELTER_TANSHOLPAN": "SHELTER",
        "KZ_LEGAL_AID": "LEGAL_AID",
    },
    "DESK_CENTRAL_ASIA",
)
TT: Final = Corridor(
    "TT",
    "JM",
    "en",
    "JM_CONSULATE_PORT_OF_SPAIN",
    "TT_LEAD",
    "TT_SAFE_HARBOUR",
    "JM_LEAD",
    {"TT_SHELTER": "SHELTER", "TT_LEGAL_AID": "LEGAL_AID"},
    "DESK_CARIBBEAN",
)
CORRIDORS: Final = (KZ, TT)
ADMINISTRATORS: Final = ("DESK_CENTRAL_ASIA", OVERSIGHT)


@dataclass(frozen=True)
class Account:
    """An account that has the same id and key in every copy of the database."""

    code: str
    actor: Actor
    key: str


@dataclass(frozen=True)
class Stage:
    """The application, its event loop and a database to copy, shared by all seeds."""

    app: FastAPI
    here: ThreadLoops
    home: Path
    template: Path
    workers: Mapping[str, Account]
    seconds: Mapping[str, Account]
    administrators: tuple[Account, ...]

    def create_database(self) -> str:
        """Replace the database with a new copy of the template, and return its URL."""
        path = self.home / "simulated.db"
        for left in self.home.glob("simulated*"):
            left.unlink()
        shutil.copyfile(self.template, path)
        return f"sqlite:///{path}"


@contextmanager
def build_stage() -> Iterator[Stage]:
    """Build the stage for all seeds of a process."""
    with open_alone() as (home, url), run_in_thread() as loop:
        runtime = build_runtime("sqlite:///never-opened.db", KEYS)
        app = create_app(runtime, public_url=PUBLIC)
        world = World(url, app, loop, partial(draw_id, Random("the cast")))
        workers, seconds, administrators = open_accounts(world)
        world.close()
        template = Path(url.removeprefix("sqlite:///"))
        yield Stage(app, loop, home, template, workers, seconds, administrators)


type Accounts = dict[str, Account]


def open_accounts(world: World) -> tuple[Accounts, Accounts, tuple[Account, ...]]:
    """Create and return the accounts of workers, second persons and administrators."""
    offices = [office for corridor in CORRIDORS for office in corridor.offices]
    workers = {office: create_account(world, office, *WORKERS) for office in offices}
    workers[OVERSIGHT] = create_account(world, OVERSIGHT, Role.PROTECTION_OFFICER)
    seconds = {office: create_account(world, office, Role.SUPERVISOR) for office in offices}
    administrators = (
        create_account(world, one, Role.ADMINISTRATOR) for one in ADMINISTRATORS
    )
    return workers, seconds, tuple(administrators)


def create_account(world: World, office: str, *roles: Role) -> Account:
    one = world.add_person(office, roles)
    return Account(office, one.actor, one.key)
