"""Marker texts that occur nowhere else, a case that contains them, and a log recorder.

Every personal field and every free-text field is filled with a marker in three scripts. A
test then searches for the markers in each encoding in which they could be stored.
"""

import json
import logging
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, override
from urllib.parse import quote

import structlog
from httpx2 import Response

from app.api.case_parts import CasePart
from app.cli.logging_setup import configure_logging
from app.kernel.actors import Role
from app.settings import LogLevel
from tests.support.canary_texts import ABOUT, LISTS, run_other_actions
from tests.support.world import (
    ALL_SECTIONS,
    WORKERS,
    Json,
    Someone,
    World,
    get_path,
    make_closure,
    make_consent,
    make_service_consent,
    unwrap,
)

LATIN, CYRILLIC, ARABIC = "Vqwzkxjhpf", "Жъыэщюфбхц", "غظضثشقذطصز"
"""Stems of the markers. No other test uses them, because tests share one server."""
CODE, PHONE, BORN, MINUTE = LATIN.upper(), "77098765", "1907-11-29", ":17:43.271828"
SIGN = "UNODC_SEXUAL_EXPLOITATION_03"
STEMS: Final = (LATIN, CYRILLIC, ARABIC, CODE, SIGN, PHONE, BORN, MINUTE)
WHOLE = [*ALL_SECTIONS, "indicators", "perpetrators"]
OPENED = (
    "/sections/",
    "/safeguards",
    "/contacts",
    "/arrangement",
    "/notes",
    "/safety-",
    "/default-contacts",
    "/form-drafts/",
    "/unsent-forms",
)
CLIENT = ("httpx2", "httpcore2")
"""Loggers of the HTTP client, whose lines do not come from the service."""


