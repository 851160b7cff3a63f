"""Stories that clients run against the service: cases from submission to closure.

One client runs each story. Meanwhile, other clients act on the same case, and deadlines
are missed.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from httpx2 import Response

from app.cases.lifecycle import EVENTS as OF_CASES
from app.handovers.lifecycle import EVENTS as OF_HANDOVERS
from app.referrals.lifecycle import EVENTS as OF_REFERRALS
from tests.support.world import make_closure, make_contacts
from tests.torture.bodies import make_case, make_promise, make_suspension
from tests.torture.clients import Json, Over, Person, StoryClient

MAX_CONFLICTS: Final = 3
"""Maximum number of attempts of an operation that meets version conflicts."""
STALE: Final = 412
LEVELS: Final = ("low", "medium", "high")
PRIORITIES: Final = ("emergency", "urgent", "urgent", "normal")
NEWEST_CASES: Final = 40
"""The number of newest cases that other clients act on."""
WRITTEN: Final = "case.section_written"

EVENTS: Final[Mapping[str, Mapping[Any, str]]] = {
    "cases": OF_CASES,
    "referrals": OF_REFERRALS,
    "handovers": OF_HANDOVERS,
}


@dataclass
class Mechanism:
    """The mechanism that all clients share: its accounts and its cases."""

    people: Mapping[str, Person]
    cases: list[str] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=count)


@dataclass
class Storyteller:
    """A client that runs stories one after another."""

    client: StoryClient
    mechanism: Mechanism

    def get_person(self, name: str) -> Person:
        """Return the person with this name."""
        return self.mechanism.people[name]

    def take_step(
        self,
        name: str,
        subject: str,
        action: str,
        body: Json | None = None,
        **headers: str,
    ) -> Response:
        """Perform an action on the current version of a record.

        Raises Over if the action is refused.
        """
        noun, step = subject.split("/", maxsplit=1)[0], action.replace("-", "_")
        what = EVENTS[noun][step]
        path = f"{subject}/{action}"
        return self.read_and_send(name, subject, what, path, body, headers=headers)

    def read_and_send(
        self,
        name: str,
        subject: str,
        what: str,
        path: str,
        body: Json | None,
        **rest: Any,
    ) -> Response:
        """Read a record and perform an operation. After a version conflict, start again.

        Raises Over if the operation is refused, or after `MAX_CONFLICTS` conflicts.
        """
        for _ in range(MAX_CONFLICTS):
            tag = self.client.read(self.get_person(name), subject).headers.get("ETag")
            answer = self.client.send(
                self.get_person(name), what, path, body, tag=tag, **rest
            )
            if answer.status_code != STALE:
                return require_success(answer)
        raise Over

    def create(
        self, name: str, what: str, path: str, body: Json, also: tuple[str, ...] = ()
    ) -> str:
        """Create a record and return its reference."""
        answer = require_success(
            self.client.send(self.get_person(name), what, path, body, also=also)
        )
        return answer.headers["Location"].removeprefix("/v1/")

    def submit(self) -> str:
        """Submit a case as the officer, and return its reference."""
        chance = self.client.chance
        draft = chance.random() < 0.2
        body = make_case(chance.choice(PRIORITIES), submit=not draft)
        at_once = () if draft else ("case.submitted",)
        case = self.create("officer", "case.drafted", "cases", body, at_once)
        if draft:
            self.take_step("officer", case, "submit")
        self.mechanism.cases.append(case)
        return case

    def write(self, name: str, case: str) -> None:
        """Write a unique text to the section `needs`."""
        summary = f"A safe bed, {next(self.mechanism.numbers)}"
        body, path = {"section": "needs", "summary": summary}, f"{case}/sections/needs"
        self.read_and_send(name, case, WRITTEN, path, body, method="PUT", says=summary)

    def accept_lead(self, case: str) -> None:
        """Acknowledge a case and accept the lead."""
        self.take_step("lead", case, "acknowledge")
        self.take_step("lead", case, "accept-lead", {"contacts": make_contacts()})

    def refer(self, name: str, case: str, to: str, service: str) -> str:
        """Refer a case to an office for a service, and return the referral's reference."""
        body = {"recipient": to, "service": service, "sections": ["needs"], "send": True}
        path, at_once = f"{case}/referrals", ("referral.sent",)
        return self.create(name, "referral.created", path, body, at_once)

    def complete_referral(self, name: str, referral: str) -> None:
        """Accept a referral, meet the person and complete the service."""
        self.take_step(name, referral, "acknowledge")
        self.take_step(name, referral, "accept", make_promise())
        self.take_step(name, referral, "start", {"person_met": True})
        done = {"outcome": "delivered", "feedback": "She is well."}
        self.take_step(name, referral, "complete", done)

    def close(self, case: str) -> None:
        """Close a case with the approval of a second person."""
        answer = self.take_step("lead", case, "close", make_closure())
        approval_path = f"approvals/{answer.json()['id']}"
        second, allow = self.get_person("second"), f"{approval_path}/approve"
        require_success(self.client.send(second, "approval.decided", allow))
        approval = approval_path.partition("/")[2]
        self.take_step("lead", case, "close", make_closure(), Approval=approval)

    def read_lists(self, name: str) -> None:
        """Read the cases, the worklist and the referrals."""
        for path in ("cases?limit=20", "worklist", "referrals?limit=20"):
            self.client.read(self.get_person(name), path)


