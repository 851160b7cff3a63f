"""An office that must not learn of a fear is told that a consent is missing (ADR 14)."""

from typing import Any

import pytest

from app.cases import queries as case_queries
from app.casework import carrying
from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_path,
    get_problem,
    get_unmet,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

WOMEN, MIXED, LAW = "KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN", "KZ_LEGAL_AID"
LEADERS = ("KZ_LEAD", "SANA_SEZIM", "PARTNERSHIP_IN_ACTION")
VITAL: Json = {"reason": "RISK_TO_LIFE", "note": "Tonight"}
NO_LEAD = [make_consent(focal_point=LAW)]
CHILD: Json = {"age_class": "child"}
GUATEMALAN_OFFICE = "GT_CHILD_PROTECTION"


@pytest.fixture
def desk(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA")


def build_safeguards(*codes: str, **more: Any) -> Json:
    return {"country_of_origin": "UZ", "unsafe_focal_points": list(codes)} | more


def consent_to_office(code: str, *purposes: str) -> Json:
    return make_consent(focal_point=code, purposes=[*purposes], sections=["needs"])


def submit_to_desk(
    officer: Someone, desk: Someone, *, vital: bool = True, child: bool = False, **case: Any
) -> Json:
    """Submit a case that goes to the desk, because no consent names a lead.

    For an adult, the desk also declares a vital interest, unless `vital` is false. No
    consent is required then, nor for the services that protect a child.
    """
    case = {"consents": NO_LEAD, "summary": CHILD if child else {}} | case
    by = {"given_by": "guardian_with_assent"} if child else {}
    case["consents"] = [given | by for given in case["consents"]]
    made = officer.submit(**case)
    assert desk.read(made)["you_are"] == ["desk"]
    if vital and not child:
        unwrap(desk.create(f"{get_path(made)}/vital-interests", VITAL))
    return made


def assign_case(desk: Someone, case: Json, code: str) -> Any:
    """Assign a case as a desk; return the status, or 409 and the unmet requirements."""
    choice = {"focal_point": code, "reason": "LOCAL_KNOWLEDGE"}
    answer = desk.does("assign", case, choice)
    return answer.status_code if answer.is_success else (409, answer.json()["unmet"])


def get_shortlist(who: Someone, case: Json, service: str = "SHELTER") -> Json:
    path = f"{get_path(case)}/recipients"
    [found] = unwrap(who.get(path, service=service))["services"]
    return dict(found)


def get_codes(found: Json) -> list[str]:
    return [one["focal_point"] for one in found["candidates"]]


def send_draft(who: Someone, case: Json, to: str, **changes: Any) -> Any:
    """Create a draft and send it; return 200, or two lists of unmet requirements.

    The first list is from the draft, and the second is from the refusal. The `consent` of
    each requirement is checked and removed, because it repeats fields of the draft.
    """
    draft = unwrap(who.refer(case, to, send=False, **changes))
    shown = get_actions(draft)["send"]
    answer = who.does("send", draft)
    if answer.is_success:
        assert shown["open"]
        return 200
    assert [lack["requirement"] for lack in shown["unmet"]] == [
        n for n, _ in get_unmet(answer)
    ]
    told = {"purpose": draft["service"], "sections": draft["sections"], "recipient": to}
    answered = answer.json()["unmet"]
    for lack in (*shown["unmet"], *answered):
        expected = told if lack["requirement"] == "consent" else None
        assert lack.pop("consent") == expected
    return (shown["unmet"], answered)


@pytest.mark.parametrize("code", LEADERS)
def test_a_desk_cannot_try_out_who_is_feared_to_lead(
    officer: Someone, desk: Someone, code: str
) -> None:
    others = [one for one in LEADERS if one != code]
    feared = submit_to_desk(officer, desk, safeguards=build_safeguards(code))
    unnamed = submit_to_desk(
        officer, desk, consents=[*NO_LEAD, consent_to_office("IOM", "SHELTER")]
    )
    for one in others:
        unwrap(
            officer.create(f"{get_path(unnamed)}/consents", consent_to_office(one, "REFER"))
        )

    answers = [assign_case(desk, case, code) for case in (feared, unnamed)]

    assert answers[0] == answers[1]
    assert answers[0][1][0]["requirement"] == "focal_point_chosen"


def test_in_an_emergency_a_desk_gives_a_case_to_whose_turn_it_is(
    officer: Someone, desk: Someone
) -> None:
    case = submit_to_desk(officer, desk)

    early = [assign_case(desk, case, code) for code in (*LEADERS[1:], "IOM", "UZ_LEAD")]

    assert [status for status, _ in early] == [409] * 4
    assert assign_case(desk, case, "KZ_LEAD") == 204


def test_whom_the_person_named_is_asked_before_who_may_be_told_without(
    officer: Someone,
) -> None:
    given = [consent_to_office("SANA_SEZIM", "REFER"), make_service_consent()]

    case = officer.submit(consents=given, vital_interest=VITAL)

    shown = unwrap(officer.get(f"{get_path(case)}/routing"))["candidates"]
    order = [one["focal_point"] for one in shown]
    assert order[:3] == ["SANA_SEZIM", "KZ_LEAD", "PARTNERSHIP_IN_ACTION"]
    assert officer.read(case)["holder"] == "SANA_SEZIM"


@pytest.mark.parametrize("child", [False, True])
def test_a_desk_is_proposed_the_same_whether_one_is_feared_or_another_named(
    officer: Someone, desk: Someone, *, child: bool
) -> None:
    feared = submit_to_desk(officer, desk, child=child, safeguards=build_safeguards(WOMEN))
    given = [*NO_LEAD, consent_to_office("IOM", "SHELTER")]
    other = submit_to_desk(officer, desk, child=child, consents=given)
    plain = submit_to_desk(officer, desk, child=child)

    found = [get_shortlist(desk, case) for case in (feared, other, plain)]

    assert [get_codes(one) for one in found] == [
        ["IOM"] if child else [MIXED],
        ["IOM"],
        [WOMEN],
    ]
    assert [one["excluded"] for one in found] == [[]] * 3


@pytest.mark.parametrize("child", [False, True])
def test_a_desk_cannot_try_out_who_is_feared_to_help(
    officer: Someone, desk: Someone, *, child: bool
) -> None:
    feared = submit_to_desk(officer, desk, child=child, safeguards=build_safeguards(WOMEN))
    plain = submit_to_desk(officer, desk, child=child)
    [first] = get_codes(get_shortlist(desk, feared))

    refused = send_draft(desk, feared, WOMEN, sections=[])
    not_its_turn = send_draft(desk, plain, "IOM", sections=[])
    unserved = send_draft(desk, plain, LAW, sections=[])

    assert refused == not_its_turn == unserved
    assert refused[0][0]["requirement"] == "consent"
    assert send_draft(desk, feared, first, sections=[]) == 200
    assert send_draft(desk, plain, WOMEN, sections=[]) == 200
    assert get_codes(get_shortlist(desk, plain)) != [WOMEN]


@pytest.fixture
def child_case(world: World) -> Json:
    """Return the case of a child who is alone. All candidates declined; a desk holds it."""
    officer, desk = (
        world.add_person(code)
        for code in ("HN_CONSULATE_GUATEMALA", "DESK_CENTRAL_AMERICA")
    )
    summary = {"country": "GT", "language": "es", "services": ["SHELTER"], **CHILD}
    vital = {"reason": "CHILD_UNPROTECTED", "note": "Alone"}
    case = officer.submit(
        summary=summary | {"priority": "emergency"},
        consents=[],
        vital_interest=vital,
        safeguards={"country_of_origin": "HN"},
    )
    while (holder := officer.read(case)["holder"]) != desk.code:
        no = {"reason": "NO_CAPACITY"}
        assert world.add_person(holder).does("decline-lead", case, no).is_success
    return case


@pytest.mark.parametrize("how", ["declines", "is silent", "is full"])
def test_the_one_office_that_protects_a_child_can_be_asked_again(
    world: World, child_case: Json, how: str
) -> None:
    desk, office = (
        world.add_person(code) for code in ("DESK_CENTRAL_AMERICA", GUATEMALAN_OFFICE)
    )
    terms = {"service": "CHILD_PROTECTION", "sections": []}
    if how == "is full":
        unwrap(
            office.ask("PUT", f"/focal-points/{GUATEMALAN_OFFICE}/capacity", {"free": 0})
        )
    else:
        first = unwrap(desk.refer(child_case, GUATEMALAN_OFFICE, **terms))
        if how == "declines":
            unwrap(office.does("decline", first, {"reason": "NO_CAPACITY"}))
        world.wait(hours=1)
        world.wait(hours=1)
        assert desk.read(first)["state"] in {"declined", "expired"}

    assert get_codes(get_shortlist(desk, child_case, "CHILD_PROTECTION")) == [
        GUATEMALAN_OFFICE
    ]
    assert send_draft(desk, child_case, GUATEMALAN_OFFICE, **terms) == 200
    assert get_codes(get_shortlist(desk, child_case, "CHILD_PROTECTION")) == []


def test_who_said_no_is_proposed_last_and_can_be_asked_again_at_any_time(
    world: World, officer: Someone, desk: Someone
) -> None:
    case, asked = submit_to_desk(officer, desk), list[str]()
    while len(asked) < 2 or asked[-1] != WOMEN:
        [one] = get_codes(get_shortlist(desk, case))
        draft = unwrap(desk.refer(case, one, sections=[]))
        unwrap(world.add_person(one).does("decline", draft, {"reason": "NO_CAPACITY"}))
        asked.append(one)

    assert asked[:2] == [WOMEN, MIXED]
    assert len(asked) == len(set(asked)) + 1
    assert send_draft(desk, case, MIXED, sections=[]) == 200


def test_who_said_no_and_is_feared_since_is_not_asked_again(
    world: World, officer: Someone, desk: Someone
) -> None:
    case = submit_to_desk(officer, desk)
    draft = unwrap(desk.refer(case, WOMEN, sections=[]))
    unwrap(world.add_person(WOMEN).does("decline", draft, {"reason": "NO_CAPACITY"}))
    path, tag = f"{get_path(case)}/safeguards", officer.get_tag(case)
    unwrap(officer.ask("PUT", path, build_safeguards(WOMEN), headers={"If_Match": tag}))

    refused = send_draft(desk, case, WOMEN, sections=[])

    assert refused[0][0]["requirement"] == "consent"


def test_a_draft_tells_a_desk_no_fear_and_no_origin(
    officer: Someone, desk: Someone
) -> None:
    post = consent_to_office("UZ_CONSULATE_ALMATY", "CONSULAR_DOCUMENT")
    papers = {"service": "CONSULAR_DOCUMENT", "sections": []}
    given = [*NO_LEAD, make_service_consent(), post]
    case = submit_to_desk(
        officer, desk, vital=False, consents=given, safeguards=build_safeguards(WOMEN)
    )
    unasked = submit_to_desk(officer, desk, vital=False)

    answers = [
        send_draft(desk, case, WOMEN),
        send_draft(desk, case, "UZ_CONSULATE_ALMATY", **papers),
        send_draft(desk, unasked, WOMEN),
        send_draft(desk, unasked, "UZ_CONSULATE_ALMATY", **papers),
    ]

    assert answers == [answers[0]] * 4
    assert send_draft(desk, case, MIXED) == 200


def test_a_candidate_may_know_once_it_acknowledged(officer: Someone, lead: Someone) -> None:
    post = consent_to_office("UZ_CONSULATE_ALMATY", "CONSULAR_DOCUMENT")
    given = [make_consent(), make_service_consent(), post]
    case = officer.submit(consents=given, safeguards=build_safeguards(WOMEN))
    routing = f"{get_path(case)}/routing"
    early = send_draft(lead, case, WOMEN)
    lists = get_shortlist(lead, case), unwrap(lead.get(routing))
    unwrap(lead.does("acknowledge", case))

    late = send_draft(lead, case, WOMEN)

    assert [lack["requirement"] for lack in early[0]] == ["consent"]
    assert [lack["requirement"] for lack in late[0]] == ["recipient_safe"]
    for found in lists:
        assert found["excluded"] == []
    assert [one["focal_point"] for one in lists[1]["candidates"]] == ["KZ_LEAD"]
    assert [one["offices"] for one in lists[1]["advice"]] == [[]]
    out = get_shortlist(lead, case)["excluded"]
    assert [o["reasons"] for o in out if o["focal_point"] == WOMEN] == [["no_consent"]]
    whole = [one["focal_point"] for one in unwrap(lead.get(routing))["candidates"]]
    assert whole == ["KZ_LEAD", "DESK_CENTRAL_ASIA"]


def test_who_looks_on_sees_who_was_asked_and_not_who_never_will_be(
    world: World, officer: Someone, lead: Someone
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    seen = []
    for guards in (build_safeguards("SANA_SEZIM"), build_safeguards()):
        case = lead.take_lead(
            officer.submit(consents=[], vital_interest=VITAL, safeguards=guards)
        )
        world.advance(days=21)
        with lead.begin_write() as tx:
            carrying.escalate_to_desk(tx, case_queries.lock(tx, case["code"]))
        desk = world.add_person("DESK_CENTRAL_ASIA")
        for one in (watcher, desk):
            shown = unwrap(one.get(f"{get_path(case)}/routing"))
            seen.append([c["focal_point"] for c in shown["candidates"]])
        unwrap(lead.create(f"{get_path(case)}/vital-interests", VITAL))
        move = {"reason": "LEAD_SILENT", "person_informed": True}
        refused = desk.send(
            f"{get_path(case)}/take-over", move | {"focal_point": "PARTNERSHIP_IN_ACTION"}
        )
        seen.append(
            [need for need, _ in get_unmet(refused)] if guards == build_safeguards() else []
        )

    assert seen[:2] == seen[3:5] == [["KZ_LEAD"], ["KZ_LEAD"]]
    assert seen[5] == ["focal_point_chosen"]


def test_a_desk_elsewhere_is_not_named_to_who_may_not_know_why(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit(safeguards=build_safeguards("DESK_CENTRAL_ASIA"))
    path = f"{get_path(case)}/recipients"

    early = unwrap(lead.get(path))["desk"]
    unwrap(lead.does("acknowledge", case))

    assert (early, unwrap(lead.get(path))["desk"]) == (None, "DESK_CARIBBEAN")


def test_who_is_asked_to_lead_is_not_told_that_the_person_doubts(
    world: World, officer: Someone, lead: Someone
) -> None:
    origin = world.add_person("UZ_LEAD")
    home = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    soon = make_handover_consent(expires_at="2026-06-01T13:00:00Z")
    told = []
    for given, doubt in (
        (make_handover_consent(), {"origin_contact": "undecided"}),
        (soon, {}),
    ):
        case = lead.take_lead(
            officer.submit(safeguards=home, consents=[make_consent(), given])
        )
        offered = unwrap(lead.offer(case, "UZ_LEAD"))
        match = {"If_Match": lead.get_tag(case)}
        path = f"{get_path(case)}/safeguards"
        unwrap(lead.ask("PUT", path, home | doubt, headers=match))
        world.advance(hours=2) if not doubt else None
        refused = origin.does("accept", offered, make_takeover())
        told.append(
            (get_actions(origin.read(offered))["accept"]["unmet"], get_unmet(refused))
        )

    assert told[0] == told[1]
    assert told[0][1] == [("consent", "lead")]


def test_a_lead_goes_on_being_told_what_is_missing(officer: Someone, lead: Someone) -> None:
    post = "UZ_CONSULATE_ALMATY"
    named = consent_to_office(post, "CONSULAR_DOCUMENT")
    given = [make_consent(), make_service_consent(), named]
    case = lead.take_lead(
        officer.submit(consents=given, safeguards=build_safeguards(WOMEN))
    )
    papers = {"service": "CONSULAR_DOCUMENT", "sections": []}

    unsafe, origin = (
        send_draft(lead, case, WOMEN),
        send_draft(lead, case, post, **papers),
    )

    assert [lack["requirement"] for lack in unsafe[0]] == ["recipient_safe"]
    assert [lack["requirement"] for lack in origin[0]] == ["origin_permitted"]
    assert get_problem(lead.offer(case, "UZ_LEAD")) == (409, "needs-unmet")


def test_a_desk_is_not_told_that_safeguards_were_written(
    officer: Someone, desk: Someone
) -> None:
    case = submit_to_desk(officer, desk, vital=False)
    desk.poll(), officer.poll()
    match = {"If_Match": officer.get_tag(case)}

    unwrap(
        officer.ask(
            "PUT", f"{get_path(case)}/safeguards", build_safeguards(LAW), headers=match
        )
    )

    assert desk.poll() == []
    [event] = officer.poll()
    assert event["facts"] == {"section": "safeguards"}


def test_a_candidate_cannot_tell_from_consents_whom_the_person_fears(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit(safeguards=build_safeguards(WOMEN))
    consents = f"{get_path(case)}/consents"
    early = unwrap(lead.get(consents))["items"]
    [mine, *_] = unwrap(officer.get(consents))["items"]
    gone = lead.send(f"{consents}/{mine['id']}/withdraw")
    unwrap(lead.does("acknowledge", case))

    assert (early, get_problem(gone)) == ([], (404, "not-found"))
    assert len(unwrap(lead.get(consents))["items"]) == 2


def test_a_desk_beside_a_lead_that_turns_out_to_be_feared_loses_the_case(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    world.advance(days=21)
    with lead.begin_write() as tx:
        carrying.escalate_to_desk(tx, case_queries.lock(tx, case["code"]))
    assert desk.read(case)["you_are"] == ["escalation_desk"]
    match = {"If_Match": lead.get_tag(case)}
    guards = build_safeguards("DESK_CENTRAL_ASIA")

    unwrap(lead.ask("PUT", f"{get_path(case)}/safeguards", guards, headers=match))

    assert get_problem(desk.get(get_path(case))) == (404, "not-found")
    assert lead.read(case)["lead"] == "KZ_LEAD"
