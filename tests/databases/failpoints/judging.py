"""Checks of a call during which the database failed: its response, effects and retry."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.databases.failpoints.calls import Call
from tests.databases.failpoints.copies import Rows, changed, counts
from tests.support.raw_requests import Answer

PROBLEM: Final = "application/problem+json"
STREAM: Final = "text/event-stream"
RANDOM: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|SC-\w{4}-\w{4}-\w{4}-\w|(?:sc[ekst]?|whsec)_[^\"]+|\b[0-9a-f]{10}\b"
    r"|\d+\.[0-9a-f]{16}|(?<=\"challenge\":\")[^\"]+|(?<=\"code\":\")\w{4}-\w{4}(?=\")"
)
"""Matches values that differ in each response, such as ids, codes, keys and secrets."""
LONG: Final = 8
"""The minimum number of characters of a text that can be recognised in a response."""
GROWS: Final = {
    "record_refusal": {"refusal"},
    "create_session": {"session", "account"},
    "save_form_draft": {"form_draft"},
    "save_unsent_form": {"form_draft"},
}
"""Operations whose description allows a retry to add or rewrite rows, with those tables."""


@dataclass(frozen=True)
class SuccessfulCall:
    """A call that succeeded, with its response, its database calls and its effects."""

    name: str
    call: Call
    answer: Answer
    points: list[str]
    before: Rows
    after: Rows

    @property
    def writes(self) -> bool:
        return self.before != self.after

    @property
    def grows(self) -> set[str]:
        """Return the tables that a retry without an idempotency key may change."""
        operation = self.call.operation
        opens = "Purpose" in operation.list_parameters("header")
        return GROWS.get(operation.name, set()) | ({"access_entry"} if opens else set())


@dataclass(frozen=True)
class Tried:
    """A call in which the database failed once, and its retry."""

    told: SuccessfulCall
    failed: Answer
    after: Rows
    again: Answer
    at_last: Rows

    def after_all(self, *, kept: bool) -> Iterator[str]:
        """Yield the broken guarantees. `kept` says whether the change was committed."""
        if is_stream(self.failed):
            yield from self.of_a_stream()
            return
        yield from check_problem(self.failed, self.told.call)
        yield from self.of_what_was_kept() if kept else self.of_what_was_undone()

    def of_what_was_undone(self) -> Iterator[str]:
        """Yield the faults of a call whose change was rolled back.

        Such a call must change nothing, and its retry must have the intended effect.
        """
        if left := changed(self.told.before, self.after):
            yield f"left something in {left}"
        if (self.again.status, normalize_answer(self.again)) != (
            self.right.status,
            normalize_answer(self.right),
        ):
            yield f"the retry: {self.again.status} {self.again.content[:200]!r}"
        if self.again["Idempotent-Replayed"]:
            yield "the retry was marked as a replay, but nothing had been done"
        if other := compare_counts(self.told.after, self.at_last):
            yield f"the retry did something else: {other}"

    def of_what_was_kept(self) -> Iterator[str]:
        """Yield the faults of a call whose change was committed.

        Such a call must store everything, and its retry must change nothing else.
        """
        if other := compare_counts(self.told.after, self.after):
            yield f"was kept in part: {other}"
        if self.again.status >= 500:
            yield f"the retry of what was done: {self.again.status}"
        if self.told.call.is_keyed and not is_replay(self.again, self.right):
            yield f"no replay: {self.again.status} {self.again.content[:200]!r}"
        anew = set(changed(self.after, self.at_last)) - self.told.grows
        if anew:
            yield f"the retry of what was done changed {anew}"

    def of_a_stream(self) -> Iterator[str]:
        """Yield the faults of a stream that a failure ended.

        The stream must be the beginning of the stream of the successful call, and both
        calls must have the same effects.
        """
        if not self.right.content.startswith(self.failed.content.rstrip()):
            yield "the stream told something else"
        if other := compare_counts(self.told.after, self.after):
            yield f"the stream began, and yet: {other}"

    @property
    def right(self) -> Answer:
        return self.told.answer


def is_stream(answer: Answer) -> bool:
    return answer.status == 200 and (answer["Content-Type"] or "").startswith(STREAM)


def is_replay(again: Answer, right: Answer) -> bool:
    return again.status == right.status and again["Idempotent-Replayed"] == "true"


def compare_counts(meant: Rows, found: Rows) -> dict[str, tuple[int, int]]:
    """Return the expected and actual row counts of the tables in which they differ."""
    due, there = counts(meant), counts(found)
    return {name: (due[name], there[name]) for name in due if due[name] != there[name]}


def normalize_answer(answer: Answer) -> str:
    """Return the text of a response without its random values."""
    return RANDOM.sub("*", answer.content.decode())


def check_problem(answer: Answer, call: Call) -> Iterator[str]:
    """Yield the faults of the response to a call during which the database failed."""
    if answer.status not in {500, 503}:
        yield f"answered {answer.status}"
    if answer["Content-Type"] != PROBLEM:
        yield f"answered as {answer['Content-Type']}"
    if answer.status == 503 and not answer["Retry-After"]:
        yield "no Retry-After header"
    text = answer.content.decode()
    if any(word in text for word in list_long_texts(call)) or "SELECT" in text:
        yield "the answer repeats the input or shows internals"


def list_long_texts(call: Call) -> Iterator[str]:
    """Yield the texts of a request body that are long enough to be recognised."""
    body = json.loads(call.body) if call.body.startswith(b"{") else {}
    yield from (text for text in walk_texts(body) if len(text) >= LONG)


def walk_texts(said: Any) -> Iterator[str]:
    match said:
        case dict():
            yield from walk_texts(list(said.values()))
        case list():
            for value in said:
                yield from walk_texts(value)
        case str():
            yield said
        case _:  # a number, a Boolean or null
            pass
