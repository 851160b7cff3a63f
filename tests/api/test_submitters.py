"""Tests that a submitter reads its own text and only the steps after submission (R12)."""

from collections.abc import Callable

import pytest

from app.cases import queries
from app.casework import carrying
from app.kernel.actors import Role
from tests.support.world import (
    ALL_SECTIONS,
    Json,
    Someone,
    World,
    consent,
    done,
    for_handover,
    for_services,
    kinds,
    lacks,
    path_of,
    problem,
    promise,
    taking,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
HOME: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}
CLAIM: Json = {"country_of_origin": "UZ", "seeks_asylum": True, "fear_of_state": True}
STATE_OF_UZ = consent(recipient_class={"kind": "state", "country": "UZ"})
ASK: Json = {"topics": ["needs"], "question": "Which languages?"}
REST: Json = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}
OPENED = ("", "/history", "/evidence", "/consents", "/facts", "/questions", "/routing")
SEALED = ("safeguards", "safeguards/history", "notes", "contacts", "safety-notice")
LISTS = (
    *("/cases", "/cases?priority=urgent", "/cases?priority=emergency"),
    *("/cases?country=KZ", "/cases?country=UZ", "/cases?state=referring"),
    *("/referrals", "/handovers", "/worklist", "/approvals", "/events"),
)


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """A case from the consulate that Kazakhstan leads, with a question to the consulate."""
    case = lead.leads(officer.submits(safeguards=HOME))
    done(lead.creates(f"{path_of(case)}/consents", for_handover("UNHCR")))
    done(lead.creates(f"{path_of(case)}/questions", ASK))
    return case


def read_everything(who: Someone, case: Json) -> dict[str, tuple[int, str, str | None]]:
    """Return everything that an office can read about a case, with the entity tags."""
    path = path_of(case)
    of_case = [f"{path}{part}" for part in (*OPENED, "/recipients", "/access-log")]
    sealed = [f"sections/{name}" for name in ALL_SECTIONS] + [*SEALED]
    answers = {
        one: who.opens(one)
        for one in (*of_case, *(f"{path}/{paper}" for paper in sealed), *LISTS)
    }
    return {
        one: (a.status_code, plain(a.json()), a.headers.get("ETag"))
        for one, a in answers.items()
    }


def plain(body: Json) -> str:
    """Return the body without the identifier of the request."""
    return str({name: said for name, said in body.items() if name != "instance"})


def replace_part(who: Someone, case: Json, part: str, content: Json) -> None:
    match = {"If_Match": who.tag(case)}
    done(who.ask("PUT", f"{path_of(case)}/{part}", content, headers=match))


def claim_asylum(lead: Someone, case: Json) -> None:
    replace_part(lead, case, "safeguards", CLAIM)


def update_summary(lead: Someone, case: Json) -> None:
    changes = {"services": ["ASYLUM", "LEGAL_AID"], "priority": "emergency"}
    match = {"If_Match": lead.tag(case)}
    done(lead.ask("PATCH", path_of(case), changes, headers=match))


def refer_for_asylum(lead: Someone, case: Json) -> None:
    named = for_services("intergovernmental", purposes=["ASYLUM"])
    done(lead.creates(f"{path_of(case)}/consents", named))
    done(lead.refers(case, "UNHCR", service="ASYLUM"))


def add_risk_assessment(lead: Someone, case: Json) -> None:
    done(lead.creates(f"{path_of(case)}/risk-assessments", {"level": "high"}))


def relocate_case(lead: Someone, case: Json) -> None:
    done(lead.does("relocate", case, {"country": "UZ", "note": "Termez"}))


def add_fact(lead: Someone, case: Json) -> None:
    fact = {"name": "reflection_period", "value": "offered", "country": "KZ"}
    done(lead.creates(f"{path_of(case)}/facts", fact))


def add_screening(lead: Someone, case: Json) -> None:
    done(lead.screens(case))


def offer_handover(lead: Someone, case: Json) -> None:
    done(lead.offers(case, "UNHCR"))


def replace_contacts(lead: Someone, case: Json) -> None:
    other = lead.sees(case) | {"contacts": [{"name": "A", "phone": "+77010000001"}]}
    people = [*other["contacts"], {"name": "B", "phone": "+77010000002"}]
    replace_part(lead, case, "contacts", {"contacts": people})


@pytest.mark.parametrize(
    "does",
    [
        *(
            claim_asylum,
            update_summary,
            refer_for_asylum,
            add_risk_assessment,
            relocate_case,
        ),
        *(add_fact, add_screening, offer_handover, replace_contacts),
    ],
)
def test_whatever_a_lead_writes_the_submitter_reads_the_same_as_before(
    world: World,
    officer: Someone,
    lead: Someone,
    case: Json,
    does: Callable[[Someone, Json], None],
) -> None:
    before, whole = read_everything(officer, case), lead.sees(case)
    world.passes(minutes=1)

    does(lead, case)

    assert read_everything(officer, case) == before
    assert lead.sees(case) != whole


