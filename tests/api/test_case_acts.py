"""Actions on a case: by which office, in which state, and what the other offices hear."""

from itertools import pairwise
from uuid import UUID

import pytest

from app.kernel.actors import Role
from app.kernel.codes import new_code
from tests.support.world import (
    Json,
    Someone,
    World,
    actions,
    closing,
    consent,
    contacts,
    done,
    for_services,
    kinds,
    lacks,
    problem,
)

NO: Json = {"reason": "NO_CAPACITY"}
BACK: Json = {"reason": "SENT_IN_ERROR"}
ALSO_NGOS = [
    consent(),
    consent(recipient_class={"kind": "non_state", "country": "KZ"}),
    for_services(),
]
BODIES: dict[str, Json | None] = {
    "submit": None,
    "withdraw": BACK,
    "acknowledge": None,
    "decline-lead": NO,
    "accept-lead": {"contacts": contacts()},
    "close": closing(),
}
UNKNOWN_CODE = new_code(UUID(int=7))


@pytest.fixture
def ngo(world: World) -> Someone:
    """An account of a focal point of Kazakhstan that can lead and is not a State body."""
    return world.someone("SANA_SEZIM")


@pytest.fixture
def desk(world: World) -> Someone:
    return world.someone("DESK_CENTRAL_ASIA")


def test_a_case_is_written_submitted_acknowledged_and_led(
    officer: Someone, lead: Someone
) -> None:
    draft = done(officer.writes_case())
    assert draft["state"] == "draft"

    submitted = done(officer.does("submit", draft))
    read = done(lead.does("acknowledge", submitted))
    led = done(lead.does("accept-lead", read, {"contacts": contacts()}))

    assert (submitted["state"], submitted["holder"]) == ("submitted", "KZ_LEAD")
    assert (read["state"], read["you_are"]) == ("under_review", ["candidate"])
    assert (led["state"], led["stage"], led["lead"]) == ("referring", "referral", "KZ_LEAD")


def test_a_draft_is_its_submitters_alone(officer: Someone, lead: Someone) -> None:
    draft = done(officer.writes_case())

    assert problem(lead.get(f"/cases/{draft['code']}")) == (404, "not-found")


def test_submitting_tells_all_that_is_missing(officer: Someone) -> None:
    draft = done(officer.writes_case(notice={"priority": None}, consents=[]))

    refused = officer.does("submit", draft)

    assert lacks(refused) == [("notice", "submitter"), ("consent_to_refer", "submitter")]
    others = [other["need"] for other in refused.json()["unmet"][1]["alternatives"]]
    assert others == ["vital_interest"]


@pytest.mark.parametrize("name", ["priority", "language", "safe_contact"])
def test_a_notice_that_lacks_a_field_is_not_submitted(officer: Someone, name: str) -> None:
    draft = done(officer.writes_case(notice={name: None}))
    [missing] = actions(draft)["submit"]["unmet"]

    assert missing["need"] == "notice"
    assert lacks(officer.does("submit", draft)) == [("notice", "submitter")]


def test_without_a_country_no_consent_is_to_be_referred_there(officer: Someone) -> None:
    draft = done(officer.writes_case(notice={"country": None}))
    refused = officer.does("submit", draft)

    named = done(
        officer.writes_case(notice={"country": None}, consents=[consent(focal_point="IOM")])
    )

    assert lacks(refused) == [("notice", "submitter"), ("consent_to_refer", "submitter")]
    assert lacks(officer.does("submit", named)) == [("notice", "submitter")]


def test_a_consent_to_be_referred_is_to_where_the_person_is_or_to_one_by_name(
    officer: Someone,
) -> None:
    elsewhere = consent(recipient_class={"kind": "state", "country": "UZ"})
    refused = officer.writes_case(submit=True, consents=[elsewhere])

    by_name = officer.submits(consents=[elsewhere, consent(focal_point="KZ_LEAD")])

    assert lacks(refused) == [("consent_to_refer", "submitter")]
    assert by_name["holder"] == "KZ_LEAD"


def test_until_the_age_is_known_the_person_may_be_a_child(officer: Someone) -> None:
    draft = done(officer.writes_case(notice={"age_class": None}))

    refused = officer.does("submit", draft)

    assert lacks(refused) == [("notice", "submitter"), ("consent_to_refer", "submitter")]


def test_a_child_is_not_referred_on_its_own_word_but_on_a_guardians(
    officer: Someone,
) -> None:
    child = {"age_class": "presumed_child"}
    own = officer.writes_case(submit=True, notice=child)

    guardian = [consent(given_by="guardian_with_assent")]
    submitted = officer.submits(notice=child, consents=guardian)

    assert lacks(own) == [("consent_to_refer", "submitter")]
    assert submitted["state"] == "submitted"


