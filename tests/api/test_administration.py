"""Tests of directory changes. A change that could harm a person needs two people."""

from pathlib import Path

import pytest
from sqlalchemy import update

from app.access.models import Account
from app.cli import readiness
from app.cli.operator_actions import describe_load, load_directory
from app.cli.readiness import require_ready
from app.cli.startup import NotReady
from app.demo.demo_accounts import KZ_LEAD
from app.directory.kinds import Confidence
from app.directory.models import FocalPoint
from app.kernel.actors import AccountKind
from app.kernel.ledger import Ledger
from app.settings import Environment, Settings
from tests.support.administrators import (
    ADMINISTRATOR,
    NEW,
    OFFICE,
    approve,
    read_approval,
    replace_row,
    update_row,
    update_row_with,
)
from tests.support.directory_changes import update_directory
from tests.support.world import Json, Someone, World, get_problem, unwrap

AGREEMENT: Json = {
    "code": "KG_KZ",
    "name": "Kyrgyzstan and Kazakhstan",
    "countries": ["KG", "KZ"],
    "level": "L1",
    "in_force_from": "2026-01-01",
    "in_force_until": "2027-01-01",
    "source": None,
}


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)


@pytest.fixture
def second(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)


def test_one_person_writes_what_nothing_can_be_sent_to(admin: Someone) -> None:
    made = replace_row(admin, "/focal-points/KZ_NEW_SHELTER", OFFICE, **NEW)

    shown = admin.get("/focal-points/KZ_NEW_SHELTER")
    assert made.status_code == 201
    assert made.headers["Location"] == "/v1/focal-points/KZ_NEW_SHELTER"
    assert made.headers["ETag"] == shown.headers["ETag"]
    assert made.json() == {**OFFICE, "confidence": "configured", "cases_waiting": 0}
    assert shown.json() == {**OFFICE, "confidence": "configured"}


def test_two_people_make_an_office_that_is_sent_cases_and_hears_of_them(
    world: World, admin: Someone, second: Someone, officer: Someone, lead: Someone
) -> None:
    path, body = "/focal-points/KZ_NEW_SHELTER", OFFICE | {"active": True}
    question = read_approval(replace_row(admin, path, body, **NEW))
    unknown = admin.get(path)
    [waits] = unwrap(second.get("/approvals"))["items"]
    unwrap(second.send(f"/approvals/{question['id']}/approve"))

    made = replace_row(admin, path, body, **NEW, approval=question["id"])
    case = lead.take_lead(officer.submit())
    newcomer = world.add_person("KZ_NEW_SHELTER")
    sent = unwrap(lead.refer(case, "KZ_NEW_SHELTER"))

    assert get_problem(unknown) == (404, "not-found")
    assert waits["facts"]["name"] == '"Жаңа үй, Шымкент"'
    assert (question["action"], question["subject"]) == (
        "directory.change",
        "focal-points/KZ_NEW_SHELTER",
    )
    assert made.status_code == 201
    assert [event["type"] for event in newcomer.poll()][:1] == ["referral.sent"]
    assert newcomer.read(sent)["state"] == "sent"


def test_an_office_begins_to_be_active_with_all_that_one_person_wrote_in_sight(
    admin: Someone,
) -> None:
    unwrap(replace_row(admin, "/focal-points/KZ_NEW_SHELTER", OFFICE, **NEW))

    question = read_approval(update_row(admin, "/focal-points/KZ_NEW_SHELTER", active=True))

    assert question["facts"].keys() == {*OFFICE, "confidence"}
    assert question["facts"]["active"] == "false -> true"
    assert question["facts"]["kind"] == '"non_state"'


@pytest.mark.parametrize(
    "to",
    [
        {"name": "Another"},
        {"kind": "state", "of_state": "UZ"},
        {"function": "police"},
        {"serves": ["KZ", "KG"]},
        {"services": ["SHELTER", "MEDICAL"]},
        {"can_lead": True},
    ],
    ids=lambda to: str(next(iter(to))),
)
def test_what_could_send_a_person_to_the_wrong_hands_takes_two(
    admin: Someone, second: Someone, to: Json
) -> None:
    path = "/focal-points/KZ_SHELTER_KOGERSHIN"
    before = unwrap(admin.get(path))

    approval = approve(update_row(admin, path, **to), second)
    between = unwrap(admin.get(path))
    after = unwrap(update_row(admin, path, approval, **to))

    assert between == before
    assert after == before | to | {"cases_waiting": 0}


@pytest.mark.parametrize(
    "to",
    [
        {"languages": ["kk", "ru", "uz", "en"]},
        {"time_zone": "Asia/Aqtau"},
        {"source": "its letter of May", "as_of": "2026", "confidence": "configured"},
        {"active": False},
    ],
    ids=lambda to: str(next(iter(to))),
)
def test_one_person_changes_what_harms_nobody_and_what_protects(
    admin: Someone, to: Json
) -> None:
    unwrap(update_row(admin, "/focal-points/KZ_SHELTER_KOGERSHIN", **to))

    shown = unwrap(admin.get("/focal-points/KZ_SHELTER_KOGERSHIN"))
    assert {name: shown[name] for name in to} == to


