"""Each action that needs two people can be confirmed, except those that show a secret."""

import json
from collections.abc import Mapping
from typing import Final

import pytest
from httpx2 import Response

from app.api.approvals import OTHERS
from app.casework.confirmations import EXECUTE
from app.kernel.actors import Role
from tests.support.account_changes import NEWCOMER, add, get_account_path
from tests.support.administrators import ADMINISTRATOR, NEW, replace_row, update_row
from tests.support.contract import CONTRACT
from tests.support.failing_leads import (
    NGOS,
    boss,
    desk,
    make_takeover,
    stuck,
)
from tests.support.machine_keys import (
    get_key_pair,
    get_keys_path,
    make_registration,
    open_machine_account,
)
from tests.support.request_bodies import BODIES
from tests.support.returns import NO_GO, Homecoming, begin_return
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    make_lead_consent,
    unwrap,
)

__all__ = ("boss", "desk", "stuck")

ACTION_OF: Final[Mapping[str, str]] = {
    "close_case": "case.close",
    "stop_case": "case.stop",
    "take_over_case": "case.take_over",
    "record_lead_consent": "case.record_lead_consent",
    "erase_case": "case.erase",
    "place_legal_hold": "case.hold",
    "release_figures": "figures.release",
    "decide_go": "return.go",
    "decide_no_go": "return.no_go",
    "create_account": "account.open",
    "grant_roles": "account.grant_roles",
    "register_public_key": "account.register_public_key",
    "create_key": "account.create_key",
    "rotate_key": "account.rotate_key",
    "create_webhook": "webhook.open",
    "replace_focal_point": "directory.change",
    "replace_agreement": "directory.change",
    "replace_country": "directory.change",
    "replace_time_limit": "directory.change",
    "replace_duty_contact": "directory.change",
}
"""The action of the approval for each operation that needs two people."""
SECRET_ACTIONS: Final = {"account.create_key", "account.rotate_key", "webhook.open"}
"""Actions whose response contains a secret that only the account that asked may see."""

STOP: Final = {"reason": "SURVIVOR_REQUEST", "note": "Please stop."}


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)


@pytest.fixture
def second(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)


@pytest.fixture
def overseers(world: World) -> tuple[Someone, Someone]:
    """Return two protection officers of oversight."""
    one, two = (world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER}) for _ in "12")
    return one, two


def confirm(second: Someone, answer: Response) -> Json:
    """Confirm the approval that a 202 response names, and return the request."""
    assert answer.status_code == 202, answer.text
    path = f"/approvals/{answer.json()['id']}"
    shown = unwrap(second.get(path))
    assert shown["may_confirm"], shown
    assert unwrap(second.send(f"{path}/confirm"))["decision"] == "used"
    return dict(shown["request"])


def test_every_action_is_confirmed_or_shows_a_secret() -> None:
    document = json.loads(CONTRACT.read_text())
    takes_approval = {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
        if "Approval" in {one["name"] for one in operation.get("parameters", ())}
    }

    assert takes_approval == ACTION_OF.keys()
    confirmed = EXECUTE.keys() | OTHERS.keys()
    assert set(ACTION_OF.values()) == confirmed | SECRET_ACTIONS
    assert not confirmed & SECRET_ACTIONS


def test_a_desk_stops_a_case_by_confirmation(
    desk: Someone, boss: Someone, stuck: Json
) -> None:
    asked = confirm(boss, desk.does("stop", stuck, STOP))

    assert asked["after"] == {"reason": "SURVIVOR_REQUEST"}
    assert asked["sealed"] == ["note"]
    assert desk.read(stuck)["state"] == "closed"


def test_a_desk_records_a_consent_and_replaces_the_lead_by_confirmation(
    desk: Someone, boss: Someone, stuck: Json
) -> None:
    consent = make_lead_consent()
    recorded = confirm(boss, desk.does("record-lead-consent", stuck, consent))
    shown = desk.read(stuck)

    asked = confirm(boss, desk.does("take-over", stuck, make_takeover(NGOS[0])))

    assert recorded["after"].items() <= consent.items()
    assert shown["next_lead"] == NGOS[0]
    assert asked["after"]["focal_point"] == NGOS[0]
    gone = desk.get(get_path(stuck))
    assert get_problem(gone) == (404, "not-found")


