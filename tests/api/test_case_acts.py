"""Tests of the actions on a case: permissions, states, and events to other offices."""

from itertools import pairwise
from uuid import UUID

import pytest

from app.kernel.actors import Role
from app.kernel.codes import create_case_code
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_problem,
    get_unmet,
    list_types,
    make_closure,
    make_consent,
    make_contacts,
    make_service_consent,
    unwrap,
)

NO: Json = {"reason": "NO_CAPACITY"}
BACK: Json = {"reason": "SENT_IN_ERROR"}
ALSO_NGOS = [
    make_consent(),
    make_consent(recipient_class={"kind": "non_state", "country": "KZ"}),
    make_service_consent(),
]
BODIES: dict[str, Json | None] = {
    "submit": None,
    "withdraw": BACK,
    "acknowledge": None,
    "decline-lead": NO,
    "accept-lead": {"contacts": make_contacts()},
    "close": make_closure(),
}
UNKNOWN_CODE = create_case_code(UUID(int=7))
NO_NOTICE_NO_CONSENT = [("summary", "submitter"), ("consent_to_refer", "submitter")]


@pytest.fixture
def ngo(world: World) -> Someone:
    """Return a person of an NGO in Kazakhstan that can lead cases."""
    return world.add_person("SANA_SEZIM")


