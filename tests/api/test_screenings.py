"""Tests of screenings: who may request a score, and how a screening is stored and read."""

from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Response
from sqlalchemy import select

from app.cases.models import Sealed
from app.kernel.actors import SERVICE, Scope
from app.screening.models import Screening
from tests.support.world import (
    ALL_SECTIONS,
    NOTICE,
    SIGNS,
    Json,
    Someone,
    World,
    get_actions,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

pytestmark = pytest.mark.slow
REMARKS = "canary-remarks"
WITH_SIGNS = [*ALL_SECTIONS, "indicators"]


def build_consents(sections: list[str] = WITH_SIGNS) -> list[Json]:
    """Return consents to the given sections, by default with the section `indicators`."""
    return [make_consent(sections=sections), make_service_consent(sections=sections)]


def create_screening(who: Someone, case: Json, **signs: Any) -> Json:
    return unwrap(who.screen(case, **SIGNS | {"remarks": REMARKS} | signs))


def list_screenings(who: Someone, case: Json) -> list[Json]:
    return list(unwrap(who.get(f"{get_path(case)}/screenings"))["items"])


def open_screening(who: Someone, case: Json, screening: Json) -> Response:
    return who.open(f"{get_path(case)}/screenings/{screening['id']}", "assessment")


def test_signs_are_scored_and_nothing_is_kept(world: World, officer: Someone) -> None:
    screening = SIGNS | {"age_class": "adult"}

    result = unwrap(officer.send("/screenings", screening))

    assert result["outcome"] == "indicated"
    assert (result["counted_as"], result["because"]) == ("adult", "said_adult")
    [palermo, labour] = result["rules"]
    assert (palermo["rule"], palermo["holds"]) == ("PALERMO_ADULT", True)
    assert palermo["source"].startswith("https://")
    assert palermo["confidence"].startswith("high")
    assert (labour["rule"], labour["holds"]) == ("COMBINE_FL", False)
    assert [len(part) for part in labour["missing"]] == [3, 2]
    assert result["unweighted"] == ["UNODC_LIMITED_COMMUNICATION_03"]
    [exploited] = [d for d in result["dimensions"] if d["positive"]]
    assert (exploited["dimension"], exploited["rule"]) == ("EXPLOITATION", "DIM_POSITIVE_B")
    with world.database.begin_read(SERVICE) as session:
        assert session.scalars(select(Screening)).all() == []
        assert session.scalars(select(Sealed)).all() == []


@pytest.mark.parametrize(
    ("age", "counted", "because"),
    [
        ("adult", "adult", "said_adult"),
        ("child", "child", "said_child"),
        ("presumed_child", "child", "age_in_doubt"),
        (None, "child", "age_not_said"),
    ],
)
def test_a_doubt_about_the_age_counts_as_a_child_and_says_so(
    age: str | None, counted: str, because: str, officer: Someone
) -> None:
    signs = {"acts": ["TRANSFER"], "purposes": ["SLAVERY"]}

    result = unwrap(officer.send("/screenings", signs | {"age_class": age}))

    assert (result["counted_as"], result["because"]) == (counted, because)
    assert result["explained"].startswith(f"Counted as {'an' if age == 'adult' else 'a'} ")
    assert (result["outcome"] == "indicated") == (counted == "child")
    [means] = [e for e in result["elements"] if e["element"] == "MEANS"]
    assert means["needed"] == (counted == "adult")


def test_without_signs_it_says_what_is_missing_and_never_that_there_is_nothing(
    officer: Someone,
) -> None:
    result = unwrap(officer.send("/screenings", {}))

    assert result["outcome"] == "not_indicated_yet"
    assert [rule["missing"] for rule in result["rules"]] == [[["ACT"], ["PURPOSE"]]]


@pytest.mark.parametrize(
    ("field", "code", "pointer"),
    [
        ("indicators", "ZQXVKJWBHF", "#/indicators/1"),
        ("indicators", "FRAUD", "#/indicators/1"),
        ("acts", "FRAUD", "#/acts/1"),
        ("means", "SLAVERY", "#/means/1"),
        ("purposes", "EXPLOITATION_01", "#/purposes/1"),
    ],
)
@pytest.mark.parametrize("kept_with_case", [False, True])
def test_an_unknown_code_is_refused_and_not_repeated(
    field: str, code: str, pointer: str, kept_with_case: bool, officer: Someone
) -> None:
    case = unwrap(officer.create_case())
    path = f"{get_path(case)}/screenings" if kept_with_case else "/screenings"

    refused = officer.create(path, {field: [SIGNS[field][0], code]})

    assert get_problem(refused) == (422, "request-invalid")
    [fault] = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == (pointer, "code_unknown")
    assert "GET /v1/reference/" in fault["detail"]
    assert code not in refused.text
    assert list_screenings(officer, case) == []


def test_scoring_takes_no_remarks_and_keeping_no_age_class(officer: Someone) -> None:
    case = unwrap(officer.create_case())

    remarked = officer.send("/screenings", {"remarks": REMARKS})
    aged = officer.screen(case, age_class="adult")

    assert (get_problem(remarked), get_problem(aged)) == ((422, "request-invalid"),) * 2
    assert REMARKS not in remarked.text


def test_scoring_is_for_who_may_write_cases(world: World) -> None:
    reader = world.add_person("KZ_LEAD", scopes={Scope.CASES_READ, Scope.SECTIONS_READ})
    writer = world.add_person("KZ_LEAD", scopes={Scope.CASES_WRITE})

    assert get_problem(reader.send("/screenings", {})) == (403, "forbidden")
    assert unwrap(writer.send("/screenings", {}))
    assert world.http.post("/v1/screenings", json={}).status_code == 401


def test_a_screening_makes_the_case_a_new_version(officer: Someone) -> None:
    case = officer.submit()
    before = officer.read(case)["version"]

    create_screening(officer, case)

    assert officer.read(case)["version"] == before + 1


def test_the_retry_is_answered_as_the_first_time_and_keeps_one(
    world: World, officer: Someone
) -> None:
    case, key = officer.submit(), str(uuid4())

    first = officer.screen(case, key, **SIGNS)
    world.advance(days=2)
    again = officer.screen(case, key, **SIGNS)
    other = officer.screen(case, key, **SIGNS | {"acts": []})
    keyless = officer.send(f"{get_path(case)}/screenings", SIGNS)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert get_problem(other) == (422, "idempotency-key-reused")
    assert get_problem(keyless) == (400, "idempotency-key-missing")
    assert len(list_screenings(officer, case)) == 1


def test_a_retry_after_the_lead_has_the_case_is_still_answered(
    officer: Someone, lead: Someone
) -> None:
    case, key = officer.submit(), str(uuid4())
    first = officer.screen(case, key, **SIGNS)
    lead.take_lead(case)

    again = officer.screen(case, key, **SIGNS)

    assert again.json() == first.json()
    assert get_problem(officer.screen(case, **SIGNS)) == (403, "action-not-yours")


def test_a_case_may_come_with_its_screening(officer: Someone, lead: Someone) -> None:
    case = officer.submit(screening=SIGNS | {"remarks": REMARKS}, consents=build_consents())

    [screening] = list_screenings(officer, case)
    content = unwrap(open_screening(officer, case, screening))["content"]

    assert content["remarks"] == REMARKS
    assert "screening" not in case
    assert "case.screened" not in list_types(lead.poll())


def test_a_case_that_is_refused_keeps_no_screening(world: World, officer: Someone) -> None:
    refused = officer.create_case(screening=SIGNS, consents=[], submit=True)

    assert get_problem(refused) == (409, "needs-unmet")
    with world.database.begin_read(SERVICE) as session:
        assert session.scalars(select(Screening)).all() == []


def test_a_case_with_an_unknown_sign_is_refused_whole(officer: Someone) -> None:
    signs = {"section": "indicators", "codes": ["EXPLOITATION_01", "ZQXVKJWBHF"]}

    ticked = officer.create_case(screening={"indicators": ["ZQXVKJWBHF"]})
    written = officer.create_case(sections=[signs])

    for refused, pointer in (
        (ticked, "#/screening/indicators/0"),
        (written, "#/sections/0"),
    ):
        assert get_problem(refused) == (422, "request-invalid")
        [fault] = refused.json()["errors"]
        assert (fault["pointer"], fault["code"]) == (pointer, "code_unknown")
        assert "ZQXVKJWBHF" not in refused.text
    assert unwrap(officer.get("/cases"))["items"] == []


def test_an_unknown_sign_is_refused_in_the_section_too(officer: Someone) -> None:
    case = officer.submit()
    path, seen = (
        f"{get_path(case)}/sections/indicators",
        {"If-Match": officer.get_tag(case)},
    )
    signs = {"section": "indicators", "codes": ["ILO11_01", "ZQXVKJWBHF"]}

    refused = officer.ask("PUT", path, signs, headers=seen)
    written = officer.ask("PUT", path, signs | {"codes": ["ILO11_09"]}, headers=seen)

    [fault] = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("#/codes/1", "code_unknown")
    assert unwrap(written)
    assert unwrap(officer.open(path))["content"]["codes"] == ["ILO11_09"]


def test_an_age_class_that_changes_leaves_what_was_screened_as_it_was(
    world: World, officer: Someone
) -> None:
    case = unwrap(officer.create_case(summary={"age_class": None}))
    signs: Json = {"acts": ["TRANSFER"], "purposes": ["SLAVERY"]}
    first = unwrap(officer.screen(case, **signs))
    world.advance(minutes=1)
    grown = {"age_class": "adult"}
    seen = {"If-Match": officer.get_tag(case)}
    unwrap(officer.ask("PATCH", get_path(case), grown, headers=seen))
    second = unwrap(officer.screen(case, **signs))

    assert (first["counted_as"], first["outcome"]) == ("child", "indicated")
    assert (second["counted_as"], second["outcome"]) == ("adult", "not_indicated_yet")
    assert list_screenings(officer, case) == [first, second]
    result = unwrap(open_screening(officer, case, first))["content"]["result"]
    assert (result["because"], result["outcome"]) == ("age_not_said", "indicated")


@pytest.mark.parametrize("signs", [{}, SIGNS])
def test_no_step_asks_what_came_of_it(
    signs: Json, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    plain = officer.submit()
    case = officer.submit(screening=signs)

    steps = [get_actions(one) for one in (officer.read(plain), officer.read(case))]
    lead.take_lead(case)
    sent = unwrap(lead.refer(case, shelter.code))

    assert steps[0] == steps[1]
    assert unwrap(shelter.does("accept", sent, make_acceptance()))["state"] == "accepted"
    assert NOTICE.keys() == lead.read(case)["summary"].keys()


@pytest.mark.parametrize("wrong", [5, ["ILO11_09"] * 121])
def test_a_wrong_list_of_indicators_is_pointed_at(wrong: Any, officer: Someone) -> None:
    refused = officer.send("/screenings", {"indicators": wrong})

    assert [one["pointer"] for one in refused.json()["errors"]] == ["#/indicators"]
