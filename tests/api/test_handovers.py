"""Handovers: an offer of the lead, its one answer, and all that moves with the lead."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.directory.models import FocalPoint
from app.handovers import following as handovers
from app.handovers import queries
from app.kernel.actors import Role
from app.kernel.needs import NeedsUnmet
from tests.support.world import (
    WORKERS,
    Json,
    Someone,
    World,
    actions,
    closing,
    consent,
    contacts,
    done,
    for_handover,
    for_services,
    kinds,
    problem,
    promise,
    taking,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"


@pytest.fixture
def successor(world: World) -> Someone:
    """An account of the focal point of Uzbekistan, the State of origin."""
    return world.someone("UZ_LEAD")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """A case that Kazakhstan leads, with consents to a handover to Uzbekistan or to IOM."""
    safeguards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    given = [consent(), for_services(), for_handover(), for_handover("IOM")]
    return lead.leads(officer.submits(safeguards=safeguards, consents=given))


def list_work(who: Someone) -> dict[str, str]:
    """Return the kind of each entry of the worklist, by its subject."""
    return {w["subject"]: w["kind"] for w in done(who.get("/worklist"))["items"]}


def get_evidence(who: Someone, handover: Json) -> Json:
    [found] = done(who.get(f"/handovers/{handover['id']}/evidence"))["items"]
    return dict(found)


def test_an_offer_says_who_gives_to_whom_and_until_when(
    lead: Someone, case: Json, successor: Someone
) -> None:
    answer = lead.offers(case, "UZ_LEAD", note="She goes home")

    offered = done(answer)
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
    assert {name: a["open"] for name, a in actions(offered).items()} == {"cancel": True}
    seen = successor.sees(offered)
    assert seen["you_are"] == ["handover_candidate"]
    assert {n: (a["open"], a["asks"]) for n, a in actions(seen).items()} == {
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
    given = [consent(), for_handover("IOM")]
    notice = {"priority": priority}
    case = lead.leads(officer.submits(notice=notice, consents=given))

    offered = done(lead.offers(case, "IOM"))

    iom = world.someone("IOM")
    [work] = done(iom.get("/worklist"))["items"]
    assert (work["subject"], work["kind"]) == (
        f"handovers/{offered['id']}",
        "answer_handover",
    )
    assert work["due_at"] == offered["due_at"] == until
    assert list_work(lead) == {f"cases/{case['code']}": "review_risk"}


def test_the_whole_journey_of_a_lead_that_goes_home(
    world: World, lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    referral = done(lead.refers(case, SHELTER))
    done(shelter.does("accept", referral, promise()))
    draft = done(lead.refers(case, SHELTER, send=False))
    offered = done(lead.offers(case, "UZ_LEAD"))
    before = lead.sees(case)["version"]
    world.passes(hours=2)

    taken = done(successor.does("accept", offered, taking()))

    assert (taken["state"], taken["you_are"], taken["due_at"]) == (
        "effective",
        ["lead"],
        None,
    )
    mine = successor.sees(case)
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
    assert successor.sees(referral)["you_are"] == ["sender"]
    assert shelter.sees(referral)["sender"] == "UZ_LEAD"
    done(shelter.does("start", referral, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "She is well"}
    done(shelter.does("complete", referral, report))
    assert kinds(successor.hears())[-2:] == ["referral.started", "referral.completed"]
    done(successor.does("revoke", draft, {"reason": "NO_LONGER_NEEDED"}))


def test_a_referral_that_was_asked_before_is_accepted_after(
    lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    referral = done(lead.refers(case, SHELTER))
    seen = shelter.tag(referral)
    done(successor.does("accept", done(lead.offers(case, "UZ_LEAD")), taking()))

    path = f"/referrals/{referral['id']}"
    accepted = shelter.post(f"{path}/accept", promise(), if_match=seen)

    assert done(accepted)["sender"] == "UZ_LEAD"
    assert successor.sees(case)["state"] == "assisting"
    assert problem(lead.get(path)) == (404, "not-found")
    assert "referral.sender_changed" in kinds(shelter.hears())


def test_a_declined_offer_leaves_the_lead_where_it_is(
    lead: Someone, case: Json, successor: Someone
) -> None:
    before = lead.sees(case)
    offered = done(lead.offers(case, "UZ_LEAD"))

    why = {"reason": "NO_CAPACITY", "note": "All are away"}
    declined = successor.does("decline", offered, why)

    assert declined.status_code == 204
    after = lead.sees(offered)
    assert (after["state"], after["decline_reason"]) == ("declined", "NO_CAPACITY")
    assert after["available_actions"] == []
    assert lead.sees(case) == before
    assert list_work(successor) == {}
    for path in (f"/handovers/{offered['id']}", f"/cases/{case['code']}"):
        assert problem(successor.get(path)) == (404, "not-found")
    notes = done(lead.opens(f"/cases/{case['code']}/notes"))["items"]
    assert [(n["about"], n["text"]) for n in notes] == [
        ("decline_handover", "All are away")
    ]


def test_an_offer_is_taken_back_and_another_one_made(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    first = done(lead.offers(case, "UZ_LEAD"))

    cancelled = done(lead.does("cancel", first, {"note": "She thinks it over"}))
    second = done(lead.offers(case, "IOM", reason="ADDITIONAL_SERVICES"))

    assert cancelled["state"] == "cancelled"
    assert problem(successor.get(f"/handovers/{first['id']}")) == (404, "not-found")
    assert kinds(successor.hears()) == ["handover.offered", "handover.cancelled"]
    done(world.someone("IOM").does("accept", second, taking()))


def test_one_offer_at_a_time(lead: Someone, case: Json, successor: Someone) -> None:
    first = done(lead.offers(case, "UZ_LEAD"))

    refused = lead.offers(case, "IOM")

    assert problem(refused) == (409, "handover-open")
    assert refused.json()["handover"] == first["id"]
    done(successor.does("accept", first, taking()))
    given = successor.creates(f"/cases/{case['code']}/consents", for_handover("KZ_LEAD"))
    assert given.status_code == 201
    assert done(successor.offers(case, "KZ_LEAD"))["lead"] == "UZ_LEAD"


def test_a_case_is_not_closed_while_its_lead_is_on_offer(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))

    [lack] = lead.does("close", case, closing()).json()["unmet"]

    assert lack["need"] == "nothing_open"
    assert not actions(lead.sees(case))["close"]["open"]
    done(lead.does("cancel", offered, {}))
    asked = done(lead.does("close", case, closing()))
    done(supervisor.post(f"/approvals/{asked['id']}/approve"))
    assert (
        done(lead.does("close", case, closing(), approval=asked["id"]))["state"] == "closed"
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
    with world.database.writing() as session:
        unasked = update(FocalPoint).where(FocalPoint.kind.in_(["desk", "oversight"]))
        session.execute(unasked.values(can_lead=True))

    assert problem(lead.offers(case, to)) == (422, status)


def test_who_was_closed_down_meanwhile_does_not_take_the_lead(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    with world.database.writing() as session:
        one = update(FocalPoint).where(FocalPoint.code == "UZ_LEAD")
        session.execute(one.values(active=False))

    refused = successor.does("accept", offered, taking())

    assert problem(refused) == (422, "successor-unfit")
    assert lead.sees(case)["lead"] == "KZ_LEAD"


def test_only_the_lead_offers_and_only_as_coordinator(
    world: World, officer: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    done(lead.refers(case, SHELTER))
    worker = world.someone("KZ_LEAD", WORKERS - {Role.COORDINATOR})
    new = officer.submits(consents=[consent(), for_handover()])

    assert problem(officer.offers(case, "UZ_LEAD")) == (403, "action-not-yours")
    assert problem(shelter.offers(case, "UZ_LEAD")) == (403, "action-not-yours")
    assert problem(lead.offers(new, "UZ_LEAD")) == (403, "action-not-yours")
    assert problem(worker.offers(case, "UZ_LEAD")) == (403, "role-missing")


def test_each_answer_is_for_its_side_and_role(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    clerk = world.someone("UZ_LEAD", {Role.OFFICER})
    worker = world.someone("UZ_LEAD", {Role.CASEWORKER})
    why = {"reason": "LANGUAGE"}

    assert problem(lead.does("accept", offered, taking())) == (403, "action-not-yours")
    assert problem(lead.does("decline", offered, why)) == (403, "action-not-yours")
    assert problem(successor.does("cancel", offered, {})) == (403, "action-not-yours")
    assert problem(worker.does("accept", offered, taking())) == (403, "role-missing")
    assert problem(clerk.does("decline", offered, why)) == (403, "role-missing")
    assert set(actions(worker.sees(offered))) == {"decline"}
    assert worker.does("decline", offered, why).status_code == 204


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
def test_what_was_decided_is_not_decided_again(
    lead: Someone, case: Json, successor: Someone, action: str
) -> None:
    bodies: dict[str, Json] = {
        "accept": taking(),
        "decline": {"reason": "LANGUAGE"},
        "cancel": {},
    }
    offered = done(lead.offers(case, "UZ_LEAD"))
    done(successor.does("accept", offered, taking()))

    for one in (successor, lead):
        refused = one.does(action, offered, bodies[action])
        assert problem(refused) == (409, "action-illegal")
        assert refused.json()["state"] == "effective"


def test_a_step_rests_on_what_was_seen(
    lead: Someone, case: Json, successor: Someone
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    path, old = f"/handovers/{offered['id']}", successor.tag(offered)

    assert problem(successor.post(f"{path}/accept", taking())) == (428, "version-not-given")
    done(lead.does("cancel", offered, {}))
    again = done(lead.offers(case, "UZ_LEAD"))
    stale = successor.post(f"/handovers/{again['id']}/accept", taking(), if_match='"9.0"')
    assert problem(stale) == (412, "version-stale")
    late = successor.post(f"{path}/accept", taking(), if_match=old)
    assert problem(late) == (404, "not-found")


def post_with_key(
    who: Someone, path: str, body: Any, key: str, seen: str
) -> tuple[int, bool]:
    answer = who.post(path, body, if_match=seen, idempotency_key=key)
    return answer.status_code, "Idempotent-Replayed" in answer.headers


def test_each_act_is_carried_out_once_however_often_it_is_sent(
    lead: Someone, case: Json, successor: Someone
) -> None:
    path = f"/cases/{case['code']}/handovers"
    body = {"to": "UZ_LEAD", "reason": "OTHER"}
    assert problem(lead.post(path, body)) == (400, "key-missing")

    first, again = (lead.creates(path, body, "offer-1") for _ in range(2))
    assert done(first) == done(again)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    other = lead.creates(path, body | {"reason": "ADDITIONAL_SERVICES"}, "offer-1")
    assert problem(other) == (422, "key-reused")

    one, seen = f"/handovers/{done(first)['id']}", successor.tag(done(first))
    no = {"reason": "LANGUAGE"}
    asked = (successor, f"{one}/decline", no, "no-1", seen)
    assert [post_with_key(*asked) for _ in range(2)] == [(204, False), (204, True)]

    second = done(lead.creates(path, body, "offer-2"))
    yes = (f"/handovers/{second['id']}/accept", taking(), "yes-1", successor.tag(second))
    assert [post_with_key(successor, *yes) for _ in range(2)] == [(200, False), (200, True)]
    assert kinds(successor.hears()).count("handover.accepted") == 1


def test_strangers_and_parties_without_a_part_in_it_find_nothing(
    officer: Someone, lead: Someone, shelter: Someone, stranger: Someone, case: Json
) -> None:
    done(lead.refers(case, SHELTER))
    offered = done(lead.offers(case, "UZ_LEAD"))
    path, missing = f"/handovers/{offered['id']}", f"/handovers/{uuid4()}"

    for who in (officer, shelter, stranger):
        hidden, absent = who.get(path), who.get(missing)
        assert problem(hidden) == problem(absent) == (404, "not-found")
        assert hidden.json()["detail"] == absent.json()["detail"]
        assert problem(who.get(f"{path}/evidence")) == (404, "not-found")
        accept = who.post(f"{path}/accept", taking(), if_match='"1.0000000000000000"')
        assert problem(accept) == (404, "not-found")
        assert done(who.get("/handovers"))["items"] == []
    assert problem(stranger.offers(case, "UZ_LEAD")) == (404, "not-found")


def list_ids(who: Someone, **query: str) -> list[str]:
    return [h["id"] for h in done(who.get("/handovers", **query))["items"]]


def test_handovers_are_listed_by_side_state_and_case(
    officer: Someone, lead: Someone, case: Json, successor: Someone
) -> None:
    other = lead.leads(officer.submits(consents=[consent(), for_handover("IOM")]))
    gone = done(lead.offers(case, "IOM"))["id"]
    done(lead.does("cancel", {"id": gone, "to": "IOM"}, {}))
    taken = done(lead.offers(case, "UZ_LEAD"))
    waiting = done(lead.offers(other, "IOM"))["id"]
    assert list_ids(successor, side="handover_candidate") == [taken["id"]]
    done(successor.does("accept", taken, taking()))

    assert list_ids(lead) == [waiting, taken["id"]]
    assert list_ids(lead, side="lead", state="offered") == [waiting]
    assert list_ids(lead, side="former_lead") == [taken["id"]]
    assert list_ids(lead, case=case["code"]) == [taken["id"]]
    assert list_ids(successor, side="handover_candidate") == []
    assert set(list_ids(successor)) == {gone, taken["id"]}
    page = done(lead.get("/handovers", limit=1))
    assert page["more"]
    rest = done(lead.get("/handovers", after=page["next"]))
    assert [h["id"] for h in [*page["items"], *rest["items"]]] == list_ids(lead)
    assert problem(lead.get("/handovers", side="recipient"))[0] == 422


def test_the_ladder_says_what_became_of_an_offer(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    sent = get_evidence(lead, offered)
    world.passes(minutes=5)
    successor.sees(offered)
    looked = get_evidence(lead, offered)
    world.passes(minutes=5)
    done(successor.does("accept", offered, taking()))

    assert (sent["subject"], sent["recipient"]) == (f"handovers/{offered['id']}", "UZ_LEAD")
    assert [r["name"] for r in sent["rungs"]] == ["submitted", "available"]
    assert [r["name"] for r in looked["rungs"]][2:] == ["retrieved"]
    assert looked["rungs"][-1]["at"] == "2026-06-01T12:05:00Z"
    last = get_evidence(lead, offered)["rungs"][-1]
    assert (last["rank"], last["event"]) == (5, "handover.accepted")
    assert last["at"] == "2026-06-01T12:10:00Z"
    assert get_evidence(successor, offered) == get_evidence(lead, offered)


def test_an_offer_expires_when_its_time_is_up_and_not_before(
    world: World, lead: Someone, case: Json, successor: Someone
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    world.passes(hours=72, seconds=-1)
    with pytest.raises(NeedsUnmet), lead.writing() as work:
        handovers.expire(work, queries.get(work, UUID(offered["id"])))
    world.passes(seconds=1)

    with lead.writing() as work:
        handovers.expire(work, queries.get(work, UUID(offered["id"])))

    assert lead.sees(offered)["state"] == "expired"
    [*_, event] = successor.hears()
    assert (event["type"], event["by"]) == ("handover.expired", None)
    assert problem(successor.get(f"/cases/{case['code']}")) == (404, "not-found")
    assert list_work(successor) == {}
    assert lead.sees(case)["lead"] == "KZ_LEAD"
    done(lead.offers(case, "IOM"))


def test_two_contacts_are_two_people_and_are_sealed_anew(
    lead: Someone, shelter: Someone, case: Json, successor: Someone
) -> None:
    referral = done(lead.refers(case, SHELTER))
    done(shelter.does("accept", referral, promise()))
    offered = done(lead.offers(case, "UZ_LEAD"))

    done(successor.does("accept", offered, taking(contacts=contacts("Ойбек", "Нодира"))))

    path = f"/cases/{case['code']}/contacts"
    for who in (successor, shelter):
        opened = done(who.opens(path))
        assert opened["author"] == "UZ_LEAD"
        assert [c["name"] for c in opened["contacts"]] == ["Ойбек", "Нодира"]
    assert problem(lead.opens(path)) == (404, "not-found")
