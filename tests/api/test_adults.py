"""Tests of consents when the age class changes: a guardian cannot consent for an adult."""

import pytest

from tests.support.returns import begin_return, make_return_consent
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
GUARDIAN: Json = {"given_by": "guardian_with_assent"}
MAYBE_A_CHILD: Json = {"age_class": "presumed_child"}
GIVEN_BY_OTHERS = ["guardian_with_assent", "best_interests_decision"]


@pytest.fixture
def case_with_guardian(officer: Someone, lead: Someone) -> Json:
    """Return the case of a presumed child, with a lead and a guardian's consents."""
    given = [make_consent(**GUARDIAN), make_service_consent(**GUARDIAN)]
    return lead.take_lead(officer.submit(summary=MAYBE_A_CHILD, consents=given))


def set_adult(who: Someone, case: Json) -> None:
    """Change the age class of the person to adult."""
    seen = {"If_Match": who.get_tag(case)}
    unwrap(who.ask("PATCH", get_path(case), {"age_class": "adult"}, headers=seen))


def set_presumed_child(who: Someone, case: Json) -> None:
    """Change the age class of the person to presumed child."""
    seen = {"If_Match": who.get_tag(case)}
    unwrap(who.ask("PATCH", get_path(case), MAYBE_A_CHILD, headers=seen))


def open_needs(who: Someone, case: Json) -> int:
    """Try to open the section `needs`, and return the status of the response."""
    return who.open(f"{get_path(case)}/sections/needs").status_code


@pytest.mark.parametrize("given_by", GIVEN_BY_OTHERS)
def test_what_another_said_for_an_adult_is_not_recorded(
    officer: Someone, lead: Someone, given_by: str
) -> None:
    consent = make_consent(given_by=given_by)
    case = lead.take_lead(officer.submit())
    before = unwrap(lead.get(f"{get_path(case)}/consents"))

    recorded = lead.create(f"{get_path(case)}/consents", consent)
    written = officer.create_case(submit=True, consents=[consent])

    assert get_problem(recorded) == get_problem(written) == (422, "adult-consent-required")
    assert unwrap(lead.get(f"{get_path(case)}/consents")) == before


def test_a_case_whose_person_turns_out_to_be_an_adult_waits_for_their_own_word(
    officer: Someone,
) -> None:
    draft = unwrap(
        officer.create_case(summary=MAYBE_A_CHILD, consents=[make_consent(**GUARDIAN)])
    )
    set_adult(officer, draft)
    early = officer.does("submit", draft)
    unwrap(officer.create(f"{get_path(draft)}/consents", make_consent()))

    assert get_unmet(early) == [("consent_to_refer", "submitter")]
    assert unwrap(officer.does("submit", draft))["state"] == "submitted"


def test_help_goes_on_when_its_person_is_found_to_be_an_adult_and_is_told_no_more(
    lead: Someone, shelter: Someone, case_with_guardian: Json
) -> None:
    bed = unwrap(lead.refer(case_with_guardian, SHELTER))
    unwrap(shelter.does("accept", bed, make_acceptance()))
    before = open_needs(shelter, case_with_guardian)
    shelter.poll()

    set_adult(lead, case_with_guardian)
    after = open_needs(shelter, case_with_guardian)
    more = lead.refer(case_with_guardian, "KZ_LEGAL_AID", service="LEGAL_AID")
    met = shelter.does("start", bed, {"person_met": True})
    unwrap(lead.create(f"{get_path(case_with_guardian)}/consents", make_service_consent()))

    assert (before, after, open_needs(shelter, case_with_guardian)) == (200, 404, 200)
    assert get_unmet(more) == [("consent", "sender")]
    assert unwrap(met)["state"] == "in_progress"
    assert "referral.withdrawn" not in list_types(shelter.poll())


