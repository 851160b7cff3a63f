"""Access is decided on current data, even if other requests write at the same time.

Opening a document does not lock the case. On PostgreSQL an office can become unsafe, leave
the case or lose the consent between the decision and the read of the document, or while the
request waits for its turn.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from threading import Event
from typing import Any

import pytest

from app.consents.coverage import Purpose
from app.kernel.db import lock_name
from tests.api.test_exports import draft_case, lead_case
from tests.support.databases import listen_to
from tests.support.servers import Served, serve_world
from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_problem,
    make_acceptance,
    unwrap,
)

PAPER = "sealed.record_id = %(record)s::UUID AND sealed.kind = "
"""Part of the statement that reads one document; an export sends it for each section."""
PAPERS = "FROM sealed"
SECOND = "WRITTEN MEANWHILE"

type Act = Callable[[], object]


@pytest.fixture
def world(pg_url: str) -> Iterator[Served]:
    with serve_world(pg_url) as made:
        yield made


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    case = draft_case(officer)
    lead_case(case, officer, lead)
    return case


@contextmanager
def run_before(world: Served, nth: int, asks: str, *acts: Act) -> Iterator[None]:
    """Run actions just before the nth statement that contains the text `asks`."""
    asked: list[str] = []

    def listen(*said: Any) -> None:
        if asks not in said[2]:
            return
        asked.append(said[2])
        if len(asked) == nth:
            with ThreadPoolExecutor(1) as pool:
                for act in acts:
                    pool.submit(act).result()

    with listen_to(world.database, "before_cursor_execute", listen):
        yield
    assert len(asked) >= nth


def replace_document(who: Someone, case: Json, part: str, body: Json) -> None:
    """Replace the current version of a sealed document."""
    path = get_path(case)
    unwrap(who.ask("PUT", f"{path}/{part}", body, headers={"If_Match": who.read_tag(path)}))


def replace_narrative(who: Someone, case: Json) -> None:
    replace_document(
        who, case, "sections/narrative", {"section": "narrative", "text": SECOND}
    )


@pytest.fixture
def reader(lead: Someone, case: Json, shelter: Someone) -> Someone:
    """Return a person of a shelter that helps, with emergency access to more sections."""
    sent = unwrap(lead.refer(case, shelter.code))
    unwrap(shelter.does("acknowledge", sent))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    wanted = ["identity", "narrative", "indicators"]
    access_request = {"reason": "RISK_TO_LIFE", "note": "x", "purpose": "protection"}
    path = f"{get_path(case)}/emergency-access"
    made = unwrap(shelter.create(path, access_request | {"sections": wanted}))
    unwrap(lead.send(f"{path}/{made['id']}/grant"))
    return shelter


def record_fear(lead: Someone, case: Json, whom: str) -> None:
    """Record in the safeguards that an office is unsafe."""
    origin = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    replace_document(lead, case, "safeguards", origin | {"unsafe_focal_points": [whom]})


def withdraw_referral(lead: Someone, case: Json) -> None:
    """Withdraw the only referral of a case."""
    [sent] = unwrap(lead.get("/referrals", case=case["code"]))["items"]
    unwrap(lead.does("withdraw", sent, {"reason": "NO_LONGER_NEEDED"}))


@pytest.mark.parametrize("how", ["feared", "gone"])
def test_who_is_feared_or_gone_reads_nothing_that_was_written_since(
    world: Served, lead: Someone, case: Json, reader: Someone, how: str
) -> None:
    ends = {
        "feared": partial(record_fear, lead, case, reader.code),
        "gone": partial(withdraw_referral, lead, case),
    }
    with run_before(world, 2, PAPER, ends[how], partial(replace_narrative, lead, case)):
        document = unwrap(reader.open(f"{get_path(case)}/export/htcds", "protection"))

    assert SECOND not in str(document)
    assert document["opened"] == ["identity"]


WARNED = {"section": "needs", "summary": "x", "safety_alert": SECOND}
SINCE: dict[str, Callable[[Someone, Json], None]] = {
    "safeguards": partial(record_fear, whom="IOM"),
    "safety-alert": partial(replace_document, part="sections/needs", body=WARNED),
}
"""Each document that is opened, and the action that replaces it."""


@pytest.mark.parametrize("part", SINCE)
def test_a_candidate_that_declines_meanwhile_reads_no_danger_that_was_told_since(
    world: Served, officer: Someone, lead: Someone, part: str
) -> None:
    case, colleague = draft_case(officer), world.add_person(lead.code)
    unwrap(officer.does("submit", case))
    unwrap(lead.does("acknowledge", case))
    path = f"{get_path(case)}/{part}"
    while_it_may = lead.open(path).status_code
    no = {"reason": "NO_CAPACITY"}
    declines = partial(colleague.does, "decline-lead", case, no)
    with run_before(world, 1, PAPERS, declines, partial(SINCE[part], officer, case)):
        opened = lead.open(path)

    assert while_it_may == 200
    assert get_problem(opened) == (404, "not-found")


def test_a_no_counts_from_the_next_section_on(
    world: Served, officer: Someone, lead: Someone, case: Json
) -> None:
    everything = {"purposes": list(Purpose)}
    says_no = partial(officer.send, f"{get_path(case)}/consents/withdraw", everything)
    with run_before(world, 2, PAPER, says_no):
        document = unwrap(lead.open(f"{get_path(case)}/export/htcds"))

    assert document["opened"] == ["identity"]


def run_beside(world: Served, who: Someone, act: Act, opens: Act) -> object:
    """Run `act` while `opens` waits for a lock, and return the result of `opens`."""
    has_it = Event()

    def takes_its_turn() -> None:
        with world.database.begin_write("system") as session:
            lock_name(session, f"opening {who.actor.account_id}")
            has_it.set()
            waits.wait(20)
            act()

    waits = Event()

    def listen(*said: Any) -> None:
        if "pg_advisory_xact_lock" in said[2] and has_it.is_set():
            waits.set()

    with (
        listen_to(world.database, "before_cursor_execute", listen),
        ThreadPoolExecutor(1) as pool,
    ):
        turn = pool.submit(takes_its_turn)
        has_it.wait()
        answer = opens()
        turn.result()
    return answer


def test_an_emergency_that_is_declared_meanwhile_does_not_wait_for_tomorrow(
    world: Served, officer: Someone, lead: Someone, case: Json
) -> None:
    other = draft_case(officer)
    lead_case(other, officer, lead)
    world.runtime = world.app.state.runtime = replace(world.runtime, daily_cap=1)
    unwrap(lead.open(f"{get_path(other)}/sections/needs"))
    emergency = {"reason": "RISK_TO_LIFE", "note": "now"}
    declares = partial(lead.create, f"{get_path(case)}/vital-interests", emergency)

    opened = run_beside(
        world,
        lead,
        lambda: unwrap(declares()),
        partial(lead.open, f"{get_path(case)}/sections/narrative"),
    )

    assert unwrap(opened)["content"]["text"] == "canary-narrative"  # type: ignore[arg-type]


def test_what_was_destroyed_meanwhile_is_not_opened(
    world: Served, officer: Someone
) -> None:
    draft = draft_case(officer)
    world.runtime = world.app.state.runtime = replace(world.runtime, daily_cap=2)

    opened = run_beside(
        world,
        officer,
        lambda: unwrap(officer.does("discard", draft)),
        partial(officer.open, f"{get_path(draft)}/sections/identity"),
    )

    assert get_problem(opened) == (404, "not-found")  # type: ignore[arg-type]