@pytest.mark.parametrize("code", ["DESK_CARIBBEAN", "OVERSIGHT_DEMO"])
def test_nobody_takes_a_region_its_desk_or_all_of_them_their_overseer(
    admin: Someone, code: str
) -> None:
    refused = update_row(admin, f"/focal-points/{code}", active=False)

    assert get_problem(refused) == (409, "directory-unsound")
    assert unwrap(admin.get("/approvals"))["items"] == []


def test_a_desk_cannot_leave_one_country_of_its_region(admin: Someone) -> None:
    refused = update_row(admin, "/focal-points/DESK_CENTRAL_ASIA", serves=["KZ"])

    assert get_problem(refused) == (409, "directory-unsound")
    assert refused.json()["detail"] == "No active desk would serve AF, KG, TJ, TM, UZ."


def test_a_desk_that_another_one_replaces_is_shut_by_two(
    admin: Someone, second: Someone
) -> None:
    path = "/focal-points/DESK_TWO"
    served = unwrap(admin.get("/focal-points/DESK_CARIBBEAN"))["serves"]
    desk = {"kind": "desk", "function": "coordination", "services": [], "serves": served}
    body = OFFICE | desk | {"code": "DESK_TWO", "active": True}
    approval = approve(replace_row(admin, path, body, **NEW), second)
    unwrap(replace_row(admin, path, body, **NEW, approval=approval))

    shut = update_row(admin, "/focal-points/DESK_CARIBBEAN", active=False)

    assert read_approval(shut)["facts"] == {"active": "true -> false"}
    approval = approve(shut, second)
    assert unwrap(update_row(admin, "/focal-points/DESK_CARIBBEAN", approval, active=False))
    assert get_problem(update_row(admin, path, active=False)) == (409, "directory-unsound")


def test_an_approval_is_of_this_turn_and_of_whoever_asked(
    world: World, admin: Someone, second: Someone
) -> None:
    path = "/focal-points/KZ_SHELTER_KOGERSHIN"
    third = world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)
    approval = approve(update_row(admin, path, can_lead=True), second)

    other = update_row(admin, path, approval, can_lead=True, serves=["KZ", "UZ"])
    colleague = update_row(third, path, approval, can_lead=True)
    elsewhere = update_row(
        admin, "/focal-points/KZ_SHELTER_TANSHOLPAN", approval, can_lead=True
    )
    unwrap(update_row(third, path, languages=["kk"]))
    later = update_row(admin, path, approval, can_lead=True)

    refused = [other, colleague, elsewhere, later]
    assert {get_problem(one) for one in refused} == {(409, "approval-unusable")}


def test_an_approval_is_spent_once(admin: Someone, second: Someone) -> None:
    path = "/focal-points/KZ_SHELTER_KOGERSHIN"
    approval = approve(update_row(admin, path, can_lead=True), second)
    unwrap(update_row(admin, path, approval, can_lead=True))
    update_row_with(admin, second, path, can_lead=False)

    again = update_row(admin, path, approval, can_lead=True)

    assert get_problem(again) == (409, "approval-unusable")


def test_asked_twice_it_is_one_question(admin: Someone) -> None:
    path = "/focal-points/KZ_SHELTER_KOGERSHIN"

    one, again = (read_approval(update_row(admin, path, can_lead=True)) for _ in range(2))

    assert one == again
    assert read_approval(update_row(admin, path, name="Another"))["id"] != one["id"]


def test_nobody_is_their_own_second_person(world: World, admin: Someone) -> None:
    question = read_approval(update_row(admin, "/focal-points/KZ_LEAD", can_lead=False))
    machine = world.add_person(
        "OVERSIGHT_DEMO", ADMINISTRATOR, kind=AccountKind.INTEGRATION
    )

    mine, its = (
        who.send(f"/approvals/{question['id']}/approve") for who in (admin, machine)
    )

    assert get_problem(mine) == get_problem(its) == (409, "not-a-second-person")


def test_nobody_decides_about_their_own_focal_point(
    world: World, admin: Someone, second: Someone
) -> None:
    served = ["TT", "KZ"]
    question = read_approval(update_row(admin, "/focal-points/TT_SHELTER", serves=served))
    own = world.add_person("TT_SHELTER", ADMINISTRATOR)

    refused = own.send(f"/approvals/{question['id']}/approve")

    assert get_problem(refused) == (409, "not-a-second-person")
    assert unwrap(second.send(f"/approvals/{question['id']}/approve"))


def test_a_country_is_routed_anew_by_two_and_keeps_what_its_source_says(
    admin: Someone, second: Someone
) -> None:
    before = unwrap(admin.get("/countries/NI"))

    after = update_row_with(admin, second, "/countries/NI", state_routing="auto")
    alone = unwrap(
        update_row(admin, "/countries/NI", routing_reason=None, languages=["es"])
    )

    assert after == before | {"state_routing": "auto"}
    assert alone == after | {"routing_reason": None}


