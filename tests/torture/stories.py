"""What people do with a case, from its submission to its end, whatever happens meanwhile.

Each story is told by one client; others meddle with the same case, and clocks run out.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from httpx2 import Response

from app.cases.lifecycle import EVENTS as OF_CASES
from app.handovers.lifecycle import EVENTS as OF_HANDOVERS
from app.referrals.lifecycle import EVENTS as OF_REFERRALS
from tests.support import world
from tests.support.world import NOTICE, closing, consent, contacts, for_handover
from tests.torture.clients import Asker, Json, Over, Person

AGAIN: Final = 3
"""Times that somebody reads a record anew when it has changed before they acted."""
STALE: Final = 412
LEVELS: Final = ("low", "medium", "high")
PRIORITIES: Final = ("emergency", "urgent", "urgent", "normal")
KNOWN: Final = 40
"""Of so many cases, the newest, others may think."""
WRITTEN: Final = "case.section_written"

EVENTS: Final[Mapping[str, Mapping[Any, str]]] = {
    "cases": OF_CASES,
    "referrals": OF_REFERRALS,
    "handovers": OF_HANDOVERS,
}


@dataclass
class Mechanism:
    """Who is there, and the cases that everybody has heard of."""

    people: Mapping[str, Person]
    cases: list[str] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=count)


@dataclass
class Teller:
    """One client, telling one story after the other."""

    asker: Asker
    there: Mechanism

    def who(self, name: str) -> Person:
        """Find somebody by their part."""
        return self.there.people[name]

    def acts(
        self,
        name: str,
        subject: str,
        action: str,
        body: Json | None = None,
        **headers: str,
    ) -> Response:
        """Act on what a record looks like now; raises Over if that is refused."""
        noun, step = subject.split("/", maxsplit=1)[0], action.replace("-", "_")
        what = EVENTS[noun][step]
        path = f"{subject}/{action}"
        return self.on_reading(name, subject, what, path, body, headers=headers)

    def on_reading(
        self,
        name: str,
        subject: str,
        what: str,
        path: str,
        body: Json | None,
        **rest: Any,
    ) -> Response:
        """Do something on the strength of a reading, and read anew if it was too old."""
        for _ in range(AGAIN):
            tag = self.asker.reads(self.who(name), subject).headers.get("ETag")
            answer = self.asker.does(self.who(name), what, path, body, tag=tag, **rest)
            if answer.status_code != STALE:
                return good(answer)
        raise Over

    def creates(
        self, name: str, what: str, path: str, body: Json, also: tuple[str, ...] = ()
    ) -> str:
        """Make a record, and say where it is."""
        answer = good(self.asker.does(self.who(name), what, path, body, also=also))
        return answer.headers["Location"].removeprefix("/v1/")

    def submits(self) -> str:
        """Let the officer submit a case; says where it is."""
        chance = self.asker.chance
        draft = chance.random() < 0.2
        body = new_case(chance.choice(PRIORITIES), submit=not draft)
        at_once = () if draft else ("case.submitted",)
        case = self.creates("officer", "case.drafted", "cases", body, at_once)
        if draft:
            self.acts("officer", case, "submit")
        self.there.cases.append(case)
        return case

    def writes(self, name: str, case: str) -> None:
        """Write anew what is needed: a text that nobody wrote before."""
        says = f"A safe bed, {next(self.there.numbers)}"
        body, path = {"section": "needs", "summary": says}, f"{case}/sections/needs"
        self.on_reading(name, case, WRITTEN, path, body, method="PUT", says=says)

    def leads(self, case: str) -> None:
        """Take the lead."""
        self.acts("lead", case, "acknowledge")
        self.acts("lead", case, "accept-lead", {"contacts": contacts()})

    def refers(self, name: str, case: str, to: str, service: str) -> str:
        """Ask for one service; says where the referral is."""
        body = {"recipient": to, "service": service, "sections": ["needs"], "send": True}
        path, at_once = f"{case}/referrals", ("referral.sent",)
        return self.creates(name, "referral.opened", path, body, at_once)

    def helps(self, name: str, referral: str) -> None:
        """Accept, meet the person, help, and say how it went."""
        self.acts(name, referral, "acknowledge")
        self.acts(name, referral, "accept", promise())
        self.acts(name, referral, "start", {"person_met": True})
        done = {"outcome": "delivered", "feedback": "She is well."}
        self.acts(name, referral, "complete", done)

    def closes(self, case: str) -> None:
        """Close it, with a second person."""
        asked = self.acts("lead", case, "close", closing())
        question = f"approvals/{asked.json()['id']}"
        second, allow = self.who("second"), f"{question}/approve"
        good(self.asker.does(second, "approval.decided", allow))
        approval = question.partition("/")[2]
        self.acts("lead", case, "close", closing(), Approval=approval)

    def looks_at_lists(self, name: str) -> None:
        """Read what there is, and what waits."""
        for path in ("cases?limit=20", "worklist", "referrals?limit=20"):
            self.asker.reads(self.who(name), path)


def good(answer: Response) -> Response:
    """Raise Over if this was refused."""
    if not answer.is_success:
        raise Over
    return answer


def promise() -> Json:
    """Promise a first meeting, a day from now."""
    at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    meeting = {"place": "Rayymbek 1", "at": at, "person": "Гүлнар"}
    return {"meeting": meeting, "contacts": contacts()}


def new_case(priority: str, *, submit: bool) -> Json:
    """Write the case of an adult who agreed to all that the stories do with it."""
    now = datetime.now(UTC)
    given = {
        "obtained_on": (now - timedelta(days=2)).date().isoformat(),
        "expires_at": (now + timedelta(days=180)).isoformat(),
    }
    return {
        "submit": submit,
        "notice": NOTICE | {"priority": priority},
        "sections": [
            {"section": "needs", "summary": "A safe bed tonight"},
            {"section": "identity", "names": ["Ойгул Намунавий"]},
        ],
        "safeguards": {"country_of_origin": "UZ", "origin_contact": "permitted"},
        "consents": [consent(**given), world.for_services(**given), for_handover(**given)],
        "risk": {"level": "medium"},
    }


# The stories.


def whole(tell: Teller) -> None:
    """Tell a case that goes as it should: two help, and it is closed."""
    case = tell.submits()
    tell.leads(case)
    bed = tell.refers("lead", case, "KZ_SHELTER_KOGERSHIN", "SHELTER")
    advice = tell.refers("lead", case, "KZ_LEGAL_AID", "LEGAL_AID")
    tell.helps("shelter", bed)
    tell.writes("lead", case)
    tell.helps("lawyer", advice)
    tell.closes(case)


def declined(tell: Teller) -> None:
    """Tell of a shelter without a bed, and of a referral that is taken back."""
    case = tell.submits()
    tell.writes("officer", case)
    tell.leads(case)
    bed = tell.refers("lead", case, "KZ_SHELTER_KOGERSHIN", "SHELTER")
    tell.acts("shelter", bed, "decline", {"reason": "NO_CAPACITY"})
    again = tell.refers("lead", case, "KZ_SHELTER_KOGERSHIN", "SHELTER")
    tell.acts("lead", again, "withdraw", {"reason": "NO_LONGER_NEEDED"})
    tell.acts("lead", case, "suspend", pause())
    tell.acts("lead", case, "resume")


def taken_back(tell: Teller) -> None:
    """Tell of a case that was sent in error, and of a draft that is thrown away."""
    case = tell.submits()
    tell.acts("officer", case, "withdraw", {"reason": "SENT_IN_ERROR"})
    draft = tell.creates(
        "officer", "case.drafted", "cases", new_case("urgent", submit=False)
    )
    tell.writes("officer", draft)
    tell.acts("officer", draft, "discard")


def handed_over(tell: Teller) -> None:
    """Tell of a person who goes home, where another focal point takes the lead."""
    case = tell.submits()
    tell.leads(case)
    offer = {"to": "UZ_LEAD", "reason": "MIGRATION_OR_CHANGE_OF_LOCATION"}
    path = f"{case}/handovers"
    first = tell.creates("lead", "handover.offered", path, offer)
    tell.acts("taker", first, "decline", {"reason": "NO_CAPACITY"})
    second = tell.creates("lead", "handover.offered", path, offer)
    taking = {"contacts": contacts(), "capacity_confirmed": True}
    tell.acts("taker", second, "accept", taking)
    tell.writes("taker", case)


def nobody_answers(tell: Teller) -> None:
    """Tell of a case that nobody answers, until it is somebody else's."""
    case = tell.submits()
    until = time.monotonic() + 6
    while time.monotonic() < until:
        tell.asker.reads(tell.who("officer"), case)
        time.sleep(0.5)


