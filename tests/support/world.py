"""A world for tests: the service, its offices, and people who send requests."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import FastAPI
from httpx2 import Response
from sqlalchemy import select, update

from app.access.actions import AccountSpec, create_account, create_key
from app.access.credentials import authenticate
from app.access.row_protection import create_macs
from app.api.http.rate_limits import WrongKeyLimit
from app.api.http.read_slots import ReadSlots
from app.cases.models import Case
from app.deadlines.missed_deadlines import find_oldest
from app.directory.models import FocalPoint
from app.handovers.models import Handover
from app.kernel.actors import SYSTEM, AccountKind, Actor, Role, Scope
from app.kernel.file_keys import FileKeys
from app.kernel.heartbeat import Part, record_heartbeat
from app.kernel.transactions import (
    ReadTransaction,
    Runtime,
    WriteTransaction,
    begin_read,
    begin_write,
)
from app.kernel.vault import Vault
from app.main import create_app
from app.referrals.models import Referral
from app.worker.jobs import DEADLINE_JOB, run_once
from tests.support.case_actions import list_steps
from tests.support.database_pool import leave_database, open_database
from tests.support.direct_client import make_client
from tests.support.directory_changes import update_directory
from tests.support.effort import is_night
from tests.support.in_thread import ThreadLoops
from tests.support.statement_cover import leave_out_statements
from tests.support.stored_people import (
    Opening,
    StoredPerson,
    find_office,
    insert_person,
    store_person,
)

NOON: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEYS: Final = FileKeys({"k1": bytes(range(32))})
EVERYTHING: Final = frozenset(Scope)
HOST: Final = "hooks.example.org"
"""The host to which webhooks may be pushed."""
PUBLIC: Final = "https://safe-conduct.example"
"""The public URL of the service, for which machines sign their assertions."""
WORKERS: Final = frozenset({Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR})

type Json = dict[str, Any]


VERSIONED: Final = {"cases": Case, "referrals": Referral, "handovers": Handover}
"""Records with one version for all readers, by the first part of their path.

A return has a version for each side, so a test has to read its entity tag.
"""


class Watch:
    """A monotonic clock that moves only when a test changes it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class World:
    """A database with the demonstration directory, the service, and a clock set to noon."""

    def __init__(
        self,
        url: str,
        app: FastAPI | None = None,
        here: ThreadLoops | None = None,
        ids: Callable[[], UUID] = uuid4,
    ) -> None:
        self.url, self.now, self.ids = url, NOON, ids
        self.openings: Counter[Opening] = Counter()
        self.database = open_database(url)
        self.macs = self.database.macs = create_macs(KEYS, lambda: self.now)
        self.runtime = Runtime(
            self.database,
            Vault(KEYS),
            lambda: self.now,
            ids,
            lambda _: self.now,
            hosts=frozenset({HOST}),
        )
        self.serve(app or create_app(self.runtime, public_url=PUBLIC), here)

    def serve(self, app: FastAPI, here: ThreadLoops | None = None) -> None:
        """Send the requests of this world to an application, which gets its database."""
        app.state.runtime = self.runtime
        app.state.throttle = WrongKeyLimit()
        app.state.bell.close()  # no request waits for new events
        app.state.turns = ReadSlots(readers=1_000_000)
        self.app, self.http = app, make_client(app, here)

    def add_person(
        self,
        focal_point: str,
        roles: Iterable[Role] = WORKERS,
        scopes: Iterable[Scope] = EVERYTHING,
        kind: AccountKind = AccountKind.PERSON,
    ) -> "Someone":
        """Open an account at an office, and return a person who uses it with an API key."""
        opening = Opening(
            find_office(self.database, focal_point),
            frozenset(roles),
            frozenset(scopes),
            kind,
            self.now,
        )
        first = self.openings[opening]
        with leave_out_statements():
            copied = self.shares_people and insert_person(self.database, opening, first)
            found = copied or self.open_person(opening)
        self.openings[opening] += self.shares_people
        return Someone(self, focal_point, found.actor, found.key)

    @property
    def shares_people(self) -> bool:
        """Whether the rows of a person would be the same in other worlds."""
        has_usual_macs = self.database.macs is self.macs and not self.macs.is_disabled
        return has_usual_macs and self.ids is uuid4

    def open_person(self, opening: Opening) -> StoredPerson:
        """Open an account with an API key, as the service does."""
        of = AccountSpec(opening.focal_point_id, "duty 1", opening.roles, opening.kind)
        with self.database.begin_write() as session:
            account = self.ids()
            create_account(session, account, of, self.now)
            key = create_key(session, account, opening.scopes, self.now, days=3650)
            connection = session.connection()
            actor = authenticate(connection, key, self.runtime.row_macs).actor
            if not self.shares_people:
                return StoredPerson(key, actor, ())
            return store_person(connection, opening, key, actor)

    def write_as_service(self) -> AbstractContextManager[WriteTransaction]:
        """Begin a write transaction on behalf of the service."""
        return begin_write(self.runtime, SYSTEM)

    def advance(self, **time: float) -> None:
        """Advance the clock by days, hours or minutes."""
        self.now += timedelta(**time)

    def close_office(self, code: str, *, active: bool = False) -> None:
        """Close an office, or open it again if `active` is true."""
        named = update(FocalPoint).filter_by(code=code)
        with self.database.begin_write() as session:
            update_directory(session, named, active=active)

    def run_worker(self) -> int:
        """Run the worker until no deadline is due, and return how many deadlines were due.

        Notifications and webhooks are not sent.
        """
        total = 0
        while found := run_once(self.runtime, DEADLINE_JOB):
            total += found
        with self.database.begin_write() as session:
            for part in Part:
                record_heartbeat(session, part, self.now)
            assert find_oldest(session, self.now) is None
        return total

    def wait(self, **time: float) -> None:
        """Advance the clock, and run the worker."""
        self.advance(**time)
        self.run_worker()

    def close(self) -> None:
        self.http.close()
        leave_database(self.url)


