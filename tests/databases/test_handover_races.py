"""A case has exactly one lead, whatever is decided at the same moment."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import sleep
from typing import Final
from uuid import uuid4

import pytest
from httpx2 import Response

from app.cases import queries as cases
from app.kernel.actors import Role
from tests.support.databases import ask
from tests.support.effort import amount
from tests.support.servers import Served, obeying, report, served, together
from tests.support.world import (
    Json,
    Someone,
    closing,
    consent,
    done,
    for_handover,
    for_services,
    kinds,
    path_of,
    problem,
    promise,
    taking,
)

pytestmark = pytest.mark.race
ROUNDS = amount(4, sample=2, night=300)
LOST: Final = {404, 409, 412}
soak = pytest.mark.soak
slow = pytest.mark.slow


@dataclass
class Cast:
    """The accounts: two of the old lead, two of the office that is asked, and others."""

    officer: Someone
    lead: Someone
    colleague: Someone
    supervisor: Someone
    iom: Someone
    other: Someone
    shelter: Someone


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    """Serve a world, and require that no deadlock occurred."""
    with served(url) as made:
        yield made
    if not made.database.is_sqlite:
        mine = "FROM pg_stat_database WHERE datname = current_database()"
        assert ask(url, f"SELECT deadlocks {mine}") == [(0,)]


@pytest.fixture
def cast(world: Served) -> Cast:
    return Cast(
        world.someone("UZ_CONSULATE_ALMATY"),
        world.someone("KZ_LEAD"),
        world.someone("KZ_LEAD"),
        world.someone("KZ_LEAD", {Role.SUPERVISOR}),
        world.someone("IOM"),
        world.someone("IOM"),
        world.someone("KZ_SHELTER_KOGERSHIN"),
    )


def build_led_case(cast: Cast) -> Json:
    to = [for_handover("IOM"), for_handover("UNHCR")]
    given = [consent(), for_services(), *to]
    return cast.lead.leads(cast.officer.submits(consents=given))


def prepare_act(
    who: Someone, action: str, record: Json, body: object = None, **headers: str
) -> Callable[[], Response]:
    """Read the record now, and return an action based on that version."""
    named = {"if_match": who.tag(record), "idempotency_key": str(uuid4())} | headers
    return partial(who.post, f"{path_of(record)}/{action}", body, **named)


def run_race(*acts: Callable[[], Response]) -> list[Response]:
    """Run the actions at once; a request that is told to retry later is repeated."""
    answers = together(*(partial(obeying, act) for act in acts))
    assert {a.status_code for a in answers if a.is_error} <= LOST
    return answers


def find_winner(answers: list[Response]) -> int:
    [winner] = [place for place, answer in enumerate(answers) if answer.is_success]
    return winner


def list_leads(cast: Cast, case: Json) -> list[str]:
    """Return the offices that lead by the stored rows; there may be one."""
    with cast.officer.reading() as work:
        found = cases.get(work, case["code"]).parties
        now = {p.focal_point_id for p in found if p.relation == "lead" and not p.until}
    people = (cast.lead, cast.iom)
    return [one.code for one in people for focal_point in now if one.id == focal_point]


@slow
@soak
def test_a_handover_is_accepted_or_cancelled(cast: Cast) -> None:
    won = []
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        offered = done(cast.lead.offers(case, "IOM"))
        accept = prepare_act(cast.iom, "accept", offered, taking())
        cancel = prepare_act(cast.lead, "cancel", offered, {})

        winner = find_winner(run_race(accept, cancel))

        assert cast.lead.sees(offered)["state"] == ("effective", "cancelled")[winner]
        assert list_leads(cast, case) == [("IOM", "KZ_LEAD")[winner]]
        assert cast.lead.get(path_of(case)).is_success == bool(winner)
        assert cast.iom.get(path_of(case)).is_success != bool(winner)
        won.append(winner)
    report("won", won)


@slow
@soak
def test_of_two_who_take_the_lead_one_does(cast: Cast) -> None:
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        offered = done(cast.lead.offers(case, "IOM"))
        both = [
            prepare_act(one, "accept", offered, taking()) for one in (cast.iom, cast.other)
        ]

        answers = run_race(*both)

        assert answers[1 - find_winner(answers)].status_code == 412
        assert list_leads(cast, case) == ["IOM"]
        told = kinds(done(cast.iom.get(f"{path_of(case)}/history"))["items"])
        assert told.count("case.handed_over") == 1


@slow
@soak
def test_of_two_offers_one_is_made(cast: Cast) -> None:
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        one = partial(cast.lead.offers, case, "IOM")
        other = partial(cast.colleague.offers, case, "UNHCR")

        answers = run_race(one, other)

        assert problem(answers[1 - find_winner(answers)]) == (409, "handover-open")
        [made] = done(cast.lead.get("/handovers", case=case["code"]))["items"]
        done(cast.lead.does("cancel", made, {}))


@slow
@soak
def test_nobody_leads_on_a_consent_that_was_taken_back(cast: Cast) -> None:
    """Withdrawn before, it ends the offer; withdrawn after, the lead reads nothing."""
    won = []
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        offered = done(cast.lead.offers(case, "IOM"))
        consents = done(cast.officer.get(f"{path_of(case)}/consents"))["items"]
        [given] = [c["id"] for c in consents if c["focal_point"] == "IOM"]
        path = f"{path_of(case)}/consents/{given}/withdraw"
        accept = prepare_act(cast.iom, "accept", offered, taking())

        withdrawn, accepted = run_race(partial(cast.officer.post, path), accept)

        assert withdrawn.status_code == 200
        taken = accepted.is_success
        state = cast.lead.sees(offered)["state"]
        assert state == ("effective" if taken else "cancelled")
        assert list_leads(cast, case) == ["IOM" if taken else "KZ_LEAD"]
        assert cast.iom.opens(f"{path_of(case)}/sections/needs").status_code == 404
        won.append(taken)
    report("accepted", won)


@slow
@soak
def test_a_case_is_closed_or_its_lead_is_offered(cast: Cast) -> None:
    won = []
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        approval = done(cast.lead.does("close", case, closing()))["id"]
        done(cast.supervisor.post(f"/approvals/{approval}/approve"))
        close = prepare_act(cast.lead, "close", case, closing(), approval=approval)
        offer = partial(cast.colleague.offers, case, "IOM")

        winner = find_winner(run_race(close, offer))

        assert cast.lead.sees(case)["state"] == ("closed", "referring")[winner]
        assert bool(done(cast.iom.get("/handovers", case=case["code"]))["items"]) == bool(
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
        approval = done(cast.lead.does("close", case, closing()))["id"]
        offered = done(cast.lead.offers(case, "IOM"))
        accept = prepare_act(cast.iom, "accept", offered, taking())
        approve = partial(cast.supervisor.post, f"/approvals/{approval}/approve")

        accepted, _ = run_race(accept, approve)

        assert accepted.status_code == 200
        assert done(cast.lead.get("/worklist"))["items"] == []
        done(cast.iom.creates(f"{path_of(case)}/consents", for_handover("KZ_LEAD")))
        back = done(cast.iom.offers(case, "KZ_LEAD"))
        done(cast.lead.does("accept", back, taking()))
        spent = cast.lead.does("close", case, closing(), approval=approval)
        assert problem(spent) == (409, "approval-unusable")
        done(cast.lead.creates(f"{path_of(case)}/consents", for_handover("IOM")))
        away = done(cast.lead.offers(case, "IOM"))
        done(cast.iom.does("accept", away, taking()))


@slow
@soak
def test_a_helper_answers_while_the_lead_moves(cast: Cast) -> None:
    """Both succeed; the final lead is the sender, and the case reflects the help."""
    for _ in range(ROUNDS):
        case = build_led_case(cast)
        referral = done(cast.lead.refers(case, cast.shelter.code))
        offered = done(cast.lead.offers(case, "IOM"))
        accept = prepare_act(cast.iom, "accept", offered, taking())
        help_ = prepare_act(cast.shelter, "accept", referral, promise())

        answers = run_race(accept, help_)

        assert [answer.status_code for answer in answers] == [200, 200]
        assert cast.iom.sees(case)["state"] == "assisting"
        assert cast.shelter.sees(referral)["sender"] == "IOM"


def test_whoever_waited_is_told_that_it_was_decided(cast: Cast) -> None:
    """The old lead waits for the lock, and by then has given the lead away."""
    case = build_led_case(cast)
    offered = done(cast.lead.offers(case, "IOM"))
    accept = prepare_act(cast.iom, "accept", offered, taking())
    cancel = prepare_act(cast.lead, "cancel", offered, {})
    refer = partial(cast.lead.refers, case, cast.shelter.code)

    with ThreadPoolExecutor() as pool, cast.officer.writing() as work:
        cases.lock(work, case["code"])
        first = pool.submit(accept)
        sleep(0.3)
        second, third = pool.submit(cancel), pool.submit(refer)
        sleep(0.3)

    assert first.result().status_code == 200
    assert problem(second.result()) == (412, "version-stale")
    assert third.result().status_code == 404
    assert list_leads(cast, case) == ["IOM"]
    assert "referral.opened" not in kinds(cast.lead.hears())
