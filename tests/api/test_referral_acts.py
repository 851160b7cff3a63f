"""Tests of the actions on a referral: permissions, states and effects on the case."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.directory.models import FocalPoint
from app.kernel.actors import Role
from tests.support.world import (
    ALL_SECTIONS,
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
NO: Json = {"reason": "NO_CAPACITY"}
BACK: Json = {"reason": "NO_LONGER_NEEDED"}
REPORT: Json = {"outcome": "delivered", "feedback": "Всё хорошо"}
BODIES: dict[str, Json | None] = {
    "send": None,
    "acknowledge": None,
    "accept": promise(),
    "decline": NO,
    "start": {"person_met": True},
    "complete": REPORT,
    "revoke": BACK,
}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """A case that has a lead and no referrals."""
    return lead.leads(officer.submits())


@pytest.fixture
def sent(lead: Someone, case: Json) -> Json:
    """A referral that was sent to a shelter."""
    return done(lead.refers(case, SHELTER))


def create_led_case(
    officer: Someone, lead: Someone, *more: Json, **changes: object
) -> Json:
    """Return a case that has a lead and additional consents."""
    given = [consent(), for_services(), *more]
    return lead.leads(officer.submits(**{"consents": given} | changes))


def replace_safeguards(who: Someone, case: Json, **content: object) -> None:
    """Replace the safeguards of a case."""
    path, headers = f"/cases/{case['code']}/safeguards", {"If_Match": who.tag(case)}
    done(who.ask("PUT", path, {"country_of_origin": "UZ"} | content, headers=headers))


def state_of(who: Someone, record: Json) -> str:
    return str(who.sees(record)["state"])


def test_help_is_asked_for_promised_given_and_reported(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    draft = done(lead.refers(case, SHELTER, send=False))
    states = [draft["state"], done(lead.does("send", draft))["state"]]

    states += [
        done(shelter.does(action, draft, BODIES[action]))["state"]
        for action in ("acknowledge", "accept", "start", "complete")
    ]

    assert states == [
        *("draft", "sent", "received", "accepted", "in_progress", "completed"),
    ]
    assert lead.sees(draft)["outcome"] == "delivered"
    assert lead.sees(draft)["available_actions"] == []


@pytest.mark.parametrize("action", ["send", "start", "complete"])
def test_what_a_state_does_not_allow_says_what_it_does(
    lead: Someone, sent: Json, action: str
) -> None:
    refused = lead.does(action, sent, BODIES[action])

    assert problem(refused) == (409, "action-illegal")
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

    assert problem(refused) == (403, "action-not-yours")


@pytest.mark.parametrize("action", ["acknowledge", "accept", "decline", "revoke"])
def test_what_needs_a_role_is_refused_without_it(
    world: World, sent: Json, action: str
) -> None:
    side = "KZ_LEAD" if action == "revoke" else SHELTER
    colleague = world.someone(side, {Role.OFFICER, Role.SUPERVISOR})

    assert problem(colleague.does(action, sent, BODIES[action])) == (403, "role-missing")


@pytest.mark.parametrize("action", BODIES)
def test_a_stranger_hears_what_a_referral_that_is_not_there_would_say(
    stranger: Someone, sent: Json, action: str
) -> None:
    hidden = stranger.does(action, sent, BODIES[action])
    missing = stranger.does(action, {"id": str(uuid4())}, BODIES[action])

    assert problem(hidden) == (404, "not-found")
    ours, theirs = hidden.json(), missing.json()
    assert ours.pop("instance") != theirs.pop("instance")
    assert ours == theirs


@pytest.mark.parametrize("action", BODIES)
def test_the_submitter_never_learns_who_was_asked(
    officer: Someone, sent: Json, action: str
) -> None:
    assert problem(officer.does(action, sent, BODIES[action])) == (404, "not-found")
    assert "referral" not in "".join(kinds(officer.hears()))


@pytest.mark.parametrize("action", BODIES)
def test_a_version_must_be_given_and_be_the_latest(
    shelter: Someone, sent: Json, action: str
) -> None:
    old = shelter.tag(sent)
    done(shelter.does("acknowledge", sent))
    path = f"/referrals/{sent['id']}/{action}"

    assert problem(shelter.post(path, BODIES[action])) == (428, "version-not-given")
    assert problem(shelter.post(path, BODIES[action], if_match=old))[0] == 412


def test_nothing_is_sent_without_a_consent_to_this_service(
    officer: Someone, lead: Someone, case: Json
) -> None:
    draft = done(lead.refers(case, SHELTER, service="MEDICAL", send=False))

    refused = lead.does("send", draft)
    path = f"/cases/{case['code']}/consents"
    done(lead.creates(path, for_services(purposes=["MEDICAL"], sections=["needs"])))

    assert lacks(refused) == [("consent", "sender")]
    others = refused.json()["unmet"][0]["alternatives"]
    assert [other["need"] for other in others] == ["vital_interest"]
    assert done(lead.does("send", draft))["state"] == "sent"
    assert officer.get(f"/referrals/{draft['id']}").status_code == 404


def test_nothing_is_sent_with_a_section_the_person_did_not_name(
    officer: Someone, lead: Someone
) -> None:
    given = [consent(), for_services(sections=["needs", "contact"])]
    case = lead.leads(officer.submits(consents=given))

    refused = lead.refers(case, SHELTER, sections=["needs", "identity"])

    assert lacks(refused) == [("consent", "sender")]
    assert lead.refers(case, SHELTER, sections=["needs", "contact"]).status_code == 201


def test_nothing_is_sent_on_an_old_view_of_the_risk(
    world: World, lead: Someone, case: Json
) -> None:
    draft = done(lead.refers(case, SHELTER, send=False))
    world.passes(days=7, hours=1)

    refused = lead.does("send", draft)
    done(lead.creates(f"/cases/{case['code']}/risk-assessments", {"level": "medium"}))

    assert lacks(refused) == [("risk_current", "sender")]
    assert done(lead.does("send", draft))["state"] == "sent"


def test_nothing_is_sent_to_whom_the_person_is_not_safe_with(
    lead: Someone, case: Json
) -> None:
    draft = done(lead.refers(case, SHELTER, send=False))
    replace_safeguards(lead, case, unsafe_focal_points=[SHELTER])

    refused = lead.does("send", draft)
    replace_safeguards(lead, case)

    assert lacks(refused) == [("recipient_safe", "sender")]
    assert done(lead.does("send", draft))["state"] == "sent"


def test_without_an_agreement_only_the_notice_crosses_the_border(
    officer: Someone, lead: Someone
) -> None:
    to_kg = for_services("state", "KG", purposes=["RETURN"])
    case = create_led_case(officer, lead, to_kg)

    with_sections = lead.refers(case, "KG_LEAD", service="RETURN", sections=["needs"])
    alone = lead.refers(case, "KG_LEAD", service="RETURN", sections=[])

    assert lacks(with_sections) == [("agreement", "sender")]
    assert done(alone)["state"] == "sent"


def test_a_consulate_is_across_the_border_wherever_it_sits(
    world: World, officer: Someone, lead: Someone
) -> None:
    jm = "JM_CONSULATE_PORT_OF_SPAIN"
    asked = {"service": "CONSULAR_DOCUMENT", "sections": ["needs"]}
    case = create_led_case(
        officer, lead, for_services("state", "JM", purposes=[asked["service"]])
    )
    with world.database.writing() as session:
        session.execute(update(FocalPoint).filter_by(code=jm).values(serves=["KZ"]))

    refused = lead.refers(case, jm, **asked)

    assert lacks(refused) == [("agreement", "sender")]


def test_with_an_agreement_sections_cross_the_border_once_the_person_allowed_it(
    officer: Someone, lead: Someone
) -> None:
    case = create_led_case(officer, lead, for_services("state", "UZ", purposes=["RETURN"]))
    body = {"service": "RETURN", "sections": ["needs"]}

    undecided = lead.refers(case, "UZ_LEAD", **body)
    replace_safeguards(lead, case, origin_contact="permitted")
    permitted = lead.refers(case, "UZ_LEAD", **body)
    replace_safeguards(lead, case, origin_contact="blocked")
    blocked = lead.refers(case, "UZ_LEAD", **body)

    assert lacks(undecided) == [("origin_permitted", "sender")]
    assert done(permitted)["state"] == "sent"
    assert lacks(blocked) == [("recipient_safe", "sender"), ("origin_permitted", "sender")]


def test_an_origin_that_is_not_known_may_be_any_state_but_this_one(
    officer: Someone, lead: Someone
) -> None:
    to_uz = for_services("state", "UZ", purposes=["RETURN"])
    to_kz = for_services("state", "KZ", purposes=["IDENTIFICATION"])
    case = create_led_case(officer, lead, to_uz, to_kz, safeguards=None)

    abroad = lead.refers(case, "UZ_LEAD", service="RETURN")

    assert lacks(abroad) == [("origin_permitted", "sender")]


def test_a_promise_lacks_what_it_lacks_and_is_told_at_once(
    shelter: Someone, sent: Json
) -> None:
    past = promise("2026-06-01T11:59:59Z", contacts=contacts("Ana", "Ana"))

    refused = shelter.does("accept", sent, past)

    assert lacks(refused) == [("two_contacts", "recipient"), ("meeting", "recipient")]
    accept = actions(shelter.sees(sent))["accept"]
    assert (accept["open"], accept["asks"]) == (True, ["two_contacts", "meeting"])
    assert done(shelter.does("accept", sent, promise()))["state"] == "accepted"


def test_what_rests_on_a_consent_that_ran_out_is_not_accepted(
    world: World, lead: Someone, officer: Someone, shelter: Someone
) -> None:
    short = for_services(expires_at="2026-06-02T00:00:00Z")
    case = lead.leads(officer.submits(consents=[consent(), short]))
    sent = done(lead.refers(case, SHELTER))
    world.passes(hours=12)

    refused = shelter.does("accept", sent, promise("2026-06-03T09:00:00Z"))

    assert lacks(refused) == [("consent", "sender")]
    assert not actions(shelter.sees(sent))["accept"]["open"]


def test_a_consent_that_was_taken_back_has_ended_what_rested_on_it(
    lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    seen = shelter.tag(sent)
    consents = done(lead.get(f"/cases/{case['code']}/consents"))["items"]
    [given] = [one for one in consents if "SHELTER" in one["purposes"]]
    done(lead.post(f"/cases/{case['code']}/consents/{given['id']}/withdraw"))
    path = f"/referrals/{sent['id']}/accept"

    assert problem(shelter.post(path, promise(), if_match=seen)) == (412, "version-stale")
    assert problem(shelter.does("accept", sent, promise())) == (409, "action-illegal")
    assert state_of(shelter, sent) == "withdrawn"


def test_help_begins_when_the_person_was_met(shelter: Someone, sent: Json) -> None:
    done(shelter.does("accept", sent, promise()))

    refused = shelter.does("start", sent, {"person_met": False})

    assert lacks(refused) == [("person_met", "recipient")]
    assert done(shelter.does("start", sent, {"person_met": True}))["state"] == "in_progress"


@pytest.mark.parametrize("body", [{}, {"outcome": "delivered"}, {"outcome": "x"} | REPORT])
def test_what_came_of_it_is_told_with_how_it_went(
    shelter: Someone, sent: Json, body: Json
) -> None:
    body = body | ({"outcome": "well"} if body.get("feedback") else {})
    done(shelter.does("accept", sent, promise()))
    done(shelter.does("start", sent, BODIES["start"]))

    assert problem(shelter.does("complete", sent, body)) == (422, "request-invalid")
    assert state_of(shelter, sent) == "in_progress"


def test_the_case_follows_its_referrals(
    lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    done(shelter.does("accept", sent, promise()))
    helped = state_of(lead, case)

    done(shelter.does("decline", sent, NO))

    assert (helped, state_of(lead, case)) == ("assisting", "referring")
    assert kinds(lead.hears())[-4:] == [
        *("referral.accepted", "case.assistance_begun"),
        *("referral.declined", "case.fell_back"),
    ]


def test_help_that_was_given_keeps_a_case_in_assistance(
    lead: Someone, shelter: Someone, case: Json, sent: Json
) -> None:
    for action in ("accept", "start", "complete"):
        done(shelter.does(action, sent, BODIES[action]))

    assert state_of(lead, case) == "assisting"


def test_of_two_in_parallel_one_is_enough(
    lead: Someone, shelter: Someone, lawyer: Someone, case: Json, sent: Json
) -> None:
    law = done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    done(shelter.does("accept", sent, promise()))
    done(lawyer.does("accept", law, promise()))

    done(shelter.does("decline", sent, NO))
    with_one = state_of(lead, case)
    done(lawyer.does("decline", law, NO))

    assert (with_one, state_of(lead, case)) == ("assisting", "referring")
    assert problem(shelter.get(f"/referrals/{law['id']}")) == (404, "not-found")


@pytest.mark.parametrize("steps", [[], ["acknowledge"], ["accept"]])
def test_a_sender_takes_back_what_has_not_begun(
    lead: Someone, shelter: Someone, sent: Json, steps: list[str]
) -> None:
    for step in steps:
        done(shelter.does(step, sent, BODIES[step]))

    revoked = done(lead.does("revoke", sent, BACK))

    assert (revoked["state"], revoked["reason"]) == ("revoked", "NO_LONGER_NEEDED")
    assert shelter.hears()[-1]["type"] == "referral.revoked"
    assert problem(shelter.does("accept", sent, promise())) == (409, "action-illegal")


def test_once_help_has_begun_it_is_not_revoked(
    lead: Someone, shelter: Someone, sent: Json
) -> None:
    done(shelter.does("accept", sent, promise()))
    done(shelter.does("start", sent, BODIES["start"]))

    assert problem(lead.does("revoke", sent, BACK)) == (409, "action-illegal")


@pytest.mark.parametrize(
    "ending", [("decline", NO), ("revoke", BACK)], ids=["decline", "revoke"]
)
def test_what_a_recipient_could_open_is_shut_when_its_referral_ends(
    lead: Someone, shelter: Someone, case: Json, ending: tuple[str, Json]
) -> None:
    sent = done(lead.refers(case, SHELTER, sections=ALL_SECTIONS))
    path = f"/cases/{case['code']}/sections/contact"
    before = shelter.opens(path).status_code
    done(shelter.does("accept", sent, promise()))
    accepted = shelter.opens(path).status_code

    done((shelter if ending[0] == "decline" else lead).does(*ending[:1], sent, ending[1]))

    assert (before, accepted, shelter.opens(path).status_code) == (404, 200, 404)


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
    assert problem(lead.refers(case, recipient, send=False)) == answer


def test_a_draft_is_judged_again_when_it_is_sent(
    world: World, lead: Someone, case: Json
) -> None:
    draft = done(lead.refers(case, SHELTER, send=False))
    of = update(FocalPoint).filter_by(code=SHELTER)
    with world.database.writing() as session:
        session.execute(of.values(active=False))

    refused = lead.does("send", draft)
    with world.database.writing() as session:
        session.execute(of.values(active=True))

    assert problem(refused) == (422, "recipient-unfit")
    assert done(lead.does("send", draft))["state"] == "sent"


def test_only_who_holds_a_case_and_works_on_it_asks_for_help(
    world: World, officer: Someone, lead: Someone, stranger: Someone, case: Json
) -> None:
    draft = done(officer.writes_case())

    assert problem(officer.refers(case, SHELTER)) == (403, "action-not-yours")
    assert problem(officer.refers(draft, SHELTER)) == (409, "action-illegal")
    assert problem(stranger.refers(case, SHELTER)) == (404, "not-found")
    supervisor = world.someone(lead.code, {Role.SUPERVISOR})
    assert problem(supervisor.refers(case, SHELTER)) == (403, "role-missing")


def test_a_draft_is_not_there_for_its_recipient(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    draft = done(lead.refers(case, SHELTER, send=False))

    assert shelter.get(f"/referrals/{draft['id']}").status_code == 404
    assert shelter.get(f"/cases/{case['code']}").status_code == 404
    assert done(shelter.get("/referrals"))["items"] == []
    assert done(shelter.get("/worklist"))["items"] == []
    assert shelter.hears() == []


def test_a_child_is_not_sent_on_its_own_word_but_on_a_guardians(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    guardian = {"given_by": "guardian_with_assent"}
    given = [consent(**guardian), for_services()]
    case = lead.leads(officer.submits(notice={"age_class": "child"}, consents=given))
    own = lead.refers(case, SHELTER)
    done(lead.creates(f"/cases/{case['code']}/consents", for_services(**guardian)))

    sent = done(lead.refers(case, SHELTER))

    assert lacks(own) == [("consent", "sender")]
    assert done(shelter.does("accept", sent, promise()))["state"] == "accepted"


def test_referrals_are_known_by_random_ids_and_dated_by_the_clock(sent: Json) -> None:
    opened = datetime.fromisoformat(sent["opened_at"])

    assert UUID(sent["id"]).version == 4
    assert opened == datetime(2026, 6, 1, 12, tzinfo=UTC)