@dataclass
class Someone:
    """A person who works at an office and sends requests with an HTTP client."""

    world: World
    code: str
    actor: Actor
    key: str
    cursor: str | None = None
    seen: set[str] = field(default_factory=set)

    @property
    def id(self) -> UUID:
        """The id of the person's office."""
        return self.actor.focal_point_id

    def make_headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def ask(self, method: str, path: str, body: Any = None, **rest: Any) -> Response:
        named = {k.replace("_", "-"): v for k, v in rest.pop("headers", {}).items()}
        sent = self.make_headers() | named
        if body is not None:
            rest["json"] = body
        return self.world.http.request(method, f"/v1{path}", headers=sent, **rest)

    def get(self, path: str, **query: Any) -> Response:
        return self.ask("GET", path, params=query)

    def list_all(self, path: str, **query: Any) -> list[Json]:
        """Return the items of all pages of a list."""
        page = unwrap(self.get(path, **query))
        found: list[Json] = page["items"]
        while "next" in page:
            page = unwrap(self.get(path, **query, after=page["next"]))
            found += page["items"]
        return found

    def open(self, path: str, purpose: str = "assistance") -> Response:
        """Open a sealed document for a purpose."""
        return self.ask("GET", path, headers={"Purpose": purpose})

    def send(self, path: str, body: Any = None, **headers: str) -> Response:
        return self.ask("POST", path, body, headers=headers)

    def create(self, path: str, body: Json, key: str | None = None) -> Response:
        return self.send(path, body, idempotency_key=key or str(uuid4()))

    def create_case(self, **changes: Any) -> Response:
        return self.create("/cases", make_case(**changes))

    def submit(self, **changes: Any) -> Json:
        """Create a case, and submit it."""
        return unwrap(self.create_case(submit=True, **changes))

    def read(self, record: Json) -> Json:
        """Return the current version of a record, such as a case or a referral."""
        return unwrap(self.get(get_path(record)))

    def get_tag(self, record: Json) -> str:
        return self.get(get_path(record)).headers["ETag"]

    def does(self, action: str, record: Json, body: Any = None, **headers: str) -> Response:
        """Perform an action on a record, with the record's current entity tag."""
        path = get_path(record)
        knows = path in self.seen or not is_night()
        glanced = knows and path.split("/")[1] in VERSIONED
        known = (glanced and self.load_tag(path)) or self.read_tag(path)
        return self.send(f"{path}/{action}", body, **{"If_Match": known} | headers)

    def read_tag(self, path: str) -> str:
        """Return the entity tag of a record, read through the API as a client does."""
        self.seen.add(path)
        return self.get(path).headers.get("ETag", '"1.0"')

    def load_tag(self, path: str) -> str:
        """Return an entity tag built from the stored version, or "" if no record exists."""
        kind, name = path.removeprefix("/").split("/")
        of: Any = VERSIONED[kind]
        named = of.code == name if kind == "cases" else of.id == UUID(name)
        with self.world.database.begin_read(self.actor.acts_for) as session:
            version = session.scalar(select(of.version).where(named))
        return f'"{version}.{"0" * 16}"' if version else ""

    def take_lead(self, case: Json) -> Json:
        """Acknowledge a case, and accept its lead."""
        unwrap(self.does("acknowledge", case))
        return unwrap(self.does("accept-lead", case, {"contacts": make_contacts()}))

    def does_with(
        self, second: "Someone", action: str, record: Json, body: Any
    ) -> Response:
        """Perform an action that a second person approves."""
        answer = self.does(action, record, body)
        assert answer.status_code == 202, answer.text
        unwrap(second.send(f"/approvals/{answer.json()['id']}/approve"))
        return self.does(action, record, body, approval=answer.json()["id"])

    def get_worklist(self) -> list[tuple[str, str, str]]:
        """Return the subject, kind and due time of each item of the office's worklist."""
        items = unwrap(self.get("/worklist", limit=200))["items"]
        return [(tx["subject"], tx["kind"], tx["due_at"]) for tx in items]

    def list_notes(self, record: Json) -> list[tuple[str, str]]:
        """Return the notes that the person may read, each as the subject and the text."""
        items = unwrap(self.open(f"{get_path(record)}/notes"))["items"]
        return [(note["about"], note["text"]) for note in items]

    def refer(self, case: Json, to: str, **changes: Any) -> Response:
        body = {"recipient": to, "service": "SHELTER", "sections": ["needs"], "send": True}
        return self.create(f"/cases/{case['code']}/referrals", body | changes)

    def offer(self, case: Json, to: str, **changes: Any) -> Response:
        """Offer the lead of a case to an office."""
        body = {"to": to, "reason": "MIGRATION_OR_CHANGE_OF_LOCATION"} | changes
        return self.create(f"/cases/{case['code']}/handovers", body)

    def screen(self, case: Json, key: str | None = None, **signs: Any) -> Response:
        """Store a screening of a case with these indicators."""
        return self.create(f"{get_path(case)}/screenings", signs, key)

    def poll(self) -> list[Json]:
        """Return the events of the feed that are new since the last poll."""
        heard: list[Json] = []
        more = True
        while more:
            page = unwrap(self.get("/events", **make_cursor_query(self.cursor)))
            heard += page["items"]
            self.cursor, more = page["cursor"], page["more"]
        return heard

    def begin_read(self) -> AbstractContextManager[ReadTransaction]:
        return begin_read(self.world.runtime, self.actor)

    def begin_write(self) -> AbstractContextManager[WriteTransaction]:
        return begin_write(self.world.runtime, self.actor)


