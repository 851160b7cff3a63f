"""A request that is sent twice takes effect once and gets the same response twice."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from httpx2 import Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actions import create_key, revoke_key
from app.access.credentials import get_prefix
from app.cases.models import Case, Party
from app.deadlines.models import Clock
from app.kernel import idempotency
from app.kernel.actors import SERVICE
from app.kernel.db import Base, claim_name
from app.kernel.idempotency import KeyedRequest, Outcome, claim, store_outcome
from app.kernel.journal import Delivery, Entry
from tests.support.effort import choose_number
from tests.support.servers import report, retry_as_told, serve_world
from tests.support.world import (
    EVERYTHING,
    Json,
    Someone,
    World,
    get_path,
    list_types,
    make_acceptance,
    make_case,
    make_closure,
    make_consent,
    make_contacts,
    unwrap,
)

CLIENTS, REPEATS = 40, choose_number(300, sample=150, night=10_000)
REPLAYED = "Idempotent-Replayed"
PATIENCE = 30.0


@pytest.fixture
def led(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead."""
    case = officer.submit()
    unwrap(lead.does("acknowledge", case))
    return unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))


@pytest.fixture
def sent(led: Json, lead: Someone) -> Json:
    """Return a referral that was sent to a shelter."""
    return unwrap(lead.refer(led, "KZ_SHELTER_KOGERSHIN"))


def run_twice(act: Callable[[], Response]) -> tuple[Response, Response]:
    """Run an action twice, like a client that did not receive the first response."""
    return act(), act()


def get_problem(response: Response) -> tuple[int, str]:
    return response.status_code, response.json()["type"].removeprefix("/problems/")


def count_rows(world: World, *tables: type[Base]) -> list[int]:
    with world.database.begin_read(SERVICE) as session:
        queries = (select(func.count()).select_from(table) for table in tables)
        return [session.scalars(statement).one() for statement in queries]


@pytest.mark.slow
@pytest.mark.soak
def test_a_thousand_repeats_at_once_make_one_case(url: str) -> None:
    body, key, statuses = make_case(submit=True), str(uuid4()), list[int]()

    with serve_world(url) as world, ThreadPoolExecutor(CLIENTS) as pool:
        officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
        futures = [
            pool.submit(
                retry_as_told, lambda: officer.create("/cases", body, key), statuses
            )
            for _ in range(REPEATS)
        ]
        answers = [each.result() for each in futures]
        listed = unwrap(officer.get("/cases"))
        made = count_rows(world, Case, Entry, Clock, Outcome)
        event_types = list_types(officer.poll()), list_types(lead.poll())

    report("heard", statuses)
    assert {answer.status_code for answer in answers} == {201}
    assert set(statuses) <= {201, 409, 503}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["ETag"] for answer in answers}) == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert sum(REPLAYED not in answer.headers for answer in answers) == 1
    assert [case["code"] for case in listed["items"]] == [answers[0].json()["code"]]
    assert made == [1, 2, 3, 1]  # one deadline of the case, and one of each consent
    assert event_types == (["case.drafted", "case.submitted"], ["case.submitted"])


@pytest.mark.slow
def test_many_acting_on_one_reading_with_one_key_act_once(url: str) -> None:
    statuses = list[int]()

    with serve_world(url) as world, ThreadPoolExecutor(CLIENTS) as pool:
        officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
        case = officer.submit()
        path, seen = f"{get_path(case)}/acknowledge", lead.get_tag(case)
        futures = [
            pool.submit(
                retry_as_told,
                lambda: lead.send(path, None, if_match=seen, idempotency_key="k"),
                statuses,
            )
            for _ in range(CLIENTS * 3)
        ]
        answers = [each.result() for each in futures]
        event_types = list_types(officer.poll())

    report("heard", statuses)
    assert {answer.status_code for answer in answers} == {200}
    assert sum(REPLAYED not in answer.headers for answer in answers) == 1
    assert event_types == ["case.drafted", "case.submitted", "case.acknowledged"]


@pytest.mark.slow
def test_one_external_reference_makes_one_case_however_many_keys(url: str) -> None:
    """Of requests with one external reference and different keys, one creates a case."""
    body, statuses = make_case(submit=True, external_reference="ALA/2026/17"), list[int]()

    with serve_world(url) as world, ThreadPoolExecutor(CLIENTS) as pool:
        officer = world.add_person("UZ_CONSULATE_ALMATY")
        futures = [
            pool.submit(retry_as_told, lambda: officer.create("/cases", body), statuses)
            for _ in range(CLIENTS)
        ]
        answers = [each.result() for each in futures]
        made = count_rows(world, Case)

    report("heard", statuses)
    [first] = [answer for answer in answers if answer.status_code == 201]
    others = [answer for answer in answers if answer is not first]
    assert {get_problem(answer) for answer in others} == {(409, "external-reference-taken")}
    assert {answer.json()["code"] for answer in others} == {first.json()["code"]}
    assert made == [1]


