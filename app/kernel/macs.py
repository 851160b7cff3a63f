"""Message authentication codes (MACs) that reveal forged rows (ADR 80).

A group is an owner, such as an account, and the rows that belong to it, such as its keys.
The owner's row stores a digest of each row of the group and one MAC of the owner and all
digests. A row that was inserted, altered, moved or restored outside the service does not
match its digest. If all rows of a group are restored, including the owner's, they match.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from struct import Struct
from typing import Any, Final, NoReturn
from uuid import UUID

import structlog

from app.kernel.mac_values import Values, count_hours, encode, read_hours
from app.kernel.vault import DerivedSecrets

log = structlog.get_logger("safe_conduct.macs")
FORGED_ROW: Final = "row.forged"
"""The log event for a row that does not match its MAC, or that is missing."""
FORMAT: Final = b"\x01"
"""The first byte of a stored group, which must change if the list of fields changes."""
MAC_BYTES: Final = 32
REVISION: Final = Struct(">Q")
DIGEST_BYTES: Final = 16
MACS: Final = "row_macs"
"""The key of the `RowMacs` in `Session.info`."""
ENTRY: Final = Struct(f">8s{DIGEST_BYTES}sI")
"""A stored entry: the tag and the digest of a row, and the time until which the entry is
kept, in hours since the Unix epoch; 0 means that there is no such time."""
KEPT_AFTER_END: Final = timedelta(days=1)
"""How long the digest of a row is kept after the row has ended."""

MAX_VERIFIED: Final = 10_000
"""The maximum size of the cache of verified credentials."""
MAX_DIGESTS: Final = 5_000
"""The maximum size of the cache of record digests, and of the cache of row MACs."""
MAX_GROUPS: Final = 500
"""The maximum number of case groups in the cache, each with a size of some kilobytes."""


class NotAuthentic(Exception):  # noqa: N818 - it names what happened, as Problem does
    """A row was inserted, changed or deleted by something other than the service."""


@dataclass(frozen=True)
class Entry:
    """The digest of a row, and the time until which it is kept; None means no limit."""

    digest: bytes
    until: datetime | None


@dataclass(frozen=True)
class Group:
    """The entries of a group, each keyed by the tag of its row.

    `revision` is the number of changes to the group.
    """

    entries: Mapping[bytes, Entry]
    revision: int = 0

    def remove_outdated(self, now: datetime) -> "Group":
        """Return the group without the entries whose time `until` has passed."""
        kept = {
            tag: one
            for tag, one in self.entries.items()
            if one.until is None or now < one.until
        }
        return replace(self, entries=kept)


EMPTY: Final = Group({})


class Known[K, V](dict[K, V]):
    """A cache of at most `limit` verified values in the memory of a process."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def store(self, key: K, value: V) -> None:
        """Store a value; if the cache is full, remove all other values first."""
        if len(self) >= self.limit:
            self.clear()
        self[key] = value


