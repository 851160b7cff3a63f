"""The kinds of requests that the benchmark sends to the floor and to Safe Conduct."""

import json
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count, repeat
from typing import Any, Final

from tests.bench.client import Sample, load, require_status, send_once

PAGE: Final = 50
MOST: Final = 200
"""Number of items on each page when the poller catches up."""


class Kind(StrEnum):
    """The kind of a request."""

    S = "submit"
    T = "action"
    P = "poll"
    I = "idle poll"  # noqa: E741 - the letter of the report
    W = "worklist"
    R = "read of a case"
    """This kind is only used to compare two commits, because the floor does not have it."""


STATUS: Final = {
    Kind.S: 201,
    Kind.T: 200,
    Kind.P: 200,
    Kind.I: 304,
    Kind.W: 200,
    Kind.R: 200,
}
NEEDS: Final = (
    "Она просит безопасное место на ночь. She is afraid of two men at the hostel. "
    "Bahay, pagkain at doktor ang kailangan niya. "
) * 16
BODY: Final[dict[str, Any]] = {
    "summary": {
        "country": "KZ",
        "age_class": "adult",
        "language": "uz",
        "priority": "urgent",
        "services": ["SHELTER", "LEGAL_AID"],
        "urgent_needs": [],
        "safe_contact": "yes",
    },
    "sections": [{"section": "needs", "summary": NEEDS}],
    "consents": [
        {
            "recipients": [
                {
                    "recipient_class": {"kind": "state", "country": "KZ"},
                    "purposes": ["REFER"],
                    "sections": ["needs"],
                }
            ],
            "given_by": "person",
            "language": "uz",
            "form_version": "2026-1",
            "obtained_on": "2026-06-01",
            "expires_at": "2099-01-01T00:00:00Z",
        }
    ],
    "submit": True,
}
CASE: Final = json.dumps(BODY, ensure_ascii=False).encode()
"""A body of 3 kilobytes that submits a case with a summary, one section and one consent."""


def make_case(country: str) -> bytes:
    """Return the request body of a short case in a country."""
    [consent] = BODY["consents"]
    [recipient] = consent["recipients"]
    offices = {"kind": "state", "country": country}
    body = BODY | {
        "summary": BODY["summary"] | {"country": country},
        "sections": [{"section": "needs", "summary": "A safe bed tonight"}],
        "consents": [consent | {"recipients": [recipient | {"recipient_class": offices}]}],
    }
    return json.dumps(body).encode()


def render(
    method: str, path: str, key: str = "none", body: bytes | None = None, **headers: str
) -> bytes:
    """Return the bytes of an HTTP request."""
    values = {
        "Host": "bench",
        "Authorization": f"Bearer {key}",
        "Accept": "application/json",
    }
    values |= {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        values |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{method} /v1/{path} HTTP/1.1", *(f"{n}: {v}" for n, v in values.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


@dataclass
class Side:
    """A server in the comparison, with the API keys of its submitter and of its lead."""

    name: str
    port: int
    submitter: str
    lead: str
    cpu: Callable[[], float]
    """A function that returns the seconds of CPU that the server has used."""
    database_cpu: Callable[[], float] = float
    """A function that returns the seconds of CPU of the processes of the database."""
    written: deque[tuple[str, str]] = field(default_factory=deque)
    """The cases that can be acknowledged, each as its code and its entity tag."""
    body: bytes = CASE
    made: int = 0
    acted: int = 0
    cursor: str | None = None
    """The cursor of the poller; None before the first poll."""
    case: str | None = None
    """The code of the case that was submitted last."""
    start: str | None = None
    """The cursor at which polls begin; None means the start of the feed."""

    def list_requests(self, kind: Kind) -> Iterator[bytes]:
        """Return an iterator over requests of one kind."""
        match kind:
            case Kind.S:
                return self.list_submissions()
            case Kind.T:
                return self.list_acts()
            case Kind.P:
                return repeat(self.read_events(self.find_cursor()))
            case Kind.I:
                return repeat(self.read_to_end())
            case Kind.W:
                return repeat(render("GET", "worklist", self.lead))
            case Kind.R:
                return repeat(render("GET", f"cases/{self.case}", self.lead))

    def list_submissions(self) -> Iterator[bytes]:
        """Yield requests without end. Each submits a new case with the same data."""
        keys = (f"{secrets.token_hex(8)}-{number}" for number in count())
        for key in keys:
            yield render("POST", "cases", self.submitter, self.body, Idempotency_Key=key)

    def list_acts(self) -> Iterator[bytes]:
        """Yield an acknowledgement for each case that is not acknowledged yet."""
        while self.written:
            code, tag = self.written.popleft()
            path = f"cases/{code}/acknowledge"
            key = secrets.token_hex(12)
            yield render("POST", path, self.lead, b"", Idempotency_Key=key, If_Match=tag)

    def read_events(self, after: str | None, limit: int = PAGE, **headers: str) -> bytes:
        """Return the request for the events after a cursor, or from the start if None."""
        start = f"after={after}&" if after else ""
        path = f"events?{start}limit={limit}"
        return render("GET", path, self.lead, None, **headers)

    def find_cursor(self) -> str:
        """Return the cursor after the first page.

        Raises RuntimeError if the second page is not full.
        """
        page = json.loads(send_once(self.port, self.read_events(self.start), 200).body)
        after = str(page["cursor"])
        second = json.loads(send_once(self.port, self.read_events(after), 200).body)
        if len(second["items"]) != PAGE:
            raise RuntimeError(f"{self.name}: only {len(second['items'])} events to read.")
        return after

    def read_to_end(self) -> bytes:
        """Read the feed to its end, and return a request that gets a 304 (Not Modified)."""
        more = True
        while more:
            answer = send_once(self.port, self.read_events(self.cursor, MOST), 200)
            page = json.loads(answer.body)
            self.cursor, more = page["cursor"], page["more"]
        tag = send_once(self.port, self.read_events(self.cursor), 200).get_header("etag")
        idle = self.read_events(self.cursor, If_None_Match=tag)
        require_status(send_once(self.port, idle, 304), 304)
        return idle

    def ask(self, kind: Kind, seconds: float, clients: int) -> Sample:
        """Send one kind of request for a number of seconds, and return the durations."""
        requests, keep = self.list_requests(kind), kind == Kind.S
        sample = load(
            self.port, requests, STATUS[kind], clients=clients, seconds=seconds, keep=keep
        )
        if kind == Kind.S:
            self.record(sample)
        if kind == Kind.T:
            self.acted += len(sample.waits)
        return sample

    def record(self, sample: Sample) -> None:
        """Count the cases that were created, and store their codes and entity tags."""
        self.made += len(sample.waits)
        found = [(a.get_header("location"), a.get_header("etag")) for a in sample.answers]
        self.case = found[-1][0].rpartition("/")[2]
        self.written.extend((where.rpartition("/")[2], tag) for where, tag in found)
