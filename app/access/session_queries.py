"""Queries for the sessions of persons (ADR 66)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from app.access.machine_keys import ACTOR_COLUMNS
from app.access.models import Account, ApiKey, UserSession
from app.access.session_limits import IDLE_TIMEOUT, KEPT, compute_idle_until
from app.kernel.actors import Actor, SignInMethod
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction

SESSION_PREFIX: Final = "scs"
"""The prefix of the tokens of sessions."""
MISSING: Final = "There is no such session, or you may not see it."
SESSION_QUERY: Final = (
    select(
        UserSession.prefix,
        UserSession.hash,
        UserSession.id.label("session_id"),
        UserSession.method,
        UserSession.person_id.label("signed_in"),
        UserSession.authenticated_at,
        UserSession.seen_at,
        UserSession.expires_at,
        UserSession.ended_at,
        UserSession.api_key,
        UserSession.passkey_id,
        ApiKey.hash.label("key_hash"),
        ApiKey.scopes,
        ApiKey.made_at,
        ApiKey.expires_at.label("key_expires_at"),
        ApiKey.revoked_at,
        ApiKey.made_by,
        ApiKey.link_until,
        *ACTOR_COLUMNS,
    )
    .join_from(UserSession, Account, Account.id == UserSession.account_id)
    .outerjoin(ApiKey, ApiKey.prefix == UserSession.api_key)
    .where(UserSession.prefix == bindparam("prefix"))
)
"""The query for a session, its account, and the API key with which it was opened."""


def is_live_session(row: Row[Any], now: datetime, grace: timedelta) -> bool:
    """Return whether the session in a row of `SESSION_QUERY` has not ended.

    A session ends with its account and with the API key that opened it, and when the
    account is given to another person. `grace` extends only the idle timeout and the
    lifetime of the session.
    """
    until = compute_idle_until(row.seen_at, row.expires_at) + grace
    has_key = row.key_expires_at is None or now < row.key_expires_at
    ended = (row.ended_at, row.revoked_at, row.disabled_at)
    same_person = row.signed_in == row.person_id
    return now < until and has_key and not any(ended) and same_person


def is_live(now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition of `is_live_session` without `grace`, for joined tables."""
    no_key = UserSession.api_key.is_(None)
    valid_key = ApiKey.revoked_at.is_(None) & (ApiKey.expires_at > now)
    return (
        (UserSession.expires_at > now)
        & (UserSession.seen_at > now - IDLE_TIMEOUT)
        & UserSession.ended_at.is_(None)
        & Account.disabled_at.is_(None)
        & (Account.person_id == UserSession.person_id)
        & or_(no_key, valid_key)
    )


def list_sessions(tx: ReadTransaction) -> Sequence[UserSession]:
    """List the sessions that the caller may see and that have not ended, newest first."""
    found = (
        select(UserSession)
        .join(Account, Account.id == UserSession.account_id)
        .outerjoin(ApiKey, ApiKey.prefix == UserSession.api_key)
        .where(is_own(tx.actor), is_live(tx.now))
        .order_by(UserSession.authenticated_at.desc(), UserSession.id)
    )
    return tx.session.scalars(found).all()


def is_own(actor: Actor) -> ColumnElement[bool]:
    """Return an SQL condition for the sessions that the caller may see and end.

    After a sign-in with a passkey, these are all sessions of the person. With an API key,
    which another person may have seen, or with a session that it opened, these are only the
    sessions of the account.
    """
    columns = UserSession.__table__.columns
    return and_(*(columns[name] == value for name, value in get_own_values(actor).items()))


def get_own_values(actor: Actor) -> dict[str, UUID | None]:
    """Return values of the sessions that the caller may see and end, as in `is_own`."""
    own, used = {"person_id": actor.person_id}, actor.session
    if used is not None and used.method == SignInMethod.PASSKEY:
        return own
    return own | {"account_id": actor.account_id}


def get_session(session: Session, session_id: UUID, person_id: UUID | None) -> UserSession:
    """Return a session of a person, even if it has ended, or raise NotFound (404)."""
    own = (UserSession.id == session_id) & (UserSession.person_id == person_id)
    found = session.scalar(select(UserSession).where(own))
    if found is None:
        raise NotFound(MISSING)
    return found


def get_own_session(tx: ReadTransaction, session_id: UUID) -> UserSession:
    """Return a session that the caller may see, even if it has ended, or raise NotFound."""
    query = select(UserSession).where(UserSession.id == session_id, is_own(tx.actor))
    found = tx.session.scalar(query)
    if found is None:
        raise NotFound(MISSING)
    return found


def is_old(now: datetime) -> ColumnElement[bool]:
    """Return an SQL condition for the sessions that expired more than a week ago."""
    return UserSession.expires_at <= now - KEPT


def has_old_session(session: Session, now: datetime) -> bool:
    """Return whether there is a session that expired more than a week ago."""
    old = select(UserSession.prefix).where(is_old(now)).limit(1)
    return session.scalar(old) is not None
