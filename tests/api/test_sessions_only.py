"""If a setting forbids API keys for people, machines may still use them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.access import queries as access_queries
from app.access.sessions import SignIn, open_session
from app.kernel.actors import AccountKind, SignInMethod
from tests.support.sessions import sign_in
from tests.support.world import WORKERS, Someone, World, get_problem, unwrap


@pytest.fixture
def world(world: World) -> Iterator[World]:
    """Yield a world in which people may not use API keys."""
    before = world.runtime
    world.runtime = world.app.state.runtime = replace(before, person_keys=False)
    yield world
    world.runtime = world.app.state.runtime = before


def open_with_passkey(who: Someone) -> str:
    """Open a session as the operation for passkeys does, and return its token."""
    world = who.world
    with who.begin_write() as tx:
        account = access_queries.get_own_account(tx)
        sign_in = SignIn(world.ids(), SignInMethod.PASSKEY)
        return open_session(tx.session, account, sign_in, world.now).token


def test_api_key_of_a_person_is_refused_for_everything(lead: Someone) -> None:
    for refused in (lead.get("/me"), lead.create_case(), lead.send("/sessions", {})):
        assert get_problem(refused) == (403, "forbidden")
        assert "passkey" in refused.json()["detail"]


def test_wrong_key_is_refused_as_before(lead: Someone) -> None:
    lead.key += "x"
    assert get_problem(lead.get("/me")) == (401, "unauthenticated")


def test_session_of_a_passkey_has_all_scopes_of_the_account(lead: Someone) -> None:
    lead.key = open_with_passkey(lead)
    shown = unwrap(lead.get("/me"))

    assert shown["session"]["method"] == "passkey"
    assert shown["scopes"] == sorted(lead.actor.scopes)


def test_session_that_a_key_opened_before_is_refused(world: World, lead: Someone) -> None:
    world.app.state.runtime = replace(world.runtime, person_keys=True)
    session = sign_in(lead)
    assert session.get("/me").status_code == 200
    world.app.state.runtime = world.runtime

    assert get_problem(session.get("/me")) == (403, "forbidden")


def test_machines_still_use_their_keys(world: World) -> None:
    machine = world.add_person("KZ_LEAD", WORKERS, kind=AccountKind.INTEGRATION)

    assert machine.get("/me").status_code == 200
