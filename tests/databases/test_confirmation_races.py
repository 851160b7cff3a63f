"""A confirmed request is carried out at most once, even if other requests coincide."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import pytest
from httpx2 import Response

from app.kernel.actors import Role
from tests.support.account_changes import get_account_path
from tests.support.databases import ask
from tests.support.effort import choose_number
from tests.support.servers import Served, report, retry_as_told, run_together, serve_world
from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_problem,
    list_types,
    make_closure,
    unwrap,
)

ROUNDS = choose_number(4, sample=2, night=500)
DONE = (200, "")
STALE = (409, "action-not-possible")
DECIDED = (409, "approval-decided")

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.race]


@dataclass
class Cast:
    """The accounts: an officer, two people of the lead, and two approving supervisors."""

    officer: Someone
    lead: Someone
    colleague: Someone
    one: Someone
    other: Someone

    def prepare(self) -> tuple[Json, str]:
        """Return a case with a lead, and the id of a request to close it."""
        case = self.lead.take_lead(self.officer.submit())
        return case, self.ask(case)

    def ask(self, case: Json) -> str:
        return str(unwrap(self.close(case))["id"])

    def close(self, case: Json, **headers: str) -> Response:
        return self.lead.does("close", case, make_closure(), **headers)

    def count_closures(self, case: Json) -> int:
        history = unwrap(self.lead.get(f"{get_path(case)}/history"))["items"]
        return list_types(history).count("case.closed")

    def decision(self, approval: str) -> str:
        return str(unwrap(self.lead.get(f"/approvals/{approval}"))["decision"])


@pytest.fixture
def world(url: str) -> Iterator[Served]:
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
        world.add_person("KZ_LEAD", boss),
        world.add_person("KZ_LEAD", boss),
    )


def send(who: Someone, approval: str, action: str) -> Callable[[], Response]:
    return partial(who.send, f"/approvals/{approval}/{action}")


def run_race(*acts: Callable[[], Response]) -> list[tuple[int, str]]:
    """Run requests at once; return the status of each, with the problem of a refusal."""
    answers = run_together(*(partial(retry_as_told, act) for act in acts))
    return [(a.status_code, "") if a.is_success else get_problem(a) for a in answers]


def test_two_confirmations_close_a_case_once(cast: Cast) -> None:
    for _ in range(ROUNDS):
        case, approval = cast.prepare()

        outcomes = run_race(
            *(send(who, approval, "confirm") for who in (cast.one, cast.other))
        )

        assert sorted(outcomes) == [DONE, DECIDED]
        assert cast.count_closures(case) == 1
        assert cast.decision(approval) == "used"


def test_a_repeated_confirmation_closes_a_case_once(cast: Cast) -> None:
    for _ in range(ROUNDS):
        case, approval = cast.prepare()

        outcomes = run_race(*(send(cast.one, approval, "confirm"),) * 2)

        assert outcomes == [DONE, DONE]
        assert cast.count_closures(case) == 1


@pytest.mark.parametrize("action", ["withdraw", "refuse"])
def test_a_request_is_confirmed_or_ended(cast: Cast, action: str) -> None:
    won = Counter[str]()
    ends = {"withdraw": (cast.lead, "withdrawn"), "refuse": (cast.other, "refused")}
    who, ended = ends[action]
    for _ in range(ROUNDS):
        case, approval = cast.prepare()

        outcomes = run_race(
            send(cast.one, approval, "confirm"), send(who, approval, action)
        )

        decision = cast.decision(approval)
        assert (outcomes, decision) in [
            ([DONE, DECIDED], "used"),
            ([DECIDED, DONE], ended),
        ]
        assert cast.count_closures(case) == (decision == "used")
        won[decision] += 1
    report("won", won.elements())


def test_a_confirmation_never_closes_a_version_that_nobody_read(cast: Cast) -> None:
    won = Counter[str]()
    rest = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}
    for _ in range(ROUNDS):
        case, approval = cast.prepare()
        seen = {"if_match": cast.colleague.get_tag(case), "idempotency_key": str(uuid4())}
        suspend = partial(cast.colleague.send, f"{get_path(case)}/suspend", rest, **seen)

        confirmed, suspended = run_race(send(cast.one, approval, "confirm"), suspend)

        assert (confirmed, suspended[0]) in [(DONE, 412), (DONE, 409), (STALE, 200)]
        assert cast.count_closures(case) == (confirmed == DONE)
        won[str(confirmed[0])] += 1
    report("confirmed", won.elements())


def test_a_confirmation_beside_a_repeated_request_leaves_no_request(
    url: str, cast: Cast
) -> None:
    """If a request is confirmed while it is repeated, one closure and no request remain."""
    for _ in range(ROUNDS):
        case, approval = cast.prepare()

        confirmed, _ = run_race(
            send(cast.one, approval, "confirm"), partial(cast.close, case)
        )

        assert confirmed == DONE
        assert cast.count_closures(case) == 1
        kept = "SELECT count(*) FROM approval WHERE sealed_request IS NOT NULL"
        assert ask(url, kept) == [(0,)]


def test_a_revoked_key_ends_a_request_or_comes_too_late(world: Served, cast: Cast) -> None:
    won = Counter[str]()
    for _ in range(ROUNDS):
        case = cast.lead.take_lead(cast.officer.submit())
        thief = world.add_person("KZ_LEAD")
        asked = thief.does("close", case, make_closure())
        approval, prefix = str(unwrap(asked)["id"]), thief.key.split("_")[1]
        path = f"{get_account_path(thief)}/keys/{prefix}/revoke"

        confirmed, revoked = run_race(
            send(cast.one, approval, "confirm"), partial(cast.other.send, path)
        )

        decision = cast.decision(approval)
        assert revoked == DONE
        assert (confirmed, decision) in [(DONE, "used"), (DECIDED, "expired")]
        assert cast.count_closures(case) == (decision == "used")
        won[decision] += 1
    report("won", won.elements())
