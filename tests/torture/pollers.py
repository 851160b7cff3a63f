"""Reference pollers that follow feeds all the time, and are killed now and then."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.feed.cursors import Feed
from app.kernel.vault import Vault
from tests.support.servers import ROOT
from tests.support.world import KEYS
from tests.torture.clients import Person
from tests.torture.lives import Broken

POLLER: Final = ROOT / "conformance" / "poller.py"
STANDS: Final = "SELECT cursor FROM stand WHERE cursor IS NOT NULL"
CATCHES_UP: Final = 60.0
"""Seconds that a poller may take to read the rest of its feed."""


@dataclass
class Poller:
    """One integrator's poller, with the file in which it keeps what it dealt with."""

    person: Person
    inbox: Path
    address: str
    program: Path = POLLER
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0

    def begin(self) -> None:
        """Let it poll until it is killed."""
        env = {"SAFE_CONDUCT_URL": self.address, "SAFE_CONDUCT_KEY": self.person.key}
        command = [sys.executable, str(self.program), str(self.inbox)]
        self.process = subprocess.Popen(command, env=os.environ | env)

    def dies(self) -> None:
        """Kill it; raises Broken if it had ended by itself, which no poller should."""
        if self.process is None:
            return
        ended = self.process.poll()
        if ended is not None:
            raise Broken(f"A poller of {self.person.code} ended by itself with {ended}.")
        self.process.kill()
        self.process.wait()
        self.deaths, self.process = self.deaths + 1, None

    def end(self) -> None:
        """End it, however it is."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def heard(self) -> list[str]:
        """List the events that it dealt with, in order."""
        return self.kept("SELECT id FROM dealt_with ORDER BY number")

    def stands_at(self) -> int:
        """Return the position that its cursor points to."""
        feed = Feed(Vault(KEYS), self.person.office, epoch="")
        return max((feed.decrypt(one)[1] for one in self.kept(STANDS)), default=0)

    def kept(self, asked: str) -> list[str]:
        """Read what its file keeps."""
        if not self.inbox.exists():
            return []
        with closing(sqlite3.connect(self.inbox, timeout=30)) as inbox:
            return [str(row[0]) for row in inbox.execute(asked)]

    def catches_up(self, head: int) -> None:
        """Wait until it has come so far, or until it has had time enough."""
        until = time.monotonic() + CATCHES_UP
        while self.stands_at() < head and time.monotonic() < until:
            time.sleep(0.1)


def catch_up(pollers: Sequence[Poller], heads: dict[str, int]) -> None:
    """Let all of them read the rest, each begun anew, so that none waits long."""
    for poller in pollers:
        poller.end()
        poller.begin()
    for poller in pollers:
        poller.catches_up(heads.get(poller.person.code, 0))
        poller.end()
