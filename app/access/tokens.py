"""Access tokens, which are issued for assertions and valid for a few minutes (R26, R27)."""

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
from app.kernel.macs import MACS

TOKEN_LIFETIME: Final = timedelta(minutes=15)
"""The validity of a token (R27), which is longer than that of an assertion."""


class ScopeRefused(Exception):  # noqa: N818 - named by its meaning, like Problem
    """The public key does not have the requested scope."""


@dataclass(frozen=True)
class IssuedToken:
    """A new token, with its scopes and expiry. Only a hash of the token is stored."""

    token: str
    scopes: list[str]
    expires_at: datetime


def resolve_scopes(key: PublicKey, asked: Collection[str] | None) -> list[str]:
    """Return the requested scopes, by default those of the key, or raise ScopeRefused."""
    if asked is not None and not set(asked) <= set(key.scopes):
        raise ScopeRefused
    return sorted(key.scopes if asked is None else set(asked))


def grant_token(
    session: Session, assertion: Assertion, scopes: list[str], now: datetime
) -> IssuedToken:
    """Issue a token for an assertion that has a valid key and was not used before.

    Raises AssertionRefused if the key is not valid or the assertion was used. The key is
    locked, so that two processes cannot issue tokens for the same assertion (R26). Expired
    tokens of the key are deleted.
    """
    key = machine_keys.find_signing_key(session, assertion, now, lock=True)
    spent = hash_assertion(assertion)
    expired = (AccessToken.public_key_id == key.id) & (AccessToken.expires_at <= now)
    session.execute(delete(AccessToken).where(expired))
    if machine_keys.is_spent(session, key, spent):
        raise AssertionRefused
    prefix, token = create_secret(machine_keys.TOKEN_PREFIX)
    made = AccessToken(
        prefix=prefix,
        public_key_id=key.id,
        assertion=spent,
        hash="",
        scopes=scopes,
        made_at=now,
        expires_at=min(now + TOKEN_LIFETIME, key.expires_at),
    )
    made.hash = machine_keys.hash_token(session.info[MACS], made, token)
    session.add(made)
    return IssuedToken(token, scopes, made.expires_at)


def hash_assertion(assertion: Assertion) -> str:
    """Return the hash that is stored in order to recognise a used assertion."""
    return credentials.hash_key(assertion.claims.jti)
