"""Tests of recipients whose referral has ended: what they lose, and what they still see."""

from collections.abc import Callable

import pytest

from app.cases import queries as case_queries
from tests.support.endings import run_endings_job
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SHELTER, LAWYER = "KZ_SHELTER_KOGERSHIN", "KZ_LEGAL_AID"
HIDDEN = (404, "not-found")
NO: Json = {"reason": "NO_CAPACITY"}
BACK: Json = {"reason": "NO_LONGER_NEEDED"}
ON: Json = {"reason": "NO_CAPACITY", "alternative": "KZ_SHELTER_TANSHOLPAN"}
FEARED: Json = {"country_of_origin": "UZ", "unsafe_focal_points": [SHELTER]}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    given = [make_consent(), make_service_consent(), make_handover_consent("IOM")]
    return lead.take_lead(officer.submit(consents=given))


def is_hidden(who: Someone, case: Json) -> bool:
    """Return whether an office can read nothing about a case."""
    path = get_path(case)
    parts = ("", "/history", "/evidence", "/consents", "/facts", "/questions", "/routing")
    found = {get_problem(who.get(f"{path}{part}")) for part in parts}
    return found == {HIDDEN} and unwrap(who.get("/cases"))["items"] == []


@pytest.mark.parametrize(
    ("by", "action", "body"),
    [
        ("shelter", "decline", NO),
        ("shelter", "redirect", ON),
        ("lead", "revoke", BACK),
        ("lead", "withdraw", BACK),
    ],
)
def test_when_a_referral_ends_its_recipient_loses_the_case_and_keeps_the_referral(  # noqa: PLR0913, PLR0917
    lead: Someone, shelter: Someone, case: Json, by: str, action: str, body: Json
) -> None:
    sent = unwrap(lead.refer(case, SHELTER))
    assert shelter.read(case)["you_are"] == ["recipient"]
    shelter.poll()

    unwrap({"lead": lead, "shelter": shelter}[by].does(action, sent, body))

    assert is_hidden(shelter, case)
    seen = shelter.read(sent)
    assert (seen["you_are"], seen["sender"]) == (["recipient"], None)
    assert [
        one["id"] for one in unwrap(shelter.get("/referrals", side="recipient"))["items"]
    ]
    assert [kind for _, kind, _ in shelter.get_worklist()] == ["confirm_deletion"]
    assert len(shelter.poll()) == 1
    assert shelter.does("confirm-deletion", sent).status_code == 204
    assert get_problem(shelter.get(get_path(sent))) == HIDDEN


@pytest.mark.parametrize("action", ["withdraw", "revoke"])
def test_recipient_is_not_told_who_took_its_referral_back_and_why(
    lead: Someone, shelter: Someone, case: Json, action: str
) -> None:
    sent = unwrap(lead.refer(case, SHELTER))
    lead.poll(), shelter.poll()

    unwrap(lead.does(action, sent, {"reason": "SURVIVOR_DECLINED"}))

    assert lead.read(sent)["reason"] == "SURVIVOR_DECLINED"
    assert shelter.read(sent)["reason"] == "NO_LONGER_NEEDED"
    [ours], [theirs] = lead.poll(), shelter.poll()
    assert (ours["by"], ours["facts"]["reason"]) == ("KZ_LEAD", "SURVIVOR_DECLINED")
    assert (theirs["by"], theirs["facts"]["reason"]) == (None, "NO_LONGER_NEEDED")
    assert shelter.does("confirm-deletion", sent).status_code == 204
    reasons = [who.poll()[-1]["facts"]["reason"] for who in (lead, shelter)]
    assert reasons == ["SURVIVOR_DECLINED", "NO_LONGER_NEEDED"]


def test_who_declined_is_not_told_where_the_person_is_led_or_by_whom(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("decline", sent, NO))
    kept, received = shelter.read(sent), shelter.get("/events").json()["items"]

    unwrap(
        world.add_person("IOM").does(
            "accept", unwrap(lead.offer(case, "IOM")), make_takeover()
        )
    )
    unwrap(world.add_person("IOM").does("relocate", case, {"country": "TT"}))

    assert (shelter.read(sent), shelter.get("/events").json()["items"]) == (kept, received)
    assert unwrap(shelter.get("/cases", country="TT"))["items"] == []


