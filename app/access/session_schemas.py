"""Request and response bodies for persons and sessions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.access.models import UserSession
from app.access.session_limits import compute_idle_until
from app.kernel.actors import ActorSession, SignInMethod
from app.kernel.text import RequestModel, ResponseModel

Method = Annotated[SignInMethod, Field(description="How the person signed in.")]
AuthenticatedAt = Annotated[datetime, Field(description="When the person signed in.")]
IdleUntil = Annotated[
    datetime,
    Field(
        description="When the session ends if no further request is made with it. Requests "
        "move this time at most once a minute."
    ),
]
ExpiresAt = Annotated[
    datetime, Field(description="When the session ends, even if it is in use.")
]


class SessionInput(RequestModel):
    """A session to open."""

    replaces: Annotated[
        UUID | None,
        Field(
            description="A session of the same person, which ends when the new one is "
            "opened, for example because you signed in again to open a section."
        ),
    ] = None


class CurrentSession(ResponseModel):
    """The session with which the request was made."""

    id: UUID
    method: Method
    authenticated_at: AuthenticatedAt
    idle_until: IdleUntil
    expires_at: ExpiresAt

    @classmethod
    def from_actor(cls, session: ActorSession) -> "CurrentSession":
        """Return the response for the session of an actor."""
        return cls(
            id=session.id,
            method=session.method,
            authenticated_at=session.authenticated_at,
            idle_until=compute_idle_until(session.seen_at, session.expires_at),
            expires_at=session.expires_at,
        )


class SessionOut(ResponseModel):
    """A session of a person."""

    id: UUID
    focal_point: str
    account: Annotated[
        str, Field(description="The staff number or duty post of the account.")
    ]
    method: Method
    authenticated_at: AuthenticatedAt
    seen_at: Annotated[
        datetime, Field(description="When the session was last used, exact to a minute.")
    ]
    idle_until: IdleUntil
    expires_at: ExpiresAt
    current: Annotated[bool, Field(description="Whether you use this session now.")]

    @classmethod
    def from_session(
        cls, row: UserSession, focal_point: str, account: str, *, current: bool
    ) -> "SessionOut":
        """Return the response for a session of an account at an office."""
        return cls(
            id=row.id,
            focal_point=focal_point,
            account=account,
            method=row.method,
            authenticated_at=row.authenticated_at,
            seen_at=row.seen_at,
            idle_until=compute_idle_until(row.seen_at, row.expires_at),
            expires_at=row.expires_at,
            current=current,
        )


class SessionList(ResponseModel):
    """Your sessions that have not ended, the newest first."""

    items: list[SessionOut]


class OpenedSessionOut(SessionOut):
    """A new session, with its token."""

    token: Annotated[
        str,
        Field(
            description="Send the token like an API key: `Authorization: Bearer scs_...`. "
            "It is shown only once."
        ),
    ]
