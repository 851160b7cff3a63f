"""An office that may not see a fear gets the answer for a missing consent (ADR 14)."""

from typing import Any

import pytest

from app.cases import queries
from app.casework import carrying
from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    actions,
    consent,
    done,
    for_handover,
    for_services,
    lacks,
    path_of,
    problem,
    taking,
)

WOMEN, MIXED, LAW = "KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN", "KZ_LEGAL_AID"
LEADERS = ("KZ_LEAD", "SANA_SEZIM", "PARTNERSHIP_IN_ACTION")
VITAL: Json = {"reason": "RISK_TO_LIFE", "note": "Tonight"}
NO_LEAD = [consent(focal_point=LAW)]
CHILD: Json = {"age_class": "child"}
GUATEMALAN_OFFICE = "GT_CHILD_PROTECTION"


@pytest.fixture
def desk(world: World) -> Someone:
    return world.someone("DESK_CENTRAL_ASIA")


def build_safeguards(*codes: str, **more: Any) -> Json:
    return {"country_of_origin": "UZ", "unsafe_focal_points": list(codes)} | more


def consent_to_office(code: str, *purposes: str) -> Json:
    return consent(focal_point=code, purposes=[*purposes], sections=["needs"])


def submit_to_desk(
    officer: Someone, desk: Someone, *, vital: bool = True, child: bool = False, **case: Any
) -> Json:
    """Return a case that the desk holds, because the person consented to no lead.

    A vital interest, or for a child the law, then allows what a consent would allow.
    """
    case = {"consents": NO_LEAD, "notice": CHILD if child else {}} | case
    by = {"given_by": "guardian_with_assent"} if child else {}
    case["consents"] = [given | by for given in case["consents"]]
    made = officer.submits(**case)
    assert desk.sees(made)["you_are"] == ["desk"]
    if vital and not child:
        done(desk.creates(f"{path_of(made)}/vital-interests", VITAL))
    return made


def assign_case(desk: Someone, case: Json, code: str) -> Any:
    """Return the status, or the unmet requirements, when a desk assigns a case."""
    choice = {"focal_point": code, "reason": "LOCAL_KNOWLEDGE"}
    answer = desk.does("assign", case, choice)
    return answer.status_code if answer.is_success else (409, answer.json()["unmet"])


def get_shortlist(who: Someone, case: Json, service: str = "SHELTER") -> Json:
    path = f"{path_of(case)}/recipients"
    [found] = done(who.get(path, service=service))["services"]
    return dict(found)


def get_codes(found: Json) -> list[str]:
    return [one["focal_point"] for one in found["candidates"]]


def send_draft(who: Someone, case: Json, to: str, **changes: Any) -> Any:
    """Return the unmet requirements, as the draft and the answer list them, or 200."""
    draft = done(who.refers(case, to, send=False, **changes))
    shown = actions(draft)["send"]
    answer = who.does("send", draft)
    if answer.is_success:
        assert shown["open"]
        return 200
    assert [lack["need"] for lack in shown["unmet"]] == [n for n, _ in lacks(answer)]
    return (shown["unmet"], answer.json()["unmet"])


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
        done(
            officer.creates(f"{path_of(unnamed)}/consents", consent_to_office(one, "REFER"))
        )

    said = [assign_case(desk, case, code) for case in (feared, unnamed)]

    assert said[0] == said[1]
    assert said[0][1][0]["need"] == "focal_point_chosen"


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
    given = [consent_to_office("SANA_SEZIM", "REFER"), for_services()]

    case = officer.submits(consents=given, vital_interest=VITAL)

    shown = done(officer.get(f"{path_of(case)}/routing"))["candidates"]
    order = [one["focal_point"] for one in shown]
    assert order[:3] == ["SANA_SEZIM", "KZ_LEAD", "PARTNERSHIP_IN_ACTION"]
    assert officer.sees(case)["holder"] == "SANA_SEZIM"


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
    assert [one["left_out"] for one in found] == [[]] * 3


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
    assert refused[0][0]["need"] == "consent"
    assert send_draft(desk, feared, first, sections=[]) == 200
    assert send_draft(desk, plain, WOMEN, sections=[]) == 200
    assert get_codes(get_shortlist(desk, plain)) != [WOMEN]


@pytest.fixture
def child_case(world: World) -> Json:
    """A case of a child alone that the desk holds; one office there protects children."""
    officer, desk = (
        world.someone(code) for code in ("HN_CONSULATE_GUATEMALA", "DESK_CENTRAL_AMERICA")
    )
    notice = {"country": "GT", "language": "es", "services": ["SHELTER"], **CHILD}
    vital = {"reason": "CHILD_UNPROTECTED", "note": "Alone"}
    case = officer.submits(
        notice=notice | {"priority": "emergency"},
        consents=[],
        vital_interest=vital,
        safeguards={"country_of_origin": "HN"},
    )
    while (holder := officer.sees(case)["holder"]) != desk.code:
        no = {"reason": "NO_CAPACITY"}
        assert world.someone(holder).does("decline-lead", case, no).is_success
    return case


