"""Whether the database enforces what the migrations made it enforce (ADR 36)."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.cli.grounds import NotReady
from app.kernel import guards
from app.kernel.db import OWNER_ROLE, kind_of
from app.settings import Environment

NAMED: Final = 5
"""At most so many differences are named in one message."""
WEAKENED: Final = """
The database does not have the guards that the migrations make: {}. Somebody changed it,
or it was restored without them. See "Guards of the database" in docs/operations.md.
""".strip().replace("\n", " ")
TOO_MIGHTY: Final = """
The service signs in to PostgreSQL as {name}, which {why}: row security and the rights of
the roles do not bind it. Use a login of its own (deploy/postgresql/roles.sql).
""".strip().replace("\n", " ")
LOGIN: Final = """
SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole,
    r.oid IN (
        SELECT nspowner FROM pg_catalog.pg_namespace WHERE nspname = 'public'
        UNION ALL
        SELECT datdba FROM pg_catalog.pg_database WHERE datname = current_database()
        UNION ALL
        SELECT oid FROM pg_catalog.pg_roles WHERE rolname = :owner
    ),
    r.rolname LIKE 'pg\\_%'
FROM pg_catalog.pg_roles r
WHERE pg_has_role(session_user, r.oid, 'MEMBER')
ORDER BY r.rolname <> session_user, r.rolname
"""
"""Every role that the login has, or could take on: a member can always switch to it."""


def must_be_guarded(session: Session) -> list[str]:
    """Raise NotReady where a guard is missing, was changed, or could be bypassed.

    Returns a warning for each addition that cannot weaken a guard.
    """
    found = guards.list_differences(session)
    refusing = [str(one) for one in found if one.refuses]
    if refusing:
        more = len(refusing) - NAMED
        named = "; ".join(refusing[:NAMED]) + (f"; and {more} more" if more > 0 else "")
        raise NotReady(WEAKENED.format(named))
    return [f"Warning: {one}. No migration made it." for one in found]


def must_be_bound(session: Session, environment: Environment) -> list[str]:
    """Raise NotReady in production where the guards do not bind the login of the service.

    In a drill, which often has one login for everything, that is a warning: it is returned.
    """
    reason = describe_login(session)
    if reason and environment == Environment.PRODUCTION:
        raise NotReady(reason)
    return [f"Warning: {reason}"] if reason else []


def describe_login(session: Session) -> str | None:
    """Return why the guards do not bind the login of the service; None: they do."""
    if kind_of(session) == "sqlite":
        return None
    login = session.scalar(text("SELECT session_user"))
    for role, *mighty in session.execute(text(LOGIN), {"owner": OWNER_ROLE}):
        for holds, why in zip(mighty, MIGHTY, strict=True):
            if holds:
                through = "" if role == login else f" through the role {role}"
                return TOO_MIGHTY.format(name=login, why=f"{why}{through}")
    return None


MIGHTY: Final = (
    *("is a superuser", "has BYPASSRLS", "may make roles"),
    *("owns tables, schema or database", "has rights on every table"),
)
"""What the columns of `LOGIN` say of a role."""
