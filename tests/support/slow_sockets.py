"""Many who send slowly: a process of its own, as attackers have a machine of their own.

`python -m tests.slow_sockets PORT KEY HOW_MANY` holds so many sockets open until its input
ends, puts another in the place of each that is shut, and says how many were.
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
"""Seconds between two bytes of one who sends any."""
APART: Final = 0.002
"""Seconds between one that connects and the next: what holds on is measured, not a rush."""
TOGETHER: Final = 10
"""So many send at the same moment: they know nothing of each other."""
HEAD: Final = b"POST /v1/cases HTTP/1.1\r\nHost: localhost\r\n"
BODY: Final = HEAD + b"Content-Type: application/json\r\nContent-Length: 9999\r\n"


FORM: Final = (
    b"POST /v1/oauth/token HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n7000\r\n" + b"x" * 4000
)
"""Half a form, by somebody who has no key."""


class Slow:
    """A socket that says nothing, half a head or half a body; each second one dribbles.

    Without a key, half a form.
    """

    def __init__(self, port: int, key: str, number: int) -> None:
        allowed = f"Authorization: Bearer {key}\r\n\r\n".encode()
        words = (b"", HEAD[:20], HEAD, BODY + allowed + b'{"notice"')
        self.port, self.word = port, words[number % len(words)] if key else FORM
        self.dribbles = number % len(words) == 2  # what grows byte by byte
        self.shut = 0
        self.line = self.opened()

    def opened(self) -> socket:
        made = create_connection(("127.0.0.1", self.port), timeout=20)
        made.sendall(self.word)
        made.setblocking(False)
        time.sleep(APART)
        return made

    def goes_on(self) -> None:
        """Send a byte if it is one that does, or open another if it was shut."""
        if self.is_shut():
            self.line.close()
            self.line = self.opened()
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
    """So many slow senders, as seen from outside."""

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
        assert self.says() == "open\n"

    def says(self) -> str:
        """Wait for its next word."""
        assert self.process.stdout
        return self.process.stdout.readline()

    def goes(self) -> int:
        """Close all, and say how many were shut by the other side meanwhile.

        Its end is not waited for: as nice as it is, that may take a minute.
        """
        assert self.process.stdin
        self.process.stdin.close()
        return int(self.says())


@contextmanager
def slow_sockets(port: int, key: str, many: int) -> Iterator[Crowd]:
    """Have many send slowly as long as the block lasts."""
    crowd = Crowd(port, key, many)
    with crowd.process as process:  # which shuts what it is spoken to by
        try:
            yield crowd
        finally:
            process.kill()


def main(port: int, key: str, many: int) -> None:
    """Hold sockets open until nobody listens any more."""
    os.nice(19)  # whoever measures beside us is not to wait for us
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    lines = [Slow(port, key, number) for number in range(many)]
    sys.stdout.write("open\n")
    sys.stdout.flush()
    turns = cycle(batched(lines, TOGETHER))
    while not select.select([sys.stdin], [], [], EVERY * TOGETHER / many)[0]:
        for line in next(turns):
            line.goes_on()
    sys.stdout.write(f"{sum(line.shut for line in lines)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
