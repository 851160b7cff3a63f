"""What those do who look after accounts: ask, agree with each other, take away."""

from typing import Final
from uuid import uuid4

from httpx2 import Response

from app.kernel.actors import Role
from tests.support.world import Json, Someone, done

SUPERVISOR: Final = {Role.SUPERVISOR}
NEWCOMER: Final[Json] = {
    "focal_point": "KZ_LEAD",
    "label": "duty 7",
    "kind": "person",
    "roles": ["caseworker"],
}
FEED: Final[Json] = {"scopes": ["feed:read"], "days": 30}


def account_of(one: Someone) -> str:
    """The path of somebody's account."""
    return f"/accounts/{one.actor.account_id}"


def gives(who: Someone, path: str, body: Json, approval: str = "") -> Response:
    """Give an account something, or ask to."""
    allowed = {"approval": approval} if approval else {}
    return who.post(path, body, idempotency_key=str(uuid4()), **allowed)


def question(answer: Response) -> str:
    """Take the question to a second person that came of it."""
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def allows(second: Someone, asked: str) -> Response:
    return second.post(f"/approvals/{asked}/approve")


def together(who: Someone, second: Someone, path: str, body: Json) -> Json:
    """Give an account something, with a second person."""
    asked = question(gives(who, path, body))
    done(allows(second, asked))
    return done(gives(who, path, body, asked))


def with_key(one: Someone, key: str) -> Someone:
    """The same person, with another key."""
    return Someone(one.world, one.code, one.actor, key)
