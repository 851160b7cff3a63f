"""Tests of handovers: offering and accepting the lead, and what moves with the lead."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.directory.models import FocalPoint
from app.handovers import following as handover_following
from app.handovers import queries as handover_queries
from app.kernel.actors import Role
from app.kernel.requirements import NeedsUnmet
from tests.support.case_actions import list_steps
from tests.support.directory_changes import update_directory
from tests.support.world import (
    WORKERS,
    Json,
    Someone,
    World,
    get_actions,
    get_problem,
    list_types,
    make_acceptance,
    make_closure,
    make_consent,
    make_contacts,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"


@pytest.fixture
def successor(world: World) -> Someone:
    """Return a person of the focal point of Uzbekistan, the State of origin."""
    return world.add_person("UZ_LEAD")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case led by Kazakhstan, with consents to a handover to Uzbekistan or IOM."""
    safeguards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    given = [
        make_consent(),
        make_service_consent(),
        make_handover_consent(),
        make_handover_consent("IOM"),
    ]
    return lead.take_lead(officer.submit(safeguards=safeguards, consents=given))


def list_work(who: Someone) -> dict[str, str]:
    """Return the kind of each worklist entry of an office, by its subject."""
    return {w["subject"]: w["kind"] for w in unwrap(who.get("/worklist"))["items"]}


def get_evidence(who: Someone, handover: Json) -> Json:
    [found] = unwrap(who.get(f"/handovers/{handover['id']}/evidence"))["items"]
    return dict(found)


def test_an_offer_says_who_gives_to_whom_and_until_when(
    lead: Someone, case: Json, successor: Someone
) -> None:
    answer = lead.offer(case, "UZ_LEAD", note="She goes home")

    offered = unwrap(answer)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/handovers/{offered['id']}"
    assert {k: offered[k] for k in ("case", "lead", "to", "reason", "state")} == {
        "case": case["code"],
        "lead": "KZ_LEAD",
        "to": "UZ_LEAD",
        "reason": "MIGRATION_OR_CHANGE_OF_LOCATION",
        "state": "offered",
    }
    assert offered["due_at"] == "2026-06-04T12:00:00Z"
    assert (offered["you_are"], offered["decline_reason"]) == (["lead"], None)
    assert {name: a["open"] for name, a in get_actions(offered).items()} == {"cancel": True}
    seen = successor.read(offered)
    assert seen["you_are"] == ["handover_candidate"]
    assert {n: (a["open"], a["asks"]) for n, a in get_actions(seen).items()} == {
        "accept": (True, ["two_contacts", "capacity"]),
        "decline": (True, ["reason"]),
    }


@pytest.mark.parametrize(
    ("priority", "until"),
    [
        ("emergency", "2026-06-02T12:00:00Z"),
        ("urgent", "2026-06-04T12:00:00Z"),
        ("normal", "2026-06-15T12:00:00Z"),
    ],
)
def test_the_answer_is_waited_for_at_who_is_asked(
    world: World, officer: Someone, lead: Someone, priority: str, until: str
) -> None:
    given = [make_consent(), make_handover_consent("IOM")]
    summary = {"priority": priority}
    case = lead.take_lead(officer.submit(summary=summary, consents=given))

    offered = unwrap(lead.offer(case, "IOM"))

    iom = world.add_person("IOM")
    [tx] = unwrap(iom.get("/worklist"))["items"]
    assert (tx["subject"], tx["kind"]) == (
        f"handovers/{offered['id']}",
        "answer_handover",
    )
    assert tx["due_at"] == offered["due_at"] == until
    assert list_work(lead) == {f"cases/{case['code']}": "review_risk"}


