"""If two decisions coincide, one takes effect and the other one is refused."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import uuid4

import pytest
from httpx2 import Response
from sqlalchemy import exists, select

from app.cases import queries as case_queries
from app.cases.lifecycle import State as CaseState
from app.cases.models import Case
from app.kernel.actors import SERVICE, Role
from app.referrals.lifecycle import OPEN
from app.referrals.models import Referral
from tests.support.databases import ask
from tests.support.effort import choose_number
from tests.support.servers import Served, report, retry_as_told, run_together, serve_world
from tests.support.webhook_receivers import create_webhook
from tests.support.world import (
    Json,
    Someone,
    get_path,
    list_types,
    make_acceptance,
    make_closure,
    make_contacts,
    unwrap,
)

pytestmark = pytest.mark.race
ROUNDS = choose_number(6, sample=3, night=500)
PROMPT_SECONDS: Final = 4.0
"""Seconds in which even a busy machine answers a request; less than `lock_timeout`."""
TOLD: Final = {200, 201, 204, 403, 404, 409, 412}

soak = pytest.mark.soak
slow = pytest.mark.slow


@dataclass
class Cast:
    """The accounts: officer, lead and colleague, two approving supervisors, and shelter."""

    officer: Someone
    lead: Someone
    colleague: Someone
    supervisors: tuple[Someone, Someone]
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
    boss = {Role.SUPERVISOR}
    return Cast(
        world.add_person("UZ_CONSULATE_ALMATY"),
        world.add_person("KZ_LEAD"),
        world.add_person("KZ_LEAD"),
        (world.add_person("KZ_LEAD", boss), world.add_person("KZ_LEAD", boss)),
        world.add_person("KZ_SHELTER_KOGERSHIN"),
    )


def acts(
    who: Someone, action: str, record: Json, body: object = None, **headers: str
) -> Callable[[], Response]:
    """Read a record, and return a function that takes an action on the version read."""
    path = f"{get_path(record)}/{action}"
    named = {"if_match": who.get_tag(record), "idempotency_key": str(uuid4())} | headers
    return lambda: who.send(path, body, **named)


def reviewed(cast: Cast) -> Json:
    case = cast.officer.submit()
    return unwrap(cast.lead.does("acknowledge", case))


def led(cast: Cast) -> Json:
    return unwrap(
        cast.lead.does("accept-lead", reviewed(cast), {"contacts": make_contacts()})
    )


def draft(cast: Cast, case: Json) -> Json:
    return unwrap(cast.lead.refer(case, cast.shelter.code, send=False))


def sent(cast: Cast, case: Json) -> Json:
    return unwrap(cast.lead.refer(case, cast.shelter.code))


def asked(cast: Cast, case: Json) -> str:
    """Request the approval to close a case, and return the approval's id."""
    return str(unwrap(cast.lead.does("close", case, make_closure()))["id"])


def approved(cast: Cast, case: Json) -> str:
    approval = asked(cast, case)
    unwrap(cast.supervisors[0].send(f"/approvals/{approval}/approve"))
    return approval


def settled(*acts: Callable[[], Response]) -> list[Response]:
    """Run actions concurrently. Repeat a request if its response says to retry later."""
    statuses: list[int] = []
    answers = run_together(*(partial(retry_as_told, act, statuses) for act in acts))
    report("race", statuses)
    assert set(statuses) <= TOLD | {503}
    return answers


def only_winner(answers: list[Response]) -> int:
    [winner] = [place for place, answer in enumerate(answers) if answer.is_success]
    return winner


def closed_cases_with_a_live_referral(world: Served) -> list[str]:
    live = exists().where(Referral.case_id == Case.id, Referral.state.in_(OPEN))
    over = Case.state.in_([CaseState.CLOSED, CaseState.VOID])
    with world.database.begin_read(SERVICE) as session:
        return list(session.scalars(select(Case.code).where(over, live)))


@slow
@soak
def test_a_case_is_closed_or_its_referral_is_sent(cast: Cast, world: Served) -> None:
    won = []
    for _ in range(ROUNDS):
        case = led(cast)
        referral = draft(cast, case)
        approval = approved(cast, case)
        close = acts(cast.lead, "close", case, make_closure(), approval=approval)
        send = acts(cast.colleague, "send", referral)

        winner = only_winner(settled(close, send))

        states = cast.lead.read(case)["state"], cast.lead.read(referral)["state"]
        decision = unwrap(cast.lead.get(f"/approvals/{approval}"))["decision"]
        assert (*states, decision) == (
            ("closed", "revoked", "used"),
            ("referring", "sent", "approved"),
        )[winner]
        won.append(("close", "send")[winner])
    report("won", won)
    assert closed_cases_with_a_live_referral(world) == []


