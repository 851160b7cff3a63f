"""Tests of the commit messages that the hook refuses, and of its advice for each."""

import subprocess
import sys
from pathlib import Path

import check_commits
import pytest

from tests.support.source_code import ROOT

BODY = "\n\nA poll asked twice for the same rows."


def check(folder: Path, message: str) -> list[str]:
    """Run the hook on a commit message, and return the faults that the hook prints."""
    file = folder / "COMMIT_EDITMSG"
    file.write_text(message, "utf-8")
    command = [sys.executable, str(ROOT / "scripts/check_commits.py"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    faults = done.stderr.splitlines()
    assert done.returncode == bool(faults)
    return faults


@pytest.mark.parametrize(
    "message",
    [
        f"Read rows once{BODY}",
        f"Feed the poller from one statement{BODY}",
        f"Pass the clock to the worker{BODY}\n\nReviewed-by: {'Somebody ' * 10}",
        f"Re-encrypt drafts{BODY}\n# a comment of git, however long it is {'x' * 80}",
        f"Embed the licence{BODY}\n{'x' * 100}",
    ],
)
def test_commit_message_that_follows_the_rule_has_no_faults(
    tmp_path: Path, message: str
) -> None:
    assert check(tmp_path, message) == []


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("", "empty"),
        ("Read rows once", "body is missing"),
        ("Read rows once\nA poll asked twice.", "second line"),
        (f"Read rows once.{BODY}", "full stop"),
        (f"Reads rows once{BODY}", "begin with a verb"),
        (f"Added an index{BODY}", "begin with a verb"),
        (f"Reading rows once{BODY}", "begin with a verb"),
        (f"The rows are read once{BODY}", "begin with a verb"),
        (f"feed: read rows once{BODY}", "begin with a verb"),
        (f"Read {'x' * 68}{BODY}", "at most 72"),
        (f"Read rows once{BODY}{' and more' * 10}", "wrap"),
    ],
)
def test_commit_message_with_a_fault_is_refused(
    tmp_path: Path, message: str, advice: str
) -> None:
    [fault] = check(tmp_path, message)
    assert advice in fault


def test_ignored_files_are_found_in_the_history_although_they_were_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".gitignore").write_text(".cache/\n", "utf-8")
    (tmp_path / ".cache" / "paths").write_text("of a machine", "utf-8")
    identity = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.org")
    for words in (
        ("init", "--quiet"),
        ("add", "--force", ".gitignore", ".cache/paths"),
        (*identity, "commit", "--quiet", "--message", "Add a cache"),
        ("rm", "--quiet", ".cache/paths"),
        (*identity, "commit", "--quiet", "--message", "Delete the cache"),
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(check_commits, "ROOT", tmp_path)

    assert check_commits.list_ignored_files() == [".cache/paths"]
