"""The choice of the next action of an office on a record that the office sees."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.simulation.world import CANARY, Person, Scene
from tests.support.model.actions import make_body
from tests.support.world import Json, Someone, make_acceptance

EVENTS: Final[Mapping[str, Mapping[str, str]]] = {
    "case": {
        "acknowledge": "case.acknowledged",
        "decline_lead": "case.lead_declined",
        "assign": "case.assigned",
        "accept_lead": "case.lead_accepted",
        "suspend": "case.suspended",
        "resume": "case.resumed",
        "monitor": "case.monitoring_begun",
        "reopen_assistance": "case.assistance_reopened",
        "close": "case.closed",
        "stop": "case.stopped",
    },
    "referral": {
        "send": "referral.sent",
        "acknowledge": "referral.acknowledged",
        "ask": "referral.asked",
        "answer": "referral.answered",
        "accept": "referral.accepted",
        "decline": "referral.declined",
        "redirect": "referral.redirected",
        "start": "referral.started",
        "hold": "referral.held",
        "resume": "referral.resumed",
        "report": "referral.reported",
        "complete": "referral.completed",
        "withdraw": "referral.withdrawn",
        "revoke": "referral.revoked",
        "confirm_deletion": "referral.deletion_confirmed",
    },
    "handover": {
        "accept": "handover.accepted",
        "decline": "handover.declined",
        "cancel": "handover.cancelled",
    },
}
"""The event of each simulated action, by kind of record, as in the public contract."""
ALIVE: Final = ("sent", "received", "info_requested", "accepted", "in_progress", "on_hold")
ENDED: Final = ("declined", "redirected", "withdrawn", "revoked", "expired")


@dataclass(frozen=True)
class PlannedRequest:
    """A request that an office is about to send, and the event that should follow."""

    path: str
    body: Any = None
    event: str = ""
    subject: str = ""
    version: int | None = None
    """The version for `If-Match`; None if the request needs none."""


@dataclass(frozen=True)
class RecordView:
    """A record as a person of an office sees it."""

    scene: Scene
    worker: Someone
    declines: float
    subject: str
    record: Json

    @property
    def office(self) -> str:
        return self.worker.code

    @property
    def kind(self) -> str:
        return self.subject.partition("s/")[0]

    @property
    def can(self) -> frozenset[str]:
        """The names of the actions that are available now."""
        steps = self.record["available_actions"]
        return frozenset(one["action"] for one in steps if one["open"])

    @property
    def person(self) -> Person:
        return self.scene.persons[self.code]

    @property
    def code(self) -> str:
        """The code of the case."""
        return str(self.record["code" if self.kind == "case" else "case"])

    def plan_action(self, name: str, target: Any = None, **more: Any) -> PlannedRequest:
        """Return the request for an action on the record."""
        given = make_body(self.scene, (f"{self.kind}.{name}", target, False))
        body = None if given is None and not more else {**(given or {}), **more}
        path = f"/{self.subject}/{name.replace('_', '-')}"
        event = EVENTS[self.kind][name]
        return PlannedRequest(path, body, event, self.subject, self.record["version"])

    def list_records(self, of: str) -> list[Json]:
        """Return the case's referrals or handovers, or no items if the request fails."""
        query = {"case": self.record["code"], "limit": 200}
        answer = self.scene.send(self.worker, "GET", f"/{of}", params=query)
        return answer.json()["items"] if answer is not None and answer.is_success else []


def choose_request(look: RecordView) -> PlannedRequest | None:
    """Return the next request, or None if the office has nothing to do now."""
    mine = set(look.record["you_are"])
    if look.code not in look.scene.persons:
        return None  # the response with the code has not arrived yet
    if look.kind == "handover":
        return as_offered(look) if "handover_candidate" in mine else None
    if look.kind == "referral":
        return as_recipient(look) if mine & {"recipient", "former_recipient"} else None
    for relation, decide in OF_CASE.items():
        if relation in mine:
            return decide(look)
    return None