@pytest.mark.parametrize("action", ["submit", "accept-lead", "close"])
def test_what_a_state_does_not_allow_says_what_it_does(
    officer: Someone, lead: Someone, action: str
) -> None:
    case = officer.submits()

    refused = lead.does(action, case, BODIES[action])

    assert problem(refused) == (409, "action-illegal")
    assert refused.json()["state"] == "submitted"
    legal = {one.pop("action"): one for one in refused.json()["legal_actions"]}
    assert legal["acknowledge"] == {"by": ["candidate"], "roles": ["caseworker"]}
    assert legal["withdraw"] == {"by": ["submitter"], "roles": ["caseworker", "officer"]}
    named = "withdraw acknowledge decline_lead reroute assign record_lead_consent stop"
    assert set(legal) == {*named.split(), "erase_again"}


@pytest.mark.parametrize("action", ["acknowledge", "decline-lead"])
def test_what_belongs_to_another_side_is_refused(officer: Someone, action: str) -> None:
    case = officer.submits()

    assert problem(officer.does(action, case, BODIES[action])) == (403, "action-not-yours")


@pytest.mark.parametrize(
    ("action", "role"),
    [
        ("submit", Role.COORDINATOR),
        ("acknowledge", Role.COORDINATOR),
        ("decline-lead", Role.SUPERVISOR),
        ("accept-lead", Role.CASEWORKER),
        ("close", Role.CASEWORKER),
        ("withdraw", Role.SUPERVISOR),
    ],
)
def test_what_needs_a_role_is_refused_without_it(
    world: World, officer: Someone, lead: Someone, action: str, role: Role
) -> None:
    case = done(officer.writes_case(submit=action != "submit"))
    if action in {"accept-lead", "close"}:
        done(lead.does("acknowledge", case))
    mine = officer if action in {"submit", "withdraw"} else lead
    colleague = world.someone(mine.code, {role})

    refused = colleague.does(action, case, BODIES[action])

    assert problem(refused) == (403, "role-missing")


@pytest.mark.parametrize("action", BODIES)
def test_a_stranger_hears_what_a_case_that_is_not_there_would_say(
    officer: Someone, stranger: Someone, action: str
) -> None:
    case = officer.submits()

    hidden = stranger.does(action, case, BODIES[action])
    missing = stranger.does(action, {"code": UNKNOWN_CODE}, BODIES[action])

    assert problem(hidden) == (404, "not-found")
    ours, theirs = hidden.json(), missing.json()
    assert ours.pop("instance") != theirs.pop("instance")
    assert ours == theirs


@pytest.mark.parametrize("action", BODIES)
def test_a_version_must_be_given_and_be_the_latest(
    officer: Someone, lead: Someone, action: str
) -> None:
    case = officer.submits()
    old = lead.tag(case)
    done(lead.does("acknowledge", case))
    path = f"/cases/{case['code']}/{action}"

    assert problem(lead.post(path, BODIES[action])) == (428, "version-not-given")
    assert problem(lead.post(path, BODIES[action], if_match=old)) == (412, "version-stale")
    assert problem(lead.post(path, BODIES[action], if_match="*"))[0] == 428


