"""What ends beside a case that runs, as an administrator or the calendar ends it."""

from datetime import date
from typing import Final

from sqlalchemy import update

from app.directory.models import Agreement
from app.kernel.actors import Role
from app.worker.endings import follow_endings
from tests.support.world import Json, Someone, World, done, path_of

LAST_DAY: Final = date(2026, 5, 31)
"""The day before the day on which tests stand still."""


def end_agreement(world: World, *, on: date | None = LAST_DAY) -> None:
    """Let the agreement of Kazakhstan and Uzbekistan end, or be in force again."""
    with world.database.writing() as session:
        named = update(Agreement).where(Agreement.code == "KZ_UZ_DEMO")
        session.execute(named.values(in_force_until=on))


def look(world: World) -> int:
    """Let the worker look for what ended; it looks every ten minutes."""
    return follow_endings(world.ground)


def disable(who: Someone, by: Someone) -> None:
    """Disable an account, as a supervisor or an administrator."""
    done(by.post(f"/accounts/{who.actor.account_id}/disable"))


def end_last_account(world: World, who: Someone) -> None:
    """Disable the only account of an office, and let the day pass that it has."""
    disable(who, world.someone(who.code, {Role.SUPERVISOR}))
    world.passes(days=1)


def can_open(who: Someone, case: Json, section: str) -> bool:
    """Open a section, and return whether that succeeded."""
    return who.opens(f"{path_of(case)}/sections/{section}").is_success
