"""A journey, told as a person would: a worker from Uzbekistan, met in Almaty.

All of it is made up, and marked so. It speaks to a running service over HTTP and to nothing
else, as any integrator would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import httpx

from app.demo.cast import FULL_SHELTER, LAWYER, LEAD, OFFICER, SECOND, SHELTER, Part
from app.demo.words import case_body, contacts, meeting

type Json = dict[str, Any]
type Say = Callable[[str], None]

KEYS: Final = UUID("5afec0de-0000-4000-8000-00000000d3d0")
PURPOSE: Final = {"Purpose": "assessment"}


class StoryBroken(Exception):  # noqa: N818 - it says what happened, as Problem does
    """The service answered otherwise than the story needs."""


@dataclass
class Player:
    """One of the cast, with a client of their own."""

    part: Part
    http: httpx.Client
    tale: UUID

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Json:
        """Read something."""
        return dict(good(self.http.get(f"/v1/{path}", headers=headers)).json())

    def post(self, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
        """Do something once: the key is the same however often the story is retried."""
        key = uuid5(self.tale, f"{self.part.name} {path} {headers.get('Approval', '')}")
        sent = {"Idempotency-Key": str(key)} | headers
        return good(self.http.post(f"/v1/{path}", json=body, headers=sent))

    def act(
        self, subject: str, action: str, body: Json | None = None, **headers: str
    ) -> httpx.Response:
        """Act on the strength of what it looks like now."""
        seen = good(self.http.get(f"/v1/{subject}")).headers["ETag"]
        return self.post(f"{subject}/{action}", body, **{"If-Match": seen}, **headers)

    def hears(self) -> list[str]:
        """Poll for all that happened."""
        return [event["type"] for event in self.get("events?limit=200")["items"]]


def good(response: httpx.Response) -> httpx.Response:
    """Raise StoryBroken if this is not a success."""
    if not response.is_success:
        method, path = response.request.method, response.request.url.path
        raise StoryBroken(f"{method} {path}: {response.status_code} {response.text}")
    return response


@dataclass
class Story:
    """The players, and the voice that tells what they do."""

    url: str
    keys: Mapping[str, str]
    say: Say
    now: datetime

    def player(self, part: Part, tale: UUID = KEYS) -> Player:
        """Bring somebody on, with their own key."""
        key = self.keys[part.name]
        headers = {"Authorization": f"Bearer {key}"}
        return Player(part, httpx.Client(base_url=self.url, headers=headers), tale)

    def play(self) -> str:
        """Play it all and return the code of the case; or, played before, how it stands."""
        officer = self.player(OFFICER)
        self.say("A consular officer of Uzbekistan in Almaty meets a worker who wants out.")
        body = case_body(self.now)
        first = officer.http.post(
            "/v1/cases", json=body, headers={"Idempotency-Key": str(uuid5(KEYS, str(body)))}
        )
        if first.status_code == httpx.codes.CONFLICT:
            return self.tell_again(officer, str(first.json()["code"]))
        case = str(good(first).json()["code"])
        tale = uuid5(KEYS, case)
        self.say(f"  She agrees to be referred. The officer submits the case: {case}")
        self.lead(self.player(LEAD, tale), case)
        shelter, lawyer = self.ask(self.player(LEAD, tale), case, tale)
        self.help(self.player(SHELTER, tale), self.player(LAWYER, tale), shelter, lawyer)
        self.close(self.player(LEAD, tale), self.player(SECOND, tale), case)
        self.tell(officer, case)
        return case

    def tell_again(self, officer: Player, case: str) -> str:
        """Say that the story was played before, and change nothing."""
        state = officer.get(f"cases/{case}")["state"]
        self.say(f"  The story was played before; {case} is {state}. Nothing was changed.")
        return case

    def lead(self, lead: Player, case: str) -> None:
        """Let the focal point of the country take the lead."""
        routing = lead.get(f"cases/{case}/routing")
        first = routing["candidates"][0]
        self.say(f"It is routed to {first['focal_point']}: {', '.join(first['reasons'])}.")
        waits = lead.get("worklist")["items"]
        due = next(w["due_at"] for w in waits if w["subject"] == f"cases/{case}")
        self.say(f"  Its coordinator polls the worklist: an answer is due by {due}.")
        lead.act(f"cases/{case}", "acknowledge")
        needs = lead.get(f"cases/{case}/sections/needs", PURPOSE)["content"]
        self.say(f"  She acknowledges and reads what is needed: {needs['summary']}")
        lead.act(f"cases/{case}", "accept-lead", {"contacts": contacts("lead")})
        self.say("  She takes the lead, and names two people who can be reached.")

    def ask(self, lead: Player, case: str, tale: UUID) -> tuple[str, str]:
        """Ask a shelter and a lawyer side by side; one shelter is full."""
        path, sections = f"cases/{case}/referrals", ["needs", "contact"]

        def refer(to: Part, service: str) -> str:
            sent = {"recipient": to.focal_point, "service": service, "sections": sections}
            one = Player(to, lead.http, tale)  # the key must differ by whom is asked
            return str(one.post(path, {**sent, "send": True}).json()["id"])

        full, lawyer = refer(FULL_SHELTER, "SHELTER"), refer(LAWYER, "LEGAL_AID")
        self.say("Two referrals leave at once: to a shelter and to a legal aid office.")
        no = {"reason": "NO_CAPACITY", "note": "Every bed is taken until Friday."}
        self.player(FULL_SHELTER, tale).act(f"referrals/{full}", "decline", no)
        self.say("  The shelter has no bed, and says so: NO_CAPACITY.")
        shelter = refer(SHELTER, "SHELTER")
        self.say("  The coordinator hears of it in her feed and asks another shelter.")
        return shelter, lawyer

    def help(self, shelter: Player, lawyer: Player, bed: str, advice: str) -> None:
        """Let both accept, meet the person, and say what came of it."""
        tomorrow = (self.now + timedelta(days=1)).isoformat(timespec="seconds")
        for who, referral in ((shelter, bed), (lawyer, advice)):
            who.act(f"referrals/{referral}", "acknowledge")
            who.act(f"referrals/{referral}", "accept", meeting(who.part.name, tomorrow))
            self.say(f"  The {who.part.name} accepts, with a place and a time; sealed.")
        for who, referral in ((shelter, bed), (lawyer, advice)):
            who.act(f"referrals/{referral}", "start", {"person_met": True})
            report = {"outcome": "delivered", "feedback": "She is well and was advised."}
            who.act(f"referrals/{referral}", "complete", report)
            self.say(f"  The {who.part.name} met her, helped, and reports: delivered.")

    def close(self, lead: Player, second: Player, case: str) -> None:
        """Close it, by two people."""
        why = {"reason": "GOALS_MET", "person_informed": True}
        asked = lead.act(f"cases/{case}", "close", why).json()
        self.say("The coordinator wants to close; that takes a second person.")
        second.post(f"approvals/{asked['id']}/approve")
        lead.act(f"cases/{case}", "close", why, Approval=asked["id"])
        self.say(
            "  The supervisor approves; the case is closed, and every section is shut."
        )

    def tell(self, officer: Player, case: str) -> None:
        """Tell what the officer knows: how it went, and never where."""
        [ladder] = officer.get(f"cases/{case}/evidence")["items"]
        rungs = ", ".join(f"{r['rank']} {r['name']}" for r in ladder["rungs"])
        self.say(f"What the officer can prove: {rungs}.")
        self.say(f"  What she heard: {', '.join(officer.hears()[-5:])}.")
        self.say("  Who shelters the person she was never told.")
