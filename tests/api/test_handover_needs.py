"""The requirements of a handover are checked at the offer and at the acceptance."""

from typing import Any

import pytest
from sqlalchemy import update

from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases.sections import Paper, Safeguards
from app.directory.models import FocalPoint
from tests.support.directory_changes import update_directory
from tests.support.endings import end_agreement
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_problem,
    get_unmet,
    list_types,
    make_consent,
    make_contacts,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

HOME: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}
CLASS = {"recipient_class": {"kind": "state", "country": "UZ"}, "purposes": ["HANDOVER"]}


@pytest.fixture
def successor(world: World) -> Someone:
    """Return a person of the focal point of Uzbekistan, the State of origin."""
    return world.add_person("UZ_LEAD")


def lead_case(officer: Someone, lead: Someone, **changes: Any) -> Json:
    """Return a case led by Kazakhstan, with a consent to a handover to Uzbekistan."""
    given = [make_consent(), make_service_consent(), make_handover_consent()]
    return lead.take_lead(
        officer.submit(**{"safeguards": HOME, "consents": given} | changes)
    )


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead_case(officer, lead)


def put_safeguards(who: Someone, case: Json, **changes: Any) -> None:
    """Replace the safeguards of a case."""
    path, seen = f"/cases/{case['code']}/safeguards", {"If_Match": who.get_tag(case)}
    unwrap(who.ask("PUT", path, HOME | changes, headers=seen))


def withdraw_consent(who: Someone, case: Json, purpose: str = "HANDOVER") -> None:
    """Withdraw a consent for a purpose: the oldest that is not withdrawn yet."""
    path = f"/cases/{case['code']}/consents"
    found = unwrap(who.get(path))["items"]
    one = next(c for c in found if purpose in c["purposes"] and not c["withdrawn_at"])
    unwrap(who.send(f"{path}/{one['id']}/withdraw"))


def set_country(world: World, case: Json, country: str) -> None:
    """Set the country of the person directly, without relocating the case."""
    with world.add_person("KZ_LEAD").begin_write() as tx:
        case_queries.lock(tx, case["code"]).country = country


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"consents": [make_consent(), make_service_consent()]}, ["consent"]),
        ({"consents": [make_consent(), make_handover_consent("IOM")]}, ["consent"]),
        (
            {"consents": [make_consent(), make_handover_consent(purposes=["REFER"])]},
            ["consent"],
        ),
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

    answer = lead.offer(case, "UZ_LEAD")

    assert answer.is_success == (missing == [])
    assert answer.is_success or get_unmet(answer) == [(need, "lead") for need in missing]
    assert unwrap(lead.get("/handovers"))["items"] == (
        [answer.json()] if not missing else []
    )


def test_a_consent_may_name_a_class_of_new_leads(officer: Someone, lead: Someone) -> None:
    case = lead_case(officer, lead, consents=[make_consent(), make_consent(**CLASS)])

    assert lead.offer(case, "UZ_LEAD").status_code == 201


def test_a_childs_own_word_moves_no_lead(officer: Someone, lead: Someone) -> None:
    guardian = {"given_by": "guardian_with_assent"}
    summary = {"age_class": "child"}
    given = [make_consent(**guardian), make_handover_consent()]
    case = lead_case(officer, lead, summary=summary, consents=given)

    refused = lead.offer(case, "UZ_LEAD")

    [lack] = refused.json()["unmet"]
    assert (lack["requirement"], [a["requirement"] for a in lack["alternatives"]]) == (
        "consent",
        ["child_path"],
    )
    unwrap(
        lead.create(
            f"/cases/{case['code']}/consents", make_handover_consent("UZ_LEAD", **guardian)
        )
    )
    assert lead.offer(case, "UZ_LEAD").status_code == 201


def test_without_an_agreement_no_lead_crosses_the_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [
        make_consent(),
        make_handover_consent(),
        make_handover_consent("KG_LEAD"),
        make_handover_consent("IOM"),
    ]
    case = lead_case(officer, lead, consents=[*given, make_handover_consent("SANA_SEZIM")])

    assert get_unmet(lead.offer(case, "KG_LEAD")) == [("agreement", "lead")]
    end_agreement(world)
    assert get_unmet(lead.offer(case, "UZ_LEAD")) == [("agreement", "lead")]
    unwrap(lead.does("cancel", unwrap(lead.offer(case, "SANA_SEZIM")), {}))
    assert lead.offer(case, "IOM").status_code == 201


