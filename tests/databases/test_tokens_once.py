"""An assertion is exchanged for only one token, and no log contains either (R26, R71)."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from httpx2 import Client, Response

from tests.support.canaries import find_markers, list_encodings, log_everything
from tests.support.databases import ask
from tests.support.effort import choose_number
from tests.support.forged_assertions import ANOTHERS, BAD
from tests.support.machine_keys import JWT, register_machine
from tests.support.servers import (
    make_client,
    report,
    run_together,
    start_server,
    write_key_file,
)
from tests.support.world import World, unwrap

pytestmark = pytest.mark.slow
ROUNDS: Final = choose_number(5, night=200)


def request_token(http: Client, assertion: str) -> Response:
    form = {"grant_type": "client_credentials", "client_assertion_type": JWT}
    return http.post("/v1/oauth/token", data=form | {"client_assertion": assertion})


@pytest.mark.soak
def test_of_two_workers_that_are_shown_the_same_assertion_one_gives_a_token(
    url: str, world: World, tmp_path: Path
) -> None:
    machine, keys, statuses = register_machine(world), write_key_file(tmp_path), list[int]()

    with (
        start_server(url, keys) as one,
        start_server(url, keys) as other,
        make_client(one.port) as first,
        make_client(other.port) as second,
    ):
        for _ in range(ROUNDS):
            assertion = machine.sign()
            acts = [partial(request_token, http, assertion) for http in (first, second) * 2]
            answers = run_together(*acts)
            statuses += [answer.status_code for answer in answers]
            later = [request_token(http, assertion) for http in (first, second)]
            assert Counter(a.status_code for a in answers) == {200: 1, 401: 3}
            assert [answer.status_code for answer in later] == [401, 401]
        token = unwrap(request_token(first, machine.sign()))["access_token"]
        shown = second.get("/v1/me", headers={"Authorization": f"Bearer {token}"})

    report("tokens", statuses)
    assert unwrap(shown)["kind"] == "integration"


def list_secrets(text: str) -> tuple[bytes, ...]:
    """Return the secret parts of an assertion or a token in every encoding."""
    secret = [part for part in text.replace("_", ".").split(".") if len(part) > 12]
    return tuple(spelled for part in secret for spelled in list_encodings(part))


def test_no_assertion_and_no_token_is_logged(
    world: World, url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    machine = register_machine(world)
    with log_everything() as log:
        good, bad = machine.sign(), BAD[ANOTHERS](machine)
        token = unwrap(machine.request_token(good))["access_token"]
        machine.request_token(good)
        machine.request_token(bad)
        machine.request_token("x" * 5000)
        shown = {"Authorization": f"Bearer {token}"}
        unwrap(world.http.get("/v1/me", headers=shown))
        world.advance(minutes=20)
        assert world.http.get("/v1/me", headers=shown).status_code == 401
        ask(url, "ALTER TABLE access_token RENAME TO gone")
        broken = machine.request_token()

    logged = "\n".join([*log.lines, *capfd.readouterr()]).encode()

    assert broken.status_code == 500
    assert b'"fault"' in logged
    assert [find_markers(logged, list_secrets(said)) for said in (good, bad, token)] == [
        []
    ] * 3
