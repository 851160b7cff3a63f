"""An unmet requirement describes the consent that the request and the record require.

The required consent never depends on the consents that exist. A consent that does not count
because the person fears the office therefore looks like a missing one (ADR 20, ADR 55).
"""

import pytest

from tests.api.test_fears import (
    NO_LEAD,
    WOMEN,
    build_safeguards,
    consent_to_office,
    submit_to_desk,
)
from tests.api.test_side_of_origin import HOME as GUARDS
from tests.api.test_side_of_origin import LAW
from tests.support.returns import AT_HOME, begin_return
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_unmet,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead and a consent to share only needs with NGOs."""
    given = [make_consent(), make_service_consent(sections=["needs"])]
    return lead.take_lead(officer.submit(consents=given))


def find_consents(unmet: list[Json]) -> list[Json]:
    """Return the consents that unmet requirements, or their alternatives, ask for."""
    found = [one["consent"] for one in unmet if one["consent"]]
    return found + [one for lack in unmet for one in find_consents(lack["alternatives"])]


def build_required(purpose: str, *sections: str, recipient: str | None = None) -> Json:
    return {"purpose": purpose, "sections": [*sections], "recipient": recipient}


def test_referral_without_consent_names_purpose_sections_and_recipient(
    lead: Someone, case: Json
) -> None:
    draft = unwrap(lead.refer(case, SHELTER, sections=["needs", "health"], send=False))
    required = build_required("SHELTER", "health", "needs", recipient=SHELTER)

    refused = lead.does("send", draft)

    assert get_unmet(refused) == [("consent", "sender")]
    assert find_consents(refused.json()["unmet"]) == [required]
    assert find_consents(get_actions(draft)["send"]["unmet"]) == [required]


@pytest.mark.parametrize("given", [True, False])
def test_required_consent_is_the_same_whether_a_feared_office_has_one(
    world: World, officer: Someone, *, given: bool
) -> None:
    desk = world.add_person("DESK_CENTRAL_ASIA")
    consents = [*NO_LEAD, *([consent_to_office(WOMEN, "SHELTER")] if given else [])]
    guards = build_safeguards(WOMEN) if given else {}
    case = submit_to_desk(officer, desk, safeguards=guards, consents=consents, vital=False)

    refused = desk.refer(case, WOMEN, sections=["needs"])

    assert get_unmet(refused) == [("consent", "sender")]
    required = build_required("SHELTER", "needs", recipient=WOMEN)
    assert find_consents(refused.json()["unmet"]) == [required]


def test_requirement_that_is_no_consent_names_none(lead: Someone, case: Json) -> None:
    refused = lead.does("close", case, {"reason": "GOALS_MET", "person_informed": False})

    assert get_unmet(refused)
    assert find_consents(refused.json()["unmet"]) == []


def test_answer_without_consent_names_all_sections_that_it_would_add(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = unwrap(lead.refer(case, SHELTER, sections=["needs"]))
    unwrap(shelter.does("ask", sent, {"topics": ["health"], "question": "Insulin?"}))

    refused = lead.does("answer", sent, {"sections": ["health"], "answer": "Yes"})

    assert get_unmet(refused) == [("consent_to_answer", "sender")]
    required = build_required("SHELTER", "health", "needs", recipient=SHELTER)
    assert find_consents(refused.json()["unmet"]) == [required]


def test_handover_without_consent_names_the_new_lead(lead: Someone, case: Json) -> None:
    refused = lead.offer(case, "UZ_LEAD")

    required = build_required("HANDOVER", recipient="UZ_LEAD")
    assert required in find_consents(refused.json()["unmet"])


def test_submission_without_consent_names_no_recipient(officer: Someone) -> None:
    draft = unwrap(officer.create_case(consents=[]))

    refused = officer.does("submit", draft)

    assert find_consents(refused.json()["unmet"]) == [build_required("REFER")]


def test_office_of_origin_is_not_told_the_recipient_of_a_draft_elsewhere(
    world: World, officer: Someone, lead: Someone
) -> None:
    origin = world.add_person("UZ_LEAD")
    given = [make_consent(), make_handover_consent("UZ_LEAD")]
    case = lead.take_lead(officer.submit(safeguards=GUARDS, consents=given))
    draft = unwrap(lead.refer(case, LAW, service="LEGAL_AID", send=False))
    unwrap(origin.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))

    refused = origin.does("send", draft)

    assert ("consent", "sender") in get_unmet(refused)
    required = [build_required("LEGAL_AID", *draft["sections"])]
    assert find_consents(refused.json()["unmet"]) == required
    assert find_consents(get_actions(origin.read(draft))["send"]["unmet"]) == required
    assert LAW not in refused.text


def test_return_without_consents_names_purposes_and_sections_alone(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin_return(world, officer, lead)
    home.advance("assess-destination")

    refused = home.does("home", "assess-origin", AT_HOME | {"family": "CAN_RECEIVE"})

    assert find_consents(refused.json()["unmet"]) == [build_required("FAMILY_TRACING")]
