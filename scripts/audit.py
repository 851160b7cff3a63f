"""Check the pinned packages for known vulnerabilities: `make audit`.

The exit code is 0 if every known vulnerability is accepted, 1 if one is not, and 2 if the
vulnerability service did not answer for every package. With `--changed`, as in `make
check`, only new pins are checked. If the service does not answer then, the exit code is 0,
so that an external service cannot block a commit.

pip-audit queries the service. Its message "No known vulnerabilities found" is not
sufficient, because pip-audit also prints it for a package that the service does not know.
"""

import json
import re
import subprocess
import sys
import tomllib
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, override

from pins import parse_pins

ROOT: Final = Path(__file__).parents[1]
PIP_AUDIT: Final = ROOT / ".audit" / "venv" / "bin" / "pip-audit"
ACCEPTED: Final = "requirements/accepted.toml"
UPSTREAM: Final = "origin/HEAD"
RECENT: Final = "7 days ago"
PINNED: Final = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)
TIMEOUT: Final = 900
FINE, VULNERABLE, UNKNOWN = 0, 1, 2
ADVICE: Final = """
Run `make audit` where the service can be reached, or name another service: CONTRIBUTING.md.
""".strip()

type Package = tuple[str, str]
"""Name and version."""

PROBE: Final[Package] = ("jinja2", "2.10")
"""A package with known vulnerabilities. A service that reports none has no data."""


class NotAuditedError(Exception):
    """The vulnerability service did not answer for every package."""


@dataclass(frozen=True)
class Finding:
    """A known vulnerability of a pinned package."""

    package: Package
    ids: tuple[str, ...]
    fixed_in: tuple[str, ...]

    @override
    def __str__(self) -> str:
        """Return a line with the vulnerability and the remedy."""
        name, version = self.package
        remedy = (
            f"fixed in {', '.join(self.fixed_in)}: "
            f"make lock UPGRADE='--upgrade-package {name}'"
            if self.fixed_in
            else f"no version fixes it: replace the package, or accept it in {ACCEPTED}"
        )
        return f"{name} {version}: {' '.join(self.ids)}; {remedy}"


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Check all pins, or only new pins, and return the exit code."""
    parser = ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--changed", action="store_true", help="only pins that are new")
    changed = parser.parse_args(arguments).changed
    pins = read_pins(root)
    if changed:
        base = find_base(root)
        pins -= read_pins_of_commit(root, base) if base else set()
        print(f"Pins that are new since {base or 'the first commit'}: {len(pins)}.")
    try:
        findings = find_vulnerabilities(pins) if pins else []
    except NotAuditedError as error:
        print(f"NOT AUDITED: {error}\n{ADVICE}", file=sys.stderr)
        return FINE if changed else UNKNOWN
    accepted = read_accepted(root / ACCEPTED, datetime.now(UTC).date())
    refused = [one for one in findings if not accepted & {*one.ids}]
    print(f"Audited {len(pins)} packages: {len(findings)} known vulnerabilities,", end=" ")
    print(f"{len(findings) - len(refused)} accepted.")
    print(*refused, sep="\n", end="\n" if refused else "", file=sys.stderr)
    return VULNERABLE if refused else FINE


def read_pins(root: Path) -> set[Package]:
    """Return every package that is pinned in a requirements file, for any platform."""
    texts = [file.read_text("utf-8") for file in (root / "requirements").glob("*.txt")]
    return {(pin.name, pin.version) for text in texts for pin in parse_pins(text)}


def read_pins_of_commit(root: Path, revision: str) -> set[Package]:
    """Return every package that is pinned in a requirements file of a commit."""
    listed = run_git(root, "ls-tree", "--name-only", revision, "requirements/").split()
    files = [name for name in listed if name.endswith(".txt")]
    texts = [run_git(root, "show", f"{revision}:{name}") for name in files]
    return {(name, version) for text in texts for name, version in PINNED.findall(text)}


def find_base(root: Path) -> str | None:
    """Return the commit whose pins are compared with the current pins, or None.

    The commit is the one at which this branch left the upstream branch. In a clone without
    commits of its own, as in CI, or without an upstream branch, it is the newest commit
    that is at least a week old. The result is None if there is no such commit.
    """
    head = run_git(root, "rev-parse", "HEAD").strip()
    left = run_git(root, "merge-base", "HEAD", UPSTREAM).strip()
    if left and left != head:
        return left
    return run_git(root, "rev-list", "-1", f"--before={RECENT}", "HEAD").strip() or None


def run_git(root: Path, *words: str) -> str:
    """Run git and return its output, or an empty string if it fails."""
    done = subprocess.run(
        ["git", *words], cwd=root, capture_output=True, text=True, check=False
    )
    return "" if done.returncode else done.stdout


def find_vulnerabilities(packages: set[Package]) -> list[Finding]:
    """Return the vulnerabilities, or raise NotAuditedError if an answer is missing."""
    if not request_findings([PROBE]):
        raise NotAuditedError(
            f"the service reports no vulnerability of {' '.join(PROBE)}, which has some."
        )
    return [
        finding for sheet in split_versions(packages) for finding in request_findings(sheet)
    ]


def split_versions(packages: set[Package]) -> list[list[Package]]:
    """Split packages into groups, each with at most one version of a package."""
    sheets: list[dict[str, str]] = []
    for name, version in sorted(packages):
        free = next((sheet for sheet in sheets if name not in sheet), None)
        if free is None:
            free = {}
            sheets.append(free)
        free[name] = version
    return [[*sheet.items()] for sheet in sheets]


def request_findings(packages: Sequence[Package]) -> list[Finding]:
    """Return the vulnerabilities that pip-audit reports, or raise NotAuditedError."""
    with TemporaryDirectory() as folder:
        requirements, output = Path(folder, "requirements.txt"), Path(folder, "answer.json")
        requirements.write_text(
            "\n".join("==".join(one) for one in packages), encoding="utf-8"
        )
        command: list[str | Path] = [
            PIP_AUDIT,
            "--no-deps",
            "--disable-pip",
            f"--requirement={requirements}",
            "--format=json",
            f"--output={output}",
            "--aliases=on",
            "--progress-spinner=off",
            f"--cache-dir={folder}",
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise NotAuditedError(f"no answer within {TIMEOUT} seconds.") from error
        if not output.exists():
            raise NotAuditedError(done.stderr.strip().rpartition("\n")[2])
        answer: dict[str, Any] = json.loads(output.read_text("utf-8"))
    return read_answer(packages, answer["dependencies"])


def read_answer(
    packages: Iterable[Package], dependencies: Iterable[dict[str, Any]]
) -> list[Finding]:
    """Return the findings, or raise NotAuditedError if the answer lacks a package."""
    answered = {
        (one["name"], one["version"]): one["vulns"]
        for one in dependencies
        if "vulns" in one
    }
    unanswered = sorted(set(packages) - answered.keys())
    if unanswered:
        names = ", ".join(" ".join(one) for one in unanswered)
        raise NotAuditedError(f"the service does not answer for {names}.")
    return [
        Finding(package, (one["id"], *one["aliases"]), tuple(one["fix_versions"]))
        for package, vulnerabilities in answered.items()
        for one in vulnerabilities
    ]


def read_accepted(path: Path, today: date) -> set[str]:
    """Return the ids of the vulnerabilities that are accepted today."""
    entries = tomllib.loads(path.read_text("utf-8")).get("accepted", [])
    return {one["id"] for one in entries if one["reason"] and today <= one["until"]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