def test_who_helps_with_something_else_goes_on_seeing_the_case(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    sections = (["needs"], ["contact"])
    first, second = (unwrap(lead.refer(case, SHELTER, sections=one)) for one in sections)

    unwrap(shelter.does("decline", first, NO))

    assert shelter.read(case)["you_are"] == ["former_recipient", "recipient"]
    assert shelter.read(first)["sender"] == shelter.read(second)["sender"] == "KZ_LEAD"


def complete_referral(lead: Someone, helper: Someone, case: Json, service: str) -> Json:
    sent = unwrap(lead.refer(case, helper.code, service=service))
    unwrap(helper.does("accept", sent, make_acceptance()))
    unwrap(helper.does("start", sent, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "Well"}
    unwrap(helper.does("complete", sent, report))
    return sent


def read_part(who: Someone, case: Json, sent: Json) -> Json:
    """Return everything that an office reads of a case and of its referral."""
    path, record = get_path(case), get_path(sent)
    parts = ("", "/history", "/evidence", "/consents", "/facts", "/questions", "/routing")
    found = [f"{path}{part}" for part in parts]
    found += [record, f"{record}/history", f"{record}/evidence", f"{record}/notes"]
    found += ["/cases", "/referrals", "/worklist", "/events"]
    shown = {one: who.get(one).text.split('"instance"')[0] for one in found}
    return shown | {"place": who.open(f"{record}/arrangement").text.split('"instance"')[0]}


def hand_over(world: World, lead: Someone, case: Json) -> None:
    """Hand the case over to IOM."""
    world.advance(minutes=1)
    offer = unwrap(lead.offer(case, "IOM"))
    unwrap(world.add_person("IOM").does("accept", offer, make_takeover()))


def relocate(_: World, lead: Someone, case: Json) -> None:
    """Record that the person crossed a border."""
    unwrap(lead.does("relocate", case, {"country": "TT"}))


def become_feared(_: World, lead: Someone, case: Json) -> None:
    """Record that the person fears the shelter."""
    match = {"If_Match": lead.get_tag(case)}
    unwrap(lead.ask("PUT", f"{get_path(case)}/safeguards", FEARED, headers=match))


def suspend(_: World, lead: Someone, case: Json) -> None:
    """Suspend the case."""
    rest = {"reason": "SAFETY", "review_at": "2026-06-10T12:00:00Z"}
    unwrap(lead.does("suspend", case, rest))


def change_summary(_: World, lead: Someone, case: Json) -> None:
    """Change the priority and the language in the summary."""
    match = {"If_Match": lead.get_tag(case)}
    new = {"priority": "emergency", "language": "ru"}
    unwrap(lead.ask("PATCH", get_path(case), new, headers=match))


def withdraw_consent(_: World, lead: Someone, case: Json) -> None:
    """Withdraw all consents to shelter."""
    path = f"{get_path(case)}/consents/withdraw"
    assert lead.send(path, {"purposes": ["SHELTER"]}).is_success


@pytest.mark.parametrize(
    "change",
    [hand_over, relocate, become_feared, suspend, change_summary, withdraw_consent],
)
def test_office_whose_help_is_completed_reads_nothing_that_changes_later(
    world: World,
    lead: Someone,
    shelter: Someone,
    case: Json,
    change: Callable[[World, Someone, Json], None],
) -> None:
    sent = complete_referral(lead, shelter, case, "SHELTER")
    world.advance(minutes=1)
    before = read_part(shelter, case, sent)

    change(world, lead, case)

    world.advance(minutes=1)
    assert read_part(shelter, case, sent) == before
    assert shelter.read(case)["summary"]["country"] == "KZ"
    assert shelter.read(sent)["sender"] == "KZ_LEAD"
    assert shelter.open(f"{get_path(sent)}/arrangement").is_success


@pytest.mark.parametrize("accepted", [False, True])
def test_helping_office_does_not_learn_to_which_country_the_person_goes(
    world: World, lead: Someone, lawyer: Someone, case: Json, accepted: bool
) -> None:
    """It still reads the current priority, and its feedback reaches the new lead."""
    advice = unwrap(lead.refer(case, LAWYER, service="LEGAL_AID"))
    if accepted:
        unwrap(lawyer.does("accept", advice, make_acceptance()))
        unwrap(lawyer.does("start", advice, {"person_met": True}))
    before, path = lawyer.read(case), f"{get_path(case)}/contacts"

    relocate(world, lead, case)
    assert lawyer.open(path).is_success == accepted
    hand_over(world, lead, case)

    iom = world.add_person("IOM")
    change_summary(world, iom, case)
    after = lawyer.read(case)
    assert (after["lead"], after["holder"]) == (before["lead"], before["holder"])
    assert after["summary"] == before["summary"] | {
        "priority": "emergency",
        "language": "ru",
    }
    assert lawyer.read(advice)["sender"] == "KZ_LEAD"
    assert "IOM" not in lawyer.get("/events").text
    assert get_problem(lawyer.open(path)) == HIDDEN
    for country, count in (("KZ", 1), ("TT", 0)):
        assert len(unwrap(lawyer.get("/cases", country=country))["items"]) == count
    assert unwrap(lawyer.get("/cases", priority="emergency"))["items"] != []
    if accepted:
        iom.poll()
        unwrap(lawyer.does("report", advice, {"feedback": "She is afraid"}))
        assert list_types(iom.poll()) == ["referral.reported"]


def test_helping_office_in_the_new_country_reads_where_the_person_is(
    world: World, lead: Someone, case: Json
) -> None:
    helper = world.add_person("TT_LEGAL_AID")
    given = make_consent(focal_point="TT_LEGAL_AID", purposes=["LEGAL_AID"])
    unwrap(lead.create(f"{get_path(case)}/consents", given))
    unwrap(lead.refer(case, "TT_LEGAL_AID", service="LEGAL_AID", sections=[]))

    relocate(world, lead, case)

    assert helper.read(case)["summary"]["country"] == "TT"


def test_a_feared_recipient_does_not_follow_the_lead(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    match = {"If_Match": lead.get_tag(case)}
    unwrap(lead.ask("PUT", f"{get_path(case)}/safeguards", FEARED, headers=match))

    unwrap(
        world.add_person("IOM").does(
            "accept", unwrap(lead.offer(case, "IOM")), make_takeover()
        )
    )

    assert is_hidden(shelter, case)
    assert "IOM" not in shelter.get(get_path(sent)).text
    assert list_types(shelter.poll())[-1] == "referral.withdrawn"


def test_part_completed_by_an_older_version_gets_its_snapshot_from_the_worker(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = complete_referral(lead, shelter, case, "SHELTER")
    with lead.begin_write() as tx:
        for party in case_queries.lock(tx, case["code"]).parties:
            party.as_asked = None
    assert shelter.read(case)["summary"]["priority"] == "urgent"

    run_endings_job(world)
    change_summary(world, lead, case)

    assert shelter.read(case)["summary"]["priority"] == "urgent"
    assert shelter.read(sent)["state"] == "completed"
