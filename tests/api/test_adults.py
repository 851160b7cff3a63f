"""Consents when the age class changes: a guardian's consent does not count for an adult."""

import pytest

from tests.support.returns import begin, to_return
from tests.support.world import (
    Json,
    Someone,
    World,
    consent,
    done,
    for_services,
    kinds,
    lacks,
    path_of,
    problem,
    promise,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
GUARDIAN: Json = {"given_by": "guardian_with_assent"}
MAYBE_A_CHILD: Json = {"age_class": "presumed_child"}
GIVEN_BY_OTHERS = ["guardian_with_assent", "best_interests_decision"]


@pytest.fixture
def case_with_guardian(officer: Someone, lead: Someone) -> Json:
    """The case of a presumed child, with a lead and with consents given by a guardian."""
    given = [consent(**GUARDIAN), for_services(**GUARDIAN)]
    return lead.leads(officer.submits(notice=MAYBE_A_CHILD, consents=given))


def set_adult(who: Someone, case: Json) -> None:
    """Change the age class to adult."""
    seen = {"If_Match": who.tag(case)}
    done(who.ask("PATCH", path_of(case), {"age_class": "adult"}, headers=seen))


def set_presumed_child(who: Someone, case: Json) -> None:
    """Change the age class to presumed child."""
    seen = {"If_Match": who.tag(case)}
    done(who.ask("PATCH", path_of(case), MAYBE_A_CHILD, headers=seen))


def open_needs(who: Someone, case: Json) -> int:
    """Return the status that an office gets when it opens the section `needs`."""
    return who.opens(f"{path_of(case)}/sections/needs").status_code


@pytest.mark.parametrize("given_by", GIVEN_BY_OTHERS)
def test_what_another_said_for_an_adult_is_not_recorded(
    officer: Someone, lead: Someone, given_by: str
) -> None:
    said = consent(given_by=given_by)
    case = lead.leads(officer.submits())
    before = done(lead.get(f"{path_of(case)}/consents"))

    recorded = lead.creates(f"{path_of(case)}/consents", said)
    written = officer.writes_case(submit=True, consents=[said])

    assert problem(recorded) == problem(written) == (422, "adult-spoken-for")
    assert done(lead.get(f"{path_of(case)}/consents")) == before


def test_a_case_whose_person_turns_out_to_be_an_adult_waits_for_their_own_word(
    officer: Someone,
) -> None:
    draft = done(officer.writes_case(notice=MAYBE_A_CHILD, consents=[consent(**GUARDIAN)]))
    set_adult(officer, draft)
    early = officer.does("submit", draft)
    done(officer.creates(f"{path_of(draft)}/consents", consent()))

    assert lacks(early) == [("consent_to_refer", "submitter")]
    assert done(officer.does("submit", draft))["state"] == "submitted"


def test_help_goes_on_when_its_person_is_found_to_be_an_adult_and_is_told_no_more(
    lead: Someone, shelter: Someone, case_with_guardian: Json
) -> None:
    bed = done(lead.refers(case_with_guardian, SHELTER))
    done(shelter.does("accept", bed, promise()))
    before = open_needs(shelter, case_with_guardian)
    shelter.hears()

    set_adult(lead, case_with_guardian)
    after = open_needs(shelter, case_with_guardian)
    more = lead.refers(case_with_guardian, "KZ_LEGAL_AID", service="LEGAL_AID")
    met = shelter.does("start", bed, {"person_met": True})
    done(lead.creates(f"{path_of(case_with_guardian)}/consents", for_services()))

    assert (before, after, open_needs(shelter, case_with_guardian)) == (200, 404, 200)
    assert lacks(more) == [("consent", "sender")]
    assert done(met)["state"] == "in_progress"
    assert "referral.withdrawn" not in kinds(shelter.hears())


def test_another_no_does_not_end_help_that_a_guardian_agreed_to_before(
    lead: Someone, shelter: Someone, case_with_guardian: Json
) -> None:
    bed = done(lead.refers(case_with_guardian, SHELTER))
    done(shelter.does("accept", bed, promise()))
    set_adult(lead, case_with_guardian)

    no = {"purposes": ["REFER"]}
    answer = lead.post(f"{path_of(case_with_guardian)}/consents/withdraw", no)

    assert answer.status_code == 204
    assert shelter.sees(bed)["state"] == "accepted"


def test_what_a_child_said_itself_counts_from_when_it_is_found_to_be_an_adult(
    lead: Someone, shelter: Someone, case_with_guardian: Json
) -> None:
    bed = done(lead.refers(case_with_guardian, SHELTER))
    for own in (consent(), for_services()):
        done(lead.creates(f"{path_of(case_with_guardian)}/consents", own))

    set_adult(lead, case_with_guardian)

    assert done(shelter.does("accept", bed, promise()))["state"] == "accepted"
    assert open_needs(shelter, case_with_guardian) == 200
    assert open_needs(lead, case_with_guardian) == 200


@pytest.mark.parametrize("given_by", GIVEN_BY_OTHERS)
def test_guardian_is_asked_again_when_an_adult_is_found_to_be_a_child_after_all(
    lead: Someone, shelter: Someone, case_with_guardian: Json, given_by: str
) -> None:
    sent = done(
        lead.refers(case_with_guardian, "KZ_LEGAL_AID", service="LEGAL_AID", send=False)
    )
    path = f"{path_of(case_with_guardian)}/consents"
    done(lead.creates(path, for_services(given_by=given_by, purposes=["LEGAL_AID"])))
    bed = done(lead.refers(case_with_guardian, SHELTER))
    done(shelter.does("accept", bed, promise()))
    set_adult(lead, case_with_guardian)

    set_presumed_child(lead, case_with_guardian)

    assert (
        open_needs(shelter, case_with_guardian)
        == open_needs(lead, case_with_guardian)
        == 404
    )
    assert lacks(lead.does("send", sent))[0] == ("consent", "sender")
    assert shelter.sees(bed)["state"] == "accepted"
    due = [until for _, kind, until in lead.waits() if kind == "assess_interests"]
    assert due == ["2026-06-04T12:00:00Z"]
    done(lead.creates(path, for_services(**GUARDIAN)))
    assert open_needs(shelter, case_with_guardian) == 200


def test_what_an_adult_said_does_not_count_while_they_are_held_to_be_a_child(
    lead: Someone, shelter: Someone, case_with_guardian: Json
) -> None:
    bed = done(lead.refers(case_with_guardian, SHELTER))
    done(shelter.does("accept", bed, promise()))
    set_adult(lead, case_with_guardian)
    done(lead.creates(f"{path_of(case_with_guardian)}/consents", for_services()))

    set_presumed_child(lead, case_with_guardian)
    as_child = open_needs(shelter, case_with_guardian)
    set_adult(lead, case_with_guardian)

    assert (as_child, open_needs(shelter, case_with_guardian)) == (404, 200)


def test_an_adult_does_not_return_on_a_guardians_word(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [consent(**GUARDIAN), to_return(**GUARDIAN)]
    home = begin(world, officer, lead, notice=MAYBE_A_CHILD, consents=given)
    home.goes("assess-origin")
    for own in home.consents("RETURN"):
        if own["given_by"] == "person":
            done(lead.post(f"{path_of(home.case)}/consents/{own['id']}/withdraw"))
    set_adult(lead, home.case)
    refused = home.lead.does("go", home.record, {})
    state = home.state

    done(lead.creates(f"{path_of(home.case)}/consents", to_return()))

    assert (lacks(refused), state) == ([("return_consent", "lead")], "assessing")
    assert home.goes("go")["state"] == "cleared"
