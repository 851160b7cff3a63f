"""Tests of the consent to a new lead, which a desk records if the lead fails (ADR 47)."""

import pytest

from app.kernel.actors import AccountKind, Role
from tests.support.case_actions import list_steps
from tests.support.failing_leads import (
    NEW_DESK,
    NGOS,
    OLD_DESK,
    STATE_ALONE,
    boss,
    close_lead_office,
    desk,
    make_takeover,
    record_new_lead,
    require_all_refused,
    stuck,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_consent,
    make_contacts,
    make_lead_consent,
    unwrap,
)

__all__ = ("boss", "desk", "stuck")


def test_two_people_of_the_desk_record_a_class_and_routing_names_who_is_next(
    desk: Someone, boss: Someone, stuck: Json
) -> None:
    require_all_refused(desk, stuck, *NGOS, "IOM")
    before = desk.read(stuck)

    after = record_new_lead(desk, boss, stuck)

    assert (before["next_lead"], after["next_lead"]) == (None, NGOS[0])
    require_all_refused(desk, stuck, NGOS[1], "IOM")
    moved = desk.does_with(boss, "take-over", stuck, make_takeover(NGOS[0]))
    assert moved.status_code == 204


def test_available_actions_of_the_desk_say_what_is_open(
    world: World, desk: Someone, boss: Someone, stuck: Json
) -> None:
    worker = world.add_person(OLD_DESK, {Role.CASEWORKER})
    first = get_actions(desk.read(stuck))
    then = get_actions(record_new_lead(desk, boss, stuck))
    world.close_office("KZ_LEAD", active=True)
    later = get_actions(desk.read(stuck))

    assert {name: one["open"] for name, one in first.items()} == {
        "record_lead_consent": True,
        "take_over": True,
        "stop": True,
    }
    assert first["take_over"]["asks"] == [
        "reason",
        "person_informed",
        "focal_point_chosen",
        "second_person",
    ]
    [named] = then["record_lead_consent"]["unmet"]
    assert (named["requirement"], named["by"]) == ("nobody_named", "desk")
    assert then["take_over"]["open"]
    assert [one["unmet"][0]["requirement"] for one in later.values()] == [
        "lead_failing"
    ] * 3
    assert desk.read(stuck)["next_lead"] is None
    assert list_steps(worker.read(stuck)) == []


