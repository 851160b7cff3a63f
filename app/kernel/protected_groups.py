"""The protected rows that a session has loaded or changed, and the end of a transaction."""

from typing import Final, Protocol

from sqlalchemy.orm import Session

CASE_GROUPS: Final = "case_groups"
"""The key of the `ProtectedGroups` in `Session.info`."""


class ProtectedGroups(Protocol):
    """The protected rows that a session has loaded or changed (ADR 81)."""

    def verify(self, session: Session) -> None:
        """Verify the rows that were loaded. Raises NotAuthentic."""

    def finish(self, session: Session) -> None:
        """Verify, and write the MACs of the rows that were changed. Raises NotAuthentic."""


def verify_loaded(session: Session) -> None:
    """Verify the protected rows that a session has loaded. Raises NotAuthentic."""
    groups: ProtectedGroups | None = session.info.get(CASE_GROUPS)
    if groups is not None:
        groups.verify(session)


def finish_transaction(session: Session) -> None:
    """Write all changes of a session, with the MACs of protected rows.

    Raises NotAuthentic if a protected row was changed by something else than the service.
    """
    session.flush()
    groups: ProtectedGroups | None = session.info.get(CASE_GROUPS)
    if groups is not None:
        groups.finish(session)