def make_cursor_query(cursor: str | None) -> Json:
    return {"after": cursor} if cursor else {}


def get_path(record: Json) -> str:
    if "code" in record:
        return f"/cases/{record['code']}"
    if "open_instead" in record or "nationality" in record:
        return f"/returns/{record['id']}"
    kind = "handovers" if "to" in record else "referrals"
    return f"/{kind}/{record['id']}"


def unwrap(response: Response) -> Json:
    """Return the body of a successful response. Raises AssertionError after a failure."""
    assert response.is_success, response.text
    return dict(response.json())


def unwrap_only(response: Response) -> Json:
    """Return the only item of a list. Raises ValueError if it does not have one item."""
    [only] = unwrap(response)["items"]
    return dict(only)


def get_problem(response: Response) -> tuple[int, str]:
    """Return the status and the name of the problem of an error response."""
    assert response.is_error, response.text
    return response.status_code, response.json()["type"].removeprefix("/problems/")


def get_unmet(response: Response) -> list[tuple[str, str]]:
    """Return the unmet requirements of an action, each with the side that can meet it."""
    assert get_problem(response) == (409, "needs-unmet"), response.text
    return [(lack["requirement"], lack["by"]) for lack in response.json()["unmet"]]


def list_types(events: Iterable[Json]) -> list[str]:
    return [event["type"] for event in events]


def get_actions(record: Json) -> Json:
    """Return the available steps of a life cycle that the account has a role for."""
    return {step["action"]: step for step in list_steps(record)}


