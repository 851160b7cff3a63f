"""What a handover requires: checked when it is offered, and again when it is accepted."""

from typing import Any

import pytest
from sqlalchemy import update

from app.cases import actions as cases
from app.cases import queries
from app.cases.sections import Paper, Safeguards
from app.directory.models import FocalPoint
from tests.support.endings import end_agreement
from tests.support.world import (
    Json,
    Someone,
    World,
    actions,
    consent,
    contacts,
    done,
    for_handover,
    for_services,
    kinds,
    lacks,
    problem,
    taking,
)

HOME: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}
CLASS = {"recipient_class": {"kind": "state", "country": "UZ"}, "purposes": ["HANDOVER"]}


@pytest.fixture
def successor(world: World) -> Someone:
    """An account of the focal point of Uzbekistan, the State of origin."""
    return world.someone("UZ_LEAD")


def lead_case(officer: Someone, lead: Someone, **changes: Any) -> Json:
    """Return a case that Kazakhstan leads, with a consent to hand it over to Uzbekistan."""
    given = [consent(), for_services(), for_handover()]
    return lead.leads(officer.submits(**{"safeguards": HOME, "consents": given} | changes))


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead_case(officer, lead)


def put_safeguards(who: Someone, case: Json, **changes: Any) -> None:
    """Rewrite the safeguards."""
    path, seen = f"/cases/{case['code']}/safeguards", {"If_Match": who.tag(case)}
    done(who.ask("PUT", path, HOME | changes, headers=seen))


def withdraw_consent(who: Someone, case: Json, purpose: str = "HANDOVER") -> None:
    """Withdraw the oldest consent for a purpose that is not withdrawn yet."""
    path = f"/cases/{case['code']}/consents"
    found = done(who.get(path))["items"]
    one = next(c for c in found if purpose in c["purposes"] and not c["withdrawn_at"])
    done(who.post(f"{path}/{one['id']}/withdraw"))


def set_country(world: World, case: Json, country: str) -> None:
    """Set the country of the person without a relocation of the case."""
    with world.someone("KZ_LEAD").writing() as work:
        queries.lock(work, case["code"]).country = country


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"consents": [consent(), for_services()]}, ["consent"]),
        ({"consents": [consent(), for_handover("IOM")]}, ["consent"]),
        ({"consents": [consent(), for_handover(purposes=["REFER"])]}, ["consent"]),
        ({"safeguards": {"country_of_origin": "UZ"}}, ["origin_permitted"]),
        ({"safeguards": {"country_of_origin": "KG"}}, []),
        ({"safeguards": {}}, ["consent", "origin_permitted"]),
        ({"safeguards": HOME | {"unsafe_focal_points": ["UZ_LEAD"]}}, ["recipient_safe"]),
        ({"safeguards": HOME | {"fear_of_state": True}}, ["recipient_safe"]),
        (
            {"safeguards": HOME | {"origin_contact": "blocked"}},
            ["recipient_safe", "origin_permitted"],
        ),
        (
            {"safeguards": {"seeks_asylum": True, "country_of_origin": "UZ"}},
            ["recipient_safe", "origin_permitted"],
        ),
    ],
)
def test_an_offer_needs_the_persons_consent_and_safety(
    officer: Someone, lead: Someone, changes: Json, missing: list[str]
) -> None:
    case = lead_case(officer, lead, **changes)

    answer = lead.offers(case, "UZ_LEAD")

    assert answer.is_success == (missing == [])
    assert answer.is_success or lacks(answer) == [(need, "lead") for need in missing]
    assert done(lead.get("/handovers"))["items"] == ([answer.json()] if not missing else [])


def test_a_consent_may_name_a_class_of_new_leads(officer: Someone, lead: Someone) -> None:
    case = lead_case(officer, lead, consents=[consent(), consent(**CLASS)])

    assert lead.offers(case, "UZ_LEAD").status_code == 201


def test_a_childs_own_word_moves_no_lead(officer: Someone, lead: Someone) -> None:
    guardian = {"given_by": "guardian_with_assent"}
    notice = {"age_class": "child"}
    given = [consent(**guardian), for_handover()]
    case = lead_case(officer, lead, notice=notice, consents=given)

    refused = lead.offers(case, "UZ_LEAD")

    [lack] = refused.json()["unmet"]
    assert (lack["need"], [a["need"] for a in lack["alternatives"]]) == (
        "consent",
        ["child_path"],
    )
    done(
        lead.creates(f"/cases/{case['code']}/consents", for_handover("UZ_LEAD", **guardian))
    )
    assert lead.offers(case, "UZ_LEAD").status_code == 201


