"""Tests of the image, the compose file, the pages for operators, and the linting of SQL."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import typer
import yaml
from typer.main import get_command

from app.cli import PROGRAMS
from app.cli.client_commands import calls
from app.cli.commands import cli
from app.cli.operator_commands import cli as operates
from app.cli.unknown_settings import SETTINGS
from app.kernel import migrations
from app.kernel.file_keys import FileKeys
from app.kernel.keyfile import read_lines
from app.kernel.stored_keys import KeyMark
from app.kernel.vault import Vault, get_key_place
from app.metrics.counters import NAMESPACE
from app.metrics.gauges import GAUGES
from app.metrics.server import build_registry
from app.runtime import build_runtime
from app.settings import Settings
from app.worker.jobs import STOP_TIMEOUT
from tests.support.world import KEYS

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/integrate.md",
    "docs/operations.md",
    "docs/setup.md",
    "docs/upgrade-0.2.md",
)
IN_A_CONTAINER = re.compile(
    r"^docker (compose )?run .* (safe-conduct|service|migrate) (?=[a-z])"
)
SQUAWK = Path(sys.executable).with_name("squawk")

type MakeSecrets = Callable[..., str]


def list_commands(page: str) -> list[str]:
    """Return the `safe-conduct` commands of a page, without prefixes for a container."""
    text = (ROOT / page).read_text("utf-8")
    lines = [line.strip() for line in text.splitlines() if not line.startswith("|")]
    typed = [piece for line in lines for piece in line.split("&& ")]
    spoken = re.findall(r"`(safe-conduct [^`]+)`", text)
    typed = [re.split(r"  #| \| | > ", line)[0].strip() for line in typed]
    typed = [IN_A_CONTAINER.sub("safe-conduct ", line) for line in typed]
    return [line for line in (*typed, *spoken) if re.match(r"safe-conduct [a-z]", line)]


TYPED = sorted({(page, line) for page in PAGES for line in list_commands(page)})


@pytest.mark.parametrize(("page", "line"), TYPED)
def test_a_command_on_a_page_exists_with_these_options(page: str, line: str) -> None:
    assert page in PAGES
    words = shlex.split(line.replace("ACCOUNT-ID", str(UUID(int=1))))[1:]
    command: Any = get_command(cli)
    context = None

    while words and hasattr(command, "commands"):
        context = command.make_context(
            "safe-conduct", words[:1], context, resilient_parsing=True
        )
        if words[0] not in command.commands and command.invoke_without_command:
            break
        command = command.commands[words.pop(0)]

    command.make_context("safe-conduct", words, context)


def test_each_word_begins_the_program_that_has_it() -> None:
    begun = {
        name: {w for w, p in PROGRAMS.items() if p == name} for name in PROGRAMS.values()
    }

    assert begun == {
        "client_commands": list_words(calls),
        "operator_commands": list_words(operates),
    }
    assert list_words(cli) > {*PROGRAMS}


def list_words(program: typer.Typer) -> set[str]:
    command: Any = get_command(program)
    return {*command.commands}


def test_pages_tell_how_to_do_everything_an_operator_does() -> None:
    commands = {" ".join(line.split()[1:3]) for _, line in TYPED}

    assert {"key new", "directory load", "account new", "api-key revoke"} <= commands
    assert {"migrate", "restored", "doctor", "serve"} <= commands
    assert {"worker run", "worker status"} <= commands


def test_every_setting_has_a_description() -> None:
    described = {name: f.description for name, f in Settings.model_fields.items()}

    assert len(described) >= 7
    assert all(described.values())


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_confined(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "pid", "network_mode", "devices"} & set(service)


def test_compose_holds_no_password_and_refuses_to_start_without_one() -> None:
    files = [secret["file"] for secret in COMPOSE["secrets"].values()]
    values = [str(v) for s in SERVICES.values() for v in s.get("environment", {}).values()]
    plain = [
        s for s in SERVICES.values() if "POSTGRES_PASSWORD" in s.get("environment", {})
    ]

    assert len(files) == 6
    assert all(re.match(r"\$\{SAFE_CONDUCT_SECRETS:\?[^}]*\}/", file) for file in files)
    assert not any("://" in value for value in values)
    assert plain == []


@pytest.mark.parametrize("name", ["worker", "webhooks"])
def test_health_check_of_a_worker_asks_only_for_the_parts_that_it_runs(name: str) -> None:
    service = SERVICES[name]
    run, check = service["command"], service["healthcheck"]["test"]

    assert run[:2] == ["worker", "run"]
    assert check == ["CMD", "safe-conduct", "worker", "status", *run[2:]]
    assert len(run) == 4


def test_each_container_has_the_secrets_it_needs_and_no_others() -> None:
    owner, keys = "safe_conduct_migration_database_url", "keys"
    holders = {
        secret: {name for name, s in SERVICES.items() if secret in s["secrets"]}
        for secret in (owner, keys, "postgres_password")
    }

    assert holders == {
        owner: {"migrate"},
        keys: {"service", "worker", "webhooks"},
        "postgres_password": {"database"},
    }


@pytest.fixture
def run(tmp_path: Path) -> MakeSecrets:
    """Return a function that runs deploy/make-secrets, and returns its output."""
    path = tmp_path / "bin"
    path.mkdir()
    (path / "chown").symlink_to("/bin/true")  # only root may change the owner of a file
    environment = {"PATH": f"{path}:{os.environ['PATH']}"}

    def run(*words: object) -> str:
        script = [str(ROOT / "deploy/make-secrets"), *map(str, words)]
        return subprocess.check_output(script, env=environment, text=True)

    return run


def test_no_key_is_added_in_clear_to_an_encrypted_key_file(
    tmp_path: Path, run: MakeSecrets
) -> None:
    run(tmp_path / "secrets")
    keys = tmp_path / "secrets" / "keys"
    keys.chmod(0o600)
    keys.write_text(keys.read_text().replace(" ", " vault:v1:"))
    before = keys.read_text()

    with pytest.raises(subprocess.CalledProcessError):
        run("--next-key", tmp_path / "secrets")

    assert keys.read_text() == before


def test_the_secrets_of_compose_are_made_and_a_next_key_is_added_to_them(
    tmp_path: Path, run: MakeSecrets
) -> None:
    folder = tmp_path / "secrets"
    names = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}

    run(folder)
    sealed = Vault(FileKeys.load(folder / "keys")).create_key(UUID(int=1))
    (folder / "keys").chmod(0o600)
    (folder / "keys").write_text((folder / "keys").read_text().rstrip())
    result = run("--next-key", folder)
    standby = read_lines(folder / "keys")
    assert [one.mark for one in standby] == [KeyMark.NONE, KeyMark.STANDBY]
    with pytest.raises(subprocess.CalledProcessError):
        run("--next-key", folder)
    run("--activate-key", folder)
    with pytest.raises(subprocess.CalledProcessError):
        run("--activate-key", folder)
    keys = FileKeys.load(folder / "keys")
    Vault(keys).unwrap_secret(sealed.version, sealed.wrapped, *get_key_place(sealed.case))
    for version in (keys.current, "k9", "k."):
        with pytest.raises(subprocess.CalledProcessError):
            run("--retire-key", version, folder)
    run("--retire-key", sealed.version, folder)
    [retired, _] = read_lines(folder / "keys")
    assert (retired.version, retired.mark) == (sealed.version, KeyMark.RETIRED)
    run("--next-key", folder)
    [*_, standby_key] = read_lines(folder / "keys")
    run("--retire-key", standby_key.version, folder)
    with pytest.raises(subprocess.CalledProcessError):
        run("--use-retired-key", standby_key.version, folder)
    run("--use-retired-key", sealed.version, folder)
    marks = [one.mark for one in read_lines(folder / "keys")]
    assert marks == [KeyMark.NONE, KeyMark.NONE, KeyMark.RETIRED]
    with pytest.raises(subprocess.CalledProcessError):
        run("--use-retired-key", sealed.version, folder)
    run("--retire-key", sealed.version, folder)
    with pytest.raises(subprocess.CalledProcessError):
        run("--retire-key", sealed.version, folder)

    assert {file.name for file in folder.iterdir()} == names
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o400}
    assert "before it is recreated" in result
    assert [one.partition("x")[0] for one in (sealed.version, keys.current)] == ["k1", "k2"]
    with pytest.raises(subprocess.CalledProcessError):
        run("--next-key", tmp_path / "nowhere")


def test_the_service_waits_for_a_migrated_database_and_alone_is_reachable() -> None:
    waits = {
        name: how["condition"] for name, how in SERVICES["service"]["depends_on"].items()
    }

    assert waits == {
        "database": "service_healthy",
        "migrate": "service_completed_successfully",
    }
    assert SERVICES["migrate"]["command"] == ["migrate"]
    assert {name for name, s in SERVICES.items() if "ports" in s} == {"service"}
    assert SERVICES["service"]["ports"] == ["${SAFE_CONDUCT_LISTEN:-127.0.0.1:8000}:8000"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["database"]["networks"] == ["inside"]


def test_a_worker_runs_beside_the_service_and_says_whether_it_is_well() -> None:
    worker, service = SERVICES["worker"], SERVICES["service"]

    assert worker["image"] == service["image"]
    assert worker["command"] == ["worker", "run", "--without", "webhooks"]
    assert worker["depends_on"] == service["depends_on"]
    assert worker["networks"] == ["inside"]
    assert worker["restart"] == service["restart"] == "unless-stopped"
    assert parse_seconds(worker["stop_grace_period"]) > STOP_TIMEOUT
    assert "SAFE_CONDUCT_WORKER" not in service["environment"], (
        "the script would also work inside the container"
    )


def test_the_service_gets_the_settings_of_the_console_if_they_are_set() -> None:
    passed = {
        name for name, value in SERVICES["service"]["environment"].items() if value is None
    }

    assert passed == {"SAFE_CONDUCT_CONSOLE", "SAFE_CONDUCT_PUBLIC_URL"}
    assert passed <= SETTINGS


def test_webhooks_are_pushed_by_a_container_of_their_own() -> None:
    worker, webhooks = SERVICES["worker"], SERVICES["webhooks"]

    assert webhooks["command"] == ["worker", "run", "--only", "webhooks"]
    differs = ("command", "healthcheck")
    assert webhooks | {name: worker[name] for name in differs} == worker
    typed = {f"safe-conduct {' '.join(one['command'])}" for one in (worker, webhooks)}
    assert typed < {line for _, line in TYPED}  # so the first test checks their options


def parse_seconds(spelled: str) -> int:
    return int(spelled.removesuffix("s"))


def test_the_page_for_operators_names_every_metric_and_no_other() -> None:
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    runtime = build_runtime("sqlite:////nowhere/at-all.db", KEYS)
    families = {family.name for family in build_registry(runtime, ()).collect()}
    documented = families | {f"{NAMESPACE}_{gauge.name}" for gauge in GAUGES}

    named = set(re.findall(rf"\b{NAMESPACE}_[a-z_]+", page)) - DATABASE_NAMES
    written = {re.sub("_(total|bucket)$", "", name) for name in named}

    assert written == documented


DATABASE_NAMES = {
    "safe_conduct_service",
    "safe_conduct_app",
    "safe_conduct_migrator",
    "safe_conduct_owner",
    "safe_conduct_database_url",
    "safe_conduct_lost",
}


def test_the_proxy_is_told_of_every_header_that_a_caller_sends() -> None:
    contract = json.loads((ROOT / "openapi/openapi-3.1.json").read_text("utf-8"))
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    parameters = {
        parameter["name"]
        for operations in contract["paths"].values()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header"
    }

    [headers] = re.findall(
        r"^- pass (`Authorization`.*?) as they are", page, re.MULTILINE | re.DOTALL
    )

    assert set(re.findall(r"`(\S+)`", headers)) == {"Authorization", *parameters}


@pytest.mark.parametrize("name", ["Dockerfile", "docs/operations.md"])
def test_what_a_container_writes_outlives_it(name: str) -> None:
    text = (ROOT / name).read_text("utf-8").replace("#   ", "")
    [kept] = re.findall(r"^VOLUME (\S+)$", DOCKERFILE, re.MULTILINE)
    runs = [shlex.split(line) for line in re.findall(r"^docker run .*", text, re.MULTILINE)]

    assert {"key", "migrate"} <= {word for run in runs for word in run}
    assert all(f"safe-conduct:{kept}" in run for run in runs)
    assert all("--env-file" in run for run in runs)
    assert [run[-1] for run in runs if "-p" in run] == ["safe-conduct"] == [runs[-1][-1]]


def test_images_are_pinned_to_an_exact_release() -> None:
    image = re.search(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)

    assert image
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-[a-z]+", image[1])
    assert re.fullmatch(r"postgres:\d+\.\d+-[a-z]+", SERVICES["database"]["image"])
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_the_image_installs_by_hash_and_runs_as_nobody() -> None:
    final = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    installs = re.findall(r"pip install (.+)", DOCKERFILE)

    assert installs
    assert all(
        "--require-hashes" in line or "--no-build-isolation" in line for line in installs
    )
    assert "pip install" not in final
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert "HEALTHCHECK" in final


@pytest.mark.parametrize(
    "name", sorted(file.stem for file in (ROOT / "requirements").glob("*.txt"))
)
def test_every_requirement_has_a_hash_and_no_registry(name: str) -> None:
    text = (ROOT / f"requirements/{name}.txt").read_text("utf-8")
    pinned = re.split(r"\n(?=[a-z])", text.replace("\\\n", " "))

    assert all(re.match(r"[a-z0-9._\[\]-]+==\S+", line) for line in pinned)
    assert all("--hash=sha256:" in line for line in pinned)
    assert "://" not in text


def test_what_builds_us_is_said_twice_alike() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    assert project["dependency-groups"]["build"] == project["build-system"]["requires"]


def test_every_migration_spells_its_sql_under_the_time_outs_it_runs_with() -> None:
    spelled = dict(migrations.render_sql())

    assert list(spelled) == [
        path.name[:4] for path in sorted((ROOT / "migrations/versions").glob("*.py"))
    ]
    for sql in spelled.values():
        limits = [sql.index(f"SET {what}_timeout") for what in ("lock", "statement")]
        assert max(limits) < sql.index("BEGIN;")
        assert sql.rstrip().endswith("COMMIT;")


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ('ALTER TABLE "case" RENAME COLUMN code TO name', "renaming-column"),
        ('ALTER TABLE "case" DROP COLUMN code', "ban-drop-column"),
        ('ALTER TABLE "case" ALTER code SET NOT NULL', "adding-not-nullable-field"),
    ],
)
def test_a_migration_that_would_block_or_break_is_refused(
    statement: str, rule: str, tmp_path: Path
) -> None:
    limits = "SET lock_timeout = '4s'; SET statement_timeout = '5s'"
    (tmp_path / "0099.sql").write_text(f"{limits}; BEGIN; {statement}; COMMIT;")

    config = ROOT / ".squawk.toml"
    result = subprocess.run(
        [SQUAWK, "--config", config, tmp_path / "0099.sql"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert rule in result.stdout + result.stderr
