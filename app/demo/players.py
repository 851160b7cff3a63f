"""Clients of the demonstration: its accounts, and the journey of one case.

They call a running service over HTTP only, as an integrator would. All data is made up and
marked as synthetic.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, Final, Self
from uuid import UUID, uuid5

import httpx

from app.demo.cast import Part
from app.demo.words import build_contacts, build_meeting

type Json = dict[str, Any]
type Say = Callable[[str], None]

KEY_NAMESPACE: Final = UUID("5afec0de-0000-4000-8000-00000000d3d0")
PURPOSE: Final = {"Purpose": "assessment"}
LIMIT: Final = "?limit=200"
MAX_LOOKS: Final = 100
LOOK_SECONDS: Final = 0.2
"""Seconds between two checks for what the worker does."""


class StoryBroken(Exception):  # noqa: N818 - named by its meaning, like Problem
    """The service gave another answer than the journey needs."""


def require_success(response: httpx.Response) -> httpx.Response:
    """Return the response, or raise StoryBroken unless it is a success."""
    if not response.is_success:
        raise build_failure(response)
    return response


def build_failure(response: httpx.Response) -> StoryBroken:
    """Return the error for an unexpected response."""
    method, path = response.request.method, response.request.url.path
    return StoryBroken(f"{method} {path}: {response.status_code} {response.text}")


def format_time(at: str) -> str:
    """Return a time as text for people, in UTC."""
    return f"{datetime.fromisoformat(at):%d %B %H:%M} UTC"


@dataclass
class Player:
    """An account of the demonstration with its API key.

    Idempotency keys are derived from `tale`, so that a repeated journey changes nothing.
    """

    part: Part
    http: httpx.Client
    key: str
    tale: UUID

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: Json | None = None
    ) -> httpx.Response:
        """Send a request and return the response, of any status."""
        sent = {"Authorization": f"Bearer {self.key}", **headers}
        return self.http.request(method, f"/v1/{path}", json=body, headers=sent)

    def looks(self, path: str) -> httpx.Response:
        """Read or open something, with a purpose; return the response, of any status."""
        return self.ask("GET", path, PURPOSE)

    def get(self, path: str) -> Json:
        """Return something as JSON; opening sealed data is recorded in the access log."""
        return dict(require_success(self.looks(path)).json())

    def finds(self, path: str) -> bool:
        """Return whether the account can read or open something."""
        return self.looks(path).is_success

    def send(self, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
        """Send a POST request with an idempotency key derived from its content."""
        content = json.dumps(body, sort_keys=True)
        name = f"{self.part.label} {path} {content} {headers.get('Approval', '')}"
        key = str(uuid5(self.tale, name))
        return self.ask("POST", path, {"Idempotency-Key": key, **headers}, body)

    def post(self, path: str, body: Json | None = None, **headers: str) -> Json:
        """Send a POST request that has to succeed; return its JSON, or an empty dict."""
        answer = require_success(self.send(path, body, **headers))
        return dict(answer.json()) if answer.content else {}

    def act(
        self, subject: str, action: str, body: Json | None = None, **headers: str
    ) -> Json:
        """Take an action on the current version of a case, referral or other subject."""
        seen = self.tag(subject)
        return self.post(f"{subject}/{action}", body, **{"If-Match": seen}, **headers)

    def write(self, subject: str, part: str, content: Json) -> None:
        """Replace a sealed document on the current version of the case."""
        seen = {"If-Match": self.tag(subject)}
        require_success(self.ask("PUT", f"{subject}/{part}", seen, content))

    def tag(self, subject: str) -> str:
        """Return the entity tag of the current version."""
        return str(require_success(self.looks(subject)).headers["ETag"])

    def lacks(self, path: str, body: Json | None = None, **headers: str) -> dict[str, str]:
        """Try an action that must be refused; return the unmet requirements' remedies."""
        answer = self.send(path, body, **headers)
        if answer.status_code != httpx.codes.CONFLICT or "unmet" not in answer.json():
            raise build_failure(answer)
        return {unmet["need"]: unmet["remedy"] for unmet in answer.json()["unmet"]}

    def hears(self) -> list[str]:
        """Return the types of all events in the feed."""
        return [event["type"] for event in self.get(f"events{LIMIT}")["items"]]

    def waits(self, subject: str) -> dict[str, str]:
        """Return the deadlines of the account's focal point on a subject."""
        items = self.get(f"worklist{LIMIT}")["items"]
        about = (one for one in items if one["subject"] == subject)
        return {one["kind"]: format_time(one["due_at"]) for one in about}


