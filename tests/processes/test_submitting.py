"""Tests that `safe-conduct submit` creates one case even if responses are lost."""

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.operator_actions import create_key
from app.clock import get_utc_now
from app.kernel.actors import Scope
from tests.processes.test_demo import SECONDS
from tests.support.servers import Served, serve_world
from tests.support.shells import Shell, open_faulty_way
from tests.support.world import Json, Someone, make_case, unwrap

pytestmark = pytest.mark.slow
SECRET = "Oygul Ganieva"
NOBODY_URL = "http://127.0.0.1:9"
"""The URL of a port that nothing listens on."""
WRONG, REFUSED, UNKNOWN, INTERRUPTED = 1, 3, 4, 130


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    with serve_world(url) as made:
        yield made


@pytest.fixture
def shell(officer: Someone, tmp_path: Path) -> Shell:
    return Shell(officer, tmp_path)


def create_case(shell: Shell, name: str = "case.json", **changes: object) -> Path:
    path = shell.folder / name
    path.write_text(json.dumps(make_case(**changes)))
    return path


def list_cases(one: Someone) -> list[Json]:
    return list(unwrap(one.get("/cases"))["items"])


def test_submitted_twice_it_is_one_case(shell: Shell, officer: Someone) -> None:
    create_case(shell)

    first, again = (shell.run("submit", "case.json") for _ in range(2))

    [case] = list_cases(officer)
    assert (first.returncode, again.returncode) == (0, 0)
    assert first.stdout == again.stdout == f"{case['code']}\n"
    assert case["state"] == "submitted"
    assert f"with {case['holder']}, due {case['due_at']}" in first.stderr
    assert again.stderr == f"It existed already. {first.stderr}"
    beside = shell.folder / "case.json.idempotency-key"
    assert beside.stat().st_mode & 0o777 == 0o600


def test_an_answer_that_was_lost_makes_no_second_case(
    shell: Shell, officer: Someone, world: Served
) -> None:
    create_case(shell)

    with open_faulty_way(world.port, lost=2) as way:
        url = f"http://127.0.0.1:{way.server_port}"
        gave_up = shell.run("submit", "case.json", "--patience", "0", SAFE_CONDUCT_URL=url)
        there = list_cases(officer)
        went_on = shell.run("submit", "case.json", SAFE_CONDUCT_URL=url)

    assert (gave_up.returncode, gave_up.stdout) == (UNKNOWN, "")
    assert "no answer" in gave_up.stderr
    assert "run the same command again" in gave_up.stderr
    assert way.asked == 3
    assert (went_on.returncode, went_on.stdout) == (0, f"{there[0]['code']}\n")
    assert len(list_cases(officer)) == len(there) == 1


def test_interrupted_it_says_what_to_do(shell: Shell, world: Served) -> None:
    create_case(shell)

    with open_faulty_way(world.port, busy=10) as way:
        shell.set["SAFE_CONDUCT_URL"] = f"http://127.0.0.1:{way.server_port}"
        process = shell.start("submit", "case.json")
        assert process.stderr
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said, rest = process.communicate(timeout=SECONDS)

    assert first.startswith(b"503")
    assert (process.returncode, said) == (INTERRUPTED, b"")
    assert b"Run the same command again" in rest
    assert b"Traceback" not in rest


def test_who_is_busy_is_asked_again_when_it_says(
    shell: Shell, officer: Someone, world: Served
) -> None:
    create_case(shell)

    with open_faulty_way(world.port, busy=2) as way:
        url = f"http://127.0.0.1:{way.server_port}"
        sent = shell.run("submit", "case.json", SAFE_CONDUCT_URL=url)

    assert sent.returncode == 0
    assert sent.stderr.count("503 Service Unavailable; retry in 1 s") == 2
    assert len(list_cases(officer)) == 1


def test_two_people_can_fit_one_notice(shell: Shell, officer: Someone) -> None:
    text = create_case(shell).read_text()
    (shell.folder / "sister.json").write_text(text)

    codes = {shell.run("submit", name).stdout for name in ("case.json", "sister.json")}

    assert len(codes) == len(list_cases(officer)) == 2


def test_a_file_that_was_changed_since_is_not_taken_for_what_it_was(
    shell: Shell, officer: Someone
) -> None:
    create_case(shell)
    shell.run("submit", "case.json")
    create_case(shell, risk={"level": "high"})

    changed = shell.run("submit", "case.json")

    assert changed.returncode == REFUSED
    assert "422 The Idempotency-Key was used for another request" in changed.stderr
    assert "use a copy of case.json" in changed.stderr
    assert len(list_cases(officer)) == 1


def test_a_file_that_was_mended_is_sent_with_the_same_key(
    shell: Shell, officer: Someone
) -> None:
    create_case(shell, summary={"country": "Kazakhstan"})
    refused = shell.run("submit", "case.json")
    key = (shell.folder / "case.json.idempotency-key").read_text()
    create_case(shell)

    mended = shell.run("submit", "case.json")

    assert (refused.returncode, mended.returncode) == (REFUSED, 0)
    assert (shell.folder / "case.json.idempotency-key").read_text() == key
    assert len(list_cases(officer)) == 1


