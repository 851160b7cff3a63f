"""Marker texts that occur nowhere else, a case that contains them, and a log recorder.

Every personal field and every free text is filled, in three scripts. A test then searches
for the texts in each encoding in which they could be stored.
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

from app.cli.lines import log_lines
from app.kernel.actors import Role
from app.settings import LogLevel
from tests.support.canary_texts import ABOUT, LISTS, run_other_actions
from tests.support.world import (
    ALL_SECTIONS,
    WORKERS,
    Json,
    Someone,
    World,
    closing,
    consent,
    done,
    for_services,
    path_of,
)

LATIN, CYRILLIC, ARABIC = "Vqwzkxjhpf", "Жъыэщюфбхц", "غظضثشقذطصز"
"""Stems of the markers; no other test uses them, because tests share one PostgreSQL."""
CODE, PHONE, BORN, MINUTE = LATIN.upper(), "77098765", "1907-11-29", ":17:43.271828"
SIGN = "UNODC_SEXUAL_EXPLOITATION_03"
STEMS: Final = (LATIN, CYRILLIC, ARABIC, CODE, SIGN, PHONE, BORN, MINUTE)
WHOLE = [*ALL_SECTIONS, "indicators", "perpetrators"]
OPENED = ("/sections/", "/safeguards", "/contacts", "/arrangement", "/notes", "/safety-")
CLIENT = ("httpx2", "httpcore2")
"""Loggers of the HTTP client, whose lines are not the service's."""


def spellings(word: str) -> Iterator[bytes]:
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
    """Yield the text as JSON, as a URL and as Python's `repr` of bytes escape it."""
    escaped = json.dumps(word)[1:-1]
    yield escaped.encode()
    yield escaped.upper().replace("\\U", "\\u").encode()
    yield quote(word).encode()
    yield quote(word).lower().encode()
    yield repr(word.encode())[2:-1].encode()


NEEDLES: Final = tuple({spelled for stem in STEMS for spelled in spellings(stem)})


def hits(hay: bytes, needles: tuple[bytes, ...] = NEEDLES) -> list[bytes]:
    """Return the places at which a marker was found, each with some bytes around it."""
    places = ((needle, hay.find(needle)) for needle in needles)
    return [hay[max(at - 40, 0) : at + 60] for _, at in places if at >= 0]