def list_encodings(word: str) -> Iterator[bytes]:
    """Yield the encodings in which a text could be stored."""
    plain = word.encode()
    yield plain
    yield word.encode("utf-16-le").strip(b"\0")
    yield word.encode("utf-16-be").strip(b"\0")
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    yield from list_escapes(word)
    for ahead in range(3):
        first, last = -(-8 * ahead // 6), 8 * (ahead + len(plain)) // 6
        yield b64encode(b"\0" * ahead + plain)[first:last]
        yield urlsafe_b64encode(b"\0" * ahead + plain)[first:last]


def list_escapes(word: str) -> Iterator[bytes]:
    """Yield the ways in which JSON, URLs and Python's `repr` of bytes escape a text."""
    escaped = json.dumps(word)[1:-1]
    yield escaped.encode()
    yield escaped.upper().replace("\\U", "\\u").encode()
    yield quote(word).encode()
    yield quote(word).lower().encode()
    yield repr(word.encode())[2:-1].encode()


ENCODED_MARKERS: Final = tuple(
    {spelled for stem in STEMS for spelled in list_encodings(stem)}
)


def find_markers(hay: bytes, needles: tuple[bytes, ...] = ENCODED_MARKERS) -> list[bytes]:
    """Return each marker found in `hay`, with the bytes around its first occurrence."""
    places = ((needle, hay.find(needle)) for needle in needles)
    return [hay[max(at - 40, 0) : at + 60] for _, at in places if at >= 0]


@dataclass
class Canaries:
    """A generator of marker texts, each of them unique."""

    numbers: list[str] = field(default_factory=list)

    def make_text(self) -> str:
        """Return a new marker text in three scripts."""
        number = self.make_number()
        return f"{LATIN}{number} {CYRILLIC}{number} {ARABIC}{number}"

    def make_number(self) -> str:
        self.numbers.append(f"{len(self.numbers):03}")
        return self.numbers[-1]

    def make_code(self) -> str:
        return f"{CODE}_{self.make_number()}"

    def make_contacts(self) -> list[Json]:
        return [
            {"name": self.make_text(), "phone": f"+{PHONE}{self.make_number()}"}
            for _ in "12"
        ]

    def make_sections(self) -> list[Json]:
        """Return sections with a marker in every field that accepts one."""
        needs = {
            name: self.make_text() for name in ("summary", "access_needs", "safety_alert")
        }
        contact = {
            name: self.make_text() for name in ("alias", "safe_channel", "safe_times")
        }
        whole = {
            "names": [self.make_text(), self.make_text()],
            "documents": [self.make_text()],
        }
        signs = {"codes": [SIGN], "remarks": self.make_text()}
        sections = [{"section": s, "text": self.make_text()} for s in WHOLE if s in TOLD]
        self.make_number()
        return [
            {"section": "needs"} | needs,
            {"section": "contact"} | contact,
            {"section": "identity", "birth_date": BORN, "nationality": "UZ"} | whole,
            {"section": "indicators"} | signs,
            *sections,
        ]

    def make_case(self) -> Json:
        """Return the body of a case with a marker in every field that accepts one."""
        guards = {"country_of_origin": "UZ", "unsafe_people": self.make_text()}
        given = [
            make_consent(focal_point="IOM", sections=WHOLE),
            make_consent(sections=WHOLE),
            make_service_consent(sections=WHOLE),
        ]
        return {
            "sections": self.make_sections(),
            "safeguards": guards | {"unsafe_focal_points": [self.make_code()]},
            "consents": [one | {"evidence": self.make_text()} for one in given],
            "risk": {"level": "low", "remarks": self.make_text()},
            "screening": {"indicators": [SIGN], "remarks": self.make_text()},
            "external_reference": f"{LATIN}-{self.make_number()}",
        }

    def make_acceptance(self) -> Json:
        """Return the body, with markers, with which a recipient accepts a referral."""
        at = f"2026-06-02T09{MINUTE}+05:00"
        self.make_number()
        meeting = {"place": self.make_text(), "at": at, "person": self.make_text()}
        return {"meeting": meeting, "contacts": self.make_contacts()}


TOLD = ("narrative", "perpetrators", "health")


@dataclass
class Journey:
    """One case, with its people, the marker texts that they send, and the responses."""

    world: World
    texts: Canaries = field(default_factory=Canaries)
    answers: list[Response] = field(default_factory=list)
    cast: list[Someone] = field(default_factory=list)

    def add_person(self, focal_point: str, *roles: Role) -> Someone:
        self.cast.append(self.world.add_person(focal_point, roles or WORKERS))
        return self.cast[-1]

    def run(self) -> Json:
        """Take a case from submission to closure, and return the case.

        Another case is withdrawn, and the first candidate declines to lead this case.
        """
        officer, first = self.add_person("UZ_CONSULATE_ALMATY"), self.add_person("KZ_LEAD")
        self.add_person("OVERSIGHT_DEMO")
        lead = self.add_person("IOM")
        self.save_drafts(officer)
        taken_back = officer.submit(**self.texts.make_case())
        why = {"reason": "SENT_IN_ERROR", "note": self.texts.make_text()}
        unwrap(officer.does("withdraw", taken_back, why))
        case = officer.submit(**self.texts.make_case())
        unwrap(first.does("acknowledge", case))
        why = {"reason": "NO_CAPACITY", "note": self.texts.make_text()}
        assert first.does("decline-lead", case, why).status_code == 204
        unwrap(lead.does("acknowledge", case))
        usual = {"contacts": self.texts.make_contacts()}
        unwrap(lead.ask("PUT", "/focal-points/IOM/default-contacts", usual))
        unwrap(lead.does("accept-lead", case, {}))
        self.write_again(lead, case)
        self.run_referrals(lead, case)
        self.open_all(case, *run_other_actions(self.texts, lead, case, self.cast))
        self.close_case(lead, case)
        return case

    def save_drafts(self, officer: Someone) -> None:
        """Save form drafts and unsent forms, with and without a case, and read them."""
        draft = unwrap(officer.create_case())
        for about in ({}, {"case": draft["code"]}):
            values = [{"name": "needs", "value": self.texts.make_text()}]
            path = "/form-drafts/refer"
            unwrap(officer.ask("PUT", path, {"values": values}, params=about))
            assert unwrap(officer.get(path, **about))["values"] == values
        unsent = {"record": get_path(draft)[1:], "content": self.texts.make_text()}
        for body in (unsent, {"content": self.texts.make_text()}):
            unwrap(officer.ask("POST", "/unsent-forms", body))
        assert len(unwrap(officer.get("/unsent-forms"))["items"]) == len((unsent, {}))

    def write_again(self, lead: Someone, case: Json) -> None:
        """Replace the sections and safeguards, and add a consent and a risk assessment."""
        path = get_path(case)
        for content in self.texts.make_sections():
            tag = lead.get_tag(case)
            section = f"{path}/sections/{content['section']}"
            unwrap(lead.ask("PUT", section, content, headers={"If-Match": tag}))
        guards = {"country_of_origin": "UZ", "unsafe_people": self.texts.make_text()}
        match = {"If-Match": lead.get_tag(case)}
        unwrap(lead.ask("PUT", f"{path}/safeguards", guards, headers=match))
        given = make_service_consent(evidence=self.texts.make_text(), sections=WHOLE)
        unwrap(lead.create(f"{path}/consents", given))
        risk = {"level": "high", "remarks": self.texts.make_text()}
        unwrap(lead.create(f"{path}/risk-assessments", risk))

    def run_referrals(self, lead: Someone, case: Json) -> None:
        """Send three referrals: one is completed, one is declined, and one is revoked."""
        shelter, lawyer = (
            self.add_person("KZ_SHELTER_KOGERSHIN"),
            self.add_person("KZ_LEGAL_AID"),
        )
        other = self.add_person("KZ_SHELTER_TANSHOLPAN")
        helped = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN", sections=WHOLE))
        unwrap(shelter.does("acknowledge", helped))
        unwrap(shelter.does("accept", helped, self.texts.make_acceptance()))
        unwrap(shelter.does("start", helped, {"person_met": True}))
        self.open_all(case, helped)
        report = {"outcome": "delivered", "feedback": self.texts.make_text()}
        unwrap(shelter.does("complete", helped, report))
        refused = unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
        why = {"reason": "LANGUAGE", "note": self.texts.make_text()}
        unwrap(lawyer.does("decline", refused, why))
        dropped = unwrap(lead.refer(case, "KZ_SHELTER_TANSHOLPAN"))
        unwrap(other.does("accept", dropped, self.texts.make_acceptance()))
        why = {"reason": "NO_LONGER_NEEDED", "note": self.texts.make_text()}
        unwrap(lead.does("revoke", dropped, why))
        self.open_all(case, helped, refused, dropped)

    def close_case(self, lead: Someone, case: Json) -> None:
        second = self.add_person("IOM", Role.SUPERVISOR)
        why = make_closure(note=self.texts.make_text())
        approval = unwrap(lead.does("close", case, why))
        for one in (lead, second):
            unwrap(one.get("/approvals", state="pending"))
            unwrap(one.get(f"/approvals/{approval['id']}"))
        unwrap(lead.send(f"/approvals/{approval['id']}/withdraw"))
        approval = unwrap(lead.does("close", case, why, idempotency_key="anew"))
        unwrap(second.send(f"/approvals/{approval['id']}/confirm"))

    def open_all(self, case: Json, *referrals: Json) -> None:
        """Request every sealed document, record and list as each person of the journey."""
        of_case = get_path(case)
        ours = (*OPENED[1:3], "/notes", "/safeguards/history", "/safety-alert")
        sealed = [f"{of_case}{part}" for part in ours]
        sealed += [f"{of_case}/sections/{section}" for section in WHOLE]
        sealed += [f"{get_path(r)}{part}" for r in referrals for part in OPENED[3:5]]
        known = [f"{of_case}/{part}" for part in ABOUT]
        for one in self.cast:
            for path in sealed:
                one.open(path)
            for path in (*known, *LISTS):
                one.get(path)
            one.get(of_case, include=[part.value for part in CasePart])
            one.get("/worklist", include="summary")
            one.get("/cases", include="tasks", sort="due_at")
            one.send("/cases/search", {"external_reference": f"{LATIN}-1"})
            one.poll()


class LogRecorder(logging.Handler):
    """A log handler that records every line that the service logs, including tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.lines: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(CLIENT):
            self.lines.append(f"{self.format(record)} {record.args!r}")


LOUD = ("", "sqlalchemy.engine", "sqlalchemy.pool", "psycopg", "uvicorn", "uvicorn.error")


@contextmanager
def log_everything() -> Iterator[LogRecorder]:
    """Log in the format of `safe-conduct serve`, at every level, and yield a recorder."""
    configure_logging(LogLevel.DEBUG)
    handler, loggers = LogRecorder(), [logging.getLogger(name) for name in LOUD]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    try:
        yield handler
    finally:
        logging.getLogger().removeHandler(handler)
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
        structlog.reset_defaults()


def send_invalid_requests(journey: Journey, case: Json) -> Iterator[Response]:
    """Send invalid requests of every kind, each with a marker, and yield the responses."""
    one, text, path = journey.cast[0], journey.texts.make_text(), get_path(case)
    quoted = quote(text)
    bodies: list[Any] = [
        {text: text},
        {"summary": {"country": text, text: text, "priority": text}},
        {"summary": {}, "sections": [{"section": text}, {"section": "needs", text: 1}]},
        {"summary": {}, "sections": [{"section": "identity", "names": [text * 20]}]},
        {"summary": {}, "sections": [{"section": "identity", "names": [f"{text}\u202e"]}]},
        {"summary": {}, "safeguards": {"unsafe_focal_points": [text], text: text}},
        {"summary": {}, "consents": [make_consent(purposes=[text], obtained_on=text)]},
        {"summary": {}, "consents": [make_consent(focal_point=journey.texts.make_code())]},
        {"summary": {}, "risk": {"level": text}, "external_reference": text},
        text,
        [text],
    ]
    yield from (one.create("/cases", body) for body in bodies)
    for name in ("code", "external_reference", text):
        yield one.send("/cases/search", {name: text})
    why = {"reason": "DUPLICATE", "note": text}
    yield from (journey.cast[3].does(act, case, why) for act in ACTS)
    yield from (send_raw(one, raw.encode()) for raw in list_broken_json(text))
    yield from (one.ask("GET", f"{where}?{quoted}={quoted}") for where in (*LISTS, path))
    yield from (one.ask("GET", f"/{where}?{query}={quoted}") for where, query in QUERIES)
    yield from (one.ask("GET", f"/{where}/{quoted}") for where in ("x", *NAMED))
    yield one.ask("DELETE", f"/cases/{quoted}")
    yield from (one.ask("GET", path, headers={name: LATIN * 500}) for name in HEADERS)
    yield from (one.ask("POST", f"{path}/submit", headers={h: LATIN}) for h in HEADERS)
    yield one.open(f"{path}/sections/needs", LATIN)


ACTS = ("withdraw", "decline-lead", "close", "acknowledge", "accept-lead")
NAMED = ("cases", "referrals", "approvals", "focal-points")
HEADERS = ("If-Match", "If-None-Match", "Idempotency-Key", "Approval", "Authorization")
QUERIES = (
    ("events", "after"),
    ("worklist", "after"),
    ("cases", "state"),
    ("cases", "limit"),
    ("referrals", "case"),
    ("focal-points", "country"),
    ("focal-points", "service"),
)


def list_broken_json(text: str) -> list[str]:
    """Return texts that are not valid JSON, or that parsers read in different ways."""
    return [
        text,
        f'{{"summary": "{text}"',
        f'{{"{text}": 1, "{text}": 2}}',
        f'{{"{text}": NaN}}',
        f'{{"{text}": "\\ud800"}}',
        f'{{"summary": {{}}, "external_reference": "{text}\\u0000"}}',
        f"{'[' * 40}{text}",
    ]


def send_raw(one: Someone, body: bytes) -> Response:
    headers = one.make_headers() | {
        "Idempotency-Key": "k",
        "Content-Type": "application/json",
    }
    return one.world.http.post("/v1/cases", content=body, headers=headers)
