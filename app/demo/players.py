"""Whoever plays a journey, and the voice that tells it.

All of it is made up, and marked so. It speaks to a running service over HTTP and to nothing
else, as any integrator would.
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
"""Seconds between two looks at what the worker does."""


class StoryBroken(Exception):  # noqa: N818 - it says what happened, as Problem does
    """The service answered otherwise than the story needs."""


def require_success(response: httpx.Response) -> httpx.Response:
    """Raise StoryBroken if this is not a success."""
    if not response.is_success:
        raise build_failure(response)
    return response


def build_failure(response: httpx.Response) -> StoryBroken:
    """Say which answer the story did not expect."""
    method, path = response.request.method, response.request.url.path
    return StoryBroken(f"{method} {path}: {response.status_code} {response.text}")


def format_time(at: str) -> str:
    """Spell a time as people read it."""
    return f"{datetime.fromisoformat(at):%d %B %H:%M} UTC"


@dataclass
class Player:
    """One of the cast, with a key of their own."""

    part: Part
    http: httpx.Client
    key: str
    tale: UUID

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: Json | None = None
    ) -> httpx.Response:
        """Send a request, and take the answer as it is."""
        sent = {"Authorization": f"Bearer {self.key}", **headers}
        return self.http.request(method, f"/v1/{path}", json=body, headers=sent)

    def looks(self, path: str) -> httpx.Response:
        """Try to read or open something, with a purpose, and take the answer as it is."""
        return self.ask("GET", path, PURPOSE)

    def get(self, path: str) -> Json:
        """Read something; what is sealed is opened, and that is recorded."""
        return dict(require_success(self.looks(path)).json())

    def finds(self, path: str) -> bool:
        """Try to read or open something, and say whether it is there for them."""
        return self.looks(path).is_success

    def send(self, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
        """Ask for something once: the key is the same however often it is retried."""
        said = json.dumps(body, sort_keys=True)
        what = f"{self.part.label} {path} {said} {headers.get('Approval', '')}"
        key = str(uuid5(self.tale, what))
        return self.ask("POST", path, {"Idempotency-Key": key, **headers}, body)

    def post(self, path: str, body: Json | None = None, **headers: str) -> Json:
        """Do something; an answer without content is an empty one."""
        answer = require_success(self.send(path, body, **headers))
        return dict(answer.json()) if answer.content else {}

    def act(
        self, subject: str, action: str, body: Json | None = None, **headers: str
    ) -> Json:
        """Act on the strength of what it looks like now."""
        seen = self.tag(subject)
        return self.post(f"{subject}/{action}", body, **{"If-Match": seen}, **headers)

    def write(self, subject: str, part: str, content: Json) -> None:
        """Write something sealed anew, on the strength of what the case looks like now."""
        seen = {"If-Match": self.tag(subject)}
        require_success(self.ask("PUT", f"{subject}/{part}", seen, content))

    def tag(self, subject: str) -> str:
        """Read which version this is."""
        return str(require_success(self.looks(subject)).headers["ETag"])

    def lacks(self, path: str, body: Json | None = None, **headers: str) -> dict[str, str]:
        """Try what must not go yet; say what is missing and, of each, the remedy."""
        answer = self.send(path, body, **headers)
        if answer.status_code != httpx.codes.CONFLICT or "unmet" not in answer.json():
            raise build_failure(answer)
        return {lack["need"]: lack["remedy"] for lack in answer.json()["unmet"]}

    def hears(self) -> list[str]:
        """Poll for all that happened."""
        return [event["type"] for event in self.get(f"events{LIMIT}")["items"]]

    def waits(self, subject: str) -> dict[str, str]:
        """Say what waits for their focal point about something, and until when."""
        work = self.get(f"worklist{LIMIT}")["items"]
        about = (one for one in work if one["subject"] == subject)
        return {one["kind"]: format_time(one["due_at"]) for one in about}


@dataclass
class Troupe:
    """Everybody's keys, and the voice that tells what they do.

    `run_out` lets the time of all that waits in a case be over, by the case's code: what no
    client can do.
    """

    http: httpx.Client
    keys: Mapping[Part, str]
    say: Say
    now: datetime
    run_out: Callable[[str], None]

    def player(self, part: Part, tale: UUID = KEY_NAMESPACE) -> Player:
        """Bring somebody on, with their own key."""
        return Player(part, self.http, self.keys[part], tale)

    def meets(self, officer: Part, body: Json) -> "Tale | None":
        """Let an officer submit a case; None: it was played before, and that was said.

        Each telling has a key of its own: the officer's number of the case keeps it one.
        """
        player = self.player(officer)
        first = player.send("cases", body, **{"Idempotency-Key": token_hex(16)})
        if first.status_code == httpx.codes.CONFLICT and "code" in first.json():
            self.tell_again(player, str(first.json()["code"]))
            return None
        return Tale(self, str(require_success(first).json()["code"]))

    def tell_again(self, officer: Player, case: str) -> None:
        """Say that the story was played before, and change nothing."""
        state = officer.get(f"cases/{case}")["state"]
        self.say(f"  The story was played before; {case} is {state}. Nothing was changed.")

    def later(self, **time: float) -> str:
        """Spell a time that is still ahead."""
        return (self.now + timedelta(**time)).isoformat(timespec="seconds")


@dataclass
class Tale:
    """One case, as it is told."""

    troupe: Troupe
    code: str

    @property
    def case(self) -> str:
        """Where the case is."""
        return f"cases/{self.code}"

    def say(self, text: str) -> Self:
        """Tell a line."""
        self.troupe.say(text)
        return self

    def player(self, part: Part) -> Player:
        """Bring somebody on, who acts once however often the story is retried."""
        return self.troupe.player(part, uuid5(KEY_NAMESPACE, self.code))

    def runs_out(self) -> None:
        """Let the time of all that waits in the case be over."""
        self.troupe.run_out(self.code)

    def until[T](self, look: Callable[[], T | None]) -> T:
        """Wait until the worker has done its part; raises StoryBroken."""
        for _ in range(MAX_LOOKS):
            if found := look():
                return found
            time.sleep(LOOK_SECONDS)
        raise StoryBroken(f"In {self.code} no clock was fired: does the worker run?")

    def hidden(self, *found: object) -> None:
        """Break the story where somebody found what must be hidden from them."""
        if any(found):
            raise StoryBroken(f"In {self.code} somebody was told what is not theirs.")

    def leads(self, lead: Player) -> None:
        """Let a focal point take the lead, with two people who can be reached."""
        lead.act(self.case, "acknowledge")
        lead.act(self.case, "accept-lead", {"contacts": build_contacts(lead.part)})

    def refers(
        self, lead: Player, to: Part, service: str, sections: Iterable[str] = ()
    ) -> str:
        """Ask a focal point for one service, and say where the referral is."""
        path, sent = f"{self.case}/referrals", build_referral(to, service, sections)
        return f"referrals/{lead.post(path, sent)['id']}"

    def accepts(self, referral: str, to: Part) -> Player:
        """Let who was asked accept, with a place and a time that are sealed."""
        who = self.player(to)
        who.act(referral, "acknowledge")
        who.act(referral, "accept", build_meeting(to, self.troupe.later(days=1)))
        return who

    def consents(self, lead: Player, given: Json) -> None:
        """Record what the person agreed to."""
        lead.post(f"{self.case}/consents", given)


def build_referral(to: Part, service: str, sections: Iterable[str] = ()) -> Json:
    """Write a referral: to whom, for what, and what they may open once they accept."""
    named = {"recipient": to.focal_point, "service": service}
    return named | {"sections": list(sections), "send": True}