def test_a_lead_needs_a_fresh_view_of_the_risk_and_two_people(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submits(risk={"level": "high"})
    done(lead.does("acknowledge", case))
    world.passes(hours=73)
    twice = {"contacts": contacts("Ana", "Ana")}

    refused = lead.does("accept-lead", case, twice)

    assert lacks(refused) == [("risk_current", "holder"), ("two_contacts", "candidate")]
    [in_the_way] = actions(lead.sees(case))["accept_lead"]["unmet"]
    assert in_the_way["need"] == "risk_current"
    done(officer.creates(f"/cases/{case['code']}/risk-assessments", {"level": "low"}))
    assert lead.does("accept-lead", case, BODIES["accept-lead"]).status_code == 200


def test_who_declines_is_no_longer_party_and_the_next_has_it(
    officer: Someone, lead: Someone, ngo: Someone
) -> None:
    case = officer.submits(consents=ALSO_NGOS)
    done(lead.does("acknowledge", case))

    declined = lead.does("decline-lead", case, NO | {"note": "Тоже нет"})

    assert (declined.status_code, declined.content) == (204, b"")
    assert lead.get(f"/cases/{case['code']}").status_code == 404
    mine = ngo.sees(case)
    assert (mine["state"], mine["you_are"]) == ("submitted", ["candidate"])
    assert officer.sees(case)["holder"] == "SANA_SEZIM"
    assert kinds(lead.hears())[-1] == kinds(ngo.hears())[-1] == "case.lead_declined"


def test_routing_shows_who_was_asked_and_why_and_who_declined_when(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submits(consents=ALSO_NGOS)
    world.passes(hours=1)
    lead.does("decline-lead", case, NO)

    routing = done(officer.get(f"/cases/{case['code']}/routing"))

    first, second, *_ = routing["candidates"]
    assert (first["focal_point"], first["reasons"]) == ("KZ_LEAD", ["body_of_the_country"])
    assert (first["asked_at"], first["declined_at"]) == (
        "2026-06-01T12:00:00Z",
        "2026-06-01T13:00:00Z",
    )
    assert second["focal_point"] == "SANA_SEZIM"
    assert second["reasons"] == ["works_in_the_country", "offers_services_needed"]
    assert (second["asked_at"], second["declined_at"]) == ("2026-06-01T13:00:00Z", None)
    out = {one["focal_point"]: one["reasons"] for one in routing["left_out"]}
    assert out["KZ_LEAD"] == ["has_declined"]
    assert out["UNHCR"] == ["no_consent"]


def test_at_the_end_of_the_list_the_desk_holds_it(
    officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = officer.submits()
    lead.does("decline-lead", case, NO)

    held = desk.sees(case)

    assert done(desk.get(f"/cases/{case['code']}/routing"))["left_out"] == []
    assert (held["state"], held["holder"]) == ("submitted", "DESK_CENTRAL_ASIA")
    assert held["you_are"] == ["desk"]
    assert problem(desk.does("decline-lead", case, NO)) == (403, "action-not-yours")
    assert problem(desk.does("acknowledge", case)) == (403, "action-not-yours")


def test_where_no_consent_names_anybody_who_could_lead_the_desk_holds_it(
    officer: Someone, desk: Someone
) -> None:
    case = officer.submits(consents=[consent(focal_point="KZ_SHELTER_KOGERSHIN")])

    assert desk.sees(case)["holder"] == "DESK_CENTRAL_ASIA"


def test_what_waited_for_who_declined_waits_for_the_next(
    officer: Someone, lead: Someone, ngo: Someone
) -> None:
    case = officer.submits(consents=ALSO_NGOS)
    done(lead.does("acknowledge", case))
    draft = done(lead.refers(case, "KZ_SHELTER_KOGERSHIN", send=False))
    lead.does("decline-lead", case, NO)

    theirs, next_ones = (
        {work["subject"] for work in done(one.get("/worklist"))["items"]}
        for one in (lead, ngo)
    )

    assert theirs == set()
    assert next_ones == {f"cases/{case['code']}", f"referrals/{draft['id']}"}


def test_why_others_were_left_out_is_for_those_who_may_know_what_is_feared(
    world: World, officer: Someone, lead: Someone, ngo: Someone
) -> None:
    case = officer.submits(consents=ALSO_NGOS)
    path = f"/cases/{case['code']}/routing"
    oversight = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    early = [bool(done(who.get(path))["left_out"]) for who in (officer, lead, oversight)]
    done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))
    lead.leads(case)

    late = [bool(done(who.get(path))["left_out"]) for who in (lead, oversight)]

    assert (early, late) == ([True, False, False], [True, False])
    assert {problem(one.get(path)) for one in (ngo, officer)} == {(404, "not-found")}


def test_safeguards_cannot_be_read_from_the_routing_and_the_directory(
    officer: Someone,
) -> None:
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": ["SANA_SEZIM"]}
    case = officer.submits(safeguards=guards, consents=ALSO_NGOS)

    out = done(officer.get(f"/cases/{case['code']}/routing"))["left_out"]

    unconsidered = [o["focal_point"] for o in out if "not_considered" in o["reasons"]]
    listed = [done(officer.get(f"/focal-points/{code}")) for code in unconsidered]
    assert [one["code"] for one in listed if one["can_lead"]] == []


def test_a_case_is_taken_back_before_anything_was_sent(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits()

    withdrawn = done(officer.does("withdraw", case, BACK | {"note": "Ошибка"}))

    assert (withdrawn["state"], withdrawn["stage"]) == ("void", "closure")
    assert lead.get(f"/cases/{case['code']}").status_code == 404
    assert kinds(lead.hears())[-1] == "case.withdrawn"


def test_withdrawing_a_case_takes_its_drafts_along(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = officer.submits()
    draft = done(lead.refers(case, "KZ_SHELTER_KOGERSHIN", send=False))

    done(officer.does("withdraw", case, BACK))

    assert kinds(lead.hears())[-2:] == ["referral.revoked", "case.withdrawn"]
    assert lead.get(f"/referrals/{draft['id']}").status_code == 404
    assert shelter.hears() == []


def test_once_something_was_sent_a_case_is_not_taken_back(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits()
    sent = done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))

    first = officer.does("withdraw", case, BACK)
    done(lead.does("revoke", sent, BACK))
    after = officer.does("withdraw", case, BACK)

    assert lacks(first) == lacks(after) == [("nothing_sent", "holder")]


def test_a_number_of_ones_own_is_used_for_one_case(officer: Someone, lead: Someone) -> None:
    first = done(officer.writes_case(external_reference="A/7"))

    again = officer.writes_case(external_reference="A/7")

    assert problem(again) == (409, "external-reference-taken")
    assert again.json()["code"] == first["code"]
    assert lead.writes_case(external_reference="A/7").status_code == 201


def test_a_code_is_read_as_people_type_it(officer: Someone) -> None:
    case = done(officer.writes_case())

    for typed in (case["code"].lower(), case["code"].replace("-", "")):
        assert done(officer.get(f"/cases/{typed}"))["code"] == case["code"]


def test_a_mistyped_code_is_told_from_one_that_is_not_there(officer: Someone) -> None:
    code = done(officer.writes_case())["code"]
    wrong = next(c for c in "23456789" if c != code[3])

    mistyped = officer.get(f"/cases/SC-{wrong}{code[4:]}")

    assert problem(mistyped) == (422, "request-invalid")
    assert mistyped.json()["errors"][0]["code"] == "case_code_mistyped"
    assert officer.get("/cases/SC-1").status_code == 422


@pytest.mark.parametrize("action", ["close", "submit", "accept-lead"])
def test_a_recipient_of_a_referral_hears_whose_it_is_before_anything_of_versions(
    officer: Someone, lead: Someone, shelter: Someone, action: str
) -> None:
    case = lead.leads(officer.submits())
    done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))
    path = f"/cases/{case['code']}/{action}"

    blind, guessed = (
        shelter.post(path, BODIES[action], **{"if_match": tag} if tag else {})
        for tag in (None, '"1.0000000000000000"')
    )

    assert problem(blind) == problem(guessed) == (403, "action-not-yours")


