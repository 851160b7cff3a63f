"""Who may change the directory, on which conditions, and what they never see."""

import pytest

from app.access.actions import RolesIncompatible
from app.access.models import Account
from app.kernel.actors import Role, Scope
from tests.support.administrators import (
    ADMINISTRATOR,
    NEW,
    OFFICE,
    agreed,
    asked,
    both,
    changes,
    history,
    puts,
)
from tests.support.world import Json, Someone, World, closing, done, kinds, problem

SHELTER = "/focal-points/KZ_SHELTER_KOGERSHIN"
READ, WRITE = Scope.DIRECTORY_READ, Scope.DIRECTORY_WRITE


@pytest.fixture
def admin(world: World) -> Someone:
    return world.someone("KZ_LEAD", ADMINISTRATOR)


@pytest.fixture
def second(world: World) -> Someone:
    return world.someone("OVERSIGHT_DEMO", ADMINISTRATOR)


@pytest.fixture
def overseer(world: World) -> Someone:
    return world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.mark.parametrize("role", sorted(set(Role) - ADMINISTRATOR))
def test_nobody_else_changes_the_directory(world: World, role: Role) -> None:
    other = world.someone("OVERSIGHT_DEMO", {role})
    tag = other.get(SHELTER).headers["ETag"]

    refused = [
        changes(other, SHELTER, languages=["en"]),
        changes(other, "/countries/KZ", languages=["en"]),
        puts(other, "/focal-points/KZ_NEW_SHELTER", OFFICE, **NEW),
        puts(other, SHELTER, OFFICE | {"code": "KZ_SHELTER_KOGERSHIN"}, if_match=tag),
    ]

    why = "forbidden" if role == Role.ANALYST else "role-missing"
    assert {problem(one) for one in refused} == {(403, why)}


def test_a_key_without_the_scope_changes_nothing(world: World) -> None:
    reader = world.someone("KZ_LEAD", ADMINISTRATOR, {READ})

    refused = changes(reader, SHELTER, languages=["en"])

    assert problem(refused) == (403, "forbidden")


def test_a_stranger_is_refused_whatever_the_body(world: World) -> None:
    refused = world.http.put(f"/v1{SHELTER}", content=b"{")

    assert refused.status_code == 401


def test_a_row_is_replaced_by_whoever_has_read_it(admin: Someone) -> None:
    body = done(admin.get(SHELTER))
    tag = admin.get(SHELTER).headers["ETag"]
    done(changes(admin, SHELTER, languages=["en"]))
    unsent = puts(admin, SHELTER, body)

    stale = puts(admin, SHELTER, body, if_match=tag)
    anything = puts(admin, SHELTER, body, if_match="*")
    again = puts(admin, SHELTER, body, **NEW)
    both_said = puts(admin, SHELTER, body, **NEW, if_match=tag)
    gone = puts(admin, "/focal-points/NOBODY", body | {"code": "NOBODY"}, if_match=tag)

    assert problem(unsent) == (428, "version-not-given")
    assert problem(stale) == problem(anything) == (412, "version-stale")
    assert problem(again) == problem(both_said) == (412, "version-stale")
    assert problem(gone) == (404, "not-found")
    assert done(admin.get(SHELTER))["languages"] == ["en"]


def test_the_answer_carries_the_tag_of_what_is_read_next(admin: Someone) -> None:
    for path, to in (
        (SHELTER, {"languages": ["kk"]}),
        ("/countries/KZ", {"languages": []}),
    ):
        written = changes(admin, path, **to)
        assert done(written)
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

    unknown = puts(admin, "/countries/FR", settings, if_match='"0.0123456789abcdef"')
    unseen = puts(admin, "/countries/KZ", settings)
    more = settings | {"region": "caribbean"}
    too_much = puts(admin, "/countries/KZ", more, if_match="x")

    assert problem(unknown) == (404, "not-found")
    assert problem(unseen) == (428, "version-not-given")
    assert problem(too_much) == (422, "request-invalid")


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
    refused = puts(admin, "/focal-points/KZ_NEW_SHELTER", OFFICE | to, **NEW)

    assert problem(refused) == (422, "request-invalid")
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

    shapes = puts(admin, "/focal-points/KZ_NEW_SHELTER", OFFICE | lies, **NEW)
    rules = [
        puts(admin, "/focal-points/KZ_NEW_SHELTER", OFFICE | {name: value}, **NEW)
        for name, value in lies.items()
    ]

    answers = [shapes, *rules]
    assert {problem(one) for one in answers} == {(422, "request-invalid")}
    assert not [one for one in answers if "SECRET" in one.text]


def test_what_a_rule_asks_for_is_said_in_a_sentence(admin: Someone) -> None:
    body = OFFICE | {"kind": "state"}

    [fault] = puts(admin, "/focal-points/KZ_NEW_SHELTER", body, **NEW).json()["errors"]

    assert fault["detail"] == "This must be given if, and only if, kind is state."


@pytest.mark.parametrize("missing", sorted(set(OFFICE)))
def test_a_row_is_replaced_whole(admin: Someone, missing: str) -> None:
    body = {name: value for name, value in OFFICE.items() if name != missing}

    refused = puts(admin, "/focal-points/KZ_NEW_SHELTER", body, **NEW)

    assert problem(refused) == (422, "request-invalid")


def test_path_and_body_name_the_same_row_and_countries_there_are(admin: Someone) -> None:
    other = puts(admin, "/focal-points/KZ_OTHER", OFFICE, **NEW)
    abroad = puts(admin, "/focal-points/KZ_NEW_SHELTER", OFFICE | {"serves": ["FR"]}, **NEW)

    assert problem(other) == (422, "code-mismatch")
    assert problem(abroad) == (422, "country-unknown")
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

    refused = puts(admin, "/agreements/KG_KZ", body | to, **NEW)
    taken = puts(admin, "/agreements/KG_KZ", body, **NEW)

    assert problem(refused) == (422, "request-invalid")
    assert taken.status_code == 202


