"""An action that needs two people has one effect, however often it is approved (R14).

All tests but the last use actions on accounts, which need no case. A thousand rounds take
only minutes.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import pytest
from httpx2 import Response

from app.kernel.actors import Role
from tests.support.account_changes import (
    SUPERVISOR,
    add,
    approve,
    get_account_path,
    get_approval_id,
)
from tests.support.administrators import ADMINISTRATOR
from tests.support.databases import ask
from tests.support.effort import choose_number
from tests.support.servers import Served, report, retry_as_told, run_together, serve_world
from tests.support.world import Json, Someone, get_path, get_problem, list_types, unwrap

ROUNDS = choose_number(4, sample=2, night=1_000)
MORE: Json = {"roles": ["coordinator"]}

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.race]


@dataclass
class Cast:
    """The accounts: one requests approvals, two may approve, and one gets other roles."""

    admin: Someone
    one: Someone
    other: Someone
    worker: Someone

    @property
    def path(self) -> str:
        return f"{get_account_path(self.worker)}/grant-roles"

    def asks(self) -> str:
        return get_approval_id(add(self.admin, self.path, MORE))

    def decision(self, asked: str) -> str:
        return str(unwrap(self.admin.get(f"/approvals/{asked}"))["decision"])

    def has(self) -> list[str]:
        return list(unwrap(self.admin.get(get_account_path(self.worker)))["roles"])

    def takes_back(self) -> None:
        unwrap(self.admin.send(f"{get_account_path(self.worker)}/revoke-roles", MORE))


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    with serve_world(url) as made:
        yield made
    if not made.database.is_sqlite:
        mine = "FROM pg_stat_database WHERE datname = current_database()"
        assert ask(url, f"SELECT deadlocks {mine}") == [(0,)]


@pytest.fixture
def cast(world: Served) -> Cast:
    return Cast(
        world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR),
        world.add_person("KZ_LEAD", SUPERVISOR),
        world.add_person("KZ_LEAD", SUPERVISOR),
        world.add_person("KZ_LEAD", {Role.CASEWORKER}),
    )


def run_race(*acts: Callable[[], Response]) -> list[Response]:
    return run_together(*(partial(retry_as_told, act) for act in acts))


def list_outcomes(answers: list[Response]) -> list[tuple[int, str]]:
    """Return the sorted statuses of the responses, each with its problem, if any."""
    return sorted((a.status_code, "") if a.is_success else get_problem(a) for a in answers)


def test_of_two_who_approve_one_did(cast: Cast) -> None:
    watcher, won = cast.one, Counter[int]()
    for _ in range(ROUNDS):
        approval_id = cast.asks()
        watcher.poll()

        answers = run_race(
            partial(approve, cast.one, approval_id),
            partial(approve, cast.other, approval_id),
        )

        assert list_outcomes(answers) == [(200, ""), (409, "approval-decided")]
        assert list_types(watcher.poll()) == ["approval.decided"]
        won[answers[0].status_code] += 1
        unwrap(add(cast.admin, cast.path, MORE, approval_id))
        cast.takes_back()
    report("the first", won.elements())


def test_it_is_approved_or_refused(cast: Cast) -> None:
    won = Counter[str]()
    for _ in range(ROUNDS):
        approval_id = cast.asks()
        refuse = partial(cast.other.send, f"/approvals/{approval_id}/refuse")

        answers = run_race(partial(approve, cast.one, approval_id), refuse)

        decision = "approved" if answers[0].is_success else "refused"
        assert list_outcomes(answers) == [(200, ""), (409, "approval-decided")]
        assert cast.decision(approval_id) == decision
        used = add(cast.admin, cast.path, MORE, approval_id)
        assert used.is_success == (decision == "approved")
        cast.takes_back()
        won[decision] += 1
    report("won", won.elements())


def test_what_was_allowed_is_made_use_of_once(cast: Cast) -> None:
    """An approval is used once, even if two requests use it at the same moment.

    The requests create keys, because a second use would create a second key.
    """
    path, body = f"{get_account_path(cast.worker)}/keys", {"scopes": ["feed:read"]}
    for turn in range(ROUNDS):
        approval_id = get_approval_id(add(cast.admin, path, body))
        unwrap(approve(cast.one, approval_id))

        answers = run_race(
            *(partial(add, cast.admin, path, body, approval_id) for _ in "12")
        )

        assert list_outcomes(answers) == [(201, ""), (409, "approval-unusable")]
        assert cast.decision(approval_id) == "used"
        assert len(unwrap(cast.admin.get(path))["items"]) == turn + 2


def test_it_is_asked_once_or_each_question_is_decided_by_itself(cast: Cast) -> None:
    """Two equal requests at one moment may create two approvals, but take effect once."""
    for _ in range(ROUNDS):
        approval_ids = [
            *map(
                get_approval_id, run_race(*(partial(add, cast.admin, cast.path, MORE),) * 2)
            )
        ]
        for one in set(approval_ids):
            unwrap(approve(cast.one, one))

        used = [add(cast.admin, cast.path, MORE, one) for one in set(approval_ids)]

        assert used[0].is_success
        assert cast.has() == ["caseworker", "coordinator"]
        cast.takes_back()


def test_who_was_ended_allows_nothing_from_then_on(world: Served, cast: Cast) -> None:
    won = Counter[str]()
    for _ in range(choose_number(4, sample=2, night=1_000)):
        leaving = world.add_person("KZ_LEAD", SUPERVISOR)
        approval_id = cast.asks()
        unwrap(approve(leaving, approval_id))
        end = partial(cast.one.send, f"{get_account_path(leaving)}/disable")

        ended, used = run_race(end, partial(add, cast.admin, cast.path, MORE, approval_id))

        assert ended.status_code == 200
        decision = cast.decision(approval_id)
        assert (decision, used.is_success) in {("used", True), ("expired", False)}
        assert ("coordinator" in cast.has()) == used.is_success
        cast.takes_back()
        won[decision] += 1
    report("won", won.elements())


def test_nobody_gets_past_the_cap_by_opening_everything_at_once(world: Served) -> None:
    officer = world.add_person("UZ_CONSULATE_ALMATY")
    cases = [officer.submit() for _ in range(12)]
    world.runtime = world.app.state.runtime = replace(world.runtime, daily_cap=5)
    for _ in range(choose_number(2, night=20)):
        one = world.add_person("KZ_LEAD")
        acts = [partial(one.open, f"{get_path(c)}/sections/needs") for c in cases]

        with ThreadPoolExecutor(len(acts)) as pool:
            found = Counter(r.status_code for r in pool.map(lambda act: act(), acts))

        assert found == {200: 5, 429: 7}
        assert list_types(one.poll()).count("account.capped") >= 1