def test_the_same_request_twice_is_one_case(officer: Someone) -> None:
    body = make_case(submit=True)

    first, again = run_twice(lambda: officer.create("/cases", body, "k"))

    assert (first.status_code, again.status_code) == (201, 201)
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert first.json() == again.json()
    assert first.headers["Location"] == again.headers["Location"]
    assert first.headers["ETag"] == again.headers["ETag"]
    assert list_types(officer.poll()) == ["case.drafted", "case.submitted"]


def test_a_replay_shows_the_record_as_it_is_now(officer: Someone, lead: Someone) -> None:
    body = make_case(submit=True)
    case = unwrap(officer.create("/cases", body, "k"))
    unwrap(lead.does("acknowledge", case))

    again = officer.create("/cases", body, "k")

    assert again.status_code == 201
    assert again.json()["state"] == "under_review"


@pytest.mark.slow
def test_a_key_is_remembered_for_years_and_after_the_erasure_of_the_record(
    world: World, officer: Someone, lead: Someone
) -> None:
    body = make_case(submit=True)
    case = lead.take_lead(unwrap(officer.create("/cases", body, "k")))
    unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST", "note": "Enough"}))
    world.wait(days=9 * 365)
    with world.database.begin_read(SERVICE) as session:
        assert session.scalar(select(Case.state)) == "erased"

    again = officer.create("/cases", body, "k")
    otherwise = officer.create("/cases", make_case(), "k")

    assert get_problem(again) == (404, "not-found")
    assert get_problem(otherwise) == (422, "idempotency-key-reused")
    assert count_rows(world, Case) == [1]


def test_one_key_is_for_one_request(officer: Someone) -> None:
    unwrap(officer.create("/cases", make_case(), "k"))

    otherwise = officer.create("/cases", make_case(submit=True), "k")
    unwrap(officer.create("/cases", make_case(submit=True), "another"))

    assert get_problem(otherwise) == (422, "idempotency-key-reused")
    assert list_types(officer.poll()) == ["case.drafted", "case.drafted", "case.submitted"]


def test_one_key_is_for_one_path(officer: Someone) -> None:
    one, other = unwrap(officer.create_case()), unwrap(officer.create_case())

    unwrap(officer.does("submit", one, idempotency_key="k"))
    elsewhere = officer.does("submit", other, idempotency_key="k")

    assert get_problem(elsewhere) == (422, "idempotency-key-reused")
    assert officer.read(other)["state"] == "draft"


def test_the_key_of_another_account_is_another_key(
    officer: Someone, stranger: Someone
) -> None:
    colleague = officer.world.add_person(officer.code)
    body = make_case()

    codes = {
        unwrap(someone.create("/cases", body, "k"))["code"]
        for someone in (officer, colleague, stranger)
    }

    assert len(codes) == 3


def test_a_key_survives_a_new_api_key_of_the_account(
    officer: Someone, world: World
) -> None:
    body = make_case(submit=True)
    first = officer.create("/cases", body, "k")
    with world.database.begin_write() as session:
        account = officer.actor.account_id
        fresh = create_key(session, account, EVERYTHING, world.now, days=1)
        revoke_key(session, get_prefix(officer.key), world.now)

    revoked = officer.create("/cases", body, "k")
    officer.key = fresh
    again = officer.create("/cases", body, "k")

    assert get_problem(revoked) == (401, "unauthenticated")
    assert again.headers[REPLAYED] == "true"
    assert again.json() == first.json()


def test_a_key_must_be_given_where_something_is_made(led: Json, lead: Someone) -> None:
    referral = {"recipient": "KZ_LEGAL_AID", "service": "LEGAL_AID"}

    refused = [
        lead.send("/cases", make_case()),
        lead.send(f"{get_path(led)}/referrals", referral),
        lead.send(f"{get_path(led)}/consents", make_consent()),
    ]

    assert [get_problem(each) for each in refused] == [(400, "idempotency-key-missing")] * 3
    assert lead.get("/referrals").json()["items"] == []


@pytest.mark.parametrize("key", ["", " ", "k k", "ключ".encode(), "k" * 101])
def test_a_key_that_is_none_is_refused(officer: Someone, key: str) -> None:
    refused = officer.send("/cases", make_case(), idempotency_key=key)

    assert refused.status_code in {400, 422}
    assert officer.get("/cases").json()["items"] == []