def test_what_says_nothing_new_changes_nothing(admin: Someone) -> None:
    before = history(admin, "focal-points/KZ_SHELTER_KOGERSHIN")

    same = changes(admin, SHELTER)

    assert same.status_code == 200
    assert history(admin, "focal-points/KZ_SHELTER_KOGERSHIN") == before


def test_every_change_is_kept_with_who_agreed(
    admin: Someone, second: Someone, overseer: Someone
) -> None:
    before = done(admin.get(SHELTER))
    asked(changes(admin, SHELTER, name="never approved"))

    done(changes(admin, SHELTER, languages=["en"]))
    both(admin, second, SHELTER, can_lead=True)

    loaded, alone, together = history(overseer, "focal-points/KZ_SHELTER_KOGERSHIN")
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
    [country] = history(overseer, "countries/KZ")
    [agreement] = history(overseer, "agreements/KZ_UZ_DEMO")

    assert (country["before"], country["by"]) == (None, None)
    assert country["after"] == done(overseer.get("/countries/KZ"))
    assert agreement["after"] == done(overseer.get("/agreements/KZ_UZ_DEMO"))


@pytest.mark.parametrize("code", ["KZ_LEAD", "DESK_CENTRAL_ASIA", "UNODC_ROCA"])
def test_changes_are_for_administrators_and_oversight(world: World, code: str) -> None:
    refused = world.someone(code).get("/directory-changes")

    assert problem(refused) == (403, "role-missing")


def test_an_administrator_sees_no_case_whatever_its_key_says(
    admin: Someone, officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits())
    sent = done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))
    question = lead.does("close", lead.leads(officer.submits()), closing()).json()
    code, referral = f"/cases/{case['code']}", f"/referrals/{sent['id']}"

    closed = [
        *(admin.get(path) for path in ("/cases", code, f"{code}/routing")),
        *(admin.get(f"{code}/{part}") for part in ("history", "evidence", "access-log")),
        *(admin.get(path) for path in (referral, "/referrals", "/events", "/worklist")),
        *(admin.get(f"{code}/{part}") for part in ("consents", "referrals")),
        *(admin.opens(f"{code}/sections/{part}") for part in ("needs", "identity")),
        *(admin.opens(f"{code}/{part}") for part in ("safeguards", "contacts", "notes")),
        admin.writes_case(),
        admin.post(f"{code}/acknowledge"),
    ]
    approvals = [
        admin.get(f"/approvals/{question['id']}"),
        admin.post(f"/approvals/{question['id']}/approve"),
    ]

    assert {answer.status_code for answer in closed} <= {403, 404, 405}
    assert not [answer for answer in closed if case["code"] in answer.text]
    assert {problem(answer) for answer in approvals} == {(404, "not-found")}
    assert done(admin.get("/approvals"))["items"] == []
    assert done(admin.get("/me"))["scopes"] == [
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
        world.someone("KZ_LEAD", {Role.ADMINISTRATOR, Role.CASEWORKER})
    with world.database.writing() as session:  # not through the API
        account = session.get_one(Account, lead.actor.account_id)
        account.roles = [*account.roles, Role.ADMINISTRATOR]

    assert problem(lead.get("/cases")) == (403, "forbidden")
    assert problem(lead.get("/events")) == (403, "forbidden")


def test_a_question_about_the_directory_is_for_administrators_alone(
    world: World, admin: Someone, second: Someone
) -> None:
    question = asked(changes(admin, SHELTER, can_lead=True))
    path = f"/approvals/{question['id']}"
    roles = set(Role) - ADMINISTRATOR - {Role.ANALYST}
    others = [world.someone("KZ_LEAD", {role}) for role in roles]

    hidden = [
        answer for one in others for answer in (one.get(path), one.post(f"{path}/approve"))
    ]

    assert {problem(answer) for answer in hidden} == {(404, "not-found")}
    assert not [item for one in others for item in done(one.get("/approvals"))["items"]]
    assert done(second.get(path))["decision"] == "pending"


def test_a_question_lapses_and_who_watches_hears_of_it(
    world: World, admin: Someone, second: Someone, lead: Someone, officer: Someone
) -> None:
    question = asked(changes(admin, SHELTER, can_lead=True))
    waits = done(lead.get("/worklist"))["items"]
    world.waits_for(hours=72)

    late = second.post(f"/approvals/{question['id']}/approve")

    watcher = world.someone("OVERSIGHT_DEMO")
    assert question["lapses_at"] == "2026-06-04T12:00:00Z"
    assert kinds(watcher.hears()) == ["approval.asked", "approval.lapsed"]
    assert kinds(lead.hears()) == ["approval.asked", "approval.lapsed"]
    assert (officer.hears(), waits) == ([], [])
    assert problem(late) == (409, "approval-decided")
    assert done(admin.get(f"/approvals/{question['id']}"))["decision"] == "lapsed"


def test_who_ceased_to_be_an_administrator_spends_nothing(
    world: World, admin: Someone, second: Someone
) -> None:
    approval = agreed(changes(admin, SHELTER, can_lead=True), second)
    colleague = world.someone("KZ_LEAD", {Role.SUPERVISOR})

    refused = changes(colleague, SHELTER, approval, can_lead=True)

    assert problem(refused) == (403, "role-missing")
    assert not done(admin.get(SHELTER))["can_lead"]
