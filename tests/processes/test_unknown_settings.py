"""Tests that a misspelt setting is reported at the start and by `doctor`."""

import json
from pathlib import Path

import pytest

from app.cli.unknown_settings import list_names, list_unknown
from app.settings import Settings
from tests.processes.test_demo import command
from tests.support.servers import ROOT

WRONG = {
    "SAFE_CONDUCT_SMTP_HSOT": "4d7e.example",
    "SAFE_CONDUCT_COLOUR": "4d7e",
    "SAFE_CONDUCT_TEST_DATABASE_URL": "4d7e",
    "SAFE_CONDUCT_SECRETS": "/4d7e",
}
NEAR = (
    "Unknown setting SAFE_CONDUCT_SMTP_HSOT: it has no effect. "
    "Did you mean SAFE_CONDUCT_SMTP_HOST?"
)
FAR = (
    "Unknown setting SAFE_CONDUCT_COLOUR: it has no effect. Correct its name, or remove it."
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for words in (("key", "new"), ("migrate",), ("directory", "load")):
        command(tmp_path, *words)
    return tmp_path


@pytest.mark.slow
def test_doctor_names_a_misspelt_setting_and_the_nearest_one(home: Path) -> None:
    desks = str(ROOT / "app" / "demo" / "data")
    command(home, "directory", "load", desks)
    drill = {"SAFE_CONDUCT_ENVIRONMENT": "drill", "COLUMNS": "500"}

    right = command(home, "doctor", **drill)
    wrong = command(home, "doctor", **drill | WRONG)

    assert (right.returncode, wrong.returncode) == (0, 0)
    assert "Unknown setting" not in right.stdout
    said = [line for line in wrong.stdout.splitlines() if "Unknown setting" in line]
    assert said == [f"Warning: {FAR}", f"Warning: {NEAR}"]
    assert "4d7e" not in wrong.stdout + wrong.stderr


@pytest.mark.slow
@pytest.mark.parametrize("words", [("serve",), ("worker", "run")])
def test_what_runs_logs_a_misspelt_setting_before_all_else(
    home: Path, words: tuple[str, ...]
) -> None:
    refused = command(home, *words, **WRONG)  # ends, because there is no desk

    logged = [json.loads(line) for line in refused.stderr.splitlines() if line[0] == "{"]
    said = [(one["level"], one["said"]) for one in logged if one["event"] == "settings"]
    assert "No active desk serves" in refused.stderr
    assert said == [("warning", FAR), ("warning", NEAR)]
    assert "4d7e" not in refused.stderr


def test_every_setting_and_what_other_programs_read_is_known() -> None:
    known = [f"SAFE_CONDUCT_{name.upper()}" for name in Settings.model_fields]
    others = ["SAFE_CONDUCT_API_KEY", "SAFE_CONDUCT_API_KEY_FILE", "SAFE_CONDUCT_LISTEN"]
    small = ["safe_conduct_smtp_password", "SAFECONDUCT_X", "HOME"]

    assert list_unknown([*known, *others, *small]) == []


def test_a_secret_file_with_a_misspelt_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "safe_conduct_smtp_pasword").write_text("4d7e")

    [said] = list_unknown(set(list_names(tmp_path)) - set(list_names(tmp_path / "none")))

    assert "Unknown setting SAFE_CONDUCT_SMTP_PASWORD" in said
    assert "Did you mean SAFE_CONDUCT_SMTP_PASSWORD?" in said
    assert "4d7e" not in said


@pytest.mark.parametrize("name", ["SAFE_CONDUCT_\x1b[31mX", "SAFE_CONDUCT_X\nY"])
def test_a_name_cannot_command_a_terminal(name: str) -> None:
    [said] = list_unknown([name])

    assert said.isprintable()
