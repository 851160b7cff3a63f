"""What the coalition observes: answers, in which random ids are numbered."""

import re
from dataclasses import dataclass, replace
from operator import eq
from typing import Final

from tests.support.moved_cases import ID
from tests.support.raw_requests import Answer

CURSORS: Final = re.compile(r'(?<="next":")[\w-]+(?=")')
"""The encrypted cursors of lists. They contain numbers that other people's records move."""
RANDOM_HEADERS: Final = frozenset({"x-request-id", "etag"})


@dataclass(frozen=True)
class Observation:
    """A request of the coalition and its answer, in which random ids are numbered."""

    at: str
    request: str
    status: int
    tag: str
    """The entity tag, which may depend on ids."""
    headers: tuple[tuple[str, str], ...]
    raw: str
    body: str

    def is_like(self, other: "Observation") -> bool:
        """Return whether two observations are equal, apart from random ids."""
        if self.raw == other.raw:
            return self == other
        same = self.hide_ids() == other.hide_ids()
        return same and are_opaque(self.raw, other.raw)

    def hide_ids(self) -> "Observation":
        """Return the observation without what depends on random ids."""
        return replace(self, raw="", tag=self.tag.partition(".")[0])


def are_opaque(one: str, other: str) -> bool:
    """Return whether cursors of two answers are equal, or have next to nothing in common.

    Two encrypted cursors differ in nearly every character. If they have half of their
    characters in common, they show how much their numbers differ.
    """
    return all(
        first == second or 2 * sum(map(eq, first, second)) < len(first)
        for first, second in zip(CURSORS.findall(one), CURSORS.findall(other), strict=True)
    )


def build_observation(
    at: str, request: str, answer: Answer, names: dict[str, str]
) -> Observation:
    """Build an observation. `names` numbers the ids by the order in which they appear."""

    def name_id(found: re.Match[str]) -> str:
        return names.setdefault(found[0], f"#{len(names)}")

    raw = answer.content.decode()
    pairs = ((n.decode().lower(), v.decode()) for n, v in answer.headers)
    shown = sorted((n, v) for n, v in pairs if n not in RANDOM_HEADERS)
    return Observation(
        at=at,
        request=request,
        status=answer.status,
        tag=answer["etag"] or "",
        headers=tuple((n, ID.sub(name_id, v)) for n, v in shown),
        raw=raw,
        body=CURSORS.sub(name_id, ID.sub(name_id, raw)),
    )
