"""Nobody speaks for an adult, and who was held to be a child is asked anew."""

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
OF_ANOTHER = ["guardian_with_assent", "best_interests_decision"]


@pytest.fixture
def spoken_for(officer: Someone, lead: Someone) -> Json:
    """A case of a presumed child that is led, with a guardian's consents."""
    given = [consent(**GUARDIAN), for_services(**GUARDIAN)]
    return lead.leads(officer.submits(notice=MAYBE_A_CHILD, consents=given))


def grows_up(who: Someone, case: Json) -> None:
    """Mend the age: the person turned out to be an adult."""
    seen = {"If_Match": who.tag(case)}
    done(who.ask("PATCH", path_of(case), {"age_class": "adult"}, headers=seen))


def is_a_child_again(who: Someone, case: Json) -> None:
    """Mend the age once more: the person may be a child after all."""
    seen = {"If_Match": who.tag(case)}
    done(who.ask("PATCH", path_of(case), MAYBE_A_CHILD, headers=seen))


def needs_of(who: Someone, case: Json) -> int:
    """How an office is answered that opens what the person needs."""
    return who.opens(f"{path_of(case)}/sections/needs").status_code


@pytest.mark.parametrize("given_by", OF_ANOTHER)
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
    grows_up(officer, draft)
    early = officer.does("submit", draft)
    done(officer.creates(f"{path_of(draft)}/consents", consent()))

    assert lacks(early) == [("consent_to_refer", "submitter")]
    assert done(officer.does("submit", draft))["state"] == "submitted"


def test_help_goes_on_when_its_person_is_found_to_be_an_adult_and_is_told_no_more(
    lead: Someone, shelter: Someone, spoken_for: Json
) -> None:
    bed = done(lead.refers(spoken_for, SHELTER))
    done(shelter.does("accept", bed, promise()))
    before = needs_of(shelter, spoken_for)
    shelter.hears()

    grows_up(lead, spoken_for)
    after = needs_of(shelter, spoken_for)
    more = lead.refers(spoken_for, "KZ_LEGAL_AID", service="LEGAL_AID")
    met = shelter.does("start", bed, {"person_met": True})
    done(lead.creates(f"{path_of(spoken_for)}/consents", for_services()))

    assert (before, after, needs_of(shelter, spoken_for)) == (200, 404, 200)
    assert lacks(more) == [("consent", "sender")]
    assert done(met)["state"] == "in_progress"
    assert "referral.withdrawn" not in kinds(shelter.hears())


def test_another_no_does_not_end_help_that_a_guardian_agreed_to_before(
    lead: Someone, shelter: Someone, spoken_for: Json
) -> None:
    bed = done(lead.refers(spoken_for, SHELTER))
    done(shelter.does("accept", bed, promise()))
    grows_up(lead, spoken_for)

    no = {"purposes": ["REFER"]}
    answer = lead.post(f"{path_of(spoken_for)}/consents/withdraw", no)

    assert answer.status_code == 204
    assert shelter.sees(bed)["state"] == "accepted"


def test_what_a_child_said_itself_counts_from_when_it_is_found_to_be_an_adult(
    lead: Someone, shelter: Someone, spoken_for: Json
) -> None:
    bed = done(lead.refers(spoken_for, SHELTER))
    for own in (consent(), for_services()):
        done(lead.creates(f"{path_of(spoken_for)}/consents", own))

    grows_up(lead, spoken_for)

    assert done(shelter.does("accept", bed, promise()))["state"] == "accepted"
    assert needs_of(shelter, spoken_for) == 200
    assert needs_of(lead, spoken_for) == 200


@pytest.mark.parametrize("given_by", OF_ANOTHER)
def test_guardian_is_asked_again_when_an_adult_is_found_to_be_a_child_after_all(
    lead: Someone, shelter: Someone, spoken_for: Json, given_by: str
) -> None:
    sent = done(lead.refers(spoken_for, "KZ_LEGAL_AID", service="LEGAL_AID", send=False))
    path = f"{path_of(spoken_for)}/consents"
    done(lead.creates(path, for_services(given_by=given_by, purposes=["LEGAL_AID"])))
    bed = done(lead.refers(spoken_for, SHELTER))
    done(shelter.does("accept", bed, promise()))
    grows_up(lead, spoken_for)

    is_a_child_again(lead, spoken_for)

    assert needs_of(shelter, spoken_for) == needs_of(lead, spoken_for) == 404
    assert lacks(lead.does("send", sent))[0] == ("consent", "sender")
    assert shelter.sees(bed)["state"] == "accepted"
    due = [until for _, kind, until in lead.waits() if kind == "assess_interests"]
    assert due == ["2026-06-04T12:00:00Z"]
    done(lead.creates(path, for_services(**GUARDIAN)))
    assert needs_of(shelter, spoken_for) == 200


def test_what_an_adult_said_does_not_count_while_they_are_held_to_be_a_child(
    lead: Someone, shelter: Someone, spoken_for: Json
) -> None:
    bed = done(lead.refers(spoken_for, SHELTER))
    done(shelter.does("accept", bed, promise()))
    grows_up(lead, spoken_for)
    done(lead.creates(f"{path_of(spoken_for)}/consents", for_services()))

    is_a_child_again(lead, spoken_for)
    as_child = needs_of(shelter, spoken_for)
    grows_up(lead, spoken_for)

    assert (as_child, needs_of(shelter, spoken_for)) == (404, 200)


def test_an_adult_does_not_return_on_a_guardians_word(
    world: World, officer: Someone, lead: Someone
) -> None:
    given = [consent(**GUARDIAN), to_return(**GUARDIAN)]
    home = begin(world, officer, lead, notice=MAYBE_A_CHILD, consents=given)
    home.goes("assess-origin")
    for own in home.consents("RETURN"):
        if own["given_by"] == "person":
            done(lead.post(f"{path_of(home.case)}/consents/{own['id']}/withdraw"))
    grows_up(lead, home.case)
    refused = home.lead.does("go", home.record, {})
    state = home.state

    done(lead.creates(f"{path_of(home.case)}/consents", to_return()))

    assert (lacks(refused), state) == ([("return_consent", "lead")], "assessing")
    assert home.goes("go")["state"] == "cleared"
