"""From an API key, or an access token, to an actor."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.access import machines
from app.access.machines import ACTOR_COLUMNS
from app.access.models import Account, ApiKey
from app.access.powers import get_allowed_scopes
from app.kernel.actors import AccountKind, Actor, Role, Scope
from app.kernel.problems import Forbidden, Unauthenticated
from app.kernel.statements import columns

UNKNOWN_HASH: Final = "0" * 64
"""Compared with when a prefix is not known, so that both answers take the same steps."""


API_KEY_QUERY: Final = (
    select(ApiKey.hash, ApiKey.scopes, ApiKey.expires_at, ApiKey.revoked_at, *ACTOR_COLUMNS)
    .join_from(ApiKey, Account)
    .where(ApiKey.prefix == bindparam("prefix"))
)
"""Whose a key is: all that a request has to know, and no more."""


def hash_key(key: str) -> str:
    """Hash an API key or token for storage; they are random, so no salt is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def prefix_of(key: str) -> str:
    """Take what names it from `sc_<prefix>_<secret>`; "" if it has no such form.

    An access token has that form too, and begins otherwise.
    """
    parts = key.split("_")
    known = parts[0] in {"sc", machines.TOKEN_PREFIX}
    return parts[1] if known and len(parts) > 2 else ""  # noqa: PLR2004


def authenticate(session: Session, key: str, now: datetime) -> Actor:
    """Find who holds this API key or access token, or raise Unauthenticated (401).

    Read anew on every request: a revoked key or a disabled account ends with the next one
    (R21), and a token with the key that it was given for. An unknown, an expired and a
    revoked one are told apart for nobody.
    """
    holder = (
        machines.ACCESS_TOKEN_QUERY
        if key.startswith(f"{machines.TOKEN_PREFIX}_")
        else API_KEY_QUERY
    )
    row = columns(session, holder, {"prefix": prefix_of(key)}).one_or_none()
    fits = hmac.compare_digest(row.hash if row else UNKNOWN_HASH, hash_key(key))
    if (
        row is None
        or not fits
        or not is_live(now, row.expires_at, row.revoked_at, row.disabled_at)
    ):
        raise Unauthenticated("Send a valid API key: `Authorization: Bearer sc_...`.")
    who = (row.id, row.focal_point_id, row.kind)
    return build_actor(*who, has=row.roles, may=row.scopes)


def is_live(now: datetime, expires_at: datetime, *ended_at: datetime | None) -> bool:
    """Say whether a key or token may be used now: neither it nor its account has ended."""
    return now < expires_at and not any(ended_at)


def build_actor(
    account_id: UUID,
    focal_point_id: UUID,
    kind: AccountKind,
    *,
    has: Iterable[str],
    may: Iterable[str],
) -> Actor:
    """Say who acts, with which roles and scopes.

    An administrator and an analyst are kept from every case here, at the one door: a scope
    that is added one day is not their own until somebody says so (LIFECYCLES.md, 6). So is
    whoever has no role any more.
    """
    roles, scopes = frozenset(map(Role, has)), frozenset(map(Scope, may))
    return Actor(
        account_id, focal_point_id, kind, roles, scopes & get_allowed_scopes(roles)
    )


def must_have(actor: Actor, scope: Scope) -> None:
    """Raise Forbidden (403) unless the key may be used for this."""
    if scope not in actor.scopes:
        raise Forbidden(f"This API key lacks the scope {scope}.")
