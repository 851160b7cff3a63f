"""Access tokens: each is bought once, by an assertion, and lasts minutes (R26, R27)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.access import credentials, machines
from app.access.actions import create_secret
from app.access.assertions import Assertion, AssertionRefused
from app.access.models import AccessToken, PublicKey

TOKEN_LIFETIME: Final = timedelta(minutes=15)
"""How long a token is good for (R27): longer than any assertion, which it remembers."""


class ScopeRefused(Exception):  # noqa: N818 - it is no fault of ours
    """The key may not ask for this scope."""


@dataclass(frozen=True)
class Bought:
    """A token, for the only time, with what it is good for and until when."""

    token: str
    scopes: list[str]
    expires_at: datetime


def scopes_of(key: PublicKey, asked: Collection[str] | None) -> list[str]:
    """Say what a token will be good for; None: all that the key may ask for.

    Raises ScopeRefused: what is beyond the key is not left out in silence.
    """
    if asked is not None and not set(asked) <= set(key.scopes):
        raise ScopeRefused
    return sorted(key.scopes if asked is None else set(asked))


def buy(session: Session, said: Assertion, scopes: list[str], now: datetime) -> Bought:
    """Give a token for an assertion that holds, once; raises AssertionRefused.

    The key is held meanwhile, so that of two processes that are shown the same assertion
    the second one sees what the first one gave (R26). What the key bought before and is
    over goes: of each there is as much as is bought in as long as a token lasts.
    """
    key, spent = machines.signer(session, said, now, lock=True), hash_assertion(said)
    over = (AccessToken.public_key_id == key.id) & (AccessToken.expires_at <= now)
    session.execute(delete(AccessToken).where(over))
    if machines.is_spent(session, key, spent):
        raise AssertionRefused
    prefix, token = create_secret(machines.TOKEN_PREFIX)
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
    return Bought(token, scopes, made.expires_at)


def hash_assertion(said: Assertion) -> str:
    """Spell what an assertion is known again by."""
    return credentials.hash_key(said.claims.jti)