@pytest.mark.parametrize(
    ("country", "to"),
    [
        ("KZ", {"state_routing": "avoid"}),
        ("SV", {"first_contact": None}),
        ("KZ", {"needs_criminal_case": None}),
    ],
)
def test_what_puts_the_person_first_is_taken_away_by_nobody_alone(
    admin: Someone, country: str, to: Json
) -> None:
    question = read_approval(update_row(admin, f"/countries/{country}", **to))

    assert question["facts"].keys() == to.keys()


def test_an_agreement_is_widened_by_two_and_narrowed_by_one(
    admin: Someone, second: Someone
) -> None:
    path = "/agreements/KG_KZ"
    approval = approve(replace_row(admin, path, AGREEMENT, **NEW), second)
    made = replace_row(admin, path, AGREEMENT, **NEW, approval=approval)

    wider = [
        update_row(admin, path, countries=["KG", "KZ", "UZ"]),
        update_row(admin, path, countries=["KG", "UZ"]),
        update_row(admin, path, in_force_from="2025-12-31"),
        update_row(admin, path, in_force_until="2027-01-02"),
        update_row(admin, path, in_force_until=None),
        update_row(admin, path, name="All"),
    ]
    ended = unwrap(update_row(admin, path, in_force_until="2026-06-01"))

    assert made.status_code == 201
    assert [one.status_code for one in wider] == [202] * 6
    assert ended["in_force_until"] == "2026-06-01"
    assert unwrap(admin.get(path)) == ended
    assert ended in unwrap(admin.get("/agreements"))["items"]


def test_shut_an_office_gets_no_new_case_and_says_what_waits_for_it(
    admin: Someone, officer: Someone, lead: Someone
) -> None:
    one, two = officer.submit(), officer.submit()
    assert {one["holder"], two["holder"]} == {"KZ_LEAD"}
    unwrap(lead.does("acknowledge", one))

    shut = unwrap(update_row(admin, "/focal-points/KZ_LEAD", active=False))
    third = officer.submit()

    assert shut["cases_waiting"] == 2
    assert third["holder"] != "KZ_LEAD"
    assert officer.read(two)["holder"] == "KZ_LEAD"
    assert lead.does("decline-lead", one, {"reason": "NO_CAPACITY"}).status_code == 204
    assert officer.read(one)["holder"] == third["holder"]


def test_files_leave_shut_what_one_person_shut_in_haste(
    world: World, admin: Someone
) -> None:
    path = "/focal-points/KZ_LEAD"
    unwrap(update_row(admin, path, active=False))

    planned = load_directory(world.runtime, None, reopen=True, dry_run=True)
    loaded = load_directory(world.runtime, None)
    shut = unwrap(admin.get(path))["active"]
    opened = load_directory(world.runtime, None, reopen=True)

    [line] = [line for line in describe_load(loaded) if "KZ_LEAD" in line]
    assert line.startswith("Warning: focal-points/KZ_LEAD stays inactive")
    assert line.endswith("--reopen")
    assert not shut
    assert "focal-points/KZ_LEAD is active again." in describe_load(opened)
    assert list(describe_load(planned)) == list(describe_load(opened))
    assert "Changed: focal-points/KZ_LEAD (active)" in describe_load(planned)
    assert unwrap(admin.get(path))["active"]


def test_nothing_is_served_while_nobody_watches_though_somebody_did(
    world: World, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path / "erasures")
    require_ready(world.runtime, ledger, Settings(environment=Environment.DRILL))
    with world.database.begin_write() as session:
        named = FocalPoint.code == "OVERSIGHT_DEMO"
        update_directory(session, update(FocalPoint).where(named).values(active=False))

    with pytest.raises(NotReady, match="No oversight body is active"):
        require_ready(world.runtime, ledger, Settings(environment=Environment.DRILL))


def test_nothing_is_served_as_long_as_something_is_left_of_the_demonstration(
    world: World, lead: Someone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        readiness, "require_bound_login", lambda *_: []
    )  # tests run as a superuser
    ledger, made_up = Ledger(tmp_path / "erasures"), "Active made-up offices"
    fictitious = FocalPoint.confidence == Confidence.FICTITIOUS
    with pytest.raises(NotReady, match=f"{made_up}: DESK_CARIBBEAN") as refused:
        require_ready(world.runtime, ledger, Settings())
    assert max(map(len, str(refused.value).splitlines())) <= 80
    with world.database.begin_write() as session:
        update_directory(
            session, update(FocalPoint).where(fictitious).values(confidence="high")
        )
    require_ready(world.runtime, ledger, Settings())
    with world.database.begin_write() as session:
        session.get_one(Account, lead.actor.account_id).label = KZ_LEAD.label

    with pytest.raises(NotReady, match=f"{made_up}: none"):
        require_ready(world.runtime, ledger, Settings())
    with world.database.begin_write() as session:
        session.get_one(Account, lead.actor.account_id).disabled_at = world.now
    require_ready(world.runtime, ledger, Settings())
