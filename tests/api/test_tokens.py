"""A signed assertion gives one token, which expires after 15 minutes (R26, R27)."""

from collections.abc import Callable
from typing import Final

import pytest
from httpx2 import Response
from sqlalchemy import func, select

from app.access.actions import disable_account
from app.access.assertions import LIFETIME, SKEW
from app.access.models import AccessToken, PublicKey
from app.api.http.rate_limits import PREFIX_PACE, RequestRate
from tests.support.databases import record_statements
from tests.support.forged_assertions import ANOTHERS, BAD, UNKNOWN, get_now, remove_claims
from tests.support.machine_keys import (
    READS,
    Machine,
    register_machine,
    request_token,
    sign_token,
)
from tests.support.world import Json, Someone, Watch, World, get_problem, unwrap

REFUSED: Final = {
    "error": "invalid_client",
    "error_description": "The assertion is not valid.",
}


@pytest.fixture
def machine(world: World) -> Machine:
    """Return a machine whose key is registered."""
    return register_machine(world)


def get_comparable_body(answer: Response) -> tuple[int, Json, dict[str, str]]:
    """Return the status, body and headers of a response, without `x-request-id`."""
    headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
    return answer.status_code, answer.json(), headers


def me(world: World, token: str) -> Response:
    return world.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})


# Issued tokens.