def test_without_an_agreement_no_lead_crosses_the_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [consent(), for_handover(), for_handover("KG_LEAD"), for_handover("IOM")]
    case = lead_case(officer, lead, consents=[*given, for_handover("SANA_SEZIM")])

    assert (
        lacks(lead.offers(case, "KG_LEAD"))
        == [
            ("agreement", "lead"),
            ("origin_permitted", "lead"),
        ][:1]
    )
    end_agreement(world)
    assert lacks(lead.offers(case, "UZ_LEAD")) == [("agreement", "lead")]
    done(lead.does("cancel", done(lead.offers(case, "SANA_SEZIM")), {}))
    assert lead.offers(case, "IOM").status_code == 201


def test_a_border_lies_too_between_who_leads_and_who_is_to_lead(
    world: World, officer: Someone, lead: Someone
) -> None:
    """The person is in Uzbekistan, but the case still crosses the border from its lead."""
    case = lead_case(officer, lead)
    set_country(world, case, "UZ")
    end_agreement(world)

    assert lacks(lead.offers(case, "UZ_LEAD")) == [("agreement", "lead")]


def test_who_works_in_both_countries_has_no_border_to_cross(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead_case(
        officer, lead, consents=[consent(), for_handover("PARTNERSHIP_IN_ACTION")]
    )
    set_country(world, case, "UZ")
    end_agreement(world)

    assert lead.offers(case, "PARTNERSHIP_IN_ACTION").status_code == 201


def test_who_leads_in_many_countries_crosses_no_border_within_them(
    world: World, officer: Someone, lead: Someone
) -> None:
    network = world.someone("PARTNERSHIP_IN_ACTION")
    to = [for_handover(one) for one in (network.code, "SANA_SEZIM", "UZ_LEAD")]
    case = lead_case(officer, lead, consents=[consent(), *to])
    taken = done(lead.offers(case, network.code))
    done(network.does("accept", taken, taking()))
    end_agreement(world)

    inside = network.offers(case, "SANA_SEZIM")
    done(network.does("cancel", done(inside), {}))
    beyond = network.offers(case, "UZ_LEAD")

    assert lacks(beyond) == [("agreement", "lead")]


def test_the_lead_of_a_closed_case_offers_nothing(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    why = {"reason": "GOALS_MET", "person_informed": True}
    asked = done(lead.does("close", case, why))
    done(supervisor.post(f"/approvals/{asked['id']}/approve"))
    done(lead.does("close", case, why, approval=asked["id"]))

    assert lacks(lead.offers(case, "UZ_LEAD")) == [("case_led", "lead")]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"contacts": contacts("Ойбек")}, ["two_contacts"]),
        ({"contacts": contacts("Ойбек", "Ойбек")}, ["two_contacts"]),
        ({"capacity_confirmed": False}, ["capacity"]),
        (
            {"contacts": contacts("Ойбек"), "capacity_confirmed": False},
            ["two_contacts", "capacity"],
        ),
    ],
)
def test_who_takes_the_lead_brings_two_people_and_capacity(
    lead: Someone, case: Json, successor: Someone, changes: Json, missing: list[str]
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))

    refused = successor.does("accept", offered, taking(**changes))

    assert lacks(refused) == [(need, "handover_candidate") for need in missing]
    assert lead.sees(offered)["state"] == "offered"
    assert lead.sees(case)["lead"] == "KZ_LEAD"


@pytest.mark.parametrize("reason", ["", "NO_CAPACITY", "other", None])
def test_a_reason_is_of_the_list(lead: Someone, case: Json, reason: str | None) -> None:
    refused = lead.offers(case, "UZ_LEAD", reason=reason)

    assert problem(refused) == (422, "request-invalid")


def test_a_consent_that_runs_out_is_missed_at_the_acceptance(
    world: World, officer: Someone, lead: Someone, successor: Someone
) -> None:
    short = for_handover(expires_at="2026-06-02T00:00:00Z")
    case = lead_case(officer, lead, consents=[consent(), short])
    offered = done(lead.offers(case, "UZ_LEAD"))
    world.passes(hours=12)

    refused = successor.does("accept", offered, taking())

    assert lacks(refused) == [("consent", "lead")]
    assert not actions(successor.sees(offered))["accept"]["open"]
    done(lead.creates(f"/cases/{case['code']}/consents", for_handover()))
    done(successor.does("accept", offered, taking()))