def as_offered(look: RecordView) -> PlannedRequest | None:
    takes = "accept" in look.can and not look.scene.is_likely(max(look.declines, 0.2))
    name = "accept" if takes else "decline"
    return look.plan_action(name, None) if name in look.can else None


def as_recipient(look: RecordView) -> PlannedRequest | None:
    """Return the next request of a recipient, or None if it takes no action now."""
    scene, can, state = look.scene, look.can, look.record["state"]
    if state in ENDED:
        return look.plan_action("confirm_deletion") if "confirm_deletion" in can else None
    if state in {"sent", "received"} and scene.is_likely(look.declines):
        other = scene.chance.choice(sorted(look.person.corridor.helpers))
        odd = scene.chance.choice(["decline", "ask", "redirect"])
        if odd in can and not (odd == "redirect" and other == look.office):
            return look.plan_action(odd, (0, other))
    rests = {"in_progress": "hold"} if scene.is_likely(look.declines / 2) else {}
    wanted = {
        "sent": "acknowledge" if scene.is_likely(0.7) else "accept",
        "received": "accept",
        "accepted": "start",
        "in_progress": "complete",
        "on_hold": "resume",
    } | rests
    name = wanted.get(state, "")
    if name == "accept" and name not in can:
        name = "decline"
    if name not in can:
        return None
    return look.plan_action(
        name, (0,), **(make_secret_meeting() if name == "accept" else {})
    )


def make_secret_meeting() -> Json:
    """Return a meeting with a place that may be read only in a sealed document."""
    meeting = make_acceptance()["meeting"] | {
        "place": f"{CANARY}place",
        "at": "2031-01-01T00:00:00Z",
    }
    return {"meeting": meeting}


def as_candidate(look: RecordView) -> PlannedRequest | None:
    """Return the next request of a candidate, for example to accept the lead."""
    scene, can = look.scene, look.can
    if scene.is_likely(look.declines) and "decline_lead" in can:
        return look.plan_action("decline_lead")
    if look.record["state"] == "submitted":
        return look.plan_action("acknowledge" if "acknowledge" in can else "decline_lead")
    if "accept_lead" in can:
        return look.plan_action("accept_lead")
    is_stale = has_unmet(look, "accept_lead", "risk_current")
    return assess_risk(look) if is_stale else look.plan_action("decline_lead")


def has_unmet(look: RecordView, action: str, need: str) -> bool:
    """Return whether an action has an unmet requirement with this name."""
    steps = [one for one in look.record["available_actions"] if one["action"] == action]
    return any(
        lack["requirement"] == need for one in steps for lack in one.get("unmet", ())
    )


def assess_risk(look: RecordView) -> PlannedRequest:
    level = look.scene.chance.choice(["low", "medium", "high"])
    path = f"/{look.subject}/risk-assessments"
    body = {"level": level, "remarks": f"{CANARY}risk"}
    return PlannedRequest(path, body, "case.risk_assessed", look.subject)


def as_desk(look: RecordView) -> PlannedRequest | None:
    """Return a desk's request to assign a lead or stop the case, or None if it waits."""
    person, tried = look.person, look.scene.tally.counts
    chosen = [one for one in person.corridor.leads if person.can_help(one, "REFER")]
    name = look.scene.chance.choice([*chosen, person.corridor.state_lead])
    tried[f"desk {look.subject}"] += 1
    if tried[f"desk {look.subject}"] > 4 and look.scene.calm and "stop" in look.can:
        return look.plan_action("stop")
    waits = not look.scene.calm and look.scene.is_likely(0.6)
    return look.plan_action("assign", name) if "assign" in look.can and not waits else None


def as_lead(look: RecordView) -> PlannedRequest | None:
    """Return the next request of a lead, or None if it has nothing to do now."""
    state = look.record["state"]
    if state == "suspended":
        return look.plan_action("resume") if "resume" in look.can else assess_risk(look)
    if state == "monitoring":
        return visit_or_close(look)
    if state not in {"referring", "assisting"}:
        return None
    if has_unmet(look, "resume", "risk_current") or look.scene.is_likely(0.05):
        return assess_risk(look)
    sent = look.list_records("referrals")
    if look.scene.is_likely(0 if look.scene.calm else 0.06) and "suspend" in look.can:
        return look.plan_action("suspend")
    return next(list_referral_requests(look, sent), None) or find_help(look, sent)


