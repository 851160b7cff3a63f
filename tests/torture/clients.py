"""A client that repeats each operation with the same key until the outcome is certain."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from uuid import UUID

import httpx2
from httpx2 import Client, Response

from app.api.idempotent_requests import REPLAYED
from app.kernel.idempotency import IdempotencyKeyInUse
from app.kernel.versions import TAG
from tests.torture.history import History, Operation, Outcome

type Json = dict[str, Any]

PATIENCE: Final = 90.0
"""Seconds after which a client gives up, which is a finding."""
ANSWER_TIMEOUT: Final = 20.0
"""Seconds that one attempt waits for a response."""
PAUSE: Final = 0.08
RETRY_STATUSES: Final = {429, 503}
APPROVAL_ASKED: Final = 202
SERVER_ERROR: Final = 500
"""The first status code of a server error."""


class Over(Exception):  # noqa: N818 - without a suffix, as Problem classes are
    """A story ends early, because an operation was refused or the run has ended."""


@dataclass(frozen=True)
class Person:
    """A person of an office, with the account and API key of that person."""

    name: str
    code: str
    account: str
    office: UUID
    key: str


@dataclass
class StoryClient:
    """A single-threaded client that sends each request to a random server."""

    history: History
    addresses: tuple[str, ...]
    chance: Random
    is_running: Callable[[], bool]
    """A function that returns whether new operations may start. Running ones may finish."""
    http: Client

    def require_running(self) -> None:
        """Raise Over if the run has ended."""
        if not self.is_running():
            raise Over

    def read(self, who: Person, path: str, purpose: str = "assistance") -> Response:
        """Read a resource, with retries. Raise Over if refused, or if the run has ended."""
        self.require_running()
        operation = Operation(who.account, "", "read", subject=parse_subject(path))
        answer = self.send_until_certain(operation, who, "GET", path, {"Purpose": purpose})
        if not answer.is_success:
            raise Over
        return answer

    def send(  # noqa: PLR0913 - each is part of one operation
        self,
        who: Person,
        what: str,
        path: str,
        body: Json | None = None,
        *,
        method: str = "POST",
        tag: str | None = None,
        says: str | None = None,
        also: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Perform an operation with one key and as many attempts as necessary.

        Raises Over if the run has ended, or if the outcome is never certain.
        """
        self.require_running()
        key = str(UUID(int=self.chance.getrandbits(128), version=4))
        seen = parse_version(tag)
        operation = Operation(who.account, key, what, also, parse_subject(path), seen, says)
        sent = {"Idempotency-Key": key, **(headers or {})}
        if tag:
            sent["If-Match"] = tag
        return self.send_until_certain(operation, who, method, path, sent, body)

    def send_until_certain(  # noqa: PLR0913, PLR0917 - as above
        self,
        operation: Operation,
        who: Person,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Json | None = None,
    ) -> Response:
        """Repeat a request until the outcome is certain. Raise Over after `PATIENCE`."""
        self.history.add(operation)
        operation.invoked = time.monotonic()
        sent = {"Authorization": f"Bearer {who.key}", **headers}
        while time.monotonic() < operation.invoked + PATIENCE:
            operation.tries += 1
            answer = self.send_once(operation, method, path, sent, body)
            if answer is not None and is_certain(answer):
                store_answer(operation, answer)
                return answer
            time.sleep(self.chance.uniform(PAUSE / 2, PAUSE * 2))
        raise Over

    def send_once(
        self,
        operation: Operation,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Json | None,
    ) -> Response | None:
        """Send the request once. Return the response, or None if there was none."""
        where = f"{self.chance.choice(self.addresses)}/v1/{path}"
        try:
            answer = self.http.request(method, where, headers=headers, json=body)
        except httpx2.ConnectError:  # no server received it
            return None
        except httpx2.TransportError:
            operation.lost += 1
            return None
        if answer.status_code >= SERVER_ERROR:
            operation.lost += 1
        if answer.status_code >= SERVER_ERROR and answer.status_code not in RETRY_STATUSES:
            self.history.add_error(f"{answer.status_code} to {method} {operation.event}")
        return answer


def is_certain(answer: Response) -> bool:
    """Return whether a response shows that the operation was done or will never be done."""
    if answer.status_code in RETRY_STATUSES or answer.status_code >= SERVER_ERROR:
        return False
    return get_problem(answer) != IdempotencyKeyInUse.code


def get_problem(answer: Response) -> str | None:
    """Return the type of the problem in a response, or None if it is not an error."""
    if not answer.is_error:
        return None
    body = answer.json()
    return str(body.get("type", "")).removeprefix("/problems/")


def store_answer(operation: Operation, answer: Response) -> None:
    """Store in an operation the outcome that the response shows."""
    operation.answered = time.monotonic()
    operation.status, operation.problem = answer.status_code, get_problem(answer)
    operation.outcome = Outcome.OK if answer.is_success else Outcome.REFUSED
    operation.replayed = all(
        answer.headers.get(name) == REPLAYED[name] for name in REPLAYED
    )
    if answer.is_success and (made := answer.headers.get("Location")):
        operation.subject = made.removeprefix("/v1/")
    if answer.status_code == APPROVAL_ASKED:  # a second person has to approve it
        operation.event, operation.subject = (
            "approval.requested",
            f"approvals/{answer.json()['id']}",
        )
    elif answer.is_success:
        operation.version = parse_version(answer.headers.get("ETag"))


def parse_version(tag: str | None) -> int | None:
    """Return the version in an entity tag, or None if the tag names no version."""
    found = TAG.fullmatch(tag or "")
    return int(found[1]) or None if found else None


def parse_subject(path: str) -> str | None:
    """Return the record that a path names, in the format of the journal.

    Return None if the path names no record.
    """
    parts = path.partition("?")[0].split("/")
    return "/".join(parts[:2]) if len(parts) > 1 else None


def make_client() -> Client:
    """Return an HTTP client for one thread."""
    return Client(timeout=ANSWER_TIMEOUT, trust_env=False)