def test_oversight_and_the_lead_hear_of_it_and_its_submitter_does_not(
    world: World, officer: Someone, lead: Someone, desk: Someone, boss: Someone
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    case = close_lead_office(world, officer, lead)
    everybody = (watcher, lead, desk, officer)
    for one in everybody:
        one.poll()

    record_new_lead(desk, boss, case)

    event = "case.lead_consent_recorded"
    new_events = [[e for e in one.poll() if e["type"] == event] for one in everybody]
    assert [len(events) for events in new_events] == [1, 1, 1, 0]
    for [told] in new_events[:3]:
        assert told["by"] == OLD_DESK
        assert {k: v for k, v in told["facts"].items() if k != "consent"} == {
            "reason": "LEAD_INACTIVE",
            "kind": "non_state",
            "country": "KZ",
        }


def test_the_second_person_is_shown_what_they_allow(
    desk: Someone, boss: Someone, stuck: Json
) -> None:
    answer = desk.does("record-lead-consent", stuck, make_lead_consent())

    [waits] = unwrap(boss.get("/approvals"))["items"]

    assert (answer.status_code, waits["action"]) == (202, "case.record_lead_consent")
    assert waits["facts"] == {
        "reason": "LEAD_INACTIVE",
        "kind": "non_state",
        "country": "KZ",
    }
    for own in (desk, boss):
        assert unwrap(own.get(f"{get_path(stuck)}/consents"))["items"] == []


def test_one_person_alone_records_nothing(world: World, desk: Someone, stuck: Json) -> None:
    machine = world.add_person(OLD_DESK, {Role.SUPERVISOR}, kind=AccountKind.INTEGRATION)
    approval = unwrap(desk.does("record-lead-consent", stuck, make_lead_consent()))
    path = f"/approvals/{approval['id']}/approve"

    refused = [one.send(path).status_code for one in (desk, machine)]
    again = desk.does(
        "record-lead-consent", stuck, make_lead_consent(), approval=approval["id"]
    )

    assert refused == [409, 409]
    assert get_problem(again) == (409, "approval-unusable")
    assert desk.read(stuck)["next_lead"] is None


def test_a_lead_that_acts_keeps_its_case(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = close_lead_office(world, officer, lead)
    world.close_office("KZ_LEAD", active=True)

    for reason in ("LEAD_INACTIVE", "LEAD_SILENT"):
        refused = desk.does("record-lead-consent", case, make_lead_consent(reason=reason))
        assert get_problem(refused) == (409, "lead-not-failing")


@pytest.mark.parametrize(
    "wrong",
    [
        {"focal_point": "SANA_SEZIM"},
        {"recipient_class": {"kind": "non_state", "country": "UZ"}},
        {"function": "legal"},
        {"kind": "desk"},
        {"sections": ["needs", "contact"]},
        {"sections": ["identity"]},
        {"purposes": ["SHELTER"]},
        {"purposes": []},
    ],
    ids=str,
)
def test_one_office_more_than_needs_and_a_service_are_refused(
    desk: Someone, stuck: Json, wrong: Json
) -> None:
    refused = desk.does("record-lead-consent", stuck, make_lead_consent() | wrong)

    assert refused.status_code == 422


def test_it_is_recorded_once(desk: Someone, boss: Someone, stuck: Json) -> None:
    record_new_lead(desk, boss, stuck)

    for kind in ("non_state", "intergovernmental"):
        again = desk.does("record-lead-consent", stuck, make_lead_consent(kind=kind))
        assert get_unmet(again) == [("nobody_named", "desk")]


def test_a_kind_that_nobody_leads_is_recorded_once_and_another_can_follow(
    desk: Someone, boss: Someone, stuck: Json
) -> None:
    nobody = record_new_lead(desk, boss, stuck, kind="state")
    again = desk.does("record-lead-consent", stuck, make_lead_consent(kind="state"))
    other = record_new_lead(desk, boss, stuck, kind="intergovernmental")

    assert (nobody["next_lead"], other["next_lead"]) == (None, "IOM")
    assert get_problem(again) == (409, "lead-consent-recorded")


def test_only_the_desk_that_was_brought_in_records_it(
    world: World, officer: Someone, lead: Someone, stranger: Someone, stuck: Json
) -> None:
    body = make_lead_consent()
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    worker = world.add_person(OLD_DESK, {Role.CASEWORKER})
    elsewhere = world.add_person(NEW_DESK)

    def get_refusal(one: Someone) -> tuple[int, str]:
        return get_problem(one.does("record-lead-consent", stuck, body))

    assert {get_refusal(one) for one in (officer, lead, watcher)} == {
        (403, "action-not-yours")
    }
    assert get_refusal(worker) == (403, "role-missing")
    assert {get_refusal(one) for one in (stranger, elsewhere)} == {(404, "not-found")}


def test_an_answer_is_repeated_as_it_was(desk: Someone, boss: Someone, stuck: Json) -> None:
    path, body = f"{get_path(stuck)}/record-lead-consent", make_lead_consent()
    response = desk.send(path, body, idempotency_key="a")
    replayed = desk.send(path, body, idempotency_key="a")
    unwrap(boss.send(f"/approvals/{response.json()['id']}/approve"))
    headers = {"approval": response.json()["id"], "idempotency_key": "b"}

    answers = [desk.send(path, body, **headers) for _ in range(2)]

    assert (response.status_code, replayed.status_code) == (202, 202)
    assert [unwrap(answer)["next_lead"] for answer in answers] == [NGOS[0]] * 2
    assert len(unwrap(desk.get(f"{get_path(stuck)}/consents"))["items"]) == 1


# Who gave the consent.


@pytest.mark.parametrize("age", ["child", "presumed_child"])
@pytest.mark.parametrize("by", ["guardian_with_assent", "best_interests_decision"])
def test_of_a_child_a_guardian_or_a_decision_says_it(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    lead: Someone,
    desk: Someone,
    boss: Someone,
    age: str,
    by: str,
) -> None:
    given = [make_consent(given_by="guardian_with_assent")]
    case = close_lead_office(
        world, officer, lead, consents=given, summary={"age_class": age}
    )

    own = desk.does("record-lead-consent", case, make_lead_consent())
    named = record_new_lead(desk, boss, case, given_by=by)

    assert get_problem(own) == (422, "guardian-needed")
    assert named["next_lead"] == NGOS[0]
    assert (
        desk.does_with(boss, "take-over", case, make_takeover(NGOS[0])).status_code == 204
    )


def test_nobody_speaks_for_an_adult(desk: Someone, stuck: Json) -> None:
    spoken = make_lead_consent(given_by="best_interests_decision")
    over = make_lead_consent(expires_at="2026-06-01T00:00:00Z")

    for body, wrong in ((spoken, "adult-consent-required"), (over, "consent-ended")):
        refused = desk.does("record-lead-consent", stuck, body)
        assert get_problem(refused) == (422, wrong)


def test_a_handover_consent_is_enough_and_opens_no_more_than_needs(
    world: World, desk: Someone, boss: Someone, stuck: Json
) -> None:
    ngo = world.add_person(NGOS[0])
    record_new_lead(desk, boss, stuck, purposes=["HANDOVER"])

    moved = desk.does_with(boss, "take-over", stuck, make_takeover(NGOS[0]))

    assert moved.status_code == 204
    opened = {
        section: ngo.open(f"{get_path(stuck)}/sections/{section}").status_code
        for section in ("needs", "contact", "identity", "narrative", "health")
    }
    assert opened == dict.fromkeys(opened, 404) | {"needs": 200}


# Changes to the desk, the country or the lead in the meantime.


def test_the_desk_in_the_place_of_one_that_was_shut_goes_on(
    world: World, desk: Someone, boss: Someone, stuck: Json
) -> None:
    record_new_lead(desk, boss, stuck)
    other, second = (
        world.add_person(NEW_DESK),
        world.add_person(NEW_DESK, {Role.SUPERVISOR}),
    )
    world.close_office(OLD_DESK)
    world.wait(days=30)

    seen = other.read(stuck)

    assert (seen["you_are"], seen["next_lead"]) == (["escalation_desk"], NGOS[0])
    require_all_refused(other, stuck, NGOS[1])
    assert (
        other.does_with(second, "take-over", stuck, make_takeover(NGOS[0])).status_code
        == 204
    )


def test_an_approval_for_one_country_is_none_for_another(
    lead: Someone, desk: Someone, boss: Someone, stuck: Json
) -> None:
    approval = unwrap(desk.does("record-lead-consent", stuck, make_lead_consent()))
    unwrap(boss.send(f"/approvals/{approval['id']}/approve"))
    unwrap(lead.does("relocate", stuck, {"country": "UZ"}))

    refused = desk.does(
        "record-lead-consent", stuck, make_lead_consent(), approval=approval["id"]
    )

    assert get_problem(refused) == (409, "approval-unusable")


def test_a_case_in_vital_interest_goes_to_whose_turn_it_is_or_to_whom_the_person_named(
    lead: Someone, desk: Someone, boss: Someone, stuck: Json
) -> None:
    vital = {"reason": "RISK_TO_LIFE", "note": "Tonight"}
    unwrap(lead.create(f"{get_path(stuck)}/vital-interests", vital))
    require_all_refused(desk, stuck, "IOM")
    answer = desk.does("take-over", stuck, make_takeover(NGOS[0]))

    named = record_new_lead(desk, boss, stuck, kind="intergovernmental")["next_lead"]

    assert (answer.status_code, named) == (202, "IOM")
    assert desk.does_with(boss, "take-over", stuck, make_takeover("IOM")).status_code == 204


def test_what_the_person_wishes_when_the_new_lead_meets_them_counts(
    world: World, desk: Someone, boss: Someone, stuck: Json
) -> None:
    ngo, iom = world.add_person(NGOS[0]), world.add_person("IOM")
    record_new_lead(desk, boss, stuck)
    desk.does_with(boss, "take-over", stuck, make_takeover(NGOS[0]))
    path = get_path(stuck)
    given = unwrap(ngo.get(f"{path}/consents"))["items"]
    [by_desk] = [one for one in given if one["sections"] == ["needs"]]
    notes = ngo.list_notes(stuck)

    unwrap(ngo.send(f"{path}/consents/{by_desk['id']}/withdraw"))
    closed = ngo.open(f"{path}/sections/needs").status_code
    wish = make_consent(focal_point="IOM", purposes=["HANDOVER"])
    unwrap(ngo.create(f"{path}/consents", wish))
    offered = unwrap(ngo.offer(stuck, "IOM", reason="OTHER"))
    unwrap(
        iom.does(
            "accept", offered, {"contacts": make_contacts(), "capacity_confirmed": True}
        )
    )

    assert ("consent", "By telephone, with an interpreter") in notes
    named = {"kind": "non_state", "country": "KZ", "function": None}
    assert by_desk["recipient_class"] == named
    assert closed == 404
    assert iom.read(stuck)["lead"] == "IOM"


def test_who_was_given_the_case_so_and_does_not_act_is_followed_by_the_next(
    world: World, desk: Someone, boss: Someone, stuck: Json
) -> None:
    record_new_lead(desk, boss, stuck)
    desk.does_with(boss, "take-over", stuck, make_takeover(NGOS[0]))
    world.close_office(NGOS[0])
    world.run_worker()

    assert "case.escalated" in list_types(desk.poll())
    assert desk.read(stuck)["next_lead"] == NGOS[1]
    assert (
        desk.does_with(boss, "take-over", stuck, make_takeover(NGOS[1])).status_code == 204
    )
    world.close_office(NGOS[0], active=True)
    world.close_office(NGOS[1])
    world.run_worker()
    assert desk.read(stuck)["next_lead"] == NGOS[0]


# The person does not want a new lead.


def test_two_people_of_the_desk_end_a_case_whose_lead_does_not_act(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    lead: Someone,
    shelter: Someone,
    desk: Someone,
    boss: Someone,
) -> None:
    case = lead.take_lead(officer.submit(consents=STATE_ALONE, external_reference="A-1"))
    sent = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    why = {"reason": "SURVIVOR_REQUEST"}
    early = desk.does("stop", case, why)
    world.close_office(lead.code)
    world.run_worker()

    alone = desk.does("stop", case, why)
    stopped = unwrap(desk.does_with(boss, "stop", case, why))

    assert get_problem(early) == (404, "not-found")
    assert alone.status_code == 202
    assert (stopped["state"], stopped["closure_reason"]) == ("closed", "SURVIVOR_REQUEST")
    assert shelter.read(sent)["state"] == "withdrawn"
    assert officer.create_case(external_reference="A-1").status_code == 201
    world.wait(days=731)
    assert world.add_person("OVERSIGHT_DEMO").read(case)["state"] == "erased"


def test_the_desk_ends_no_case_whose_lead_acts(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = close_lead_office(world, officer, lead)
    worker = world.add_person(OLD_DESK, {Role.CASEWORKER})
    why = {"reason": "SURVIVOR_REQUEST"}
    early = worker.does("stop", case, why)
    world.close_office("KZ_LEAD", active=True)

    refused = desk.does("stop", case, why)

    assert get_problem(early) == (403, "role-missing")
    assert get_unmet(refused) == [("lead_failing", "system")]
