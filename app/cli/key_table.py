"""The format of the file with the API keys that a command made for several accounts."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

HEAD: Final = ("focal_point", "label", "roles", "key", "expires_at")


class KeyLine(NamedTuple):
    """An API key, its account, and the time at which the key expires."""

    focal_point: str
    label: str
    roles: Iterable[str]
    key: str
    expires_at: datetime


def format_key_table(lines: Iterable[KeyLine]) -> str:
    """Return the text of a CSV file with a line for each API key."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEAD)
    for line in lines:
        roles = " ".join(sorted(line.roles))
        until = line.expires_at.isoformat(timespec="seconds")
        table.writerow((line.focal_point, line.label, roles, line.key, until))
    return text.getvalue()
