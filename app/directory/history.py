"""The append-only history of the directory: all changes with their authors."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session

from app.directory.addresses import truncate_address
from app.kernel.db import Base, Listed

type Values = Mapping[str, Any]

UNRECORDED: Final = frozenset(
    {"id", "capacity", "capacity_as_of", "deactivated_by_account", "mac"}
)
"""Columns that are left out of the history."""
RENAMED: Final[Mapping[str, str]] = {"clock": "deadline", "iso2": "code"}
"""The current name of each column that has another name in old entries of the history."""
TRUNCATED: Final = "address"
"""The column that is stored in a shortened form, because the history cannot be erased."""


class DirectoryChange(Listed, Base):
    """A change to one row of the directory, with the values before and after it.

    `before` is null for a new row. `account_id` is null if an operator made the change at
    the command line.
    """

    __tablename__ = "directory_change"

    at: Mapped[datetime]
    subject: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any]]
    account_id: Mapped[UUID | None]
    approved_by: Mapped[UUID | None]


@dataclass(frozen=True)
class ChangeAuthor:
    """The author of a change, with the database session and the time of the change."""

    session: Session
    new_id: Callable[[], UUID]
    now: datetime
    account_id: UUID | None = None
    approved_by: UUID | None = None


def build_change(
    author: ChangeAuthor, subject: str, before: Values | None, after: Values
) -> DirectoryChange:
    """Build the history entry of a change."""
    return DirectoryChange(
        id=author.new_id(),
        at=author.now,
        subject=subject,
        before=None if before is None else to_stored_values(before),
        after=to_stored_values(after, before or {}),
        account_id=author.account_id,
        approved_by=author.approved_by,
    )


def find_deactivated_by_accounts(
    session: Session, subjects: Collection[str]
) -> frozenset[str]:
    """Return the subjects whose last deactivation was by an account, and not by a file."""
    named = DirectoryChange.subject.in_(subjects)
    by_people: dict[str, bool] = {}
    changes = select(DirectoryChange).where(named).order_by(DirectoryChange.number)
    for one in session.scalars(changes):
        if (one.before or {}).get("active") and not one.after["active"]:
            by_people[one.subject] = one.account_id is not None
    return frozenset(subject for subject, by_account in by_people.items() if by_account)


def was_ever_active(session: Session, subjects: Collection[str], kind: str) -> bool:
    """Return whether one of the given offices was ever an active office of this kind."""
    named = DirectoryChange.subject.in_(subjects)
    found = session.scalars(select(DirectoryChange).where(named))
    return any(one.after["active"] and one.after["kind"] == kind for one in found)


def to_json_values(values: Values) -> dict[str, Any]:
    """Convert column values to JSON values, without the columns in `UNRECORDED`."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
        if name not in UNRECORDED
    }


def rename_columns(values: Values) -> dict[str, Any]:
    """Return the values of a history entry, by the current names of the columns."""
    return {RENAMED.get(name, name): value for name, value in values.items()}


def to_stored_values(values: Values, before: Values | None = None) -> dict[str, Any]:
    """Convert values of columns to their form in the history, which shortens addresses.

    A changed address is marked as `another`, because two shortened forms may be equal.
    """
    stored = to_json_values(values)
    if address := stored.get(TRUNCATED):
        old = (before or {}).get(TRUNCATED, address)
        mark = "" if old == address else "another: "
        stored[TRUNCATED] = f"{mark}{truncate_address(address)}"
    return stored
