"""The API clients of the demo accounts, and the steps of the journeys.

The clients call a running service only over HTTP. All data is made up, and each section is
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

from app.demo.demo_accounts import DemoAccount
from app.demo.texts import build_contacts, build_meeting

type Json = dict[str, Any]
type Say = Callable[[str], None]

KEY_NAMESPACE: Final = UUID("5afec0de-0000-4000-8000-00000000d3d0")
PURPOSE: Final = {"Purpose": "assessment"}
LIMIT: Final = "?limit=200"
MAX_LOOKS: Final = 100
LOOK_SECONDS: Final = 0.2
"""Seconds between two checks of whether the worker has handled a deadline."""


class JourneyFailed(Exception):  # noqa: N818 - named by its meaning, like Problem
    """The service did not behave as the journey expects."""


def require_success(response: httpx.Response) -> httpx.Response:
    """Return a successful response, or raise JourneyFailed."""
    if not response.is_success:
        raise build_failure(response)
    return response


def build_failure(response: httpx.Response) -> JourneyFailed:
    """Return the error for an unexpected response."""
    method, path = response.request.method, response.request.url.path
    return JourneyFailed(f"{method} {path}: {response.status_code} {response.text}")


def format_time(at: str) -> str:
    """Format a UTC time in ISO 8601 as text for people."""
    return f"{datetime.fromisoformat(at):%d %B %H:%M} UTC"


@dataclass
class DemoUser:
    """An API client that uses the API key of one demo account.

    Idempotency keys depend on `key_namespace` and the request, so repeats have no effect.
    """

    account: DemoAccount
    http: httpx.Client
    key: str
    key_namespace: UUID

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: Json | None = None
    ) -> httpx.Response:
        """Send a request, and return the response even if it is an error."""
        sent = {"Authorization": f"Bearer {self.key}", **headers}
        return self.http.request(method, f"/v1/{path}", json=body, headers=sent)

    def read(self, path: str) -> httpx.Response:
        """Send a GET request with a purpose, and return the response, even an error."""
        return self.request("GET", path, PURPOSE)

    def get(self, path: str) -> Json:
        """Return the JSON at a path, even of a sealed document. Raises JourneyFailed."""
        return dict(require_success(self.read(path)).json())

    def can_read(self, path: str) -> bool:
        """Return whether the account can read or open the resource at a path."""
        return self.read(path).is_success

    def send(self, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
        """Send a POST request. By default, its idempotency key depends on the content."""
        content = json.dumps(body, sort_keys=True)
        name = f"{self.account.label} {path} {content} {headers.get('Approval', '')}"
        key = str(uuid5(self.key_namespace, name))
        return self.request("POST", path, {"Idempotency-Key": key, **headers}, body)

    def call(self, path: str, body: Json | None = None, **headers: str) -> Json:
        """Send a POST request that must succeed; return the JSON, or {} without content."""
        answer = require_success(self.send(path, body, **headers))
        return dict(answer.json()) if answer.content else {}

    def apply(
        self, subject: str, action: str, body: Json | None = None, **headers: str
    ) -> Json:
        """Apply an action to the current version of a case or of another record."""
        seen = self.get_tag(subject)
        return self.call(f"{subject}/{action}", body, **{"If-Match": seen}, **headers)

    def write(self, subject: str, part: str, content: Json) -> None:
        """Replace the sealed document `part` of the record at the path `subject`."""
        seen = {"If-Match": self.get_tag(subject)}
        require_success(self.request("PUT", f"{subject}/{part}", seen, content))

    def get_tag(self, subject: str) -> str:
        """Return the entity tag of the current version of a record."""
        return str(require_success(self.read(subject)).headers["ETag"])

    def list_unmet(
        self, path: str, body: Json | None = None, **headers: str
    ) -> dict[str, str]:
        """Try an action that must fail, and return the remedy of each unmet requirement."""
        answer = self.send(path, body, **headers)
        if answer.status_code != httpx.codes.CONFLICT or "unmet" not in answer.json():
            raise build_failure(answer)
        return {unmet["requirement"]: unmet["remedy"] for unmet in answer.json()["unmet"]}

    def list_events(self, *subjects: str) -> list[str]:
        """List the types of the events in the feed: those about the given records, or all.

        The office may get other events at the same time, because people use the service
        while a journey is run.
        """
        events = self.get(f"events{LIMIT}")["items"]
        chosen = (one for one in events if not subjects or one["subject"] in subjects)
        return [event["type"] for event in chosen]

    def list_deadlines(self, subject: str) -> dict[str, str]:
        """Return the due times of the office's deadlines for a subject as text, by kind."""
        items = self.get(f"worklist{LIMIT}")["items"]
        about = (one for one in items if one["subject"] == subject)
        return {one["kind"]: format_time(one["due_at"]) for one in about}