NOTICE: Final[Json] = {
    "country": "KZ",
    "age_class": "adult",
    "language": "uz",
    "priority": "urgent",
    "services": ["SHELTER", "LEGAL_AID"],
    "urgent_needs": [],
    "safe_contact": "yes",
}
SECTIONS: Final[list[Json]] = [
    {"section": "needs", "summary": "A safe bed tonight", "safety_alert": "Two men"},
    {"section": "contact", "alias": "Oygul", "safe_channel": "Signal, never calls"},
    {"section": "identity", "names": ["Ойгул Ғаниева", "Oygʻul Gʻaniyeva"]},
    {"section": "narrative", "text": "Рассказ"},
    {"section": "health", "text": "Болит спина"},
]
SIGNS: Final[Json] = {
    "indicators": ["EXPLOITATION_01", "EXPLOITATION_02", "UNODC_LIMITED_COMMUNICATION_03"],
    "acts": ["HARBOURING"],
    "means": ["FRAUD"],
    "purposes": ["SERVITUDE"],
}
ALL_SECTIONS: Final = ["needs", "contact", "identity", "narrative", "health"]


def make_recipient(**changes: Any) -> Json:
    """Return a recipient of a consent, by default State offices in Kazakhstan."""
    named: Json = {"purposes": ["REFER"], "sections": ["needs", "contact"]}
    named |= {"recipient_class": {"kind": "state", "country": "KZ"}} | changes
    if "focal_point" in changes:
        del named["recipient_class"]
    return named


def make_consent(**changes: Any) -> Json:
    """Return an adult's consent form. A change can also be a field of its recipient."""
    fields = ("focal_point", "recipient_class", "purposes", "sections")
    recipient = {name: changes.pop(name) for name in fields if name in changes}
    terms = {
        "recipients": [make_recipient(**recipient)],
        "given_by": "person",
        "language": "uz",
        "form_version": "2026-1",
        "obtained_on": "2026-06-01",
        "expires_at": "2027-06-01T00:00:00Z",
    }
    return terms | changes


def make_service_consent(
    kind: str = "non_state", country: str = "KZ", **changes: Any
) -> Json:
    """Return a consent to shelter and legal aid, by default from NGOs in Kazakhstan."""
    return make_consent(
        recipient_class={"kind": kind, "country": country},
        **{"purposes": ["SHELTER", "LEGAL_AID"], "sections": ALL_SECTIONS} | changes,
    )


def make_handover_consent(to: str = "UZ_LEAD", **changes: Any) -> Json:
    """Return a consent by which an office may take the lead, and read needs and contact."""
    return make_consent(focal_point=to, **{"purposes": ["HANDOVER"]} | changes)


def make_lead_consent(**changes: Any) -> Json:
    """Return a consent of an adult to an NGO as the new lead, as a desk records it."""
    terms = ("given_by", "language", "form_version", "obtained_on")
    given: Json = {name: make_consent()[name] for name in terms}
    given |= {
        "kind": "non_state",
        "purposes": ["REFER"],
        "sections": ["needs"],
        "expires_at": "2028-06-01T00:00:00Z",
        "evidence": "By telephone, with an interpreter",
        "reason": "LEAD_INACTIVE",
    }
    return given | changes


def make_case(**changes: Any) -> Json:
    """Return the body of a case about an adult in Kazakhstan, with the given changes.

    Changes in `summary` are merged with the default summary.
    """
    body: Json = {
        "summary": NOTICE | changes.pop("summary", {}),
        "sections": SECTIONS,
        "safeguards": {"country_of_origin": "UZ"},
        "consents": [make_consent(), make_service_consent()],
        "risk": {"level": "medium"},
    }
    return body | changes


def make_contacts(*names: str) -> list[Json]:
    people = names or ("Айгүл Сәрсенова", "Ильяс Төлеген")
    return [{"name": name, "phone": "+77010000001"} for name in people]


def make_acceptance(at: str = "2026-06-02T09:00:00+05:00", **changes: Any) -> Json:
    """Return the body with which a recipient accepts a referral."""
    meeting = {"place": "Rayymbek 1, side door", "at": at, "person": "Гүлнар"}
    return {"meeting": meeting, "contacts": make_contacts()} | changes


def make_takeover(**changes: Any) -> Json:
    """Return the body with which an office accepts the lead in a handover."""
    return {"contacts": make_contacts(), "capacity_confirmed": True} | changes


def make_travel_plan(arrives_at: str = "2026-06-03T18:00:00+05:00", **changes: Any) -> Json:
    """Return a travel plan that the lead and the person have agreed on."""
    plan: Json = {
        "escort": "Мөлдір",
        "route": "Almaty to Tashkent, by train",
        "arrives_at": arrives_at,
        "met_by": "Dilnoza",
        "safe_contact": "Signal, never calls",
        "contacts": make_contacts("Dilnoza Karimova", "Rustam Aliyev"),
    }
    return {"plan": plan | changes, "person_agrees": True}


def make_closure(**changes: Any) -> Json:
    return {"reason": "GOALS_MET", "person_informed": True} | changes
