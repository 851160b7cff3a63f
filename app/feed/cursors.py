"""Feed cursors: encrypted positions in the feed of one office.

Receivers of webhooks get cursors, too. A plain number would reveal how many events an
office has received (A8).
"""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.kernel import paging
from app.kernel.problems import Problem
from app.kernel.vault import Vault

POSITION_BYTES: Final = 8
"""The fixed length of an encoded position, so that all cursors have the same length."""
CLEAR_CURSOR: Final = re.compile(r"[0-9a-f]{8}\.[0-9]{1,18}")
"""The pattern of earlier cursors, an epoch and a position, which remain valid."""
CURSOR_PATTERN: Final = r"^[A-Za-z0-9._-]{1,120}$"
TAG_DIGITS: Final = 32


class CursorGone(Problem):
    """The cursor was issued before this database was restored from a backup."""

    status = 410


@dataclass(frozen=True)
class Feed:
    """The feed of one office; `epoch` identifies the database that contains it."""

    vault: Vault
    reader: UUID
    epoch: str

    def format_cursor(self, position: int) -> str:
        """Return the cursor of a position; the same position has the same cursor.

        The cursor changes when a key is activated, but earlier cursors remain valid.
        """
        plain = position.to_bytes(POSITION_BYTES) + self.epoch.encode()
        return paging.encrypt_cursor(self.vault, plain, self.context)

    def read_cursor(self, text: str, head: int) -> int:
        """Return the position of a cursor; `head` is the newest position of the feed.

        Raises CursorUnknown (422) if `text` is not a cursor of this feed, and CursorGone
        (410) if it was issued before a backup was restored.
        """
        epoch, position = self.parse_clear(text) or self.decrypt(text)
        if epoch != self.epoch or position > head:
            raise CursorGone(
                "The database was restored from a backup. Read the feed again without "
                "`after`, and compare each subject with what you have."
            )
        return position

    def format_tag(self, start: int, head: int) -> str:
        """Return the entity tag of a page, from its start and the end of the feed."""
        parts = ("feed", str(self.reader), self.epoch, str(start), str(head))
        digest = self.vault.compute_fingerprint(*(part.encode() for part in parts))
        return f'"{digest[:TAG_DIGITS]}"'

    @property
    def context(self) -> list[str]:
        """The authenticated data that makes a cursor valid in this feed only."""
        return ["feed", str(self.reader)]

    @staticmethod
    def parse_clear(text: str) -> tuple[str, int] | None:
        """Return the epoch and position of an unencrypted cursor; None for other text."""
        if not CLEAR_CURSOR.fullmatch(text):
            return None
        epoch, _, number = text.partition(".")
        return epoch, int(number)

    def decrypt(self, text: str) -> tuple[str, int]:
        """Return the epoch and position of an encrypted cursor, or raise CursorUnknown."""
        plain = paging.decrypt_cursor(self.vault, text, self.context)
        position, epoch = plain[:POSITION_BYTES], plain[POSITION_BYTES:]
        try:
            return epoch.decode(), int.from_bytes(position)
        except UnicodeDecodeError as error:
            raise paging.CursorUnknown(paging.NOT_OF_THIS_LIST) from error
