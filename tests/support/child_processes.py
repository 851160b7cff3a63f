"""Child processes that a test can wait for or kill.

Each process runs one function. The process is forked from an idle process that has imported
every module, so it starts fast and shares no memory with the test.
"""

from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Final

from tests.torture.service import WARM

type ReportPipe = Connection[str, str]
"""The end of a pipe to which a child process writes, as in `says.send("ready")`."""

SECONDS: Final = 60


class Child:
    """A child process that runs one function."""

    def __init__(self, act: Callable[..., None], *told: object) -> None:
        self.heard, says = Pipe(duplex=False)
        self.process = WARM.Process(target=act, args=(says, *told), daemon=True)
        self.process.start()
        says.close()  # otherwise the reader would not see that the child has ended

    @property
    def pid(self) -> int:
        pid = self.process.pid
        assert pid
        return pid

    def wait_for_report(self) -> str:
        """Wait for the next message, and return it.

        Raises `EOFError` if the process has ended, and AssertionError after `SECONDS`.
        """
        assert self.heard.poll(SECONDS)
        said: str = self.heard.recv()
        return said

    def wait(self) -> int | None:
        """Wait for the process to end; return its exit code, or None after `SECONDS`."""
        self.process.join(SECONDS)
        return self.process.exitcode

    def kill(self) -> None:
        """Kill the process, as a power failure would."""
        self.process.kill()
        self.process.join()
        self.heard.close()
