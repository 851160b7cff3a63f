"""A process with many slow clients, which stands for an attacker on another machine.

`python -m tests.support.slow_sockets PORT KEY HOW_MANY` keeps HOW_MANY sockets open until
its input ends. It replaces each socket that the server closes, and prints how many were
closed.
"""

import os
import resource
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import batched, cycle
from socket import create_connection, socket
from typing import Final

from tests.support.servers import ROOT

EVERY: Final = 0.2
"""Seconds between two bytes of a slow client."""
APART: Final = 0.002
"""Seconds between two connections; the tests measure open connections, not a burst."""
TOGETHER: Final = 10
"""Number of clients that send at the same moment."""
HEAD: Final = b"POST /v1/cases HTTP/1.1\r\nHost: localhost\r\n"
BODY: Final = HEAD + b"Content-Type: application/json\r\nContent-Length: 9999\r\n"


FORM: Final = (
    b"POST /v1/oauth/token HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n7000\r\n" + b"x" * 4000
)
"""Half a form, from a client without a key."""


class Slow:
    """A slow client, which sends nothing, half a request head, or half a body.

    One client in four sends its head byte by byte. If `key` is empty, every client sends
    half a form.
    """

    def __init__(self, port: int, key: str, number: int) -> None:
        allowed = f"Authorization: Bearer {key}\r\n\r\n".encode()
        words = (b"", HEAD[:20], HEAD, BODY + allowed + b'{"summary"')
        self.port, self.word = port, words[number % len(words)] if key else FORM
        self.dribbles = number % len(words) == 2  # the head grows byte by byte
        self.shut = 0
        self.line = self.open_socket()

    def open_socket(self) -> socket:
        made = create_connection(("127.0.0.1", self.port), timeout=20)
        made.sendall(self.word)
        made.setblocking(False)
        time.sleep(APART)
        return made

    def advance(self) -> None:
        """Send a byte of a slow head. If the socket was closed, open a new socket."""
        if self.is_shut():
            self.line.close()
            self.line = self.open_socket()
            self.shut += 1

    def is_shut(self) -> bool:
        try:
            if self.dribbles:
                self.line.send(b"x")
            return not self.line.recv(4096)
        except BlockingIOError:
            return False
        except OSError:
            return True


class Crowd:
    """A crowd of slow clients, which runs in a process that the test controls."""

    def __init__(self, port: int, key: str, many: int) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.support.slow_sockets",
            str(port),
            key,
            str(many),
        ]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.read_line() == "open\n"

    def read_line(self) -> str:
        """Wait for the next line of the process's output."""
        assert self.process.stdout
        return self.process.stdout.readline()

    def finish(self) -> int:
        """Tell the process to end, and return how many sockets the server closed.

        The method does not wait until the process has ended, which may take a minute
        because the process has a low priority.
        """
        assert self.process.stdin
        self.process.stdin.close()
        return int(self.read_line())


@contextmanager
def open_slow_sockets(port: int, key: str, many: int) -> Iterator[Crowd]:
    """Keep many slow clients connected while the block runs."""
    crowd = Crowd(port, key, many)
    with crowd.process as process:  # the end of this block closes the pipes
        try:
            yield crowd
        finally:
            process.kill()


def main(port: int, key: str, many: int) -> None:
    """Keep sockets open until the standard input ends."""
    os.nice(19)  # do not slow down other measurements
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    lines = [Slow(port, key, number) for number in range(many)]
    sys.stdout.write("open\n")
    sys.stdout.flush()
    turns = cycle(batched(lines, TOGETHER))
    while not select.select([sys.stdin], [], [], EVERY * TOGETHER / many)[0]:
        for line in next(turns):
            line.advance()
    sys.stdout.write(f"{sum(line.shut for line in lines)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
