"""Helpers for tests of administrators: read a row, replace it, and approve the change."""

from typing import Any, Final

from httpx2 import Response

from app.kernel.actors import Role
from tests.support.world import Json, Someone, unwrap

ADMINISTRATOR: Final = {Role.ADMINISTRATOR}
NEW: Final = {"if_none_match": "*"}
OFFICE: Final[Json] = {
    "code": "KZ_NEW_SHELTER",
    "name": "Жаңа үй, Шымкент",
    "short_names": {"en": "Jaña üi", "ru": "Жаңа үй"},
    "kind": "non_state",
    "function": "shelter",
    "of_state": None,
    "serves": ["KZ"],
    "time_zone": "Asia/Almaty",
    "languages": ["kk", "ru"],
    "services": ["SHELTER"],
    "sexes": [],
    "ages": [],
    "opening": [],
    "places": None,
    "deputy": None,
    "can_lead": False,
    "active": False,
    "source": None,
    "as_of": None,
}


def replace_row(who: Someone, path: str, body: Any, **headers: str) -> Response:
    return who.ask("PUT", path, body, headers=headers)


def update_row(who: Someone, path: str, approval: str = "", **to: Any) -> Response:
    """Read the row at a path, change some of the fields, and send the row back."""
    read = who.get(path)
    given = {"approval": approval} if approval else {}
    fields = SETTINGS if path.startswith("/countries") else unwrap(read).keys()
    body = {name: value for name, value in read.json().items() if name in fields} | to
    return replace_row(who, path, body, if_match=read.headers["ETag"], **given)


SETTINGS = {
    "languages",
    "time_zone",
    "state_routing",
    "first_contact",
    "needs_criminal_case",
    "routing_reason",
}


def read_approval(response: Response) -> Json:
    assert response.status_code == 202, response.text
    return dict(response.json())


def approve(response: Response, second: Someone) -> str:
    """Approve a change as the second person, and return the id of the approval."""
    approval = str(read_approval(response)["id"])
    assert unwrap(second.send(f"/approvals/{approval}/approve"))["decision"] == "approved"
    return approval


def update_row_with(who: Someone, second: Someone, path: str, **to: Any) -> Json:
    """Change a row with the approval of a second administrator."""
    approval = approve(update_row(who, path, **to), second)
    return unwrap(update_row(who, path, approval, **to))


def list_changes(who: Someone, subject: str) -> list[Json]:
    found = who.list_all("/directory-changes", limit=30)
    return [item for item in found if item["subject"] == subject]