class RowMacs:
    """Computes and verifies the MACs of groups and rows.

    `derive` returns the secrets, one from each key of the key provider (ADR 84). A MAC is
    made with the secret of the current key, and is valid unless the key that made it is
    retired. The digests in a group, which the MAC of the group covers, are always made with
    the first secret. `accepts_missing` returns whether rows of an earlier version, which
    have no MAC, are accepted now.
    """

    def __init__(
        self,
        derive: Callable[[], DerivedSecrets],
        clock: Callable[[], datetime],
        accepts_missing: Callable[[], bool] = lambda: False,
    ) -> None:
        self._derive, self.clock = derive, clock
        self.secrets = derive()
        """The secrets with which MACs are made and verified now."""
        self.accepts_missing = accepts_missing
        self.known_digests: Known[Any, tuple[Any, bytes]]
        """The values and digests of records of cases, keyed by model and tag."""
        self.known_rows: Known[Any, tuple[Any, ...]]
        """The values of rows that each have a MAC, keyed by model and MAC."""
        self.known_groups: Known[UUID, Any]
        """The groups of cases, with the values and the MAC that were read or written."""
        self.verified: Known[str, tuple[Any, ...]]
        """The rows of credentials that were verified, by the prefix of the credential."""
        self._reset_caches()
        self.is_disabled = False
        """Whether MACs of cases and rows are neither verified nor written, because the keys
        are missing."""

    def load_secrets(self) -> bool:
        """Use the keys that the key provider has now; return whether they have changed.

        This is called at the start of each transaction. If the keys have changed, rows that
        were verified before are verified again.
        """
        found = self._derive()
        if found is self.secrets:
            return False
        self.secrets = found
        self._reset_caches()
        return True

    def _reset_caches(self) -> None:
        """Replace the caches with empty ones. A running verification keeps its caches."""
        self.known_digests = Known[Any, tuple[Any, bytes]](MAX_DIGESTS)
        self.known_rows = Known[Any, tuple[Any, ...]](MAX_DIGESTS)
        self.known_groups = Known[UUID, Any](MAX_GROUPS)
        self.verified = Known[str, tuple[Any, ...]](MAX_VERIFIED)

    def compute_digest(self, table: str, values: Values) -> bytes:
        """Return the digest that a group stores for a row of a table with these values."""
        message = encode([table, *values])
        return compute_hmac(self.secrets.first, message)[:DIGEST_BYTES]

    def compute_row_mac(self, table: str, values: Values) -> bytes:
        """Return the MAC of a row that has a MAC of its own."""
        message = encode([table, *values])
        return compute_hmac(self.secrets.current, message)[:DIGEST_BYTES]

    def is_row_mac(self, mac: bytes, table: str, values: Values) -> bool:
        """Return whether a key that is not retired made this MAC of a row."""
        return self._is_mac(mac, encode([table, *values]), DIGEST_BYTES)

    def compute_hash(self, table: str, values: Values) -> str:
        """Return the keyed hash of a row whose values never change."""
        return compute_hmac(self.secrets.current, encode([table, *values])).hex()

    def is_hash(self, stored: str, table: str, values: Values) -> bool:
        """Return whether a key that is not retired made this keyed hash of a row."""
        message = encode([table, *values])
        return any(
            hmac.compare_digest(compute_hmac(secret, message).hex(), stored)
            for secret in self.secrets.accepted.values()
        )

    def format_group(self, table: str, owner: Values, group: Group) -> bytes:
        """Return the bytes that the row of the owner stores for a group."""
        entries = b"".join(
            ENTRY.pack(tag, one.digest, count_hours(one.until))
            for tag, one in sorted(group.entries.items())
        )
        body = REVISION.pack(group.revision) + entries
        message = build_message(table, owner, body)
        return FORMAT + compute_hmac(self.secrets.current, message) + body

    def parse_group(self, table: str, owner: Values, stored: bytes) -> Group:
        """Return the group in an owner's row. Raises NotAuthentic if its MAC is invalid."""
        mac, body = split_group(stored)
        message = build_message(table, owner, body)
        if stored[:1] != FORMAT or not self._is_mac(mac, message, MAC_BYTES):
            raise_alarm(table, owner)
        entries = {
            tag: Entry(digest, read_hours(until))
            for tag, digest, until in ENTRY.iter_unpack(body[REVISION.size :])
        }
        return Group(entries, REVISION.unpack(body[: REVISION.size])[0])

    def has_entry(self, group: Group, table: str, values: Values) -> bool:
        """Return whether a group has an entry for a row, and the row matches its digest."""
        entry = group.entries.get(compute_tag(table, values[0]))
        due = self.compute_digest(table, values)
        return entry is not None and hmac.compare_digest(entry.digest, due)

    def find_group_version(self, table: str, owner: Values, stored: bytes) -> str | None:
        """Return the version of the key that made a group's MAC, or None if no key did."""
        if stored[:1] != FORMAT:
            return None
        mac, body = split_group(stored)
        return self._find_version(mac, build_message(table, owner, body), MAC_BYTES)

    def find_row_version(self, table: str, values: Values, mac: bytes) -> str | None:
        """Return the version of the key that made a row's MAC, or None if no key did."""
        return self._find_version(mac, encode([table, *values]), DIGEST_BYTES)

    def _is_mac(self, mac: bytes, message: bytes, size: int) -> bool:
        """Return whether one of the accepted secrets gives this MAC for the message.

        If none does, the secrets are loaded again, because another process may have used
        a key that was added since the transaction began.
        """
        before = self.secrets
        if has_mac(before.accepted.values(), mac, message, size):
            return True
        self.load_secrets()
        now = self.secrets
        return now is not before and has_mac(now.accepted.values(), mac, message, size)

    def _find_version(self, mac: bytes, message: bytes, size: int) -> str | None:
        """Return the version of the key that made a MAC, or None if no key did.

        The key may be retired.
        """
        for version, secret in self.secrets.known.items():
            if has_mac([secret], mac, message, size):
                return version
        return None


def split_group(stored: bytes) -> tuple[bytes, bytes]:
    """Split a stored group into its MAC, and its revision and entries."""
    return stored[1 : 1 + MAC_BYTES], stored[1 + MAC_BYTES :]


def has_entry_of_table(stored: bytes, code: bytes) -> bool:
    """Return whether a stored group, which is not verified, has an entry of a table.

    `code` is the table tag (`compute_table_tag`).
    """
    entries = split_group(stored)[1][REVISION.size :]
    return any(entries[at : at + 1] == code for at in range(0, len(entries), ENTRY.size))


def build_message(table: str, owner: Values, body: bytes) -> bytes:
    """Return the bytes that the MAC of a group covers."""
    return FORMAT + encode([table, *owner]) + b"\0" + body


def has_mac(secrets: Iterable[bytes], mac: bytes, message: bytes, size: int) -> bool:
    """Return whether one of the secrets gives this MAC of `size` bytes."""
    return any(
        hmac.compare_digest(compute_hmac(secret, message)[:size], mac) for secret in secrets
    )


def compute_hmac(secret: bytes, message: bytes) -> bytes:
    """Return an HMAC with SHA-256."""
    return hmac.digest(secret, message, hashlib.sha256)


def log_alarm(table: str, values: Values) -> None:
    """Log the row that is not authentic or missing, or the owner of a missing row."""
    log.error(FORGED_ROW, table=table, row=str(values[0]))


def raise_alarm(table: str, values: Values) -> NoReturn:
    """Log which row is not authentic, and raise NotAuthentic."""
    log_alarm(table, values)
    raise NotAuthentic(
        f"The row {values[0]} of the table {table} was changed in the database, and not by "
        'this service. See "Rows that were changed in the database" in docs/operations.md.'
    )


def compute_tag(table: str, key: object) -> bytes:
    """Return the tag by which the entry of a row is found. It begins with the table tag."""
    row = hashlib.blake2b(encode([table, key]), digest_size=7).digest()
    return compute_table_tag(table) + row


@cache
def compute_table_tag(table: str) -> bytes:
    """Return the first byte of the tags of all rows of a table."""
    return hashlib.blake2b(table.encode(), digest_size=1).digest()
