"""The drill: run load, make a backup, delete the database, restore and check."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx2
from sqlalchemy import select

from app.cases.lifecycle import State
from app.cases.models import Case, CaseKey, Sealed
from app.kernel.actors import SERVICE
from app.kernel.erasures import get_erasures
from app.kernel.journal import Delivery, Mailbox
from app.kernel.ledger import Ledger
from tests.processes.drill.load import Load, people, working
from tests.processes.drill.sites import Site, site
from tests.processes.test_demo import COMMAND, command, environment
from tests.support import results
from tests.support.servers import ROOT, get_address, make_client, open_port, write_key_file
from tests.support.world import Json, World, get_problem

CASES: Final = 8
"""Minimum number of cases before the time to which a restore goes back, and after it."""
DRAFTS: Final = 6
"""Number of drafts that are discarded after the time to which a restore goes back."""
PATIENCE: Final = 60.0
OVER: Final = {State.CLOSED, State.VOID, State.ERASED}
RESULTS: Final = ROOT / ".torture"


@dataclass(frozen=True)
class DrillResult:
    """The result of the drill."""

    database: str
    submitted: int
    restored: int
    lost: int
    erased_again: int
    affected: int
    seconds_lost: float
    seconds_to_restore: float
    seconds: float


@dataclass
class Operator:
    """An operator who runs and restores the service."""

    place: Site
    home: Path
    serving: list[subprocess.Popen[bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.home / "elsewhere" / "erasures")

    @property
    def settings(self) -> dict[str, str]:
        return {
            "SAFE_CONDUCT_DATABASE_URL": self.place.url,
            "SAFE_CONDUCT_KEY_FILE": str(self.home / "keys"),
            "SAFE_CONDUCT_ERASURE_LEDGER": str(self.ledger.path),
            "SAFE_CONDUCT_PORT": str(self.port),
            "SAFE_CONDUCT_WORKER": "inside",
            "SAFE_CONDUCT_ENVIRONMENT": "drill",
            **self.place.variables,
        }

    def types(self, *words: str) -> subprocess.CompletedProcess[str]:
        return command(self.home, *words, **self.settings)

    def does(self, *words: str) -> str:
        """Run a command that must succeed, and return its output."""
        said = self.types(*words)
        assert (said.returncode, said.stderr) == (0, ""), said.stderr
        return said.stdout

    def serves(self) -> None:
        """Start the service, and wait until it and its worker are ready."""
        with open_port() as free:
            self.port = free.getsockname()[1]
        told = environment(self.home, **self.settings, SAFE_CONDUCT_LOG_LEVEL="error")
        self.serving.append(subprocess.Popen([COMMAND, "serve"], cwd=self.home, env=told))
        last = time.monotonic() + PATIENCE
        while not is_ready(self.port):
            assert self.serving[-1].poll() is None, "the service does not start"
            assert time.monotonic() < last, "the service does not become ready"
            time.sleep(0.1)

    def kills(self) -> None:
        """Kill the service without a clean shutdown, as a power failure would."""
        for process in self.serving:
            process.kill()
            process.wait()
        self.serving.clear()


def is_ready(port: int) -> bool:
    try:
        return httpx2.get(f"{get_address(port)}/readyz", trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


@contextmanager
def run_operator(kind: str, home: Path) -> Iterator[Operator]:
    """Set up a service, yield its operator, and kill the service at the end."""
    write_key_file(home)
    with site(kind, home) as place:
        operator = Operator(place, home)
        try:
            yield operator
        finally:
            operator.kills()


def drill(kind: str, home: Path) -> DrillResult:
    """Run the whole drill; raise `AssertionError` if a check fails."""
    began = time.monotonic()
    with run_operator(kind, home) as operator:
        load, moment, lost_at = run_until_loss(operator)
        broken = time.monotonic()
        said = operator.place.restore(operator.does)
        report = report_affected(operator)
        operator.serves()
        mended = time.monotonic()
        world = World(operator.place.url)
        there = list_codes(world)

        require_nothing_lost(load, there, moment)
        require_whole(world, operator.ledger)
        check_report(report, world, load)
        check_poller(load, world, operator.port, there)
        world.close()
    result = DrillResult(
        database=kind,
        submitted=len(load.submitted),
        restored=len(there & {one.code for one in load.submitted}),
        lost=len({one.code for one in load.submitted} - there),
        erased_again=int(said.split(" of these cases were in the backup")[0].split()[-1]),
        affected=len(report["cases"]),
        seconds_lost=round((lost_at - moment).total_seconds(), 1),
        seconds_to_restore=round(mended - broken, 1),
        seconds=round(time.monotonic() - began, 1),
    )
    assert result.lost > 0, "nothing was lost, so the drill proves nothing"
    assert result.erased_again == DRAFTS, said
    store_result(result, report)
    return result


def run_until_loss(operator: Operator) -> tuple[Load, datetime, datetime]:
    """Run load, make a backup, discard drafts, kill the service and delete the database."""
    operator.serves()
    world = World(operator.place.url)
    load = people(world, operator.port)
    load.drafts_some(2 * DRAFTS)
    with working(load, operator.kills):
        load.grows(CASES)
        moment = operator.place.back_up(operator.does)
        load.grows(CASES)
        load.discards(DRAFTS)
        last = time.monotonic() + PATIENCE
        while len(list_named(operator.ledger)) < DRAFTS:
            assert time.monotonic() < last, "the erasures do not reach the ledger"
            time.sleep(0.05)
    lost_at = datetime.now(UTC)
    world.close()
    operator.place.lose()
    return load, moment, lost_at


def list_named(ledger: Ledger) -> set[str]:
    """Return the ids of the cases in the ledger."""
    contents = ledger.read()
    return {str(case) for case in contents.erased} if contents else set()


def report_affected(operator: Operator) -> Json:
    """Run the last commands of docs/operations.md, and return the affected cases."""
    report: Json = json.loads(operator.does("affected", "--json"))
    RESULTS.mkdir(exist_ok=True)
    text = operator.does("affected")
    (RESULTS / "drill-affected.txt").write_text(text)
    operator.does("doctor")
    return report


# The checks.


def list_codes(world: World) -> set[str]:
    with world.database.begin_read(SERVICE) as session:
        return set(session.scalars(select(Case.code)))


def require_nothing_lost(load: Load, there: set[str], moment: datetime) -> None:
    """Require that all cases acknowledged before `moment` are still there."""
    before = {one.code for one in load.submitted if one.at < moment}
    assert len(before) >= CASES
    assert before <= there, before - there


def require_whole(world: World, ledger: Ledger) -> None:
    """Check that rows are complete, feeds have no gaps, and erased cases have no keys."""
    erased = list_named(ledger)
    with world.database.begin_read(SERVICE) as session:
        cases = session.execute(select(Case.id, Case.state)).all()
        keys = set(session.scalars(select(CaseKey.case_id)))
        sealed = Counter(session.scalars(select(Sealed.case_id)))
        heads = session.execute(select(Mailbox.focal_point_id, Mailbox.head)).all()
        places = session.execute(select(Delivery.focal_point_id, Delivery.position)).all()
        known = {str(case) for case in get_erasures(session)}
    gone = {case for case, state in cases if state in OVER}
    assert {case for case, _ in cases} - gone == keys
    assert not erased & {str(case) for case in keys | sealed.keys()}
    assert erased <= known
    written = {sealed[case] for case, state in cases if state == State.SUBMITTED}
    assert len(written) == 1, f"cases were written alike, and are not: {written}"
    for office, head in heads:
        mine = sorted(position for one, position in places if one == office)
        assert mine == list(range(1, head + 1)), "a feed has a gap"


def check_report(report: Json, world: World, load: Load) -> None:
    """Check that the report lists every open and every erased case, and no unknown case."""
    with world.database.begin_read(SERVICE) as session:
        states = dict(session.execute(select(Case.code, Case.state)).all())
    reported = {one["code"]: one for one in report["cases"]}
    discarded = {one.code for one in load.discarded}
    unfinished = {code for code, state in states.items() if state not in OVER}
    erased = {code for code, one in reported.items() if one["state"] == "erased"}
    assert unfinished <= reported.keys()
    assert erased == discarded
    assert reported.keys() <= states.keys()
    assert all(one["tell"] for one in reported.values() if one["state"] != "erased")


def check_poller(load: Load, world: World, port: int, there: set[str]) -> None:
    """Check that the feed refuses an old cursor (410), and lists all cases without one."""
    world.http.close()
    load.lead.world = world
    world.http = make_client(port)
    assert load.lead.cursor
    refused = load.lead.get("/events", after=load.lead.cursor)
    assert get_problem(refused) == (410, "cursor-gone")
    load.lead.cursor = None
    heard = [one for one in load.lead.poll() if one["type"] == "case.submitted"]
    reported = {str(one["subject"]).removeprefix("cases/") for one in heard}
    assert there & {one.code for one in load.submitted} <= reported <= there


def store_result(result: DrillResult, report: Json) -> None:
    """Store the result and the report."""
    path = RESULTS / f"drill-{result.database}"
    results.write_result(path.with_suffix(".json"), asdict(result))
    results.write_result(path.with_suffix(".affected.json"), report)


def report_result(result: DrillResult) -> Iterator[str]:
    """Yield the lines that describe the result."""
    yield f"The drill on {result.database} passed in {result.seconds} s."
    yield f"{result.submitted} cases were acknowledged; {result.lost} of them are lost: "
    yield f"they came in the {result.seconds_lost} s after the backup's moment."
    yield f"{result.erased_again} erasures were carried out again."
    yield f"{result.affected} cases are told as affected: .torture/drill-affected.txt"
    yield f"It served again {result.seconds_to_restore} s after the loss."