def test_another_no_does_not_end_help_that_a_guardian_agreed_to_before(
    lead: Someone, shelter: Someone, case_with_guardian: Json
) -> None:
    bed = unwrap(lead.refer(case_with_guardian, SHELTER))
    unwrap(shelter.does("accept", bed, make_acceptance()))
    set_adult(lead, case_with_guardian)

    no = {"purposes": ["REFER"]}
    answer = lead.send(f"{get_path(case_with_guardian)}/consents/withdraw", no)

    assert answer.status_code == 204
    assert shelter.read(bed)["state"] == "accepted"


def test_what_a_child_said_itself_counts_from_when_it_is_found_to_be_an_adult(
    lead: Someone, shelter: Someone, case_with_guardian: Json
) -> None:
    bed = unwrap(lead.refer(case_with_guardian, SHELTER))
    for own in (make_consent(), make_service_consent()):
        unwrap(lead.create(f"{get_path(case_with_guardian)}/consents", own))

    set_adult(lead, case_with_guardian)

    assert unwrap(shelter.does("accept", bed, make_acceptance()))["state"] == "accepted"
    assert open_needs(shelter, case_with_guardian) == 200
    assert open_needs(lead, case_with_guardian) == 200


@pytest.mark.parametrize("given_by", GIVEN_BY_OTHERS)
def test_guardian_is_asked_again_when_an_adult_is_found_to_be_a_child_after_all(
    lead: Someone, shelter: Someone, case_with_guardian: Json, given_by: str
) -> None:
    sent = unwrap(
        lead.refer(case_with_guardian, "KZ_LEGAL_AID", service="LEGAL_AID", send=False)
    )
    path = f"{get_path(case_with_guardian)}/consents"
    unwrap(
        lead.create(path, make_service_consent(given_by=given_by, purposes=["LEGAL_AID"]))
    )
    bed = unwrap(lead.refer(case_with_guardian, SHELTER))
    unwrap(shelter.does("accept", bed, make_acceptance()))
    set_adult(lead, case_with_guardian)

    set_presumed_child(lead, case_with_guardian)

    assert (
        open_needs(shelter, case_with_guardian)
        == open_needs(lead, case_with_guardian)
        == 404
    )
    assert get_unmet(lead.does("send", sent))[0] == ("consent", "sender")
    assert shelter.read(bed)["state"] == "accepted"
    due = [until for _, kind, until in lead.get_worklist() if kind == "assess_interests"]
    assert due == ["2026-06-04T12:00:00Z"]
    unwrap(lead.create(path, make_service_consent(**GUARDIAN)))
    assert open_needs(shelter, case_with_guardian) == 200


def test_what_an_adult_said_does_not_count_while_they_are_held_to_be_a_child(
    lead: Someone, shelter: Someone, case_with_guardian: Json
) -> None:
    bed = unwrap(lead.refer(case_with_guardian, SHELTER))
    unwrap(shelter.does("accept", bed, make_acceptance()))
    set_adult(lead, case_with_guardian)
    unwrap(lead.create(f"{get_path(case_with_guardian)}/consents", make_service_consent()))

    set_presumed_child(lead, case_with_guardian)
    as_child = open_needs(shelter, case_with_guardian)
    set_adult(lead, case_with_guardian)

    assert (as_child, open_needs(shelter, case_with_guardian)) == (404, 200)


def test_an_adult_does_not_return_on_a_guardians_word(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [make_consent(**GUARDIAN), make_return_consent(**GUARDIAN)]
    home = begin_return(world, officer, lead, summary=MAYBE_A_CHILD, consents=given)
    home.advance("assess-origin")
    for own in home.list_consents("RETURN"):
        if own["given_by"] == "person":
            unwrap(lead.send(f"{get_path(home.case)}/consents/{own['id']}/withdraw"))
    set_adult(lead, home.case)
    refused = home.lead.does("go", home.record, {})
    state = home.state

    unwrap(lead.create(f"{get_path(home.case)}/consents", make_return_consent()))

    assert (get_unmet(refused), state) == ([("return_consent", "lead")], "assessing")
    assert home.advance("go")["state"] == "cleared"
