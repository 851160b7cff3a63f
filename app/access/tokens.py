"""Access tokens: one for each assertion, valid for a few minutes (R26, R27)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.access import credentials, machine_keys
from app.access.actions import create_secret
from app.access.assertions import Assertion, AssertionRefused
from app.access.models import AccessToken, PublicKey

TOKEN_LIFETIME: Final = timedelta(minutes=15)
"""The validity of a token (R27), which is longer than that of an assertion."""


class ScopeRefused(Exception):  # noqa: N818 - named by its meaning, like Problem
    """The key may not request this scope."""


@dataclass(frozen=True)
class IssuedToken:
    """A new token with scopes and expiry. Only a hash of the token is stored."""

    token: str
    scopes: list[str]
    expires_at: datetime


def resolve_scopes(key: PublicKey, asked: Collection[str] | None) -> list[str]:
    """Return the scopes of a new token: the requested ones, or all scopes of the key.

    Raises ScopeRefused if the key lacks a requested scope.
    """
    if asked is not None and not set(asked) <= set(key.scopes):
        raise ScopeRefused
    return sorted(key.scopes if asked is None else set(asked))


def grant_token(
    session: Session, assertion: Assertion, scopes: list[str], now: datetime
) -> IssuedToken:
    """Issue a token for a valid, unused assertion, or raise AssertionRefused.

    The key is locked. If two processes use the same assertion, the second process therefore
    finds the token of the first (R26). Expired tokens of the key are deleted.
    """
    key, spent = (
        machine_keys.find_signing_key(session, assertion, now, lock=True),
        hash_assertion(assertion),
    )
    expired = (AccessToken.public_key_id == key.id) & (AccessToken.expires_at <= now)
    session.execute(delete(AccessToken).where(expired))
    if machine_keys.is_spent(session, key, spent):
        raise AssertionRefused
    prefix, token = create_secret(machine_keys.TOKEN_PREFIX)
    made = AccessToken(
        prefix=prefix,
        public_key_id=key.id,
        assertion=spent,
        hash=credentials.hash_key(token),
        scopes=scopes,
        made_at=now,
        expires_at=min(now + TOKEN_LIFETIME, key.expires_at),
    )
    session.add(made)
    return IssuedToken(token, scopes, made.expires_at)


def hash_assertion(assertion: Assertion) -> str:
    """Return the hash by which a used assertion is recognised."""
    return credentials.hash_key(assertion.claims.jti)