@dataclass
class Troupe:
    """The API keys of all accounts, and the function that prints the text of a journey.

    `run_out` makes the deadlines of a case run out, by its code, which no client can do.
    """

    http: httpx.Client
    keys: Mapping[Part, str]
    say: Say
    now: datetime
    run_out: Callable[[str], None]

    def player(self, part: Part, tale: UUID = KEY_NAMESPACE) -> Player:
        """Return the client for an account."""
        return Player(part, self.http, self.keys[part], tale)

    def meets(self, officer: Part, body: Json) -> "Tale | None":
        """Submit a case as an officer; None if the journey was played before.

        The Idempotency-Key is random, because the external reference prevents a duplicate.
        """
        player = self.player(officer)
        first = player.send("cases", body, **{"Idempotency-Key": token_hex(16)})
        if first.status_code == httpx.codes.CONFLICT and "code" in first.json():
            self.tell_again(player, str(first.json()["code"]))
            return None
        return Tale(self, str(require_success(first).json()["code"]))

    def tell_again(self, officer: Player, case: str) -> None:
        """Print that the journey was played before, with the state of its case."""
        state = officer.get(f"cases/{case}")["state"]
        self.say(f"  The journey was played before; {case} is {state} and was not changed.")

    def later(self, **time: float) -> str:
        """Return a time in the future, in ISO 8601."""
        return (self.now + timedelta(**time)).isoformat(timespec="seconds")


@dataclass
class Tale:
    """The journey of one case."""

    troupe: Troupe
    code: str

    @property
    def case(self) -> str:
        """The path of the case."""
        return f"cases/{self.code}"

    def say(self, text: str) -> Self:
        """Print a line."""
        self.troupe.say(text)
        return self

    def player(self, part: Part) -> Player:
        """Return the client for an account, with idempotency keys of this case."""
        return self.troupe.player(part, uuid5(KEY_NAMESPACE, self.code))

    def runs_out(self) -> None:
        """Let the deadlines of the case run out."""
        self.troupe.run_out(self.code)

    def until[T](self, look: Callable[[], T | None]) -> T:
        """Return the first true result of a function; raises StoryBroken if none comes."""
        for _ in range(MAX_LOOKS):
            if found := look():
                return found
            time.sleep(LOOK_SECONDS)
        raise StoryBroken(f"No deadline of {self.code} was handled: does the worker run?")

    def hidden(self, *found: object) -> None:
        """Raise StoryBroken if an account found something that it must not see."""
        if any(found):
            raise StoryBroken(f"In {self.code} an account saw what it must not see.")

    def leads(self, lead: Player) -> None:
        """Acknowledge the case and accept the lead, with two contact people."""
        lead.act(self.case, "acknowledge")
        lead.act(self.case, "accept-lead", {"contacts": build_contacts(lead.part)})

    def refers(
        self, lead: Player, to: Part, service: str, sections: Iterable[str] = ()
    ) -> str:
        """Send a referral to a focal point for one service; return its path."""
        path, sent = f"{self.case}/referrals", build_referral(to, service, sections)
        return f"referrals/{lead.post(path, sent)['id']}"

    def accepts(self, referral: str, to: Part) -> Player:
        """Acknowledge and accept a referral, with a sealed place and time."""
        helper = self.player(to)
        helper.act(referral, "acknowledge")
        helper.act(referral, "accept", build_meeting(to, self.troupe.later(days=1)))
        return helper

    def consents(self, lead: Player, given: Json) -> None:
        """Record a consent of the person."""
        lead.post(f"{self.case}/consents", given)


def build_referral(to: Part, service: str, sections: Iterable[str] = ()) -> Json:
    """Return a referral: its recipient, service and sections."""
    named = {"recipient": to.focal_point, "service": service}
    return named | {"sections": list(sections), "send": True}