@slow
@soak
def test_a_case_is_closed_or_a_new_referral_is_opened_in_it(
    cast: Cast, world: Served
) -> None:
    """If a closure and a new referral coincide, only one of them succeeds.

    A referral that is created and sent in one request requires no version of the case.
    """
    won = []
    for _ in range(ROUNDS):
        case = led(cast)
        approval = approved(cast, case)
        close = acts(cast.lead, "close", case, make_closure(), approval=approval)
        path = f"{get_path(case)}/referrals"
        body = {"recipient": cast.shelter.code, "service": "SHELTER", "send": True}
        open_ = partial(cast.colleague.create, path, body, str(uuid4()))

        winner = only_winner(settled(close, open_))

        assert cast.lead.read(case)["state"] == ("closed", "referring")[winner]
        won.append(("close", "open")[winner])
    report("won", won)
    assert closed_cases_with_a_live_referral(world) == []


@slow
@soak
def test_a_referral_is_accepted_or_revoked(cast: Cast) -> None:
    won = []
    case = led(cast)
    for _ in range(ROUNDS):
        referral = sent(cast, case)
        accept = acts(cast.shelter, "accept", referral, make_acceptance())
        revoke = acts(cast.lead, "revoke", referral, {"reason": "SENT_IN_ERROR"})

        winner = only_winner(settled(accept, revoke))

        last = ("accepted", "revoked")[winner]
        assert cast.lead.read(referral)["state"] == last
        assert list_types(cast.lead.poll())[-1].startswith(("referral.", "case."))
        won.append(last)
        if last == "accepted":
            unwrap(cast.shelter.does("decline", referral, {"reason": "NO_CAPACITY"}))
    report("won", won)
    assert cast.lead.read(case)["state"] == "referring"


@slow
@soak
def test_the_lead_is_taken_or_declined(cast: Cast) -> None:
    won = []
    for _ in range(ROUNDS):
        case = reviewed(cast)
        decline = acts(cast.colleague, "decline-lead", case, {"reason": "NO_CAPACITY"})
        accept = acts(cast.lead, "accept-lead", case, {"contacts": make_contacts()})

        winner = only_winner(settled(decline, accept))

        seen = cast.officer.read(case)
        if winner == 0:
            assert (seen["state"], seen["lead"]) == ("submitted", None)
            assert seen["holder"] not in {None, "KZ_LEAD"}
            assert cast.lead.get(get_path(case)).status_code == 404
        else:
            assert (seen["state"], seen["lead"]) == ("referring", "KZ_LEAD")
        won.append(("declined", "accepted")[winner])
    report("won", won)


@slow
@soak
def test_nobody_helps_on_a_consent_that_was_taken_back(cast: Cast) -> None:
    won = []
    for _ in range(ROUNDS):
        case = led(cast)
        referral = sent(cast, case)
        consents = unwrap(cast.officer.get(f"{get_path(case)}/consents"))["items"]
        [given] = [c["id"] for c in consents if "SHELTER" in c["purposes"]]
        path = f"{get_path(case)}/consents/{given}/withdraw"
        accept = acts(cast.shelter, "accept", referral, make_acceptance())
        cast.officer.poll()

        withdrawn, accepted = settled(partial(cast.officer.send, path), accept)

        assert withdrawn.status_code == 200
        assert cast.lead.read(referral)["state"] == "withdrawn"
        assert cast.lead.read(case)["state"] == "referring"
        helped = [kind for kind in list_types(cast.officer.poll()) if "assistance" in kind]
        assert helped == (["case.assistance_begun"] if accepted.is_success else [])
        won.append(accepted.status_code)
    report("accept", won)


@slow
@soak
def test_of_two_second_persons_one_decides(cast: Cast) -> None:
    won = []
    for _ in range(ROUNDS):
        approval = asked(cast, led(cast))
        path = f"/approvals/{approval}"
        one, other = cast.supervisors
        approve = partial(one.send, f"{path}/approve")
        refuse = partial(other.send, f"{path}/refuse")

        answers = settled(approve, refuse)

        winner = only_winner(answers)
        decision = ("approved", "refused")[winner]
        assert unwrap(cast.lead.get(path))["decision"] == decision
        assert answers[1 - winner].json()["type"] == "/problems/approval-decided"
        won.append(decision)
    report("won", won)


@slow
@soak
def test_an_approval_is_spent_once(cast: Cast) -> None:
    """If one approval is used twice at the same moment, only one request succeeds."""
    for _ in range(ROUNDS):
        case = led(cast)
        approval = approved(cast, case)
        close = [
            acts(cast.lead, "close", case, make_closure(), approval=approval)
            for _ in range(2)
        ]

        answers = settled(*close)

        assert {answers[1 - only_winner(answers)].status_code} <= {409, 412}
        assert cast.lead.read(case)["state"] == "closed"
        closings = list_types(unwrap(cast.lead.get(f"{get_path(case)}/history"))["items"])
        assert closings.count("case.closed") == 1