def test_a_token_is_given_as_oauth_says(world: World, machine: Machine) -> None:
    answer = machine.request_token()

    shown = answer.json()
    token = shown.pop("access_token")
    assert shown == {
        "token_type": "Bearer",
        "expires_in": 900,
        "scope": "directory:read feed:read",
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert token.startswith("sct_")
    assert unwrap(me(world, token))["scopes"] == READS


def test_a_token_is_over_after_15_minutes(world: World, machine: Machine) -> None:
    acting = machine.sign_in()
    world.advance(minutes=15, seconds=-1)
    before = acting.get("/me").status_code
    world.advance(seconds=1)

    assert (before, acting.get("/me").status_code) == (200, 401)


def test_a_token_is_over_with_the_account(world: World, machine: Machine) -> None:
    acting = machine.sign_in()
    before = acting.get("/me").status_code
    with world.database.begin_write() as session:
        disable_account(session, machine.one.actor.account_id, world.now)

    assert (before, acting.get("/me").status_code) == (200, 401)


def test_a_token_is_good_for_what_was_asked_and_no_more(machine: Machine) -> None:
    narrow = machine.sign_in(scope="feed:read")

    assert unwrap(narrow.get("/events"))
    assert get_problem(narrow.get("/me")) == (403, "forbidden")


@pytest.mark.parametrize(
    "scope",
    ["cases:read", "feed:read cases:read", "everything", "feed:read  ", "Feed:read"],
)
def test_no_scope_is_left_out_in_silence(machine: Machine, scope: str) -> None:
    answer = machine.request_token(scope=scope)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert scope not in answer.text


def test_api_keys_of_a_machine_go_on_as_before(machine: Machine) -> None:
    assert unwrap(machine.one.get("/me"))["kind"] == "integration"


def test_of_a_token_and_what_bought_it_hashes_alone_are_kept(
    world: World, machine: Machine
) -> None:
    assertion = machine.sign(jti="0123456789-canary")
    token = unwrap(machine.request_token(assertion))["access_token"]

    with world.database.begin_read() as session:
        kept = session.connection().exec_driver_sql("SELECT * FROM access_token").all()

    assert len(kept) == 1
    assert token.split("_", 2)[2] not in str(kept)
    assert "canary" not in str(kept)


def test_a_request_with_a_token_asks_the_database_once_who_it_is(
    world: World, machine: Machine
) -> None:
    acting = machine.sign_in()

    def asked(one: Someone) -> list[str]:
        with record_statements(world.database) as statements:
            unwrap(one.get("/events"))
        return statements

    assert len(asked(acting)) == len(asked(machine.one))


def test_what_is_over_goes_when_the_next_is_bought(world: World, machine: Machine) -> None:
    for _ in range(3):
        unwrap(machine.request_token())
    world.advance(minutes=15)
    unwrap(machine.request_token())

    with world.database.begin_read() as session:
        assert session.scalar(select(func.count(AccessToken.prefix))) == 1


# Refused assertions: all get the same text.


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_what_proves_nothing_hears_that_and_no_more(
    world: World, machine: Machine, bad: Callable[[Machine], str]
) -> None:
    answer = request_token(world, bad(machine))

    assert (answer.status_code, answer.json()) == (401, REFUSED)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert machine.request_token().is_success


def test_who_was_good_and_is_not_any_more_hears_the_same(
    world: World, machine: Machine
) -> None:
    gone, late, other = (register_machine(world, name) for name in "123")
    replayed = machine.sign()
    unwrap(machine.request_token(replayed))
    with world.database.begin_write() as session:
        disable_account(session, gone.one.actor.account_id, world.now)
        of_late = select(PublicKey).where(PublicKey.kid == late.kid)
        session.scalars(of_late).one().expires_at = world.now
    theirs = sign_token(other.key, "ES384", other.make_header(), machine.make_claims())

    answers = [
        request_token(world, bad)
        for bad in (
            replayed,
            gone.sign(),
            late.sign(),
            theirs,
            machine.sign({"kid": "x"}),
        )
    ]

    assert [get_comparable_body(one) for one in answers] == [
        get_comparable_body(answers[0])
    ] * 5
    assert answers[0].json() == REFUSED


def test_an_unknown_client_and_a_bad_signature_cost_the_same_statements(
    world: World, machine: Machine
) -> None:
    asked = []
    for bad in ("an unknown client", "an unknown kid", ANOTHERS):
        with record_statements(world.database) as statements:
            request_token(world, BAD[bad](machine))
        asked.append(statements)

    assert asked == [asked[0]] * 3
    assert len(asked[0]) < 5


def test_a_forged_assertion_never_takes_the_writers_turn(
    world: World, machine: Machine
) -> None:
    with record_statements(world.database) as statements:
        request_token(world, BAD[ANOTHERS](machine))

    assert not [s for s in statements if s.split()[0] in {"INSERT", "DELETE", "UPDATE"}]
    assert not [s for s in statements if "IMMEDIATE" in s or "FOR NO KEY" in s]


def test_clocks_may_differ_a_little(world: World, machine: Machine) -> None:
    moment = get_now(machine)
    ahead = {"nbf": moment + SKEW, "iat": moment + SKEW, "exp": moment + LIFETIME}
    behind = {"nbf": moment - 30, "iat": moment - 30, "exp": int(moment) + 1}

    assert machine.request_token(machine.sign(**ahead)).is_success
    assert machine.request_token(machine.sign(**behind)).is_success
    assert machine.request_token(remove_claims(machine, "iat", "nbf")).is_success
    assert request_token(world, machine.sign(), client_id=machine.client).is_success


def test_who_says_to_be_another_than_signed_is_refused(machine: Machine) -> None:
    assert machine.request_token(client_id=UNKNOWN).json() == REFUSED


def test_the_same_jti_in_other_words_is_used_as_well(machine: Machine) -> None:
    first = machine.request_token(machine.sign(jti="0123456789abcdef"))
    again = machine.request_token(
        machine.sign(jti="0123456789abcdef", exp=get_now(machine) + 90)
    )

    assert (first.status_code, again.json()) == (200, REFUSED)


# Throttled requests.


def test_wrong_assertions_are_slowed_down_and_the_right_one_never(
    world: World, machine: Machine
) -> None:
    bad = BAD[ANOTHERS]

    answers = [request_token(world, bad(machine)) for _ in range(PREFIX_PACE.free + 3)]

    statuses = [one.status_code for one in answers]
    assert statuses == [401] * PREFIX_PACE.free + [429] * 3
    assert get_problem(answers[-1]) == (429, "too-many-wrong-keys")
    assert machine.client not in answers[-1].text
    assert machine.request_token().is_success


def test_a_machine_that_asks_in_a_loop_is_told_to_wait(
    world: World, machine: Machine
) -> None:
    before = world.app.state.rate
    world.app.state.rate = RequestRate(60, Watch())
    try:
        answers = [machine.request_token() for _ in range(61)]
    finally:
        world.app.state.rate = before

    assert {one.status_code for one in answers[:60]} == {200}
    assert get_problem(answers[60]) == (429, "too-many-requests")


def test_a_token_that_is_wrong_is_slowed_down_as_a_key_is(
    world: World, machine: Machine
) -> None:
    token = machine.sign_in().key
    prefix = token.split("_")[1]
    wrong = [me(world, f"sct_{prefix}_wrong") for _ in range(PREFIX_PACE.free + 1)]
    as_key = me(world, token.replace("sct_", "sc_"))

    assert [one.status_code for one in wrong] == [401] * PREFIX_PACE.free + [429]
    assert as_key.status_code == 429
    assert unwrap(me(world, token))