def pause() -> Json:
    """Let a case rest for some days."""
    review = (datetime.now(UTC) + timedelta(minutes=2)).isoformat()
    return {"reason": "SAFETY", "review_at": review}


# What others do meanwhile.


def meddles(tell: Teller) -> None:
    """Do something with a case that somebody else is busy with."""
    chance, known = tell.asker.chance, tell.there.cases[-KNOWN:]
    if not known:
        time.sleep(0.2)
        return
    case, act = chance.choice(known), chance.choice(MEDDLING)
    act(tell, case)


def assesses(tell: Teller, case: str) -> None:
    """Assess the risk: it may be more or less by now."""
    what, level = "case.risk_assessed", tell.asker.chance.choice(LEVELS)
    path = f"{case}/risk-assessments"
    good(tell.asker.does(tell.who("colleague"), what, path, {"level": level}))


def declines(tell: Teller, case: str) -> None:
    """Let the case go on to the next."""
    tell.acts("colleague", case, "decline-lead", {"reason": "NO_CAPACITY"})


MEDDLING: Final[tuple[Callable[[Teller, str], object], ...]] = (
    assesses,
    assesses,
    declines,
    lambda tell, case: tell.acts("colleague", case, "acknowledge"),
    lambda tell, case: tell.writes("colleague", case),
    lambda tell, case: tell.writes("officer", case),
    lambda tell, case: tell.acts("colleague", case, "stop", {"reason": "SURVIVOR_REQUEST"}),
    lambda tell, _: tell.looks_at_lists("colleague"),
    lambda tell, _: tell.looks_at_lists("shelter"),
)
STORIES: Final = (whole, whole, declined, taken_back, handed_over, nobody_answers)


def tells(tell: Teller, *, meddling: bool) -> None:
    """Tell stories, or meddle with those of others, until the run is over."""
    while tell.asker.goes_on():
        try:
            if meddling:
                meddles(tell)
            else:
                tell.asker.chance.choice(STORIES)(tell)
        except Over:
            time.sleep(0.02)
