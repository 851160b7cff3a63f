"""Tests of `make breaking`: comparisons, output and exit codes."""

import json
import subprocess
from pathlib import Path

import breaking
import pytest

from tests.support.world import Json

OLD: Json = {
    "openapi": "3.1.0",
    "info": {"version": "0.1.0"},
    "paths": {
        "/a": {"get": {"responses": {"200": {"description": ""}}}},
        "/b": {"get": {"responses": {"200": {"description": ""}}}},
    },
}
GONE = "/paths/~1b/get"
UNRELEASED = "# Changelog\n\n## 0.2.0 - Unreleased\n\n### API\n\n- More.\n"
RELEASED = (
    "\n## 0.1.0 - 2026-12-01\n\nThe first version.\n\n### Breaks\n\n- `/not/this`: old.\n"
)
TOLD = f"\n### Breaks\n\n- `{GONE}`: ask `/a`.\n"


def build_contract(version: str) -> Json:
    paths = {"/a": OLD["paths"]["/a"], "/c": OLD["paths"]["/a"]}
    return OLD | {"info": {"version": version}, "paths": paths}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder whose contract lost `/b` and gained `/c` after a release."""
    (tmp_path / "openapi").mkdir()
    write(tmp_path, breaking.RELEASED, OLD)
    write(tmp_path, breaking.CONTRACT, build_contract("0.2.0"))
    (tmp_path / breaking.CHANGELOG).write_text(UNRELEASED + RELEASED)
    return tmp_path


def write(root: Path, name: str, contract: Json) -> None:
    (root / name).write_text(json.dumps(contract))


def run_git(root: Path, *words: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def test_a_break_that_is_not_told_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = breaking.main([], root)

    said = capsys.readouterr()
    assert code == 1
    assert "Changes that break clients: 1. Others: 1." in said.out
    assert f"BREAKS  It is removed.\n        {GONE}\n            GET /b\n" in said.out
    assert "fine    It is added.\n        /paths/~1c/get\n            GET /c\n" in said.out
    assert f"does not list the breaking change at `{GONE}`" in said.err
    assert "CONTRIBUTING.md" in said.err


def test_a_break_that_is_told_is_released(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / breaking.CHANGELOG).write_text(UNRELEASED + TOLD + RELEASED)

    code = breaking.main([], root)

    said = capsys.readouterr()
    assert code == 0
    assert f"BREAKS  It is removed.\n        {GONE}" in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("changelog", "fault"),
    [
        (
            UNRELEASED + TOLD.replace(GONE, f"{GONE}/x") + RELEASED,
            f"lists `{GONE}/x`, where",
        ),
        (UNRELEASED + RELEASED + TOLD, f"does not list the breaking change at `{GONE}`"),
        (UNRELEASED + TOLD.replace("Breaks", "Fixes") + RELEASED, "does not list"),
        (
            UNRELEASED + "\n### Breaks\n\n### Fixes\n" + TOLD[13:] + RELEASED,
            "does not list",
        ),
    ],
)
def test_what_is_told_has_to_be_so_and_of_the_version_to_come(
    root: Path, capsys: pytest.CaptureFixture[str], changelog: str, fault: str
) -> None:
    (root / breaking.CHANGELOG).write_text(changelog)

    assert breaking.main([], root) == 1
    assert fault in capsys.readouterr().err


@pytest.mark.parametrize(
    ("then", "now", "allowed"),
    [
        ("0.1.0", "0.2.0", True),
        ("0.1.0", "0.1.1", False),
        ("0.9.0", "0.10.0", True),
        ("0.1.0", "1.0.0", True),
        ("1.2.0", "1.3.0", False),
        ("1.2.0", "2.0.0", True),
        ("2.0.0", "1.9.0", False),
    ],
)
def test_only_some_versions_may_break(
    root: Path, capsys: pytest.CaptureFixture[str], then: str, now: str, allowed: bool
) -> None:
    changelog = (UNRELEASED + TOLD).replace("0.2.0", now) + RELEASED.replace("0.1.0", then)
    (root / breaking.CHANGELOG).write_text(changelog)
    write(root, breaking.RELEASED, OLD | {"info": {"version": then}})
    write(root, breaking.CONTRACT, build_contract(now))

    assert breaking.main([], root) == (0 if allowed else 1)
    assert (f"{now} may not break {then}" in capsys.readouterr().err) is not allowed


def test_what_is_only_new_needs_a_version_of_its_own(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = OLD | {"paths": OLD["paths"] | {"/c": OLD["paths"]["/a"]}}
    write(root, breaking.CONTRACT, more)

    assert breaking.main([], root) == 1
    assert "0.1.0 is released" in capsys.readouterr().err
    write(root, breaking.CONTRACT, more | {"info": {"version": "0.1.1"}})
    assert breaking.main([], root) == 0


def test_before_the_first_release_everything_may_break_and_it_says_so(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / breaking.RELEASED).unlink()
    (root / breaking.CHANGELOG).write_text(UNRELEASED)

    assert breaking.main([], root) == 0
    assert "nothing is released" in capsys.readouterr().out


@pytest.mark.parametrize("changelog", [UNRELEASED, RELEASED.replace("0.1.0", "0.0.9")])
def test_a_released_contract_and_the_changelog_agree(
    root: Path, capsys: pytest.CaptureFixture[str], changelog: str
) -> None:
    (root / breaking.CHANGELOG).write_text(changelog)

    assert breaking.main([], root) == 2
    assert breaking.RELEASED in capsys.readouterr().err


def test_a_release_without_its_contract_is_no_reason_to_pass(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / breaking.RELEASED).unlink()

    assert breaking.main([], root) == 2
    assert breaking.RELEASED in capsys.readouterr().err


def test_a_release_is_a_date_and_a_copy(root: Path) -> None:
    dated = UNRELEASED.replace("Unreleased", "2027-01-01") + TOLD + RELEASED
    (root / breaking.CHANGELOG).write_text(dated)
    write(root, breaking.RELEASED, build_contract("0.2.0"))

    assert breaking.main([], root) == 0


def test_any_revision_can_be_compared_with_whatever_is_told(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / breaking.CHANGELOG).write_text(UNRELEASED + TOLD + RELEASED)
    now = (root / breaking.CONTRACT).read_text()
    write(root, breaking.CONTRACT, OLD)
    run_git(root, "init", "-q")
    run_git(root, "add", ".")
    run_git(root, "commit", "-qm", "Old")
    run_git(root, "tag", "v0")
    same = breaking.main(["v0"], root)
    (root / breaking.CONTRACT).write_text(now)

    assert (same, breaking.main(["v0"], root)) == (0, 1)
    assert f"BREAKS  It is removed.\n        {GONE}" in capsys.readouterr().out


@pytest.mark.parametrize("revision", ["nonsense", "HEAD~99", "--output=x"])
def test_what_is_no_revision_is_told_and_not_taken_for_no_break(
    root: Path, capsys: pytest.CaptureFixture[str], revision: str
) -> None:
    run_git(root, "init", "-q")

    assert breaking.main(["--", revision], root) == 2
    assert "fatal" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{", '{"openapi": "3.1.0"}'])
def test_what_is_no_contract_is_told_and_not_taken_for_no_break(
    root: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (root / breaking.CONTRACT).write_text(text)

    assert breaking.main([], root) == 2
    assert "Not a contract" in capsys.readouterr().err


def test_a_reference_that_leads_nowhere_is_told(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = {"$ref": "#/components/responses/Lost"}
    write(
        root,
        breaking.CONTRACT,
        OLD | {"paths": {"/a": {"get": {"responses": {"200": lost}}}}},
    )

    assert breaking.main([], root) == 2
    assert "#/components/responses/Lost" in capsys.readouterr().err


def test_many_places_are_told_shortly_if_they_are_fine(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = {f"/{letter}": OLD["paths"]["/a"] for letter in "abcdefg"}
    write(root, breaking.CONTRACT, OLD | {"paths": many, "info": {"version": "0.2.0"}})

    assert breaking.main([], root) == 0
    assert "and 2 more places" in capsys.readouterr().out
