"""Versions: nobody changes a record on the strength of an old reading.

The entity tag is `"<version>.<digest>"`. What a party may do changes with time and differs
by party, so a whole representation has a digest (If-None-Match), while a change is judged
by the version alone (If-Match; RFC 9110, 8.8.3 and 13.1).
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from app.kernel.problems import NotFound, Problem

TAG: Final = re.compile(r'"([0-9]+)\.[0-9a-f]{16}"')


class VersionNotGiven(Problem):
    """The request does not say which version of the record it is based on."""

    status = 428


class VersionStale(Problem):
    """The record has changed since you last read it."""

    status = 412


def entity_tag(version: int, representation: bytes) -> str:
    """Spell a version and what was shown of it as a strong entity tag."""
    return f'"{version}.{hashlib.sha256(representation).hexdigest()[:16]}"'


@dataclass(frozen=True)
class Seen:
    """The versions a caller has seen, as `If-Match` names them.

    A value, not a check: a stranger must hear "not found" before "stale", so it is
    judged inside the unit of work, once the record is known to be visible.
    """

    if_match: str | None

    def said(self) -> str:
        """Say what was seen; raise VersionNotGiven (428) if nothing was said of it."""
        if self.if_match is None or self.if_match.strip() == "*":
            raise VersionNotGiven("Send the ETag you last read as If-Match.")
        return self.if_match

    def must_include(self, version: int) -> None:
        """Raise VersionNotGiven (428) or VersionStale (412) if this one was not seen."""
        tags = (TAG.fullmatch(tag.strip()) for tag in self.said().split(","))
        seen = {tag[1] for tag in tags if tag}
        if str(version) not in seen:
            raise VersionStale("Read the record again before you decide.")


@dataclass(frozen=True)
class Expected:
    """What a caller expects a PUT to replace: what it last read, or nothing at all.

    For records without a version of their own, which are judged by the whole tag.
    """

    if_match: str | None
    if_none_match: str | None

    def must_be(self, tag: str | None) -> None:
        """Raise unless this is what is there; None: nothing is.

        VersionNotGiven (428), VersionStale (412), or NotFound (404) where what was to be
        replaced is not there.
        """
        creates = (self.if_none_match or "").strip() == "*"
        if self.if_match is None and not creates:
            raise VersionNotGiven("Send If-Match, or `If-None-Match: *` to create it.")
        if self.if_match is not None and tag is None:
            raise NotFound("There is nothing to replace; to create it: `If-None-Match: *`.")
        if creates and tag is not None:
            raise VersionStale("It is there already: read it before you replace it.")
        if tag is not None and tag not in tags_in(self.if_match or ""):
            raise VersionStale("Read the record again before you decide.")


def tags_in(header: str) -> set[str]:
    """List the strong entity tags that a header names."""
    return {tag.strip() for tag in header.split(",")}