def test_oversight_sets_a_legal_hold_and_erases_by_confirmation(
    officer: Someone, lead: Someone, overseers: tuple[Someone, Someone]
) -> None:
    one, two = overseers
    case = lead.take_lead(officer.submit())
    path = f"{get_path(case)}/legal-hold"
    held = [
        confirm(two, one.send(path, {"value": value}))["after"]["value"]
        for value in ("in_force", "lifted")
    ]
    unwrap(lead.does("stop", case, STOP))

    confirm(two, one.does("erase", case, BODIES["erase_case"]))

    assert held == ["in_force", "lifted"]
    assert one.read(case)["state"] == "erased"


@pytest.fixture
def home(world: World, officer: Someone, lead: Someone) -> Homecoming:
    home = begin_return(world, officer, lead)
    home.advance("assess-origin")
    return home


@pytest.mark.parametrize(
    ("action", "body", "state"),
    [
        ("go", {"person_asked_to_leave": False, "note": "Yes"}, "cleared"),
        ("no-go", NO_GO, "no_go"),
    ],
)
def test_a_return_is_decided_by_confirmation(
    home: Homecoming, action: str, body: Json, state: str
) -> None:
    asked = confirm(home.supervisor, home.lead.does(action, home.record, body))

    assert asked["after"] == {name: it for name, it in body.items() if name != "note"}
    assert home.read()["state"] == state


def test_accounts_are_changed_by_confirmation(
    admin: Someone, second: Someone, lead: Someone
) -> None:
    confirm(second, add(admin, "/accounts", NEWCOMER))
    path = get_account_path(lead)
    roles = unwrap(admin.get(path))["roles"]
    more = {"roles": ["supervisor"]}

    asked = confirm(second, add(admin, f"{path}/grant-roles", more))

    accounts = unwrap(admin.get("/accounts", focal_point="KZ_LEAD"))["items"]
    assert NEWCOMER["label"] in [one["label"] for one in accounts]
    assert asked["after"]["has"] == roles
    assert asked["after"]["roles"] == ["supervisor"]
    assert unwrap(admin.get(path))["roles"] == sorted([*roles, "supervisor"])


def test_a_public_key_is_registered_by_confirmation(
    world: World, admin: Someone, second: Someone
) -> None:
    machine, pair = open_machine_account(world), get_key_pair("ES384", "confirmed")

    asked = confirm(second, add(admin, get_keys_path(machine), make_registration(pair)))

    [key] = unwrap(admin.get(get_keys_path(machine)))["items"]
    assert asked["after"]["kid"] == key["kid"]


CHANGES: Final[Mapping[str, Json]] = {
    "/focal-points/KZ_LEAD": {"name": "Another name"},
    "/agreements/KZ_UZ_DEMO": {"countries": ["KG", "KZ", "UZ"]},
    "/countries/KZ": {"first_contact": "Another first contact"},
    "/contacts/KZ_SHELTER_KOGERSHIN_MAIL": {"active": False},
}


@pytest.mark.parametrize("path", CHANGES)
def test_a_row_of_the_directory_is_replaced_by_confirmation(
    admin: Someone, second: Someone, path: str
) -> None:
    [(name, value)] = CHANGES[path].items()
    before = unwrap(admin.get(path))[name]

    asked = confirm(second, update_row(admin, path, **CHANGES[path]))

    assert (asked["before"][name], asked["after"][name]) == (before, value)
    assert unwrap(admin.get(path))[name] == value


def test_a_time_limit_is_created_by_confirmation(admin: Someone, second: Someone) -> None:
    path = "/time-limits/KZ/acknowledge/normal"
    limit = BODIES["replace_time_limit"] | {"of": "KZ", "deadline": "acknowledge"}
    limit |= {"priority": "normal", "amount": 3, "unit": "working_days"}

    asked = confirm(second, replace_row(admin, path, limit, **NEW))

    assert asked["before"] is None
    assert unwrap(admin.get(path))["amount"] == 3