@pytest.fixture
def desk(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA")


def test_a_case_is_written_submitted_acknowledged_and_led(
    officer: Someone, lead: Someone
) -> None:
    draft = unwrap(officer.create_case())
    assert draft["state"] == "draft"

    submitted = unwrap(officer.does("submit", draft))
    read = unwrap(lead.does("acknowledge", submitted))
    led = unwrap(lead.does("accept-lead", read, {"contacts": make_contacts()}))

    assert (submitted["state"], submitted["holder"]) == ("submitted", "KZ_LEAD")
    assert (read["state"], read["you_are"]) == ("under_review", ["candidate"])
    assert (led["state"], led["stage"], led["lead"]) == ("referring", "referral", "KZ_LEAD")


def test_a_draft_is_its_submitters_alone(officer: Someone, lead: Someone) -> None:
    draft = unwrap(officer.create_case())

    assert get_problem(lead.get(f"/cases/{draft['code']}")) == (404, "not-found")


def test_submitting_tells_all_that_is_missing(officer: Someone) -> None:
    draft = unwrap(officer.create_case(summary={"priority": None}, consents=[]))

    refused = officer.does("submit", draft)

    assert get_unmet(refused) == NO_NOTICE_NO_CONSENT
    others = [other["requirement"] for other in refused.json()["unmet"][1]["alternatives"]]
    assert others == ["vital_interest"]


@pytest.mark.parametrize("name", ["priority", "language", "safe_contact"])
def test_a_notice_that_lacks_a_field_is_not_submitted(officer: Someone, name: str) -> None:
    draft = unwrap(officer.create_case(summary={name: None}))
    [missing] = get_actions(draft)["submit"]["unmet"]

    assert missing["requirement"] == "summary"
    assert get_unmet(officer.does("submit", draft)) == [("summary", "submitter")]


def test_without_a_country_no_consent_is_to_be_referred_there(officer: Someone) -> None:
    draft = unwrap(officer.create_case(summary={"country": None}))
    refused = officer.does("submit", draft)

    consents = [make_consent(focal_point="IOM")]
    named = unwrap(officer.create_case(summary={"country": None}, consents=consents))

    assert get_unmet(refused) == NO_NOTICE_NO_CONSENT
    assert get_unmet(officer.does("submit", named)) == [("summary", "submitter")]


def test_a_consent_to_be_referred_is_to_where_the_person_is_or_to_one_by_name(
    officer: Someone,
) -> None:
    elsewhere = make_consent(recipient_class={"kind": "state", "country": "UZ"})
    refused = officer.create_case(submit=True, consents=[elsewhere])

    by_name = officer.submit(consents=[elsewhere, make_consent(focal_point="KZ_LEAD")])

    assert get_unmet(refused) == [("consent_to_refer", "submitter")]
    assert by_name["holder"] == "KZ_LEAD"


def test_until_the_age_is_known_the_person_may_be_a_child(officer: Someone) -> None:
    draft = unwrap(officer.create_case(summary={"age_class": None}))

    refused = officer.does("submit", draft)

    assert get_unmet(refused) == NO_NOTICE_NO_CONSENT


def test_a_child_is_not_referred_on_its_own_word_but_on_a_guardians(
    officer: Someone,
) -> None:
    child = {"age_class": "presumed_child"}
    own = officer.create_case(submit=True, summary=child)

    guardian = [make_consent(given_by="guardian_with_assent")]
    submitted = officer.submit(summary=child, consents=guardian)

    assert get_unmet(own) == [("consent_to_refer", "submitter")]
    assert submitted["state"] == "submitted"


@pytest.mark.parametrize("action", ["submit", "accept-lead", "close"])
def test_what_a_state_does_not_allow_says_what_it_does(
    officer: Someone, lead: Someone, action: str
) -> None:
    case = officer.submit()

    refused = lead.does(action, case, BODIES[action])

    assert get_problem(refused) == (409, "action-illegal")
    assert refused.json()["state"] == "submitted"
    legal = {one.pop("action"): one for one in refused.json()["legal_actions"]}
    assert legal["acknowledge"] == {"by": ["candidate"], "roles": ["caseworker"]}
    assert legal["withdraw"] == {"by": ["submitter"], "roles": ["caseworker", "officer"]}
    assert len(legal) == len(refused.json()["legal_actions"])
    named = "withdraw acknowledge decline_lead assign record_lead_consent stop"
    assert set(legal) == {*named.split()}


@pytest.mark.parametrize("action", ["acknowledge", "decline-lead"])
def test_what_belongs_to_another_side_is_refused(officer: Someone, action: str) -> None:
    refused = officer.does(action, officer.submit(), BODIES[action])

    assert get_problem(refused) == (403, "action-not-yours")


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
    case = unwrap(officer.create_case(submit=action != "submit"))
    if action in {"accept-lead", "close"}:
        unwrap(lead.does("acknowledge", case))
    mine = officer if action in {"submit", "withdraw"} else lead
    colleague = world.add_person(mine.code, {role})

    refused = colleague.does(action, case, BODIES[action])

    assert get_problem(refused) == (403, "role-missing")


@pytest.mark.parametrize("action", BODIES)
def test_a_stranger_hears_what_a_case_that_is_not_there_would_say(
    officer: Someone, stranger: Someone, action: str
) -> None:
    case = officer.submit()

    hidden = stranger.does(action, case, BODIES[action])
    missing = stranger.does(action, {"code": UNKNOWN_CODE}, BODIES[action])

    assert get_problem(hidden) == (404, "not-found")
    ours, theirs = hidden.json(), missing.json()
    assert ours.pop("instance") != theirs.pop("instance")
    assert ours == theirs


@pytest.mark.parametrize("action", BODIES)
def test_a_version_must_be_given_and_be_the_latest(
    officer: Someone, lead: Someone, action: str
) -> None:
    case = officer.submit()
    old = lead.get_tag(case)
    unwrap(lead.does("acknowledge", case))
    path = f"/cases/{case['code']}/{action}"
    stale = lead.send(path, BODIES[action], if_match=old)

    assert get_problem(lead.send(path, BODIES[action])) == (428, "version-not-given")
    assert get_problem(stale) == (412, "version-stale")
    assert get_problem(lead.send(path, BODIES[action], if_match="*"))[0] == 428


def test_a_lead_needs_a_fresh_view_of_the_risk_and_two_people(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit(risk={"level": "high"})
    unwrap(lead.does("acknowledge", case))
    world.advance(hours=73)
    twice = {"contacts": make_contacts("Ana", "Ana")}

    refused = lead.does("accept-lead", case, twice)

    assert get_unmet(refused) == [("risk_current", "holder"), ("two_contacts", "candidate")]
    [in_the_way] = get_actions(lead.read(case))["accept_lead"]["unmet"]
    assert in_the_way["requirement"] == "risk_current"
    unwrap(officer.create(f"/cases/{case['code']}/risk-assessments", {"level": "low"}))
    assert lead.does("accept-lead", case, BODIES["accept-lead"]).status_code == 200


def test_who_declines_is_no_longer_party_and_the_next_has_it(
    officer: Someone, lead: Someone, ngo: Someone
) -> None:
    case = officer.submit(consents=ALSO_NGOS)
    unwrap(lead.does("acknowledge", case))

    declined = lead.does("decline-lead", case, NO | {"note": "Тоже нет"})

    assert (declined.status_code, declined.content) == (204, b"")
    assert lead.get(f"/cases/{case['code']}").status_code == 404
    mine = ngo.read(case)
    assert (mine["state"], mine["you_are"]) == ("submitted", ["candidate"])
    assert officer.read(case)["holder"] == "SANA_SEZIM"
    assert list_types(lead.poll())[-1] == list_types(ngo.poll())[-1] == "case.lead_declined"


def test_routing_shows_who_was_asked_and_why_and_who_declined_when(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=ALSO_NGOS)
    world.advance(hours=1)
    lead.does("decline-lead", case, NO)

    routing = unwrap(officer.get(f"/cases/{case['code']}/routing"))

    first, second, *_ = routing["candidates"]
    assert (first["focal_point"], first["reasons"]) == ("KZ_LEAD", ["body_of_the_country"])
    assert first["asked_at"] == "2026-06-01T12:00:00Z"
    assert first["declined_at"] == "2026-06-01T13:00:00Z"
    assert second["focal_point"] == "SANA_SEZIM"
    assert second["reasons"] == ["works_in_the_country", "offers_services_needed"]
    assert (second["asked_at"], second["declined_at"]) == ("2026-06-01T13:00:00Z", None)
    out = {one["focal_point"]: one["reasons"] for one in routing["excluded"]}
    assert out["KZ_LEAD"] == ["has_declined"]
    assert out["UNHCR"] == ["no_consent"]


def test_at_the_end_of_the_list_the_desk_holds_it(
    officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = officer.submit()
    lead.does("decline-lead", case, NO)

    held = desk.read(case)

    assert unwrap(desk.get(f"/cases/{case['code']}/routing"))["excluded"] == []
    assert (held["state"], held["holder"]) == ("submitted", "DESK_CENTRAL_ASIA")
    assert held["you_are"] == ["desk"]
    assert get_problem(desk.does("decline-lead", case, NO)) == (403, "action-not-yours")
    assert get_problem(desk.does("acknowledge", case)) == (403, "action-not-yours")


def test_where_no_consent_names_anybody_who_could_lead_the_desk_holds_it(
    officer: Someone, desk: Someone
) -> None:
    case = officer.submit(consents=[make_consent(focal_point="KZ_SHELTER_KOGERSHIN")])

    assert desk.read(case)["holder"] == "DESK_CENTRAL_ASIA"


def test_what_waited_for_who_declined_waits_for_the_next(
    officer: Someone, lead: Someone, ngo: Someone
) -> None:
    case = officer.submit(consents=ALSO_NGOS)
    unwrap(lead.does("acknowledge", case))
    draft = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN", send=False))
    lead.does("decline-lead", case, NO)

    theirs, next_ones = (
        {tx["subject"] for tx in unwrap(one.get("/worklist"))["items"]}
        for one in (lead, ngo)
    )

    assert theirs == set()
    assert next_ones == {f"cases/{case['code']}", f"referrals/{draft['id']}"}


def test_why_others_were_left_out_is_for_those_who_may_know_what_is_feared(
    world: World, officer: Someone, lead: Someone, ngo: Someone
) -> None:
    case = officer.submit(consents=ALSO_NGOS)
    path = f"/cases/{case['code']}/routing"
    oversight = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    early = [bool(unwrap(who.get(path))["excluded"]) for who in (officer, lead, oversight)]
    unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    lead.take_lead(case)

    late = [bool(unwrap(who.get(path))["excluded"]) for who in (lead, oversight)]

    assert (early, late) == ([True, False, False], [True, False])
    assert {get_problem(one.get(path)) for one in (ngo, officer)} == {(404, "not-found")}


def test_safeguards_cannot_be_read_from_the_routing_and_the_directory(
    officer: Someone,
) -> None:
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": ["SANA_SEZIM"]}
    case = officer.submit(safeguards=guards, consents=ALSO_NGOS)

    out = unwrap(officer.get(f"/cases/{case['code']}/routing"))["excluded"]

    unconsidered = [o["focal_point"] for o in out if "not_considered" in o["reasons"]]
    listed = [unwrap(officer.get(f"/focal-points/{code}")) for code in unconsidered]
    assert [one["code"] for one in listed if one["can_lead"]] == []


def test_a_case_is_taken_back_before_anything_was_sent(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()

    withdrawn = unwrap(officer.does("withdraw", case, BACK | {"note": "Ошибка"}))

    assert (withdrawn["state"], withdrawn["stage"]) == ("void", "closure")
    assert lead.get(f"/cases/{case['code']}").status_code == 404
    assert list_types(lead.poll())[-1] == "case.withdrawn"


def test_withdrawing_a_case_takes_its_drafts_along(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = officer.submit()
    draft = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN", send=False))

    unwrap(officer.does("withdraw", case, BACK))

    assert list_types(lead.poll())[-2:] == ["referral.revoked", "case.withdrawn"]
    assert lead.get(f"/referrals/{draft['id']}").status_code == 404
    assert shelter.poll() == []


def test_once_something_was_sent_a_case_is_not_taken_back(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    sent = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))

    first = officer.does("withdraw", case, BACK)
    unwrap(lead.does("revoke", sent, BACK))
    after = officer.does("withdraw", case, BACK)

    assert get_unmet(first) == get_unmet(after) == [("nothing_sent", "holder")]


def test_a_number_of_ones_own_is_used_for_one_case(officer: Someone, lead: Someone) -> None:
    first = unwrap(officer.create_case(external_reference="A/7"))

    again = officer.create_case(external_reference="A/7")

    assert get_problem(again) == (409, "external-reference-taken")
    assert again.json()["code"] == first["code"]
    assert lead.create_case(external_reference="A/7").status_code == 201


def test_a_code_is_read_as_people_type_it(officer: Someone) -> None:
    case = unwrap(officer.create_case())

    for typed in (case["code"].lower(), case["code"].replace("-", "")):
        assert unwrap(officer.get(f"/cases/{typed}"))["code"] == case["code"]


def test_a_mistyped_code_is_told_from_one_that_is_not_there(officer: Someone) -> None:
    code = unwrap(officer.create_case())["code"]
    wrong = next(c for c in "23456789" if c != code[3])

    mistyped = officer.get(f"/cases/SC-{wrong}{code[4:]}")

    assert get_problem(mistyped) == (422, "request-invalid")
    assert mistyped.json()["errors"][0]["code"] == "case_code_mistyped"
    assert officer.get("/cases/SC-1").status_code == 422


@pytest.mark.parametrize("action", ["close", "submit", "accept-lead"])
def test_a_recipient_of_a_referral_hears_whose_it_is_before_anything_of_versions(
    officer: Someone, lead: Someone, shelter: Someone, action: str
) -> None:
    case = lead.take_lead(officer.submit())
    unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    path = f"/cases/{case['code']}/{action}"

    blind, guessed = (
        shelter.send(path, BODIES[action], **{"if_match": tag} if tag else {})
        for tag in (None, '"1.0000000000000000"')
    )

    assert get_problem(blind) == get_problem(guessed) == (403, "action-not-yours")


def test_a_case_that_was_withdrawn_frees_the_number_of_its_submitter(
    officer: Someone,
) -> None:
    first = officer.submit(external_reference="A/7")
    taken = officer.create_case(external_reference="A/7")
    unwrap(officer.does("withdraw", first, BACK))

    again = officer.create_case(external_reference="A/7")

    assert get_problem(taken) == (409, "external-reference-taken")
    assert unwrap(again)["code"] != first["code"]


def test_a_draft_that_was_revoked_was_never_sent(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    draft = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN", send=False))
    unwrap(lead.does("revoke", draft, BACK))

    assert unwrap(officer.does("withdraw", case, BACK))["state"] == "void"


@pytest.mark.parametrize("body", [{"contacts": []}, [], {"a": 1}])
def test_an_act_that_takes_no_body_takes_none(
    officer: Someone, lead: Someone, body: object
) -> None:
    case = officer.submit()

    refused = lead.does("acknowledge", case, body)

    assert get_problem(refused) == (422, "body-unexpected")
    assert unwrap(lead.does("acknowledge", case, {}))["state"] == "under_review"


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMINISTRATOR, Role.SUPERVISOR])
def test_who_has_no_work_on_cases_opens_no_section(
    world: World, officer: Someone, lead: Someone, role: Role
) -> None:
    case = officer.submit()
    lead.take_lead(case)
    path = f"/cases/{case['code']}/sections/needs"

    refused = world.add_person("KZ_LEAD", {role}).open(path)

    assert lead.open(path).status_code == 200
    assert refused.status_code in {403, 404}


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMINISTRATOR, Role.SUPERVISOR])
def test_who_has_no_work_on_cases_writes_no_section(
    world: World, officer: Someone, lead: Someone, role: Role
) -> None:
    case = officer.submit()
    lead.take_lead(case)
    path = f"/cases/{case['code']}/sections/needs"
    content, seen = {"section": "needs", "summary": "x"}, {"If_Match": lead.get_tag(case)}

    refused = world.add_person("KZ_LEAD", {role}).ask("PUT", path, content, headers=seen)

    why = "role-missing" if role == Role.SUPERVISOR else "forbidden"
    assert get_problem(refused) == (403, why)
    assert lead.ask("PUT", path, content, headers=seen).status_code == 200


def test_the_versions_of_a_case_only_ever_grow(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    path = f"/cases/{case['code']}/risk-assessments"

    steps = [
        case,
        unwrap(lead.does("acknowledge", case)),
        unwrap(lead.does("accept-lead", case, BODIES["accept-lead"])),
    ]
    unwrap(officer.create(path, {"level": "low"}))
    steps.append(lead.read(case))

    assert all(one["version"] < other["version"] for one, other in pairwise(steps))