def test_a_submitter_that_fears_nothing_reads_as_much_as_one_that_is_feared(
    officer: Someone, lead: Someone, case: Json
) -> None:
    path = path_of(case)
    claim_asylum(lead, case)
    update_summary(lead, case)

    shown = officer.sees(case)
    safeguards = done(officer.opens(f"{path}/safeguards"))

    assert shown["notice"]["services"] == ["LEGAL_AID", "SHELTER"]
    assert (shown["notice"]["priority"], shown["lead"]) == ("urgent", "KZ_LEAD")
    assert safeguards["content"]["seeks_asylum"] is False
    assert safeguards["author"] == "UZ_CONSULATE_ALMATY"
    assert done(officer.opens(f"{path}/safeguards/history"))["items"] == []
    assert done(lead.opens(f"{path}/safeguards"))["content"]["seeks_asylum"] is True
    assert len(done(lead.opens(f"{path}/safeguards/history"))["items"]) == 1
    assert "Which languages?" in [text for _, text in officer.notes(case)]


def test_who_is_feared_is_asked_nothing_more_and_is_not_told_so(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    claim_asylum(lead, case)
    officer.hears()

    refused = lead.creates(f"{path_of(case)}/questions", ASK)

    assert lacks(refused) == [("recipient_safe", "holder")]
    assert officer.hears() == []
    other = officer.submits(consents=[consent(focal_point=SHELTER)], safeguards=CLAIM)
    desk = world.someone("DESK_CENTRAL_ASIA")
    assert desk.creates(f"{path_of(other)}/questions", ASK).is_success


@pytest.mark.parametrize(
    ("action", "body", "told"),
    [
        ("suspend", REST, {"state": "suspended"}),
        ("stop", {"reason": "CONSENT_WITHDRAWN"}, {"state": "closed"}),
        ("monitor", {}, {"state": "monitoring"}),
    ],
)
def test_a_submitter_hears_that_a_step_was_taken_and_not_why(  # noqa: PLR0913, PLR0917
    officer: Someone, lead: Someone, case: Json, action: str, body: Json, told: Json
) -> None:
    officer.hears(), lead.hears()

    done(lead.does(action, case, body))

    [event] = officer.hears()
    assert (event["by"], event["facts"]) == ("KZ_LEAD", told)
    assert lead.hears()[-1]["facts"] == told | {
        name: said for name, said in body.items() if name == "reason"
    }
    shown = officer.sees(case)
    assert (shown["due_at"], shown["closure_reason"]) == (None, None)
    assert shown["state"] == told["state"]


def test_a_submitter_is_not_told_who_leads_next(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    world.passes(minutes=1)
    unhcr = world.someone("UNHCR")
    offered = done(lead.offers(case, "UNHCR"))
    officer.hears()

    done(unhcr.does("accept", offered, taking()))
    done(unhcr.creates(f"{path_of(case)}/questions", ASK))

    heard = officer.hears()
    assert kinds(heard) == ["case.handed_over", "case.asked"]
    assert [event["by"] for event in heard] == [None, None]
    shown = officer.sees(case)
    assert (shown["lead"], shown["holder"]) == (None, None)
    asked = done(officer.get(f"{path_of(case)}/questions"))["items"]
    assert [one["asked_by"] for one in asked] == ["KZ_LEAD", None]
    notes = done(officer.opens(f"{path_of(case)}/notes"))["items"]
    asking = [n["author"] for n in notes if n["text"] == "Which languages?"]
    assert asking == ["KZ_LEAD", None]
    for answer in read_everything(officer, case).values():
        assert "UNHCR" not in answer[1]


def test_a_submitter_goes_on_reading_its_own_until_the_case_is_closed(
    officer: Someone, lead: Someone, case: Json
) -> None:
    claim_asylum(lead, case)

    for section in ALL_SECTIONS:
        assert officer.opens(f"{path_of(case)}/sections/{section}").is_success
    assert officer.sees(case)["sections"] == sorted(
        ALL_SECTIONS, key=["needs", "contact", "identity", "narrative", "health"].index
    )
    assert len(done(officer.get(f"{path_of(case)}/consents"))["items"]) == 2


def create_case_abroad(
    world: World, officer: Someone, lead: Someone, *, unled: bool
) -> Json:
    """Return a case led in another country, moved there before or after acceptance."""
    given = [consent(), STATE_OF_UZ]
    case = officer.submits(consents=given, safeguards={"country_of_origin": "TM"})
    there = world.someone("UZ_LEAD")
    done(lead.does("acknowledge", case))
    world.passes(hours=1)
    if unled:
        assert lead.does("relocate", case, {"country": "UZ"}).status_code == 204
        there.leads(case)
        return case
    done(lead.does("accept-lead", case, {"contacts": promise()["contacts"]}))
    done(lead.creates(f"{path_of(case)}/consents", for_handover("UZ_LEAD")))
    world.passes(hours=1)
    done(lead.does("relocate", case, {"country": "UZ"}))
    [offered] = done(there.get("/handovers"))["items"]
    done(there.does("accept", offered, taking()))
    return case


@pytest.mark.parametrize("unled", [True, False])
def test_nothing_tells_a_submitter_that_there_was_a_border(
    world: World, officer: Someone, lead: Someone, *, unled: bool
) -> None:
    case = create_case_abroad(world, officer, lead, unled=unled)
    there = world.someone("UZ_LEAD")

    shown, got = officer.sees(case), read_everything(officer, case)

    assert (shown["notice"]["country"], shown["lead"], shown["holder"]) == (
        "KZ",
        None,
        None,
    )
    assert there.sees(case)["notice"]["country"] == "UZ"
    for path, (_, text, _) in got.items():
        assert "UZ_LEAD" not in text, path
    assert "case.relocated" not in kinds(officer.hears())
    [here] = done(officer.get("/cases", country="KZ"))["items"]
    assert here["code"] == case["code"]
    assert done(officer.get("/cases", country="UZ"))["items"] == []
    assert [c["code"] for c in done(there.get("/cases", country="UZ"))["items"]] == [
        case["code"]
    ]


def test_a_second_border_does_not_tell_of_the_first(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = create_case_abroad(world, officer, lead, unled=True)
    there = world.someone("UZ_LEAD")
    world.passes(hours=1)

    done(there.does("relocate", case, {"country": "KZ"}))

    by = {
        e["type"]: e["by"] for e in done(officer.get(f"{path_of(case)}/history"))["items"]
    }
    assert by["case.lead_accepted"] is None
    evidence = done(officer.get(f"{path_of(case)}/evidence"))["items"]
    assert [one["recipient"] for one in evidence] == ["KZ_LEAD"]


def test_a_submitter_mends_its_own_notice_of_a_case_that_crossed_a_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submits(consents=[consent(), STATE_OF_UZ], safeguards={})
    world.passes(minutes=1)
    assert lead.does("relocate", case, {"country": "UZ"}).status_code == 204
    seen = officer.sees(case)

    def mended(**changes: str) -> tuple[int, str]:
        match = {"If_Match": officer.tag(case)}
        said = officer.ask("PATCH", path_of(case), changes, headers=match)
        return (said.status_code, said.json().get("type", ""))

    assert (seen["notice"]["country"], seen["holder"], seen["due_at"]) == ("KZ", None, None)
    assert mended(country="KZ", language="ru") == (200, "")
    assert mended(country="UZ") == mended(country="TM")
    assert mended(country="UZ") == (409, "/problems/country-fixed")
    there = world.someone("UZ_LEAD")
    for one, country in ((officer, "KZ"), (there, "UZ")):
        notice = one.sees(case)["notice"]
        assert (notice["country"], notice["language"]) == (country, "ru")


def test_who_submits_and_leads_reads_the_notice_as_it_is(world: World) -> None:
    ngo = world.someone("SANA_SEZIM")
    named = consent(recipient_class={"kind": "non_state", "country": "KZ"})
    case = ngo.leads(ngo.submits(consents=[named]))

    match = {"If_Match": ngo.tag(case)}
    mended = done(ngo.ask("PATCH", path_of(case), {"language": "ru"}, headers=match))

    assert mended["notice"]["language"] == "ru"
    assert (mended["lead"], mended["due_at"] is None) == ("SANA_SEZIM", False)
    assert kinds(ngo.hears())[-1] == "case.notice_changed"


def test_a_submitter_of_no_state_calls_the_lead_whether_it_is_feared_or_not(
    world: World, lead: Someone
) -> None:
    ngo = world.someone("SANA_SEZIM")
    case = lead.leads(ngo.submits(consents=[consent(), for_handover("IOM")]))
    path = f"{path_of(case)}/contacts"
    before = ngo.opens(path).json()

    replace_part(lead, case, "safeguards", {"unsafe_focal_points": ["SANA_SEZIM"]})
    feared = ngo.opens(path).json()
    world.passes(minutes=1)
    done(world.someone("IOM").does("accept", done(lead.offers(case, "IOM")), taking()))

    assert before == feared
    assert problem(ngo.opens(path)) == (404, "not-found")


def test_what_a_helper_finds_out_before_a_lead_does_not_name_it_to_the_submitter(
    world: World, officer: Someone, lead: Someone
) -> None:
    named = for_services("non_state", purposes=["GUARDIANSHIP"])
    case = officer.submits(consents=[consent(), named])
    done(lead.does("acknowledge", case))
    sent = done(lead.refers(case, SHELTER, service="GUARDIANSHIP"))
    helper = world.someone(SHELTER)
    done(helper.does("accept", sent, promise()))

    fact = {"name": "guardian", "value": "needed"}
    done(helper.creates(f"{path_of(case)}/facts", fact))

    facts = f"{path_of(case)}/facts"
    told = {one.code: done(one.get(facts))["items"] for one in (officer, lead, helper)}
    assert [fact["recorded_by"] for fact in told["KZ_LEAD"]] == [SHELTER]
    assert [fact["recorded_by"] for fact in told[SHELTER]] == [SHELTER]
    assert [fact["recorded_by"] for fact in told["UZ_CONSULATE_ALMATY"]] == [None]


def test_one_helper_is_not_told_who_else_finds_out_the_same(
    world: World, lead: Someone, case: Json
) -> None:
    named = for_services("non_state", purposes=["GUARDIANSHIP"])
    done(lead.creates(f"{path_of(case)}/consents", named))
    helpers = [world.someone(code) for code in (SHELTER, "KZ_SHELTER_TANSHOLPAN")]
    for helper in helpers:
        sent = done(lead.refers(case, helper.code, service="GUARDIANSHIP"))
        done(helper.does("accept", sent, promise()))
        fact = {"name": "guardian", "value": "needed"}
        done(helper.creates(f"{path_of(case)}/facts", fact))

    facts = [done(h.get(f"{path_of(case)}/facts"))["items"] for h in helpers]

    assert [[f["recorded_by"] for f in known] for known in facts] == [
        [SHELTER, None],
        [None, "KZ_SHELTER_TANSHOLPAN"],
    ]


def test_a_case_that_is_escalated_tells_its_submitter_no_more(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    world.passes(days=21)
    before = officer.sees(case)

    with lead.writing() as work:
        carrying.escalate(work, queries.lock(work, case["code"]))

    assert officer.sees(case) == before


def test_once_all_is_erased_old_events_tell_a_submitter_no_more_than_before(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    world.passes(minutes=1)
    unhcr = world.someone("UNHCR")
    done(unhcr.does("accept", done(lead.offers(case, "UNHCR")), taking()))
    done(unhcr.does("stop", case, {"reason": "CONSENT_WITHDRAWN"}))
    before = done(officer.get("/events"))["items"]
    protector, second = (
        world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER}) for _ in range(2)
    )

    done(protector.does_with(second, "erase", case, {"reason": "RETENTION_OVER"}))

    after = done(officer.get("/events"))["items"]
    assert after[: len(before)] == before
    assert "UNHCR" not in str(after)
    assert "CONSENT_WITHDRAWN" not in str(after)


def test_what_is_due_for_a_child_beyond_a_border_is_not_for_its_submitter(
    world: World, officer: Someone, lead: Someone
) -> None:
    by = {"given_by": "guardian_with_assent"}
    given = [consent(**by), STATE_OF_UZ | by]
    case = officer.submits(notice={"age_class": "child"}, consents=given, safeguards={})
    facts = f"{path_of(case)}/facts"
    [there] = [
        one
        for one in done(officer.get(f"{path_of(case)}/consents"))["items"]
        if one["recipient_class"]["country"] == "UZ"
    ]
    done(officer.post(f"{path_of(case)}/consents/{there['id']}/withdraw"))
    world.passes(minutes=1)

    assert lead.does("relocate", case, {"country": "UZ"}).status_code == 204

    holder = world.someone("DESK_CENTRAL_ASIA")
    assert [kind for _, kind, _ in holder.waits()] == ["acknowledge", "assess_interests"]
    assert done(officer.get(facts))["items"] == []


def test_a_submitter_hears_no_silence_from_beyond_a_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submits(consents=[consent(), STATE_OF_UZ], safeguards={})
    world.passes(minutes=1)
    assert lead.does("relocate", case, {"country": "UZ"}).status_code == 204
    officer.hears()

    world.waits_for(hours=3)

    [event] = officer.hears()
    assert (event["type"], event["by"]) == ("case.rerouted", None)
    assert event["facts"] == {"state": "submitted"}
    assert "case.not_acknowledged" in kinds(world.someone("UZ_LEAD").hears())


def test_who_may_not_know_the_version_says_what_they_saw_all_the_same(
    officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits())
    path, body = f"/cases/{case['code']}/withdraw", {"reason": "SENT_IN_ERROR"}

    unsaid = officer.post(path, body)
    said = [officer.post(path, body, if_match=f'"{n}.0123456789abcdef"') for n in (0, 99)]

    assert officer.sees(case)["version"] is None
    assert problem(unsaid) == (428, "version-not-given")
    assert {problem(answer) for answer in said} == {(409, "action-illegal")}
