"""The five requests, alike for the floor and for the product, and who is asked them."""

import json
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count, repeat
from typing import Any, Final

from tests.bench.client import Sample, load, must_be, once

PAGE: Final = 50
MOST: Final = 200
"""Items of a page that only catches up."""


class Kind(StrEnum):
    """One of the five requests."""

    S = "submit"
    T = "action"
    P = "poll"
    I = "idle poll"  # noqa: E741 - as the design calls it
    W = "worklist"


STATUS: Final = {Kind.S: 201, Kind.T: 200, Kind.P: 200, Kind.I: 304, Kind.W: 200}
NEEDS: Final = (
    "Она просит безопасное место на ночь. She is afraid of two men at the hostel. "
    "Bahay, pagkain at doktor ang kailangan niya. "
) * 16
BODY: Final[dict[str, Any]] = {
    "notice": {
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
            "recipient_class": {"kind": "state", "country": "KZ"},
            "purposes": ["REFER"],
            "sections": ["needs"],
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
"""4 kilobytes: a notice, one section to seal, one consent; submitted at once."""


def case_in(country: str) -> bytes:
    """Spell a shorter case in a country."""
    [consent] = BODY["consents"]
    whom = {"kind": "state", "country": country}
    body = BODY | {
        "notice": BODY["notice"] | {"country": country},
        "sections": [{"section": "needs", "summary": "A safe bed tonight"}],
        "consents": [consent | {"recipient_class": whom}],
    }
    return json.dumps(body).encode()


def request(
    method: str, path: str, key: str = "none", body: bytes | None = None, **headers: str
) -> bytes:
    """Spell a request."""
    said = {"Host": "bench", "Authorization": f"Bearer {key}", "Accept": "application/json"}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        said |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{method} /v1/{path} HTTP/1.1", *(f"{n}: {v}" for n, v in said.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


@dataclass
class Side:
    """A server that is asked the five, by a submitter and by who is asked to lead."""

    name: str
    port: int
    submitter: str
    lead: str
    cpu: Callable[[], float]
    """Seconds of CPU that its process has used."""
    beside: Callable[[], float] = float
    """Seconds of CPU that its database has used in processes of its own."""
    written: deque[tuple[str, str]] = field(default_factory=deque)
    """Cases that wait for an act: the code, and the version that was seen."""
    body: bytes = CASE
    made: int = 0
    acted: int = 0
    cursor: str | None = None
    """How far it has read on; None: not yet."""
    start: str | None = None
    """Where the first page begins; None: at the start."""

    def requests(self, kind: Kind) -> Iterator[bytes]:
        """Say what is asked, again and again."""
        match kind:
            case Kind.S:
                return self.submissions()
            case Kind.T:
                return self.acts()
            case Kind.P:
                return repeat(self.read_events(self.first()))
            case Kind.I:
                return repeat(self.nothing_new())
            case Kind.W:
                return repeat(request("GET", "worklist", self.lead))

    def submissions(self) -> Iterator[bytes]:
        """Submit the same case as a new one, for ever."""
        keys = (f"{secrets.token_hex(8)}-{number}" for number in count())
        for key in keys:
            yield request("POST", "cases", self.submitter, self.body, Idempotency_Key=key)

    def acts(self) -> Iterator[bytes]:
        """Acknowledge each case that was written and waits."""
        while self.written:
            code, tag = self.written.popleft()
            path = f"cases/{code}/acknowledge"
            key = secrets.token_hex(12)
            yield request("POST", path, self.lead, b"", Idempotency_Key=key, If_Match=tag)

    def read_events(self, after: str | None, limit: int = PAGE, **headers: str) -> bytes:
        """Ask for what was delivered after a cursor."""
        start = f"after={after}&" if after else ""
        path = f"events?{start}limit={limit}"
        return request("GET", path, self.lead, None, **headers)

    def first(self) -> str:
        """Find the cursor at the end of the first page; the second must be full."""
        page = json.loads(once(self.port, self.read_events(self.start), 200).body)
        after = str(page["next"])
        second = json.loads(once(self.port, self.read_events(after), 200).body)
        if len(second["items"]) != PAGE:
            raise RuntimeError(f"{self.name}: only {len(second['items'])} to read.")
        return after

    def nothing_new(self) -> bytes:
        """Read on to the end, and ask again whether there is more."""
        more = True
        while more:
            answer = once(self.port, self.read_events(self.cursor, MOST), 200)
            page = json.loads(answer.body)
            self.cursor, more = page["next"], page["more"]
        tag = once(self.port, self.read_events(self.cursor), 200).header("etag")
        idle = self.read_events(self.cursor, If_None_Match=tag)
        must_be(once(self.port, idle, 304), 304)
        return idle

    def ask(self, kind: Kind, seconds: float, clients: int) -> Sample:
        """Ask one of the five for so long."""
        requests, keep = self.requests(kind), kind == Kind.S
        sample = load(
            self.port, requests, STATUS[kind], clients=clients, seconds=seconds, keep=keep
        )
        if kind == Kind.S:
            self.keep(sample)
        if kind == Kind.T:
            self.acted += len(sample.waits)
        return sample

    def keep(self, sample: Sample) -> None:
        """Count what was written, and have it wait for an act."""
        self.made += len(sample.waits)
        found = [(a.header("location"), a.header("etag")) for a in sample.answers]
        self.written.extend((where.rpartition("/")[2], tag) for where, tag in found)
