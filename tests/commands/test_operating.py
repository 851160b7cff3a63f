"""What an operator does by hand, and what each refusal tells them to do."""

from pathlib import Path

import pytest

from tests.commands.test_demo import command

pytestmark = pytest.mark.slow


def test_an_operator_sets_up_a_mechanism_step_by_step(tmp_path: Path) -> None:
    steps = [
        command(tmp_path, "key", "new"),
        command(tmp_path, "migrate"),
        command(tmp_path, "directory", "load"),
        command(tmp_path, "account", "new", "UZ_LEAD", "duty 1", "--role", "caseworker"),
    ]
    account = steps[-1].stdout.strip()
    key = command(tmp_path, "api-key", "new", account, "--scope", "feed:read")
    prefix = key.stdout.split("_")[1]
    ends = [
        command(tmp_path, "api-key", "revoke", prefix),
        command(tmp_path, "account", "disable", account),
    ]

    assert [(s.returncode, s.stderr) for s in (*steps, key, *ends)] == [(0, "")] * 7
    assert key.stdout.startswith("sc_")


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("doctor",), "safe-conduct key new"),
        (("serve",), "safe-conduct key new"),
    ],
)
def test_without_a_key_it_says_how_to_make_one(
    words: tuple[str, ...], remedy: str, tmp_path: Path
) -> None:

    refused = command(tmp_path, *words)

    assert refused.returncode == 1
    assert remedy in refused.stderr
    assert "Traceback" not in refused.stderr


def test_it_refuses_to_serve_before_the_tables_and_the_desks_are_there(
    tmp_path: Path,
) -> None:
    command(tmp_path, "key", "new")

    without_tables = command(tmp_path, "serve")
    command(tmp_path, "migrate")
    command(tmp_path, "directory", "load")
    without_desks = command(tmp_path, "serve")

    assert "safe-conduct migrate" in without_tables.stderr
    assert "No desk serves every country of" in without_desks.stderr
    assert "Traceback" not in without_tables.stderr + without_desks.stderr


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    command(tmp_path, "key", "new")
    (tmp_path / "var" / "keys").chmod(0o644)

    refused = command(tmp_path, "serve")

    assert refused.returncode == 1
    assert "chmod 600" in refused.stderr


def test_what_does_not_exist_is_said_without_a_stack(tmp_path: Path) -> None:
    command(tmp_path, "key", "new")
    command(tmp_path, "migrate")

    nowhere = command(tmp_path, "account", "new", "NOWHERE", "x", "--role", "officer")
    no_key = command(tmp_path, "api-key", "revoke", "0000000000")
    no_folder = command(tmp_path, "directory", "load", "nowhere")

    for refused in (nowhere, no_key, no_folder):
        assert refused.returncode == 1
        assert refused.stderr.startswith("safe-conduct: ")
        assert "Traceback" not in refused.stderr


def test_the_demonstration_keeps_out_of_a_mechanism_that_is_used(tmp_path: Path) -> None:
    command(tmp_path, "key", "new")
    command(tmp_path, "migrate")
    command(tmp_path, "directory", "load")
    command(tmp_path, "account", "new", "UZ_LEAD", "duty 1", "--role", "caseworker")

    refused = command(tmp_path, "demo")

    assert refused.returncode == 1
    assert "give the demo another" in refused.stderr
