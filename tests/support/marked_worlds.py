"""Worlds in which every free text that a person sends is replaced by a numbered marker.

A test searches answers for the markers. In two worlds with markers of other letters and
lengths, and with the same ids and times, an answer differs only if it depends on a text.
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
"""The stems of the markers of two worlds: with diacritics, Spanish, Cyrillic, Arabic."""
GAP: Final = ("", "·" * 7)
"""What makes the markers of the second world longer."""
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
"""Paths of requests that name offices and accounts, whose names are known."""
CONTACTS: Final = "-contacts"
PHONE_FIELD: Final = "phone"
BORN: Final = ("1907-11-29", "1911-02-03")
BESIDE: Final = {"name": PHONE_FIELD, "safe_contact": "route"}
"""Fields that hold a text beside another field, and a code elsewhere."""
DRAFTS: Final = "/form-drafts/"
DRAFT_TEXTS: Final = frozenset({"value"})


@dataclass
class Markers:
    """The generator of the markers of one world; `kind` chooses the letters."""

    kind: int = 0
    count: int = 0

    def make_text(self) -> str:
        """Return a text in four scripts that no other record has, as a marker."""
        self.count += 1
        words = (f"{stem}{self.count:05}" for stem in STEMS[self.kind])
        return " ".join(words) + GAP[self.kind]

    def make_phone(self) -> str:
        """Return a telephone number that no other record has, as a marker."""
        self.count += 1
        return f"+{PHONE}{self.count:05}"

    def replace_texts(self, path: str, body: Any, free: frozenset[str]) -> Any:
        """Return the body of a request with a marker in place of each free text."""
        if path.startswith(PUBLIC_PATHS) and not path.endswith(CONTACTS):
            return body
        return self.replace(body, DRAFT_TEXTS if DRAFTS in path else free)

    def replace(self, value: Any, free: frozenset[str], name: str = "") -> Any:
        """Return a value of a field with a marker in place of each free text."""
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
    """Return the numbers of the markers in a text, also if they are escaped."""
    plain = unescape(unquote_plus(text))
    found = MARKER.finditer(plain)
    return frozenset(int(next(filter(None, one.groups()))) for one in found)


def replace_markers(text: str, readable: frozenset[int]) -> str:
    """Return a text in which the markers with the given numbers are replaced by these."""

    def replace(found: re.Match[str]) -> str:
        number = int(next(filter(None, found.groups())))
        return f"<{number}>" if number in readable else found[0]

    return WHOLE.sub(replace, text)


class MarkedPerson(Someone):
    """A person whose free texts are replaced by markers."""

    world: "MarkedWorld"

    @override
    def ask(self, method: str, path: str, body: Any = None, **rest: Any) -> Response:
        world = self.world
        marked = world.markers.replace_texts(path, body, world.free)
        return super().ask(method, path, marked, **rest)


class MarkedWorld(World):
    """A world whose people send markers."""

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
