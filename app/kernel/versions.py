"""Entity tags and preconditions, so that nobody overwrites a change they have not seen.

An entity tag is `"<version>.<digest>"`. `If-Match` compares only the version. The digest of
the representation is for `If-None-Match`, because the available actions depend on the time
and the party (RFC 9110, 8.8.3 and 13.1).
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


def format_entity_tag(version: int, representation: bytes) -> str:
    """Return a strong entity tag for a version and its representation."""
    return f'"{version}.{hashlib.sha256(representation).hexdigest()[:16]}"'


def format_version(version: int) -> str:
    """Return an entity tag for `SeenVersions`, which compares only the tag's version."""
    return format_entity_tag(version, b"")


@dataclass(frozen=True)
class SeenVersions:
    """The versions that a caller has read, as listed in `If-Match`.

    They are compared in the transaction, after the access to the record was checked, so
    that an office without access always gets "not found" and never "stale".
    """

    if_match: str | None

    def require_if_match(self) -> str:
        """Return `If-Match`. Raises VersionNotGiven (428) if it is missing or `*`."""
        if self.if_match is None or self.if_match.strip() == "*":
            raise VersionNotGiven("Send the ETag that you last read as `If-Match`.")
        return self.if_match

    def require_version(self, version: int) -> None:
        """Raise VersionStale (412) unless `If-Match` lists this version.

        Raises VersionNotGiven (428) if `If-Match` is missing or `*`.
        """
        tags = (TAG.fullmatch(tag.strip()) for tag in self.require_if_match().split(","))
        seen = {tag[1] for tag in tags if tag}
        if str(version) not in seen:
            raise VersionStale("Read the record again before you decide.")


@dataclass(frozen=True)
class ExpectedTag:
    """The condition of a PUT: the entity tag of the record, or that no record exists yet.

    The class is used for records without a version; their tags are compared as a whole.
    """

    if_match: str | None
    if_none_match: str | None

    def require_tag(self, tag: str | None) -> None:
        """Raise a problem unless `tag` is as expected; None means that there is no record.

        Raises VersionNotGiven (428) if the request has no condition, VersionStale (412) if
        the record is not the expected record, and NotFound (404) if there is no record to
        replace.
        """
        creates = (self.if_none_match or "").strip() == "*"
        if self.if_match is None and not creates:
            raise VersionNotGiven("Send `If-Match`; to create, send `If-None-Match: *`.")
        if self.if_match is not None and tag is None:
            raise NotFound("There is no record; to create it, send `If-None-Match: *`.")
        if creates and tag is not None:
            raise VersionStale("The record exists already. Read it before you replace it.")
        if tag is not None and tag not in parse_tags(self.if_match or ""):
            raise VersionStale("Read the record again before you decide.")

    def select_matching(self, tag: str | None) -> "ExpectedTag":
        """Return this condition with the tag of the record as the only expected tag."""
        return ExpectedTag(tag if self.if_match else None, self.if_none_match)


def parse_tags(header: str) -> set[str]:
    """Return the entity tags in an `If-Match` header."""
    return {tag.strip() for tag in header.split(",")}
