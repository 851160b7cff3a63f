"""Tests that an unsafe office loses the case at once and does not learn the reason."""

import pytest

from app.cases import actions as cases
from app.cases import queries
from app.cases.sections import Paper, Safeguards
from tests.support.world import (
    Json,
    Someone,
    World,
    actions,
    consent,
    contacts,
    done,
    for_services,
    kinds,
    lacks,
    problem,
    promise,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
ALSO_NGOS = [
    consent(),
    consent(recipient_class={"kind": "non_state", "country": "KZ"}),
    for_services(),
]


@pytest.fixture
def ngo(world: World) -> Someone:
    """An NGO of Kazakhstan that can lead."""
    return world.someone("SANA_SEZIM")


def replace_safeguards(who: Someone, case: Json, **content: object) -> Json:
    """Replace the safeguards of a case."""
    path, headers = f"/cases/{case['code']}/safeguards", {"If_Match": who.tag(case)}
    return done(
        who.ask("PUT", path, {"country_of_origin": "UZ"} | content, headers=headers)
    )


UNSAFE: list[Json] = [
    {"unsafe_focal_points": ["KZ_LEAD"]},
    {"country_of_origin": "KZ", "fear_of_state": True},
    {"country_of_origin": None, "fear_of_state": True},
    {"country_of_origin": None, "seeks_asylum": True},
    {"country_of_origin": None, "official_implicated": True},
    {"country_of_origin": None, "origin_contact": "blocked"},
]
IDS = ["named", "feared", "fear", "asylum", "official", "blocked"]


@pytest.mark.parametrize("content", UNSAFE, ids=IDS)
@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_candidate_that_turns_out_to_be_unsafe_loses_the_case_at_once(
    officer: Someone, lead: Someone, ngo: Someone, content: Json, *, acknowledged: bool
) -> None:
    case = officer.submits(consents=ALSO_NGOS)
    if acknowledged:
        done(lead.does("acknowledge", case))

    written = replace_safeguards(officer, case, **content)

    assert (written["state"], written["holder"]) == ("submitted", "SANA_SEZIM")
    assert lead.get(f"/cases/{case['code']}").status_code == 404
    assert ngo.sees(case)["you_are"] == ["candidate"]
    assert done(lead.get("/worklist"))["items"] == []
    routing = done(officer.get(f"/cases/{case['code']}/routing"))
    assert [one["declined_at"] for one in routing["candidates"][:2]] == [None, None]
    told = lead.hears()[-1]
    assert (told["type"], told["by"]) == ("case.rerouted", None)
    assert told["facts"] == {"state": "submitted"}


def test_who_loses_a_case_sees_no_word_of_safeguards(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits(consents=ALSO_NGOS)
    done(lead.does("acknowledge", case))
    before = len(lead.hears())

    replace_safeguards(officer, case, unsafe_focal_points=["KZ_LEAD"])

    everything = done(lead.get("/events", limit=200))["items"]
    assert kinds(everything[before:]) == ["case.rerouted"]
    assert "safeguard" not in lead.get("/events", limit=200).text
    left = ("", "/routing", "/history", "/evidence", "/consents", "/safeguards")
    answers = [lead.opens(f"/cases/{case['code']}{path}") for path in left]
    assert {problem(answer) for answer in answers} == {(404, "not-found")}


def test_when_nobody_safe_is_left_the_desk_has_it(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submits()

    written = replace_safeguards(officer, case, unsafe_focal_points=["KZ_LEAD"])

    assert written["holder"] == "DESK_CENTRAL_ASIA"
    assert world.someone("DESK_CENTRAL_ASIA").sees(case)["you_are"] == ["desk"]
    assert lead.get(f"/cases/{case['code']}").status_code == 404


def test_a_candidate_that_is_still_safe_keeps_the_case(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits(consents=ALSO_NGOS)

    replace_safeguards(
        officer, case, unsafe_focal_points=["SANA_SEZIM"], fear_of_state=True
    )

    assert lead.sees(case)["holder"] == "KZ_LEAD"
    assert "case.rerouted" not in kinds(lead.hears())


@pytest.mark.parametrize("steps", [[], ["acknowledge"], ["accept"], ["accept", "start"]])
def test_what_was_sent_to_one_that_is_unsafe_is_taken_back_without_a_word_of_why(
    officer: Someone, lead: Someone, shelter: Someone, lawyer: Someone, steps: list[str]
) -> None:
    case = lead.leads(officer.submits())
    sent = done(lead.refers(case, SHELTER))
    advice = done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    bodies = {"accept": promise(), "start": {"person_met": True}}
    for step in steps:
        done(shelter.does(step, sent, bodies.get(step)))
    shelter.hears()

    replace_safeguards(lead, case, unsafe_focal_points=[SHELTER])

    [told] = shelter.hears()
    assert (told["type"], told["by"]) == ("referral.withdrawn", None)
    assert told["facts"] == {
        "state": "withdrawn",
        "service": "SHELTER",
        "reason": "NO_LONGER_NEEDED",
    }
    assert shelter.sees(sent)["state"] == "withdrawn"
    assert lawyer.sees(advice)["state"] == "sent"
    assert lead.sees(case)["state"] == "referring"
    seen = [
        shelter.get(path).text for path in ("/events?limit=200", "/cases", "/referrals")
    ]
    assert "safeguard" not in "".join(seen)
    assert "unsafe" not in "".join(seen)


def test_a_draft_to_one_that_is_unsafe_stays_a_draft(
    officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits())
    draft = done(lead.refers(case, SHELTER, send=False))

    replace_safeguards(lead, case, unsafe_focal_points=[SHELTER])

    assert lead.sees(draft)["state"] == "draft"
    assert lacks(lead.does("send", draft)) == [("recipient_safe", "sender")]


def seal_safeguards_directly(who: Someone, case: Json, unsafe: str) -> None:
    """Seal safeguards without their effects, as if another action ran concurrently."""
    content = Safeguards(country_of_origin="UZ", unsafe_focal_points=[unsafe])
    with who.writing() as work:
        cases.seal(work, queries.get(work, case["code"]), Paper.SAFEGUARDS, content)


def test_no_lead_is_accepted_by_one_that_is_not_safe_and_it_still_may_decline(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits(consents=ALSO_NGOS)
    seal_safeguards_directly(officer, case, "SANA_SEZIM")
    done(lead.does("acknowledge", case))
    seal_safeguards_directly(officer, case, "KZ_LEAD")

    refused = lead.does("accept-lead", case, {"contacts": contacts()})

    assert lacks(refused) == [("recipient_safe", "candidate")]
    assert not actions(lead.sees(case))["accept_lead"]["open"]
    declined = lead.does("decline-lead", case, {"reason": "OUT_OF_MANDATE"})
    assert declined.status_code == 204


def test_nothing_is_acknowledged_by_one_that_is_not_safe(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits(consents=ALSO_NGOS)
    seal_safeguards_directly(officer, case, "KZ_LEAD")

    assert lacks(lead.does("acknowledge", case)) == [("recipient_safe", "candidate")]


def test_no_referral_is_accepted_by_one_that_is_not_safe(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.leads(officer.submits())
    sent = done(lead.refers(case, SHELTER))
    seal_safeguards_directly(lead, case, SHELTER)

    refused = shelter.does("accept", sent, promise())

    assert lacks(refused) == [("consent", "sender")]  # The consequence of a fear (ADR 20).


def test_what_is_counted_or_written_is_for_who_keeps_the_case(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = officer.submits()
    early = officer.sees(case)
    lead.leads(case)
    done(lead.refers(case, SHELTER))
    indicators = {"section": "indicators", "codes": ["ILO11_09"]}
    path, seen = f"/cases/{case['code']}/sections/indicators", {"If_Match": lead.tag(case)}
    done(lead.ask("PUT", path, indicators, headers=seen))
    oversight = world.someone("OVERSIGHT_DEMO")

    kept, submitted, *others = (w.sees(case) for w in (lead, officer, shelter, oversight))

    own = ["needs", "contact", "identity", "narrative", "health"]
    assert (early["version"], early["risk"]["level"]) == (1 + 1, "medium")
    assert isinstance(kept["version"], int)
    assert set(kept["sections"]) == {*own, "indicators"}
    assert kept["risk"]["level"] == "medium"
    assert (submitted["version"], submitted["risk"]) == (None, None)
    assert submitted["sections"] == own
    for other in others:
        assert (other["version"], other["risk"], other["sections"]) == (None, None, [])
