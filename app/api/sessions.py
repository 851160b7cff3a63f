"""Routes for the sessions in which people work (ADR 66)."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from fastapi import Response

from app.access import queries as access_queries
from app.access import session_queries, sessions
from app.access.models import UserSession
from app.access.session_schemas import (
    OpenedSessionOut,
    SessionInput,
    SessionList,
    SessionOut,
)
from app.access.sessions import NoSession, NotAPersonalKey, SignIn
from app.api.http.conditional_requests import render
from app.api.http.dependencies import IfNoneMatch, ManageSessions, ReadDirectory
from app.api.http.problems import Answers, list_problems
from app.api.http.routers import ResourceRouter
from app.directory import queries as directory_queries
from app.kernel.actors import SignInMethod
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction

router = ResourceRouter("sessions", "/sessions")
OPEN: Final[Answers] = {
    201: {"model": OpenedSessionOut, "description": "The session, with its token."},
    **list_problems(NotFound, NotAPersonalKey),
}
NO_CONTENT: Final = 204


def build_sessions(tx: ReadTransaction, rows: Iterable[UserSession]) -> list[SessionOut]:
    """Return sessions with the labels and the offices of their accounts."""
    found = list(rows)
    labels = access_queries.get_labels(tx, {row.account_id for row in found})
    current = tx.actor.session.id if tx.actor.session else None
    return [
        SessionOut.from_session(
            row,
            directory_queries.by_id(tx, labels[row.account_id][0]).code,
            labels[row.account_id][1],
            current=row.id == current,
        )
        for row in found
    ]


@router.post("", status_code=201, response_model=OpenedSessionOut, responses=OPEN)
def create_session(begin: ManageSessions, new: SessionInput) -> Response:
    """Sign in with the API key of a person, and get the token of a session.

    Send the token to every operation, like an API key. The session acts for the account of
    the key, with the scopes of the key. It ends after 15 minutes without a request, after 8
    hours, and with the key or the account. If no response arrives, sign in again: a session
    whose token is lost ends after 15 minutes. An Idempotency-Key is ignored, because the
    response to a retry could not contain the token: only a hash of it is stored.
    """
    with begin() as tx:
        key = sessions.get_personal_key(tx.actor)
        sign_in = SignIn(tx.create_id(), SignInMethod.KEY, key, new.replaces)
        account = access_queries.get_own_account(tx)
        opened = sessions.open_session(tx.session, account, sign_in, tx.now)
        [shown] = build_sessions(tx, [opened.row])
        return render(OpenedSessionOut(**vars(shown), token=opened.token), status=201)


@router.get("", response_model=SessionList)
def list_sessions(begin: ReadDirectory, if_none_match: IfNoneMatch = None) -> Response:
    """List your sessions that have not ended.

    After a sign-in with a passkey, these are the sessions of all your accounts. An API key,
    or a session that was opened with it, shows those of its own account.
    """
    with begin() as tx:
        found = build_sessions(tx, session_queries.list_sessions(tx))
        return render(SessionList(items=found), if_none_match=if_none_match)


@router.post("/end", status_code=NO_CONTENT, responses=list_problems(NoSession))
def end_session(begin: ManageSessions) -> Response:
    """Sign out: end the session with which you make the request."""
    with begin() as tx:
        own = sessions.get_own_session(tx.actor)
        found = session_queries.get_session(tx.session, own.id, tx.actor.person_id)
        sessions.end_session(tx.session, found, tx.now)
        return Response(status_code=NO_CONTENT)


@router.post("/end-all", status_code=NO_CONTENT)
def end_all_sessions(begin: ManageSessions) -> Response:
    """Sign out everywhere: end all sessions that `GET /v1/sessions` shows you.

    API keys stay valid. Revoke a key that somebody else may have.
    """
    with begin() as tx:
        own, person_id = session_queries.get_own_values(tx.actor), tx.actor.person_id
        if person_id is not None:
            sessions.end_sessions(tx.session, person_id, own, tx.now)
        return Response(status_code=NO_CONTENT)


@router.post("/{session_id}/end", status_code=NO_CONTENT, responses=list_problems(NotFound))
def end_one_session(begin: ManageSessions, session_id: UUID) -> Response:
    """End one of your sessions, for example on a device that you lost."""
    with begin() as tx:
        found = session_queries.get_own_session(tx, session_id)
        sessions.end_session(tx.session, found, tx.now)
        return Response(status_code=NO_CONTENT)