def test_a_problem_is_readable_and_repeats_nothing(shell: Shell, officer: Someone) -> None:
    create_case(shell, summary={"country": SECRET}, sections=[{"section": SECRET}])

    refused = shell.run("submit", "case.json")

    assert (refused.returncode, refused.stdout) == (REFUSED, "")
    lines = refused.stderr.splitlines()
    assert lines[0] == "safe-conduct: 422 The request does not have the right shape"
    assert "  #/summary/country: This does not have the documented form." in lines
    assert [line for line in lines if line.startswith("  #/sections/0")]
    assert SECRET not in refused.stderr
    assert list_cases(officer) == []


def test_what_is_missing_is_told_with_its_remedy(shell: Shell) -> None:
    create_case(shell, consents=[])

    refused = shell.run("submit", "case.json")

    assert refused.returncode == REFUSED
    assert refused.stderr.startswith("safe-conduct: 409 ")
    assert "\n  consent_to_refer: " in refused.stderr


def test_what_is_no_case_is_not_sent_and_not_repeated(shell: Shell) -> None:
    (shell.folder / "case.json").write_text(f'{{"summary": "{SECRET}"')

    refused = shell.run("submit", "case.json")

    assert (refused.returncode, refused.stdout) == (WRONG, "")
    assert "case.json: It is not JSON. See line 1, column 28." in refused.stderr
    assert SECRET not in refused.stderr
    assert not list(shell.folder.glob("*.idempotency-key"))


def test_the_example_can_be_submitted_as_it_is(world: Served, tmp_path: Path) -> None:
    world.now = get_utc_now()
    officer = world.add_person("UZ_CONSULATE_ALMATY")
    shell = Shell(officer, tmp_path)
    example = shell.run("submit", "--example", SAFE_CONDUCT_API_KEY_FILE="nowhere")

    first, again = (
        shell.run("submit", "-", "--idempotency-key", "mine", given=example.stdout)
        for _ in range(2)
    )

    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert first.stdout == again.stdout
    assert len(list_cases(officer)) == 1


def test_from_a_pipe_it_says_with_which_key_to_repeat_it(
    shell: Shell, officer: Someone
) -> None:
    text = json.dumps(make_case())
    first = shell.run("submit", "-", given=text)
    key = first.stderr.splitlines()[0].rsplit(" ", 1)[1]

    again = shell.run("submit", "-", "--idempotency-key", key, given=f"\ufeff{text}")

    assert first.stdout == again.stdout
    assert len(list_cases(officer)) == 1


def test_a_draft_is_told_to_nobody(shell: Shell, officer: Someone) -> None:
    create_case(shell)

    sent = shell.run("submit", "--draft", "case.json")

    [case] = list_cases(officer)
    assert (sent.returncode, case["state"]) == (0, "draft")
    assert f"POST /v1/cases/{case['code']}/submit" in sent.stderr


def test_nothing_is_sent_with_a_key_that_others_can_read(
    shell: Shell, officer: Someone
) -> None:
    create_case(shell)
    shell.key.chmod(0o644)

    refused = shell.run("submit", "case.json")

    assert refused.returncode == WRONG
    assert f"chmod 600 {shell.key}" in refused.stderr
    assert officer.key not in refused.stderr
    assert list_cases(officer) == []


def test_a_key_that_is_none_any_more_is_refused(shell: Shell, officer: Someone) -> None:
    create_case(shell)
    shell.key.write_text("sc_0000000000_nothing")

    refused = shell.run("submit", "case.json")

    assert refused.returncode == WRONG
    assert refused.stderr.startswith("safe-conduct: 401 ")
    assert "Set a valid key in SAFE_CONDUCT_API_KEY_FILE" in refused.stderr
    assert "only the key has to be changed" in refused.stderr
    assert "sc_0000000000" not in refused.stderr
    assert list_cases(officer) == []


def make_link(one: Someone) -> str:
    """Return a link with which the holder of an account makes an API key."""
    scopes, account = [Scope.CASES_READ], one.actor.account_id
    return create_key(one.world.runtime, account, scopes, 30, by_link=True)


def test_holder_makes_a_key_with_a_link(shell: Shell, officer: Someone) -> None:
    link = make_link(officer)

    made = shell.run("redeem-key", "my-key", given=f"{link}\n")
    again = shell.run("redeem-key", "other", given=link)
    exists = shell.run("redeem-key", "my-key", given=make_link(officer))

    file = shell.folder / "my-key"
    assert (made.returncode, again.returncode, exists.returncode) == (0, REFUSED, WRONG)
    assert "my-key" in made.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    key = file.read_text().strip()
    assert replace(officer, key=key).get("/cases").status_code == 200
    assert "Ask for another" in again.stderr
    assert not (shell.folder / "other").exists()
    assert "cannot be created" in exists.stderr
    assert link not in made.stdout + made.stderr + again.stderr
    assert key not in made.stdout + made.stderr


def test_link_is_not_used_when_the_service_cannot_be_reached(
    shell: Shell, officer: Someone, world: Served
) -> None:
    link = make_link(officer)
    nobody = shell.run("redeem-key", "key2", given=link, SAFE_CONDUCT_URL=NOBODY_URL)
    with open_faulty_way(world.port, lost=1) as way:
        url = f"http://127.0.0.1:{way.server_port}"
        lost = shell.run("redeem-key", "key2", given=link, SAFE_CONDUCT_URL=url)

    assert (nobody.returncode, lost.returncode) == (WRONG, UNKNOWN)
    assert "cannot be reached" in nobody.stderr
    assert "Ask for the key to be revoked" in lost.stderr
    assert not (shell.folder / "key2").exists()
