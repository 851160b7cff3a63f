"""The addresses of all pages and forms of the console, for the records of a world."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from itertools import product
from typing import Final, override

from starlette.routing import Route

from app.console.application import ROUTES
from app.console.case_actions import ACTIONS
from app.console.case_documents import DOCUMENTS
from app.console.refer_steps import STEPS
from tests.support.effort import Run, choose_number
from tests.support.full_world import NOWHERE
from tests.support.page_forms import Attributes, Form, FormReader

PARAMETER: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
LINKS: Final = re.compile(r'(?:href|action|src|content|formaction|data-\w+)="([^"]*)"')
NO_CASE: Final = "SC-AAAA-AAAA-AAAA-A"
PART: Final = "{action}/{part}"
ONE_CASE: Final = ("{action", "{document", "{id")
"""The starts of parameters with many values; these are combined with one case only."""

SHARE: Final = choose_number(4, sample=16, night=1)
"""A run tries one in this many pages of a route. The seed decides which pages."""
MOST: Final = 5
"""Maximum number of ids that are tried in a path that is not about a case."""

type Ids = Mapping[str, list[str]]


def list_routes(method: str) -> list[str]:
    """Return the paths of the console that support an HTTP method, relative to /console."""
    routes = [one for one in ROUTES if isinstance(one, Route)]
    return [one.path for one in routes if method in (one.methods or ())]


def list_addresses(path: str, ids: Ids, case: str) -> Iterator[str]:
    """Yield the addresses of a path for the records in `ids`, without the part /console/.

    Raises KeyError for a parameter that `list_values` does not know.
    """
    path = path.replace(PART, "{action_of_part}")
    names = PARAMETER.findall(path)
    values = [list_values(path, name, ids, case) for name in names]
    for chosen in product(*values):
        pieces = zip(PARAMETER.sub("{}", path).split("{}"), [*chosen, ""], strict=True)
        yield "".join(f"{piece}{value}" for piece, value in pieces).removeprefix("/")


def choose_share(addresses: list[str]) -> list[str]:
    """Return the first address, and the share of the others that this run tries."""
    return addresses[:1] + addresses[1 + Run.seed % SHARE :: SHARE]


def list_values(path: str, name: str, ids: Ids, case: str) -> list[str]:
    """Return the values to try for a parameter of a path.

    For a parameter that names a record, most lists include a record that does not exist.
    """
    kind = path.split("/")[1]
    if name == "action_of_part":
        return list_actions_of_parts(ids)
    if kind == "cases" or (name == "code" and kind != "directory"):
        return list_case_values(path, name, ids, case)
    return [*ids[kind][:MOST], NOWHERE] if name == "id" else VALUES[name]


def list_case_values(path: str, name: str, ids: Ids, case: str) -> list[str]:
    """Return the values to try for a parameter of a path about a case."""
    if name == "code":
        is_one = any(part in path for part in ONE_CASE)
        return [case] if is_one else [*ids["code"], NO_CASE]
    if name == "id":
        return [*ids["emergency_access" if "emergency" in path else "screenings"], NOWHERE]
    if name == "action":
        return [*ACTIONS, "no-action"]
    if name == "document":
        return ["screening"] if "{id}" in path else [*DOCUMENTS, "no-document"]
    return VALUES[name]


def list_actions_of_parts(ids: Ids) -> list[str]:
    """Return the end of the address of each action on a part, such as a section."""
    variants = (f"{one.action}/{part}" for one in ACTIONS.values() for part in one.variants)
    records = (
        f"{one.action}/{identity}"
        for one in ACTIONS.values()
        if one.per_record
        for identity in ids[one.per_record]
    )
    return [*variants, *records, "no-action/no-part"]


VALUES: Final[Mapping[str, list[str]]] = {
    "code": ["KZ_LEAD", "KZ_LEGAL_AID", "NO_OFFICE"],
    "action": ["accept", "ask", "no-action"],
    "document": ["arrangement", "notes", "needs", "no-document"],
    "number": [str(one + 1) for one in range(len(STEPS))],
    "step": ["grant"],
    "decision": ["no-decision"],
    "form": ["places"],
    "change": ["no-change"],
    "secret": ["no-secret"],
    "session_id": [NOWHERE],
    "passkey_id": [NOWHERE],
}
"""The values of the parameters that do not depend on the records of a world."""


class TypingReader(FormReader):
    """A parser for the forms of a page, and for the names of their text fields."""

    TYPED: Final = frozenset({"text", "tel", "search", ""})

    def __init__(self) -> None:
        super().__init__()
        self.typed: dict[str, set[str]] = {}
        self._action = ""

    @override
    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        super().handle_starttag(tag, attrs)
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = named.get("action", "")
        is_line = tag == "input" and named.get("type", "") in self.TYPED
        if tag == "textarea" or is_line:
            self.typed.setdefault(self._action, set()).add(named.get("name", ""))


def read_forms(html: str) -> dict[str, tuple[Form, set[str]]]:
    """Return the fields of each form of a page, and which of them hold typed text."""
    reader = TypingReader()
    reader.feed(html)
    return {at: (form, reader.typed.get(at, set())) for at, form in reader.forms.items()}


def list_links(html: str) -> str:
    """Return the addresses in a page, one per line."""
    return unescape("\n".join(LINKS.findall(html)))