def test_the_whole_journey_of_a_lead_that_goes_home(
    world: World, lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", referral, make_acceptance()))
    draft = unwrap(lead.refer(case, SHELTER, send=False))
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    before = lead.read(case)["version"]
    world.advance(hours=2)

    taken = unwrap(successor.does("accept", offered, make_takeover()))

    assert (taken["state"], taken["you_are"], taken["due_at"]) == (
        "effective",
        ["lead"],
        None,
    )
    mine = successor.read(case)
    assert (mine["you_are"], mine["lead"], mine["holder"]) == (
        ["lead"],
        "UZ_LEAD",
        "UZ_LEAD",
    )
    assert mine["state"] == "assisting"
    assert mine["version"] == before + 1
    assert list_work(successor) == {
        f"cases/{case['code']}": "review_risk",
        f"referrals/{draft['id']}": "finish_draft",
    }
    assert list_work(lead) == {}
    assert successor.read(referral)["you_are"] == ["sender"]
    assert shelter.read(referral)["sender"] == "UZ_LEAD"
    unwrap(shelter.does("start", referral, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "She is well"}
    unwrap(shelter.does("complete", referral, report))
    assert list_types(successor.poll())[-2:] == ["referral.started", "referral.completed"]
    unwrap(successor.does("revoke", draft, {"reason": "NO_LONGER_NEEDED"}))


def test_a_referral_that_was_asked_before_is_accepted_after(
    lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    seen = shelter.get_tag(referral)
    unwrap(successor.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))

    path = f"/referrals/{referral['id']}"
    accepted = shelter.send(f"{path}/accept", make_acceptance(), if_match=seen)

    assert unwrap(accepted)["sender"] == "UZ_LEAD"
    assert successor.read(case)["state"] == "assisting"
    assert get_problem(lead.get(path)) == (404, "not-found")
    assert "referral.sender_changed" in list_types(shelter.poll())


def test_a_declined_offer_leaves_the_lead_where_it_is(
    lead: Someone, case: Json, successor: Someone
) -> None:
    before = lead.read(case)
    offered = unwrap(lead.offer(case, "UZ_LEAD"))

    why = {"reason": "NO_CAPACITY", "note": "All are away"}
    declined = successor.does("decline", offered, why)

    assert declined.status_code == 204
    after = lead.read(offered)
    assert (after["state"], after["decline_reason"]) == ("declined", "NO_CAPACITY")
    assert list_steps(after) == []
    assert lead.read(case) == before
    assert list_work(successor) == {}
    for path in (f"/handovers/{offered['id']}", f"/cases/{case['code']}"):
        assert get_problem(successor.get(path)) == (404, "not-found")
    notes = unwrap(lead.open(f"/cases/{case['code']}/notes"))["items"]
    assert [(n["about"], n["text"]) for n in notes] == [
        ("decline_handover", "All are away")
    ]


def test_an_offer_is_taken_back_and_another_one_made(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    first = unwrap(lead.offer(case, "UZ_LEAD"))

    cancelled = unwrap(lead.does("cancel", first, {"note": "She thinks it over"}))
    second = unwrap(lead.offer(case, "IOM", reason="ADDITIONAL_SERVICES"))

    assert cancelled["state"] == "cancelled"
    assert get_problem(successor.get(f"/handovers/{first['id']}")) == (404, "not-found")
    assert list_types(successor.poll()) == ["handover.offered", "handover.cancelled"]
    unwrap(world.add_person("IOM").does("accept", second, make_takeover()))


def test_one_offer_at_a_time(lead: Someone, case: Json, successor: Someone) -> None:
    first = unwrap(lead.offer(case, "UZ_LEAD"))

    refused = lead.offer(case, "IOM")

    assert get_problem(refused) == (409, "handover-open")
    assert refused.json()["handover"] == first["id"]
    unwrap(successor.does("accept", first, make_takeover()))
    given = successor.create(
        f"/cases/{case['code']}/consents", make_handover_consent("KZ_LEAD")
    )
    assert given.status_code == 201
    assert unwrap(successor.offer(case, "KZ_LEAD"))["lead"] == "UZ_LEAD"


def test_a_case_is_not_closed_while_its_lead_is_on_offer(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))

    [lack] = lead.does("close", case, make_closure()).json()["unmet"]

    assert lack["requirement"] == "nothing_open"
    assert not get_actions(lead.read(case))["close"]["open"]
    unwrap(lead.does("cancel", offered, {}))
    approval = unwrap(lead.does("close", case, make_closure()))
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))
    assert (
        unwrap(lead.does("close", case, make_closure(), approval=approval["id"]))["state"]
        == "closed"
    )


@pytest.mark.parametrize(
    ("to", "status"),
    [
        ("KZ_LEAD", "successor-unfit"),
        ("AF_LEAD", "successor-unfit"),
        (SHELTER, "successor-unfit"),
        ("DESK_CENTRAL_ASIA", "successor-unfit"),
        ("OVERSIGHT_DEMO", "successor-unfit"),
        ("NOBODY_AT_ALL", "focal-point-unknown"),
    ],
)
def test_only_another_active_one_that_leads_cases_is_asked(
    world: World, lead: Someone, case: Json, to: str, status: str
) -> None:
    with world.database.begin_write() as session:
        unasked = update(FocalPoint).where(FocalPoint.kind.in_(["desk", "oversight"]))
        update_directory(session, unasked.values(can_lead=True))

    assert get_problem(lead.offer(case, to)) == (422, status)


