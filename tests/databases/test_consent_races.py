"""A withdrawn consent and an acceptance at once: no help without a consent (R86, R89)."""

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
from tests.support.effort import amount
from tests.support.servers import CHANCE, Handicap, Served, obeying, report, served
from tests.support.world import (
    Json,
    Someone,
    consent,
    done,
    kinds,
    path_of,
    problem,
    promise,
)

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.race]
ROUNDS = amount(10, night=1000)
"""At least eight: see Handicap."""
OF_A_CASE = 20
"""After so many there is another case: a list of consents must not grow into the race."""
WOMEN = "KZ_SHELTER_KOGERSHIN"
type Act = Callable[[], Response]


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    """Serve a world, and require that no deadlock occurred."""
    with served(url) as made:
        yield made
    if not made.database.is_sqlite:
        mine = "FROM pg_stat_database WHERE datname = current_database()"
        assert ask(url, f"SELECT deadlocks {mine}") == [(0,)]


def run_race(one: Act, other: Act, handicap: float) -> tuple[Response, Response]:
    """Start both at once, with a handicap of the first in seconds and some jitter.

    A request that is told to retry later is repeated.
    """
    barrier, heard = Barrier(2), list[int]()

    def start(act: Act, later: float) -> Response:
        barrier.wait()
        time.sleep(max(0.0, later) + CHANCE.uniform(0, 0.004))
        return obeying(act, heard)

    with ThreadPoolExecutor(2) as pool:
        first, second = (
            pool.submit(start, one, handicap),
            pool.submit(start, other, -handicap),
        )
        answers = first.result(), second.result()
    assert set(heard) <= TOLD | {503}
    return answers


def test_a_referral_is_accepted_or_not_and_a_no_ends_it_either_way(world: Served) -> None:
    officer, lead = world.someone("UZ_CONSULATE_ALMATY"), world.someone("KZ_LEAD")
    shelter, handicap = world.someone(WOMEN), Handicap()
    for number in range(ROUNDS):
        if number % OF_A_CASE == 0:
            case = lead.leads(officer.submits(consents=[consent()]))
        yes = consent(focal_point=WOMEN, purposes=["SHELTER"], sections=["needs"])
        done(lead.creates(f"{path_of(case)}/consents", yes))
        sent = done(lead.refers(case, WOMEN))
        said = f"{path_of(case)}/consents/withdraw"
        no = partial(officer.post, said, {"purposes": ["SHELTER"]})
        accept = acts(shelter, "accept", sent, promise())
        shelter.hears()

        accepted, taken = run_race(accept, no, handicap.seconds)

        handicap.adjust(first_won=accepted.is_success)
        assert taken.status_code == 204
        require_one_outcome(lead, shelter, case, sent, accepted)
    report("accepted before the no", handicap.winners)
    handicap.must_have_raced()


def require_one_outcome(
    lead: Someone, shelter: Someone, case: Json, sent: Json, accepted: Response
) -> None:
    """Require one outcome and one order of events, and that nothing opens any more."""
    assert lead.sees(sent)["state"] == "withdrawn"
    assert lead.sees(case)["state"] == "referring"
    told = [kind for kind in kinds(shelter.hears()) if kind.startswith("referral.")]
    before = ["referral.accepted"] if accepted.is_success else []
    assert told == [*before, "referral.withdrawn"]
    if not accepted.is_success:
        late = {(409, "action-illegal"), (412, "version-stale"), (404, "not-found")}
        assert problem(accepted) in late
    opened = shelter.opens(f"{path_of(case)}/sections/needs")
    assert problem(opened) == (404, "not-found")
    assert [kind for _, kind, _ in shelter.waits()] == ["confirm_deletion"]
    assert shelter.does("confirm-deletion", sent).status_code == 204


def test_of_two_organisations_that_answer_one_decides_whether_somebody_reads(
    world: Served,
) -> None:
    officer, lead = world.someone("UZ_CONSULATE_ALMATY"), world.someone("KZ_LEAD")
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    shelter, handicap = world.someone(WOMEN), Handicap()
    reading = {"reason": "RISK_TO_LIFE", "note": "Now", "purpose": "protection"}
    for number in range(ROUNDS):
        if number % OF_A_CASE == 0:
            given = consent(focal_point=WOMEN, purposes=["SHELTER"], sections=["needs"])
            case = lead.leads(officer.submits(consents=[consent(), given]))
            done(lead.refers(case, WOMEN))
        path = f"{path_of(case)}/vital-readings"
        asked = done(shelter.creates(path, reading | {"sections": ["health"]}))
        permit = partial(watcher.post, f"{path}/{asked['id']}/permit")
        refuse = partial(lead.post, f"{path}/{asked['id']}/refuse")
        watcher.hears()

        permitted, refused = run_race(permit, refuse, handicap.seconds)

        handicap.adjust(first_won=permitted.is_success)
        assert permitted.is_success != refused.is_success
        loser = refused if permitted.is_success else permitted
        assert problem(loser) == (409, "reading-decided")
        opened = shelter.opens(f"{path_of(case)}/sections/health", "protection")
        assert opened.is_success == permitted.is_success
        ends = ("granted",) if permitted.is_success else ("refused",)
        assert kinds(watcher.hears()) == [f"case.vital_reading_{end}" for end in ends]
        done(shelter.post(f"{path}/{asked['id']}/stop")) if permitted.is_success else None
    report("permitted", handicap.winners)
    handicap.must_have_raced()
