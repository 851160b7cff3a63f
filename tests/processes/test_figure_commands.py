"""Tests of the commands for figures: the report for a meeting, and previewing a release."""

from pathlib import Path

import pytest

from tests.processes.test_demo import command

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for words in (("key", "new"), ("migrate",), ("directory", "load")):
        assert command(tmp_path, *words).returncode == 0
    return tmp_path


def test_report_for_a_meeting_is_written_as_one_file(folder: Path) -> None:
    period = ("--from", "2026Q1", "--to", "2026Q2", "--compare", "2025Q3")
    file = folder / "report.html"

    made = command(
        folder, "report", "meeting", *period, "--language", "ru", "--output", str(file)
    )
    text = file.read_text("utf-8")

    assert (made.returncode, made.stderr) == (0, "")
    assert str(file) in made.stdout
    assert '<html lang="ru"' in text
    assert "2025Q3, 2025Q4, 2026Q1, 2026Q2" in text
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--from", "2026Q3", "--to", "2026Q1"), "The first quarter (`from`) must not"),
        (("--from", "2026Q9"), "Write a quarter as in 2026Q1."),
        (("--desk", "KZ_LEAD"), "offices of the kind"),
        (("--desk", "kz lead"), "Write --desk as in DESK_CENTRAL_ASIA."),
        (("--language", "xx"), "Choose one of en, ru, es, fr, uz."),
    ],
)
def test_report_of_a_wrong_period_desk_or_language_is_refused(
    folder: Path, words: tuple[str, ...], why: str
) -> None:
    file = folder / "report.html"

    refused = command(folder, "report", "meeting", *words, "--output", str(file))

    assert refused.returncode > 0
    assert why in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not file.exists()


def test_report_that_cannot_be_written_is_refused(folder: Path) -> None:
    file = folder / "nowhere" / "report.html"

    refused = command(folder, "report", "meeting", "--output", str(file))

    assert refused.returncode == 1
    assert "cannot be written: No such file or directory." in refused.stderr.replace(
        "\n", " "
    )
    assert "Traceback" not in refused.stderr


def test_release_of_figures_is_only_previewed(folder: Path) -> None:
    words = ("figures", "release", "--quarter", "2026Q1")

    without = command(folder, *words)
    early = command(folder, *words, "--dry-run")

    assert without.returncode > 0
    assert "Two people of oversight release figures." in without.stderr
    assert early.returncode == 1
    assert "Its last week can be counted from" in early.stderr
    assert "Traceback" not in without.stderr + early.stderr
