"""Tests of the events and worklist entries that the expiry of a consent causes."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import pytest
from sqlalchemy import select

from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases.models import Case
from app.cases.sections import Paper, Safeguards
from app.casework import overdue
from app.deadlines import missed_deadlines
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.kernel.actors import SERVICE
from app.kernel.journal import Entry
from app.notifications.models import Notification
from app.returns import queries as return_queries
from tests.support.world import (
    Json,
    Someone,
    World,
    list_types,
    make_acceptance,
    make_closure,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
    unwrap_only,
)

SHELTER: Final = "KZ_SHELTER_KOGERSHIN"
END: Final = "2026-07-01T12:00:00Z"
"""Thirty days after the day on which every test starts."""
LAST_CALL: Final = "2026-06-28T12:00:00Z"
SHORT: Final = make_service_consent(expires_at=END, sections=["needs", "contact"])
GUARDIAN: Final = {"given_by": "guardian_with_assent"}


def lead_case(officer: Someone, lead: Someone, *given: Json, **changes: Any) -> Json:
    """Return a case with a lead; by default, the consent to services ends on 1 July."""
    consents = [make_consent(), *(given or (SHORT,))]
    return lead.take_lead(officer.submit(consents=consents, **changes))


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead_case(officer, lead)


def start_shelter(lead: Someone, shelter: Someone, case: Json, **changes: Any) -> Json:
    """Refer a case to a shelter, which accepts and starts to help; return the referral.

    The sections sent are `needs` and `contact`, unless `changes` names others.
    """
    sections = {"sections": ["needs", "contact"]} | changes
    sent = unwrap(lead.refer(case, SHELTER, **sections))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    unwrap(shelter.does("start", sent, {"person_met": True}))
    return sent


def get_newest_consent(who: Someone, case: Json, purpose: str = "SHELTER") -> Json:
    """Return the newest consent to a purpose, from the list that the account sees."""
    listed = unwrap(who.get(f"/cases/{case['code']}/consents"))["items"]
    return [dict(one) for one in listed if purpose in one["purposes"]][-1]


def list_consent_events(who: Someone) -> list[tuple[str, Json]]:
    """Poll an office's feed, and return its new events about the expiry of consents."""
    of_ends = ("consent.expiring", "consent.expired")
    return [(e["type"], e["facts"]) for e in who.poll() if e["type"] in of_ends]


def list_consent_lines(who: Someone) -> list[tuple[str, str]]:
    """Return the subject and the deadline of each worklist entry about a consent."""
    return [(what, due) for what, kind, due in who.get_worklist() if kind == "consent_ends"]


def run_worker_at(world: World, moment: str) -> None:
    """Set the clock to a time, and run the worker."""
    world.now = datetime.fromisoformat(moment)
    world.run_worker()


def record_consent(who: Someone, case: Json, given: Json) -> Json:
    return unwrap_only(who.create(f"/cases/{case['code']}/consents", given))


