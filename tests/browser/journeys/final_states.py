"""The data that each account can read after the journeys, without times and ids."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from app.demo.demo_accounts import DEMO_ACCOUNTS, DemoAccount
from app.kernel.actors import CASE_ROLES
from tests.browser.demonstration import Demonstration

type Json = dict[str, Any]
type States = dict[str, Any]
"""The content at each path that an account reads, or the status of an error response."""
type Names = Mapping[str, str]
"""The names of the records by their code or id, the same in every demonstration."""

PURPOSE: Final = {"Purpose": "assessment"}
MADE_AT: Final = {
    "referrals": "opened_at",
    "handovers": "offered_at",
    "approvals": "asked_at",
}
"""The field with the creation time, by kind. A case has that of its first referral."""
CASE_PARTS: Final = ("consents", "facts", "questions", "knowledge", "history")
LEAD_PARTS: Final = ("safeguards", "contacts", "notes")
MEETING: Final = frozenset({"accepted", "in_progress"})
"""The states of a referral in which its first meeting can be read."""
LEADING: Final = "REFER"
"""The purpose of a consent for an office that may lead."""
TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?")
ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
VERSION: Final = re.compile(r'"version": \d+')
UNEXPECTED: Final = frozenset({429, 500, 503})
SECONDS: Final = 60


def read_final_states(served: Demonstration) -> Mapping[str, States]:
    """Return the data that each account of a demonstration reads, by the account label."""
    with httpx.Client(base_url=f"{served.url}/v1/", timeout=SECONDS) as http:
        read = {
            one.label: dict(read_records(Reader(http, one, served.keys[one.label])))
            for one in DEMO_ACCOUNTS
        }
    names = name_records(read.values())
    return {label: normalize(states, names) for label, states in read.items()}


@dataclass(frozen=True)
class Reader:
    """An account that reads everything it can, through the API."""

    http: httpx.Client
    account: DemoAccount
    key: str

    @property
    def opens_documents(self) -> bool:
        """Whether the account works on cases, and may therefore open sealed documents.

        Other accounts would reach the limit of refused openings, and get the status 429.
        """
        return bool(self.account.roles & CASE_ROLES)

    def read(self, path: str) -> Any:
        """Return the content at a path, or the status of the response if it is an error."""
        headers = PURPOSE | {"Authorization": f"Bearer {self.key}"}
        answer = self.http.get(path, headers=headers)
        assert answer.status_code not in UNEXPECTED, answer.text
        return answer.json() if answer.is_success else answer.status_code

    def list_parts(self, kind: str, record: Json) -> Iterator[str]:
        """Yield the parts of a record that the account reads."""
        if kind == "cases":
            yield from CASE_PARTS
            if self.opens_documents:
                yield "safety-alert"
                yield from LEAD_PARTS if "lead" in record["you_are"] else ()
        elif kind == "referrals":
            yield "return"
            if self.opens_documents:
                yield "notes"
                yield from ["arrangement"] if record["state"] in MEETING else ()

    def list_sections(self, path: str, knowledge: Json) -> Iterator[str]:
        """Yield the path of each written section that the account may open."""
        for one in knowledge["own"]:
            if one["written"] and one["may_open"]:
                yield f"{path}/sections/{one['section']}"


def read_records(reader: Reader) -> Iterator[tuple[str, Any]]:
    """Yield the path and content of each record that an account lists, and of its parts."""
    for kind in ("cases", *MADE_AT):
        page = reader.read(f"{kind}?limit=200")
        for record in page["items"] if isinstance(page, dict) else ():
            path = f"{kind}/{record.get('id') or record['code']}"
            yield path, record
            for part in reader.list_parts(kind, record):
                content = reader.read(f"{path}/{part}")
                yield f"{path}/{part}", content
                if part == "knowledge" and isinstance(content, dict):
                    for section in reader.list_sections(path, content):
                        yield section, reader.read(section)


def name_records(read: Iterable[States]) -> Names:
    """Return a name for each record, such as `cases-1`, in order of creation."""
    made: dict[str, dict[str, str]] = {kind: {} for kind in ("cases", *MADE_AT)}
    for states in read:
        for path, content in states.items():
            kind, _, identity = path.partition("/")
            if kind in MADE_AT and "/" not in identity:
                made[kind][identity] = content[MADE_AT[kind]]
            if kind == "referrals" and "/" not in identity:
                case, at = content["case"], content["opened_at"]
                made["cases"][case] = min(at, made["cases"].get(case, at))
    return {
        identity: f"{kind}-{number}"
        for kind, times in made.items()
        for number, identity in enumerate(sorted(times, key=times.__getitem__), start=1)
    }


def normalize(states: States, names: Names) -> States:
    """Return the data that an account reads, with names of records and without times."""
    text = VERSION.sub('"version": 0', json.dumps(states, ensure_ascii=False))
    for identity, name in names.items():
        text = text.replace(identity, name)
    named = json.loads(ID.sub("id", TIME.sub("time", text)))
    return {path: simplify(path, content) for path, content in sorted(named.items())}


def simplify(path: str, content: Any) -> Any:
    """Return a part of the final state without differences that the pages cause.

    A page may need several requests where a journey sends one. Therefore the history is
    reduced to changes of states, each note is listed once, and each purpose of a consent is
    listed separately.
    """
    part = path.rpartition("/")[2]
    if not isinstance(content, dict) or part not in {"history", "notes", "consents"}:
        return content
    items = content["items"]
    if part == "history":
        return [one for one in items if "state" in one["facts"]]
    if part == "consents":
        items = split_consents(items)
    found = {json.dumps(one, sort_keys=True, ensure_ascii=False) for one in items}
    return sorted(found)


def split_consents(consents: Iterable[Json]) -> Iterator[Json]:
    """Yield a consent for each purpose, without the services of offices that may lead.

    The five steps of "Refer someone" ask once which offices may lead and give any service,
    but the journeys name the offices for each service. This is the only known difference.
    """
    items = list(consents)
    leading = [name_recipient(one) for one in items if LEADING in one["purposes"]]
    for one in items:
        for purpose in one["purposes"]:
            if purpose == LEADING or name_recipient(one) not in leading:
                yield one | {"purposes": [purpose]}


def name_recipient(consent: Json) -> tuple[str, ...]:
    """Return the recipient of a consent: an office, or a class of offices."""
    named = consent["recipient_class"] or {"focal_point": consent["focal_point"]}
    return tuple(map(str, named.values()))


def list_differences(
    these: Mapping[str, States], those: Mapping[str, States]
) -> list[tuple[str, str, Any, Any]]:
    """Return each difference of two demonstrations: the account, path and both contents."""
    return [
        (label, path, these[label].get(path), those[label].get(path))
        for label in those
        for path in sorted({*these[label], *those[label]})
        if these[label].get(path) != those[label].get(path)
    ]
