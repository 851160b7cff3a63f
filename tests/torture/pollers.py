"""Reference pollers, which read feeds during the run and are sometimes killed."""

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
SELECT_CURSOR: Final = "SELECT cursor FROM stand WHERE cursor IS NOT NULL"
TIMEOUT: Final = 60.0
"""Seconds that a poller may take to read the rest of its feed."""


@dataclass
class Poller:
    """The poller of one integrator, with the file of the events that it processed."""

    person: Person
    inbox: Path
    address: str
    program: Path = POLLER
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0

    def start(self) -> None:
        """Start the poller."""
        env = {"SAFE_CONDUCT_URL": self.address, "SAFE_CONDUCT_KEY": self.person.key}
        command = [sys.executable, str(self.program), str(self.inbox)]
        self.process = subprocess.Popen(command, env=os.environ | env)

    def kill(self) -> None:
        """Kill the poller, or raise Broken if it has ended by itself."""
        if self.process is None:
            return
        ended = self.process.poll()
        if ended is not None:
            raise Broken(f"A poller of {self.person.code} ended by itself with {ended}.")
        self.process.kill()
        self.process.wait()
        self.deaths, self.process = self.deaths + 1, None

    def stop(self) -> None:
        """Stop the poller."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def list_events(self) -> list[str]:
        """Return the events that the poller has processed, in order."""
        return self.select("SELECT id FROM dealt_with ORDER BY number")

    def get_position(self) -> int:
        """Return the position in the cursor of the poller, or 0 if it has no cursor."""
        feed = Feed(Vault(KEYS), self.person.office, epoch="")
        return max((feed.decrypt(one)[1] for one in self.select(SELECT_CURSOR)), default=0)

    def select(self, statement: str) -> list[str]:
        """Return the first column of a query on the poller's file, or [] without a file."""
        if not self.inbox.exists():
            return []
        with closing(sqlite3.connect(self.inbox, timeout=30)) as inbox:
            return [str(row[0]) for row in inbox.execute(statement)]

    def wait_for_position(self, head: int) -> None:
        """Wait until the poller has reached a position, for at most `TIMEOUT` seconds."""
        until = time.monotonic() + TIMEOUT
        while self.get_position() < head and time.monotonic() < until:
            time.sleep(0.1)


def finish_pollers(pollers: Sequence[Poller], heads: dict[str, int]) -> None:
    """Restart all pollers, wait until each has read its feed to the end, and stop it."""
    for poller in pollers:
        poller.stop()
        poller.start()
    for poller in pollers:
        poller.wait_for_position(heads.get(poller.person.code, 0))
        poller.stop()