def test_the_lead_hears_14_and_3_days_before_a_consent_ends_and_when_it_has_ended(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    start_shelter(lead, shelter, case)
    one, subject = get_newest_consent(lead, case)["id"], f"cases/{case['code']}"
    lead.poll(), shelter.poll()

    run_worker_at(world, "2026-06-17T11:59:59Z")
    before = list_consent_events(lead), list_consent_lines(lead)
    run_worker_at(world, "2026-06-17T12:00:00Z")
    first = list_consent_events(lead), list_consent_lines(lead)
    run_worker_at(world, "2026-06-28T12:00:00Z")
    second = list_consent_events(lead), list_consent_lines(lead)
    run_worker_at(world, END)
    third = list_consent_events(lead), list_consent_lines(lead)

    assert before == ([], [])
    expiring = "consent.expiring"
    assert first == (
        [(expiring, {"consent": one, "days": 14})],
        [(subject, LAST_CALL)],
    )
    assert second == ([(expiring, {"consent": one, "days": 3})], [(subject, END)])
    assert third == ([("consent.expired", {"consent": one})], [(subject, END)])


def test_a_shelter_that_loses_a_section_hears_it_each_time(
    world: World, lead: Someone, shelter: Someone, lawyer: Someone, case: Json
) -> None:
    sent = start_shelter(lead, shelter, case)
    path = f"/cases/{case['code']}/sections/contact"
    opens = shelter.open(path).status_code
    shelter.poll(), lawyer.poll()

    run_worker_at(world, END)

    assert (opens, shelter.open(path).status_code) == (200, 404)
    assert list_consent_events(shelter) == [
        ("consent.expired", {"consent": get_newest_consent(lead, case)["id"]})
    ]
    assert list_consent_events(lawyer) == []
    assert list_consent_lines(shelter) == []
    assert shelter.read(sent)["state"] == "in_progress"


@pytest.mark.parametrize(
    ("other", "hears"),
    [
        (make_service_consent(sections=["needs", "contact"]), False),
        (make_service_consent(purposes=["SHELTER"], sections=["needs", "contact"]), False),
        (make_consent(focal_point=SHELTER, purposes=["SHELTER"]), False),
        (make_consent(focal_point="KZ_LEGAL_AID", purposes=["SHELTER"]), True),
        (make_service_consent(purposes=["LEGAL_AID"], sections=["needs", "contact"]), True),
        (make_service_consent(sections=["needs"]), True),
        (make_service_consent(expires_at="2026-06-30T00:00:00Z"), True),
    ],
    ids=[
        "same class",
        "class and service",
        "office",
        "another office",
        "another purpose",
        "fewer sections",
        "ends sooner",
    ],
)
def test_a_recipient_hears_only_if_no_other_consent_covers_it(
    world: World, lead: Someone, shelter: Someone, other: Json, *, hears: bool
) -> None:
    case = lead_case(world.add_person("UZ_CONSULATE_ALMATY"), lead, SHORT, other)
    start_shelter(lead, shelter, case)
    shelter.poll()

    run_worker_at(world, "2026-06-28T12:00:00Z")

    days = [facts.get("days") for _, facts in list_consent_events(shelter)]
    assert (3 in days) == hears


@pytest.mark.parametrize("steps", [["decline"], ["accept", "start", "complete"]])
def test_a_recipient_whose_part_is_over_does_not_hear_it(
    world: World, lead: Someone, shelter: Someone, case: Json, steps: list[str]
) -> None:
    bodies: Json = {
        "decline": {"reason": "NO_CAPACITY"},
        "accept": make_acceptance(),
        "start": {"person_met": True},
        "complete": {"outcome": "delivered", "feedback": "Well"},
    }
    sent = unwrap(lead.refer(case, SHELTER))
    for step in steps:
        unwrap(shelter.does(step, sent, bodies[step]))
    shelter.poll()

    run_worker_at(world, END)

    assert list_consent_events(shelter) == []
    assert list_types(lead.poll()).count("consent.expired") == 1
    assert list_consent_lines(lead) == []


def test_a_bed_that_never_rested_on_a_consent_does_not_hear_that_one_ends(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    child = {"summary": {"age_class": "child"}}
    case = lead.take_lead(officer.submit(consents=[make_consent(**GUARDIAN)], **child))
    start_shelter(lead, shelter, case, sections=[])
    given = record_consent(lead, case, SHORT | GUARDIAN)
    lead.poll(), shelter.poll()

    run_worker_at(world, END)

    assert list_consent_events(shelter) == []
    assert list_consent_events(lead) == [("consent.expired", {"consent": given["id"]})]


@pytest.mark.parametrize("feared", [False, True])
def test_a_recipient_hears_the_same_whether_the_person_fears_it_or_not(
    world: World, lead: Someone, shelter: Someone, case: Json, *, feared: bool
) -> None:
    """If a consent expires, a feared recipient gets the same event as other recipients."""
    sent = start_shelter(lead, shelter, case)
    fear = {"country_of_origin": "UZ"} | (
        {"unsafe_focal_points": [SHELTER]} if feared else {}
    )
    with lead.begin_write() as tx:
        kept = case_queries.lock(tx, case["code"])
        case_actions.replace_sealed(
            tx, kept, Paper.SAFEGUARDS, Safeguards.model_validate(fear)
        )
    shelter.poll()

    run_worker_at(world, END)

    assert list_consent_events(shelter) == [
        ("consent.expired", {"consent": get_newest_consent(lead, case)["id"]})
    ]
    assert shelter.read(sent)["covered_until"] == END


def test_a_consent_that_was_taken_back_or_renewed_is_not_announced(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    advice = make_service_consent(
        purposes=["LEGAL_AID"], sections=["needs"], expires_at=END
    )
    case = lead_case(officer, lead, SHORT, advice)
    start_shelter(lead, shelter, case)
    listed = unwrap(lead.get(f"/cases/{case['code']}/consents"))["items"]
    [withdrawn] = [one for one in listed if one["purposes"] == ["LEGAL_AID"]]
    unwrap(lead.send(f"/cases/{case['code']}/consents/{withdrawn['id']}/withdraw"))
    run_worker_at(world, "2026-06-20T12:00:00Z")
    lead.poll(), shelter.poll()
    before = list_consent_lines(lead)

    record_consent(lead, case, make_service_consent(obtained_on="2026-06-20"))
    renewed = list_consent_lines(lead)
    run_worker_at(world, END)

    assert (before, renewed) == ([(f"cases/{case['code']}", LAST_CALL)], [])
    assert list_consent_events(lead) == list_consent_events(shelter) == []
    assert list_consent_lines(lead) == []
    assert shelter.open(f"/cases/{case['code']}/sections/contact").is_success


def test_two_consents_that_end_at_one_moment_are_announced_each_unless_they_are_the_same(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    needs, contact = (
        make_service_consent(expires_at=END, sections=[one], purposes=["SHELTER"])
        for one in ("needs", "contact")
    )
    case = lead_case(officer, lead, needs, contact)
    start_shelter(lead, shelter, case)
    same = lead_case(officer, lead, SHORT, SHORT)
    lead.poll(), shelter.poll()

    run_worker_at(world, END)

    listed = unwrap(lead.get(f"/cases/{case['code']}/consents"))["items"]
    both = {one["id"] for one in listed if "SHELTER" in one["purposes"]}
    doubled = unwrap(lead.get(f"/cases/{same['code']}/consents"))["items"]
    consents = [facts["consent"] for _, facts in list_consent_events(lead)]
    assert len(consents) == 3
    assert set(consents) >= both
    assert len(set(consents) & {one["id"] for one in doubled}) == 1
    assert {facts["consent"] for _, facts in list_consent_events(shelter)} == both
    assert list_consent_lines(lead) == [(f"cases/{case['code']}", END)] * 2


def test_a_worker_that_was_down_announces_the_last_once(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    start_shelter(lead, shelter, case)
    lead.poll(), shelter.poll()
    world.now = datetime.fromisoformat("2026-06-29T00:00:00Z")

    world.run_worker(), world.run_worker()
    late = list_consent_events(lead), list_consent_events(shelter)
    run_worker_at(world, "2026-08-01T12:00:00Z")
    later = list_consent_events(lead), list_consent_events(shelter)
    for _ in range(5):
        world.wait(days=8)

    one = get_newest_consent(lead, case)["id"]
    assert late == ([("consent.expiring", {"consent": one, "days": 3})],) * 2
    assert later == ([("consent.expired", {"consent": one})],) * 2
    assert list_consent_events(lead) == list_consent_events(shelter) == []
    assert list_consent_lines(lead) == [(f"cases/{case['code']}", END)]


def test_what_has_ended_leaves_the_worklist_once_nobody_reads_by_it(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = start_shelter(lead, shelter, case)
    run_worker_at(world, END)
    unwrap(shelter.does("complete", sent, {"outcome": "delivered", "feedback": "Well"}))
    stays = list_consent_lines(lead)

    world.wait(days=7)

    assert (stays, list_consent_lines(lead)) == ([(f"cases/{case['code']}", END)], [])


def test_what_the_lead_itself_read_by_waits_until_it_is_renewed(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(consents=[make_consent(expires_at=END)]))
    run_worker_at(world, END)
    world.wait(days=30)
    stays = list_consent_lines(lead)

    record_consent(lead, case, make_consent(obtained_on="2026-07-31"))

    assert (stays, list_consent_lines(lead)) == ([(f"cases/{case['code']}", END)], [])


def test_a_person_who_wants_no_more_ends_what_rested_on_it(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = start_shelter(lead, shelter, case)
    run_worker_at(world, END)
    one = get_newest_consent(lead, case)

    unwrap(lead.send(f"/cases/{case['code']}/consents/{one['id']}/withdraw"))

    assert list_consent_lines(lead) == []
    assert shelter.read(sent)["state"] == "withdrawn"


def test_another_lead_hears_what_is_announced_from_then_on(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead_case(officer, lead, SHORT, make_handover_consent("IOM"))
    iom, one = world.add_person("IOM"), get_newest_consent(lead, case)["id"]
    run_worker_at(world, "2026-06-20T12:00:00Z")
    offered = unwrap(lead.offer(case, "IOM"))
    iom.poll(), lead.poll()

    unwrap(iom.does("accept", offered, make_takeover()))
    moved = list_consent_lines(lead), list_consent_lines(iom)
    run_worker_at(world, "2026-06-28T12:00:00Z")

    assert moved == ([], [(f"cases/{case['code']}", LAST_CALL)])
    assert list_consent_events(iom) == [("consent.expiring", {"consent": one, "days": 3})]
    assert list_consent_events(lead) == []
    assert list_consent_lines(lead) == []


def test_before_there_is_a_lead_only_a_recipient_hears(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = officer.submit(consents=[make_consent(), SHORT])
    unwrap(lead.does("acknowledge", case))
    start_shelter(lead, shelter, case)
    lead.poll(), shelter.poll()

    run_worker_at(world, "2026-06-03T12:00:00Z")
    one = get_newest_consent(officer, case)["id"]
    world.now = datetime.fromisoformat("2026-06-17T12:00:00Z")
    run_consent_deadlines(world, case)

    assert list_consent_events(shelter) == [
        ("consent.expiring", {"consent": one, "days": 14})
    ]
    assert list_consent_events(lead) == list_consent_events(officer) == []
    assert list_consent_lines(lead) == list_consent_lines(officer) == []


def run_consent_deadlines(world: World, case: Json) -> None:
    """Handle only the missed deadlines for the consents of a case."""
    with world.write_as_service() as tx:
        of_case = select(Clock.number, Clock.case_id).join(Case, Case.id == Clock.case_id)
        ends = (Case.code == case["code"]) & (Clock.kind == DeadlineKind.CONSENT_ENDS)
        due = tx.session.execute(of_case.where(ends, Clock.due_at <= world.now)).all()
    for number, case_id in due:
        with world.write_as_service() as tx:
            assert overdue.handle_missed_deadline(tx, number, case_id)


@pytest.mark.parametrize("closed", [False, True])
def test_a_case_that_is_closed_hears_nothing_and_one_that_rests_does(
    world: World, lead: Someone, case: Json, *, closed: bool
) -> None:
    one = get_newest_consent(lead, case)["id"]
    if closed:
        unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))
    else:
        review = {"reason": "SAFETY", "review_at": "2026-06-10T12:00:00Z"}
        unwrap(lead.does("suspend", case, review))
    lead.poll()

    run_worker_at(world, END)

    assert list_consent_events(lead) == (
        [] if closed else [("consent.expired", {"consent": one})]
    )
    assert list_consent_lines(lead) == []


def test_a_case_that_is_reopened_hears_what_is_announced_next(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    one = get_newest_consent(lead, case)["id"]
    unwrap(lead.does_with(supervisor, "close", case, make_closure()))
    world.advance(days=20)
    unwrap(lead.does("reopen", case, {"reason": "NEW_NEED"}))
    lead.poll()
    reopened = list_consent_lines(lead)

    run_worker_at(world, LAST_CALL)

    assert reopened == [(f"cases/{case['code']}", LAST_CALL)]
    assert list_consent_events(lead) == [("consent.expiring", {"consent": one, "days": 3})]


def test_a_word_that_counts_no_longer_is_not_announced(
    world: World, lead: Someone, case: Json
) -> None:
    seen = {"If_Match": lead.get_tag(case)}
    path = f"/cases/{case['code']}"
    unwrap(lead.ask("PATCH", path, {"age_class": "presumed_child"}, headers=seen))
    lead.poll()

    run_worker_at(world, END)

    assert list_consent_events(lead) == []
    assert list_consent_lines(lead) == []


def test_the_lead_is_called_on_and_never_called_silent_for_it(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    start_shelter(lead, shelter, case)
    for _ in range(20):
        unwrap(lead.create(f"/cases/{case['code']}/risk-assessments", {"level": "low"}))
        world.wait(days=2)

    with world.database.begin_read(SERVICE) as session:
        rows = session.scalars(select(Notification)).all()
        found = [one.why for one in rows if one.why.startswith("consent.")]
    with lead.begin_read() as tx:
        case_id = case_queries.get(tx, case["code"]).id
        late = missed_deadlines.count_missed_deadlines(
            tx, {case_id: lead.id}, unless=return_queries.IS_POSTPONED
        )[case_id]
    assert sorted(found) == ["consent.expired", *["consent.expiring"] * 2]
    assert list_consent_lines(lead) == [(f"cases/{case['code']}", END)]
    assert late == 0


def test_an_office_that_is_shut_changes_nothing_about_when_a_consent_ends(
    world: World, officer: Someone, lead: Someone
) -> None:
    lead_case(officer, lead)
    run_worker_at(world, "2026-06-17T12:00:00Z")
    lead.poll()

    world.close_office("KZ_LEAD")
    world.run_worker()

    with world.database.begin_read(SERVICE) as session:
        rows = session.scalars(select(Entry.type).where(Entry.type.like("consent.exp%")))
        assert rows.all() == ["consent.expiring"]


def test_in_a_drill_the_end_is_announced_as_fast_as_deadlines_run(
    world: World, officer: Someone, lead: Someone
) -> None:
    world.runtime = replace(world.runtime, speed=24)
    world.app.state.runtime = world.runtime
    case = lead_case(officer, lead)
    one = get_newest_consent(lead, case)["id"]
    lead.poll()

    run_worker_at(world, "2026-07-01T01:00:00Z")

    assert list_consent_events(lead) == [("consent.expiring", {"consent": one, "days": 14})]