def test_an_agreement_that_ends_is_missed_at_the_acceptance(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    end_agreement(world)

    refused = successor.does("accept", offered, taking())

    assert lacks(refused) == [("agreement", "lead")]
    assert lead.sees(case)["lead"] == "KZ_LEAD"


def test_a_person_who_doubts_again_is_heard_at_the_acceptance(
    lead: Someone, case: Json, successor: Someone
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    put_safeguards(lead, case, origin_contact="undecided")

    refused = successor.does("accept", offered, taking())

    assert lacks(refused) == [("consent", "lead")]  # hides the fear (ADR 20)
    put_safeguards(lead, case)
    done(successor.does("accept", offered, taking()))


def test_who_is_unsafe_is_refused_even_if_nobody_ended_the_offer(
    lead: Someone, case: Json, successor: Someone
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    with lead.writing() as work:
        fear = Safeguards.model_validate(HOME | {"unsafe_focal_points": ["UZ_LEAD"]})
        cases.seal(work, queries.lock(work, case["code"]), Paper.SAFEGUARDS, fear)

    refused = successor.does("accept", offered, taking())

    assert lacks(refused) == [("consent", "lead")]  # hides the fear (ADR 20)
    assert lead.sees(case)["lead"] == "KZ_LEAD"


@pytest.mark.parametrize(
    "fear",
    [
        {"unsafe_focal_points": ["UZ_LEAD"]},
        {"fear_of_state": True},
        {"official_implicated": True},
        {"origin_contact": "blocked"},
    ],
)
def test_who_turns_out_to_be_unsafe_loses_the_offer_at_once_and_hears_no_reason(
    lead: Someone, case: Json, successor: Someone, fear: Json
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    seen = successor.tag(offered)
    successor.hears()

    put_safeguards(lead, case, **fear)

    path = f"/handovers/{offered['id']}"
    assert problem(successor.post(f"{path}/accept", taking(), if_match=seen))[0] == 404
    assert problem(successor.get(f"/cases/{case['code']}")) == (404, "not-found")
    [event] = successor.hears()
    assert (event["type"], event["by"]) == ("handover.cancelled", None)
    assert event["facts"]["reason"] == "MIGRATION_OR_CHANGE_OF_LOCATION"
    assert lead.sees(offered)["state"] == "cancelled"
    assert done(successor.get("/worklist"))["items"] == []


def test_an_offer_ends_with_the_consent_it_rests_on(
    lead: Someone, case: Json, successor: Someone
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    seen = successor.tag(offered)

    withdraw_consent(lead, case)

    path = f"/handovers/{offered['id']}"
    assert problem(successor.post(f"{path}/accept", taking(), if_match=seen))[0] == 404
    assert lead.sees(offered)["state"] == "cancelled"
    assert lead.sees(case)["lead"] == "KZ_LEAD"
    assert kinds(successor.hears())[-1] == "handover.cancelled"
    assert lacks(lead.offers(case, "UZ_LEAD")) == [("consent", "lead")]


def test_the_submitter_ends_an_offer_too_when_the_person_tells_it(
    officer: Someone, lead: Someone, case: Json
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))

    withdraw_consent(officer, case)

    assert lead.sees(offered)["state"] == "cancelled"
    assert "handover.cancelled" not in kinds(officer.hears())


def test_an_offer_goes_on_while_another_consent_covers_it(
    officer: Someone, lead: Someone
) -> None:
    case = lead_case(officer, lead, consents=[consent(), for_handover(), consent(**CLASS)])
    offered = done(lead.offers(case, "UZ_LEAD"))

    withdraw_consent(lead, case)

    assert lead.sees(offered)["state"] == "offered"
    withdraw_consent(lead, case, "REFER")
    assert lead.sees(offered)["state"] == "offered"
    withdraw_consent(lead, case)
    assert lead.sees(offered)["state"] == "cancelled"


def test_no_other_withdrawal_ends_an_offer_whose_consent_ran_out(
    world: World, officer: Someone, lead: Someone
) -> None:
    """The offer cannot be accepted any more, and ends when its deadline is missed."""
    short = for_handover(expires_at="2026-06-02T00:00:00Z")
    case = lead_case(officer, lead, consents=[consent(), short])
    offered = done(lead.offers(case, "UZ_LEAD"))
    world.passes(hours=12)

    withdraw_consent(lead, case, "REFER")

    assert lead.sees(offered)["state"] == "offered"


def test_who_ceases_to_lead_cases_is_not_given_one(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    with world.database.writing() as session:
        one = update(FocalPoint).where(FocalPoint.code == "UZ_LEAD")
        session.execute(one.values(can_lead=False))

    refused = successor.does("accept", offered, taking())

    assert problem(refused) == (422, "successor-unfit")
    assert successor.does("decline", offered, {"reason": "OUT_OF_MANDATE"}).status_code == (
        204
    )
