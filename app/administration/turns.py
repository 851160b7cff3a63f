"""One row of the directory, as it was and as it would be."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.directory.changes import plain

type Values = Mapping[str, Any]


@dataclass(frozen=True)
class Turn:
    """A row before and after; nothing was there before a new one."""

    before: Values | None
    after: Values

    @property
    def changed(self) -> frozenset[str]:
        """Name the columns that say something else; of a new row, all of them."""
        old = self.before
        return frozenset(
            name for name, new in self.after.items() if old is None or old[name] != new
        )

    def spelled(self) -> str:
        """Spell it for a fingerprint: from this very row to that one."""
        before = None if self.before is None else plain(self.before)
        return json.dumps([before, plain(self.after)], sort_keys=True)

    def told(self) -> dict[str, str]:
        """Tell a second person what would be: of what begins to be active, everything.

        It may have been written by one person while nothing could be sent to it.
        """
        old, new = plain(self.before or {}), plain(self.after)
        begins = new.get("active") is True and old.get("active") is not True
        names = sorted(new if begins else self.changed)
        return {name: describe_column(old, new, name) for name in names}


def describe_column(old: Values, new: Values, name: str) -> str:
    """Spell a column as it would be and, if it changes, as it was."""
    now = json.dumps(new[name], ensure_ascii=False)
    if name not in old or old[name] == new[name]:
        return now
    return f"{json.dumps(old[name], ensure_ascii=False)} -> {now}"