def test_a_border_lies_too_between_who_leads_and_who_is_to_lead(
    world: World, officer: Someone, lead: Someone
) -> None:
    """A handover needs an agreement even if the person is in the new lead's country."""
    case = lead_case(officer, lead)
    set_country(world, case, "UZ")
    end_agreement(world)

    assert get_unmet(lead.offer(case, "UZ_LEAD")) == [("agreement", "lead")]


def test_who_works_in_both_countries_has_no_border_to_cross(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead_case(
        officer,
        lead,
        consents=[make_consent(), make_handover_consent("PARTNERSHIP_IN_ACTION")],
    )
    set_country(world, case, "UZ")
    end_agreement(world)

    assert lead.offer(case, "PARTNERSHIP_IN_ACTION").status_code == 201


def test_who_leads_in_many_countries_crosses_no_border_within_them(
    world: World, officer: Someone, lead: Someone
) -> None:
    network = world.add_person("PARTNERSHIP_IN_ACTION")
    to = [make_handover_consent(one) for one in (network.code, "SANA_SEZIM", "UZ_LEAD")]
    case = lead_case(officer, lead, consents=[make_consent(), *to])
    taken = unwrap(lead.offer(case, network.code))
    unwrap(network.does("accept", taken, make_takeover()))
    end_agreement(world)

    inside = network.offer(case, "SANA_SEZIM")
    unwrap(network.does("cancel", unwrap(inside), {}))
    beyond = network.offer(case, "UZ_LEAD")

    assert get_unmet(beyond) == [("agreement", "lead")]


def test_the_lead_of_a_closed_case_offers_nothing(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    why = {"reason": "GOALS_MET", "person_informed": True}
    approval = unwrap(lead.does("close", case, why))
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))
    unwrap(lead.does("close", case, why, approval=approval["id"]))

    assert get_unmet(lead.offer(case, "UZ_LEAD")) == [("case_led", "lead")]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"contacts": make_contacts("Ойбек", "Ойбек")}, ["two_contacts"]),
        ({"capacity_confirmed": False}, ["capacity"]),
        (
            {
                "contacts": make_contacts("Ойбек", "Ойбек"),
                "capacity_confirmed": False,
            },
            ["two_contacts", "capacity"],
        ),
    ],
)
def test_who_takes_the_lead_brings_two_people_and_capacity(
    lead: Someone, case: Json, successor: Someone, changes: Json, missing: list[str]
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))

    refused = successor.does("accept", offered, make_takeover(**changes))

    assert get_unmet(refused) == [(need, "handover_candidate") for need in missing]
    assert lead.read(offered)["state"] == "offered"
    assert lead.read(case)["lead"] == "KZ_LEAD"


@pytest.mark.parametrize("reason", ["", "NO_CAPACITY", "other", None])
def test_a_reason_is_of_the_list(lead: Someone, case: Json, reason: str | None) -> None:
    refused = lead.offer(case, "UZ_LEAD", reason=reason)

    assert get_problem(refused) == (422, "request-invalid")


def test_a_consent_that_runs_out_is_missed_at_the_acceptance(
    world: World, officer: Someone, lead: Someone, successor: Someone
) -> None:
    short = make_handover_consent(expires_at="2026-06-02T00:00:00Z")
    case = lead_case(officer, lead, consents=[make_consent(), short])
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    world.advance(hours=12)

    refused = successor.does("accept", offered, make_takeover())

    assert get_unmet(refused) == [("consent", "lead")]
    assert not get_actions(successor.read(offered))["accept"]["open"]
    unwrap(lead.create(f"/cases/{case['code']}/consents", make_handover_consent()))
    unwrap(successor.does("accept", offered, make_takeover()))


