"""A change to one row of the directory, with the row before and after the change."""

import json
from dataclasses import dataclass

from app.directory.history import Values, to_json_values


@dataclass(frozen=True)
class RowChange:
    """A row before and after a change. For a new row, `before` is None."""

    before: Values | None
    after: Values

    @property
    def changed(self) -> frozenset[str]:
        """The names of the columns that change. For a new row, these are all columns."""
        old = self.before
        return frozenset(
            name for name, new in self.after.items() if old is None or old[name] != new
        )

    def to_json(self) -> str:
        """Return both versions of the row as JSON, for the fingerprint of an approval."""
        before = None if self.before is None else to_json_values(self.before)
        return json.dumps([before, to_json_values(self.after)], sort_keys=True)

    def select_shown(self) -> tuple[Values | None, Values]:
        """Return the values that the second person reads, before and after the change.

        For a new row, the first result is None. Only the columns that change are returned.
        If the row becomes active, all columns are returned, because one person alone may
        have written them while the row was inactive.
        """
        old, new = to_json_values(self.before or {}), to_json_values(self.after)
        begins = new.get("active") is True and old.get("active") is not True
        names = sorted(new if begins else self.changed)
        before = None if self.before is None else {name: old.get(name) for name in names}
        return before, {name: new[name] for name in names}

    def describe(self) -> dict[str, str]:
        """Return a text for each column that the second person reads, by column name."""
        before, after = self.select_shown()
        return {name: describe_column(before or {}, after, name) for name in after}


def describe_column(old: Values, new: Values, name: str) -> str:
    """Return the JSON of a column, as `old -> new` if the column has another old value."""
    now = json.dumps(new[name], ensure_ascii=False)
    if name not in old or old[name] == new[name]:
        return now
    return f"{json.dumps(old[name], ensure_ascii=False)} -> {now}"
