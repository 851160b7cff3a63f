"""A plugin that records the responses that tests get, and a comparison of two records.

Load it with `-p tests.support.recorded_answers --record-answers FOLDER`. Each test process
writes a file of JSON lines. Then `python -m tests.support.recorded_answers ONE OTHER`
compares two folders, and exits with 1 if a test that is in both got different responses.

Random values are replaced by `<id>`. Lists are sorted, because the order of rows of the
same moment depends on random ids. Texts for people (`TEXTS`) are replaced by `(text)`.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

TEXTS: Final = frozenset(
    {
        "detail",
        "title",
        "description",
        "error_description",
        "message",
        "remedy",
        "says",
        "summary",
    }
)
"""Members of JSON objects with sentences for people."""
OPAQUE: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?i:\bsc-?\w{4}-?\w{4}-?\w{4}-?\w\b)"
    r"|whsec_[\w+/=-]+|sc_\w{10}_[\w-]+"
    r"|\b[0-9a-f]{10,}\b"
    r"|(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}"
)
"""Values that are drawn at random, and values that are derived from them."""
HEADERS: Final = ("content-type", "etag", "link", "location", "retry-after", "vary")


type Answers = dict[str, list[str]]
"""The responses that each test got, in their order."""


class Recorder:
    """A recorder that writes the responses of one test after another to a file."""

    def __init__(self, folder: Path, worker: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = (folder / f"{worker}.jsonl").open("w", encoding="utf-8")
        self.answers: list[str] = []

    def record(self, request: httpx2.Request, response: httpx2.Response) -> None:
        """Add a response to the record of the running test."""
        headers = [f"{name}: {response.headers.get(name)}" for name in HEADERS]
        target = request.url.raw_path.decode()
        lines = [f"{request.method} {target} {response.status_code}", *headers]
        body = format_body(response.content, response.headers.get("content-type", ""))
        self.answers.append(OPAQUE.sub("<id>", "\n".join([*lines, body])))

    def finish(self, test: str) -> None:
        """Write the responses of a test to the file, and begin a new record."""
        if self.answers:
            self.file.write(json.dumps([test, self.answers]) + "\n")
            self.file.flush()
        self.answers = []


def format_body(content: bytes, media_type: str) -> str:
    """Return a body as text that is the same in each run, without texts for people."""
    text = content.decode("utf-8", "replace")
    if "json" not in media_type:
        return "\n".join(line for line in text.split("\n") if not line.startswith("# HELP"))
    try:
        value = json.loads(text)
    except ValueError:
        return text
    masked = OPAQUE.sub("<id>", json.dumps(drop_texts(value), ensure_ascii=False))
    return json.dumps(sort_lists(json.loads(masked)), ensure_ascii=False)


def drop_texts(value: Any) -> Any:
    """Return a JSON value in which texts for people are replaced by `(text)`."""
    if isinstance(value, dict):
        return {
            name: "(text)" if name in TEXTS and isinstance(one, str) else drop_texts(one)
            for name, one in value.items()
        }
    return [drop_texts(item) for item in value] if isinstance(value, list) else value


def sort_lists(value: Any) -> Any:
    """Return a JSON value in which every list is sorted."""
    if isinstance(value, dict):
        return {name: sort_lists(member) for name, member in value.items()}
    if isinstance(value, list):
        return sorted(map(sort_lists, value), key=json.dumps)
    return value


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-answers", type=Path, help="folder for the answers of tests")


def pytest_configure(config: pytest.Config) -> None:
    folder = config.getoption("--record-answers")
    if folder is not None:
        worker = getattr(config, "workerinput", {}).get("workerid", "main")
        config.pluginmanager.register(Recording(Recorder(folder, worker)))


class Recording:
    """The pytest hooks that record responses, registered only with the option to record."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        send = httpx2.Client.send

        def send_recorded(client: httpx2.Client, *args: Any, **kwargs: Any) -> Any:
            response = send(client, *args, **kwargs)
            if not kwargs.get("stream"):
                recorder.record(response.request, response)
            return response

        httpx2.Client.send = send_recorded  # type: ignore[assignment, method-assign]

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Write the responses of the test that has finished."""
        self.recorder.finish(nodeid)


def load_answers(folder: Path) -> Answers:
    """Return the responses of each test of a recorded run."""
    lines: Iterator[str] = (
        line for file in folder.glob("*.jsonl") for line in file.open(encoding="utf-8")
    )
    return dict(json.loads(line) for line in lines)


def compare(before: Answers, after: Answers) -> Iterator[str]:
    """Yield each test whose responses differ in two runs, with the first difference."""
    for test in sorted(before.keys() & after.keys()):
        pairs = zip(before[test], after[test], strict=False)
        different = [f"- {a}\n+ {b}" for a, b in pairs if a != b]
        if len(before[test]) != len(after[test]):
            different.append(f"{len(before[test])} answers, then {len(after[test])}")
        if different:
            yield f"{test}\n{different[0]}"


def main() -> int:
    """Compare two recorded runs, print the differences, and return 1 if there are any."""
    one, other = map(Path, sys.argv[1:3])
    before, after = load_answers(one), load_answers(other)
    different = list(compare(before, after))
    for difference in different:
        sys.stdout.write(f"{difference}\n\n")
    both, alone = before.keys() & after.keys(), before.keys() ^ after.keys()
    answers = sum(len(before[test]) for test in both)
    counts = f"{len(both)} tests with {answers} answers, {len(different)} differ"
    sys.stdout.write(f"{counts}; {len(alone)} tests are in one run only\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