def test_a_case_that_was_withdrawn_frees_the_number_of_its_submitter(
    officer: Someone,
) -> None:
    first = officer.submits(external_reference="A/7")
    taken = officer.writes_case(external_reference="A/7")
    done(officer.does("withdraw", first, BACK))

    again = officer.writes_case(external_reference="A/7")

    assert problem(taken) == (409, "external-reference-taken")
    assert done(again)["code"] != first["code"]


def test_a_draft_that_was_revoked_was_never_sent(officer: Someone, lead: Someone) -> None:
    case = officer.submits()
    draft = done(lead.refers(case, "KZ_SHELTER_KOGERSHIN", send=False))
    done(lead.does("revoke", draft, BACK))

    assert done(officer.does("withdraw", case, BACK))["state"] == "void"


@pytest.mark.parametrize("body", [{"contacts": []}, [], {"a": 1}])
def test_an_act_that_takes_no_body_takes_none(
    officer: Someone, lead: Someone, body: object
) -> None:
    case = officer.submits()

    refused = lead.does("acknowledge", case, body)

    assert problem(refused) == (422, "body-unexpected")
    assert done(lead.does("acknowledge", case, {}))["state"] == "under_review"


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMINISTRATOR, Role.SUPERVISOR])
def test_who_has_no_work_on_cases_opens_no_section(
    world: World, officer: Someone, lead: Someone, role: Role
) -> None:
    case = officer.submits()
    lead.leads(case)
    path = f"/cases/{case['code']}/sections/needs"

    refused = world.someone("KZ_LEAD", {role}).opens(path)

    assert lead.opens(path).status_code == 200
    assert refused.status_code in {403, 404}


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMINISTRATOR, Role.SUPERVISOR])
def test_who_has_no_work_on_cases_writes_no_section(
    world: World, officer: Someone, lead: Someone, role: Role
) -> None:
    case = officer.submits()
    lead.leads(case)
    path = f"/cases/{case['code']}/sections/needs"
    content, seen = {"section": "needs", "summary": "x"}, {"If_Match": lead.tag(case)}

    refused = world.someone("KZ_LEAD", {role}).ask("PUT", path, content, headers=seen)

    why = "role-missing" if role == Role.SUPERVISOR else "forbidden"
    assert problem(refused) == (403, why)
    assert lead.ask("PUT", path, content, headers=seen).status_code == 200


def test_the_versions_of_a_case_only_ever_grow(officer: Someone, lead: Someone) -> None:
    case = officer.submits()
    path = f"/cases/{case['code']}/risk-assessments"

    steps = [
        case,
        done(lead.does("acknowledge", case)),
        done(lead.does("accept-lead", case, BODIES["accept-lead"])),
    ]
    done(officer.creates(path, {"level": "low"}))
    steps.append(lead.sees(case))

    assert all(one["version"] < other["version"] for one, other in pairwise(steps))
