"""The main menu, which shows only the entries that the account can use."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from app.console.translations import mark


@dataclass(frozen=True)
class Entry:
    """A menu entry. The account needs `scope` and, if there are any, one of `roles`."""

    href: str
    text: str
    scope: str
    roles: frozenset[str] = frozenset()


ENTRIES: Final = (
    Entry("/console/", mark("To do"), "feed:read"),
    Entry("/console/cases", mark("Cases"), "cases:read"),
    Entry("/console/refer", mark("Refer someone"), "cases:write", frozenset({"officer"})),
    Entry("/console/approvals", mark("Approvals"), "approvals:write"),
    Entry(
        "/console/figures",
        mark("Figures"),
        "feed:read",
        frozenset({"coordinator", "supervisor", "protection_officer"}),
    ),
    Entry(
        "/console/figures/releases",
        mark("Released figures"),
        "statistics:read",
        frozenset({"analyst"}),
    ),
    Entry("/console/directory", mark("Directory"), "directory:read"),
    Entry(
        "/console/accounts",
        mark("Accounts"),
        "accounts:read",
        frozenset({"supervisor", "administrator"}),
    ),
)


@dataclass(frozen=True)
class MenuItem:
    """An item of the menu, and whether the page that is shown belongs to it."""

    href: str
    text: str
    is_current: bool


def list_menu_items(
    path: str, scopes: AbstractSet[str], roles: AbstractSet[str]
) -> Sequence[MenuItem]:
    """Return the menu items that an account can use.

    The item for `path` is current. If it is below several items, the longest path counts.
    """
    usable = [
        entry
        for entry in ENTRIES
        if entry.scope in scopes and (not entry.roles or entry.roles & roles)
    ]
    above = [entry.href for entry in usable if is_below(path, entry.href)]
    current = max(above, key=len, default=None)
    return [
        MenuItem(entry.href, entry.text, is_current=entry.href == current)
        for entry in usable
    ]


def is_below(path: str, href: str) -> bool:
    """Return whether a path is the page of an entry, or a page below it.

    The first entry matches only its own page, because all pages are below it.
    """
    return path == href or (href != ENTRIES[0].href and path.startswith(f"{href}/"))