@slow
def test_ten_people_doing_everything_to_one_case_meet_no_deadlock(cast: Cast) -> None:
    """A hundred requests of ten kinds about one case, ten at a time, cause no deadlock."""
    case, all_statuses = led(cast), list[int]()
    where = get_path(case)

    def consent_comes_and_goes() -> Response:
        given = unwrap(cast.officer.get(f"{where}/consents"))["items"][0]["id"]
        return cast.officer.send(f"{where}/consents/{given}/withdraw")

    everything = [
        lambda: cast.lead.create(f"{where}/risk-assessments", {"level": "medium"}),
        lambda: cast.lead.refer(case, cast.shelter.code),
        lambda: cast.colleague.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"),
        lambda: cast.lead.open(f"{where}/sections/needs"),
        lambda: cast.officer.open(f"{where}/sections/needs"),
        lambda: cast.lead.does("close", case, make_closure()),
        lambda: cast.officer.get("/events"),
        lambda: cast.shelter.get("/worklist"),
        lambda: cast.lead.get(where),
        consent_comes_and_goes,
    ]
    with ThreadPoolExecutor(len(everything)) as pool:
        found = [pool.submit(retry_as_told, act, all_statuses) for act in everything * 10]
        final_statuses = {each.result().status_code for each in found}

    report("everything", all_statuses)
    assert set(all_statuses) <= TOLD | {202, 503}
    assert final_statuses <= TOLD | {202}


def test_reading_makes_nobodys_if_match_stale(cast: Cast) -> None:
    case = led(cast)
    referral = sent(cast, case)
    of_case, of_referral = cast.lead.get_tag(case), cast.shelter.get_tag(referral)

    for reader in (cast.officer, cast.lead, cast.shelter):
        reader.poll()
        reader.get("/worklist")
        reader.get(get_path(case))
        reader.open(f"{get_path(case)}/sections/needs")
        reader.open(f"{get_path(case)}/safeguards")
        reader.open(f"{get_path(case)}/notes")
        reader.open(f"{get_path(referral)}/arrangement")
        reader.get(f"{get_path(case)}/access-log")
    changed = cast.lead.ask(
        "PATCH", get_path(case), {"priority": "normal"}, headers={"If_Match": of_case}
    )
    accepted = cast.shelter.send(
        f"{get_path(referral)}/accept", make_acceptance(), if_match=of_referral
    )

    assert changed.status_code == 200
    assert accepted.status_code == 200


def test_whoever_opens_a_section_does_not_wait_for_who_writes(
    pg_url: str, cast: Cast
) -> None:
    """A reader of a section does not wait for a writer: reading does not lock the case.

    The test runs only on PostgreSQL, because SQLite has one writer at a time.
    """
    assert pg_url
    case = led(cast)

    with ThreadPoolExecutor() as pool, cast.lead.begin_write() as tx:
        case_queries.lock(tx, case["code"])
        opening = pool.submit(cast.officer.open, f"{get_path(case)}/sections/needs")
        opened, _ = wait([opening], timeout=PROMPT_SECONDS)

    assert opening.result().status_code in {200, 503}
    assert opened


def test_whoever_writes_does_not_wait_for_who_opens_a_section(
    pg_url: str, cast: Cast
) -> None:
    assert pg_url
    case = led(cast)

    with ThreadPoolExecutor() as pool, cast.lead.begin_write() as tx:
        case_queries.get(tx, case["code"])
        tx.session.execute(select(Case.id).with_for_update(key_share=True, read=True))
        written = pool.submit(
            cast.lead.create, f"{get_path(case)}/risk-assessments", {"level": "low"}
        )
        ended, _ = wait([written], timeout=PROMPT_SECONDS)

    assert written.result().status_code in {200, 503}
    assert ended


def test_whoever_waited_is_judged_by_what_they_find(cast: Cast) -> None:
    """A request that waited for a lock is decided on the state after the wait."""
    case = reviewed(cast)
    accept = acts(cast.lead, "accept-lead", case, {"contacts": make_contacts()})
    decline = acts(cast.colleague, "decline-lead", case, {"reason": "NO_CAPACITY"})

    with ThreadPoolExecutor() as pool, cast.officer.begin_write() as tx:
        case_queries.lock(tx, case["code"])
        first = pool.submit(decline)
        time.sleep(0.3)
        second = pool.submit(accept)
        time.sleep(0.3)

    assert first.result().status_code == 204
    assert second.result().status_code == 404
    assert cast.officer.read(case)["lead"] is None


def test_of_two_who_test_a_webhook_at_once_one_does(world: Served, cast: Cast) -> None:
    path = f"/webhooks/{create_webhook(world, 'KZ_LEAD').id}/ping"

    def test(who: Someone) -> Callable[[], Response]:
        return lambda: who.send(path, {}, idempotency_key=str(uuid4()))

    for _ in range(ROUNDS):
        world.advance(minutes=1)
        answers = run_together(*map(test, cast.supervisors))
        assert sorted(answer.status_code for answer in answers) == [200, 429]
