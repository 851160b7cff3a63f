"""Tests that low disk space is reported, and that space for cases is reserved.

The real command runs in its own process. In the quick tests, the thresholds are larger than
any disk. `make soak` also fills a small tmpfs, which only root may mount.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest
from httpx2 import Response
from sqlalchemy import make_url

from app.kernel.db import Database
from app.kernel.free_space import MIB
from tests.processes.test_demo import SECONDS
from tests.processes.test_worker_command import WorkerSite, answered, free_port
from tests.support.effort import is_night
from tests.support.metrics_scrape import Scraper
from tests.support.servers import make_client, report, write_key_file
from tests.support.world import Json, Someone, World, get_problem, make_case

pytestmark = [pytest.mark.slow, pytest.mark.soak]
HUGE: Final = 2**30
"""A number of MiB that is larger than any disk."""
DISK_MIB, LOW_MIB, RESERVED_MIB = 48, 16, 8
"""The size of the small disk, its limit for low space, and its reserve, in MiB."""
REFUSES: Final = "the reserve is reached: writes that can wait are refused"
RESERVED: Final = (503, "disk-space-reserved")
BUSY: Final = (503, "busy")
LOCAL: Final = {"key_file", "erasure_ledger"}
MANY: Final = 2000


@dataclass
class Service:
    """A running service, with the accounts that use it."""

    port: int
    scraper: Scraper
    officer: Someone
    lead: Someone

    def ready(self) -> Json:
        """Wait until every part of the worker has reported, and return `/readyz`."""
        deadline, url = time.monotonic() + SECONDS, f"http://127.0.0.1:{self.port}/readyz"
        while True:
            answer = httpx.get(url, timeout=30, trust_env=False)
            if answer.status_code == 200 and answer.json()["worker"] == "ready":
                return dict(answer.json())
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.2)

    def free(self) -> dict[str, float]:
        """Return the free bytes of each place that the metrics name, such as `database`."""
        return {
            dict(labels)["place"]: value
            for (name, labels), value in self.scraper.read_samples().items()
            if name == "free_bytes"
        }


def build_site(folder: Path, url: str, low: int, reserved: int) -> WorkerSite:
    settings = {
        "SAFE_CONDUCT_DATABASE_URL": url,
        "SAFE_CONDUCT_KEY_FILE": str(write_key_file(folder)),
        "SAFE_CONDUCT_ERASURE_LEDGER": str(folder / "erasures"),
        "SAFE_CONDUCT_ENVIRONMENT": "drill",
        "SAFE_CONDUCT_WORKER": "inside",
        "SAFE_CONDUCT_REQUESTS_PER_MINUTE": "1000000",
        "SAFE_CONDUCT_LOG_LEVEL": "warning",  # the log is not read until the end
        "SAFE_CONDUCT_LOW_SPACE_MIB": str(low),
        "SAFE_CONDUCT_RESERVED_SPACE_MIB": str(reserved),
    }
    return WorkerSite(folder, Database(url), settings)


@contextmanager
def serve_site(house: WorkerSite) -> Iterator[Service]:
    """Run the service and its worker in one process, and stop the process at the end."""
    world = World(house.settings["SAFE_CONDUCT_DATABASE_URL"])
    officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
    port, metrics = free_port(), free_port()
    ports = {"SAFE_CONDUCT_PORT": port, "SAFE_CONDUCT_METRICS_PORT": metrics}
    try:
        with house.process("serve", **ports):
            answered(f"http://127.0.0.1:{port}/livez")
            world.http.close()
            world.http = make_client(int(port))
            yield Service(int(port), Scraper(int(metrics)), officer, lead)
    finally:
        world.close()
        house.database.engine.dispose()


def test_with_only_the_reserve_left_cases_go_on_and_operators_are_told(
    tmp_path: Path, url: str
) -> None:
    embedded = url.startswith("sqlite")
    house = build_site(tmp_path, url, HUGE, HUGE)
    doctor = house.runs("doctor")
    with serve_site(house) as service:
        said = str(service.ready()["free_space"])
        drafted = service.officer.create_case()
        case = service.officer.submit()
        acknowledged = service.lead.does("acknowledge", case)
        free = service.free()

    assert acknowledged.status_code == 200
    if embedded:
        assert get_problem(drafted) == RESERVED
        assert drafted.headers["Retry-After"] == "60"
        assert said.startswith("low: key_file ")
        assert said.endswith(REFUSES)
    else:
        assert drafted.status_code == 201, "the disk of a PostgreSQL server is not checked"
        assert REFUSES not in said
        assert " database " not in said
    assert set(free) == (LOCAL | {"database"} if embedded else LOCAL)
    assert min(free.values()) > 0
    assert (doctor.returncode, "Warning: disk space: low: " in doctor.stdout) == (0, True)
    assert str(tmp_path) not in said


@pytest.mark.parametrize("small", [False, True] if is_night() else [False])
def test_with_room_again_all_goes_on(
    tmp_path: Path, sqlite_url: str, *, small: bool
) -> None:
    if small:
        fill_and_empty(tmp_path, sqlite_url)
        return
    with serve_site(build_site(tmp_path, sqlite_url, HUGE, HUGE)) as service:
        refused = service.officer.create("/cases", make_case(), "once")
    with serve_site(build_site(tmp_path, sqlite_url, 0, 0)) as service:
        said = service.ready()["free_space"]
        again = service.officer.create("/cases", make_case(), "again")

    assert (get_problem(refused), again.status_code) == (RESERVED, 201)
    assert said == "enough"


def fill_and_empty(folder: Path, url: str) -> None:
    """Fill a small disk with drafts and then with cases, and free space again.

    The reserve holds a few hundred cases. When the reserve is used up, every write is
    refused, as on any full disk. Every case that got 201 is stored.
    """
    with on_small_disk(Path(str(make_url(url).database)), folder / "disk") as place:
        house = build_site(folder, f"sqlite:///{place}", LOW_MIB, RESERVED_MIB)
        with serve_site(house) as service:
            officer, at_first = service.officer, service.ready()["free_space"]
            drafts = run_until(RESERVED, officer.create_case)
            at_reserve, free = (
                str(service.ready()["free_space"]),
                service.free()["database"],
            )
            cases = run_until(BUSY, lambda: officer.create_case(submit=True))
            place.with_name("ballast").unlink()
            again = officer.create_case(submit=True)
            later = officer.create_case()
            listed = count_cases(officer)
    report("drafts before the reserve", [drafts])
    report("cases within the reserve", [cases])

    assert at_first == "enough"
    assert at_reserve.startswith("low: database ")
    assert at_reserve.endswith(REFUSES)
    assert free < RESERVED_MIB * MIB
    assert drafts > 0
    assert cases >= 50
    assert (again.status_code, later.status_code) == (201, 201)
    assert listed == drafts + cases + 2


@contextmanager
def on_small_disk(place: Path, folder: Path) -> Iterator[Path]:
    """Copy a database to a small disk of its own, and fill half of the disk."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)]
    subprocess.run(command, check=True)
    try:
        (folder / "ballast").write_bytes(bytes(DISK_MIB // 2 * MIB))
        yield shutil.copyfile(place, folder / "own.db")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def count_cases(officer: Someone) -> int:
    """Return the number of cases of an office."""
    return len(officer.list_all("/cases", limit=200))


def run_until(end: tuple[int, str], act: Callable[[], Response]) -> int:
    """Return how many times an action succeeds before it is refused with problem `end`."""
    for number in range(MANY):
        answer = act()
        if answer.status_code != 201:
            assert get_problem(answer) == end
            return number
    raise AssertionError(f"Never {end}")
