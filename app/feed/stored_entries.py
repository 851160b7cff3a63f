"""Functions that parse values of stored entries, with caches because many are equal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from app.directory.kinds import OfficeKind
from app.kernel.stored_names import rename_stored_facts

MAX_TEXTS: Final = 4096
"""The maximum number of different values that each cache contains."""
HEX_DIGITS: Final = 32


@dataclass(frozen=True)
class DescribedOffice:
    """The attributes of an office that decide whether it is outside a State."""

    kind: OfficeKind
    of_state: str | None
    serves: list[str]


@lru_cache(MAX_TEXTS)
def describe_office(kind: OfficeKind, of_state: str | None, serves: str) -> DescribedOffice:
    """Return the attributes of an office; `serves` is a JSON list of countries."""
    return DescribedOffice(kind, of_state, json.loads(serves))


@lru_cache(MAX_TEXTS)
def parse_facts(stored: str) -> Mapping[str, Any]:
    """Return the facts of an entry from their stored text. Callers must not change them."""
    return rename_stored_facts(json.loads(stored))


def format_id(stored: str) -> str:
    """Return an id with hyphens. SQLite stores ids without hyphens."""
    if len(stored) != HEX_DIGITS:
        return stored
    parts = (stored[:8], stored[8:12], stored[12:16], stored[16:20], stored[20:])
    return "-".join(parts)
