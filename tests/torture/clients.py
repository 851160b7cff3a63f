"""A client that repeats what it wants, with the same key, until an answer is certain."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from uuid import UUID

import httpx2
from httpx2 import Client, Response

from app.api.acting import REPLAYED
from app.kernel.idempotency import KeyInFlight
from app.kernel.versions import TAG
from tests.torture.history import Deed, History, Outcome

type Json = dict[str, Any]

PATIENCE: Final = 90.0
"""Seconds after which a client gives up: that is a finding."""
ANSWER: Final = 20.0
"""Seconds that one try waits for an answer."""
PAUSE: Final = 0.08
LATER: Final = {429, 503}
ASKED: Final = 202
FAULT: Final = 500
"""From here on servers own up that they are to blame."""


class Over(Exception):  # noqa: N818 - it says what happened
    """The story cannot go on: it was refused, or the run is over."""


@dataclass(frozen=True)
class Person:
    """Somebody of a focal point, who has a key."""

    name: str
    code: str
    account: str
    office: UUID
    key: str


@dataclass
class Asker:
    """One thread of requests: each goes to one of the addresses where the service is."""

    history: History
    addresses: tuple[str, ...]
    chance: Random
    goes_on: Callable[[], bool]
    """Whether something new may be begun; what was begun is brought to its end."""
    http: Client

    def may_begin(self) -> None:
        """Raise Over when the run is."""
        if not self.goes_on():
            raise Over

    def reads(self, who: Person, path: str, purpose: str = "assistance") -> Response:
        """Read something until there is an answer; raises Over if it is not there."""
        self.may_begin()
        deed = Deed(who.account, "", "read", subject=subject_of(path))
        answer = self.until_certain(deed, who, "GET", path, {"Purpose": purpose})
        if not answer.is_success:
            raise Over
        return answer

    def does(  # noqa: PLR0913 - each is part of one deed
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
        """Ask for something once, however often that takes."""
        self.may_begin()
        key = str(UUID(int=self.chance.getrandbits(128), version=4))
        seen = version_in(tag)
        deed = Deed(who.account, key, what, also, subject_of(path), seen, says)
        sent = {"Idempotency-Key": key, **(headers or {})}
        if tag:
            sent["If-Match"] = tag
        return self.until_certain(deed, who, method, path, sent, body)

    def until_certain(  # noqa: PLR0913, PLR0917 - as above
        self,
        deed: Deed,
        who: Person,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Json | None = None,
    ) -> Response:
        """Try until an answer says what became of it; raises Over where none ever does."""
        self.history.begun(deed)
        deed.invoked = time.monotonic()
        sent = {"Authorization": f"Bearer {who.key}", **headers}
        while time.monotonic() < deed.invoked + PATIENCE:
            deed.tries += 1
            answer = self.tried(deed, method, path, sent, body)
            if answer is not None and is_certain(answer):
                keep(deed, answer)
                return answer
            time.sleep(self.chance.uniform(PAUSE / 2, PAUSE * 2))
        raise Over

    def tried(
        self,
        deed: Deed,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Json | None,
    ) -> Response | None:
        """Try once; None: there was no answer, or none that a client may believe."""
        where = f"{self.chance.choice(self.addresses)}/v1/{path}"
        try:
            answer = self.http.request(method, where, headers=headers, json=body)
        except httpx2.ConnectError:  # nobody was there: that is certain
            return None
        except httpx2.TransportError:
            deed.lost += 1
            return None
        if answer.status_code >= FAULT:
            deed.lost += 1
        if answer.status_code >= FAULT and answer.status_code not in LATER:
            self.history.troubled(f"{answer.status_code} to {method} {deed.what}")
        return answer


def is_certain(answer: Response) -> bool:
    """Say whether an answer says that it was done, or that it was not and will not be."""
    if answer.status_code in LATER or answer.status_code >= FAULT:
        return False
    return problem_of(answer) != KeyInFlight.code


def problem_of(answer: Response) -> str | None:
    """Name the problem that an answer tells of."""
    if not answer.is_error:
        return None
    said = answer.json()
    return str(said.get("type", "")).removeprefix("/problems/")


def keep(deed: Deed, answer: Response) -> None:
    """Keep what a certain answer says."""
    deed.answered = time.monotonic()
    deed.status, deed.problem = answer.status_code, problem_of(answer)
    deed.outcome = Outcome.OK if answer.is_success else Outcome.REFUSED
    deed.replayed = all(answer.headers.get(name) == REPLAYED[name] for name in REPLAYED)
    if answer.is_success and (made := answer.headers.get("Location")):
        deed.subject = made.removeprefix("/v1/")
    if answer.status_code == ASKED:  # a second person has to allow it
        deed.what, deed.subject = "approval.asked", f"approvals/{answer.json()['id']}"
    elif answer.is_success:
        deed.version = version_in(answer.headers.get("ETag"))


def version_in(tag: str | None) -> int | None:
    """Read the version out of an entity tag; None: there is none."""
    found = TAG.fullmatch(tag or "")
    return int(found[1]) or None if found else None


def subject_of(path: str) -> str | None:
    """Name the record that a path is about, as the journal does."""
    parts = path.partition("?")[0].split("/")
    return "/".join(parts[:2]) if len(parts) > 1 else None


def connected() -> Client:
    """Make a client with as many connections as its thread needs."""
    return Client(timeout=ANSWER, trust_env=False)
