"""Tests of contacts for notifications: who may read them, and who may change them."""

import json

import pytest

from app.kernel.actors import Role
from tests.support.administrators import (
    ADMINISTRATOR,
    NEW,
    approve,
    list_changes,
    read_approval,
    replace_row,
    update_row,
)
from tests.support.world import Json, Someone, World, get_problem, unwrap

MAIL = "/contacts/KZ_SHELTER_KOGERSHIN_MAIL"
ADDRESS = "intake@kogershin.example.org"
CONTACT: Json = {
    "code": "KZ_LEAD_SMS",
    "focal_point": "KZ_LEAD",
    "channel": "sms",
    "address": "+447700900199",
    "language": "kk",
    "label": "night desk",
    "active": True,
}


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)


@pytest.fixture
def second(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)


@pytest.fixture
def overseer(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


def test_a_new_contact_is_called_on_once_two_agreed(
    admin: Someone, second: Someone
) -> None:
    question = read_approval(replace_row(admin, "/contacts/KZ_LEAD_SMS", CONTACT, **NEW))
    before = admin.get("/contacts/KZ_LEAD_SMS")
    [waits] = unwrap(second.get("/approvals"))["items"]
    unwrap(second.send(f"/approvals/{question['id']}/approve"))

    approval = question["id"]
    made = replace_row(admin, "/contacts/KZ_LEAD_SMS", CONTACT, **NEW, approval=approval)

    assert get_problem(before) == (404, "not-found")
    assert waits["facts"]["address"] == '"+447700900199"'
    assert question["subject"] == "contacts/KZ_LEAD_SMS"
    assert (made.status_code, made.json()) == (201, CONTACT)
    assert made.headers["Location"] == "/v1/contacts/KZ_LEAD_SMS"
    assert unwrap(admin.get("/contacts/KZ_LEAD_SMS")) == CONTACT


@pytest.mark.parametrize(
    "to",
    [
        {"address": "other@kogershin.example.org"},
        {"active": False},
        {"focal_point": "KZ_LEGAL_AID"},
        {"channel": "sms", "address": "+447700900111"},
    ],
    ids=lambda to: str(next(iter(to))),
)
def test_nobody_leads_calls_away_or_shuts_them_off_alone(
    admin: Someone, second: Someone, to: Json
) -> None:
    before = unwrap(admin.get(MAIL))

    approval = approve(update_row(admin, MAIL, **to), second)
    between = unwrap(admin.get(MAIL))
    after = unwrap(update_row(admin, MAIL, approval, **to))

    assert between == before
    assert after == before | to


@pytest.mark.parametrize("to", [{"language": "ru"}, {"label": "intake, ground floor"}])
def test_one_person_says_in_which_language_and_to_which_post(
    admin: Someone, to: Json
) -> None:
    unwrap(update_row(admin, MAIL, **to))

    assert unwrap(admin.get(MAIL)).items() >= to.items()


def test_one_person_writes_what_nobody_is_called_on_by(admin: Someone) -> None:
    made = replace_row(admin, "/contacts/KZ_LEAD_SMS", CONTACT | {"active": False}, **NEW)
    begins = read_approval(update_row(admin, "/contacts/KZ_LEAD_SMS", active=True))

    assert made.status_code == 201
    assert begins["facts"].keys() == CONTACT.keys()


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ({"address": "Duty <duty@example.org>"}, "request-invalid"),
        ({"address": "duty@example.org\r\nBcc: all@example.org"}, "request-invalid"),
        ({"address": "+447700900101"}, "request-invalid"),
        ({"address": ""}, "request-invalid"),
        ({"language": "english"}, "request-invalid"),
        ({"label": ""}, "request-invalid"),
        ({"active": "yes"}, "request-invalid"),
        ({"person": "Zarina"}, "request-invalid"),
        ({"focal_point": "KZ_NOWHERE"}, "focal-point-unknown"),
        ({"code": "KZ_OTHER"}, "code-mismatch"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_contact_is_judged_by_the_rules_of_the_files(
    admin: Someone, to: Json, why: str
) -> None:
    tag = admin.get(MAIL).headers["ETag"]

    refused = replace_row(admin, MAIL, unwrap(admin.get(MAIL)) | to, if_match=tag)

    assert get_problem(refused) == (422, why)
    [fields] = to.values()
    assert not fields or str(fields) not in refused.text


def test_a_contact_is_for_administrators_and_the_coordinators_of_its_office(
    world: World, admin: Someone
) -> None:
    ours = world.add_person("KZ_SHELTER_KOGERSHIN", {Role.COORDINATOR})
    worker = world.add_person("KZ_SHELTER_KOGERSHIN", {Role.CASEWORKER, Role.SUPERVISOR})
    theirs = world.add_person("KZ_LEGAL_AID", {Role.COORDINATOR})

    listed = [one["code"] for one in unwrap(ours.get("/contacts"))["items"]]

    assert listed == ["KZ_SHELTER_KOGERSHIN_MAIL", "KZ_SHELTER_KOGERSHIN_SMS"]
    assert unwrap(ours.get(MAIL))["address"] == ADDRESS
    assert get_problem(theirs.get(MAIL)) == get_problem(theirs.get("/contacts/KZ_NOBODY"))
    assert get_problem(theirs.get(MAIL)) == (404, "not-found")
    assert get_problem(worker.get(MAIL)) == (403, "role-missing")
    assert get_problem(worker.get("/contacts")) == (403, "role-missing")
    assert len(unwrap(admin.get("/contacts"))["items"]) == 12


def test_only_an_administrator_changes_a_contact(world: World) -> None:
    ours = world.add_person("KZ_SHELTER_KOGERSHIN", {Role.COORDINATOR})

    refused = update_row(ours, MAIL, language="ru")

    assert get_problem(refused) == (403, "role-missing")


def test_no_other_list_shows_where_an_office_is_called_on(
    world: World, overseer: Someone, admin: Someone, second: Someone
) -> None:
    to = {"address": "moved@elsewhere.example"}
    approval = approve(update_row(admin, MAIL, **to), second)
    unwrap(update_row(admin, MAIL, approval, **to))
    stranger = world.add_person("JM_CONSULATE_PORT_OF_SPAIN")
    paths = ("/focal-points", "/focal-points/KZ_SHELTER_KOGERSHIN", "/approvals", "/me")

    seen = [one.get(path).text for one in (stranger, overseer) for path in paths]
    kept = list_changes(overseer, MAIL.strip("/"))

    assert not [text for text in seen if ADDRESS in text or "elsewhere.example" in text]
    assert [change["after"]["address"] for change in kept] == [
        "…@kogershin.example.org",
        "another: …@elsewhere.example",
    ]
    assert ADDRESS not in json.dumps(kept)


def test_a_contact_that_changed_meanwhile_is_not_written_over(admin: Someone) -> None:
    read = admin.get(MAIL)
    unwrap(update_row(admin, MAIL, language="ru"))

    late = replace_row(admin, MAIL, unwrap(read), if_match=read.headers["ETag"])

    assert get_problem(late) == (412, "version-stale")
    assert get_problem(replace_row(admin, MAIL, unwrap(read))) == (428, "version-not-given")


def test_an_office_that_nobody_knows_does_not_stand_in_for_one(admin: Someone) -> None:
    refused = update_row(admin, "/focal-points/KZ_SHELTER_KOGERSHIN", deputy="KZ_NOWHERE")

    assert get_problem(refused) == (422, "focal-point-unknown")
    assert "KZ_NOWHERE" not in refused.text
