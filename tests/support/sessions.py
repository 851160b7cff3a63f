"""Sessions of people: signing in with an API key, and using the token."""

from collections.abc import Iterable
from dataclasses import replace

from app.access.credentials import authenticate
from app.access.models import Account
from app.kernel.actors import Role
from tests.support.world import Json, Someone, unwrap


def sign_in(who: Someone, replaces: str | None = None) -> Someone:
    """Open a session with an API key, and return a person who uses the session."""
    body = {} if replaces is None else {"replaces": replaces}
    opened = unwrap(who.send("/sessions", body))
    return replace(who, key=opened["token"])


def get_session(who: Someone) -> Json:
    """Return the current session of a person."""
    return dict(unwrap(who.get("/me"))["session"])


def add_account_of(who: Someone, focal_point: str, roles: Iterable[Role]) -> Someone:
    """Open another account of the same person, with roles at an office."""
    other = who.world.add_person(focal_point, roles)
    with who.world.database.begin_write() as session:
        row = session.get_one(Account, other.actor.account_id)
        row.person_id = who.actor.person_id
        row.label = "duty 2"
        session.flush()
        actor = authenticate(
            session.connection(), other.key, who.world.runtime.row_macs
        ).actor
    return replace(other, actor=actor)


def add_second_account(who: Someone) -> Someone:
    """Open another account of the same person, with the same roles at the same office."""
    return add_account_of(who, who.code, who.actor.roles)
