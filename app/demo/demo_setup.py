"""The setup of the demonstration: directory, accounts and API keys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import queries as access_queries
from app.access.actions import AccountSpec, create_account, create_key
from app.administration.directory_load import load
from app.demo.demo_accounts import DEMO_ACCOUNTS, DemoAccount
from app.directory import queries as directory_queries
from app.directory.actions import get_standard_data
from app.directory.history import ChangeAuthor
from app.kernel.actors import Scope

KEY_DAYS: Final = 1


class DemoRefused(Exception):  # noqa: N818 - named by its meaning, like Problem
    """The database has accounts that do not belong to the demonstration."""


@dataclass(frozen=True)
class DemoSetup:
    """The database session, the time and the id generator that the setup uses."""

    session: Session
    now: datetime
    new_id: Callable[[], UUID]


def load_directory(stage: DemoSetup) -> None:
    """Load the directory and the made-up offices. A second call changes nothing.

    Raises DemoRefused if the database has other accounts, because the made-up offices could
    then receive real cases.
    """
    if access_queries.has_other_accounts(
        stage.session, [part.label for part in DEMO_ACCOUNTS]
    ):
        raise DemoRefused(
            "This database has other accounts. Use another database for the demonstration."
        )
    clerk = ChangeAuthor(stage.session, stage.new_id, stage.now)
    load(clerk, get_standard_data())
    load(clerk, files("app.demo").joinpath("data"))


def create_keys(stage: DemoSetup) -> dict[DemoAccount, str]:
    """Create and return an API key for each demonstration account, valid for one day."""
    return {
        part: create_key(
            stage.session,
            find_or_open_account(stage, part),
            Scope,
            stage.now,
            days=KEY_DAYS,
        )
        for part in DEMO_ACCOUNTS
    }


def find_or_open_account(stage: DemoSetup, part: DemoAccount) -> UUID:
    """Return the id of a demonstration account, and create the account if necessary."""
    focal_point = directory_queries.get_id(stage.session, part.focal_point)
    found = access_queries.find_by_label(stage.session, focal_point, part.label)
    if found is not None:
        return found
    account = stage.new_id()
    opening = AccountSpec(focal_point, part.label, part.roles)
    create_account(stage.session, account, opening, stage.now)
    return account
