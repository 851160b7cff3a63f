"""Processes of their own that end when they are told to, or at once.

What one of them does is a function. It begins with everything imported, being forked from
a process that imported all of it and runs nothing; but it shares nothing with the test.
"""

from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Final

from tests.torture.service import WARM

type Says = Connection[str, str]
"""The end of a pipe to which a child says what it has to say: `says.send("ready")`."""

SECONDS: Final = 60


class Child:
    """A function at work in a process of its own."""

    def __init__(self, act: Callable[..., None], *told: object) -> None:
        self.heard, says = Pipe(duplex=False)
        self.process = WARM.Process(target=act, args=(says, *told), daemon=True)
        self.process.start()
        says.close()  # or nobody would notice that the child is gone

    @property
    def pid(self) -> int:
        pid = self.process.pid
        assert pid
        return pid

    def says(self) -> str:
        """Wait for what it says next; raises EOFError, where it ended instead."""
        assert self.heard.poll(SECONDS)
        said: str = self.heard.recv()
        return said

    def ends(self) -> int | None:
        """Wait until it ends by itself; with what, it says."""
        self.process.join(SECONDS)
        return self.process.exitcode

    def dies(self) -> None:
        """End it as a power cut would: it can say nothing more."""
        self.process.kill()
        self.process.join()
        self.heard.close()