def test_an_agreement_that_ends_is_missed_at_the_acceptance(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    end_agreement(world)

    refused = successor.does("accept", offered, make_takeover())

    assert get_unmet(refused) == [("agreement", "lead")]
    assert lead.read(case)["lead"] == "KZ_LEAD"


def test_a_person_who_doubts_again_is_heard_at_the_acceptance(
    lead: Someone, case: Json, successor: Someone
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    put_safeguards(lead, case, origin_contact="undecided")

    refused = successor.does("accept", offered, make_takeover())

    assert get_unmet(refused) == [("consent", "lead")]  # hides the fear (ADR 20)
    put_safeguards(lead, case)
    unwrap(successor.does("accept", offered, make_takeover()))


def test_who_is_unsafe_is_refused_even_if_nobody_ended_the_offer(
    lead: Someone, case: Json, successor: Someone
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    with lead.begin_write() as tx:
        fear = Safeguards.model_validate(HOME | {"unsafe_focal_points": ["UZ_LEAD"]})
        case_actions.replace_sealed(
            tx, case_queries.lock(tx, case["code"]), Paper.SAFEGUARDS, fear
        )

    refused = successor.does("accept", offered, make_takeover())

    assert get_unmet(refused) == [("consent", "lead")]  # hides the fear (ADR 20)
    assert lead.read(case)["lead"] == "KZ_LEAD"


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
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    seen = successor.get_tag(offered)
    successor.poll()

    put_safeguards(lead, case, **fear)

    path = f"/handovers/{offered['id']}"
    assert (
        get_problem(successor.send(f"{path}/accept", make_takeover(), if_match=seen))[0]
        == 404
    )
    assert get_problem(successor.get(f"/cases/{case['code']}")) == (404, "not-found")
    [event] = successor.poll()
    assert (event["type"], event["by"]) == ("handover.cancelled", None)
    assert event["facts"]["reason"] == "MIGRATION_OR_CHANGE_OF_LOCATION"
    assert lead.read(offered)["state"] == "cancelled"
    assert unwrap(successor.get("/worklist"))["items"] == []


def test_an_offer_ends_with_the_consent_it_rests_on(
    lead: Someone, case: Json, successor: Someone
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    seen = successor.get_tag(offered)

    withdraw_consent(lead, case)

    path = f"/handovers/{offered['id']}"
    assert (
        get_problem(successor.send(f"{path}/accept", make_takeover(), if_match=seen))[0]
        == 404
    )
    assert lead.read(offered)["state"] == "cancelled"
    assert lead.read(case)["lead"] == "KZ_LEAD"
    assert list_types(successor.poll())[-1] == "handover.cancelled"
    assert get_unmet(lead.offer(case, "UZ_LEAD")) == [("consent", "lead")]


def test_the_submitter_ends_an_offer_too_when_the_person_tells_it(
    officer: Someone, lead: Someone, case: Json
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))

    withdraw_consent(officer, case)

    assert lead.read(offered)["state"] == "cancelled"
    assert "handover.cancelled" not in list_types(officer.poll())


def test_an_offer_goes_on_while_another_consent_covers_it(
    officer: Someone, lead: Someone
) -> None:
    case = lead_case(
        officer,
        lead,
        consents=[make_consent(), make_handover_consent(), make_consent(**CLASS)],
    )
    offered = unwrap(lead.offer(case, "UZ_LEAD"))

    withdraw_consent(lead, case)

    assert lead.read(offered)["state"] == "offered"
    withdraw_consent(lead, case, "REFER")
    assert lead.read(offered)["state"] == "offered"
    withdraw_consent(lead, case)
    assert lead.read(offered)["state"] == "cancelled"


def test_no_other_withdrawal_ends_an_offer_whose_consent_ran_out(
    world: World, officer: Someone, lead: Someone
) -> None:
    """If an offer's consent expired, withdrawing another consent does not end the offer."""
    short = make_handover_consent(expires_at="2026-06-02T00:00:00Z")
    case = lead_case(officer, lead, consents=[make_consent(), short])
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    world.advance(hours=12)

    withdraw_consent(lead, case, "REFER")

    assert lead.read(offered)["state"] == "offered"


def test_who_ceases_to_lead_cases_is_not_given_one(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    with world.database.begin_write() as session:
        one = update(FocalPoint).where(FocalPoint.code == "UZ_LEAD")
        update_directory(session, one.values(can_lead=False))

    refused = successor.does("accept", offered, make_takeover())

    assert get_problem(refused) == (422, "successor-unfit")
    assert successor.does("decline", offered, {"reason": "OUT_OF_MANDATE"}).status_code == (
        204
    )