@pytest.mark.parametrize("how", ["declines", "is silent", "is full"])
def test_the_one_office_that_protects_a_child_can_be_asked_again(
    world: World, child_case: Json, how: str
) -> None:
    desk, office = (
        world.someone(code) for code in ("DESK_CENTRAL_AMERICA", GUATEMALAN_OFFICE)
    )
    asked = {"service": "CHILD_PROTECTION", "sections": []}
    if how == "is full":
        done(office.ask("PUT", f"/focal-points/{GUATEMALAN_OFFICE}/capacity", {"free": 0}))
    else:
        first = done(desk.refers(child_case, GUATEMALAN_OFFICE, **asked))
        if how == "declines":
            done(office.does("decline", first, {"reason": "NO_CAPACITY"}))
        world.waits_for(hours=1)
        world.waits_for(hours=1)
        assert desk.sees(first)["state"] in {"declined", "expired"}

    assert get_codes(get_shortlist(desk, child_case, "CHILD_PROTECTION")) == [
        GUATEMALAN_OFFICE
    ]
    assert send_draft(desk, child_case, GUATEMALAN_OFFICE, **asked) == 200
    assert get_codes(get_shortlist(desk, child_case, "CHILD_PROTECTION")) == []


def test_who_said_no_is_proposed_last_and_can_be_asked_again_at_any_time(
    world: World, officer: Someone, desk: Someone
) -> None:
    case, asked = submit_to_desk(officer, desk), list[str]()
    while len(asked) < 2 or asked[-1] != WOMEN:
        [one] = get_codes(get_shortlist(desk, case))
        draft = done(desk.refers(case, one, sections=[]))
        done(world.someone(one).does("decline", draft, {"reason": "NO_CAPACITY"}))
        asked.append(one)

    assert asked[:2] == [WOMEN, MIXED]
    assert len(asked) == len(set(asked)) + 1
    assert send_draft(desk, case, MIXED, sections=[]) == 200


def test_who_said_no_and_is_feared_since_is_not_asked_again(
    world: World, officer: Someone, desk: Someone
) -> None:
    case = submit_to_desk(officer, desk)
    draft = done(desk.refers(case, WOMEN, sections=[]))
    done(world.someone(WOMEN).does("decline", draft, {"reason": "NO_CAPACITY"}))
    path, tag = f"{path_of(case)}/safeguards", officer.tag(case)
    done(officer.ask("PUT", path, build_safeguards(WOMEN), headers={"If_Match": tag}))

    refused = send_draft(desk, case, WOMEN, sections=[])

    assert refused[0][0]["need"] == "consent"


def test_a_draft_tells_a_desk_no_fear_and_no_origin(
    officer: Someone, desk: Someone
) -> None:
    post = consent_to_office("UZ_CONSULATE_ALMATY", "CONSULAR_DOCUMENT")
    papers = {"service": "CONSULAR_DOCUMENT", "sections": []}
    given = [*NO_LEAD, for_services(), post]
    case = submit_to_desk(
        officer, desk, vital=False, consents=given, safeguards=build_safeguards(WOMEN)
    )
    unasked = submit_to_desk(officer, desk, vital=False)

    told = [
        send_draft(desk, case, WOMEN),
        send_draft(desk, case, "UZ_CONSULATE_ALMATY", **papers),
        send_draft(desk, unasked, WOMEN),
        send_draft(desk, unasked, "UZ_CONSULATE_ALMATY", **papers),
    ]

    assert told == [told[0]] * 4
    assert send_draft(desk, case, MIXED) == 200


def test_a_candidate_may_know_once_it_acknowledged(officer: Someone, lead: Someone) -> None:
    post = consent_to_office("UZ_CONSULATE_ALMATY", "CONSULAR_DOCUMENT")
    given = [consent(), for_services(), post]
    case = officer.submits(consents=given, safeguards=build_safeguards(WOMEN))
    routing = f"{path_of(case)}/routing"
    early = send_draft(lead, case, WOMEN)
    lists = get_shortlist(lead, case), done(lead.get(routing))
    done(lead.does("acknowledge", case))

    late = send_draft(lead, case, WOMEN)

    assert [lack["need"] for lack in early[0]] == ["consent"]
    assert [lack["need"] for lack in late[0]] == ["recipient_safe"]
    for found in lists:
        assert found["left_out"] == []
    assert [one["focal_point"] for one in lists[1]["candidates"]] == ["KZ_LEAD"]
    assert [one["beside"] for one in lists[1]["advice"]] == [[]]
    out = get_shortlist(lead, case)["left_out"]
    assert [o["reasons"] for o in out if o["focal_point"] == WOMEN] == [["no_consent"]]
    whole = [one["focal_point"] for one in done(lead.get(routing))["candidates"]]
    assert whole == ["KZ_LEAD", "DESK_CENTRAL_ASIA"]


