"""The processes of both commits, which get the same commands."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from tests.differential.expected import drop_expected
from tests.differential.names import Names, Texts

type Json = dict[str, Any]


class Stopped(Exception):  # noqa: N818 - without a suffix, as Problem classes are
    """The process of one side ended. The message is the end of its log."""


@dataclass(frozen=True)
class Step:
    """A command for both sides, in which opaque values are replaced by names."""

    do: str
    operation: str = ""
    person: str = ""
    template: str = "{}"
    """The arguments of the command in JSON."""
    literals: dict[str, str] = field(default_factory=dict)

    @property
    def reads(self) -> bool:
        """Whether the step only reads."""
        return bool(json.loads(self.template).get("method") == "GET")


@dataclass(frozen=True)
class Outcome:
    """The answers of both sides to a step."""

    answer: Json
    """The answer of the other commit."""
    texts: Texts
    """Both answers with names in the place of opaque values."""

    @property
    def differs(self) -> bool:
        """Whether the answers differ."""
        return self.texts[0] != self.texts[1]


class Side(Protocol):
    """The service of one commit."""

    def send(self, command: Json) -> None:
        """Send a command."""

    def receive(self) -> Json:
        """Return the answer to the last command."""


@dataclass
class ProcessSide:
    """A service in a process that reads commands and writes answers."""

    process: subprocess.Popen[str]
    log: Path

    def send(self, command: Json) -> None:
        """Write a command to the standard input of the process."""
        print(json.dumps(command), file=self.process.stdin, flush=True)

    def receive(self) -> Json:
        """Return the answer of the process, or raise Stopped if it has ended."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise Stopped(self.log.read_text("utf-8")[-3000:])
        answer: Json = json.loads(line)
        return answer


@contextmanager
def run_side(root: Path, database: str, log: Path) -> Iterator[ProcessSide]:
    """Run a working tree's service, which reads commands, while the context is open."""
    module = "tests.differential.service"
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module, database],
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(root), "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        ) as process,
    ):
        yield ProcessSide(process, log)  # the exit closes the pipes, and waits


@dataclass
class Pair:
    """The two sides: the other commit, and this working tree."""

    sides: Sequence[Side]
    names: Names = field(default_factory=Names)
    steps: int = 0

    def begin(self) -> Outcome:
        """Open a new world on both sides, and discard all names."""
        self.names, self.steps = Names(), 0
        return self.run(Step("begin"))

    def write_step(self, step: Step, arguments: Json) -> Step:
        """Return a step with names in the place of the values of its arguments."""
        template = self.names.write_template(json.dumps(arguments, ensure_ascii=False))
        literals = self.names.list_literals(template)
        return replace(step, template=template, literals=literals)

    def run(self, step: Step, number: int | None = None) -> Outcome:
        """Run a step on both sides at the same time, and return both answers.

        `number` is the number of the step in the walk from which it was taken.
        """
        number = self.steps if number is None else number
        self.steps = number + 1
        for number_of_side, side in enumerate(self.sides):
            filled = self.names.fill(step.template, number_of_side, step.literals)
            side.send({"do": step.do} | json.loads(filled))
        first, second = (side.receive() for side in self.sides)
        texts = (format_answer(step, first), format_answer(step, second))
        return Outcome(first, self.names.rename(texts, number))


def format_answer(step: Step, answer: Json) -> str:
    """Return an answer as text, without the differences that are expected."""
    if step.do != "send":
        return json.dumps(answer)
    answer = drop_expected(step.operation, answer)
    headers = [f"{name}: {value}" for name, value in answer["headers"]]
    return "\n".join([str(answer["status"]), *headers, "", answer["body"]])


@contextmanager
def open_pair(roots: Sequence[Path], database: str, folder: Path) -> Iterator[Pair]:
    """Yield the services of two working trees."""
    logs = [folder / f"{database}-{name}.log" for name in ("other-commit", "this-tree")]
    with ExitStack() as stack:
        yield Pair(
            [
                stack.enter_context(run_side(root, database, log))
                for root, log in zip(roots, logs, strict=True)
            ]
        )
