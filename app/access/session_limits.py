"""The time limits of sessions, and the rule for a recent sign-in (ADR 66)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Final

from app.kernel.actors import Actor
from app.kernel.problems import Problem

SESSION_LIFETIME: Final = timedelta(hours=8)
IDLE_TIMEOUT: Final = timedelta(minutes=15)
"""The time without a request after which a session ends."""
RENEWAL: Final = timedelta(minutes=1)
"""The minimum time between two updates of the stored time of the last request."""
RECENT: Final = timedelta(minutes=5)
"""The maximum age of a sign-in for the most sensitive sections and changes to passkeys."""
NO_GRACE: Final = timedelta()
ENDED_GRACE: Final = timedelta(hours=8)
"""How long a session that has timed out can still save an unsent form (ADR 71)."""
MAX_SESSIONS: Final = 100
"""The maximum number of running sessions of an account. The next one ends the oldest."""
KEPT: Final = timedelta(days=7)
"""How long a session is kept after it has expired, so that sign-ins can be investigated."""


class AuthenticationTooOld(Problem):
    """The sign-in was too long ago for this request."""

    status = 401
    headers: ClassVar[Mapping[str, str]] = {
        "WWW-Authenticate": 'Bearer error="insufficient_user_authentication", '
        f'max_age="{RECENT.seconds}"'
    }


def require_recent_sign_in(actor: Actor, now: datetime) -> None:
    """Raise AuthenticationTooOld (401) if the session of an actor is older than 5 minutes.

    API keys and access tokens pass, because a machine cannot sign in again (RFC 9470).
    """
    if actor.session is not None and now - actor.session.authenticated_at > RECENT:
        raise AuthenticationTooOld(
            "Sign in again, and repeat the request with the new session. To end this "
            "session at the same time, send its id in `replaces`."
        )


def compute_idle_until(seen_at: datetime, expires_at: datetime) -> datetime:
    """Return when a session ends if no further request is made with it."""
    return min(seen_at + IDLE_TIMEOUT, expires_at)
