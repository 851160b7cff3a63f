"""The cast of the demonstration: made-up people of made-up offices, with real keys.

Every focal point it adds is marked fictitious; the bodies of Kazakhstan and the other
countries are those of the directory, played here by nobody but this program.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import queries as access
from app.access.actions import Opening, make_key, open_account
from app.directory import queries as directory
from app.directory.actions import load, standard_data
from app.directory.changes import Clerk
from app.kernel.actors import Role, Scope

KEY_DAYS: Final = 1


@dataclass(frozen=True)
class Part:
    """Somebody the story needs."""

    name: str
    focal_point: str
    label: str
    roles: frozenset[Role]


_WORKER = frozenset({Role.CASEWORKER, Role.COORDINATOR})
OFFICER: Final = Part(
    "consular officer", "UZ_CONSULATE_ALMATY", "demo officer", frozenset({Role.OFFICER})
)
LEAD: Final = Part("coordinator of Kazakhstan", "KZ_LEAD", "demo coordinator", _WORKER)
SECOND: Final = Part(
    "supervisor", "KZ_LEAD", "demo supervisor", frozenset({Role.SUPERVISOR})
)
FULL_SHELTER: Final = Part(
    "first shelter", "KZ_SHELTER_KOGERSHIN", "demo night duty", _WORKER
)
SHELTER: Final = Part("second shelter", "KZ_SHELTER_TANSHOLPAN", "demo day duty", _WORKER)
LAWYER: Final = Part("legal aid office", "KZ_LEGAL_AID", "demo lawyer", _WORKER)
CAST: Final = (OFFICER, LEAD, SECOND, FULL_SHELTER, SHELTER, LAWYER)


class DemoRefused(Exception):  # noqa: N818 - it says what happened, as Problem does
    """The demonstration would mix made-up offices with real ones."""


@dataclass(frozen=True)
class Stage:
    """What is needed to set it: a transaction, the time, and where ids come from."""

    session: Session
    now: datetime
    new_id: Callable[[], UUID]


def load_mechanism(stage: Stage) -> None:
    """Load the directory and the made-up focal points; a second time changes nothing.

    Raises DemoRefused where real people have accounts: a made-up desk or overseer would be
    given real cases.
    """
    if access.has_others(stage.session, [part.label for part in CAST]):
        raise DemoRefused("This database has accounts of its own: give the demo another.")
    clerk = Clerk(stage.session, stage.new_id, stage.now)
    load(clerk, standard_data())
    load(clerk, files("app.demo").joinpath("data"))


def give_keys(stage: Stage) -> dict[str, str]:
    """Give everybody of the cast an API key for one day, by name."""
    return {
        part.name: make_key(
            stage.session, account_of(stage, part), Scope, stage.now, days=KEY_DAYS
        )
        for part in CAST
    }


def account_of(stage: Stage, part: Part) -> UUID:
    """Find the account of a part, or open it."""
    focal_point = directory.id_of(stage.session, part.focal_point)
    found = access.labelled(stage.session, focal_point, part.label)
    if found is not None:
        return found
    account = stage.new_id()
    opening = Opening(focal_point, part.label, part.roles)
    open_account(stage.session, account, opening, stage.now)
    return account
