"""Sessions of people: signing in with an API key, and using the token."""

from dataclasses import replace
from uuid import UUID

from app.access.actions import AccountSpec, create_account, create_key
from app.access.credentials import authenticate
from app.access.models import Account
from tests.support.world import EVERYTHING, Json, Someone, unwrap


def sign_in(who: Someone, replaces: str | None = None) -> Someone:
    """Open a session with an API key, and return a person who uses the session."""
    body = {} if replaces is None else {"replaces": replaces}
    opened = unwrap(who.send("/sessions", body))
    return replace(who, key=opened["token"])


def get_session(who: Someone) -> Json:
    """Return the current session of a person."""
    return dict(unwrap(who.get("/me"))["session"])


def add_second_account(who: Someone, focal_point_id: UUID | None = None) -> Someone:
    """Open another account of the same person, by default at the same office."""
    world = who.world
    opening = AccountSpec(
        focal_point_id or who.id, "duty 2", who.actor.roles, who.actor.kind
    )
    with world.database.begin_write() as session:
        account = create_account(session, world.ids(), opening, world.now)
        account.person_id = session.get_one(Account, who.actor.account_id).person_id
        session.flush()
        key = create_key(session, account.id, EVERYTHING, world.now, days=3650)
        actor = authenticate(session, key, world.now)
    return Someone(world, who.code, actor, key)