def test_who_was_closed_down_meanwhile_does_not_take_the_lead(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    with world.database.begin_write() as session:
        one = update(FocalPoint).where(FocalPoint.code == "UZ_LEAD")
        update_directory(session, one.values(active=False))

    refused = successor.does("accept", offered, make_takeover())

    assert get_problem(refused) == (422, "successor-unfit")
    assert lead.read(case)["lead"] == "KZ_LEAD"


def test_only_the_lead_offers_and_only_as_coordinator(
    world: World, officer: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    unwrap(lead.refer(case, SHELTER))
    worker = world.add_person("KZ_LEAD", WORKERS - {Role.COORDINATOR})
    new = officer.submit(consents=[make_consent(), make_handover_consent()])

    assert get_problem(officer.offer(case, "UZ_LEAD")) == (403, "action-not-yours")
    assert get_problem(shelter.offer(case, "UZ_LEAD")) == (403, "action-not-yours")
    assert get_problem(lead.offer(new, "UZ_LEAD")) == (403, "action-not-yours")
    assert get_problem(worker.offer(case, "UZ_LEAD")) == (403, "role-missing")


def test_each_answer_is_for_its_side_and_role(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    clerk = world.add_person("UZ_LEAD", {Role.OFFICER})
    worker = world.add_person("UZ_LEAD", {Role.CASEWORKER})
    why = {"reason": "LANGUAGE"}

    assert get_problem(lead.does("accept", offered, make_takeover())) == (
        403,
        "action-not-yours",
    )
    assert get_problem(lead.does("decline", offered, why)) == (403, "action-not-yours")
    assert get_problem(successor.does("cancel", offered, {})) == (403, "action-not-yours")
    assert get_problem(worker.does("accept", offered, make_takeover())) == (
        403,
        "role-missing",
    )
    assert get_problem(clerk.does("decline", offered, why)) == (403, "role-missing")
    assert set(get_actions(worker.read(offered))) == {"decline"}
    assert worker.does("decline", offered, why).status_code == 204


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
def test_what_was_decided_is_not_decided_again(
    lead: Someone, case: Json, successor: Someone, action: str
) -> None:
    bodies: dict[str, Json] = {
        "accept": make_takeover(),
        "decline": {"reason": "LANGUAGE"},
        "cancel": {},
    }
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    unwrap(successor.does("accept", offered, make_takeover()))

    for one in (successor, lead):
        refused = one.does(action, offered, bodies[action])
        assert get_problem(refused) == (409, "action-illegal")
        assert refused.json()["state"] == "effective"


def test_a_step_rests_on_what_was_seen(
    lead: Someone, case: Json, successor: Someone
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    path, old = f"/handovers/{offered['id']}", successor.get_tag(offered)

    assert get_problem(successor.send(f"{path}/accept", make_takeover())) == (
        428,
        "version-not-given",
    )
    unwrap(lead.does("cancel", offered, {}))
    again = unwrap(lead.offer(case, "UZ_LEAD"))
    stale = successor.send(
        f"/handovers/{again['id']}/accept", make_takeover(), if_match='"9.0"'
    )
    assert get_problem(stale) == (412, "version-stale")
    late = successor.send(f"{path}/accept", make_takeover(), if_match=old)
    assert get_problem(late) == (404, "not-found")


def post_with_key(
    who: Someone, path: str, body: Any, key: str, seen: str
) -> tuple[int, bool]:
    answer = who.send(path, body, if_match=seen, idempotency_key=key)
    return answer.status_code, "Idempotent-Replayed" in answer.headers


def test_each_act_is_carried_out_once_however_often_it_is_sent(
    lead: Someone, case: Json, successor: Someone
) -> None:
    path = f"/cases/{case['code']}/handovers"
    body = {"to": "UZ_LEAD", "reason": "OTHER"}
    assert get_problem(lead.send(path, body)) == (400, "idempotency-key-missing")

    first, again = (lead.create(path, body, "offer-1") for _ in range(2))
    assert unwrap(first) == unwrap(again)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    other = lead.create(path, body | {"reason": "ADDITIONAL_SERVICES"}, "offer-1")
    assert get_problem(other) == (422, "idempotency-key-reused")

    one, seen = f"/handovers/{unwrap(first)['id']}", successor.get_tag(unwrap(first))
    no = {"reason": "LANGUAGE"}
    first_call = (successor, f"{one}/decline", no, "no-1", seen)
    assert [post_with_key(*first_call) for _ in range(2)] == [(204, False), (204, True)]

    second = unwrap(lead.create(path, body, "offer-2"))
    yes = (
        f"/handovers/{second['id']}/accept",
        make_takeover(),
        "yes-1",
        successor.get_tag(second),
    )
    assert [post_with_key(successor, *yes) for _ in range(2)] == [(200, False), (200, True)]
    assert list_types(successor.poll()).count("handover.accepted") == 1


def test_strangers_and_parties_without_a_part_in_it_find_nothing(
    officer: Someone, lead: Someone, shelter: Someone, stranger: Someone, case: Json
) -> None:
    unwrap(lead.refer(case, SHELTER))
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    path, missing = f"/handovers/{offered['id']}", f"/handovers/{uuid4()}"

    for who in (officer, shelter, stranger):
        hidden, absent = who.get(path), who.get(missing)
        assert get_problem(hidden) == get_problem(absent) == (404, "not-found")
        assert hidden.json()["detail"] == absent.json()["detail"]
        assert get_problem(who.get(f"{path}/evidence")) == (404, "not-found")
        accept = who.send(
            f"{path}/accept", make_takeover(), if_match='"1.0000000000000000"'
        )
        assert get_problem(accept) == (404, "not-found")
        assert unwrap(who.get("/handovers"))["items"] == []
    assert get_problem(stranger.offer(case, "UZ_LEAD")) == (404, "not-found")


def list_ids(who: Someone, **query: str) -> list[str]:
    return [h["id"] for h in unwrap(who.get("/handovers", **query))["items"]]


def test_handovers_are_listed_by_side_state_and_case(
    officer: Someone, lead: Someone, case: Json, successor: Someone
) -> None:
    other = lead.take_lead(
        officer.submit(consents=[make_consent(), make_handover_consent("IOM")])
    )
    gone = unwrap(lead.offer(case, "IOM"))["id"]
    unwrap(lead.does("cancel", {"id": gone, "to": "IOM"}, {}))
    taken = unwrap(lead.offer(case, "UZ_LEAD"))
    waiting = unwrap(lead.offer(other, "IOM"))["id"]
    assert list_ids(successor, side="handover_candidate") == [taken["id"]]
    unwrap(successor.does("accept", taken, make_takeover()))

    assert list_ids(lead) == [waiting, taken["id"]]
    assert list_ids(lead, side="lead", state="offered") == [waiting]
    assert list_ids(lead, side="former_lead") == [taken["id"]]
    assert list_ids(lead, case=case["code"]) == [taken["id"]]
    assert list_ids(successor, side="handover_candidate") == []
    assert set(list_ids(successor)) == {gone, taken["id"]}
    page = unwrap(lead.get("/handovers", limit=1))
    assert page.keys() == {"items", "next"}
    rest = unwrap(lead.get("/handovers", after=page["next"]))
    assert rest.keys() == {"items"}
    assert [h["id"] for h in [*page["items"], *rest["items"]]] == list_ids(lead)
    assert get_problem(lead.get("/handovers", side="recipient"))[0] == 422


def test_the_ladder_says_what_became_of_an_offer(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    sent = get_evidence(lead, offered)
    world.advance(minutes=5)
    successor.read(offered)
    looked = get_evidence(lead, offered)
    world.advance(minutes=5)
    unwrap(successor.does("accept", offered, make_takeover()))

    assert (sent["subject"], sent["recipient"]) == (f"handovers/{offered['id']}", "UZ_LEAD")
    assert [r["name"] for r in sent["statuses"]] == ["submitted", "available"]
    assert [r["name"] for r in looked["statuses"]][2:] == ["retrieved"]
    assert looked["statuses"][-1]["at"] == "2026-06-01T12:05:00Z"
    last = get_evidence(lead, offered)["statuses"][-1]
    assert (last["rank"], last["event"]) == (5, "handover.accepted")
    assert last["at"] == "2026-06-01T12:10:00Z"
    assert get_evidence(successor, offered) == get_evidence(lead, offered)


def test_an_offer_expires_when_its_time_is_up_and_not_before(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    world.advance(hours=72, seconds=-1)
    with pytest.raises(NeedsUnmet), lead.begin_write() as tx:
        handover_following.expire(tx, handover_queries.get(tx, UUID(offered["id"])))
    world.advance(seconds=1)

    with lead.begin_write() as tx:
        handover_following.expire(tx, handover_queries.get(tx, UUID(offered["id"])))

    assert lead.read(offered)["state"] == "expired"
    [*_, event] = successor.poll()
    assert (event["type"], event["by"]) == ("handover.expired", None)
    assert get_problem(successor.get(f"/cases/{case['code']}")) == (404, "not-found")
    assert list_work(successor) == {}
    assert lead.read(case)["lead"] == "KZ_LEAD"
    unwrap(lead.offer(case, "IOM"))


def test_two_contacts_are_two_people_and_are_sealed_anew(
    lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", referral, make_acceptance()))
    offered = unwrap(lead.offer(case, "UZ_LEAD"))

    unwrap(
        successor.does(
            "accept", offered, make_takeover(contacts=make_contacts("Ойбек", "Нодира"))
        )
    )

    path = f"/cases/{case['code']}/contacts"
    for who in (successor, shelter):
        opened = unwrap(who.open(path))
        assert opened["author"] == "UZ_LEAD"
        assert [c["name"] for c in opened["contacts"]] == ["Ойбек", "Нодира"]
    assert get_problem(lead.open(path)) == (404, "not-found")
