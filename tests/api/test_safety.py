"""An office that becomes unsafe loses the case at once and does not learn the reason."""

import pytest

from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases.sections import Paper, Safeguards
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_problem,
    get_unmet,
    list_types,
    make_acceptance,
    make_consent,
    make_contacts,
    make_service_consent,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
ALSO_NGOS = [
    make_consent(),
    make_consent(recipient_class={"kind": "non_state", "country": "KZ"}),
    make_service_consent(),
]


@pytest.fixture
def ngo(world: World) -> Someone:
    """Return a person of an NGO in Kazakhstan that can lead cases."""
    return world.add_person("SANA_SEZIM")


def replace_safeguards(who: Someone, case: Json, **content: object) -> Json:
    """Replace the safeguards of a case."""
    path, headers = f"/cases/{case['code']}/safeguards", {"If_Match": who.get_tag(case)}
    return unwrap(
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
    case = officer.submit(consents=ALSO_NGOS)
    if acknowledged:
        unwrap(lead.does("acknowledge", case))

    written = replace_safeguards(officer, case, **content)

    assert (written["state"], written["holder"]) == ("submitted", "SANA_SEZIM")
    assert lead.get(f"/cases/{case['code']}").status_code == 404
    assert ngo.read(case)["you_are"] == ["candidate"]
    assert unwrap(lead.get("/worklist"))["items"] == []
    routing = unwrap(officer.get(f"/cases/{case['code']}/routing"))
    assert [one["declined_at"] for one in routing["candidates"][:2]] == [None, None]
    event = lead.poll()[-1]
    assert (event["type"], event["by"]) == ("case.rerouted", None)
    assert event["facts"] == {"state": "submitted"}


def test_who_loses_a_case_sees_no_word_of_safeguards(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=ALSO_NGOS)
    unwrap(lead.does("acknowledge", case))
    before = len(lead.poll())

    replace_safeguards(officer, case, unsafe_focal_points=["KZ_LEAD"])

    everything = unwrap(lead.get("/events", limit=200))["items"]
    assert list_types(everything[before:]) == ["case.rerouted"]
    assert "safeguard" not in lead.get("/events", limit=200).text
    left = ("", "/routing", "/history", "/evidence", "/consents", "/safeguards")
    answers = [lead.open(f"/cases/{case['code']}{path}") for path in left]
    assert {get_problem(answer) for answer in answers} == {(404, "not-found")}


def test_when_nobody_safe_is_left_the_desk_has_it(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit()

    written = replace_safeguards(officer, case, unsafe_focal_points=["KZ_LEAD"])

    assert written["holder"] == "DESK_CENTRAL_ASIA"
    assert world.add_person("DESK_CENTRAL_ASIA").read(case)["you_are"] == ["desk"]
    assert lead.get(f"/cases/{case['code']}").status_code == 404


def test_a_candidate_that_is_still_safe_keeps_the_case(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=ALSO_NGOS)

    replace_safeguards(
        officer, case, unsafe_focal_points=["SANA_SEZIM"], fear_of_state=True
    )

    assert lead.read(case)["holder"] == "KZ_LEAD"
    assert "case.rerouted" not in list_types(lead.poll())


@pytest.mark.parametrize("steps", [[], ["acknowledge"], ["accept"], ["accept", "start"]])
def test_what_was_sent_to_one_that_is_unsafe_is_taken_back_without_a_word_of_why(
    officer: Someone, lead: Someone, shelter: Someone, lawyer: Someone, steps: list[str]
) -> None:
    case = lead.take_lead(officer.submit())
    sent = unwrap(lead.refer(case, SHELTER))
    advice = unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    bodies = {"accept": make_acceptance(), "start": {"person_met": True}}
    for step in steps:
        unwrap(shelter.does(step, sent, bodies.get(step)))
    shelter.poll()

    replace_safeguards(lead, case, unsafe_focal_points=[SHELTER])

    [event] = shelter.poll()
    assert (event["type"], event["by"]) == ("referral.withdrawn", None)
    assert event["facts"] == {
        "state": "withdrawn",
        "service": "SHELTER",
        "reason": "NO_LONGER_NEEDED",
    }
    assert shelter.read(sent)["state"] == "withdrawn"
    assert lawyer.read(advice)["state"] == "sent"
    assert lead.read(case)["state"] == "referring"
    seen = [
        shelter.get(path).text for path in ("/events?limit=200", "/cases", "/referrals")
    ]
    assert "safeguard" not in "".join(seen)
    assert "unsafe" not in "".join(seen)


def test_a_draft_to_one_that_is_unsafe_stays_a_draft(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    draft = unwrap(lead.refer(case, SHELTER, send=False))

    replace_safeguards(lead, case, unsafe_focal_points=[SHELTER])

    assert lead.read(draft)["state"] == "draft"
    assert get_unmet(lead.does("send", draft)) == [("recipient_safe", "sender")]


def seal_safeguards_directly(who: Someone, case: Json, unsafe: str) -> None:
    """Store safeguards without applying their effects.

    A concurrent action may find a case in this state.
    """
    content = Safeguards(country_of_origin="UZ", unsafe_focal_points=[unsafe])
    with who.begin_write() as tx:
        case_actions.replace_sealed(
            tx, case_queries.get(tx, case["code"]), Paper.SAFEGUARDS, content
        )


def test_no_lead_is_accepted_by_one_that_is_not_safe_and_it_still_may_decline(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=ALSO_NGOS)
    seal_safeguards_directly(officer, case, "SANA_SEZIM")
    unwrap(lead.does("acknowledge", case))
    seal_safeguards_directly(officer, case, "KZ_LEAD")

    refused = lead.does("accept-lead", case, {"contacts": make_contacts()})

    assert get_unmet(refused) == [("recipient_safe", "candidate")]
    assert not get_actions(lead.read(case))["accept_lead"]["open"]
    declined = lead.does("decline-lead", case, {"reason": "OUT_OF_MANDATE"})
    assert declined.status_code == 204


def test_nothing_is_acknowledged_by_one_that_is_not_safe(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=ALSO_NGOS)
    seal_safeguards_directly(officer, case, "KZ_LEAD")

    assert get_unmet(lead.does("acknowledge", case)) == [("recipient_safe", "candidate")]


def test_no_referral_is_accepted_by_one_that_is_not_safe(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    sent = unwrap(lead.refer(case, SHELTER))
    seal_safeguards_directly(lead, case, SHELTER)

    refused = shelter.does("accept", sent, make_acceptance())

    assert get_unmet(refused) == [
        ("consent", "sender")
    ]  # The true reason would reveal the fear (ADR 20).


def test_what_is_counted_or_written_is_for_who_keeps_the_case(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = officer.submit()
    early = officer.read(case)
    lead.take_lead(case)
    unwrap(lead.refer(case, SHELTER))
    indicators = {"section": "indicators", "codes": ["ILO11_09"]}
    path, seen = (
        f"/cases/{case['code']}/sections/indicators",
        {"If_Match": lead.get_tag(case)},
    )
    unwrap(lead.ask("PUT", path, indicators, headers=seen))
    oversight = world.add_person("OVERSIGHT_DEMO")

    kept, submitted, *others = (w.read(case) for w in (lead, officer, shelter, oversight))

    own = ["needs", "contact", "identity", "narrative", "health"]
    assert (early["version"], early["risk"]["level"]) == (1 + 1, "medium")
    assert isinstance(kept["version"], int)
    assert set(kept["sections"]) == {*own, "indicators"}
    assert kept["risk"]["level"] == "medium"
    assert (submitted["version"], submitted["risk"]) == (None, None)
    assert submitted["sections"] == own
    for other in others:
        assert (other["version"], other["risk"], other["sections"]) == (None, None, [])
