"""A submitter reads its own text, and later learns only that steps were taken (R12)."""

from collections.abc import Callable

import pytest

from app.cases import queries as case_queries
from app.casework import carrying
from app.kernel.actors import Role
from tests.support.world import (
    ALL_SECTIONS,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
HOME: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}
CLAIM: Json = {"country_of_origin": "UZ", "seeks_asylum": True, "fear_of_state": True}
STATE_OF_UZ = make_consent(recipient_class={"kind": "state", "country": "UZ"})
ASK: Json = {"topics": ["needs"], "question": "Which languages?"}
REST: Json = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}
OPENED = ("", "/history", "/evidence", "/consents", "/facts", "/questions", "/routing")
SEALED = ("safeguards", "safeguards/history", "notes", "contacts", "safety-alert")
FILTERS = ("priority=urgent", "priority=emergency", "country=KZ", "country=UZ")
PLAIN_LISTS = ("/cases", "/referrals", "/handovers", "/worklist", "/approvals", "/events")
FILTERED_LISTS = [f"/cases?{query}" for query in (*FILTERS, "state=referring")]
LISTS = [*PLAIN_LISTS, *FILTERED_LISTS]


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that KZ_LEAD leads, with a question to the consulate."""
    case = lead.take_lead(officer.submit(safeguards=HOME))
    unwrap(lead.create(f"{get_path(case)}/consents", make_handover_consent("UNHCR")))
    unwrap(lead.create(f"{get_path(case)}/questions", ASK))
    return case


def read_everything(who: Someone, case: Json) -> dict[str, tuple[int, str, str | None]]:
    """Try to read everything about a case; return each response with its entity tag."""
    path = get_path(case)
    of_case = [f"{path}{part}" for part in (*OPENED, "/recipients", "/access-log")]
    sealed = [f"sections/{name}" for name in ALL_SECTIONS] + [*SEALED]
    answers = {
        one: who.open(one)
        for one in (*of_case, *(f"{path}/{paper}" for paper in sealed), *LISTS)
    }
    return {
        one: (a.status_code, plain(a.json()), a.headers.get("ETag"))
        for one, a in answers.items()
    }


def plain(body: Json) -> str:
    """Return a body as text, without `instance`, which differs between requests."""
    return str({name: said for name, said in body.items() if name != "instance"})


def replace_part(who: Someone, case: Json, part: str, content: Json) -> None:
    match = {"If_Match": who.get_tag(case)}
    unwrap(who.ask("PUT", f"{get_path(case)}/{part}", content, headers=match))


def claim_asylum(lead: Someone, case: Json) -> None:
    replace_part(lead, case, "safeguards", CLAIM)


def update_summary(lead: Someone, case: Json) -> None:
    changes = {"services": ["ASYLUM", "LEGAL_AID"], "priority": "emergency"}
    match = {"If_Match": lead.get_tag(case)}
    unwrap(lead.ask("PATCH", get_path(case), changes, headers=match))


def refer_for_asylum(lead: Someone, case: Json) -> None:
    named = make_service_consent("intergovernmental", purposes=["ASYLUM"])
    unwrap(lead.create(f"{get_path(case)}/consents", named))
    unwrap(lead.refer(case, "UNHCR", service="ASYLUM"))


def add_risk_assessment(lead: Someone, case: Json) -> None:
    unwrap(lead.create(f"{get_path(case)}/risk-assessments", {"level": "high"}))


def relocate_case(lead: Someone, case: Json) -> None:
    unwrap(lead.does("relocate", case, {"country": "UZ", "note": "Termez"}))


def add_fact(lead: Someone, case: Json) -> None:
    fact = {"name": "reflection_period", "value": "offered", "country": "KZ"}
    unwrap(lead.create(f"{get_path(case)}/facts", fact))


def add_screening(lead: Someone, case: Json) -> None:
    unwrap(lead.screen(case))


def offer_handover(lead: Someone, case: Json) -> None:
    unwrap(lead.offer(case, "UNHCR"))


def replace_contacts(lead: Someone, case: Json) -> None:
    other = lead.read(case) | {"contacts": [{"name": "A", "phone": "+77010000001"}]}
    people = [*other["contacts"], {"name": "B", "phone": "+77010000002"}]
    replace_part(lead, case, "contacts", {"contacts": people})


@pytest.mark.parametrize(
    "does",
    [
        claim_asylum,
        update_summary,
        refer_for_asylum,
        add_risk_assessment,
        relocate_case,
        add_fact,
        add_screening,
        offer_handover,
        replace_contacts,
    ],
)
def test_whatever_a_lead_writes_the_submitter_reads_the_same_as_before(
    world: World,
    officer: Someone,
    lead: Someone,
    case: Json,
    does: Callable[[Someone, Json], None],
) -> None:
    before, whole = read_everything(officer, case), lead.read(case)
    world.advance(minutes=1)

    does(lead, case)

    assert read_everything(officer, case) == before
    assert lead.read(case) != whole


def test_a_submitter_that_fears_nothing_reads_as_much_as_one_that_is_feared(
    officer: Someone, lead: Someone, case: Json
) -> None:
    path = get_path(case)
    claim_asylum(lead, case)
    update_summary(lead, case)

    shown = officer.read(case)
    safeguards = unwrap(officer.open(f"{path}/safeguards"))

    assert shown["summary"]["services"] == ["LEGAL_AID", "SHELTER"]
    assert (shown["summary"]["priority"], shown["lead"]) == ("urgent", "KZ_LEAD")
    assert safeguards["content"]["seeks_asylum"] is False
    assert safeguards["author"] == "UZ_CONSULATE_ALMATY"
    assert unwrap(officer.open(f"{path}/safeguards/history"))["items"] == []
    assert unwrap(lead.open(f"{path}/safeguards"))["content"]["seeks_asylum"] is True
    assert len(unwrap(lead.open(f"{path}/safeguards/history"))["items"]) == 1
    assert "Which languages?" in [text for _, text in officer.list_notes(case)]


def test_who_is_feared_is_asked_nothing_more_and_is_not_told_so(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    claim_asylum(lead, case)
    officer.poll()

    refused = lead.create(f"{get_path(case)}/questions", ASK)

    assert get_unmet(refused) == [("recipient_safe", "holder")]
    assert officer.poll() == []
    other = officer.submit(consents=[make_consent(focal_point=SHELTER)], safeguards=CLAIM)
    desk = world.add_person("DESK_CENTRAL_ASIA")
    assert desk.create(f"{get_path(other)}/questions", ASK).is_success


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
    officer.poll(), lead.poll()

    unwrap(lead.does(action, case, body))

    [event] = officer.poll()
    assert (event["by"], event["facts"]) == ("KZ_LEAD", told)
    assert lead.poll()[-1]["facts"] == told | {
        name: said for name, said in body.items() if name == "reason"
    }
    shown = officer.read(case)
    assert (shown["due_at"], shown["closure_reason"]) == (None, None)
    assert shown["state"] == told["state"]


def test_a_submitter_is_not_told_who_leads_next(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    world.advance(minutes=1)
    unhcr = world.add_person("UNHCR")
    offered = unwrap(lead.offer(case, "UNHCR"))
    officer.poll()

    unwrap(unhcr.does("accept", offered, make_takeover()))
    unwrap(unhcr.create(f"{get_path(case)}/questions", ASK))

    events = officer.poll()
    assert list_types(events) == ["case.handed_over", "case.asked"]
    assert [event["by"] for event in events] == [None, None]
    shown = officer.read(case)
    assert (shown["lead"], shown["holder"]) == (None, None)
    questions = unwrap(officer.get(f"{get_path(case)}/questions"))["items"]
    assert [one["asked_by"] for one in questions] == ["KZ_LEAD", None]
    notes = unwrap(officer.open(f"{get_path(case)}/notes"))["items"]
    asking = [n["author"] for n in notes if n["text"] == "Which languages?"]
    assert asking == ["KZ_LEAD", None]
    for answer in read_everything(officer, case).values():
        assert "UNHCR" not in answer[1]


def test_a_submitter_goes_on_reading_its_own_until_the_case_is_closed(
    officer: Someone, lead: Someone, case: Json
) -> None:
    claim_asylum(lead, case)

    for section in ALL_SECTIONS:
        assert officer.open(f"{get_path(case)}/sections/{section}").is_success
    assert officer.read(case)["sections"] == sorted(
        ALL_SECTIONS, key=["needs", "contact", "identity", "narrative", "health"].index
    )
    assert len(unwrap(officer.get(f"{get_path(case)}/consents"))["items"]) == 2


def create_case_abroad(
    world: World, officer: Someone, lead: Someone, *, unled: bool
) -> Json:
    """Return a case that moved abroad by handover or, if `unled`, before it had a lead."""
    given = [make_consent(), STATE_OF_UZ]
    case = officer.submit(consents=given, safeguards={"country_of_origin": "TM"})
    there = world.add_person("UZ_LEAD")
    unwrap(lead.does("acknowledge", case))
    world.advance(hours=1)
    if unled:
        assert lead.does("relocate", case, {"country": "UZ"}).status_code == 204
        there.take_lead(case)
        return case
    unwrap(lead.does("accept-lead", case, {"contacts": make_acceptance()["contacts"]}))
    unwrap(lead.create(f"{get_path(case)}/consents", make_handover_consent("UZ_LEAD")))
    world.advance(hours=1)
    unwrap(lead.does("relocate", case, {"country": "UZ"}))
    [offered] = unwrap(there.get("/handovers"))["items"]
    unwrap(there.does("accept", offered, make_takeover()))
    return case


@pytest.mark.parametrize("unled", [True, False])
def test_nothing_tells_a_submitter_that_there_was_a_border(
    world: World, officer: Someone, lead: Someone, *, unled: bool
) -> None:
    case = create_case_abroad(world, officer, lead, unled=unled)
    there = world.add_person("UZ_LEAD")

    shown, got = officer.read(case), read_everything(officer, case)

    assert (shown["summary"]["country"], shown["lead"], shown["holder"]) == (
        "KZ",
        None,
        None,
    )
    assert there.read(case)["summary"]["country"] == "UZ"
    for path, (_, text, _) in got.items():
        assert "UZ_LEAD" not in text, path
    assert "case.relocated" not in list_types(officer.poll())
    [here] = unwrap(officer.get("/cases", country="KZ"))["items"]
    assert here["code"] == case["code"]
    assert unwrap(officer.get("/cases", country="UZ"))["items"] == []
    assert [c["code"] for c in unwrap(there.get("/cases", country="UZ"))["items"]] == [
        case["code"]
    ]


def test_a_second_border_does_not_tell_of_the_first(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = create_case_abroad(world, officer, lead, unled=True)
    there = world.add_person("UZ_LEAD")
    world.advance(hours=1)

    unwrap(there.does("relocate", case, {"country": "KZ"}))

    by = {
        e["type"]: e["by"]
        for e in unwrap(officer.get(f"{get_path(case)}/history"))["items"]
    }
    assert by["case.lead_accepted"] is None
    evidence = unwrap(officer.get(f"{get_path(case)}/evidence"))["items"]
    assert [one["recipient"] for one in evidence] == ["KZ_LEAD"]


def test_a_submitter_mends_its_own_notice_of_a_case_that_crossed_a_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=[make_consent(), STATE_OF_UZ], safeguards={})
    world.advance(minutes=1)
    assert lead.does("relocate", case, {"country": "UZ"}).status_code == 204
    seen = officer.read(case)

    def mended(**changes: str) -> tuple[int, str]:
        match = {"If_Match": officer.get_tag(case)}
        answer = officer.ask("PATCH", get_path(case), changes, headers=match)
        return (answer.status_code, answer.json().get("type", ""))

    assert seen["summary"]["country"] == "KZ"
    assert (seen["holder"], seen["due_at"]) == (None, None)
    assert mended(country="KZ", language="ru") == (200, "")
    assert mended(country="UZ") == mended(country="TM")
    assert mended(country="UZ") == (409, "/problems/country-not-changeable")
    there = world.add_person("UZ_LEAD")
    for one, country in ((officer, "KZ"), (there, "UZ")):
        summary = one.read(case)["summary"]
        assert (summary["country"], summary["language"]) == (country, "ru")


def test_who_submits_and_leads_reads_the_notice_as_it_is(world: World) -> None:
    ngo = world.add_person("SANA_SEZIM")
    named = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
    case = ngo.take_lead(ngo.submit(consents=[named]))

    match = {"If_Match": ngo.get_tag(case)}
    mended = unwrap(ngo.ask("PATCH", get_path(case), {"language": "ru"}, headers=match))

    assert mended["summary"]["language"] == "ru"
    assert (mended["lead"], mended["due_at"] is None) == ("SANA_SEZIM", False)
    assert list_types(ngo.poll())[-1] == "case.summary_changed"


def test_a_submitter_of_no_state_calls_the_lead_whether_it_is_feared_or_not(
    world: World, lead: Someone
) -> None:
    ngo = world.add_person("SANA_SEZIM")
    case = lead.take_lead(
        ngo.submit(consents=[make_consent(), make_handover_consent("IOM")])
    )
    path = f"{get_path(case)}/contacts"
    before = ngo.open(path).json()

    replace_part(lead, case, "safeguards", {"unsafe_focal_points": ["SANA_SEZIM"]})
    feared = ngo.open(path).json()
    world.advance(minutes=1)
    unwrap(
        world.add_person("IOM").does(
            "accept", unwrap(lead.offer(case, "IOM")), make_takeover()
        )
    )

    assert before == feared
    assert get_problem(ngo.open(path)) == (404, "not-found")


def test_what_a_helper_finds_out_before_a_lead_does_not_name_it_to_the_submitter(
    world: World, officer: Someone, lead: Someone
) -> None:
    named = make_service_consent("non_state", purposes=["GUARDIANSHIP"])
    case = officer.submit(consents=[make_consent(), named])
    unwrap(lead.does("acknowledge", case))
    sent = unwrap(lead.refer(case, SHELTER, service="GUARDIANSHIP"))
    helper = world.add_person(SHELTER)
    unwrap(helper.does("accept", sent, make_acceptance()))

    fact = {"name": "guardian", "value": "needed"}
    unwrap(helper.create(f"{get_path(case)}/facts", fact))

    facts = f"{get_path(case)}/facts"
    told = {one.code: unwrap(one.get(facts))["items"] for one in (officer, lead, helper)}
    assert [fact["recorded_by"] for fact in told["KZ_LEAD"]] == [SHELTER]
    assert [fact["recorded_by"] for fact in told[SHELTER]] == [SHELTER]
    assert [fact["recorded_by"] for fact in told["UZ_CONSULATE_ALMATY"]] == [None]


def test_one_helper_is_not_told_who_else_finds_out_the_same(
    world: World, lead: Someone, case: Json
) -> None:
    named = make_service_consent("non_state", purposes=["GUARDIANSHIP"])
    unwrap(lead.create(f"{get_path(case)}/consents", named))
    helpers = [world.add_person(code) for code in (SHELTER, "KZ_SHELTER_TANSHOLPAN")]
    for helper in helpers:
        sent = unwrap(lead.refer(case, helper.code, service="GUARDIANSHIP"))
        unwrap(helper.does("accept", sent, make_acceptance()))
        fact = {"name": "guardian", "value": "needed"}
        unwrap(helper.create(f"{get_path(case)}/facts", fact))

    facts = [unwrap(h.get(f"{get_path(case)}/facts"))["items"] for h in helpers]

    assert [[f["recorded_by"] for f in known] for known in facts] == [
        [SHELTER, None],
        [None, "KZ_SHELTER_TANSHOLPAN"],
    ]


def test_a_case_that_is_escalated_tells_its_submitter_no_more(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    world.advance(days=21)
    before = officer.read(case)

    with lead.begin_write() as tx:
        carrying.escalate_to_desk(tx, case_queries.lock(tx, case["code"]))

    assert officer.read(case) == before


def test_once_all_is_erased_old_events_tell_a_submitter_no_more_than_before(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    world.advance(minutes=1)
    unhcr = world.add_person("UNHCR")
    unwrap(unhcr.does("accept", unwrap(lead.offer(case, "UNHCR")), make_takeover()))
    unwrap(unhcr.does("stop", case, {"reason": "CONSENT_WITHDRAWN"}))
    before = unwrap(officer.get("/events"))["items"]
    protector, second = (
        world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER}) for _ in range(2)
    )

    unwrap(protector.does_with(second, "erase", case, {"reason": "RETENTION_OVER"}))

    after = unwrap(officer.get("/events"))["items"]
    assert after[: len(before)] == before
    assert "UNHCR" not in str(after)
    assert "CONSENT_WITHDRAWN" not in str(after)


def test_what_is_due_for_a_child_beyond_a_border_is_not_for_its_submitter(
    world: World, officer: Someone, lead: Someone
) -> None:
    by = {"given_by": "guardian_with_assent"}
    given = [make_consent(**by), STATE_OF_UZ | by]
    case = officer.submit(summary={"age_class": "child"}, consents=given, safeguards={})
    facts = f"{get_path(case)}/facts"
    [there] = [
        one
        for one in unwrap(officer.get(f"{get_path(case)}/consents"))["items"]
        if one["recipient_class"]["country"] == "UZ"
    ]
    unwrap(officer.send(f"{get_path(case)}/consents/{there['id']}/withdraw"))
    world.advance(minutes=1)

    assert lead.does("relocate", case, {"country": "UZ"}).status_code == 204

    holder = world.add_person("DESK_CENTRAL_ASIA")
    assert [kind for _, kind, _ in holder.get_worklist()] == [
        "acknowledge",
        "assess_interests",
    ]
    assert unwrap(officer.get(facts))["items"] == []


def test_a_submitter_hears_no_silence_from_beyond_a_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=[make_consent(), STATE_OF_UZ], safeguards={})
    world.advance(minutes=1)
    assert lead.does("relocate", case, {"country": "UZ"}).status_code == 204
    officer.poll()

    world.wait(hours=3)

    assert officer.poll() == []
    assert "case.not_acknowledged" in list_types(world.add_person("UZ_LEAD").poll())


def test_who_may_not_know_the_version_says_what_they_saw_all_the_same(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    path, body = f"/cases/{case['code']}/withdraw", {"reason": "SENT_IN_ERROR"}

    unsaid = officer.send(path, body)
    answers = [
        officer.send(path, body, if_match=f'"{n}.0123456789abcdef"') for n in (0, 99)
    ]

    assert officer.read(case)["version"] is None
    assert get_problem(unsaid) == (428, "version-not-given")
    assert {get_problem(answer) for answer in answers} == {(409, "action-illegal")}
