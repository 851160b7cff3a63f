"""Helpers for tests of accounts: make changes with an approval, and redeem key links."""

from typing import Final
from uuid import uuid4

from httpx2 import Response

from app.kernel.actors import Role
from tests.support.world import Json, Someone, World, unwrap

SUPERVISOR: Final = {Role.SUPERVISOR}
NEWCOMER: Final[Json] = {
    "focal_point": "KZ_LEAD",
    "label": "duty 7",
    "kind": "person",
    "roles": ["caseworker"],
}
FEED: Final[Json] = {"scopes": ["feed:read"], "days": 30}


def get_account_path(one: Someone) -> str:
    """Return the path of the person's account."""
    return f"/accounts/{one.actor.account_id}"


def add(who: Someone, path: str, body: Json, approval: str = "") -> Response:
    """Send a POST request with a new idempotency key, and an approval if given."""
    allowed = {"approval": approval} if approval else {}
    return who.send(path, body, idempotency_key=str(uuid4()), **allowed)


def get_approval_id(answer: Response) -> str:
    """Return the id of the approval that a response with the status 202 requires."""
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def approve(second: Someone, asked: str) -> Response:
    return second.send(f"/approvals/{asked}/approve")


def add_with(who: Someone, second: Someone, path: str, body: Json) -> Json:
    """Send a POST request that a second person approves, and return the result."""
    approval_id = get_approval_id(add(who, path, body))
    unwrap(approve(second, approval_id))
    return unwrap(add(who, path, body, approval_id))


def redeem(world: World, link: object) -> Response:
    """Redeem a link for an API key, and return the response."""
    answer: Response = world.http.post("/v1/keys/redeem", json={"link": link})
    return answer


def make_key_with(who: Someone, second: Someone, path: str, body: Json) -> str:
    """Let two people create a link, redeem the link, and return the API key."""
    return str(unwrap(redeem(who.world, add_with(who, second, path, body)["link"]))["key"])


def with_key(one: Someone, key: str) -> Someone:
    """Return the same person with another API key."""
    return Someone(one.world, one.code, one.actor, key)
