"""The commands of the pages of the documentation, carried out in a shell."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import httpx2

from tests.processes.test_demo import COMMAND, PRELUDE, SECONDS, environment
from tests.support.source_code import ROOT

FENCE: Final = "```"
SERVES: Final = re.compile(r"safe-conduct (serve|worker run)\b[^&|]*")
"""A command that runs until it is stopped."""
PROBLEM: Final = '"type":"/problems/'
"""Part of each refusal of the service, which curl prints."""


class Block(NamedTuple):
    """A block of commands: its page, its heading, and its number below this heading."""

    page: str
    heading: str
    number: int = 0


class CommandError(Exception):
    """A command of a page failed, or printed a refusal of the service."""


def read_page(page: str) -> str:
    """Return the text of a page of the documentation, or of the README."""
    return (ROOT / ("" if page == "README.md" else "docs") / page).read_text("utf-8")


def read_blocks(page: str, text: str) -> dict[Block, str]:
    """Return the blocks of commands of a page. Blocks with a language are data."""
    found, heading, lines = dict[Block, str](), "", list[str]()
    opened: str | None = None
    for line in text.splitlines():
        mark = line.strip()
        if opened is None and line.startswith("#"):
            heading = line.lstrip("# ")
        elif opened is None and mark.startswith(FENCE):
            opened, lines = mark, []
        elif opened is not None and mark == FENCE:
            if opened == FENCE:
                number = sum(one.heading == heading for one in found)
                found[Block(page, heading, number)] = "\n".join(lines)
            opened = None
        elif opened is not None:
            lines.append(line.strip() if opened == FENCE else line)
    return found


def list_blocks(page: str, heading: str) -> list[str]:
    """Return the blocks of commands below a heading of a page, up to the next heading."""
    found = read_blocks(page, read_page(page))
    return [text for block, text in found.items() if block.heading == heading]


def run_shell(
    script: str, folder: Path, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run commands in one shell, which stops at the first that fails."""
    return subprocess.run(
        ["bash", "-eux", "-c", script],
        env=add_command(environment(folder, **settings)),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def add_command(variables: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which `safe-conduct` is found."""
    path = variables.get("PATH", os.environ["PATH"])
    return {**variables, "PATH": f"{Path(COMMAND).parent}:{path}"}


@dataclass
class OperatorShell:
    """A shell whose exported variables remain from one script to the next.

    A command that serves runs in the background, until `stop`.
    """

    folder: Path
    variables: dict[str, str]
    address: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, script: str, typed: str = "") -> str:
        """Run a script with a text as its input, and return what it printed.

        Raises CommandError if a command fails, or prints a refusal of the service.
        """
        kept = self.folder / "variables"
        done = subprocess.run(
            ["bash", "-eu", "-c", f"{PRELUDE}{script}\nenv -0 >{kept}"],
            env=self.variables,
            cwd=self.folder,
            input=typed,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode or PROBLEM in done.stdout:
            raise CommandError(f"{script}\n{done.stdout}\n{done.stderr}")
        pairs = (one.partition("=") for one in kept.read_text("utf-8").split("\0") if one)
        self.variables = {name: value for name, _, value in pairs}
        kept.unlink()
        return done.stdout

    def run_commands(self, script: str, typed: str = "") -> str:
        """Run a script, and leave the commands that serve running in the background."""
        printed, waiting = "", list[str]()
        for line in script.splitlines():
            if serves := SERVES.match(line):
                printed += self.run("\n".join(waiting), typed)
                self.start(serves[0].partition("#")[0].strip())
                waiting = []
            else:
                waiting.append(line)
        return printed + self.run("\n".join(waiting), typed)

    def start(self, command: str) -> None:
        """Start a command that serves; for `serve`, wait until it is ready."""
        log = (self.folder / "served.log").open("ab")
        begun = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            env=self.variables,
            cwd=self.folder,
            stdout=log,
            stderr=log,
        )
        log.close()
        self.processes.append(begun)
        patience = time.monotonic() + SECONDS
        while command == "safe-conduct serve" and not self.is_ready():
            if begun.poll() is not None or time.monotonic() > patience:
                raise CommandError((self.folder / "served.log").read_text("utf-8"))
            time.sleep(0.1)

    def is_ready(self) -> bool:
        """Return whether the service can answer requests."""
        try:
            return httpx2.get(f"{self.address}/readyz", trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False

    def stop(self) -> None:
        """Stop all commands that serve, and wait until they have ended."""
        for process in self.processes:
            process.terminate()
        ended = {process.wait(SECONDS) for process in self.processes}
        self.processes.clear()
        if ended - {0, -signal.SIGTERM}:
            raise CommandError((self.folder / "served.log").read_text("utf-8"))


@contextmanager
def open_shell(
    folder: Path, variables: Mapping[str, str], address: str = ""
) -> Iterator[OperatorShell]:
    """Yield a shell that finds `safe-conduct`, and kill what still runs at the end."""
    shell = OperatorShell(folder, add_command(variables), address)
    try:
        yield shell
    finally:
        for process in shell.processes:
            process.kill()
            process.wait()