def require_success(answer: Response) -> Response:
    """Return the response, or raise Over if it is not a success."""
    if not answer.is_success:
        raise Over
    return answer


# The stories.


def play_closed_case(teller: Storyteller) -> None:
    """Submit a case, and close it after two recipients have helped."""
    case = teller.submit()
    teller.accept_lead(case)
    bed = teller.refer("lead", case, "KZ_SHELTER_KOGERSHIN", "SHELTER")
    advice = teller.refer("lead", case, "KZ_LEGAL_AID", "LEGAL_AID")
    teller.complete_referral("shelter", bed)
    teller.write("lead", case)
    teller.complete_referral("lawyer", advice)
    teller.close(case)


def play_declined_referral(teller: Storyteller) -> None:
    """Decline a referral of a case, withdraw another, then suspend and resume the case."""
    case = teller.submit()
    teller.write("officer", case)
    teller.accept_lead(case)
    bed = teller.refer("lead", case, "KZ_SHELTER_KOGERSHIN", "SHELTER")
    teller.take_step("shelter", bed, "decline", {"reason": "NO_CAPACITY"})
    again = teller.refer("lead", case, "KZ_SHELTER_KOGERSHIN", "SHELTER")
    teller.take_step("lead", again, "withdraw", {"reason": "NO_LONGER_NEEDED"})
    teller.take_step("lead", case, "suspend", make_suspension())
    teller.take_step("lead", case, "resume")


def play_withdrawn_case(teller: Storyteller) -> None:
    """Withdraw a case that was submitted in error, and discard a draft."""
    case = teller.submit()
    teller.take_step("officer", case, "withdraw", {"reason": "SENT_IN_ERROR"})
    draft = teller.create(
        "officer", "case.drafted", "cases", make_case("urgent", submit=False)
    )
    teller.write("officer", draft)
    teller.take_step("officer", draft, "discard")


def play_handover(teller: Storyteller) -> None:
    """Submit a case, and hand it over to the country of origin at the second attempt."""
    case = teller.submit()
    teller.accept_lead(case)
    offer = {"to": "UZ_LEAD", "reason": "MIGRATION_OR_CHANGE_OF_LOCATION"}
    path = f"{case}/handovers"
    first = teller.create("lead", "handover.offered", path, offer)
    teller.take_step("taker", first, "decline", {"reason": "NO_CAPACITY"})
    second = teller.create("lead", "handover.offered", path, offer)
    taking = {"contacts": make_contacts(), "capacity_confirmed": True}
    teller.take_step("taker", second, "accept", taking)
    teller.write("taker", case)


def wait_for_deadline(teller: Storyteller) -> None:
    """Submit a case, and only read it for six seconds, so that a deadline can be missed."""
    case = teller.submit()
    until = time.monotonic() + 6
    while time.monotonic() < until:
        teller.client.read(teller.get_person("officer"), case)
        time.sleep(0.5)


# Actions of other clients.


def apply_random_action(teller: Storyteller) -> None:
    """Perform a random action on one of the newest cases, if there is one."""
    chance, known = teller.client.chance, teller.mechanism.cases[-NEWEST_CASES:]
    if not known:
        time.sleep(0.2)
        return
    case, act = chance.choice(known), chance.choice(OTHER_ACTIONS)
    act(teller, case)


def assess_risk(teller: Storyteller, case: str) -> None:
    """Record a risk assessment with a random level."""
    what, level = "case.risk_assessed", teller.client.chance.choice(LEVELS)
    path = f"{case}/risk-assessments"
    require_success(
        teller.client.send(teller.get_person("colleague"), what, path, {"level": level})
    )


def decline_lead(teller: Storyteller, case: str) -> None:
    """Decline the lead of a case."""
    teller.take_step("colleague", case, "decline-lead", {"reason": "NO_CAPACITY"})


OTHER_ACTIONS: Final[tuple[Callable[[Storyteller, str], object], ...]] = (
    assess_risk,
    assess_risk,
    decline_lead,
    lambda teller, case: teller.take_step("colleague", case, "acknowledge"),
    lambda teller, case: teller.write("colleague", case),
    lambda teller, case: teller.write("officer", case),
    lambda teller, case: teller.take_step(
        "colleague", case, "stop", {"reason": "SURVIVOR_REQUEST"}
    ),
    lambda teller, _: teller.read_lists("colleague"),
    lambda teller, _: teller.read_lists("shelter"),
)
STORIES: Final = (
    play_closed_case,
    play_closed_case,
    play_declined_referral,
    play_withdrawn_case,
    play_handover,
    wait_for_deadline,
)


def play(teller: Storyteller, *, meddling: bool) -> None:
    """Until the run has ended, run stories or, if `meddling`, act on the newest cases."""
    while teller.client.is_running():
        try:
            if meddling:
                apply_random_action(teller)
            else:
                teller.client.chance.choice(STORIES)(teller)
        except Over:
            time.sleep(0.02)
