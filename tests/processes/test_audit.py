"""Tests of `make audit` with the real pip-audit, and a local server in place of OSV."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import override

import audit
import pytest

from tests.support.world import Json

HASH = f"    --hash=sha256:{'0' * 64}\n"
RUN = f"alpha==1.0 \\\n{HASH}    # via\n    #   safe-conduct (pyproject.toml)\n"
DEV = f"alpha==1.0 \\\n{HASH}bravo==2.0 ; sys_platform == 'win32' \\\n{HASH}"
OTHER = f"bravo==3.0 \\\n{HASH}"
PINNED = {("alpha", "1.0"), ("bravo", "2.0"), ("bravo", "3.0")}
FIXED = ("alpha 1.0: PYSEC-2026-1 CVE-2026-0001; fixed in 1.1: ", "alpha'")
ID = "CVE-2026-0001"


@dataclass
class Service:
    """A vulnerability service: its data, the queries it received, and its behaviour."""

    knows: set[audit.Package] = field(default_factory=lambda: {audit.PROBE})
    asked: list[audit.Package] = field(default_factory=list)
    status: int = 200
    page: bytes | None = None

    def answer(self, query: Json) -> bytes:
        """Record a query, and return the response in the format of OSV."""
        package = (query["package"]["name"], query["version"])
        self.asked.append(package)
        if self.page is not None:
            return self.page
        return json.dumps(
            build_vulnerability(*package) if package in self.knows else {}
        ).encode()


def build_vulnerability(name: str, version: str) -> Json:
    affected = {
        "package": {"name": name, "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": f"{version[:2]}1"}]}],
    }
    return {"vulns": [{"id": "PYSEC-2026-1", "aliases": [ID], "affected": [affected]}]}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    asked = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = asked.answer(json.loads(self.rfile.read(length)))
            self.send_response(asked.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever).start()
        monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield asked
        server.shutdown()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository whose requirements were committed a month ago."""
    folder = tmp_path / "tree"
    (folder / "requirements").mkdir(parents=True)
    for name, text in {"run": RUN, "dev": DEV, "other": OTHER}.items():
        (folder / f"requirements/{name}.txt").write_text(text)
    (folder / audit.ACCEPTED).write_text("# Nothing.\n")
    run_git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, timedelta(days=30))
    return folder


def run_git(root: Path, *words: str, **more: str) -> str:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return subprocess.check_output(
        ["git", *who, *words], cwd=root, text=True, env=dict(**PATH, **more)
    )


PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def commit(root: Path, ago: timedelta) -> str:
    moment = (datetime.now(UTC) - ago).isoformat()
    run_git(root, "add", ".")
    run_git(root, "commit", "--quiet", "-m", "Pin", GIT_COMMITTER_DATE=moment)
    return run_git(root, "rev-parse", "HEAD").strip()


def accept(root: Path, *, days: int) -> None:
    until = (datetime.now(UTC) + timedelta(days=days)).date()
    (root / audit.ACCEPTED).write_text(
        f'[[accepted]]\nid = "{ID}"\nreason = "Not reached."\nuntil = {until}\n'
    )


