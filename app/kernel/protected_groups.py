"""The protected rows of a session, and their verification at the end of a transaction."""

from typing import Final, Protocol

from sqlalchemy.orm import Session

CASE_GROUPS: Final = "case_groups"
"""The key of the `ProtectedGroups` in `Session.info`."""


class ProtectedGroups(Protocol):
    """The protected rows that a session has loaded or changed (ADR 81)."""

    def verify(self, session: Session) -> None:
        """Verify the rows that were loaded. Raises NotAuthentic."""

    def finish(self, session: Session) -> None:
        """Verify the rows, and write the MACs of changed rows. Raises NotAuthentic."""


def verify_loaded(session: Session) -> None:
    """Verify the protected rows that a session has loaded. Raises NotAuthentic."""
    groups: ProtectedGroups | None = session.info.get(CASE_GROUPS)
    if groups is not None:
        groups.verify(session)


def finish_transaction(session: Session) -> None:
    """Write all changes of a session, with the MACs of protected rows.

    Raises NotAuthentic if something other than the service changed a protected row.
    """
    session.flush()
    groups: ProtectedGroups | None = session.info.get(CASE_GROUPS)
    if groups is not None:
        groups.finish(session)
