"""Sessions, in which a person acts through one account for a limited time (ADR 66).

A session is opened with an API key or a passkey. It ends when the person signs out or
replaces it, after 15 minutes without a request, after 8 hours, when its account, API key or
passkey ends, and when the account has 100 newer sessions.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.access import credentials
from app.access.account_locks import lock_accounts
from app.access.actions import create_secret, open_person
from app.access.models import Account, UserSession
from app.access.protected_tables import MEMBERSHIP
from app.access.row_protection import drop_unmatched
from app.access.row_verification import (
    get_verified,
    is_authentic,
    load_complete_group,
)
from app.access.session_limits import MAX_SESSIONS, RENEWAL, SESSION_LIFETIME
from app.access.session_queries import SESSION_PREFIX, get_session, is_old
from app.kernel.actors import Actor, ActorSession, SignInMethod
from app.kernel.macs import NotAuthentic
from app.kernel.problems import Busy, Problem
from app.kernel.transactions import Runtime


class NotAPersonalKey(Problem):
    """Only the API key of a person can open a session."""

    status = 403


class NoSession(Problem):
    """The request was not made with a session."""

    status = 409


@dataclass(frozen=True)
class SignIn:
    """A successful sign-in: the id of the new session, and how the person signed in.

    `api_key` is the prefix of the key, or `passkey_id` is the id of the passkey, that opens
    the session. `replaces` is the id of another session of the person, which the sign-in
    ends, for example because the person signed in too long ago.
    """

    id: UUID
    method: SignInMethod
    api_key: str | None = None
    replaces: UUID | None = None
    passkey_id: UUID | None = None


@dataclass(frozen=True)
class OpenedSession:
    """A new session and its token. Only a hash of the token is stored."""

    row: UserSession
    token: str


def open_session(
    session: Session, account: Account, sign_in: SignIn, now: datetime
) -> OpenedSession:
    """Open a session for an account of a person. The caller has authenticated the person.

    Raises NotFound (404) if `replaces` is not a session of the same person. The token is
    always new: a client can never choose it.
    """
    person_id = open_person(session, account, now)
    if sign_in.replaces is not None:
        end_session(session, get_session(session, sign_in.replaces, person_id), now)
    end_oldest_sessions(session, account, now)
    prefix, token = create_secret(SESSION_PREFIX)
    row = UserSession(
        prefix=prefix,
        id=sign_in.id,
        hash=credentials.hash_key(token),
        account_id=account.id,
        person_id=person_id,
        method=sign_in.method,
        api_key=sign_in.api_key,
        passkey_id=sign_in.passkey_id,
        authenticated_at=now,
        seen_at=now,
        expires_at=now + SESSION_LIFETIME,
    )
    session.add(row)
    session.flush()
    return OpenedSession(row, token)


def end_oldest_sessions(session: Session, account: Account, now: datetime) -> None:
    """End the oldest sessions of an account, so that it can open another one.

    The number is limited because each request of the account reads its row, which contains
    a digest of each session.
    """
    own = UserSession.person_id == account.person_id
    running = (UserSession.expires_at > now) & UserSession.ended_at.is_(None)
    newest = select(UserSession).where(own, UserSession.account_id == account.id, running)
    ordered = newest.order_by(UserSession.authenticated_at.desc(), UserSession.prefix)
    for row in session.scalars(ordered.offset(MAX_SESSIONS - 1)).all():
        row.ended_at = now


def get_personal_key(actor: Actor) -> str:
    """Return the prefix of the API key of a person, or raise NotAPersonalKey (403)."""
    if actor.person_id is None or actor.api_key is None:
        raise NotAPersonalKey(
            "Send the API key `sc_...` of an account of a person. A machine uses its keys "
            "and tokens directly, and a session cannot open another session."
        )
    return actor.api_key


def get_own_session(actor: Actor) -> ActorSession:
    """Return the session of the request, or raise NoSession (409)."""
    if actor.session is None:
        raise NoSession("Send the token of the session that you want to end.")
    return actor.session


def end_session(session: Session, row: UserSession, now: datetime) -> None:
    """End a session. A session that has ended stays as it is.

    If the row looks ended or was altered outside the service, a running session may be
    hidden. All sessions of the person are then verified, as in `end_sessions`. The accounts
    are locked, because another request may store the time of its use meanwhile.
    """
    lock_accounts(session, Account.person_id == row.person_id)
    session.refresh(row)
    if row.ended_at is None and is_authentic(session, row):
        row.ended_at = now
    else:
        end_sessions(session, row.person_id, {"id": row.id}, now)


def end_sessions(
    session: Session, person_id: UUID, which: Mapping[str, object], now: datetime
) -> None:
    """End all sessions of a person that have these values, from the next request on.

    Sessions of the person that were hidden or altered outside the service become invalid.
    Raises NotAuthentic if an account of the person was altered, added or hidden.
    """
    lock_accounts(session, Account.person_id == person_id)
    accounts = load_complete_group(session, person_id, MEMBERSHIP)
    prefixes = [
        row["prefix"]
        for account_id in sorted(account["id"] for _, account in accounts)
        for table, row in drop_unmatched(session, Account, account_id)
        if table.model is UserSession and row["ended_at"] is None
        if all(row[name] == value for name, value in which.items())
    ]
    running = select(UserSession).filter_by(person_id=person_id, ended_at=None)
    for row in session.scalars(running.filter_by(**which)).all():
        row.ended_at = now
    for prefix in prefixes:
        get_verified(session, UserSession, prefix).ended_at = now
    session.flush()


def is_renewal_due(actor: Actor, now: datetime) -> bool:
    """Return whether the stored time of a session's last request is out of date."""
    return actor.session is not None and now - actor.session.seen_at >= RENEWAL


def renew_session(runtime: Runtime, actor: Actor) -> Actor:
    """Store the time of the last request of a session, at most once a minute.

    Returns the actor, with the new time unless the write failed. A failure is ignored,
    because a request that only reads must not fail while the database cannot be written to.
    The session then ends earlier than it would otherwise.
    """
    now, used = runtime.clock(), actor.session
    if used is None or not is_renewal_due(actor, now):
        return actor
    stale = select(UserSession).where(
        UserSession.id == used.id,
        UserSession.seen_at <= now - RENEWAL,
        UserSession.ended_at.is_(None),
    )
    with suppress(Busy, DBAPIError, OSError, RuntimeError, NotAuthentic):
        with runtime.database.begin_write() as session:
            if (row := session.scalar(stale)) is not None:
                row.seen_at = now
        return replace(actor, session=replace(used, seen_at=now))
    return actor


def delete_old_sessions(session: Session, now: datetime) -> int:
    """Delete the sessions that expired more than a week ago; return their number."""
    old = delete(UserSession).where(is_old(now)).returning(UserSession.prefix)
    return len(session.scalars(old).all())
