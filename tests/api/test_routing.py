"""Tests of the order in which offices are asked to lead."""

from uuid import uuid4

import pytest
from sqlalchemy import Update, insert, select, update

from app.cases import queries as case_queries
from app.directory.kinds import DisclosureLevel
from app.directory.models import Agreement, Country, FocalPoint
from app.kernel.journal import Mailbox
from app.routing import actions as routing_actions
from app.routing import queries as routing_queries
from app.routing.ranking import Ranking
from tests.support.databases import record_statements
from tests.support.directory_changes import update_directory
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    get_unmet,
    make_consent,
    make_service_consent,
    unwrap,
)

DESK, DESKS = "DESK_CENTRAL_ASIA", ["DESK_CARIBBEAN", "DESK_CENTRAL_AMERICA"]
NO = {"reason": "NO_CAPACITY"}
ALL_KINDS = [
    make_consent(recipient_class={"kind": kind, "country": "KZ"})
    for kind in ("state", "non_state", "intergovernmental")
]


def get_routing(who: Someone, case: Json) -> Json:
    return unwrap(who.get(f"/cases/{case['code']}/routing"))


def list_candidates(shown: Json) -> list[str]:
    return [one["focal_point"] for one in shown["candidates"]]


def build_safeguards(*codes: str) -> Json:
    return {"country_of_origin": "UZ", "unsafe_focal_points": list(codes)}


def execute_statement(world: World, statement: Update) -> None:
    with world.database.begin_write() as session:
        update_directory(session, statement)


def test_the_desk_stands_at_the_end_of_the_list(officer: Someone) -> None:
    shown = get_routing(officer, officer.submit(consents=ALL_KINDS))

    assert list_candidates(shown) == [
        "KZ_LEAD",
        "SANA_SEZIM",
        "PARTNERSHIP_IN_ACTION",
        "IOM",
        "UNHCR",
        DESK,
    ]
    last = shown["candidates"][-1]
    assert (last["reasons"], last["asked_at"]) == (["desk_of_the_country"], None)


def test_when_all_have_declined_the_desk_has_it_and_cannot_decline(
    world: World, officer: Someone
) -> None:
    case = officer.submit(consents=ALL_KINDS)
    for code in list_candidates(get_routing(officer, case))[:-1]:
        assert world.add_person(code).does("decline-lead", case, NO).status_code == 204

    shown = get_routing(officer, case)

    assert shown["holder"] == DESK
    assert [bool(one["declined_at"]) for one in shown["candidates"]] == [True] * 5 + [False]
    desk = world.add_person(DESK)
    assert get_problem(desk.does("decline-lead", case, NO)) == (403, "action-not-yours")


def test_a_desk_that_the_person_fears_is_passed_over(officer: Someone) -> None:
    case = officer.submit(safeguards=build_safeguards(DESK, "KZ_LEAD"))

    shown = get_routing(officer, case)

    assert (shown["holder"], list_candidates(shown)) == (DESKS[0], [DESKS[0]])
    assert shown["candidates"][0]["reasons"] == ["desk_of_elsewhere"]


def test_a_desk_that_turns_out_to_be_feared_loses_the_case_at_once(
    world: World, officer: Someone
) -> None:
    case = officer.submit(safeguards=build_safeguards("KZ_LEAD"))
    desk, next_desk = world.add_person(DESK), world.add_person(DESKS[0])
    assert desk.read(case)["you_are"] == ["desk"]

    path, seen = f"/cases/{case['code']}/safeguards", {"If_Match": officer.get_tag(case)}
    unwrap(officer.ask("PUT", path, build_safeguards("KZ_LEAD", DESK), headers=seen))

    assert next_desk.read(case)["you_are"] == ["desk"]
    assert desk.get(f"/cases/{case['code']}").status_code == 404
    assert unwrap(desk.get("/worklist"))["items"] == []
    event = desk.poll()[-1]
    assert (event["type"], event["by"]) == ("case.rerouted", None)
    assert event["facts"] == {"state": "submitted"}


def test_without_a_desk_that_is_safe_nothing_is_submitted_and_somebody_is_told(
    officer: Someone,
) -> None:
    guards = build_safeguards("KZ_LEAD", DESK, *DESKS)

    refused = officer.create_case(submit=True, safeguards=guards)

    assert get_problem(refused) == (503, "desk-missing")
    assert unwrap(officer.get("/cases"))["items"] == []
    assert officer.poll() == []
    assert unwrap(officer.create_case(safeguards=guards))["state"] == "draft"


