"""Tests of the actions on a referral: permissions, states and effects on the case."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.directory.models import FocalPoint
from app.kernel.actors import Role
from tests.support.case_actions import list_steps
from tests.support.directory_changes import update_directory
from tests.support.world import (
    ALL_SECTIONS,
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
NO: Json = {"reason": "NO_CAPACITY"}
BACK: Json = {"reason": "NO_LONGER_NEEDED"}
REPORT: Json = {"outcome": "delivered", "feedback": "Всё хорошо"}
BODIES: dict[str, Json | None] = {
    "send": None,
    "acknowledge": None,
    "accept": make_acceptance(),
    "decline": NO,
    "start": {"person_met": True},
    "complete": REPORT,
    "revoke": BACK,
}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead and no referrals."""
    return lead.take_lead(officer.submit())


@pytest.fixture
def sent(lead: Someone, case: Json) -> Json:
    """Return a referral that was sent to a shelter."""
    return unwrap(lead.refer(case, SHELTER))


def create_led_case(
    officer: Someone, lead: Someone, *more: Json, **changes: object
) -> Json:
    """Return a case with a lead, the usual consents and the additional ones."""
    given = [make_consent(), make_service_consent(), *more]
    return lead.take_lead(officer.submit(**{"consents": given} | changes))


def replace_safeguards(who: Someone, case: Json, **content: object) -> None:
    """Replace the safeguards of a case."""
    path, headers = f"/cases/{case['code']}/safeguards", {"If_Match": who.get_tag(case)}
    unwrap(who.ask("PUT", path, {"country_of_origin": "UZ"} | content, headers=headers))


def state_of(who: Someone, record: Json) -> str:
    return str(who.read(record)["state"])


