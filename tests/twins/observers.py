"""The coalition: what it sends, and what it observes. Both are the same in both worlds."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Final

from tests.support.raw_requests import Answer, Headers
from tests.support.world import SECTIONS, Json, make_case
from tests.twins.cast import COALITION, CONSULATE, HELPER, LAWYER, LEAD, SHELTERS, Cast
from tests.twins.invented import ASKED, COUNTRIES, LED, WITHDRAWN, make_invention
from tests.twins.observations import Observation, build_observation

MALFORMED: Final = frozenset({400, 405, 415, 422, 428})
"""The answers to requests from which nobody learns anything."""
AFTER: Final = re.compile(r"after=[\w-]+")
"""A cursor in the address of a page."""


@dataclass
class Coalition:
    """Offices that share all that they learn, and the ids of their invented records."""

    cast: Cast
    seed: str
    relations: tuple[str, ...]
    """The relations of the coalition to the real cases that it watches."""
    observed: list[Observation] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    cases: list[str] = field(default_factory=list)
    referrals: list[str] = field(default_factory=list)
    handovers: list[str] = field(default_factory=list)
    accepted: int = 0
    """The number of accepted requests that change something."""
    cursors: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cases = [self.cast.invented[one]["code"] for one in COUNTRIES]

    @property
    def led(self) -> str:
        """The path of the invented case that the coalition leads."""
        return f"/cases/{self.cast.invented[LED]['code']}"

    # Requests.

    def send(
        self, office: str, method: str, path: str, body: Any = None, **more: str
    ) -> Answer:
        """Send a request, and store the answer. Its ids depend only on the request."""
        number = len(self.observed)
        self.cast.ids.begin(f"{self.seed} request {number}")
        headers: Headers = {**self.cast[office].make_headers()}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        raw = b""
        if body is not None:
            headers["Content-Type"], raw = "application/json", json.dumps(body).encode()
        if method in {"POST", "PUT", "PATCH"}:
            headers["Idempotency-Key"] = f"{self.seed} {number}".replace(" ", "-")
        answer = self.cast.wire.send(method, f"/v1{path}", headers, raw)
        assert answer.status not in MALFORMED, f"{method} {path}: {answer.content!r}"
        self.accepted += method != "GET" and answer.status < 300
        self.observe(f"{office} {method} {AFTER.sub('after=*', path)}", answer)
        return answer

    def wait_for_events(self) -> None:
        """Let each office wait for events after those that it knows."""
        for office in COALITION:
            self.cast.ids.begin(f"{self.seed} wait {office} {len(self.observed)}")
            headers = self.cast[office].make_headers()
            self.cast.polls.start(headers, self.get_feed_path(office))

    def end_waiting(self) -> None:
        """Store which office was woken, and by which events."""
        ended = self.cast.polls.finish()
        for office, (woken, answer) in zip(COALITION, ended, strict=True):
            self.observe(f"{office} waited for events, woken: {woken}", answer)

    def get_feed_path(self, office: str) -> str:
        """Return the path of the events that an office has not read."""
        after = self.cursors.get(office)
        return f"/events?limit=50{f'&after={after}' if after else ''}"

    def observe(self, request: str, answer: Answer) -> None:
        """Store an answer."""
        at = f"{self.cast.world.now:%d.%m. %H:%M:%S}"
        self.observed.append(build_observation(at, request, answer, self.names))

    def act(self, office: str, path: str, action: str, body: Any = None) -> Answer:
        """Read a record, and take an action on it with its entity tag."""
        tag = self.send(office, "GET", path)["etag"] or '"1.0"'
        return self.send(office, "POST", f"{path}/{action}", body, If_Match=tag)


def add_id(known: list[str], answer: Answer, name: str = "id") -> None:
    """Store the id of a record that a request created."""
    if answer.status == 201:
        known.append(str(answer.parse_json()[name]))


def submit(mine: Coalition, chance: Random) -> None:
    country = chance.choice(COUNTRIES)
    priority = chance.choice(("normal", "urgent", "emergency"))
    language = chance.choice(("ru", "uz", "ky", "en"))
    invented = make_invention(country, priority=priority, language=language)
    body = make_case(**invented, submit=True)
    add_id(mine.cases, mine.send(CONSULATE, "POST", "/cases", body), "code")
    mine.send(CONSULATE, "GET", f"/cases/{mine.cases[-1]}/routing")


def withdraw(mine: Coalition, chance: Random) -> None:
    path = f"/cases/{chance.choice(mine.cases)}"
    mine.act(CONSULATE, path, "withdraw", WITHDRAWN)


def refer(mine: Coalition, chance: Random) -> None:
    """Refer the invented case that the coalition leads to one office, or to several."""
    beds = [(one, "SHELTER") for one in SHELTERS]
    law = (LAWYER, "LEGAL_AID")
    others = [(HELPER, "SHELTER"), ("IOM", "SHELTER"), law]
    several = chance.choice(([*beds, law], beds, [chance.choice(others)]))
    for to, service in several:
        body = {"recipient": to, "service": service, "sections": ["needs"], "send": True}
        answer = mine.send(LEAD, "POST", f"{mine.led}/referrals", body)
        add_id(mine.referrals, answer)


def withdraw_referral(mine: Coalition, chance: Random) -> None:
    if mine.referrals:
        path = f"/referrals/{chance.choice(mine.referrals)}"
        mine.act(LEAD, path, "withdraw", WITHDRAWN)


def relocate(mine: Coalition, chance: Random) -> None:
    """Move the invented person to another country, and mostly back."""
    mine.act(LEAD, mine.led, "relocate", {"country": chance.choice(("KG", "TT", "UZ"))})
    if chance.random() < 0.8:
        mine.send(LEAD, "GET", f"{mine.led}/recipients?service=SHELTER")
        mine.act(LEAD, mine.led, "relocate", {"country": "KZ"})


def offer(mine: Coalition, chance: Random) -> None:
    to = chance.choice(("KZ_LEAD", "SANA_SEZIM"))
    cancel(mine, chance)
    body = {"to": to, "reason": "OTHER"}
    answer = mine.send(LEAD, "POST", f"{mine.led}/handovers", body)
    add_id(mine.handovers, answer)


def cancel(mine: Coalition, _: Random) -> None:
    """Cancel the offer of the invented case, if there is one."""
    offers = mine.send(LEAD, "GET", "/handovers?state=offered").parse_json()["items"]
    for one in offers[:1]:
        mine.act(LEAD, f"/handovers/{one['id']}", "cancel", {})


def report_places(mine: Coalition, chance: Random) -> None:
    body = {"free": chance.choice((0, 1, 5, None))}
    mine.send(HELPER, "PUT", f"/focal-points/{HELPER}/capacity", body)


def preview(mine: Coalition, chance: Random) -> None:
    body = {
        "country": chance.choice(COUNTRIES),
        "age_class": "adult",
        "language": chance.choice(("ru", "uz")),
        "priority": "urgent",
        "services": ["SHELTER", "LEGAL_AID"],
    }
    mine.send(chance.choice(COALITION), "POST", "/routing", body)


def find(mine: Coalition, chance: Random) -> None:
    """Search for the code of a real case."""
    relation = chance.choice(mine.relations)
    body = {"code": mine.cast.real[relation].case["code"]}
    mine.send(chance.choice(COALITION), "POST", "/cases/search", body)


PART_MOVES: Final[tuple[tuple[str, Any], ...]] = (
    ("acknowledge", None),
    ("start", {"person_met": True}),
    ("report", {"feedback": "So far good"}),
    ("ask", {"topics": ["needs"], "question": "Where is she?"}),
    ("hold", {"reason": "SAFETY", "review_at": "2026-06-01T18:00:00Z"}),
    ("resume", None),
    ("complete", {"outcome": "delivered", "feedback": "Well"}),
    ("confirm-deletion", None),
)


FITTING: Final = 0.8
"""The share of actions on a part that its state allows."""


def act_on_any_part(mine: Coalition, chance: Random) -> None:
    act_on_part(mine, chance, chance.choice(mine.relations))


def act_on_part(mine: Coalition, chance: Random, relation: str) -> None:
    """Act on the referral of a real case, mostly as its state allows."""
    real = mine.cast.real[relation]
    if real.referral and real.helper:
        path = f"/referrals/{real.referral['id']}"
        shown = mine.send(real.helper.code, "GET", path).parse_json()
        offered = {one["action"] for one in shown.get("available_actions", ())}
        fitting = [one for one in PART_MOVES if one[0].replace("-", "_") in offered]
        often = fitting if fitting and chance.random() < FITTING else PART_MOVES
        mine.act(real.helper.code, path, *chance.choice(often))


def act_on_case(mine: Coalition, chance: Random) -> None:
    """Act on a real case, in which the coalition has a part or none."""
    real = mine.cast.real[chance.choice(mine.relations)]
    office = real.helper.code if real.helper else chance.choice(COALITION)
    path = f"/cases/{real.case['code']}"
    body: Json = {"name": "guardian", "value": "needed"}
    asked: Json = {"reason": "RISK_TO_LIFE", "note": "?", "sections": ["contact"]}
    writes: tuple[tuple[str, str, Json], ...] = (
        ("PATCH", "", {"priority": chance.choice(("normal", "emergency"))}),
        ("PATCH", "", {"country": chance.choice(COUNTRIES)}),
        ("PUT", "/sections/needs", SECTIONS[0]),
        ("POST", "/facts", body),
        ("POST", "/emergency-access", asked | {"purpose": "protection"}),
        ("POST", "/referrals", {"recipient": SHELTERS[0], "service": "SHELTER"}),
        ("POST", "/withdraw", WITHDRAWN),
        ("POST", "/acknowledge", {}),
        ("POST", "/visits", {"person_met": True}),
    )
    method, end, body = chance.choice(writes)
    tag = mine.send(office, "GET", path)["etag"] or '"1.0"'
    mine.send(office, method, f"{path}{end}", body, If_Match=tag)


type Move = Callable[[Coalition, Random], None]
MOVES: Final[Mapping[Move, int]] = {
    submit: 4,
    withdraw: 3,
    refer: 5,
    withdraw_referral: 3,
    relocate: 1,
    offer: 1,
    cancel: 1,
    report_places: 1,
    preview: 1,
    find: 1,
    act_on_any_part: 6,
    act_on_case: 1,
}
"""The moves of the coalition, each with its weight."""


PREPARING: Final = (submit, withdraw, refer, withdraw_referral, report_places)
"""The moves before the secret acts. They must not change what the acts need."""


def make_move(mine: Coalition, chance: Random, *, prepares: bool = False) -> None:
    """Make a random move."""
    moves = PREPARING if prepares else tuple(MOVES)
    [move] = chance.choices(moves, [MOVES[one] for one in moves])
    move(mine, chance)


def probe(mine: Coalition, chance: Random) -> None:
    """Invent a request to each office that may have a part in a real case.

    Also act on each part that the coalition itself has in a real case.
    """
    for one in mine.referrals[-6:]:
        mine.act(LEAD, f"/referrals/{one}", "withdraw", WITHDRAWN)
    for to, service in ASKED:
        body = {"recipient": to, "service": service, "sections": ["needs"], "send": True}
        add_id(mine.referrals, mine.send(LEAD, "POST", f"{mine.led}/referrals", body))
    for country in COUNTRIES:
        body = make_case(**make_invention(country), submit=True)
        add_id(mine.cases, mine.send(CONSULATE, "POST", "/cases", body), "code")
    for relation in mine.relations:
        act_on_part(mine, chance, relation)


def find_due_time(mine: Coalition) -> datetime | None:
    """Return when the first request of a probe has to be answered, or None."""
    shown = [
        mine.send(LEAD, "GET", f"/referrals/{one}").parse_json()
        for one in mine.referrals[-len(ASKED) :]
    ]
    due = [datetime.fromisoformat(one["due_at"]) for one in shown if one.get("due_at")]
    return min(due, default=None)


def read_probes(mine: Coalition) -> None:
    """Read what happened to the requests of the last probe."""
    for one in mine.referrals[-len(ASKED) :]:
        mine.send(LEAD, "GET", f"/referrals/{one}/evidence")
    for code in mine.cases[-len(COUNTRIES) :]:
        mine.send(CONSULATE, "GET", f"/cases/{code}/evidence")


# What the coalition looks at.

type Look = tuple[float, str, str]
"""A read request: its weight, the office, and the path."""
LISTS: Final = (
    "/cases?limit=2",
    "/cases?limit=200",
    "/cases?include=tasks",
    "/cases?country=KZ",
    "/cases?country=KG",
    "/cases?priority=emergency",
    "/cases?state=submitted",
    "/cases?state=suspended",
    "/cases?state=assisting",
    "/cases?stage=referral",
    "/cases?sort=due_at",
    "/referrals?limit=2",
    "/referrals?side=sender",
    "/referrals?side=recipient",
    "/referrals?state=withdrawn",
    "/handovers?limit=2",
    "/approvals",
    "/worklist",
    "/worklist?limit=2",
    "/worklist/counts",
    "/figures/own",
    "/figures/releases",
    "/figures/report",
    "/me",
)
"""The lists and figures that each office of the coalition reads."""
SEALED: Final = (
    "/sections/needs",
    "/sections/contact",
    "/sections/identity",
    "/sections/perpetrators",
    "/safety-alert",
    "/safeguards",
    "/contacts",
    "/notes",
    "/export/htcds",
    "/screenings",
)
PARTS: Final = (
    "",
    "?include=tasks",
    "/history",
    "/evidence",
    "/routing",
    "/recipients?service=SHELTER",
    "/consents",
    "/facts",
    "/questions",
    "/knowledge",
    "/access-log",
    "/emergency-access",
)
"""What an office may try to read of a case."""


def list_looks(mine: Coalition) -> Iterator[Look]:
    """Yield the read requests of the coalition, with their weights."""
    yield from list_looks_at_inventions(mine)
    for office in COALITION:
        yield 3, office, "/events"
        for path in LISTS:
            yield 3.0 if path == "/figures/own" else 1.0, office, path
    for path in ("country=KZ", "service=SHELTER", "limit=3"):
        yield 0.5, CONSULATE, f"/focal-points?{path}"
    yield 0.5, CONSULATE, f"/focal-points/{SHELTERS[0]}"
    yield 0.3, CONSULATE, "/directory-changes"
    yield 0.3, HELPER, f"/focal-points/{HELPER}"
    for relation in mine.relations:
        yield from list_looks_at_part(mine, relation)


def list_looks_at_inventions(mine: Coalition) -> Iterator[Look]:
    """Yield the read requests about invented cases."""
    for service, weight in (("SHELTER", 8), ("LEGAL_AID", 3), ("PSYCHOSOCIAL", 1)):
        yield weight, LEAD, f"{mine.led}/recipients?service={service}"
    yield 1, LEAD, f"{mine.led}/recipients"
    yield 1, LEAD, f"{mine.led}/routing"
    yield 1, LEAD, mine.led
    for code in mine.cases[-6:]:
        yield 3, CONSULATE, f"/cases/{code}/routing"
        yield 2, CONSULATE, f"/cases/{code}/evidence"
        yield 1, CONSULATE, f"/cases/{code}"
        yield 0.5, CONSULATE, f"/cases/{code}/history?limit=2"
    for one in mine.referrals[-4:]:
        yield 5, LEAD, f"/referrals/{one}/evidence"
        yield 1, LEAD, f"/referrals/{one}"
    for one in mine.handovers[-2:]:
        yield 2, LEAD, f"/handovers/{one}/evidence"
        yield 1, LEAD, f"/handovers/{one}"


def list_looks_at_part(mine: Coalition, relation: str) -> Iterator[Look]:
    """Yield the read requests about a real case."""
    real = mine.cast.real[relation]
    offices = [real.helper.code] if real.helper else [*COALITION]
    path = f"/cases/{real.case['code']}"
    for office in offices:
        share = len(offices)
        for part in PARTS:
            yield (3 if part == "" else 1.0) / share, office, f"{path}{part}"
        for part in SEALED:
            yield 0.7 / share, office, f"{path}{part}"
        yield 1.0 / share, office, f"/referrals?case={real.case['code']}"
        yield 1.0 / share, office, f"/handovers?case={real.case['code']}"
        if real.referral:
            about = f"/referrals/{real.referral['id']}"
            yield 6, office, about
            for part in ("/evidence", "/notes", "/arrangement"):
                yield 2, office, f"{about}{part}"


def look(mine: Coalition, chance: Random, many: int) -> None:
    """Send some of the read requests, more often those with a high weight."""
    looks = list(list_looks(mine))
    drawn = sorted(looks, key=lambda one: chance.random() ** (1 / one[0]), reverse=True)
    for _, office, path in drawn[:many]:
        if path == "/events":
            poll(mine, office)
        elif "limit=2" in path.split("?")[-1].split("&"):
            read_pages(mine, office, path)
        else:
            mine.send(office, "GET", path, Purpose="protection")


def read_pages(mine: Coalition, office: str, path: str) -> None:
    """Read a list to its end, page by page."""
    following: str | None = path
    while following:
        page = mine.send(office, "GET", following).parse_json()
        after = page.get("next")
        following = f"{path}&after={after}" if after else None


def poll(mine: Coalition, office: str) -> None:
    """Read the feed of an office to its end."""
    while True:
        page = mine.send(office, "GET", mine.get_feed_path(office)).parse_json()
        mine.cursors[office] = page["cursor"]
        if not page["more"]:
            return
