"""Two decisions at the same moment: one takes effect, and the other is refused."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import uuid4

import pytest
from httpx2 import Response
from sqlalchemy import exists, select

from app.cases import queries as cases
from app.cases.lifecycle import State as CaseState
from app.cases.models import Case
from app.kernel.actors import SERVICE, Role
from app.referrals.lifecycle import OPEN
from app.referrals.models import Referral
from tests.support.databases import ask
from tests.support.effort import amount
from tests.support.servers import Served, obeying, report, served, together
from tests.support.webhook_receivers import hooked
from tests.support.world import (
    Json,
    Someone,
    closing,
    contacts,
    done,
    kinds,
    path_of,
    promise,
)

pytestmark = pytest.mark.race
ROUNDS = amount(6, sample=3, night=500)
TOLD: Final = {200, 201, 204, 403, 404, 409, 412}

soak = pytest.mark.soak
slow = pytest.mark.slow


@dataclass
class Cast:
    """The accounts: two of the lead may decide the same, and two may approve."""

    officer: Someone
    lead: Someone
    colleague: Someone
    supervisors: tuple[Someone, Someone]
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
    boss = {Role.SUPERVISOR}
    return Cast(
        world.someone("UZ_CONSULATE_ALMATY"),
        world.someone("KZ_LEAD"),
        world.someone("KZ_LEAD"),
        (world.someone("KZ_LEAD", boss), world.someone("KZ_LEAD", boss)),
        world.someone("KZ_SHELTER_KOGERSHIN"),
    )


def acts(
    who: Someone, action: str, record: Json, body: object = None, **headers: str
) -> Callable[[], Response]:
    """Read the record now, and return an action based on that version."""
    path = f"{path_of(record)}/{action}"
    named = {"if_match": who.tag(record), "idempotency_key": str(uuid4())} | headers
    return lambda: who.post(path, body, **named)


def reviewed(cast: Cast) -> Json:
    case = cast.officer.submits()
    return done(cast.lead.does("acknowledge", case))


def led(cast: Cast) -> Json:
    return done(cast.lead.does("accept-lead", reviewed(cast), {"contacts": contacts()}))


def draft(cast: Cast, case: Json) -> Json:
    return done(cast.lead.refers(case, cast.shelter.code, send=False))


def sent(cast: Cast, case: Json) -> Json:
    return done(cast.lead.refers(case, cast.shelter.code))


def asked(cast: Cast, case: Json) -> str:
    """Ask a second person to approve the closure of the case."""
    return str(done(cast.lead.does("close", case, closing()))["id"])


def approved(cast: Cast, case: Json) -> str:
    approval = asked(cast, case)
    done(cast.supervisors[0].post(f"/approvals/{approval}/approve"))
    return approval


def settled(*acts: Callable[[], Response]) -> list[Response]:
    """Run the actions at once; a request that is told to retry later is repeated."""
    heard: list[int] = []
    answers = together(*(partial(obeying, act, heard) for act in acts))
    report("race", heard)
    assert set(heard) <= TOLD | {503}
    return answers


def only_winner(answers: list[Response]) -> int:
    [winner] = [place for place, answer in enumerate(answers) if answer.is_success]
    return winner


def closed_cases_with_a_live_referral(world: Served) -> list[str]:
    live = exists().where(Referral.case_id == Case.id, Referral.state.in_(OPEN))
    over = Case.state.in_([CaseState.CLOSED, CaseState.VOID])
    with world.database.reading(SERVICE) as session:
        return list(session.scalars(select(Case.code).where(over, live)))


@slow
@soak
def test_a_case_is_closed_or_its_referral_is_sent(cast: Cast, world: Served) -> None:
    won = []
    for _ in range(ROUNDS):
        case = led(cast)
        referral = draft(cast, case)
        approval = approved(cast, case)
        close = acts(cast.lead, "close", case, closing(), approval=approval)
        send = acts(cast.colleague, "send", referral)

        winner = only_winner(settled(close, send))

        states = cast.lead.sees(case)["state"], cast.lead.sees(referral)["state"]
        decision = done(cast.lead.get(f"/approvals/{approval}"))["decision"]
        assert (*states, decision) == (
            ("closed", "revoked", "spent"),
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
    """A referral that is sent at once requires no version of the case."""
    won = []
    for _ in range(ROUNDS):
        case = led(cast)
        approval = approved(cast, case)
        close = acts(cast.lead, "close", case, closing(), approval=approval)
        path = f"{path_of(case)}/referrals"
        body = {"recipient": cast.shelter.code, "service": "SHELTER", "send": True}
        open_ = partial(cast.colleague.creates, path, body, str(uuid4()))

        winner = only_winner(settled(close, open_))

        assert cast.lead.sees(case)["state"] == ("closed", "referring")[winner]
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
        accept = acts(cast.shelter, "accept", referral, promise())
        revoke = acts(cast.lead, "revoke", referral, {"reason": "SENT_IN_ERROR"})

        winner = only_winner(settled(accept, revoke))

        last = ("accepted", "revoked")[winner]
        assert cast.lead.sees(referral)["state"] == last
        assert kinds(cast.lead.hears())[-1].startswith(("referral.", "case."))
        won.append(last)
        if last == "accepted":
            done(cast.shelter.does("decline", referral, {"reason": "NO_CAPACITY"}))
    report("won", won)
    assert cast.lead.sees(case)["state"] == "referring"


@slow
@soak
def test_the_lead_is_taken_or_declined(cast: Cast) -> None:
    won = []
    for _ in range(ROUNDS):
        case = reviewed(cast)
        decline = acts(cast.colleague, "decline-lead", case, {"reason": "NO_CAPACITY"})
        accept = acts(cast.lead, "accept-lead", case, {"contacts": contacts()})

        winner = only_winner(settled(decline, accept))

        seen = cast.officer.sees(case)
        if winner == 0:
            assert (seen["state"], seen["lead"]) == ("submitted", None)
            assert seen["holder"] not in {None, "KZ_LEAD"}
            assert cast.lead.get(path_of(case)).status_code == 404
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
        consents = done(cast.officer.get(f"{path_of(case)}/consents"))["items"]
        [given] = [c["id"] for c in consents if "SHELTER" in c["purposes"]]
        path = f"{path_of(case)}/consents/{given}/withdraw"
        accept = acts(cast.shelter, "accept", referral, promise())
        cast.officer.hears()

        withdrawn, accepted = settled(partial(cast.officer.post, path), accept)

        assert withdrawn.status_code == 200
        assert cast.lead.sees(referral)["state"] == "withdrawn"
        assert cast.lead.sees(case)["state"] == "referring"
        helped = [kind for kind in kinds(cast.officer.hears()) if "assistance" in kind]
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
        approve = partial(one.post, f"{path}/approve")
        refuse = partial(other.post, f"{path}/refuse")

        answers = settled(approve, refuse)

        winner = only_winner(answers)
        decision = ("approved", "refused")[winner]
        assert done(cast.lead.get(path))["decision"] == decision
        assert answers[1 - winner].json()["type"] == "/problems/approval-decided"
        won.append(decision)
    report("won", won)


@slow
@soak
def test_an_approval_is_spent_once(cast: Cast) -> None:
    """The same account closes the case twice at once under two keys; only one succeeds."""
    for _ in range(ROUNDS):
        case = led(cast)
        approval = approved(cast, case)
        close = [
            acts(cast.lead, "close", case, closing(), approval=approval) for _ in range(2)
        ]

        answers = settled(*close)

        assert {answers[1 - only_winner(answers)].status_code} <= {409, 412}
        assert cast.lead.sees(case)["state"] == "closed"
        closings = kinds(done(cast.lead.get(f"{path_of(case)}/history"))["items"])
        assert closings.count("case.closed") == 1


@slow
def test_ten_people_doing_everything_to_one_case_meet_no_deadlock(cast: Cast) -> None:
    """Each account writes what it may, repeatedly; the fixture checks for deadlocks."""
    case, heard = led(cast), list[int]()
    where = path_of(case)

    def consent_comes_and_goes() -> Response:
        given = done(cast.officer.get(f"{where}/consents"))["items"][0]["id"]
        return cast.officer.post(f"{where}/consents/{given}/withdraw")

    everything = [
        lambda: cast.lead.creates(f"{where}/risk-assessments", {"level": "medium"}),
        lambda: cast.lead.refers(case, cast.shelter.code),
        lambda: cast.colleague.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"),
        lambda: cast.lead.opens(f"{where}/sections/needs"),
        lambda: cast.officer.opens(f"{where}/sections/needs"),
        lambda: cast.lead.does("close", case, closing()),
        lambda: cast.officer.get("/events"),
        lambda: cast.shelter.get("/worklist"),
        lambda: cast.lead.get(where),
        consent_comes_and_goes,
    ]
    with ThreadPoolExecutor(len(everything)) as pool:
        found = [pool.submit(obeying, act, heard) for act in everything * 10]
        statuses = {each.result().status_code for each in found}

    report("everything", heard)
    assert set(heard) <= TOLD | {202, 503}
    assert statuses <= TOLD | {202}


def test_reading_makes_nobodys_if_match_stale(cast: Cast) -> None:
    case = led(cast)
    referral = sent(cast, case)
    of_case, of_referral = cast.lead.tag(case), cast.shelter.tag(referral)

    for reader in (cast.officer, cast.lead, cast.shelter):
        reader.hears()
        reader.get("/worklist")
        reader.get(path_of(case))
        reader.opens(f"{path_of(case)}/sections/needs")
        reader.opens(f"{path_of(case)}/safeguards")
        reader.opens(f"{path_of(case)}/notes")
        reader.opens(f"{path_of(referral)}/arrangement")
        reader.get(f"{path_of(case)}/access-log")
    changed = cast.lead.ask(
        "PATCH", path_of(case), {"priority": "normal"}, headers={"If_Match": of_case}
    )
    accepted = cast.shelter.post(
        f"{path_of(referral)}/accept", promise(), if_match=of_referral
    )

    assert changed.status_code == 200
    assert accepted.status_code == 200


def test_whoever_opens_a_section_does_not_wait_for_who_writes(
    pg_url: str, cast: Cast
) -> None:
    """An access entry locks no case. SQLite has one writer at a time."""
    assert pg_url
    case = led(cast)

    with ThreadPoolExecutor() as pool, cast.lead.writing() as work:
        cases.lock(work, case["code"])
        opening = pool.submit(cast.officer.opens, f"{path_of(case)}/sections/needs")
        time.sleep(0.5)
        opened = opening.done()

    assert opening.result().status_code in {200, 503}
    assert opened


def test_whoever_writes_does_not_wait_for_who_opens_a_section(
    pg_url: str, cast: Cast
) -> None:
    assert pg_url
    case = led(cast)

    with ThreadPoolExecutor() as pool, cast.lead.writing() as work:
        cases.get(work, case["code"])
        work.session.execute(select(Case.id).with_for_update(key_share=True, read=True))
        written = pool.submit(
            cast.lead.creates, f"{path_of(case)}/risk-assessments", {"level": "low"}
        )
        time.sleep(0.5)
        ended = written.done()

    assert written.result().status_code in {200, 503}
    assert ended


def test_whoever_waited_is_judged_by_what_they_find(cast: Cast) -> None:
    """The second waits for the lock, and by then is no longer a party to the case."""
    case = reviewed(cast)
    accept = acts(cast.lead, "accept-lead", case, {"contacts": contacts()})
    decline = acts(cast.colleague, "decline-lead", case, {"reason": "NO_CAPACITY"})

    with ThreadPoolExecutor() as pool, cast.officer.writing() as work:
        cases.lock(work, case["code"])
        first = pool.submit(decline)
        time.sleep(0.3)
        second = pool.submit(accept)
        time.sleep(0.3)

    assert first.result().status_code == 204
    assert second.result().status_code == 404
    assert cast.officer.sees(case)["lead"] is None


def test_of_two_who_test_a_webhook_at_once_one_does(world: Served, cast: Cast) -> None:
    path = f"/webhooks/{hooked(world, 'KZ_LEAD').id}/ping"

    def test(who: Someone) -> Callable[[], Response]:
        return lambda: who.post(path, {}, idempotency_key=str(uuid4()))

    for _ in range(ROUNDS):
        world.passes(minutes=1)
        answers = together(*map(test, cast.supervisors))
        assert sorted(answer.status_code for answer in answers) == [200, 429]
