"""The moves: actions of an office or administrator, and the passing of time.

The text of a move reads as a sentence. `MoveRunner` sends the move over HTTP, with a second
person if necessary, and returns the response of the service.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, override
from uuid import UUID, uuid4

from httpx2 import Response

from tests.exploration.stage import (
    AGREEMENT,
    DESK,
    HOME,
    KZ,
    LAWYER,
    NGO,
    OTHER_DESK,
    POST,
    SHELTER,
    UZ,
    Stage,
)
from tests.support.account_changes import add_with, get_account_path, make_key_with
from tests.support.administrators import approve, update_row
from tests.support.returns import AT_HOME, MET, NO_GO, SAFE, TOLD, make_return_consent
from tests.support.world import (
    Json,
    Someone,
    make_acceptance,
    make_closure,
    make_consent,
    make_contacts,
    make_handover_consent,
    make_lead_consent,
    make_service_consent,
    make_takeover,
    make_travel_plan,
)

WORKER: Final[Json] = {
    "label": "duty 9",
    "kind": "person",
    "roles": ["officer", "caseworker", "coordinator"],
}
"""The account that administrators open if nobody can sign in at an office."""
SUPERVISOR: Final[Json] = {"label": "duty 10", "roles": ["supervisor"]}
"""The fields of `WORKER` that differ in an account for a second person."""
WORLD: Final = "the world"
"""The actor of moves that no office makes: administrators, and time."""
SOON: Final = timedelta(days=6)
LATE: Final = timedelta(days=900)


@dataclass(frozen=True, order=True)
class Move:
    """A move: the office, the action, the number of the record, and the choice."""

    office: str
    action: str
    number: int = 0
    choice: str = ""

    @override
    def __str__(self) -> str:
        about = self.action.replace("_", " ")
        if self.action.startswith(("referral.", "return.", "consent.with")):
            about = f"{about} of number {self.number + 1}"
        return f"{self.office}: {about}" + (f" ({self.choice})" if self.choice else "")


@dataclass(frozen=True)
class Answer:
    """The response of the service to a move."""

    status: int
    problem: str = ""

    @property
    def is_done(self) -> bool:
        return 200 <= self.status < 300


DONE: Final = Answer(200)
NOBODY: Final = Answer(0, "there is no second person")
ABSENT: Final = Answer(0, "there is no such record")

CONSENTS: Final[dict[str, Callable[[], Json]]] = {
    "refer to State offices": make_consent,
    "refer to State offices in KG": lambda: make_state_consent("KG"),
    "refer to State offices in UZ": lambda: make_state_consent("UZ"),
    "refer to NGOs": lambda: make_service_consent(purposes=["REFER"], sections=["needs"]),
    "refer to the lead at home": lambda: make_consent(focal_point=UZ, sections=["needs"]),
    "services of NGOs": lambda: make_service_consent(sections=["needs", "contact"]),
    "shelter alone": lambda: make_consent(
        focal_point=SHELTER, purposes=["SHELTER"], sections=["needs"]
    ),
    "lead by the NGO": lambda: make_handover_consent(NGO),
    "lead by the lead at home": lambda: make_handover_consent(UZ),
    "lead by the State": lambda: make_handover_consent(KZ),
    "return": make_return_consent,
    "papers": lambda: make_consent(
        focal_point=POST, purposes=["CONSULAR_DOCUMENT"], sections=["identity"]
    ),
}


def make_state_consent(country: str) -> Json:
    """Return a consent to be referred to State offices of a country."""
    return make_consent(recipient_class={"kind": "state", "country": country})


GIVEN_BY: Final = {
    "": "person",
    "guardian: ": "guardian_with_assent",
    "decision: ": "best_interests_decision",
}
GUARDS: Final[dict[str, Json]] = {
    "nothing": {},
    "the State of origin may be told": {"origin_contact": "permitted"},
    "fears the State": {"fear_of_state": True, "origin_contact": "blocked"},
    "fears the lead": {"unsafe_focal_points": [KZ]},
    "fears the NGO": {"unsafe_focal_points": [NGO]},
    "fears the shelter": {"unsafe_focal_points": [SHELTER]},
    "fears who awaits at home": {"unsafe_focal_points": [HOME]},
    "fears the desk": {"unsafe_focal_points": [DESK]},
}
FACTS: Final = (
    "guardian needed",
    "guardian appointed",
    "best_interests assessed",
    "best_interests determined",
)
WAITS: Final = {
    "4 hours": timedelta(hours=4),
    "4 days": timedelta(days=4),
    "8 days": timedelta(days=8),
    "32 days": timedelta(days=32),
    "200 days": timedelta(days=200),
}
ASKED: Final = {
    "shelter": (SHELTER, "SHELTER", ["needs"]),
    "shelter, notice alone": (SHELTER, "SHELTER", []),
    "legal aid": (LAWYER, "LEGAL_AID", ["needs"]),
    "return": (HOME, "RETURN", ["needs", "contact", "identity"]),
    "papers": (POST, "CONSULAR_DOCUMENT", ["identity"]),
}


def parse_consent(name: str, now: Any) -> Json:
    """Return a consent by its name.

    The name may begin with the giver, as in `guardian: `, and end with ` for a week`.
    """
    is_short = name.endswith(" for a week")
    name = name.removesuffix(" for a week")
    by = next((one for one in GIVEN_BY if one and name.startswith(one)), "")
    given = CONSENTS[name.removeprefix(by)]()
    ends = now + (SOON if is_short else LATE)
    return given | {"given_by": GIVEN_BY[by], "expires_at": ends.isoformat()}


RECORDS: Final = {
    "referral": 'SELECT r.id, r.version FROM referral r JOIN "case" c ON c.id = r.case_id'
    " WHERE c.code = :code ORDER BY r.number",
    "handover": 'SELECT h.id, h.version FROM handover h JOIN "case" c ON c.id = h.case_id'
    " WHERE c.code = :code AND h.state = 'offered'",
    "return": "SELECT r.id, r.version FROM return_checklist r"
    ' JOIN "case" c ON c.id = r.case_id WHERE c.code = :code ORDER BY r.number',
    "consent": 'SELECT o.id, 1 FROM consent o JOIN "case" c ON c.id = o.case_id'
    " WHERE c.code = :code ORDER BY o.recorded_at, o.rowid",
    "case": 'SELECT id, version FROM "case" WHERE code = :code',
}


class MoveRunner:
    """A callable that makes moves on a stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def __call__(self, move: Move) -> Answer:
        """Make a move, and return the response."""
        about = move.action.partition(".")[0]
        if move.office == WORLD:
            told: Answer = getattr(self, f"apply_{about}")(move)
            return told
        if beside := getattr(self, f"send_{move.action.replace('.', '_')}", None):
            return get_answer(beside(self.stage.get_worker(move.office), move))
        return self.take_step(move)

    # Steps of life cycles.

    def find_record(self, about: str, number: int = 0) -> tuple[str, int] | None:
        """Return the id and the version of a record, or None if there is no such record."""
        found = self.stage.fetch_rows(RECORDS[about])
        return found[number] if number < len(found) else None

    def get_path(self, about: str, number: int = 0) -> tuple[str, str] | None:
        """Return the path and the entity tag of a record, or None if there is no record."""
        found = self.find_record(about, number)
        if found is None:
            return None
        name = self.stage.code if about == "case" else str(UUID(found[0]))
        return f"/{about}s/{name}", f'"{found[1]}.{"0" * 16}"'

    def take_step(self, move: Move) -> Answer:
        """Take a step of the case, a referral, the handover or a return, if it exists."""
        about, _, step = move.action.partition(".")
        found = self.get_path(about, move.number)
        if found is None:
            return ABSENT
        path, tag = found
        who = self.stage.get_worker(move.office)
        if about == "return":
            tag = who.get(path).headers.get("ETag", tag)
        body = self.make_body(move)
        way = f"{path}/{step.replace('_', '-')}"
        return self.send(who, way, body, {"If_Match": tag})

    def send(self, who: Someone, path: str, body: Any, headers: dict[str, str]) -> Answer:
        """Send a request. If the response asks for an approval, approve and send again."""
        answer = who.send(path, body, **headers)
        if answer.status_code != 202:
            return get_answer(answer)
        question = answer.json()["id"]
        allowed = self.stage.seconds[who.code].send(f"/approvals/{question}/approve")
        if not allowed.is_success:
            return NOBODY
        return get_answer(who.send(path, body, approval=question, **headers))

    def get_time_ahead(self, **time: float) -> str:
        return (self.stage.now + timedelta(**time)).isoformat()

    def make_body(self, move: Move) -> Any:
        """Return the request body of a move, or None if the move needs no body."""
        rests = {"reason": "SAFETY", "review_at": self.get_time_ahead(days=6)}
        visits = {"visits": [self.get_time_ahead(days=6), self.get_time_ahead(days=20)]}
        back = {"reason": "SURVIVOR_DECLINED"}
        meeting = {
            "place": "Rayymbek 1",
            "at": self.get_time_ahead(hours=20),
            "person": "Гүлнар",
        }
        reason, _, chosen = move.choice.partition(" to ")
        bodies: dict[str, Any] = {
            "case.withdraw": {"reason": "SENT_IN_ERROR"},
            "case.decline_lead": {"reason": "NO_CAPACITY"},
            "case.assign": {"focal_point": move.choice, "reason": "NOBODY_LEFT"},
            "case.accept_lead": {"contacts": make_contacts()},
            "case.suspend": rests,
            "case.monitor": {} if move.choice else visits,
            "case.visits": {"person_met": True},
            "case.reopen_assistance": {"reason": "NEW_NEED"},
            "case.close": make_closure(),
            "case.stop": {"reason": "SURVIVOR_REQUEST"},
            "case.reopen": {"reason": "NEW_NEED"},
            "case.relocate": {"country": move.choice},
            "case.take_over": {
                "focal_point": chosen,
                "reason": reason,
                "person_informed": True,
            },
            "case.record_lead_consent": self.make_lead_consent(move.choice),
            "referral.ask": {"topics": ["needs"], "question": "?"},
            "referral.answer": {"sections": ["needs"], "answer": "!"},
            "referral.accept": make_acceptance() | {"meeting": meeting},
            "referral.decline": {"reason": "NO_CAPACITY"},
            "referral.redirect": {"reason": "NO_CAPACITY", "alternative": LAWYER},
            "referral.start": MET,
            "referral.hold": rests,
            "referral.report": {"feedback": "So far good"},
            "referral.complete": {"outcome": "delivered", "feedback": "Good"},
            "referral.withdraw": back,
            "referral.revoke": back,
            "handover.accept": make_takeover(),
            "handover.decline": {"reason": "NO_CAPACITY"},
            "handover.cancel": {},
            "return.inform": TOLD,
            "return.verify_nationality": {"nationality": "confirmed"},
            "return.assess_destination": SAFE,
            "return.assess_origin": AT_HOME,
            "return.determine_interests": {"interests": "in_favour"},
            "return.receive_child": {"carer_receives": True, "guardian_at_arrival": True},
            "return.go": {},
            "return.no_go": NO_GO,
            "return.issue_document": {"without_marker": True},
            "return.plan": make_travel_plan(arrives_at=self.get_time_ahead(days=2)),
            "return.depart": {"reconfirmed_today": True},
            "return.arrive": MET,
            "return.monitor": {} if move.choice else visits,
            "return.report": MET,
            "return.call_off": {},
            "return.locate": MET,
        }
        return bodies.get(move.action)

    def make_lead_consent(self, choice: str) -> Json:
        """Return a consent to another lead.

        A choice has a reason, a kind of office and a giver: `LEAD_SILENT, state, person`.
        """
        reason, _, rest = choice.partition(", ")
        kind, _, by = rest.partition(", ")
        return make_lead_consent(
            reason=reason,
            kind=kind,
            given_by=by or "person",
            expires_at=self.get_time_ahead(days=900),
        )

    # Moves outside the life cycles.

    @property
    def case(self) -> str:
        return f"/cases/{self.stage.code}"

    def send_case_write(self, who: Someone, move: Move) -> Response:
        """Create a draft with the age class and the consents that the move names."""
        age, _, names = move.choice.partition("; ")
        given = [parse_consent(one, self.stage.now) for one in names.split(", ") if one]
        answer = who.create_case(
            summary={"age_class": age},
            consents=given,
            safeguards={"country_of_origin": "UZ"},
        )
        self.stage.code = answer.json().get("code", "")
        return answer

    def send_consent_record(self, who: Someone, move: Move) -> Response:
        body = parse_consent(move.choice, self.stage.now)
        return who.create(f"{self.case}/consents", body)

    def send_consent_withdraw(self, who: Someone, move: Move) -> Response:
        found = self.find_record("consent", move.number)
        named = UUID(found[0]) if found else uuid4()
        return who.send(f"{self.case}/consents/{named}/withdraw")

    def send_consent_withdraw_all(self, who: Someone, move: Move) -> Response:
        """Withdraw every consent for a purpose."""
        body = {"purposes": [move.choice]}
        return who.send(f"{self.case}/consents/withdraw", body)

    def send_risk_assess(self, who: Someone, move: Move) -> Response:
        return who.create(f"{self.case}/risk-assessments", {"level": move.choice})

    def send_safeguards_write(self, who: Someone, move: Move) -> Response:
        body = {"country_of_origin": "UZ"} | GUARDS[move.choice]
        return who.ask("PUT", f"{self.case}/safeguards", body, headers=self.get_tag())

    def send_notice_mend(self, who: Someone, move: Move) -> Response:
        body = {"age_class": move.choice}
        return who.ask("PATCH", self.case, body, headers=self.get_tag())

    def get_tag(self) -> dict[str, str]:
        found = self.get_path("case")
        return {"If_Match": found[1] if found else '"1.0"'}

    def send_fact_record(self, who: Someone, move: Move) -> Response:
        name, _, value = move.choice.partition(" ")
        return who.create(f"{self.case}/facts", {"name": name, "value": value})

    def send_vital_declare(self, who: Someone, _: Move) -> Response:
        body = {"reason": "RISK_TO_LIFE", "note": "Two men wait outside"}
        return who.create(f"{self.case}/vital-interests", body)

    def send_referral_open(self, who: Someone, move: Move) -> Response:
        to, service, sections = ASKED[move.choice]
        body = {"recipient": to, "service": service, "sections": sections, "send": True}
        return who.create(f"{self.case}/referrals", body)

    def send_handover_offer(self, who: Someone, move: Move) -> Response:
        body = {"to": move.choice, "reason": "OTHER"}
        return who.create(f"{self.case}/handovers", body)

    def send_return_open(self, who: Someone, move: Move) -> Response:
        found = self.find_record("referral", move.number)
        named = UUID(found[0]) if found else uuid4()
        return who.create(f"/referrals/{named}/return", {})

    # Administrators and time.

    def apply_waits(self, move: Move) -> Answer:
        """Advance the clock, and run the worker."""
        self.stage.wait(seconds=WAITS[move.choice].total_seconds())
        return DONE

    def apply_shuts(self, move: Move) -> Answer:
        """Close an office, with the approval of a second administrator."""
        return self.update_row(f"/focal-points/{move.choice}", active=False)

    def apply_opens(self, move: Move) -> Answer:
        """Open a closed office again, with the approval of a second administrator."""
        return self.update_row(f"/focal-points/{move.choice}", active=True)

    def apply_replaces(self, _: Move) -> Answer:
        """Let another desk serve the countries of a desk, and close that desk."""
        paths = [f"/focal-points/{one}" for one in (DESK, OTHER_DESK)]
        served = [self.stage.clerks[0].get(path).json()["serves"] for path in paths]
        self.update_row(paths[1], serves=sorted({*served[0], *served[1]}))
        return self.update_row(f"/focal-points/{DESK}", active=False)

    def apply_ends(self, _: Move) -> Answer:
        """End the agreement between the two countries."""
        last = (self.stage.now - timedelta(days=1)).date().isoformat()
        return self.update_row(f"/agreements/{AGREEMENT}", in_force_until=last)

    def update_row(self, path: str, **to: Any) -> Answer:
        """Change a row of the directory, with a second person if necessary."""
        one, other = self.stage.clerks
        answer = update_row(one, path, **to)
        if answer.status_code == 202:
            answer = update_row(one, path, approve(answer, other), **to)
        return get_answer(answer)

    def apply_disables(self, move: Move) -> Answer:
        """Disable the account of the first person or of the second person of an office."""
        office, _, second = move.choice.partition(", ")
        people = self.stage.seconds if second else self.stage.workers
        path = f"{get_account_path(people[office])}/disable"
        return get_answer(self.stage.clerks[0].send(path, idempotency_key=str(uuid4())))

    def apply_staffs(self, move: Move) -> Answer:
        """Open another account at an office, to handle cases or to approve."""
        one, other = self.stage.clerks
        office, _, second = move.choice.partition(", ")
        people = self.stage.seconds if second else self.stage.workers
        old, account = people[office], WORKER | {"focal_point": office}
        if second:
            account |= SUPERVISOR
        opened = add_with(one, other, "/accounts", account)
        path = f"/accounts/{opened['id']}/keys"
        wanted = {"scopes": [*old.actor.scopes], "days": 300}
        key = make_key_with(one, other, path, wanted)
        actor = replace(old.actor, account_id=UUID(opened["id"]))
        people[office] = Someone(self.stage, office, actor, key)
        return DONE


def get_answer(answer: Response) -> Answer:
    """Return the status of a response, its problem and all unmet requirements."""
    if answer.is_success:
        return Answer(answer.status_code)
    told = answer.json()
    name = str(told["type"]).removeprefix("/problems/")
    lacks = ", ".join(lack["requirement"] for lack in told.get("unmet", ()))
    return Answer(answer.status_code, f"{name}: {lacks}" if lacks else name)


def make_write_move(choice: str) -> Move:
    """Return the move that creates the draft of the case."""
    return Move(POST, "case.write", choice=choice)
