"""Helpers that end an agreement, an account, or the last account of an office."""

from datetime import date
from typing import Final

from sqlalchemy import update

from app.directory.models import Agreement
from app.kernel.actors import Role
from app.worker.endings import apply_endings
from tests.support.directory_changes import update_directory
from tests.support.world import Json, Someone, World, get_path, unwrap

LAST_DAY: Final = date(2026, 5, 31)
"""The day before the first day of the tests' clock."""


def end_agreement(world: World, *, on: date | None = LAST_DAY) -> None:
    """Set the last day of the agreement between Kazakhstan and Uzbekistan.

    If `on` is None, the agreement has no end.
    """
    with world.database.begin_write() as session:
        named = update(Agreement).where(Agreement.code == "KZ_UZ_DEMO")
        update_directory(session, named.values(in_force_until=on))


def run_endings_job(world: World) -> int:
    """Run the worker's job for ended agreements and for offices that cannot act.

    Return the number of updated cases.
    """
    return apply_endings(world.runtime)


def disable(who: Someone, by: Someone) -> None:
    """Disable the account of `who` as `by`, a supervisor or an administrator."""
    unwrap(by.send(f"/accounts/{who.actor.account_id}/disable"))


def end_last_account(world: World, who: Someone) -> None:
    """Disable the only account of an office, and advance the clock by one day."""
    disable(who, world.add_person(who.code, {Role.SUPERVISOR}))
    world.advance(days=1)


def can_open(who: Someone, case: Json, section: str) -> bool:
    """Try to open a section of a case, and return whether that succeeded."""
    return who.open(f"{get_path(case)}/sections/{section}").is_success
