"""Tests of the directory: countries, offices and rules, each with source and confidence."""

import pytest

from app.cases.lifecycle import TABLE as CASE
from app.directory.kinds import Service
from app.kernel.lifecycle import AnyOf
from app.referrals.lifecycle import TABLE as REFERRAL
from app.returns.lifecycle import TABLE as RETURN
from tests.support.world import Json, Someone, World, get_problem, make_consent, unwrap

COUNTRIES = """
AF AG BB BS BZ CR CU DM DO GD GT GY HN HT JM KG KN KZ LC NI PA SR SV TJ TM TT UZ VC
"""


def get_codes(items: list[Json]) -> list[str]:
    return [item["code"] for item in items]


def test_pages_of_any_size_make_the_same_list(officer: Someone) -> None:
    whole = get_codes(officer.list_all("/focal-points", limit=200))

    for limit in (1, 7, 50):
        assert get_codes(officer.list_all("/focal-points", limit=limit)) == whole
    assert whole == sorted(set(whole))
    assert {"KZ_LEAD", "IOM", "UNHCR", "DESK_CENTRAL_ASIA"} <= set(whole)


def test_a_country_shows_who_works_there(officer: Someone) -> None:
    found = officer.list_all("/focal-points", country="KZ")

    assert all({"KZ", "*"} & set(item["serves"]) for item in found)
    assert {"KZ_LEAD", "KZ_SHELTER_KOGERSHIN", "UZ_CONSULATE_ALMATY", "IOM"} <= set(
        get_codes(found)
    )
    assert "UZ_LEAD" not in get_codes(found)


@pytest.mark.parametrize("service", Service)
def test_a_service_shows_who_offers_it(service: Service, officer: Someone) -> None:
    whole = officer.list_all("/focal-points")

    assert officer.list_all("/focal-points", service=service) == [
        f for f in whole if service in f["services"]
    ]


def test_filters_add_up_and_page_alike(officer: Someone) -> None:
    of_country = officer.list_all("/focal-points", country="KZ")

    found = officer.list_all("/focal-points", country="KZ", service="SHELTER", limit=1)

    assert found == [item for item in of_country if "SHELTER" in item["services"]]
    assert {"KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN"} <= set(get_codes(found))


def test_a_country_nobody_knows_shows_who_works_everywhere(officer: Someone) -> None:
    everywhere = [
        item for item in officer.list_all("/focal-points") if item["serves"] == ["*"]
    ]

    assert everywhere
    assert officer.list_all("/focal-points", country="ZZ") == everywhere


def test_each_says_how_well_it_is_sourced(officer: Someone) -> None:
    found = {item["code"]: item for item in officer.list_all("/focal-points")}

    assert {item["confidence"] for item in found.values()} >= {
        "high",
        "medium",
        "fictitious",
    }
    for item in found.values():
        invented = item["confidence"] == "fictitious"
        assert invented == ("fictitious" in item["name"]), item["code"]
        if item["confidence"] == "high":
            assert item["source"]


def test_one_is_read_by_its_code_as_it_is_listed(officer: Someone) -> None:
    for item in officer.list_all("/focal-points", country="KZ"):
        assert unwrap(officer.get(f"/focal-points/{item['code']}")) == item


def test_who_is_not_there_is_not_found(officer: Someone) -> None:
    assert officer.get("/focal-points/NOBODY").status_code == 404


@pytest.mark.parametrize("code", ["kz_lead", "KZ_LEAD%20", "%00", "%"])
def test_what_is_no_code_finds_nobody(code: str, officer: Someone) -> None:
    assert officer.get(f"/focal-points/{code}").status_code in {404, 422}


def test_a_focal_point_is_known_by_its_code_and_nothing_else(officer: Someone) -> None:
    lead = unwrap(officer.get("/focal-points/KZ_LEAD"))

    assert "id" not in lead
    assert "number" not in lead


def test_there_are_the_countries_of_the_mechanism(officer: Someone) -> None:
    page = unwrap(officer.get("/countries"))

    assert [item["code"] for item in page["items"]] == COUNTRIES.split()
    assert page.keys() == {"items"}
    assert {item["region"] for item in page["items"]} == {
        "central_asia",
        "central_america",
        "caribbean",
    }


def test_what_no_source_says_is_empty(officer: Someone) -> None:
    found = {item["code"]: item for item in unwrap(officer.get("/countries"))["items"]}

    avoided = {code for code, item in found.items() if item["state_routing"] == "avoid"}

    assert avoided >= {"AF", "CU", "DM", "GD", "HT", "KN", "NI", "SR"}
    assert all(found[code]["routing_reason"] for code in avoided)
    assert any(item["lead_body"] is None for item in found.values())


def test_what_did_not_change_is_not_sent_again(officer: Someone) -> None:
    for path in ("/focal-points", "/countries"):
        tag = officer.get(path).headers["ETag"]
        again = officer.ask("GET", path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["case", "referral", "return"])
def test_the_life_cycles_are_told_as_they_are_enforced(name: str, officer: Someone) -> None:
    shown = unwrap(officer.get("/lifecycles"))[name]
    enforced = {"case": CASE.steps, "referral": REFERRAL.steps, "return": RETURN.steps}[
        name
    ]

    assert len(shown) == len(enforced)
    for row, step in zip(shown, enforced, strict=True):
        needs = [list(n.needs) if isinstance(n, AnyOf) else [n] for n in step.needs]
        assert row == {
            "action": step.action,
            "states": sorted(step.sources),
            "to": step.target,
            "by": sorted(step.sides),
            "roles": sorted(step.roles),
            "needs": needs,
        }


@pytest.mark.parametrize("code", ["UNODC_ROCA", "OSCE_PCUZ"])
def test_who_convenes_is_party_to_no_case_even_where_a_consent_names_it(
    code: str, world: World, officer: Someone, lead: Someone
) -> None:
    convener = world.add_person(code)
    named = make_consent(focal_point=code)
    case = officer.submit(consents=[make_consent(), named], summary={"country": "KZ"})
    led = lead.take_lead(case)

    refused = lead.refer(led, code)

    assert get_problem(refused) == (422, "recipient-unfit")
    assert unwrap(convener.get("/cases"))["items"] == []
    assert get_problem(convener.get(f"/cases/{case['code']}")) == (404, "not-found")
    assert convener.poll() == []
    routed = unwrap(lead.get(f"/cases/{case['code']}/routing"))
    assert code not in [one["focal_point"] for one in routed["candidates"]]


def test_a_case_in_uzbekistan_is_led_by_the_commission_and_not_by_the_police(
    officer: Someone,
) -> None:
    there = {"country": "UZ"}
    case = officer.submit(
        consents=[make_consent(recipient_class={"kind": "state", "country": "UZ"})],
        summary=there,
    )

    assert case["holder"] == "UZ_LEAD"