def test_help_is_asked_for_promised_given_and_reported(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    draft = unwrap(lead.refer(case, SHELTER, send=False))
    states = [draft["state"], unwrap(lead.does("send", draft))["state"]]

    states += [
        unwrap(shelter.does(action, draft, BODIES[action]))["state"]
        for action in ("acknowledge", "accept", "start", "complete")
    ]

    expected = ["draft", "sent", "received", "accepted", "in_progress", "completed"]
    assert states == expected
    assert lead.read(draft)["outcome"] == "delivered"
    assert list_steps(lead.read(draft)) == []


@pytest.mark.parametrize("action", ["send", "start", "complete"])
def test_what_a_state_does_not_allow_says_what_it_does(
    lead: Someone, sent: Json, action: str
) -> None:
    refused = lead.does(action, sent, BODIES[action])

    assert get_problem(refused) == (409, "action-illegal")
    assert refused.json()["state"] == "sent"
    legal = {one["action"]: one["by"] for one in refused.json()["legal_actions"]}
    assert legal["accept"] == legal["decline"] == ["recipient"]
    assert legal["revoke"] == ["sender"]


@pytest.mark.parametrize("action", ["acknowledge", "accept", "decline", "revoke"])
def test_what_belongs_to_the_other_side_is_refused(
    lead: Someone, shelter: Someone, sent: Json, action: str
) -> None:
    wrong = shelter if action == "revoke" else lead

    refused = wrong.does(action, sent, BODIES[action])

    assert get_problem(refused) == (403, "action-not-yours")


@pytest.mark.parametrize("action", ["acknowledge", "accept", "decline", "revoke"])
def test_what_needs_a_role_is_refused_without_it(
    world: World, sent: Json, action: str
) -> None:
    side = "KZ_LEAD" if action == "revoke" else SHELTER
    colleague = world.add_person(side, {Role.OFFICER, Role.SUPERVISOR})
    refused = colleague.does(action, sent, BODIES[action])

    assert get_problem(refused) == (403, "role-missing")


@pytest.mark.parametrize("action", BODIES)
def test_a_stranger_hears_what_a_referral_that_is_not_there_would_say(
    stranger: Someone, sent: Json, action: str
) -> None:
    hidden = stranger.does(action, sent, BODIES[action])
    missing = stranger.does(action, {"id": str(uuid4())}, BODIES[action])

    assert get_problem(hidden) == (404, "not-found")
    ours, theirs = hidden.json(), missing.json()
    assert ours.pop("instance") != theirs.pop("instance")
    assert ours == theirs


@pytest.mark.parametrize("action", BODIES)
def test_the_submitter_never_learns_who_was_asked(
    officer: Someone, sent: Json, action: str
) -> None:
    assert get_problem(officer.does(action, sent, BODIES[action])) == (404, "not-found")
    assert "referral" not in "".join(list_types(officer.poll()))


@pytest.mark.parametrize("action", BODIES)
def test_a_version_must_be_given_and_be_the_latest(
    shelter: Someone, sent: Json, action: str
) -> None:
    old = shelter.get_tag(sent)
    unwrap(shelter.does("acknowledge", sent))
    path = f"/referrals/{sent['id']}/{action}"

    assert get_problem(shelter.send(path, BODIES[action])) == (428, "version-not-given")
    assert get_problem(shelter.send(path, BODIES[action], if_match=old))[0] == 412


def test_nothing_is_sent_without_a_consent_to_this_service(
    officer: Someone, lead: Someone, case: Json
) -> None:
    draft = unwrap(lead.refer(case, SHELTER, service="MEDICAL", send=False))

    refused = lead.does("send", draft)
    path = f"/cases/{case['code']}/consents"
    unwrap(
        lead.create(path, make_service_consent(purposes=["MEDICAL"], sections=["needs"]))
    )

    assert get_unmet(refused) == [("consent", "sender")]
    others = refused.json()["unmet"][0]["alternatives"]
    assert [other["requirement"] for other in others] == ["vital_interest"]
    assert unwrap(lead.does("send", draft))["state"] == "sent"
    assert officer.get(f"/referrals/{draft['id']}").status_code == 404


def test_nothing_is_sent_with_a_section_the_person_did_not_name(
    officer: Someone, lead: Someone
) -> None:
    given = [make_consent(), make_service_consent(sections=["needs", "contact"])]
    case = lead.take_lead(officer.submit(consents=given))

    refused = lead.refer(case, SHELTER, sections=["needs", "identity"])

    assert get_unmet(refused) == [("consent", "sender")]
    assert lead.refer(case, SHELTER, sections=["needs", "contact"]).status_code == 201


def test_nothing_is_sent_on_an_old_view_of_the_risk(
    world: World, lead: Someone, case: Json
) -> None:
    draft = unwrap(lead.refer(case, SHELTER, send=False))
    world.advance(days=7, hours=1)

    refused = lead.does("send", draft)
    unwrap(lead.create(f"/cases/{case['code']}/risk-assessments", {"level": "medium"}))

    assert get_unmet(refused) == [("risk_current", "sender")]
    assert unwrap(lead.does("send", draft))["state"] == "sent"


def test_nothing_is_sent_to_whom_the_person_is_not_safe_with(
    lead: Someone, case: Json
) -> None:
    draft = unwrap(lead.refer(case, SHELTER, send=False))
    replace_safeguards(lead, case, unsafe_focal_points=[SHELTER])

    refused = lead.does("send", draft)
    replace_safeguards(lead, case)

    assert get_unmet(refused) == [("recipient_safe", "sender")]
    assert unwrap(lead.does("send", draft))["state"] == "sent"


def test_without_an_agreement_only_the_notice_crosses_the_border(
    officer: Someone, lead: Someone
) -> None:
    to_kg = make_service_consent("state", "KG", purposes=["RETURN"])
    case = create_led_case(officer, lead, to_kg)

    with_sections = lead.refer(case, "KG_LEAD", service="RETURN", sections=["needs"])
    alone = lead.refer(case, "KG_LEAD", service="RETURN", sections=[])

    assert get_unmet(with_sections) == [("agreement", "sender")]
    assert unwrap(alone)["state"] == "sent"


def test_a_consulate_is_across_the_border_wherever_it_sits(
    world: World, officer: Someone, lead: Someone
) -> None:
    jm = "JM_CONSULATE_PORT_OF_SPAIN"
    terms = {"service": "CONSULAR_DOCUMENT", "sections": ["needs"]}
    to_jm = make_service_consent("state", "JM", purposes=[terms["service"]])
    case = create_led_case(officer, lead, to_jm)
    with world.database.begin_write() as session:
        update_directory(
            session, update(FocalPoint).filter_by(code=jm).values(serves=["KZ"])
        )

    refused = lead.refer(case, jm, **terms)

    assert get_unmet(refused) == [("agreement", "sender")]


def test_with_an_agreement_sections_cross_the_border_once_the_person_allowed_it(
    officer: Someone, lead: Someone
) -> None:
    to_uz = make_service_consent("state", "UZ", purposes=["RETURN"])
    case = create_led_case(officer, lead, to_uz)
    body = {"service": "RETURN", "sections": ["needs"]}

    undecided = lead.refer(case, "UZ_LEAD", **body)
    replace_safeguards(lead, case, origin_contact="permitted")
    permitted = lead.refer(case, "UZ_LEAD", **body)
    replace_safeguards(lead, case, origin_contact="blocked")
    blocked = lead.refer(case, "UZ_LEAD", **body)

    assert get_unmet(undecided) == [("origin_permitted", "sender")]
    assert unwrap(permitted)["state"] == "sent"
    assert get_unmet(blocked) == [
        ("recipient_safe", "sender"),
        ("origin_permitted", "sender"),
    ]


def test_an_origin_that_is_not_known_may_be_any_state_but_this_one(
    officer: Someone, lead: Someone
) -> None:
    to_uz = make_service_consent("state", "UZ", purposes=["RETURN"])
    to_kz = make_service_consent("state", "KZ", purposes=["IDENTIFICATION"])
    case = create_led_case(officer, lead, to_uz, to_kz, safeguards=None)

    abroad = lead.refer(case, "UZ_LEAD", service="RETURN")

    assert get_unmet(abroad) == [("origin_permitted", "sender")]


def test_a_promise_lacks_what_it_lacks_and_is_told_at_once(
    shelter: Someone, sent: Json
) -> None:
    past = make_acceptance("2026-06-01T11:59:59Z", contacts=make_contacts("Ana", "Ana"))

    refused = shelter.does("accept", sent, past)

    assert get_unmet(refused) == [("two_contacts", "recipient"), ("meeting", "recipient")]
    accept = get_actions(shelter.read(sent))["accept"]
    assert (accept["open"], accept["asks"]) == (True, ["two_contacts", "meeting"])
    assert unwrap(shelter.does("accept", sent, make_acceptance()))["state"] == "accepted"


def test_what_rests_on_a_consent_that_ran_out_is_not_accepted(
    world: World, lead: Someone, officer: Someone, shelter: Someone
) -> None:
    short = make_service_consent(expires_at="2026-06-02T00:00:00Z")
    case = lead.take_lead(officer.submit(consents=[make_consent(), short]))
    sent = unwrap(lead.refer(case, SHELTER))
    world.advance(hours=12)

    refused = shelter.does("accept", sent, make_acceptance("2026-06-03T09:00:00Z"))

    assert get_unmet(refused) == [("consent", "sender")]
    assert not get_actions(shelter.read(sent))["accept"]["open"]


def test_a_consent_that_was_taken_back_has_ended_what_rested_on_it(
    lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    seen = shelter.get_tag(sent)
    consents = unwrap(lead.get(f"/cases/{case['code']}/consents"))["items"]
    [given] = [one for one in consents if "SHELTER" in one["purposes"]]
    unwrap(lead.send(f"/cases/{case['code']}/consents/{given['id']}/withdraw"))
    path = f"/referrals/{sent['id']}/accept"
    stale = shelter.send(path, make_acceptance(), if_match=seen)
    illegal = shelter.does("accept", sent, make_acceptance())

    assert get_problem(stale) == (412, "version-stale")
    assert get_problem(illegal) == (409, "action-illegal")
    assert state_of(shelter, sent) == "withdrawn"


def test_help_begins_when_the_person_was_met(shelter: Someone, sent: Json) -> None:
    unwrap(shelter.does("accept", sent, make_acceptance()))

    refused = shelter.does("start", sent, {"person_met": False})

    assert get_unmet(refused) == [("person_met", "recipient")]
    assert (
        unwrap(shelter.does("start", sent, {"person_met": True}))["state"] == "in_progress"
    )


@pytest.mark.parametrize("body", [{}, {"outcome": "delivered"}, {"outcome": "x"} | REPORT])
def test_what_came_of_it_is_told_with_how_it_went(
    shelter: Someone, sent: Json, body: Json
) -> None:
    body = body | ({"outcome": "well"} if body.get("feedback") else {})
    unwrap(shelter.does("accept", sent, make_acceptance()))
    unwrap(shelter.does("start", sent, BODIES["start"]))

    assert get_problem(shelter.does("complete", sent, body)) == (422, "request-invalid")
    assert state_of(shelter, sent) == "in_progress"


def test_the_case_follows_its_referrals(
    lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    unwrap(shelter.does("accept", sent, make_acceptance()))
    helped = state_of(lead, case)

    unwrap(shelter.does("decline", sent, NO))

    assert (helped, state_of(lead, case)) == ("assisting", "referring")
    begun = ["referral.accepted", "case.assistance_begun"]
    ended = ["referral.declined", "case.referring_again"]
    assert list_types(lead.poll())[-4:] == begun + ended


def test_help_that_was_given_keeps_a_case_in_assistance(
    lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    for action in ("accept", "start", "complete"):
        unwrap(shelter.does(action, sent, BODIES[action]))

    assert state_of(lead, case) == "assisting"


def test_of_two_in_parallel_one_is_enough(
    lead: Someone, shelter: Someone, lawyer: Someone, case: Json, sent: Json
) -> None:
    law = unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    unwrap(lawyer.does("accept", law, make_acceptance()))

    unwrap(shelter.does("decline", sent, NO))
    with_one = state_of(lead, case)
    unwrap(lawyer.does("decline", law, NO))

    assert (with_one, state_of(lead, case)) == ("assisting", "referring")
    assert get_problem(shelter.get(f"/referrals/{law['id']}")) == (404, "not-found")


@pytest.mark.parametrize("steps", [[], ["acknowledge"], ["accept"]])
def test_a_sender_takes_back_what_has_not_begun(
    lead: Someone, shelter: Someone, sent: Json, steps: list[str]
) -> None:
    for step in steps:
        unwrap(shelter.does(step, sent, BODIES[step]))

    revoked = unwrap(lead.does("revoke", sent, BACK))

    assert (revoked["state"], revoked["reason"]) == ("revoked", "NO_LONGER_NEEDED")
    assert shelter.poll()[-1]["type"] == "referral.revoked"
    assert get_problem(shelter.does("accept", sent, make_acceptance())) == (
        409,
        "action-illegal",
    )


def test_once_help_has_begun_it_is_not_revoked(
    lead: Someone, shelter: Someone, sent: Json
) -> None:
    unwrap(shelter.does("accept", sent, make_acceptance()))
    unwrap(shelter.does("start", sent, BODIES["start"]))

    assert get_problem(lead.does("revoke", sent, BACK)) == (409, "action-illegal")


@pytest.mark.parametrize(
    "ending", [("decline", NO), ("revoke", BACK)], ids=["decline", "revoke"]
)
def test_what_a_recipient_could_open_is_shut_when_its_referral_ends(
    lead: Someone, shelter: Someone, case: Json, ending: tuple[str, Json]
) -> None:
    sent = unwrap(lead.refer(case, SHELTER, sections=ALL_SECTIONS))
    path = f"/cases/{case['code']}/sections/contact"
    before = shelter.open(path).status_code
    unwrap(shelter.does("accept", sent, make_acceptance()))
    accepted = shelter.open(path).status_code

    unwrap((shelter if ending[0] == "decline" else lead).does(*ending[:1], sent, ending[1]))

    assert (before, accepted, shelter.open(path).status_code) == (404, 200, 404)


@pytest.mark.parametrize(
    ("recipient", "answer"),
    [
        ("DESK_CENTRAL_ASIA", (422, "recipient-unfit")),
        ("OVERSIGHT_DEMO", (422, "recipient-unfit")),
        ("KZ_LEAD", (422, "recipient-unfit")),
        ("AF_LEAD", (422, "recipient-unfit")),
        ("UNODC_ROCA", (422, "recipient-unfit")),
        ("NOBODY_AT_ALL", (422, "focal-point-unknown")),
    ],
    ids=["desk", "oversight", "itself", "inactive", "technical", "unknown"],
)
def test_not_everybody_can_be_asked_for_help(
    lead: Someone, case: Json, recipient: str, answer: tuple[int, str]
) -> None:
    assert get_problem(lead.refer(case, recipient, send=False)) == answer


def test_a_draft_is_judged_again_when_it_is_sent(
    world: World, lead: Someone, case: Json
) -> None:
    draft = unwrap(lead.refer(case, SHELTER, send=False))
    world.close_office(SHELTER)

    refused = lead.does("send", draft)
    world.close_office(SHELTER, active=True)

    assert get_problem(refused) == (422, "recipient-unfit")
    assert unwrap(lead.does("send", draft))["state"] == "sent"


def test_only_who_holds_a_case_and_works_on_it_asks_for_help(
    world: World, officer: Someone, lead: Someone, stranger: Someone, case: Json
) -> None:
    draft = unwrap(officer.create_case())

    assert get_problem(officer.refer(case, SHELTER)) == (403, "action-not-yours")
    assert get_problem(officer.refer(draft, SHELTER)) == (409, "action-illegal")
    assert get_problem(stranger.refer(case, SHELTER)) == (404, "not-found")
    supervisor = world.add_person(lead.code, {Role.SUPERVISOR})
    assert get_problem(supervisor.refer(case, SHELTER)) == (403, "role-missing")


def test_a_draft_is_not_there_for_its_recipient(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    draft = unwrap(lead.refer(case, SHELTER, send=False))

    assert shelter.get(f"/referrals/{draft['id']}").status_code == 404
    assert shelter.get(f"/cases/{case['code']}").status_code == 404
    assert unwrap(shelter.get("/referrals"))["items"] == []
    assert unwrap(shelter.get("/worklist"))["items"] == []
    assert shelter.poll() == []


def test_a_child_is_not_sent_on_its_own_word_but_on_a_guardians(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    guardian = {"given_by": "guardian_with_assent"}
    given = [make_consent(**guardian), make_service_consent()]
    case = lead.take_lead(officer.submit(summary={"age_class": "child"}, consents=given))
    own = lead.refer(case, SHELTER)
    unwrap(lead.create(f"/cases/{case['code']}/consents", make_service_consent(**guardian)))

    sent = unwrap(lead.refer(case, SHELTER))

    assert get_unmet(own) == [("consent", "sender")]
    assert unwrap(shelter.does("accept", sent, make_acceptance()))["state"] == "accepted"


def test_referrals_are_known_by_random_ids_and_dated_by_the_clock(sent: Json) -> None:
    opened = datetime.fromisoformat(sent["opened_at"])

    assert UUID(sent["id"]).version == 4
    assert opened == datetime(2026, 6, 1, 12, tzinfo=UTC)
