"""A client that performs the model's actions, and returns responses in its form."""

from datetime import datetime, timedelta
from typing import Any, Final

from httpx2 import Response
from sqlalchemy import update

from app.deadlines.models import Clock
from app.kernel.actors import Role
from tests.support.case_actions import list_steps
from tests.support.model.actions import make_body, make_given_consent, make_safeguards
from tests.support.model.case_values import (
    ACTORS,
    DESK,
    KZ,
    LEADERS,
    NGO,
    OK,
    OVERSIGHT,
    POST,
    UZ,
    Record,
    Verdict,
)
from tests.support.model.deadlines import LIMITS, OF_STATES
from tests.support.model.predictions import Act
from tests.support.world import NOON, Json, Someone, World, get_problem, get_unmet, unwrap

SECONDS: Final = {
    **dict.fromkeys((KZ, NGO, UZ, DESK), Role.SUPERVISOR),
    OVERSIGHT: Role.PROTECTION_OFFICER,
}
MINUTE: Final = timedelta(minutes=1)
SELDOM: Final = {kind for kind, limit in LIMITS.items() if limit is None}
"""Deadlines in working days, whose length the model does not predict."""


class Service:
    """The service with an account for every actor, and the current case."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.people = {
            name: world.add_person(actor.focal_point, map(Role, actor.roles))
            for name, actor in ACTORS.items()
        }
        self.seconds = {
            name: world.add_person(name, {role}) for name, role in SECONDS.items()
        }
        self.begin()

    def begin(self) -> None:
        """Discard the state of the current case, and stop every running deadline."""
        self.world.now = NOON
        self.code = ""
        kinds = ("referral", "handover", "consent", "question")
        self.ids: dict[str, list[str]] = {kind: [] for kind in kinds}
        self.versions: dict[str, int] = {}
        self.told: Json = {}
        with self.world.database.begin_write() as session:
            running = Clock.stopped_at.is_(None)
            session.execute(update(Clock).where(running).values(stopped_at=NOON))

    def create_case(self, body: Json) -> Response:
        """Create the case and its consents, and store their ids."""
        response = self.people[POST].create("/cases", body)
        if response.is_success:
            self.code = response.json()["code"]
            self.store_version(f"/cases/{self.code}", response)
            listed = unwrap(self.people[POST].get(f"/cases/{self.code}/consents"))["items"]
            ids = {get_terms(one): one["id"] for one in listed}
            named = [one for form in body["consents"] for one in form["recipients"]]
            self.ids["consent"] += [ids[get_terms(one)] for one in named]
        return response

    def store_version(self, path: str, response: Response) -> None:
        """Store the version of a record from a response, and the body of the response."""
        self.told = response.json() if response.status_code in {200, 201} else {}
        if response.status_code in {200, 201} and response.json().get("version"):
            self.versions[path] = response.json()["version"]

    def get_path(self, about: str, target: Any) -> str:
        """Return the path of a record."""
        if about in {"case", "lead"}:
            return f"/cases/{self.code}"
        number = target[0] if isinstance(target, tuple) else target
        return f"/{about}s/{self.ids[about][number]}"

    def does(self, name: str, act: Act) -> Verdict:
        """Perform an action, and return the service's response as a verdict."""
        action, target, _ = act
        someone, case = self.people[name], f"/cases/{self.code}"
        self.told = {}
        match action:
            case "time.pass" | "time.wait":
                self.world.advance(minutes=target)
                if action == "time.wait":
                    self.world.run_worker()
                return OK
            case "referral.open":
                return self.store_created(
                    "referral", self.create_referral(someone, *target)
                )
            case "handover.offer":
                body = {"to": target, "reason": "OTHER"}
                return self.store_created(
                    "handover", someone.create(f"{case}/handovers", body)
                )
            case _ if action.startswith(("consent.", "question.", "risk.", "safeguards.")):
                return self.record_side(someone, case, action, target)
            case _:
                return self.take_action(someone, act)

    def record_side(self, someone: Someone, case: str, action: str, target: Any) -> Verdict:
        """Perform an action on a consent, a risk assessment, safeguards or a question."""
        about = action.partition(".")[0]
        path = f"{case}/{about}s"
        match action:
            case "risk.assess":
                return get_verdict(
                    someone.create(f"{case}/risk-assessments", {"level": target})
                )
            case "safeguards.write":
                return get_verdict(
                    self.send_action(
                        someone, case, "safeguards", make_safeguards(target), "PUT"
                    )
                )
            case "consent.record":
                return self.store_created(
                    about, someone.create(path, make_given_consent(target))
                )
            case "consent.withdraw":
                return get_verdict(
                    someone.send(f"{path}/{self.ids[about][target]}/withdraw")
                )
            case "question.ask":
                question_body = {"topics": ["contact"], "question": "?"}
                return self.store_created(about, someone.create(path, question_body))
            case _:
                path = f"{path}/{self.ids[about][target]}/answer"
                return get_verdict(someone.send(path, {"answer": "!"}))

    def take_action(self, someone: Someone, act: Act) -> Verdict:
        """Take an action on the case, on a referral or on a handover."""
        action, target, _ = act
        about, _, step = action.partition(".")
        path, sent = self.get_path(about, target), make_body(self.world, act)
        step = {"visit": "visits"}.get(step, step.replace("_", "-"))
        response = self.send_action(someone, path, step, sent)
        if response.status_code == 202:
            response = self.approve_and_repeat(someone, path, step, sent, response)
        if action == "referral.redirect" and response.is_success:
            self.find_drafts()
        if action == "lead.record_lead_consent" and response.is_success:
            self.find_consent(someone)
        return get_verdict(response)

    def create_referral(self, someone: Someone, one: Any, send: bool) -> Response:
        body = {"recipient": one.to, "service": one.service, "send": send}
        body["sections"] = sorted(one.sections)
        return someone.create(f"/cases/{self.code}/referrals", body)

    def store_created(self, about: str, response: Response) -> Verdict:
        """Store the id of the record that a response created, and return the verdict."""
        if response.is_success:
            body = response.json()
            made = (body["items"][0] if about == "consent" else body)["id"]
            self.ids[about].append(made)
            self.store_version(f"/{about}s/{made}", response)
        return get_verdict(response)

    def send_action(
        self,
        someone: Someone,
        path: str,
        step: str,
        body: Any,
        method: str = "POST",
        **headers: str,
    ) -> Response:
        """Take an action on a record, and retry once if the record has a newer version."""
        for _ in range(2):
            tag = {"If_Match": f'"{self.versions.get(path, 1)}.{"0" * 16}"'}
            response = someone.ask(method, f"{path}/{step}", body, headers=tag | headers)
            self.store_version(path, response)
            if response.status_code != 412:
                break
            self.store_version(path, someone.get(path))
        return response

    def approve_and_repeat(
        self, someone: Someone, path: str, step: str, body: Any, asked: Response
    ) -> Response:
        """Let a second person approve an action, and send the action again."""
        question = asked.json()["id"]
        unwrap(self.seconds[someone.code].send(f"/approvals/{question}/approve"))
        return self.send_action(someone, path, step, body, approval=question)

    def find_consent(self, someone: Someone) -> None:
        """Store the id of the consent that a desk has just recorded."""
        listed = unwrap(someone.get(f"/cases/{self.code}/consents"))["items"]
        new = [one["id"] for one in listed if one["id"] not in self.ids["consent"]]
        self.ids["consent"] += new

    def find_drafts(self) -> None:
        """Store the id of the draft, if any, that the service created for a redirect."""
        for name in (*LEADERS, DESK):
            listed = self.list_records(name, "referral")
            if new := [one for one in listed if one not in self.ids["referral"]]:
                self.ids["referral"] += new
                break

    def list_records(self, name: str, about: str) -> dict[str, Json]:
        """Return the referrals or handovers of the case that an account sees, by id."""
        found = self.people[name].get(f"/{about}s", case=self.code, limit=200)
        return {one["id"]: one for one in unwrap(found)["items"]}

    # Responses in the form of the model.

    def show_all(self, name: str) -> list[Any]:
        """Return the case's records as an account sees them, and its office's worklist."""
        response = self.people[name].get(f"/cases/{self.code}")
        self.store_version(f"/cases/{self.code}", response)
        shown = [self.format_record(response.json()) if response.is_success else None]
        for about in ("referral", "handover"):
            ids = self.ids[about]
            listed = self.list_records(name, about) if ids else {}
            assert set(listed) <= set(ids)
            shown += [
                self.format_record(listed[one]) if one in listed else None for one in ids
            ]
        return [*shown, self.get_worklist(name)]

    def format_record(self, record: Json) -> tuple[Any, ...]:
        """Return a case, referral or handover as a tuple, as the model predicts it."""
        you_are, steps = tuple(record["you_are"]), get_steps(record)
        kind = "case" if "code" in record else "handover" if "to" in record else "referral"
        clock, _ = OF_STATES[kind][record["state"]]
        due = None if clock in SELDOM else self.get_minutes_until(record["due_at"])
        who = {"case": ("lead", "holder"), "handover": ("lead",), "referral": ("sender",)}
        return you_are, record["state"], *(record[one] for one in who[kind]), due, steps

    def get_minutes_until(self, due_at: str | None) -> int | None:
        """Return the minutes from now until `due_at`, or None if `due_at` is None."""
        if due_at is None:
            return None
        left = datetime.fromisoformat(due_at) - self.world.now
        assert not left % MINUTE
        return left // MINUTE

    def find_record(self, subject: str) -> Record | None:
        """Return the record that a path names, or None if the path is of another case."""
        kind, _, named = subject.partition("s/")
        ids = [self.code] if kind == "case" else self.ids.get(kind, [])
        return (kind, ids.index(named)) if named in ids else None

    def get_worklist(self, name: str) -> list[tuple[Any, ...]]:
        """Return the worklist of an account's office."""
        rows = [
            (
                self.find_record(subject),
                kind,
                None if kind in SELDOM else self.get_minutes_until(due_at),
            )
            for subject, kind, due_at in self.people[name].get_worklist()
        ]
        return sorted(rows, key=repr)

    def list_misses(self, name: str) -> list[tuple[Any, ...]]:
        """Return the case's missed deadlines, except those in `SELDOM`, from new events."""
        events = [
            event for event in self.people[name].poll() if "deadline" in event["facts"]
        ]
        return [
            (about, event["facts"]["deadline"], event["facts"]["missed"])
            for event in events
            if (about := self.find_record(event["subject"])) is not None
            if event["facts"]["deadline"] not in SELDOM
        ]


def get_terms(consent: Json) -> tuple[Any, ...]:
    """Return the terms of a consent, by which the consent is found in an unordered list."""
    who = consent.get("focal_point")
    return who, tuple(sorted(consent["purposes"])), tuple(sorted(consent["sections"]))


def get_steps(record: Json) -> frozenset[tuple[str, bool]]:
    """Return the steps that the account has a role for, and whether each is available."""
    return frozenset((one["action"], one["open"]) for one in list_steps(record))


def get_verdict(response: Response) -> Verdict:
    """Return a response of the service as a verdict of the model."""
    if response.is_success:
        return ("gone",) if response.status_code == 204 else OK
    _, name = get_problem(response)
    return (
        (name, *(need for need, _ in get_unmet(response)))
        if name == "needs-unmet"
        else (name,)
    )
