"""Checks that the database has its guards: triggers, row security and privileges.

ADR 36 describes the guards, which the migrations create.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.cli.startup import NotReady
from app.kernel import guards
from app.kernel.db import OWNER_ROLE, get_dialect
from app.settings import Environment

MAX_NAMED: Final = 5
"""The maximum number of differences that one message lists."""
WEAKENED: Final = """
The database does not have the guards that the migrations create: {}. They were changed, or
the restore left them out. See "Guards of the database" in docs/operations.md.
""".strip().replace("\n", " ")
TOO_POWERFUL: Final = """
The service signs in to PostgreSQL as {name}, which {why}, so row security and grants do not
restrict it. Use a separate login (deploy/postgresql/roles.sql).
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
"""The query for every role that the login has or can switch to with SET ROLE."""


def require_guards(session: Session) -> list[str]:
    """Raise NotReady if a trigger or other guard is missing, changed or weakened.

    Returns a warning for each object that no migration created but that weakens no guard.
    """
    found = guards.list_differences(session)
    refusing = [str(one) for one in found if one.refuses]
    if refusing:
        more = len(refusing) - MAX_NAMED
        named = "; ".join(refusing[:MAX_NAMED]) + (f"; and {more} more" if more > 0 else "")
        raise NotReady(WEAKENED.format(named))
    return [f"Warning: {one}. No migration created it." for one in found]


def require_bound_login(session: Session, environment: Environment) -> list[str]:
    """Raise NotReady in production if row security does not restrict the service's login.

    In a drill, which has no data about real people, return a warning instead, because a
    drill often has one login for all purposes.
    """
    reason = describe_login(session)
    if reason and environment == Environment.PRODUCTION:
        raise NotReady(reason)
    return [f"Warning: {reason}"] if reason else []


def describe_login(session: Session) -> str | None:
    """Return why row security does not restrict the service's login, or None if it does."""
    if get_dialect(session).name == "sqlite":
        return None
    login = session.scalar(text("SELECT session_user"))
    for role, *powers in session.execute(text(LOGIN), {"owner": OWNER_ROLE}):
        for has_power, why in zip(powers, POWERS, strict=True):
            if has_power:
                through = "" if role == login else f" through the role {role}"
                return TOO_POWERFUL.format(name=login, why=f"{why}{through}")
    return None


POWERS: Final = (
    "is a superuser",
    "has BYPASSRLS",
    "may create roles",
    "owns the tables, the schema or the database",
    "has rights on every table",
)
"""The meaning of each boolean column of `LOGIN`, in the same order."""