def test_who_looks_on_sees_who_was_asked_and_not_who_never_will_be(
    world: World, officer: Someone, lead: Someone
) -> None:
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    seen = []
    for guards in (build_safeguards("SANA_SEZIM"), build_safeguards()):
        case = lead.leads(
            officer.submits(consents=[], vital_interest=VITAL, safeguards=guards)
        )
        world.passes(days=21)
        with lead.writing() as work:
            carrying.escalate(work, queries.lock(work, case["code"]))
        desk = world.someone("DESK_CENTRAL_ASIA")
        for one in (watcher, desk):
            shown = done(one.get(f"{path_of(case)}/routing"))
            seen.append([c["focal_point"] for c in shown["candidates"]])
        done(lead.creates(f"{path_of(case)}/vital-interests", VITAL))
        move = {"reason": "LEAD_SILENT", "person_informed": True}
        refused = desk.post(
            f"{path_of(case)}/take-over", move | {"focal_point": "PARTNERSHIP_IN_ACTION"}
        )
        seen.append(
            [need for need, _ in lacks(refused)] if guards == build_safeguards() else []
        )

    assert seen[:2] == seen[3:5] == [["KZ_LEAD"], ["KZ_LEAD"]]
    assert seen[5] == ["focal_point_chosen"]


def test_a_desk_elsewhere_is_not_named_to_who_may_not_know_why(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits(safeguards=build_safeguards("DESK_CENTRAL_ASIA"))
    path = f"{path_of(case)}/recipients"

    early = done(lead.get(path))["desk"]
    done(lead.does("acknowledge", case))

    assert (early, done(lead.get(path))["desk"]) == (None, "DESK_CARIBBEAN")


def test_who_is_asked_to_lead_is_not_told_that_the_person_doubts(
    world: World, officer: Someone, lead: Someone
) -> None:
    origin = world.someone("UZ_LEAD")
    home = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    soon = for_handover(expires_at="2026-06-01T13:00:00Z")
    told = []
    for given, doubt in ((for_handover(), {"origin_contact": "undecided"}), (soon, {})):
        case = lead.leads(officer.submits(safeguards=home, consents=[consent(), given]))
        offered = done(lead.offers(case, "UZ_LEAD"))
        match = {"If_Match": lead.tag(case)}
        path = f"{path_of(case)}/safeguards"
        done(lead.ask("PUT", path, home | doubt, headers=match))
        world.passes(hours=2) if not doubt else None
        refused = origin.does("accept", offered, taking())
        told.append((actions(origin.sees(offered))["accept"]["unmet"], lacks(refused)))

    assert told[0] == told[1]
    assert told[0][1] == [("consent", "lead")]


def test_a_lead_goes_on_being_told_what_is_missing(officer: Someone, lead: Someone) -> None:
    post = consent_to_office("UZ_CONSULATE_ALMATY", "CONSULAR_DOCUMENT")
    given = [consent(), for_services(), post]
    case = lead.leads(officer.submits(consents=given, safeguards=build_safeguards(WOMEN)))
    papers = {"service": "CONSULAR_DOCUMENT", "sections": []}

    unsafe, origin = (
        send_draft(lead, case, WOMEN),
        send_draft(lead, case, post["focal_point"], **papers),
    )

    assert [lack["need"] for lack in unsafe[0]] == ["recipient_safe"]
    assert [lack["need"] for lack in origin[0]] == ["origin_permitted"]
    assert problem(lead.offers(case, "UZ_LEAD")) == (409, "needs-unmet")


def test_a_desk_is_not_told_that_safeguards_were_written(
    officer: Someone, desk: Someone
) -> None:
    case = submit_to_desk(officer, desk, vital=False)
    desk.hears(), officer.hears()
    match = {"If_Match": officer.tag(case)}

    done(
        officer.ask(
            "PUT", f"{path_of(case)}/safeguards", build_safeguards(LAW), headers=match
        )
    )

    assert desk.hears() == []
    [told] = officer.hears()
    assert told["facts"] == {"section": "safeguards"}


def test_a_candidate_cannot_tell_from_consents_whom_the_person_fears(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits(safeguards=build_safeguards(WOMEN))
    consents = f"{path_of(case)}/consents"
    early = done(lead.get(consents))["items"]
    [mine, *_] = done(officer.get(consents))["items"]
    gone = lead.post(f"{consents}/{mine['id']}/withdraw")
    done(lead.does("acknowledge", case))

    assert (early, problem(gone)) == ([], (404, "not-found"))
    assert len(done(lead.get(consents))["items"]) == 2


def test_a_desk_beside_a_lead_that_turns_out_to_be_feared_loses_the_case(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.leads(officer.submits())
    world.passes(days=21)
    with lead.writing() as work:
        carrying.escalate(work, queries.lock(work, case["code"]))
    assert desk.sees(case)["you_are"] == ["escalation_desk"]
    match = {"If_Match": lead.tag(case)}
    guards = build_safeguards("DESK_CENTRAL_ASIA")

    done(lead.ask("PUT", f"{path_of(case)}/safeguards", guards, headers=match))

    assert problem(desk.get(path_of(case))) == (404, "not-found")
    assert lead.sees(case)["lead"] == "KZ_LEAD"
