"""Authentication of requests by an API key, an access token or a session."""

import hashlib
import hmac
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, select

from app.access import machine_keys, session_queries
from app.access.machine_keys import ACTOR_COLUMNS
from app.access.models import Account, ApiKey, PublicKey, UserSession
from app.access.role_scopes import get_allowed_scopes
from app.access.row_verification import MemberLabels, verify_credential
from app.access.session_limits import NO_GRACE
from app.kernel.actors import AccountKind, Actor, ActorSession, Role, Scope
from app.kernel.macs import NotAuthentic, RowMacs
from app.kernel.problems import Forbidden, Unauthenticated

UNKNOWN_HASH: Final = "0" * 64
"""A hash for comparison if the prefix is unknown, so that the check does the same work."""
API_KEY_QUERY: Final = (
    select(
        ApiKey.prefix,
        ApiKey.hash,
        ApiKey.scopes,
        ApiKey.made_at,
        ApiKey.expires_at,
        ApiKey.revoked_at,
        ApiKey.made_by,
        ApiKey.link_until,
        *ACTOR_COLUMNS,
    )
    .join_from(ApiKey, Account)
    .where(ApiKey.prefix == bindparam("prefix"))
)
"""The query that loads an API key and its account to authenticate a request."""
type CredentialQueries = Mapping[str, Select[*tuple[Any, ...]]]
API_KEY: Final = "sc"
QUERIES: Final[CredentialQueries] = MappingProxyType(
    {
        API_KEY: API_KEY_QUERY,
        machine_keys.TOKEN_PREFIX: machine_keys.ACCESS_TOKEN_QUERY,
        session_queries.SESSION_PREFIX: session_queries.SESSION_QUERY,
    }
)
"""The queries for credentials, by the beginning of the credential."""
WIDTHS: Final = {kind: len(query.selected_columns) for kind, query in QUERIES.items()}
"""The number of columns of each query."""
LABELS: Final[Mapping[str, MemberLabels]] = {
    API_KEY: {ApiKey: {"account_id": "id"}},
    machine_keys.TOKEN_PREFIX: {
        PublicKey: {
            "id": "public_key_id",
            "account_id": "id",
            "scopes": "key_scopes",
            "made_at": "key_made_at",
            "expires_at": "key_expires_at",
        }
    },
    session_queries.SESSION_PREFIX: {
        UserSession: {"id": "session_id", "account_id": "id", "person_id": "signed_in"},
        ApiKey: {
            "prefix": "api_key",
            "account_id": "id",
            "hash": "key_hash",
            "expires_at": "key_expires_at",
        },
    },
}
"""The models of the account's rows in each query, with the labels of their columns."""


def hash_key(key: str) -> str:
    """Return the hash of a key or token. No salt is needed, because the value is random."""
    return hashlib.sha256(key.encode()).hexdigest()


def get_prefix(secret: str, kinds: Container[str] = QUERIES) -> str:
    """Return the prefix of a credential or link, or an empty string if it is malformed.

    `kinds` are the accepted beginnings. By default, they are those of credentials.
    """
    parts = secret.split("_", 2)
    return parts[1] if parts[0] in kinds and len(parts) > 2 else ""  # noqa: PLR2004


@dataclass(frozen=True)
class SignedIn:
    """The actor of a credential, and the row that the query for the credential returned."""

    actor: Actor
    row: Row[Any]


def authenticate(
    connection: Connection,
    key: str,
    macs: RowMacs,
    grace: timedelta = NO_GRACE,
    queries: CredentialQueries = QUERIES,
) -> SignedIn:
    """Return the actor of a credential, or raise Unauthenticated (401).

    The credential is an API key, an access token, or the token of a session. The credential
    and its account are read for every request, so that a revocation takes effect with the
    next request (R21). An access token is valid only as long as its public key. Unknown,
    expired, revoked and ended credentials cause the same error. A session that has timed
    out is accepted for the time `grace` after its end. `queries` can select more columns
    than `QUERIES`; the returned row contains them. A credential or an account that was
    altered outside the service is also refused, and logged.
    """
    begins, prefix = key.partition("_")[0], get_prefix(key)
    kind = begins if begins in queries else API_KEY
    row = connection.execute(queries[kind], {"prefix": prefix}).one_or_none()
    if row is not None and kind == machine_keys.TOKEN_PREFIX:
        fits = machine_keys.is_token(macs, row, key)
    else:
        fits = hmac.compare_digest(row.hash if row else UNKNOWN_HASH, hash_key(key))
    valid = row is not None and fits and is_valid(row, macs.clock(), grace)
    if row is None or not valid or not is_authentic(macs, kind, row):
        raise Unauthenticated("Send a valid API key `sc_...`, or sign in again.")
    actor = build_actor(row, row.scopes)
    if "session_id" in row._fields:
        return SignedIn(replace(actor, session=build_session(row)), row)
    return SignedIn(replace(actor, api_key=prefix) if kind == API_KEY else actor, row)


def is_authentic(macs: RowMacs, kind: str, row: Row[Any]) -> bool:
    """Return whether the rows of a credential are those that the service wrote."""
    known, verified = row[: WIDTHS[kind]], macs.verified
    if verified.get(row.prefix) == known:
        return True
    try:
        verify_credential(macs, row, LABELS[kind])
    except NotAuthentic:
        return False
    if row.mac is not None:
        verified.store(row.prefix, known)
    return True


def is_valid(row: Row[Any], now: datetime, grace: timedelta) -> bool:
    """Return whether the credential in a row of one of `QUERIES` is valid."""
    if "session_id" in row._fields:
        return session_queries.is_live_session(row, now, grace)
    return is_live(now, row.expires_at, row.revoked_at, row.disabled_at)


def is_live(now: datetime, expires_at: datetime, *ended_at: datetime | None) -> bool:
    """Return whether a key or token is valid: not expired, and no `ended_at` is set."""
    return now < expires_at and not any(ended_at)


def build_actor(account: Row[Any] | Account, scopes: Iterable[str] | None) -> Actor:
    """Return the actor of an account, with those of `scopes` that its roles allow.

    If `scopes` is None, the actor has all scopes that the roles allow.
    """
    roles = parse_roles(tuple(account.roles))
    own_person = account.id if account.kind == AccountKind.PERSON else None
    return Actor(
        account_id=account.id,
        focal_point_id=account.focal_point_id,
        kind=account.kind,
        roles=roles,
        scopes=limit_scopes(roles, None if scopes is None else tuple(scopes)),
        person_id=account.person_id or own_person,
    )


@lru_cache
def parse_roles(names: tuple[str, ...]) -> frozenset[Role]:
    """Return the roles with these names, as an account stores them."""
    return frozenset(map(Role, names))


@lru_cache
def limit_scopes(roles: frozenset[Role], names: tuple[str, ...] | None) -> frozenset[Scope]:
    """Return the scopes in `names` that the roles allow, or all that they allow if None."""
    allowed = get_allowed_scopes(roles)
    return allowed if names is None else allowed & frozenset(map(Scope, names))


def build_session(row: Row[Any]) -> ActorSession:
    """Return the session in a row of `SESSION_QUERY`."""
    return ActorSession(
        id=row.session_id,
        method=row.method,
        authenticated_at=row.authenticated_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )


def require_scope(actor: Actor, scope: Scope) -> None:
    """Raise Forbidden (403) unless the actor has the scope."""
    if scope not in actor.scopes:
        raise Forbidden(f"This credential lacks the scope {scope}.")
