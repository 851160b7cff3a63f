"""Authentication of requests by an API key or an access token."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.access import machine_keys
from app.access.machine_keys import ACTOR_COLUMNS
from app.access.models import Account, ApiKey
from app.access.role_scopes import get_allowed_scopes
from app.kernel.actors import AccountKind, Actor, Role, Scope
from app.kernel.problems import Forbidden, Unauthenticated
from app.kernel.statements import read_columns

UNKNOWN_HASH: Final = "0" * 64
"""A hash for comparison if the prefix is unknown, so that the check does the same work."""
API_KEY_QUERY: Final = (
    select(ApiKey.hash, ApiKey.scopes, ApiKey.expires_at, ApiKey.revoked_at, *ACTOR_COLUMNS)
    .join_from(ApiKey, Account)
    .where(ApiKey.prefix == bindparam("prefix"))
)
"""The query that loads an API key and its account to authenticate a request."""


def hash_key(key: str) -> str:
    """Return the hash of a key or token. No salt is needed, because the value is random."""
    return hashlib.sha256(key.encode()).hexdigest()


def get_prefix(key: str) -> str:
    """Return the prefix of an API key or access token, or "" if the text is malformed."""
    parts = key.split("_")
    known = parts[0] in {"sc", machine_keys.TOKEN_PREFIX}
    return parts[1] if known and len(parts) > 2 else ""  # noqa: PLR2004


def authenticate(session: Session, key: str, now: datetime) -> Actor:
    """Return the actor of an API key or access token, or raise Unauthenticated (401).

    The key and the account are read for every request, so that a revocation takes effect
    with the next request (R21). A token is valid only as long as the public key with which
    it was requested. Unknown, expired and revoked keys cause the same error.
    """
    is_token = key.startswith(f"{machine_keys.TOKEN_PREFIX}_")
    query = machine_keys.ACCESS_TOKEN_QUERY if is_token else API_KEY_QUERY
    row = read_columns(session, query, {"prefix": get_prefix(key)}).one_or_none()
    fits = hmac.compare_digest(row.hash if row else UNKNOWN_HASH, hash_key(key))
    live = row is not None and is_live(now, row.expires_at, row.revoked_at, row.disabled_at)
    if row is None or not fits or not live:
        raise Unauthenticated("Send a valid API key: `Authorization: Bearer sc_...`.")
    identity = (row.id, row.focal_point_id, row.kind)
    return build_actor(*identity, has=row.roles, may=row.scopes)


def is_live(now: datetime, expires_at: datetime, *ended_at: datetime | None) -> bool:
    """Return whether a key or token is valid: not expired, and no `ended_at` is set."""
    return now < expires_at and not any(ended_at)


def build_actor(
    account_id: UUID,
    focal_point_id: UUID,
    kind: AccountKind,
    *,
    has: Iterable[str],
    may: Iterable[str],
) -> Actor:
    """Return an actor with the roles `has` and the scopes in `may` that the roles allow."""
    roles = frozenset(map(Role, has))
    scopes = frozenset(map(Scope, may)) & get_allowed_scopes(roles)
    return Actor(account_id, focal_point_id, kind, roles, scopes)


def require_scope(actor: Actor, scope: Scope) -> None:
    """Raise Forbidden (403) unless the actor has the scope."""
    if scope not in actor.scopes:
        raise Forbidden(f"This API key lacks the scope {scope}.")