def test_every_pin_is_asked_about_whatever_its_platform_and_file(
    root: Path, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main([], root) == 0

    assert service.asked[0] == audit.PROBE
    assert sorted(service.asked[1:]) == sorted(PINNED)
    assert "Audited 3 packages: 0 known vulnerabilities" in capsys.readouterr().out


def test_a_known_vulnerability_fails_and_is_named_with_its_remedy(
    root: Path, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.knows.add(("alpha", "1.0"))

    assert audit.main([], root) == 1

    said = capsys.readouterr()
    assert "1 known vulnerabilities, 0 accepted" in said.out
    assert said.err.startswith(FIXED[0])
    assert said.err.strip().endswith(FIXED[1])


@pytest.mark.parametrize(("days", "code"), [(0, 0), (1, 0), (-1, 1)])
def test_what_somebody_accepted_passes_until_its_day(
    root: Path, service: Service, days: int, code: int
) -> None:
    service.knows.add(("alpha", "1.0"))
    accept(root, days=days)

    assert audit.main([], root) == code


def is_away(_: Service, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("PIP_AUDIT_OSV_URL", "http://127.0.0.1:9/")


def fails(service: Service, _: pytest.MonkeyPatch) -> None:
    service.status = 503


def shows_a_page(service: Service, _: pytest.MonkeyPatch) -> None:
    service.page = b"<title>Sign in to this network</title>"


def has_no_data(service: Service, _: pytest.MonkeyPatch) -> None:
    service.knows.clear()


NO_ANSWERS = {one.__name__: one for one in (is_away, fails, shows_a_page, has_no_data)}


@pytest.fixture(params=NO_ANSWERS)
def silent(
    request: pytest.FixtureRequest, service: Service, monkeypatch: pytest.MonkeyPatch
) -> Service:
    """Return a service that does not answer whether a package is vulnerable."""
    NO_ANSWERS[request.param](service, monkeypatch)
    return service


@pytest.mark.usefixtures("silent")
def test_a_service_that_does_not_answer_fails_the_audit_and_says_so(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main([], root) == 2

    said = capsys.readouterr()
    assert said.err.startswith("NOT AUDITED: ")
    assert "Audited" not in said.out


@pytest.mark.usefixtures("silent")
def test_a_service_that_does_not_answer_stops_no_commit_and_says_so(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "requirements/new.txt").write_text(f"charlie==1.0 \\\n{HASH}")

    assert audit.main(["--changed"], root) == 0

    said = capsys.readouterr()
    assert said.err.startswith("NOT AUDITED: ")
    assert "Audited" not in said.out


def test_a_package_that_the_service_does_not_have_is_not_audited() -> None:
    sheet = [("alpha", "1.0"), ("bravo", "2.0")]
    answer: list[Json] = [
        {"name": "alpha", "version": "1.0", "vulns": []},
        {"name": "bravo", "skip_reason": "Dependency not found and could not be audited"},
    ]

    with pytest.raises(audit.NotAuditedError, match=r"does not answer for bravo 2\.0"):
        audit.read_answer(sheet, answer)
    assert audit.read_answer(sheet[:1], answer[:1]) == []


def test_nothing_is_asked_where_no_pin_is_new(
    root: Path, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.knows.add(("alpha", "1.0"))

    assert audit.main(["--changed"], root) == 0

    assert service.asked == []
    assert ": 0.\n" in capsys.readouterr().out


def test_a_new_pin_with_a_known_vulnerability_is_refused(
    root: Path, service: Service
) -> None:
    service.knows |= {("alpha", "1.0"), ("charlie", "1.0")}
    (root / "requirements/new.txt").write_text(f"charlie==1.0 \\\n{HASH}")

    assert audit.main(["--changed"], root) == 1

    assert service.asked == [audit.PROBE, ("charlie", "1.0")]


def test_a_branch_is_compared_with_where_it_left_and_a_clone_with_last_week(
    root: Path, tmp_path: Path
) -> None:
    run_git(tmp_path, "clone", "--quiet", str(root), "branch")
    branch, landing = tmp_path / "branch", tmp_path / "landing"
    landed = run_git(branch, "rev-parse", "HEAD").strip()
    (branch / "requirements/run.txt").write_text(RUN.replace("1.0", "1.1"))

    commit(branch, timedelta(days=8))
    last_week = run_git(branch, "rev-parse", "HEAD").strip()
    (branch / "requirements/run.txt").write_text(RUN.replace("1.0", "1.2"))
    commit(branch, timedelta(hours=1))
    run_git(tmp_path, "clone", "--quiet", str(branch), "landing")

    assert audit.find_base(branch) == landed
    assert audit.find_base(landing) == last_week
    assert audit.find_base(tmp_path) is None
    assert audit.read_pins(landing) - audit.read_pins_of_commit(landing, last_week) == {
        ("alpha", "1.2")
    }
