"""Check commit messages, and that no commit adds a file that git ignores.

A message has an imperative subject of at most 72 characters, and a body. `make lint` checks
every commit after `BASE`. The hooks that `make hooks` installs check each message before
the commit.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
BASE: Final = "afef48cb26dce1f4fd3b4f33271f69134347ceab"
"""The last commit to which the rules do not apply."""
LONGEST: Final = 72
"""The maximum number of characters in a line."""
NOT_IMPERATIVE: Final = re.compile(r"ed$|ing$|[^s]s$")
"""Endings of words that are not in the imperative. The words below are exceptions."""
IMPERATIVE: Final = re.compile(
    "Alias|Bring|Canvas|Embed|Exceed|Feed|Focus|Need|Ping|Proceed|Seed|Speed"
)
NO_VERBS: Final = re.compile(
    "A|An|Fewer|More|No|One|The|This|Three|Two|What|Which|While|Who|Whoever"
)
UNBREAKABLE: Final = re.compile(r"^\S+$|^[A-Z][A-Za-z-]+: ")
"""A line that cannot be wrapped: a single word, or a trailer."""


def find_faults(message: str) -> Iterator[str]:
    """Yield a sentence about each fault of a commit message, with a remedy."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject, rest = (lines or [""])[0], lines[1:]
    if not subject.strip():
        yield "The message is empty: write a subject and a body."
        return
    yield from find_faults_of_subject(subject)
    body = [line for line in rest if line.strip()]
    if rest and rest[0].strip():
        yield "The second line is not empty: separate the subject from the body."
    if not body:
        yield "The body is missing: say why the change is made."
    if long := [line for line in body if is_too_long(line)]:
        yield f"{len(long)} lines of the body are longer than {LONGEST}: wrap them."


def find_faults_of_subject(subject: str) -> Iterator[str]:
    """Yield a sentence about each fault of a subject line, with a remedy."""
    first = subject.split(maxsplit=1)[0]
    if len(subject) > LONGEST:
        yield f"The subject has {len(subject)} characters: use at most {LONGEST}."
    if subject.endswith("."):
        yield "The subject ends with a full stop: remove it."
    if not re.fullmatch(r"[A-Z][a-z]+(-[a-z]+)?", first) or not is_imperative(first):
        yield f"The subject begins with {first!r}: begin with a verb, as in 'Add' or 'Fix'."


def is_imperative(word: str) -> bool:
    """Return whether a word may be a verb in the imperative."""
    if IMPERATIVE.fullmatch(word):
        return True
    return not (NO_VERBS.fullmatch(word) or NOT_IMPERATIVE.search(word))


def is_too_long(line: str) -> bool:
    """Return whether a line of a commit body should have been wrapped."""
    return len(line) > LONGEST and not UNBREAKABLE.search(line)


def list_commits() -> dict[str, str]:
    """Return the messages of all commits after `BASE` except merges, by commit id.

    If a shallow clone lacks `BASE`, only the last commit is returned. Raises
    subprocess.CalledProcessError or OSError if there is no repository.
    """
    known = run_git("rev-parse", "--quiet", "--verify", f"{BASE}^{{commit}}", check=False)
    which = [f"{BASE}..HEAD"] if known else ["-1"]
    log = run_git("log", "--no-merges", "-z", "--format=%h%n%B", *which)
    found = (one.partition("\n") for one in log.split("\0") if one)
    return {commit: message for commit, _, message in found}


def list_ignored_files() -> list[str]:
    """Return the files that a commit after `BASE` added, and that git ignores.

    Ignored files may contain caches and paths of a machine, and stay in the history even if
    a later commit deletes them.
    """
    known = run_git("rev-parse", "--quiet", "--verify", f"{BASE}^{{commit}}", check=False)
    which = f"{BASE}..HEAD" if known else "HEAD"
    added = run_git(
        "log", "--no-merges", "--name-only", "--diff-filter=A", "--format=", which
    )
    ignored = run_git("check-ignore", "--no-index", "--stdin", check=False, typed=added)
    return sorted(set(ignored.split("\n")) - {""})


def run_git(*arguments: str, check: bool = True, typed: str = "") -> str:
    """Run git in the checkout with `typed` as its standard input; return its output."""
    command = ["git", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=check, input=typed
    )
    return done.stdout


def main() -> int:
    """Check the file that git passes to a hook, or the history; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="a commit message to check")
    file = parser.parse_args().file
    try:
        messages = {file.name: file.read_text("utf-8")} if file else list_commits()
    except (OSError, subprocess.CalledProcessError):
        sys.stderr.write("Commit messages NOT CHECKED: this is no git repository.\n")
        return 0
    faults = [
        f"{name}: {fault}\n"
        for name, text in messages.items()
        for fault in find_faults(text)
    ]
    ignored = [] if file else list_ignored_files()
    faults += [
        f"{name}: git ignores it: leave it out of the history.\n" for name in ignored
    ]
    sys.stderr.writelines(faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