@dataclass
class Demo:
    """The demonstration: all API keys, and the functions that the journeys use.

    `say` prints a line. `run_out` makes all deadlines of a case due now, which no client of
    the service can do.
    """

    http: httpx.Client
    keys: Mapping[DemoAccount, str]
    say: Say
    now: datetime
    run_out: Callable[[str], None]

    def get_user(self, part: DemoAccount, tale: UUID = KEY_NAMESPACE) -> DemoUser:
        """Return the client for a demo account; its idempotency keys depend on `tale`."""
        return DemoUser(part, self.http, self.keys[part], tale)

    def submit_case(self, officer: DemoAccount, body: Json) -> "DemoCase | None":
        """Submit a case as an officer, or return None if the journey was started before.

        The Idempotency-Key is random, because the external reference prevents a duplicate.
        """
        player = self.get_user(officer)
        first = player.send("cases", body, **{"Idempotency-Key": token_hex(16)})
        if first.status_code == httpx.codes.CONFLICT and "code" in first.json():
            self.report_repeat(player, str(first.json()["code"]))
            return None
        return DemoCase(self, str(require_success(first).json()["code"]))

    def report_repeat(self, officer: DemoUser, case: str) -> None:
        """Print that the journey was started before, with the state of its case."""
        state = officer.get(f"cases/{case}")["state"]
        self.say(
            f"  The journey was started before; {case} is {state} and was not changed."
        )

    def format_later(self, **time: float) -> str:
        """Return a time in the future, in ISO 8601."""
        return (self.now + timedelta(**time)).isoformat(timespec="seconds")


@dataclass
class DemoCase:
    """A demo case, with methods for the steps that journeys have in common."""

    demo: Demo
    code: str

    @property
    def path(self) -> str:
        """The path of the case in the API, without `/v1/`."""
        return f"cases/{self.code}"

    def print(self, text: str) -> Self:
        """Print a line of text about the case."""
        self.demo.say(text)
        return self

    def get_user(self, part: DemoAccount) -> DemoUser:
        """Return the client for an account; its idempotency keys depend on the case."""
        return self.demo.get_user(part, uuid5(KEY_NAMESPACE, self.code))

    def expire_deadlines(self) -> None:
        """Make all deadlines of the case due now."""
        self.demo.run_out(self.code)

    def wait_until[T](self, look: Callable[[], T | None]) -> T:
        """Call a function until its result is truthy, and return the result.

        Raises JourneyFailed after 20 seconds.
        """
        for _ in range(MAX_LOOKS):
            if found := look():
                return found
            time.sleep(LOOK_SECONDS)
        raise JourneyFailed(f"No deadline of {self.code} was handled. Check the worker.")

    def expect_hidden(self, *found: object) -> None:
        """Raise JourneyFailed if any value is truthy: an account then saw too much."""
        if any(found):
            raise JourneyFailed(f"An account saw data of {self.code} that it may not see.")

    def take_lead(self, lead: DemoUser) -> None:
        """Acknowledge the case, accept the lead, and name the contacts."""
        lead.apply(self.path, "acknowledge")
        lead.apply(self.path, "accept-lead", {"contacts": build_contacts(lead.account)})

    def refer(
        self, lead: DemoUser, to: DemoAccount, service: str, sections: Iterable[str] = ()
    ) -> str:
        """Send a referral for one service to an office, and return the referral's path."""
        path, sent = f"{self.path}/referrals", build_referral(to, service, sections)
        return f"referrals/{lead.call(path, sent)['id']}"

    def accept(self, referral: str, to: DemoAccount) -> DemoUser:
        """Acknowledge and accept a referral, with a sealed place and time to meet.

        Return the API client of the recipient.
        """
        helper = self.get_user(to)
        helper.apply(referral, "acknowledge")
        helper.apply(referral, "accept", build_meeting(to, self.demo.format_later(days=1)))
        return helper

    def add_consent(self, lead: DemoUser, given: Json) -> None:
        """Record a consent in the case."""
        lead.call(f"{self.path}/consents", given)


def build_referral(to: DemoAccount, service: str, sections: Iterable[str] = ()) -> Json:
    """Return the request body of a referral."""
    named = {"recipient": to.focal_point, "service": service}
    return named | {"sections": list(sections), "send": True}
