"""Tests of `key encrypt` and `key decrypt`, and of commands with an encrypted key file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.processes.protecting import prepare_settings
from tests.processes.test_demo import command
from tests.processes.test_worker_command import WorkerSite, answered, free_port
from tests.support.servers import make_client
from tests.support.transit_server import TOKEN, TransitServer, run_transit_server
from tests.support.world import Someone, World, get_path

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[TransitServer]:
    with run_transit_server() as running:
        yield running


@pytest.fixture
def settings(server: TransitServer, tmp_path: Path) -> dict[str, str]:
    """Return the settings with which commands use the key service."""
    token = tmp_path / "token"
    token.write_text(TOKEN, "utf-8")
    return {
        "SAFE_CONDUCT_TRANSIT_URL": server.url,
        "SAFE_CONDUCT_TRANSIT_TOKEN_FILE": str(token),
    }


def run(folder: Path, settings: Mapping[str, str], *words: str) -> str:
    """Run a command, which must succeed, and return its output."""
    done = command(folder, *words, **settings)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def require_refusal(refused: CompletedProcess[str], reason: str) -> None:
    """Require that a command was refused for a reason, without a traceback."""
    assert refused.returncode == 1
    assert reason in refused.stderr
    assert "Traceback" not in refused.stderr


def test_key_file_is_encrypted_replaced_and_decrypted(
    tmp_path: Path, settings: dict[str, str], server: TransitServer
) -> None:
    path = tmp_path / "var" / "keys"
    for words in (("key", "new"), ("migrate",), ("directory", "load")):
        run(tmp_path, {}, *words)
    run(tmp_path, {}, "account", "new", "KZ_LEAD", "duty", "--role", "officer")
    before, copy = path.read_bytes(), tmp_path / "copy"
    written = run(tmp_path, settings, "key", "encrypt", "--output", str(copy))
    assert f"The keys in {copy} are encrypted" in written
    nowhere = tmp_path / "nowhere" / "copy"
    refused = command(tmp_path, "key", "encrypt", "--output", str(nowhere), **settings)
    require_refusal(refused, f"{nowhere} cannot be written")
    assert path.read_bytes() == before
    assert copy.read_text("ascii").split()[1].startswith("vault:v1:")
    again = command(tmp_path, "key", "encrypt", "--output", str(copy), **settings)
    require_refusal(again, "exists already. Nothing was written.")

    assert "Replace each key now" in run(tmp_path, settings, "key", "encrypt")
    made = run(tmp_path, settings, "key", "new", "--standby")
    assert "back up the key of the key service" in made
    run(tmp_path, {}, "key", "activate")
    server.key.rotate()
    assert "Replace each key now" not in run(tmp_path, settings, "key", "encrypt")

    lines = path.read_text("utf-8").splitlines()
    assert [line.split()[1][:9] for line in lines] == ["vault:v2:"] * 2
    assert path.stat().st_mode & 0o077 == 0
    listed = run(tmp_path, settings, "key", "list")
    assert listed.count(", encrypted") == 2
    assert "wrapped again" in run(tmp_path, settings, "key", "rewrap")
    run(tmp_path, settings, "key", "retire", lines[0].split()[0])
    assert "duty" in run(tmp_path, settings, "account", "list")

    assert "no longer encrypted" in run(tmp_path, settings, "key", "decrypt")
    assert "duty" in run(tmp_path, {}, "account", "list")
    assert before.split()[1] in path.read_bytes()


def test_encrypted_key_file_is_refused_without_the_key_service(
    tmp_path: Path, settings: dict[str, str], server: TransitServer
) -> None:
    path = tmp_path / "var" / "keys"
    run(tmp_path, settings, "key", "new")
    before = path.read_bytes()
    for words in (("serve",), ("doctor",), ("worker", "run"), ("account", "list")):
        require_refusal(command(tmp_path, *words), "Set SAFE_CONDUCT_TRANSIT_URL")

    server.is_sealed = True
    serve = command(tmp_path, "serve", **settings)
    require_refusal(
        serve, f"127.0.0.1:{server.server_port}, key safe-conduct, answered 503"
    )
    for words in (("new",), ("encrypt",), ("decrypt",)):
        require_refusal(command(tmp_path, "key", *words, **settings), "answered 503")
    assert path.read_bytes() == before


def test_commands_of_the_key_service_need_its_settings(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    for word in ("encrypt", "decrypt"):
        refused = command(tmp_path, "key", word)
        require_refusal(refused, "Set SAFE_CONDUCT_TRANSIT_URL to a Transit engine")
    for url in ("http://bao.example.org/v1/transit", "https://bao.example.org/transit"):
        wrong = settings | {"SAFE_CONDUCT_TRANSIT_URL": url}
        refused = command(tmp_path, "key", "encrypt", **wrong)
        require_refusal(refused, "SAFE_CONDUCT_TRANSIT_URL: write https://")
        assert url not in refused.stderr


def test_doctor_tries_the_key_service_and_names_what_is_not_protected(
    world: World, tmp_path: Path, settings: dict[str, str], server: TransitServer
) -> None:
    both, token = prepare_settings(world, tmp_path) | settings, tmp_path / "token"
    token.chmod(0o604)

    before = run(tmp_path, both, "doctor")
    assert "The key service works with the key safe-conduct." in before
    assert "Warning: the keys in" in before
    assert f"Warning: other users can read {token}." in before
    token.chmod(0o640)
    run(tmp_path, both, "key", "encrypt")

    assert "Warning: the keys" not in run(tmp_path, both, "doctor")
    server.denied = {"encrypt"}
    require_refusal(command(tmp_path, "doctor", **both), "answered 403")


def test_service_opens_cases_with_an_encrypted_key_file(
    world: World, officer: Someone, tmp_path: Path, settings: dict[str, str]
) -> None:
    both = prepare_settings(world, tmp_path) | settings
    case = officer.submit()
    run(tmp_path, both, "key", "encrypt")
    site, port = WorkerSite(tmp_path, world.database, both), free_port()

    with site.process("serve", SAFE_CONDUCT_PORT=port) as logged:
        answered(f"http://127.0.0.1:{port}/livez")
        with make_client(int(port)) as client:
            headers = officer.make_headers() | {"Purpose": "assistance"}
            opened = client.get(f"/v1{get_path(case)}/sections/needs", headers=headers)

    assert opened.status_code == 200, opened.text
    assert not [one for one in logged if one["event"] in {"keys", "fault"}]
