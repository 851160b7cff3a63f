"""A case has exactly one lead, even if several decisions are made at the same moment."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import sleep
from typing import Final
from uuid import uuid4

import pytest
from httpx2 import Response

from app.cases import queries as case_queries
from app.kernel.actors import Role
from tests.support.databases import ask
from tests.support.effort import choose_number
from tests.support.servers import Served, report, retry_as_told, run_together, serve_world
from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_closure,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

pytestmark = pytest.mark.race
ROUNDS = choose_number(4, sample=2, night=300)
LOST: Final = {404, 409, 412}
soak = pytest.mark.soak
slow = pytest.mark.slow


@dataclass
class Cast:
    """The accounts: three of the old lead, two of the proposed new lead, and others."""

    officer: Someone
    lead: Someone
    colleague: Someone
    supervisor: Someone
    iom: Someone
    other: Someone
    shelter: Someone


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    """Yield a served world; afterwards, check on PostgreSQL that no deadlock occurred."""
    with serve_world(url) as made:
        yield made
    if not made.database.is_sqlite:
        mine = "FROM pg_stat_database WHERE datname = current_database()"
        assert ask(url, f"SELECT deadlocks {mine}") == [(0,)]


@pytest.fixture
def cast(world: Served) -> Cast:
    return Cast(
        world.add_person("UZ_CONSULATE_ALMATY"),
        world.add_person("KZ_LEAD"),
        world.add_person("KZ_LEAD"),
        world.add_person("KZ_LEAD", {Role.SUPERVISOR}),
        world.add_person("IOM"),
        world.add_person("IOM"),
        world.add_person("KZ_SHELTER_KOGERSHIN"),
    )


def build_led_case(cast: Cast) -> Json:
    to = [make_handover_consent("IOM"), make_handover_consent("UNHCR")]
    given = [make_consent(), make_service_consent(), *to]
    return cast.lead.take_lead(cast.officer.submit(consents=given))


def prepare_act(
    who: Someone, action: str, record: Json, body: object = None, **headers: str
) -> Callable[[], Response]:
    """Read a record, and return a function that sends an action on that version."""
    named = {"if_match": who.get_tag(record), "idempotency_key": str(uuid4())} | headers
    return partial(who.send, f"{get_path(record)}/{action}", body, **named)


def run_race(*acts: Callable[[], Response]) -> list[Response]:
    """Run actions at the same time, and retry each request as its response says."""
    answers = run_together(*(partial(retry_as_told, act) for act in acts))
    assert {a.status_code for a in answers if a.is_error} <= LOST
    return answers


def find_winner(answers: list[Response]) -> int:
    [winner] = [place for place, answer in enumerate(answers) if answer.is_success]
    return winner


def list_leads(cast: Cast, case: Json) -> list[str]:
    """Return the codes of the offices, KZ_LEAD or IOM, that lead a case in the database."""
    with cast.officer.begin_read() as tx:
        found = case_queries.get(tx, case["code"]).parties
        now = {p.focal_point_id for p in found if p.relation == "lead" and not p.until}
    people = (cast.lead, cast.iom)
    return [one.code for one in people for focal_point in now if one.id == focal_point]


@slow
@soak
def test_a_handover_is_accepted_or_cancelled(cast: Cast) -> None:
    won = []
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        offered = unwrap(cast.lead.offer(case, "IOM"))
        accept = prepare_act(cast.iom, "accept", offered, make_takeover())
        cancel = prepare_act(cast.lead, "cancel", offered, {})

        winner = find_winner(run_race(accept, cancel))

        assert cast.lead.read(offered)["state"] == ("effective", "cancelled")[winner]
        assert list_leads(cast, case) == [("IOM", "KZ_LEAD")[winner]]
        assert cast.lead.get(get_path(case)).is_success == bool(winner)
        assert cast.iom.get(get_path(case)).is_success != bool(winner)
        won.append(winner)
    report("won", won)


@slow
@soak
def test_of_two_who_take_the_lead_one_does(cast: Cast) -> None:
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        offered = unwrap(cast.lead.offer(case, "IOM"))
        both = [
            prepare_act(one, "accept", offered, make_takeover())
            for one in (cast.iom, cast.other)
        ]

        answers = run_race(*both)

        assert answers[1 - find_winner(answers)].status_code == 412
        assert list_leads(cast, case) == ["IOM"]
        event_types = list_types(unwrap(cast.iom.get(f"{get_path(case)}/history"))["items"])
        assert event_types.count("case.handed_over") == 1


@slow
@soak
def test_of_two_offers_one_is_made(cast: Cast) -> None:
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        one = partial(cast.lead.offer, case, "IOM")
        other = partial(cast.colleague.offer, case, "UNHCR")

        answers = run_race(one, other)

        assert get_problem(answers[1 - find_winner(answers)]) == (409, "handover-open")
        [made] = unwrap(cast.lead.get("/handovers", case=case["code"]))["items"]
        unwrap(cast.lead.does("cancel", made, {}))


@slow
@soak
def test_nobody_leads_on_a_consent_that_was_taken_back(cast: Cast) -> None:
    """An office whose consent is withdrawn while it accepts the lead cannot read the needs.

    If the withdrawal comes first, the offer ends. Otherwise the new lead loses access.
    """
    won = []
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        offered = unwrap(cast.lead.offer(case, "IOM"))
        consents = unwrap(cast.officer.get(f"{get_path(case)}/consents"))["items"]
        [given] = [c["id"] for c in consents if c["focal_point"] == "IOM"]
        path = f"{get_path(case)}/consents/{given}/withdraw"
        accept = prepare_act(cast.iom, "accept", offered, make_takeover())

        withdrawn, accepted = run_race(partial(cast.officer.send, path), accept)

        assert withdrawn.status_code == 200
        taken = accepted.is_success
        state = cast.lead.read(offered)["state"]
        assert state == ("effective" if taken else "cancelled")
        assert list_leads(cast, case) == ["IOM" if taken else "KZ_LEAD"]
        assert cast.iom.open(f"{get_path(case)}/sections/needs").status_code == 404
        won.append(taken)
    report("accepted", won)


@slow
@soak
def test_a_case_is_closed_or_its_lead_is_offered(cast: Cast) -> None:
    won = []
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        approval = unwrap(cast.lead.does("close", case, make_closure()))["id"]
        unwrap(cast.supervisor.send(f"/approvals/{approval}/approve"))
        close = prepare_act(cast.lead, "close", case, make_closure(), approval=approval)
        offer = partial(cast.colleague.offer, case, "IOM")

        winner = find_winner(run_race(close, offer))

        assert cast.lead.read(case)["state"] == ("closed", "referring")[winner]
        assert bool(unwrap(cast.iom.get("/handovers", case=case["code"]))["items"]) == bool(
            winner
        )
        won.append(winner)
    report("won", won)


@slow
@soak
def test_a_second_person_decides_while_the_lead_moves_and_nothing_comes_of_it(
    cast: Cast,
) -> None:
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        approval = unwrap(cast.lead.does("close", case, make_closure()))["id"]
        offered = unwrap(cast.lead.offer(case, "IOM"))
        accept = prepare_act(cast.iom, "accept", offered, make_takeover())
        approve = partial(cast.supervisor.send, f"/approvals/{approval}/approve")

        accepted, _ = run_race(accept, approve)

        assert accepted.status_code == 200
        assert unwrap(cast.lead.get("/worklist"))["items"] == []
        unwrap(
            cast.iom.create(f"{get_path(case)}/consents", make_handover_consent("KZ_LEAD"))
        )
        back = unwrap(cast.iom.offer(case, "KZ_LEAD"))
        unwrap(cast.lead.does("accept", back, make_takeover()))
        spent = cast.lead.does("close", case, make_closure(), approval=approval)
        assert get_problem(spent) == (409, "approval-unusable")
        unwrap(cast.lead.create(f"{get_path(case)}/consents", make_handover_consent("IOM")))
        away = unwrap(cast.lead.offer(case, "IOM"))
        unwrap(cast.iom.does("accept", away, make_takeover()))


@slow
@soak
def test_a_helper_answers_while_the_lead_moves(cast: Cast) -> None:
    """A recipient's answer and a handover at the same moment both take effect."""
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        referral = unwrap(cast.lead.refer(case, cast.shelter.code))
        offered = unwrap(cast.lead.offer(case, "IOM"))
        accept = prepare_act(cast.iom, "accept", offered, make_takeover())
        help_ = prepare_act(cast.shelter, "accept", referral, make_acceptance())

        answers = run_race(accept, help_)

        assert [answer.status_code for answer in answers] == [200, 200]
        assert cast.iom.read(case)["state"] == "assisting"
        assert cast.shelter.read(referral)["sender"] == "IOM"


def test_whoever_waited_is_told_that_it_was_decided(cast: Cast) -> None:
    """Waiting requests of a lead are refused if another office takes the lead meanwhile."""
    case = build_led_case(cast)
    offered = unwrap(cast.lead.offer(case, "IOM"))
    accept = prepare_act(cast.iom, "accept", offered, make_takeover())
    cancel = prepare_act(cast.lead, "cancel", offered, {})
    refer = partial(cast.lead.refer, case, cast.shelter.code)

    with ThreadPoolExecutor() as pool, cast.officer.begin_write() as tx:
        case_queries.lock(tx, case["code"])
        first = pool.submit(accept)
        sleep(0.3)
        second, third = pool.submit(cancel), pool.submit(refer)
        sleep(0.3)

    assert first.result().status_code == 200
    assert get_problem(second.result()) == (412, "version-stale")
    assert third.result().status_code == 404
    assert list_leads(cast, case) == ["IOM"]
    assert "referral.created" not in list_types(cast.lead.poll())