def list_referral_requests(look: RecordView, sent: list[Json]) -> Iterator[PlannedRequest]:
    """Yield the lead's next requests for its referrals: to answer, send or revoke."""
    for one in sent:
        steps = frozenset(a["action"] for a in one["available_actions"] if a["open"])
        beside = RecordView(look.scene, look.worker, 0, f"referrals/{one['id']}", one)
        if one["state"] == "info_requested" and "answer" in steps:
            section = "needs" if look.scene.is_likely(0.9) else "identity"
            yield beside.plan_action("answer", (0, section))
        if one["state"] == "draft":
            name = "send" if "send" in steps and look.scene.is_likely(0.8) else "revoke"
            yield beside.plan_action(name, (0,))


def find_help(look: RecordView, sent: list[Json]) -> PlannedRequest | None:
    """Return a request to refer, hand over, monitor, close or stop the case.

    While a referral is open, the only possible request is another referral. If nothing can
    be requested now, return None.
    """
    scene, person = look.scene, look.person
    alive = [one for one in sent if one["state"] in ALIVE]
    asked = {one["recipient"] for one in sent}
    fit = [one for one in person.corridor.helpers.items() if one[0] not in asked]
    fit = [one for one in fit if person.can_help(*one) and one[0] not in person.unsafe]
    if fit and len(alive) < 2 and not (scene.calm and (sent or scene.is_likely(0.7))):
        return request_referral(look, *scene.chance.choice(fit))
    if alive:
        return None
    if not scene.calm and scene.is_likely(0.35):
        return offer_handover(look)
    names = ["close", "close", "monitor", "stop"]
    name = scene.chance.choice([one for one in names if one in look.can] or ["stop"])
    return look.plan_action(name) if name in look.can else None


def request_referral(look: RecordView, to: str, service: str) -> PlannedRequest:
    """Return the request that creates and sends a referral."""
    body = {"recipient": to, "service": service, "sections": ["needs"], "send": True}
    return PlannedRequest(f"/{look.subject}/referrals", body, "referral.sent")


def offer_handover(look: RecordView) -> PlannedRequest | None:
    """Return a request that offers the lead to another office, or None if none may lead."""
    leads = look.person.corridor.leads
    fit = [one for one in leads if look.person.can_help(one, "HANDOVER")]
    fit = [one for one in fit if one != look.office]
    if not fit:
        return None
    body = {"to": look.scene.chance.choice(fit), "reason": "OTHER"}
    path = f"/{look.subject}/handovers"
    return PlannedRequest(path, body, "handover.offered")


def visit_or_close(look: RecordView) -> PlannedRequest | None:
    """Return a request to report a visit, or to close or reopen the case.

    Return None if the case cannot be closed or reopened now.
    """
    if look.scene.is_likely(0.5):
        body, path = (
            make_body(look.scene, ("lead.visit", None, False)),
            f"/{look.subject}/visits",
        )
        return PlannedRequest(
            path, body, "case.visited", look.subject, look.record["version"]
        )
    name = "reopen_assistance" if look.scene.is_likely(look.declines) else "close"
    return look.plan_action(name) if name in look.can else None


def as_second_desk(look: RecordView) -> PlannedRequest | None:
    """Return a desk's request to replace a failing lead, or None if that is impossible."""
    fit = [one for one in look.person.corridor.leads if look.person.can_help(one, "REFER")]
    if not fit or look.record["state"] not in {"referring", "assisting", "monitoring"}:
        return None
    body = make_body(look.scene, ("lead.take_over", look.scene.chance.choice(fit), False))
    path = f"/{look.subject}/take-over"
    return PlannedRequest(path, body, "case.taken_over", look.subject)


OF_CASE: Final = {
    "lead": as_lead,
    "candidate": as_candidate,
    "desk": as_desk,
    "escalation_desk": as_second_desk,
}