@dataclass
class Canaries:
    """Generator of marker texts, each of them unique."""

    said: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return a new marker text in three scripts."""
        number = self.make_number()
        return f"{LATIN}{number} {CYRILLIC}{number} {ARABIC}{number}"

    def make_number(self) -> str:
        self.said.append(f"{len(self.said):03}")
        return self.said[-1]

    def make_code(self) -> str:
        return f"{CODE}_{self.make_number()}"

    def make_contacts(self) -> list[Json]:
        return [
            {"name": self.text(), "phone": f"+{PHONE}{self.make_number()}"} for _ in "12"
        ]

    def make_sections(self) -> list[Json]:
        """Return sections with a marker in every field."""
        needs = {name: self.text() for name in ("summary", "access_needs", "safety_notice")}
        contact = {name: self.text() for name in ("alias", "safe_channel", "safe_times")}
        whole = {"names": [self.text(), self.text()], "documents": [self.text()]}
        signs = {"codes": [SIGN], "remarks": self.text()}
        told = [{"section": s, "text": self.text()} for s in WHOLE if s in TOLD]
        self.make_number()
        return [
            {"section": "needs"} | needs,
            {"section": "contact"} | contact,
            {"section": "identity", "birth_date": BORN, "nationality": "UZ"} | whole,
            {"section": "indicators"} | signs,
            *told,
        ]

    def case(self) -> Json:
        """Return the body of a case with a marker in every field that accepts one."""
        guards = {"country_of_origin": "UZ", "unsafe_people": self.text()}
        leads = [consent(focal_point="IOM"), consent()]
        given = [one | {"sections": WHOLE} for one in (*leads, for_services())]
        return {
            "sections": self.make_sections(),
            "safeguards": guards | {"unsafe_focal_points": [self.make_code()]},
            "consents": [one | {"evidence": self.text()} for one in given],
            "risk": {"level": "low", "remarks": self.text()},
            "screening": {"signs": [SIGN], "remarks": self.text()},
            "external_reference": f"{LATIN}-{self.make_number()}",
        }

    def make_acceptance(self) -> Json:
        """Return the body with which a recipient accepts a referral."""
        at = f"2026-06-02T09{MINUTE}+05:00"
        self.make_number()
        meeting = {"place": self.text(), "at": at, "person": self.text()}
        return {"meeting": meeting, "contacts": self.make_contacts()}


TOLD = ("narrative", "perpetrators", "health")


@dataclass
class Journey:
    """The people of a case, the marker texts that they send, and all answers."""

    world: World
    say: Canaries = field(default_factory=Canaries)
    answers: list[Response] = field(default_factory=list)
    cast: list[Someone] = field(default_factory=list)

    def add_person(self, focal_point: str, *roles: Role) -> Someone:
        self.cast.append(self.world.someone(focal_point, roles or WORKERS))
        return self.cast[-1]

    def runs(self) -> Json:
        """Take a case from submission to closure, with every kind of refusal in between."""
        officer, first = self.add_person("UZ_CONSULATE_ALMATY"), self.add_person("KZ_LEAD")
        self.add_person("OVERSIGHT_DEMO")
        lead = self.add_person("IOM")
        taken_back = officer.submits(**self.say.case())
        why = {"reason": "SENT_IN_ERROR", "note": self.say.text()}
        done(officer.does("withdraw", taken_back, why))
        case = officer.submits(**self.say.case())
        done(first.does("acknowledge", case))
        why = {"reason": "NO_CAPACITY", "note": self.say.text()}
        assert first.does("decline-lead", case, why).status_code == 204
        done(lead.does("acknowledge", case))
        done(lead.does("accept-lead", case, {"contacts": self.say.make_contacts()}))
        self.write_again(lead, case)
        self.run_referrals(lead, case)
        self.open_all(case, *run_other_actions(self.say, lead, case, self.cast))
        self.close_case(lead, case)
        return case

    def write_again(self, lead: Someone, case: Json) -> None:
        """Write the sections and safeguards again, and add a consent and an assessment."""
        path = path_of(case)
        for content in self.say.make_sections():
            tag = lead.tag(case)
            section = f"{path}/sections/{content['section']}"
            done(lead.ask("PUT", section, content, headers={"If-Match": tag}))
        guards = {"country_of_origin": "UZ", "unsafe_people": self.say.text()}
        match = {"If-Match": lead.tag(case)}
        done(lead.ask("PUT", f"{path}/safeguards", guards, headers=match))
        given = for_services(evidence=self.say.text(), sections=WHOLE)
        done(lead.creates(f"{path}/consents", given))
        risk = {"level": "high", "remarks": self.say.text()}
        done(lead.creates(f"{path}/risk-assessments", risk))

    def run_referrals(self, lead: Someone, case: Json) -> None:
        """Refer to three offices: one helps, one declines, one referral is revoked."""
        shelter, lawyer = (
            self.add_person("KZ_SHELTER_KOGERSHIN"),
            self.add_person("KZ_LEGAL_AID"),
        )
        other = self.add_person("KZ_SHELTER_TANSHOLPAN")
        helped = done(lead.refers(case, "KZ_SHELTER_KOGERSHIN", sections=WHOLE))
        done(shelter.does("acknowledge", helped))
        done(shelter.does("accept", helped, self.say.make_acceptance()))
        done(shelter.does("start", helped, {"person_met": True}))
        self.open_all(case, helped)
        report = {"outcome": "delivered", "feedback": self.say.text()}
        done(shelter.does("complete", helped, report))
        refused = done(lead.refers(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
        why = {"reason": "LANGUAGE", "note": self.say.text()}
        done(lawyer.does("decline", refused, why))
        dropped = done(lead.refers(case, "KZ_SHELTER_TANSHOLPAN"))
        done(other.does("accept", dropped, self.say.make_acceptance()))
        why = {"reason": "NO_LONGER_NEEDED", "note": self.say.text()}
        done(lead.does("revoke", dropped, why))
        self.open_all(case, helped, refused, dropped)

    def close_case(self, lead: Someone, case: Json) -> None:
        second = self.add_person("IOM", Role.SUPERVISOR)
        why = closing(note=self.say.text())
        asked = done(lead.does("close", case, why))
        done(second.post(f"/approvals/{asked['id']}/approve"))
        done(lead.does("close", case, why, approval=asked["id"]))

    def open_all(self, case: Json, *referrals: Json) -> None:
        """Open every sealed document and read all else as each of the people."""
        of_case = path_of(case)
        ours = (*OPENED[1:3], "/notes", "/safeguards/history", "/safety-notice")
        sealed = [f"{of_case}{part}" for part in ours]
        sealed += [f"{of_case}/sections/{section}" for section in WHOLE]
        sealed += [f"{path_of(r)}{part}" for r in referrals for part in OPENED[3:5]]
        known = [f"{of_case}/{part}" for part in ABOUT]
        for one in self.cast:
            for path in sealed:
                one.opens(path)
            for path in (*known, *LISTS):
                one.get(path)
            one.hears()


class LogRecorder(logging.Handler):
    """Log handler that records each line of the service, including tracebacks."""

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
def listening() -> Iterator[LogRecorder]:
    """Log as `safe-conduct serve` does, with every logger at level DEBUG."""
    log_lines(LogLevel.DEBUG)
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


def provoke(journey: Journey, case: Json) -> Iterator[Response]:
    """Send every kind of invalid request, each with a marker in it."""
    one, text, path = journey.cast[0], journey.say.text(), path_of(case)
    quoted = quote(text)
    bodies: list[Any] = [
        {text: text},
        {"notice": {"country": text, text: text, "priority": text}},
        {"notice": {}, "sections": [{"section": text}, {"section": "needs", text: 1}]},
        {"notice": {}, "sections": [{"section": "identity", "names": [text * 20]}]},
        {"notice": {}, "sections": [{"section": "identity", "names": [f"{text}\u202e"]}]},
        {"notice": {}, "safeguards": {"unsafe_focal_points": [text], text: text}},
        {"notice": {}, "consents": [consent(purposes=[text], obtained_on=text)]},
        {"notice": {}, "consents": [consent(focal_point=journey.say.make_code())]},
        {"notice": {}, "risk": {"level": text}, "external_reference": text},
        text,
        [text],
    ]
    yield from (one.creates("/cases", body) for body in bodies)
    why = {"reason": "DUPLICATE", "note": text}
    yield from (journey.cast[3].does(act, case, why) for act in ACTS)
    yield from (send_raw(one, raw.encode()) for raw in list_broken_json(text))
    yield from (one.ask("GET", f"{where}?{quoted}={quoted}") for where in (*LISTS, path))
    yield from (one.ask("GET", f"/{where}?{query}={quoted}") for where, query in QUERIES)
    yield from (one.ask("GET", f"/{where}/{quoted}") for where in ("x", *NAMED))
    yield one.ask("DELETE", f"/cases/{quoted}")
    yield from (one.ask("GET", path, headers={name: LATIN * 500}) for name in HEADERS)
    yield from (one.ask("POST", f"{path}/submit", headers={h: LATIN}) for h in HEADERS)
    yield one.opens(f"{path}/sections/needs", LATIN)


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
    """Return texts that are not JSON, or that can be read in two ways."""
    return [
        text,
        f'{{"notice": "{text}"',
        f'{{"{text}": 1, "{text}": 2}}',
        f'{{"{text}": NaN}}',
        f'{{"{text}": "\\ud800"}}',
        f'{{"notice": {{}}, "external_reference": "{text}\\u0000"}}',
        f"{'[' * 40}{text}",
    ]


def send_raw(one: Someone, body: bytes) -> Response:
    said = one.headers() | {"Idempotency-Key": "k", "Content-Type": "application/json"}
    return one.world.http.post("/v1/cases", content=body, headers=said)