def test_an_accept_whose_answer_was_lost_is_not_told_that_it_is_out_of_date(
    sent: Json, shelter: Someone, lead: Someone
) -> None:
    seen = shelter.get_tag(sent)
    path = f"{get_path(sent)}/accept"

    first, again = run_twice(
        lambda: shelter.send(path, make_acceptance(), if_match=seen, idempotency_key="k")
    )
    without_key = shelter.send(path, make_acceptance(), if_match=seen)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers[REPLAYED] == "true"
    assert again.json() == first.json()
    assert get_problem(without_key) == (412, "version-stale")
    assert list_types(lead.poll()).count("referral.accepted") == 1


def test_who_declined_the_lead_and_is_no_longer_party_is_answered_as_before(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    seen, why = lead.get_tag(case), {"reason": "NO_CAPACITY"}
    path = f"{get_path(case)}/decline-lead"

    first, again = run_twice(
        lambda: lead.send(path, why, if_match=seen, idempotency_key="k")
    )
    without_key = lead.send(path, why, if_match=seen)

    assert (first.status_code, first.content) == (204, b"")
    assert (again.status_code, again.content) == (204, b"")
    assert again.headers[REPLAYED] == "true"
    assert get_problem(without_key) == (404, "not-found")
    assert list_types(officer.poll()).count("case.lead_declined") == 1


def test_a_closing_is_repeated_as_the_question_it_was_and_as_the_closing_it_was(
    led: Json, lead: Someone, supervisor: Someone
) -> None:
    seen, path = lead.get_tag(led), f"{get_path(led)}/close"

    asked, asked_again = run_twice(
        lambda: lead.send(path, make_closure(), if_match=seen, idempotency_key="ask")
    )
    approval = asked.json()["id"]
    unwrap(supervisor.send(f"/approvals/{approval}/approve"))
    approved = {"if_match": seen, "approval": approval, "idempotency_key": "close"}
    closed, closed_again = run_twice(lambda: lead.send(path, make_closure(), **approved))
    late = lead.send(path, make_closure(), if_match=seen, idempotency_key="ask")

    assert (asked.status_code, asked_again.status_code) == (202, 202)
    assert asked_again.json() == asked.json()
    assert (closed.status_code, closed_again.status_code) == (200, 200)
    assert closed_again.json() == closed.json()
    assert (late.status_code, late.json()["decision"]) == (202, "used")
    for again in (asked_again, closed_again, late):
        assert again.headers[REPLAYED] == "true"
    assert list_types(lead.poll()).count("case.closed") == 1


def test_the_approval_is_part_of_the_request(led: Json, lead: Someone) -> None:
    seen, path = lead.get_tag(led), f"{get_path(led)}/close"
    lead.send(path, make_closure(), if_match=seen, idempotency_key="k")

    with_approval = lead.send(
        path, make_closure(), if_match=seen, idempotency_key="k", approval=str(uuid4())
    )

    assert get_problem(with_approval) == (422, "idempotency-key-reused")


def test_referrals_and_consents_are_made_once(led: Json, lead: Someone) -> None:
    referral = {"recipient": "KZ_LEGAL_AID", "service": "LEGAL_AID"}

    path, risk = get_path(led), {"level": "high"}
    pairs = [
        run_twice(lambda: lead.create(f"{path}/referrals", referral, "r")),
        run_twice(lambda: lead.create(f"{path}/consents", make_consent(), "c")),
        run_twice(lambda: lead.create(f"{path}/risk-assessments", risk, "a")),
    ]

    for first, again in pairs:
        assert first.status_code == again.status_code
        assert again.headers[REPLAYED] == "true"
        assert again.json() == first.json()
    event_types = list_types(lead.poll())
    for once in ("referral.created", "consent.recorded", "case.risk_assessed"):
        assert event_types.count(once) == 1


def test_what_failed_may_be_tried_again(officer: Someone) -> None:
    without_consent = officer.create("/cases", make_case(submit=True, consents=[]), "k")
    stale = officer.send(
        f"{get_path(unwrap(officer.create_case()))}/submit",
        if_match='"9.0123456789abcdef"',
        idempotency_key="s",
    )

    made = officer.create("/cases", make_case(submit=True), "k")
    submitted = officer.does("submit", unwrap(officer.create_case()), idempotency_key="s")

    assert get_problem(without_consent) == (409, "needs-unmet")
    assert get_problem(stale) == (412, "version-stale")
    assert made.status_code == 201
    assert REPLAYED not in made.headers
    assert submitted.status_code == 200


def test_one_external_reference_is_one_case(officer: Someone, stranger: Someone) -> None:
    body = make_case(external_reference="ALA/2026/17")
    first = unwrap(officer.create("/cases", body))

    again = officer.create("/cases", body)
    elsewhere = stranger.create("/cases", body)

    assert get_problem(again) == (409, "external-reference-taken")
    assert again.json()["code"] == first["code"]
    assert elsewhere.status_code == 201


def test_while_the_first_is_carried_out_the_second_waits_or_is_told_to(
    officer: Someone,
) -> None:
    """While the first request runs, a second request waits or is told to retry later.

    On SQLite writers wait for each other; on PostgreSQL the response asks for a retry.
    """
    ticket = KeyedRequest("k", ["another request"])

    with ThreadPoolExecutor() as pool, officer.begin_write() as tx:
        claim(tx, ticket)
        store_outcome(tx, ticket, uuid4(), status=201)
        second = pool.submit(officer.create, "/cases", make_case(), "k")
        if officer.world.database.is_sqlite:
            time.sleep(0.3)
            assert not second.done()
        else:
            answer = second.result(timeout=PATIENCE)

    if officer.world.database.is_sqlite:
        assert get_problem(second.result()) == (422, "idempotency-key-reused")
    else:
        assert get_problem(answer) == (409, "idempotency-key-in-use")
        assert answer.headers["Retry-After"] == "1"


@pytest.mark.usefixtures("pg_url")  # on SQLite writers queue
def test_an_outcome_is_read_after_its_key_is_locked(
    officer: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request finds the outcome that another request committed just before the lock."""
    ticket, made = KeyedRequest("k", ["a request"]), uuid4()

    def hold_late(session: Session, name: str) -> bool:
        monkeypatch.undo()
        with officer.begin_write() as first:
            assert claim(first, ticket) is None
            store_outcome(first, ticket, made, status=201)
        return claim_name(session, name)

    monkeypatch.setattr(idempotency, "claim_name", hold_late)
    with officer.begin_write() as second:
        done_before = claim(second, ticket)

    assert done_before is not None
    assert (done_before.resource_id, done_before.status) == (made, 201)


@pytest.mark.usefixtures("pg_url")  # on SQLite writers queue
def test_outcome_stored_while_the_key_is_locked_is_returned(
    officer: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request gets the outcome of another request that held the lock of the key."""
    ticket, made = KeyedRequest("k", ["a request"]), uuid4()

    def fail_to_lock(session: Session, name: str) -> bool:
        monkeypatch.undo()
        with officer.begin_write() as first:
            assert claim(first, ticket) is None
            is_locked = claim_name(session, name)
            store_outcome(first, ticket, made, status=201)
        return is_locked

    monkeypatch.setattr(idempotency, "claim_name", fail_to_lock)
    with officer.begin_write() as second:
        done = claim(second, ticket)

    assert done is not None
    assert (done.resource_id, done.status) == (made, 201)


def test_while_a_request_is_carried_out_its_key_is_free_for_every_other_account(
    officer: Someone, stranger: Someone
) -> None:
    with ThreadPoolExecutor() as pool, officer.begin_write() as tx:
        claim(tx, KeyedRequest("k", ["a request"]))
        other = pool.submit(stranger.create, "/cases", make_case(), "k")
        if not officer.world.database.is_sqlite:  # on SQLite writers queue
            assert other.result(timeout=PATIENCE).status_code == 201

    assert other.result().status_code == 201


def test_what_was_carried_out_is_in_flight_for_nobody(officer: Someone) -> None:
    """A retry gets the stored response even while another retry claims the key."""
    first = officer.create("/cases", make_case(), "k")
    with officer.begin_read() as look:
        fingerprint = look.session.scalars(select(Outcome.fingerprint)).one()

    with ThreadPoolExecutor() as pool, officer.begin_write() as tx:
        claim(tx, KeyedRequest("k", [fingerprint]))
        second = pool.submit(officer.create, "/cases", make_case(), "k")
        time.sleep(0.3)

    assert second.result().status_code == 201
    assert second.result().json() == first.json()


def test_what_came_of_a_request_is_kept_without_what_was_in_it(
    officer: Someone, world: World
) -> None:
    unwrap(officer.create("/cases", make_case(), "k"))

    with world.database.begin_read() as session:
        [kept] = session.execute(select(Outcome.__table__)).mappings().all()

    assert set(kept) == {"account_id", "key", "fingerprint", "resource_id", "status", "at"}
    assert len(kept["fingerprint"]) == 64
    assert count_rows(world, Delivery, Party) == [1, 1]
