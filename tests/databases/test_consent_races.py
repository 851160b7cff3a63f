"""Races between withdrawal and acceptance (R86), and between emergency access decisions."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from httpx2 import Response

from app.kernel.actors import Role
from tests.databases.test_races import TOLD, acts
from tests.support.databases import ask
from tests.support.effort import choose_number
from tests.support.servers import (
    CHANCE,
    Handicap,
    Served,
    report,
    retry_as_told,
    serve_world,
)
from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    unwrap,
)

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.race]
ROUNDS = choose_number(10, night=1000)
"""Number of rounds; `Handicap` needs at least eight."""
OF_A_CASE = 20
"""Number of rounds after which a new case is used, because long lists are slow."""
WOMEN = "KZ_SHELTER_KOGERSHIN"
type Act = Callable[[], Response]


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    """Yield a served world; afterwards, check on PostgreSQL that no deadlock occurred."""
    with serve_world(url) as made:
        yield made
    if not made.database.is_sqlite:
        mine = "FROM pg_stat_database WHERE datname = current_database()"
        assert ask(url, f"SELECT deadlocks {mine}") == [(0,)]


def run_race(one: Act, other: Act, handicap: float) -> tuple[Response, Response]:
    """Run two actions concurrently. The first starts later by `handicap` seconds.

    If `handicap` is negative, the second starts later. If a response says to retry later,
    the request is repeated.
    """
    barrier, statuses = Barrier(2), list[int]()

    def start(act: Act, later: float) -> Response:
        barrier.wait()
        time.sleep(max(0.0, later) + CHANCE.uniform(0, 0.004))
        return retry_as_told(act, statuses)

    with ThreadPoolExecutor(2) as pool:
        first, second = (
            pool.submit(start, one, handicap),
            pool.submit(start, other, -handicap),
        )
        answers = first.result(), second.result()
    assert set(statuses) <= TOLD | {503}
    return answers


def test_a_referral_is_accepted_or_not_and_a_no_ends_it_either_way(world: Served) -> None:
    officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
    shelter, handicap = world.add_person(WOMEN), Handicap()
    for number in range(ROUNDS):
        if number % OF_A_CASE == 0:
            case = lead.take_lead(officer.submit(consents=[make_consent()]))
        yes = make_consent(focal_point=WOMEN, purposes=["SHELTER"], sections=["needs"])
        unwrap(lead.create(f"{get_path(case)}/consents", yes))
        sent = unwrap(lead.refer(case, WOMEN))
        path = f"{get_path(case)}/consents/withdraw"
        no = partial(officer.send, path, {"purposes": ["SHELTER"]})
        accept = acts(shelter, "accept", sent, make_acceptance())
        shelter.poll()

        accepted, taken = run_race(accept, no, handicap.seconds)

        handicap.update(first_won=accepted.is_success)
        assert taken.status_code == 204
        require_one_outcome(lead, shelter, case, sent, accepted)
    report("accepted before the no", handicap.winners)
    handicap.require_race()


def require_one_outcome(
    lead: Someone, shelter: Someone, case: Json, sent: Json, accepted: Response
) -> None:
    """Check that the referral is withdrawn, and that the shelter cannot read the needs."""
    assert lead.read(sent)["state"] == "withdrawn"
    assert lead.read(case)["state"] == "referring"
    event_types = [
        kind for kind in list_types(shelter.poll()) if kind.startswith("referral.")
    ]
    before = ["referral.accepted"] if accepted.is_success else []
    assert event_types == [*before, "referral.withdrawn"]
    if not accepted.is_success:
        late = {(409, "action-illegal"), (412, "version-stale"), (404, "not-found")}
        assert get_problem(accepted) in late
    opened = shelter.open(f"{get_path(case)}/sections/needs")
    assert get_problem(opened) == (404, "not-found")
    assert [kind for _, kind, _ in shelter.get_worklist()] == ["confirm_deletion"]
    assert shelter.does("confirm-deletion", sent).status_code == 204


def test_of_two_organisations_that_answer_one_decides_whether_somebody_reads(
    world: Served,
) -> None:
    officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    shelter, handicap = world.add_person(WOMEN), Handicap()
    reading = {"reason": "RISK_TO_LIFE", "note": "Now", "purpose": "protection"}
    for number in range(ROUNDS):
        if number % OF_A_CASE == 0:
            given = make_consent(
                focal_point=WOMEN, purposes=["SHELTER"], sections=["needs"]
            )
            case = lead.take_lead(officer.submit(consents=[make_consent(), given]))
            unwrap(lead.refer(case, WOMEN))
        path = f"{get_path(case)}/emergency-access"
        access = unwrap(shelter.create(path, reading | {"sections": ["health"]}))
        permit = partial(watcher.send, f"{path}/{access['id']}/grant")
        refuse = partial(lead.send, f"{path}/{access['id']}/refuse")
        watcher.poll()

        permitted, refused = run_race(permit, refuse, handicap.seconds)

        handicap.update(first_won=permitted.is_success)
        assert permitted.is_success != refused.is_success
        loser = refused if permitted.is_success else permitted
        assert get_problem(loser) == (409, "emergency-access-decided")
        opened = shelter.open(f"{get_path(case)}/sections/health", "protection")
        assert opened.is_success == permitted.is_success
        ends = ("granted",) if permitted.is_success else ("refused",)
        assert list_types(watcher.poll()) == [
            f"case.emergency_access_{end}" for end in ends
        ]
        unwrap(
            shelter.send(f"{path}/{access['id']}/stop")
        ) if permitted.is_success else None
    report("permitted", handicap.winners)
    handicap.require_race()
