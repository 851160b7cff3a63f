"""An assertion buys one token from any process, and appears in no log (R26, R71)."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from httpx2 import Client, Response

from tests.support.canaries import hits, listening, spellings
from tests.support.databases import ask
from tests.support.effort import amount
from tests.support.forged_assertions import ANOTHERS, BAD
from tests.support.machine_keys import JWT, enrolled
from tests.support.servers import client_of, key_file, report, started, together
from tests.support.world import World, done

pytestmark = pytest.mark.slow
ROUNDS: Final = amount(5, night=200)


def request_token(http: Client, assertion: str) -> Response:
    form = {"grant_type": "client_credentials", "client_assertion_type": JWT}
    return http.post("/v1/oauth/token", data=form | {"client_assertion": assertion})


@pytest.mark.soak
def test_of_two_workers_that_are_shown_the_same_assertion_one_gives_a_token(
    url: str, world: World, tmp_path: Path
) -> None:
    machine, keys, heard = enrolled(world), key_file(tmp_path), list[int]()

    with (
        started(url, keys) as one,
        started(url, keys) as other,
        client_of(one.port) as first,
        client_of(other.port) as second,
    ):
        for _ in range(ROUNDS):
            assertion = machine.signs()
            acts = [partial(request_token, http, assertion) for http in (first, second) * 2]
            answers = together(*acts)
            heard += [answer.status_code for answer in answers]
            later = [request_token(http, assertion) for http in (first, second)]
            assert Counter(a.status_code for a in answers) == {200: 1, 401: 3}
            assert [answer.status_code for answer in later] == [401, 401]
        token = done(request_token(first, machine.signs()))["access_token"]
        shown = second.get("/v1/me", headers={"Authorization": f"Bearer {token}"})

    report("tokens", heard)
    assert done(shown)["kind"] == "integration"


def list_secrets(text: str) -> tuple[bytes, ...]:
    """Return the secret parts of an assertion or a token, in every spelling."""
    secret = [part for part in text.replace("_", ".").split(".") if len(part) > 12]
    return tuple(spelled for part in secret for spelled in spellings(part))


def test_no_assertion_and_no_token_is_logged(
    world: World, url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    machine = enrolled(world)
    with listening() as heard:
        good, bad = machine.signs(), BAD[ANOTHERS](machine)
        token = done(machine.asks(good))["access_token"]
        machine.asks(good)
        machine.asks(bad)
        machine.asks("x" * 5000)
        shown = {"Authorization": f"Bearer {token}"}
        done(world.http.get("/v1/me", headers=shown))
        world.passes(minutes=20)
        assert world.http.get("/v1/me", headers=shown).status_code == 401
        ask(url, "ALTER TABLE access_token RENAME TO gone")
        broken = machine.asks()

    logged = "\n".join([*heard.lines, *capfd.readouterr()]).encode()

    assert broken.status_code == 500
    assert b'"fault"' in logged
    assert [hits(logged, list_secrets(said)) for said in (good, bad, token)] == [[]] * 3
