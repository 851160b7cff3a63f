"""Tests of administrators, who may change the directory and see no cases."""

from uuid import uuid4

import pytest

from app.access.actions import RolesIncompatible
from app.access.models import Account
from app.directory.history import DirectoryChange
from app.kernel.actors import Role, Scope
from tests.support.administrators import (
    ADMINISTRATOR,
    NEW,
    OFFICE,
    approve,
    list_changes,
    read_approval,
    replace_row,
    update_row,
    update_row_with,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    list_types,
    make_closure,
    unwrap,
)

SHELTER = "/focal-points/KZ_SHELTER_KOGERSHIN"
READ, WRITE = Scope.DIRECTORY_READ, Scope.DIRECTORY_WRITE


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("KZ_LEAD", ADMINISTRATOR)


@pytest.fixture
def second(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)


@pytest.fixture
def overseer(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.mark.parametrize("role", sorted(set(Role) - ADMINISTRATOR))
def test_nobody_else_changes_the_directory(world: World, role: Role) -> None:
    other = world.add_person("OVERSIGHT_DEMO", {role})
    tag = other.get(SHELTER).headers["ETag"]

    refused = [
        update_row(other, SHELTER, languages=["en"]),
        update_row(other, "/countries/KZ", languages=["en"]),
        replace_row(other, "/focal-points/KZ_NEW_SHELTER", OFFICE, **NEW),
        replace_row(
            other, SHELTER, OFFICE | {"code": "KZ_SHELTER_KOGERSHIN"}, if_match=tag
        ),
    ]

    why = "forbidden" if role == Role.ANALYST else "role-missing"
    assert {get_problem(one) for one in refused} == {(403, why)}


def test_a_key_without_the_scope_changes_nothing(world: World) -> None:
    reader = world.add_person("KZ_LEAD", ADMINISTRATOR, {READ})

    refused = update_row(reader, SHELTER, languages=["en"])

    assert get_problem(refused) == (403, "forbidden")


def test_a_stranger_is_refused_whatever_the_body(world: World) -> None:
    refused = world.http.put(f"/v1{SHELTER}", content=b"{")

    assert refused.status_code == 401


def test_a_row_is_replaced_by_whoever_has_read_it(admin: Someone) -> None:
    body = unwrap(admin.get(SHELTER))
    tag = admin.get(SHELTER).headers["ETag"]
    unwrap(update_row(admin, SHELTER, languages=["en"]))
    unsent = replace_row(admin, SHELTER, body)

    stale = replace_row(admin, SHELTER, body, if_match=tag)
    anything = replace_row(admin, SHELTER, body, if_match="*")
    again = replace_row(admin, SHELTER, body, **NEW)
    both_said = replace_row(admin, SHELTER, body, **NEW, if_match=tag)
    gone = replace_row(
        admin, "/focal-points/NOBODY", body | {"code": "NOBODY"}, if_match=tag
    )

    assert get_problem(unsent) == (428, "version-not-given")
    assert get_problem(stale) == get_problem(anything) == (412, "version-stale")
    assert get_problem(again) == get_problem(both_said) == (412, "version-stale")
    assert get_problem(gone) == (404, "not-found")
    assert unwrap(admin.get(SHELTER))["languages"] == ["en"]


def test_the_answer_carries_the_tag_of_what_is_read_next(admin: Someone) -> None:
    for path, to in (
        (SHELTER, {"languages": ["kk"]}),
        ("/countries/KZ", {"languages": []}),
    ):
        written = update_row(admin, path, **to)
        assert unwrap(written)
        assert written.headers["ETag"] == admin.get(path).headers["ETag"]


def test_a_country_is_there_or_not_and_never_made(admin: Someone) -> None:
    settings: Json = {
        "languages": [],
        "time_zone": "Europe/Paris",
        "state_routing": "auto",
        "first_contact": None,
        "needs_criminal_case": None,
        "routing_reason": None,
    }

    unknown = replace_row(admin, "/countries/FR", settings, if_match='"0.0123456789abcdef"')
    unseen = replace_row(admin, "/countries/KZ", settings)
    more = settings | {"region": "caribbean"}
    too_much = replace_row(admin, "/countries/KZ", more, if_match="x")

    assert get_problem(unknown) == (404, "not-found")
    assert get_problem(unseen) == (428, "version-not-given")
    assert get_problem(too_much) == (422, "request-invalid")


FAULTS: list[tuple[Json, str]] = [
    ({"kind": "state"}, "#/of_state"),
    ({"of_state": "KZ"}, "#/of_state"),
    ({"serves": []}, "#/services"),
    ({"serves": ["KZ", "KZ"]}, "#/serves"),
    ({"serves": ["Kazakhstan"]}, "#/serves/0"),
    ({"serves": "KZ"}, "#/serves"),
    ({"services": ["SHELTER", "MAGIC"]}, "#/services/1"),
    ({"services": ["SHELTER MEDICAL"]}, "#/services/0"),
    ({"languages": ["kk ru"]}, "#/languages/0"),
    ({"time_zone": "Almaty"}, "#/time_zone"),
    ({"time_zone": "../../etc/passwd"}, "#/time_zone"),
    ({"time_zone": ""}, "#/time_zone"),
    ({"active": "true"}, "#/active"),
    ({"active": 1}, "#/active"),
    ({"can_lead": None}, "#/can_lead"),
    ({"name": None}, "#/name"),
    ({"name": "  "}, "#/name"),
    ({"name": "x" * 201}, "#/name"),
    ({"name": "two\nlines"}, "#/name"),
    ({"name": "turned \u202e around"}, "#/name"),
    ({"source": "x" * 2001}, "#/source"),
    ({"confidence": "certain"}, "#/confidence"),
    ({"function": "technical"}, "#/services"),
    ({"function": "technical", "services": [], "can_lead": True}, "#/can_lead"),
    ({"id": "1"}, "#"),
]


@pytest.mark.parametrize(("to", "where"), FAULTS, ids=lambda part: str(part)[:40])
def test_json_is_judged_by_the_rules_of_the_files(
    admin: Someone, to: Json, where: str
) -> None:
    refused = replace_row(admin, "/focal-points/KZ_NEW_SHELTER", OFFICE | to, **NEW)

    assert get_problem(refused) == (422, "request-invalid")
    assert where in [fault["pointer"] for fault in refused.json()["errors"]]
    assert admin.get("/focal-points/KZ_NEW_SHELTER").status_code == 404


def test_nothing_that_was_sent_is_repeated(admin: Someone) -> None:
    lies = {
        "kind": "SECRET",
        "serves": ["SECRET"],
        "time_zone": "SECRET",
        "languages": ["SECRET"],
        "name": "SECRET\u202e",
        "SECRET": "SECRET",
    }

    shapes = replace_row(admin, "/focal-points/KZ_NEW_SHELTER", OFFICE | lies, **NEW)
    rules = [
        replace_row(admin, "/focal-points/KZ_NEW_SHELTER", OFFICE | {name: value}, **NEW)
        for name, value in lies.items()
    ]

    answers = [shapes, *rules]
    assert {get_problem(one) for one in answers} == {(422, "request-invalid")}
    assert not [one for one in answers if "SECRET" in one.text]


def test_what_a_rule_asks_for_is_said_in_a_sentence(admin: Someone) -> None:
    body = OFFICE | {"kind": "state"}

    [fault] = replace_row(admin, "/focal-points/KZ_NEW_SHELTER", body, **NEW).json()[
        "errors"
    ]

    assert fault["detail"] == "This must be given if, and only if, kind is state."


@pytest.mark.parametrize("missing", sorted(set(OFFICE) - {"places"}))
def test_a_row_is_replaced_whole(admin: Someone, missing: str) -> None:
    body = {name: value for name, value in OFFICE.items() if name != missing}

    refused = replace_row(admin, "/focal-points/KZ_NEW_SHELTER", body, **NEW)

    assert get_problem(refused) == (422, "request-invalid")


def test_path_and_body_name_the_same_row_and_countries_there_are(admin: Someone) -> None:
    other = replace_row(admin, "/focal-points/KZ_OTHER", OFFICE, **NEW)
    abroad = replace_row(
        admin, "/focal-points/KZ_NEW_SHELTER", OFFICE | {"serves": ["FR"]}, **NEW
    )

    assert get_problem(other) == (422, "code-mismatch")
    assert get_problem(abroad) == (422, "country-unknown")
    assert "FR" not in abroad.json()["detail"]


@pytest.mark.parametrize(
    "to",
    [
        {"countries": ["KZ"]},
        {"countries": ["KZ", "KZ"]},
        {"in_force_until": "2025-12-31"},
        {"in_force_from": None},
        {"in_force_from": 1767225600},
        {"in_force_from": "2026-01-01T10:00:00Z"},
        {"in_force_until": ""},
    ],
)
def test_an_agreement_is_judged_by_the_rules_of_the_files(admin: Someone, to: Json) -> None:
    body = {
        "code": "KG_KZ",
        "name": "Both",
        "countries": ["KG", "KZ"],
        "level": "L1",
        "in_force_from": "2026-01-01",
        "in_force_until": None,
        "source": None,
    }

    refused = replace_row(admin, "/agreements/KG_KZ", body | to, **NEW)
    taken = replace_row(admin, "/agreements/KG_KZ", body, **NEW)

    assert get_problem(refused) == (422, "request-invalid")
    assert taken.status_code == 202


def test_what_says_nothing_new_changes_nothing(admin: Someone) -> None:
    before = list_changes(admin, "focal-points/KZ_SHELTER_KOGERSHIN")

    same = update_row(admin, SHELTER)

    assert same.status_code == 200
    assert list_changes(admin, "focal-points/KZ_SHELTER_KOGERSHIN") == before


def test_every_change_is_kept_with_who_agreed(
    admin: Someone, second: Someone, overseer: Someone
) -> None:
    before = unwrap(admin.get(SHELTER))
    read_approval(update_row(admin, SHELTER, name="never approved"))

    unwrap(update_row(admin, SHELTER, languages=["en"]))
    update_row_with(admin, second, SHELTER, can_lead=True)

    loaded, alone, together = list_changes(overseer, "focal-points/KZ_SHELTER_KOGERSHIN")
    mine = {"focal_point": "KZ_LEAD", "account": "duty 1"}
    its = {"focal_point": "OVERSIGHT_DEMO", "account": "duty 1"}
    assert (loaded["before"], loaded["after"]) == (None, before)
    assert (loaded["by"], loaded["approved_by"]) == (None, None)
    assert (alone["before"], alone["after"]) == (before, before | {"languages": ["en"]})
    assert (alone["by"], alone["approved_by"]) == (mine, None)
    assert together["before"] == alone["after"]
    assert together["after"] == alone["after"] | {"can_lead": True}
    assert (together["by"], together["approved_by"]) == (mine, its)
    assert together["at"] == "2026-06-01T12:00:00Z"


def test_what_was_loaded_is_kept_as_an_operators(overseer: Someone) -> None:
    [country] = list_changes(overseer, "countries/KZ")
    [agreement] = list_changes(overseer, "agreements/KZ_UZ_DEMO")

    assert (country["before"], country["by"]) == (None, None)
    assert country["after"] == unwrap(overseer.get("/countries/KZ"))
    assert agreement["after"] == unwrap(overseer.get("/agreements/KZ_UZ_DEMO"))


def test_changes_of_an_older_version_have_the_columns_of_today(
    world: World, overseer: Someone
) -> None:
    older = {"iso2": "KZ", "name": "Kazakhstan"}
    with world.database.begin_write() as session:
        change = DirectoryChange(
            id=uuid4(),
            at=world.now,
            subject="countries/KZ",
            before=older,
            after=older | {"name": "Republic of Kazakhstan"},
        )
        session.add(change)

    shown = list_changes(overseer, "countries/KZ")[-1]

    assert shown["before"] == {"code": "KZ", "name": "Kazakhstan"}
    assert shown["after"] == {"code": "KZ", "name": "Republic of Kazakhstan"}


@pytest.mark.parametrize("code", ["KZ_LEAD", "DESK_CENTRAL_ASIA", "UNODC_ROCA"])
def test_changes_are_for_administrators_and_oversight(world: World, code: str) -> None:
    refused = world.add_person(code).get("/directory-changes")

    assert get_problem(refused) == (403, "role-missing")


def test_an_administrator_sees_no_case_whatever_its_key_says(
    admin: Someone, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    sent = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    question = lead.does("close", lead.take_lead(officer.submit()), make_closure()).json()
    code, referral = f"/cases/{case['code']}", f"/referrals/{sent['id']}"

    closed = [
        *(admin.get(path) for path in ("/cases", code, f"{code}/routing")),
        *(admin.get(f"{code}/{part}") for part in ("history", "evidence", "access-log")),
        *(admin.get(path) for path in (referral, "/referrals", "/events", "/worklist")),
        *(admin.get(f"{code}/{part}") for part in ("consents", "referrals")),
        *(admin.open(f"{code}/sections/{part}") for part in ("needs", "identity")),
        *(admin.open(f"{code}/{part}") for part in ("safeguards", "contacts", "notes")),
        admin.create_case(),
        admin.send(f"{code}/acknowledge"),
    ]
    approvals = [
        admin.get(f"/approvals/{question['id']}"),
        admin.send(f"/approvals/{question['id']}/approve"),
    ]

    assert {answer.status_code for answer in closed} <= {403, 404, 405}
    assert not [answer for answer in closed if case["code"] in answer.text]
    assert {get_problem(answer) for answer in approvals} == {(404, "not-found")}
    assert unwrap(admin.get("/approvals"))["items"] == []
    assert unwrap(admin.get("/me"))["scopes"] == [
        "accounts:read",
        "accounts:write",
        "approvals:write",
        "directory:read",
        "directory:write",
        "webhooks:read",
        "webhooks:write",
    ]


def test_who_works_on_cases_is_no_administrator(world: World, lead: Someone) -> None:
    with pytest.raises(RolesIncompatible):
        world.add_person("KZ_LEAD", {Role.ADMINISTRATOR, Role.CASEWORKER})
    with world.database.begin_write() as session:  # directly in the database
        account = session.get_one(Account, lead.actor.account_id)
        account.roles = [*account.roles, Role.ADMINISTRATOR]

    assert get_problem(lead.get("/cases")) == (403, "forbidden")
    assert get_problem(lead.get("/events")) == (403, "forbidden")


def test_a_question_about_the_directory_is_for_administrators_alone(
    world: World, admin: Someone, second: Someone
) -> None:
    question = read_approval(update_row(admin, SHELTER, can_lead=True))
    path = f"/approvals/{question['id']}"
    roles = set(Role) - ADMINISTRATOR - {Role.ANALYST}
    others = [world.add_person("KZ_LEAD", {role}) for role in roles]

    hidden = [
        answer for one in others for answer in (one.get(path), one.send(f"{path}/approve"))
    ]

    assert {get_problem(answer) for answer in hidden} == {(404, "not-found")}
    assert not [item for one in others for item in unwrap(one.get("/approvals"))["items"]]
    assert unwrap(second.get(path))["decision"] == "pending"


def test_a_question_lapses_and_who_watches_hears_of_it(
    world: World, admin: Someone, second: Someone, lead: Someone, officer: Someone
) -> None:
    question = read_approval(update_row(admin, SHELTER, can_lead=True))
    waits = unwrap(lead.get("/worklist"))["items"]
    world.wait(hours=72)

    late = second.send(f"/approvals/{question['id']}/approve")

    watcher = world.add_person("OVERSIGHT_DEMO")
    assert question["expires_at"] == "2026-06-04T12:00:00Z"
    assert list_types(watcher.poll()) == ["approval.requested", "approval.expired"]
    assert list_types(lead.poll()) == ["approval.requested", "approval.expired"]
    assert (officer.poll(), waits) == ([], [])
    assert get_problem(late) == (409, "approval-decided")
    assert unwrap(admin.get(f"/approvals/{question['id']}"))["decision"] == "expired"


def test_who_ceased_to_be_an_administrator_spends_nothing(
    world: World, admin: Someone, second: Someone
) -> None:
    approval = approve(update_row(admin, SHELTER, can_lead=True), second)
    colleague = world.add_person("KZ_LEAD", {Role.SUPERVISOR})

    refused = update_row(colleague, SHELTER, approval, can_lead=True)

    assert get_problem(refused) == (403, "role-missing")
    assert not unwrap(admin.get(SHELTER))["can_lead"]
