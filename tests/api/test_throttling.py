"""Wrong keys are throttled, and a valid key is never refused (R10)."""

from collections import Counter
from collections.abc import Iterator
from secrets import token_hex

import pytest
from httpx2 import Response

from app.access.credentials import get_prefix
from app.api.http.rate_limits import ADDRESS_PACE, PREFIX_PACE, TABLE_SIZE, WrongKeyLimit
from tests.support.databases import record_statements
from tests.support.world import Someone, Watch, World, get_problem, unwrap


@pytest.fixture
def watch(world: World) -> Iterator[Watch]:
    """Replace the throttle with one whose clock the test controls, and yield that clock."""
    before, made = world.app.state.throttle, Watch()
    world.app.state.throttle = WrongKeyLimit(made)
    yield made
    world.app.state.throttle = before


def try_key(world: World, key: str) -> Response:
    return world.http.get("/v1/me", headers={"Authorization": f"Bearer {key}"})


def wrong(prefix: str = "") -> str:
    return f"sc_{prefix or token_hex(5)}_{token_hex(8)}"


def test_wrong_keys_are_slowed_down_and_the_right_one_never(
    world: World, lead: Someone, watch: Watch
) -> None:
    prefix = get_prefix(lead.key)

    answers = [try_key(world, wrong(prefix)) for _ in range(PREFIX_PACE.free + 5)]
    right = [unwrap(lead.get("/me")) for _ in range(50)]
    still = try_key(world, wrong(prefix))

    statuses = [answer.status_code for answer in answers]
    assert statuses == [401] * PREFIX_PACE.free + [429] * 5
    assert get_problem(still) == (429, "too-many-wrong-keys")
    assert still.headers["Retry-After"] == "10"
    assert len(right) == 50
    assert prefix not in still.text
    watch.now += 10
    assert try_key(world, wrong(prefix)).status_code == 401


def test_waiting_as_long_as_one_is_told_always_helps(world: World, watch: Watch) -> None:
    statuses = Counter[int]()
    for _ in range(60):
        answer = try_key(world, wrong("0123456789"))
        statuses[answer.status_code] += 1
        watch.now += int(answer.headers.get("Retry-After", 0))

    assert statuses == {401: 35, 429: 25}


def test_many_prefixes_from_one_address_are_slowed_down_as_well(
    world: World, lead: Someone, watch: Watch
) -> None:
    assert watch.now
    statuses = Counter(
        try_key(world, wrong()).status_code for _ in range(ADDRESS_PACE.free + 20)
    )

    assert set(statuses) == {401, 429}
    assert statuses[429] >= 20
    assert unwrap(lead.get("/me"))


def test_a_known_prefix_and_an_unknown_one_cost_and_hear_the_same(
    world: World, lead: Someone, watch: Watch
) -> None:
    assert watch.now
    known, unknown = get_prefix(lead.key), "0123456789"

    def asked(prefix: str) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = []
        for _ in range(PREFIX_PACE.free + 3):
            with record_statements(world.database) as statements:
                answer = try_key(world, wrong(prefix))
            body = answer.json() | {"instance": ""}
            waits = answer.headers.get("Retry-After")
            found.append((answer.status_code, body, waits, statements))
        return found

    assert asked(known) == asked(unknown)


def test_no_key_is_no_guess(world: World, watch: Watch) -> None:
    assert watch.now
    answers = [world.http.get("/v1/me") for _ in range(2 * ADDRESS_PACE.free)]

    assert {answer.status_code for answer in answers} == {401}


def test_what_is_counted_takes_no_more_room() -> None:
    throttle = WrongKeyLimit(Watch())

    for number in range(20_000):
        throttle.count_wrong_key(f"2001:db8::{number:x}", f"{number:010x}")

    assert len(throttle.free_at) == TABLE_SIZE


def test_one_address_does_not_slow_down_another() -> None:
    throttle = WrongKeyLimit(Watch())
    while not throttle.count_wrong_key("192.0.2.1", "aaaaaaaaaa"):
        pass

    others = [throttle.count_wrong_key(f"198.51.100.{n}", "aaaaaaaaaa") for n in range(100)]

    assert Counter(others)[0] >= 95  # Some addresses share a slot.


def test_an_address_may_be_anything() -> None:
    assert WrongKeyLimit(Watch()).count_wrong_key("\udcff", "имя") == 0
