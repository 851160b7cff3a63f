"""Worlds in which all free text that a person sends is replaced by numbered markers.

A test searches responses for the markers. Two worlds have the same ids and times, but
markers of different letters and lengths. A response differs only if it depends on a text.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any, Final, override
from urllib.parse import unquote_plus
from uuid import UUID

from fastapi import FastAPI
from httpx2 import Response

from app.kernel.actors import AccountKind, Role, Scope
from tests.support.in_thread import ThreadLoops
from tests.support.twin_worlds import list_free_fields
from tests.support.world import EVERYTHING, WORKERS, Someone, World

STEMS: Final = (
    ("Zvěřqžx", "Ñandúqü¿", "Жъыэщюфбх", "غظضثشقذطص"),
    ("Łąkęqś", "Ożyńqç", "Ђљњжћџ", "چپگژکی"),
)
"""The stems of the markers of each world, in several scripts."""
GAP: Final = ("", "·" * 7)
"""The ends of the markers of each world; those of the second world are longer."""
GAPS: Final = tuple(zip(STEMS, GAP, strict=True))
PHONE: Final = "7098765"
NUMBER: Final = r"(\d{5})"
MARKER: Final = re.compile(
    "|".join(
        [*(f"{stem}{NUMBER}" for kind in STEMS for stem in kind), rf"{PHONE}{NUMBER}"]
    ),
    re.IGNORECASE,
)
WHOLE: Final = re.compile(
    "|".join(
        [
            *(" ".join(f"{stem}{NUMBER}" for stem in kind) + gap for kind, gap in GAPS),
            rf"\+{PHONE}{NUMBER}",
        ]
    )
)
"""A whole marker of either world."""
PUBLIC_PATHS: Final = ("/focal-points", "/accounts", "/webhooks", "/enrolments")
"""Paths whose free text names offices and accounts, and is therefore not replaced."""
CONTACTS: Final = "-contacts"
PHONE_FIELD: Final = "phone"
BORN: Final = ("1907-11-29", "1911-02-03")
BESIDE: Final = {"name": PHONE_FIELD, "safe_contact": "route"}
"""Fields that hold free text only in an object that also has the given other field."""
DRAFTS: Final = "/form-drafts/"
DRAFT_TEXTS: Final = frozenset({"value"})


@dataclass
class Markers:
    """The generator of the markers of one world; `kind` chooses the letters."""

    kind: int = 0
    count: int = 0

    def make_text(self) -> str:
        """Return a new marker, a text of four words that no other record contains."""
        self.count += 1
        words = (f"{stem}{self.count:05}" for stem in STEMS[self.kind])
        return " ".join(words) + GAP[self.kind]

    def make_phone(self) -> str:
        """Return a new marker in the form of a telephone number."""
        self.count += 1
        return f"+{PHONE}{self.count:05}"

    def replace_texts(self, path: str, body: Any, free: frozenset[str]) -> Any:
        """Return the body of a request with a marker in each free-text field.

        Except for contacts, bodies that are sent to `PUBLIC_PATHS` are not changed.
        """
        if path.startswith(PUBLIC_PATHS) and not path.endswith(CONTACTS):
            return body
        return self.replace(body, DRAFT_TEXTS if DRAFTS in path else free)

    def replace(self, value: Any, free: frozenset[str], name: str = "") -> Any:
        """Return a value in which texts, telephone numbers and birth dates are replaced."""
        if isinstance(value, Mapping):
            codes = {field for field, other in BESIDE.items() if other not in value}
            known = free - codes
            return {key: self.replace(one, known, key) for key, one in value.items()}
        if isinstance(value, list):
            return [self.replace(one, free, name) for one in value]
        if name == PHONE_FIELD:
            return self.make_phone()
        if name == "birth_date":
            return BORN[self.kind]
        is_text = name in free and isinstance(value, str)
        return self.make_text() if is_text else value


def find_numbers(text: str) -> frozenset[int]:
    """Return the numbers of the markers in a text, even if the markers are escaped."""
    plain = unescape(unquote_plus(text))
    found = MARKER.finditer(plain)
    return frozenset(int(next(filter(None, one.groups()))) for one in found)


def replace_markers(text: str, readable: frozenset[int]) -> str:
    """Return a text in which each readable marker is replaced by its number."""

    def replace(found: re.Match[str]) -> str:
        number = int(next(filter(None, found.groups())))
        return f"<{number}>" if number in readable else found[0]

    return WHOLE.sub(replace, text)


class MarkedPerson(Someone):
    """A person whose free text is replaced by markers."""

    world: "MarkedWorld"

    @override
    def ask(self, method: str, path: str, body: Any = None, **rest: Any) -> Response:
        world = self.world
        marked = world.markers.replace_texts(path, body, world.free)
        return super().ask(method, path, marked, **rest)


class MarkedWorld(World):
    """A world whose people send markers instead of free text."""

    def __init__(
        self,
        url: str,
        app: FastAPI,
        here: ThreadLoops,
        ids: Callable[[], UUID],
        markers: Markers,
    ) -> None:
        super().__init__(url, app, here, ids)
        self.markers = markers
        self.free = frozenset(list_free_fields(app.openapi()))

    @override
    def add_person(
        self,
        focal_point: str,
        roles: Iterable[Role] = WORKERS,
        scopes: Iterable[Scope] = EVERYTHING,
        kind: AccountKind = AccountKind.PERSON,
    ) -> MarkedPerson:
        one = super().add_person(focal_point, roles, scopes, kind)
        return MarkedPerson(self, one.code, one.actor, one.key)
