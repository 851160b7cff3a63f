"""Queries for the public keys of machines and for their access tokens."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, bindparam, exists, select, true
from sqlalchemy.orm import Session, aliased

from app.access.assertions import Assertion, AssertionRefused
from app.access.models import AccessToken, Account, ApiKey, PublicKey
from app.access.row_verification import is_authentic
from app.kernel.actors import AccountKind
from app.kernel.macs import RowMacs
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction

TOKEN_PREFIX: Final = "sct"  # noqa: S105 - the start of every token
"""The prefix of access tokens; API keys have the prefix `sc`."""
ACTOR_COLUMNS: Final = (
    Account.id,
    Account.focal_point_id,
    Account.label,
    Account.kind,
    Account.roles,
    Account.opened_at,
    Account.disabled_at,
    Account.person_id,
    Account.mac,
)
"""The columns from which an actor is built, and with which the account is verified."""
KEY_CLASSES: Final[tuple[type[ApiKey | PublicKey], ...]] = (ApiKey, PublicKey)
"""The classes of the keys with which an account authenticates."""
NOTICE_PERIOD: Final = timedelta(days=14)
"""How long before a key expires its account should have another key."""
IN_TRANSIT: Final = timedelta(minutes=5)
"""The maximum time for which a request may still run after its key has ended. The body may
take 30 s to arrive, and the request may wait for a lock."""
ACCESS_TOKEN_QUERY: Final = (
    select(
        AccessToken.prefix,
        AccessToken.public_key_id,
        AccessToken.assertion,
        AccessToken.hash,
        AccessToken.scopes,
        AccessToken.made_at,
        AccessToken.expires_at,
        PublicKey.kid,
        PublicKey.alg,
        PublicKey.jwk,
        PublicKey.scopes.label("key_scopes"),
        PublicKey.made_at.label("key_made_at"),
        PublicKey.expires_at.label("key_expires_at"),
        PublicKey.revoked_at,
        PublicKey.made_by,
        *ACTOR_COLUMNS,
    )
    .join(PublicKey, PublicKey.id == AccessToken.public_key_id)
    .join(Account, Account.id == PublicKey.account_id)
    .where(AccessToken.prefix == bindparam("prefix"))
)
"""The query for a token, its account and its public key. A revoked key ends the token."""


def find_signing_key(
    session: Session, assertion: Assertion, now: datetime, *, lock: bool = False
) -> PublicKey:
    """Return the valid key that an assertion names, or raise AssertionRefused.

    The error does not reveal whether the account or the key is unknown. With `lock`,
    requests that use the same key run one after another.
    """
    wanted = (
        select(PublicKey, Account)
        .join(Account, Account.id == PublicKey.account_id)
        .where(
            PublicKey.account_id == assertion.client,
            PublicKey.kid == assertion.header.kid,
            PublicKey.revoked_at.is_(None),
            PublicKey.expires_at > now,
            Account.disabled_at.is_(None),
            Account.kind == AccountKind.INTEGRATION,
        )
    )
    locked = wanted.with_for_update(of=PublicKey, key_share=True)
    found = session.execute(locked if lock else wanted).one_or_none()
    if found is None or not is_authentic(session, *found):
        raise AssertionRefused
    key: PublicKey = found[0]
    return key


def hash_token(macs: RowMacs, row: AccessToken, token: str) -> str:
    """Return the keyed hash of a token and of all columns of its row except `hash`.

    The row of a token never changes, so the MAC of the account need not cover it.
    """
    return macs.compute_hash(AccessToken.__tablename__, list_hashed_values(row, token))


def is_token(macs: RowMacs, row: Row[Any], token: str) -> bool:
    """Return whether a row of `ACCESS_TOKEN_QUERY` has the hash of a token."""
    return macs.is_hash(row.hash, AccessToken.__tablename__, list_hashed_values(row, token))


def list_hashed_values(row: AccessToken | Row[Any], token: str) -> list[object]:
    """List the values that the hash of a token covers."""
    values = [row.prefix, row.public_key_id, row.assertion, row.scopes]
    return [*values, row.made_at, row.expires_at, token]


def is_spent(session: Session, key: PublicKey, assertion: str) -> bool:
    """Return whether a token was already issued for the assertion with this hash."""
    issued = (AccessToken.public_key_id == key.id) & (AccessToken.assertion == assertion)
    return session.scalar(select(AccessToken.prefix).where(issued)) is not None


def list_public_keys(tx: ReadTransaction, account_id: UUID) -> list[PublicKey]:
    """List all public keys of an account, even expired and revoked keys, oldest first."""
    own = PublicKey.account_id == account_id
    found = tx.session.scalars(select(PublicKey).where(own))
    return sorted(found, key=lambda key: (key.made_at, key.kid))


def find_key(tx: ReadTransaction, account_id: UUID, kid: str) -> PublicKey | None:
    """Return a current or former public key of an account, or None if not found."""
    own = (PublicKey.account_id == account_id) & (PublicKey.kid == kid)
    return tx.session.scalar(select(PublicKey).where(own))


def get_public_key(tx: ReadTransaction, key_id: UUID) -> PublicKey:
    """Return a public key of any account, or raise NotFound (404)."""
    found = tx.session.get(PublicKey, key_id)
    if found is None:
        raise NotFound("There is no such account or key, or you may not see it.")
    return found


def is_redeemed(key: Any) -> ColumnElement[bool]:
    """Return an SQL condition for keys that do not wait for a link to be redeemed."""
    until: ColumnElement[Any] | None = getattr(key, "link_until", None)
    return true() if until is None else until.is_(None)


def list_key_endings(session: Session, now: datetime) -> list[datetime]:
    """List the expiry times of keys that expire within two weeks and have no successor.

    Without a successor, the account would lose its access. Keys that were issued for at
    most two weeks are left out, because their expiry was intended.
    """
    moments = list[datetime]()
    for kind in KEY_CLASSES:
        later = aliased(kind)
        lasts = exists().where(
            later.account_id == kind.account_id,
            later.revoked_at.is_(None),
            later.expires_at > now + NOTICE_PERIOD,
            is_redeemed(later),
        )
        soon = kind.expires_at.between(now, now + NOTICE_PERIOD) & kind.revoked_at.is_(None)
        wanted = (soon, ~lasts, is_redeemed(kind))
        found = select(kind.made_at, kind.expires_at).join(Account).where(*wanted)
        rows = session.execute(found.where(Account.disabled_at.is_(None)))
        moments += [end for made, end in rows if end - made > NOTICE_PERIOD]
    return sorted(moments)


def is_usable_after(
    kind: type[ApiKey | PublicKey], moment: datetime
) -> ColumnElement[bool]:
    """Return an SQL condition for the keys that were still valid after the given time."""
    revoked = kind.revoked_at.is_(None) | (kind.revoked_at > moment)
    return revoked & (kind.expires_at > moment)
