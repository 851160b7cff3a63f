"""Look for known vulnerabilities in what requirements/ pins: `make audit`.

It exits with 0 if none is known, with 1 if one is, and with 2 if the vulnerability service
did not answer for every package. `--changed`, which `make check` runs, asks only about pins
that are new. Where the service does not answer, it says so and exits with 0, because a
service of others must not stop a commit.

pip-audit asks the service. Its "No known vulnerabilities found" is not enough: it says that
of a package that the service does not have, too, and of an answer without the field.
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
SECONDS: Final = 900
FINE, VULNERABLE, UNKNOWN = 0, 1, 2
ADVICE: Final = """
Run `make audit` where the service can be reached, or name another service: CONTRIBUTING.md.
""".strip()

type Package = tuple[str, str]
"""Name and version."""

PROBE: Final[Package] = ("jinja2", "2.10")
"""A package with known vulnerabilities. A service that reports none has no data."""


class NotAuditedError(Exception):
    """The service could not be asked, or did not answer for every package."""


@dataclass(frozen=True)
class Finding:
    """A known vulnerability of a pinned package."""

    package: Package
    ids: tuple[str, ...]
    fixed_in: tuple[str, ...]

    @override
    def __str__(self) -> str:
        """Say what it is, and what to do."""
        name, version = self.package
        remedy = (
            f"fixed in {', '.join(self.fixed_in)}: "
            f"make lock UPGRADE='--upgrade-package {name}'"
            if self.fixed_in
            else f"no version fixes it: replace the package, or accept it in {ACCEPTED}"
        )
        return f"{name} {version}: {' '.join(self.ids)}; {remedy}"


def main(words: Sequence[str], root: Path = ROOT) -> int:
    """Ask about all pins or about the new ones, and answer for the shell."""
    parser = ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--changed", action="store_true", help="only pins that are new")
    changed = parser.parse_args(words).changed
    pins = pins_of_tree(root)
    if changed:
        base = find_base(root)
        pins -= pins_of_commit(root, base) if base else set()
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


def pins_of_tree(root: Path) -> set[Package]:
    """Return every package that a requirements file of the tree pins, on any platform."""
    texts = [file.read_text("utf-8") for file in (root / "requirements").glob("*.txt")]
    return {(pin.name, pin.version) for text in texts for pin in parse_pins(text)}


def pins_of_commit(root: Path, revision: str) -> set[Package]:
    """Return every package that a requirements file of a commit pins."""
    listed = git(root, "ls-tree", "--name-only", revision, "requirements/").split()
    files = [name for name in listed if name.endswith(".txt")]
    texts = [git(root, "show", f"{revision}:{name}") for name in files]
    return {(name, version) for text in texts for name, version in PINNED.findall(text)}


def find_base(root: Path) -> str | None:
    """Return the commit that landed last; None: there is none to compare with.

    That is where this branch left the upstream. A clone of what is to land, as in CI, has
    nothing beyond its upstream: there it is the newest commit that is a week old.
    """
    head = git(root, "rev-parse", "HEAD").strip()
    left = git(root, "merge-base", "HEAD", UPSTREAM).strip()
    if left and left != head:
        return left
    return git(root, "rev-list", "-1", f"--before={RECENT}", "HEAD").strip() or None


def git(root: Path, *words: str) -> str:
    """Run git; empty if it fails: there is no such commit, upstream or repository."""
    done = subprocess.run(
        ["git", *words], cwd=root, capture_output=True, text=True, check=False
    )
    return "" if done.returncode else done.stdout


def find_vulnerabilities(packages: set[Package]) -> list[Finding]:
    """Ask about each package. Raises NotAuditedError unless all of it was answered."""
    if not ask([PROBE]):
        raise NotAuditedError(
            f"the service does not know that {' '.join(PROBE)} is vulnerable."
        )
    return [finding for sheet in sheets_of(packages) for finding in ask(sheet)]


def sheets_of(packages: set[Package]) -> list[list[Package]]:
    """Divide packages so that each sheet has one version of a package."""
    sheets: list[dict[str, str]] = []
    for name, version in sorted(packages):
        free = next((sheet for sheet in sheets if name not in sheet), None)
        if free is None:
            free = {}
            sheets.append(free)
        free[name] = version
    return [[*sheet.items()] for sheet in sheets]


def ask(sheet: Sequence[Package]) -> list[Finding]:
    """Have pip-audit ask the service about a sheet of packages, without a cache."""
    with TemporaryDirectory() as folder:
        asked, answered = Path(folder, "requirements.txt"), Path(folder, "answer.json")
        asked.write_text("\n".join("==".join(one) for one in sheet), encoding="utf-8")
        command: list[str | Path] = [
            *(PIP_AUDIT, "--requirement", asked, "--no-deps", "--disable-pip"),
            *("--format", "json", "--output", answered, "--aliases", "on"),
            *("--progress-spinner", "off", "--cache-dir", folder),
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise NotAuditedError(f"no answer within {SECONDS} seconds.") from error
        if not answered.exists():
            raise NotAuditedError(done.stderr.strip().rpartition("\n")[2])
        answer: dict[str, Any] = json.loads(answered.read_text("utf-8"))
    return read_answer(sheet, answer["dependencies"])


def read_answer(
    sheet: Iterable[Package], dependencies: Iterable[dict[str, Any]]
) -> list[Finding]:
    """Return the findings. Raises NotAuditedError if a package was passed over."""
    answered = {
        (one["name"], one["version"]): one["vulns"]
        for one in dependencies
        if "vulns" in one
    }
    silent = sorted(set(sheet) - answered.keys())
    if silent:
        names = ", ".join(" ".join(one) for one in silent)
        raise NotAuditedError(f"the service does not answer for {names}.")
    return [
        Finding(package, (one["id"], *one["aliases"]), tuple(one["fix_versions"]))
        for package, vulnerabilities in answered.items()
        for one in vulnerabilities
    ]


def read_accepted(path: Path, today: date) -> set[str]:
    """Return the ids of vulnerabilities that somebody accepted until a later day."""
    entries = tomllib.loads(path.read_text("utf-8")).get("accepted", [])
    return {one["id"] for one in entries if one["reason"] and today <= one["until"]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
