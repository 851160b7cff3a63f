"""The stage of the demonstration: the made-up directory, and real keys for its cast."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import queries as access
from app.access.actions import Opening, make_key, open_account
from app.administration.loading import load
from app.demo.cast import CAST, Part
from app.directory import queries as directory
from app.directory.actions import standard_data
from app.directory.changes import Clerk
from app.kernel.actors import Scope

KEY_DAYS: Final = 1


class DemoRefused(Exception):  # noqa: N818 - it says what happened, as Problem does
    """The demonstration would mix made-up offices with real ones."""


@dataclass(frozen=True)
class DemoSetup:
    """What is needed to set it: a transaction, the time, and where ids come from."""

    session: Session
    now: datetime
    new_id: Callable[[], UUID]


def load_directory(stage: DemoSetup) -> None:
    """Load the directory and the made-up focal points; a second time changes nothing.

    Raises DemoRefused where real people have accounts: a made-up desk or overseer would be
    given real cases.
    """
    if access.has_other_accounts(stage.session, [part.label for part in CAST]):
        raise DemoRefused("This database has accounts of its own: give the demo another.")
    clerk = Clerk(stage.session, stage.new_id, stage.now)
    load(clerk, standard_data())
    load(clerk, files("app.demo").joinpath("data"))


def create_keys(stage: DemoSetup) -> dict[Part, str]:
    """Give everybody of the cast an API key for one day."""
    return {
        part: make_key(
            stage.session,
            find_or_open_account(stage, part),
            Scope,
            stage.now,
            days=KEY_DAYS,
        )
        for part in CAST
    }


def find_or_open_account(stage: DemoSetup, part: Part) -> UUID:
    """Find the account of a part, or open it."""
    focal_point = directory.id_of(stage.session, part.focal_point)
    found = access.find_by_label(stage.session, focal_point, part.label)
    if found is not None:
        return found
    account = stage.new_id()
    opening = Opening(focal_point, part.label, part.roles)
    open_account(stage.session, account, opening, stage.now)
    return account