def test_without_a_safe_desk_a_safe_lead_has_it_still(officer: Someone) -> None:
    case = officer.submit(safeguards=build_safeguards(DESK, *DESKS))

    assert (case["holder"], list_candidates(get_routing(officer, case))) == (
        "KZ_LEAD",
        ["KZ_LEAD"],
    )


def test_what_is_declined_without_a_safe_desk_stays_where_it_is(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit(safeguards=build_safeguards(DESK, *DESKS))

    refused = lead.does("decline-lead", case, NO)

    assert get_problem(refused) == (503, "desk-missing")
    assert lead.read(case)["you_are"] == ["candidate"]
    assert officer.read(case)["version"] == case["version"]


@pytest.mark.parametrize(
    ("setting", "advice"),
    [
        ({"needs_criminal_case": None}, []),
        ({}, ["ask_about_criminal_case"]),
        (
            {"first_contact": "police_or_prosecutor"},
            ["ask_about_first_contact", "ask_about_criminal_case"],
        ),
    ],
)
def test_the_person_is_asked_first_and_offered_a_way_beside_the_state(
    world: World, officer: Someone, setting: Json, advice: list[str]
) -> None:
    kz = update(Country).filter_by(code="KZ")
    execute_statement(world, kz.values(setting or {"region": "central_asia"}))
    case = officer.submit(consents=ALL_KINDS)

    shown = get_routing(officer, case)

    assert [one["advice"] for one in shown["advice"]] == advice
    for one in shown["advice"]:
        beside = ["SANA_SEZIM", "PARTNERSHIP_IN_ACTION", "IOM", "UNHCR"]
        assert one["offices"] == beside
        assert one["text"].endswith(".")


def test_who_declined_is_not_offered_beside(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=ALL_KINDS)
    lead.does("decline-lead", case, NO)
    world.add_person("SANA_SEZIM").does("decline-lead", case, NO)

    [advice] = get_routing(officer, case)["advice"]

    assert advice["offices"] == ["IOM", "UNHCR"]


@pytest.mark.parametrize(
    ("age_class", "advised"), [("adult", False), ("child", True), ("presumed_child", True)]
)
def test_child_protection_is_advised_beside_the_lead(
    officer: Someone, age_class: str, *, advised: bool
) -> None:
    by = {"given_by": "guardian_with_assent" if advised else "person"}
    consents = [make_consent(**by), make_service_consent(**by)]

    case = officer.submit(summary={"age_class": age_class}, consents=consents)

    codes = [one["advice"] for one in get_routing(officer, case)["advice"]]
    assert ("child_protection_in_parallel" in codes) == advised
    assert case["holder"] == "KZ_LEAD"


def test_in_an_avoided_country_who_is_of_no_state_leads(officer: Someone) -> None:
    anyone = [
        make_consent(recipient_class={"kind": kind, "country": "HT"})
        for kind in ("state", "intergovernmental")
    ]

    shown = get_routing(officer, officer.submit(summary={"country": "HT"}, consents=anyone))

    assert list_candidates(shown) == ["IOM", "UNHCR", "DESK_CARIBBEAN"]
    out = {one["focal_point"]: one["reasons"] for one in shown["excluded"]}
    assert out["HT_LEAD"] == ["state_route_avoided"]
    assert [one["advice"] for one in shown["advice"]] == ["state_route_avoided"]


def test_outside_of_the_directory_iom_leads_and_the_submitters_desk_ends_the_list(
    officer: Someone,
) -> None:
    igo = make_consent(recipient_class={"kind": "intergovernmental", "country": "FR"})

    shown = get_routing(officer, officer.submit(summary={"country": "FR"}, consents=[igo]))

    assert list_candidates(shown) == ["IOM", "UNHCR", DESK]
    assert shown["candidates"][-1]["reasons"] == ["desk_of_the_submitter"]
    assert [one["advice"] for one in shown["advice"]] == ["outside_of_the_directory"]


def test_in_an_emergency_at_night_an_open_deputy_is_asked_before_a_closed_lead(
    world: World, officer: Someone
) -> None:
    of = update(FocalPoint)
    execute_statement(world, of.filter_by(code="SANA_SEZIM").values(opening=["always"]))
    closed = {"opening": ["mo-fr/09:00-17:00"], "deputy": "SANA_SEZIM"}
    execute_statement(world, of.filter_by(code="KZ_LEAD").values(**closed))

    emergency = {"priority": "emergency"}
    night = officer.submit(consents=ALL_KINDS, summary=emergency)  # 17:00 in Almaty
    calm = officer.submit(consents=ALL_KINDS)
    world.advance(hours=16)  # 09:00 on the next day
    day = officer.submit(consents=ALL_KINDS, summary=emergency)

    assert [case["holder"] for case in (night, calm, day)] == [
        "SANA_SEZIM",
        "KZ_LEAD",
        "KZ_LEAD",
    ]
    assert "stands_in" in get_routing(officer, night)["candidates"][0]["reasons"]
    assert "open_now" in get_routing(officer, day)["candidates"][0]["reasons"]


@pytest.mark.parametrize(
    ("level", "crosses"), [("L0", 0), ("L1", 1), ("L2", 2), ("L3", 3), ("L4", 5)]
)
def test_no_more_crosses_a_border_than_was_agreed(
    world: World, officer: Someone, lead: Someone, level: str, crosses: int
) -> None:
    execute_statement(world, update(Agreement).values(level=DisclosureLevel(level)))
    named = make_consent(
        focal_point="ISTIQBOLLI_AVLOD",
        purposes=["RETURN"],
        sections=["needs", "contact", "identity", "narrative", "health"],
    )
    case = lead.take_lead(officer.submit(consents=[make_consent(), named]))
    back = {"service": "RETURN", "to": "ISTIQBOLLI_AVLOD"}
    path = f"/cases/{case['code']}/recipients"
    [proposed] = unwrap(lead.get(path, service="RETURN"))["services"]

    assert lead.refer(case, sections=[], **back).status_code == 201
    sent = [
        lead.refer(case, sections=[section], **back)
        for section in ("needs", "contact", "identity", "narrative", "health")
    ]

    assert list_candidates(proposed) == (["ISTIQBOLLI_AVLOD"] if crosses else [])
    assert [one.is_success for one in sent] == [True] * crosses + [False] * (5 - crosses)
    for refused in sent[crosses:]:
        assert get_unmet(refused) == [("agreement", "sender")]


def open_offices(world: World, count: int) -> None:
    """Create `count` NGOs in Kazakhstan that can lead."""
    with world.database.begin_write() as session:
        plain = session.scalars(select(FocalPoint).filter_by(code="SANA_SEZIM")).one()
        columns = FocalPoint.__table__.columns.keys()
        same = {name: getattr(plain, name) for name in columns}
        rows = [
            same | {"id": uuid4(), "code": f"NGO_{number:03}"} for number in range(count)
        ]
        boxes = [{"focal_point_id": row["id"], "head": 0} for row in rows]
        session.execute(insert(Mailbox), boxes)
        update_directory(session, insert(FocalPoint), *rows)


def test_a_large_directory_costs_no_more_statements(world: World, officer: Someone) -> None:
    officer.submit(consents=ALL_KINDS)  # the process verifies all countries once
    said = []
    for more in (0, 60):
        if more:
            open_offices(world, more)
        with record_statements(world.database) as statements:
            officer.submit(consents=ALL_KINDS)
        said.append(statements)

    few, many = said
    assert len(few) == len(many)
    directory = [one for one in many if "FROM focal_point" in one]
    assert len([one for one in directory if "serves AS TEXT" in one]) == 1
    assert [one for one in directory if "WHERE" not in one] == []


def test_where_nobody_near_was_left_out_nobody_is_kept(officer: Someone) -> None:
    case = officer.submit()
    with officer.begin_write() as tx:
        found = case_queries.lock(tx, case["code"])
        [first, *_] = routing_queries.list_places(tx, found.id)
        routing_actions.seal_ranking(tx, found.id, Ranking((), None, ()))

        kept = routing_queries.list_places(tx, found.id)
        assert routing_queries.load_result(tx, found.id).excluded == []
        assert [row.focal_point_id for row in kept] == [first.focal_point_id]
