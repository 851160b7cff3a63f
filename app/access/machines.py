"""What machines sign with, and what they were given for it."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, exists, or_, select
from sqlalchemy.orm import Session, aliased

from app.access.assertions import Assertion, AssertionRefused
from app.access.models import AccessToken, Account, ApiKey, PublicKey
from app.kernel.actors import AccountKind
from app.kernel.problems import NotFound
from app.kernel.work import Reading

TOKEN_PREFIX: Final = "sct"  # noqa: S105 - what every token begins with
"""How an access token begins; an API key begins with `sc`."""

ACTOR_COLUMNS: Final = (
    *(Account.id, Account.focal_point_id, Account.kind, Account.roles, Account.disabled_at),
)
"""What an actor is made of."""

KEY_CLASSES: Final[tuple[type[ApiKey | PublicKey], ...]] = (ApiKey, PublicKey)
"""What an account signs in with."""

NOTICE_PERIOD: Final = timedelta(days=14)
"""So long before a key ends somebody has to make the next one."""

IN_TRANSIT: Final = timedelta(minutes=5)
"""For how long a request may still be carried out that was signed in with a key before it
ended: its body may take 30 s to come, and its turn some more."""

ACCESS_TOKEN_QUERY: Final = (
    select(AccessToken.hash, AccessToken.scopes, AccessToken.expires_at)
    .add_columns(PublicKey.revoked_at, *ACTOR_COLUMNS)
    .join(PublicKey, PublicKey.id == AccessToken.public_key_id)
    .join(Account, Account.id == PublicKey.account_id)
    .where(AccessToken.prefix == bindparam("prefix"))
)
"""Whose a token is; with the key that it was given for, with which it ends."""


def signer(
    session: Session, said: Assertion, now: datetime, *, lock: bool = False
) -> PublicKey:
    """Find the key that it says it is signed with, if it may be used now.

    Raises AssertionRefused: an unknown client, an unknown key and one that has ended are
    told apart for nobody. To hold the key lets those who use it take turns.
    """
    wanted = (
        select(PublicKey)
        .join(Account, Account.id == PublicKey.account_id)
        .where(
            PublicKey.account_id == said.client,
            PublicKey.kid == said.header.kid,
            PublicKey.revoked_at.is_(None),
            PublicKey.expires_at > now,
            Account.disabled_at.is_(None),
            Account.kind == AccountKind.INTEGRATION,
        )
    )
    held = wanted.with_for_update(of=PublicKey, key_share=True)
    found = session.scalar(held if lock else wanted)
    if found is None:
        raise AssertionRefused
    return found


def is_spent(session: Session, key: PublicKey, assertion: str) -> bool:
    """Say whether an assertion has bought its token."""
    bought = (AccessToken.public_key_id == key.id) & (AccessToken.assertion == assertion)
    return session.scalar(select(AccessToken.prefix).where(bought)) is not None


def public_keys(work: Reading, account_id: UUID) -> list[PublicKey]:
    """List the public keys of an account, ended ones too, oldest first."""
    mine = PublicKey.account_id == account_id
    found = work.session.scalars(select(PublicKey).where(mine))
    return sorted(found, key=lambda key: (key.made_at, key.kid))


def find_key(work: Reading, account_id: UUID, kid: str) -> PublicKey | None:
    """Find a public key that an account has or had."""
    mine = (PublicKey.account_id == account_id) & (PublicKey.kid == kid)
    return work.session.scalar(select(PublicKey).where(mine))


def key_by_id(work: Reading, key_id: UUID) -> PublicKey:
    """Find a public key, whosever it is, or raise NotFound (404)."""
    found = work.session.get(PublicKey, key_id)
    if found is None:
        raise NotFound("There is nothing here that is yours to see.")
    return found


def has_registered_key(work: Reading, one: UUID, other: UUID) -> bool:
    """Say whether one of two accounts registered a key of the other that is still in use.

    Whoever did may have the other half of it, and sign as that machine.
    """
    theirs = or_(
        (PublicKey.account_id == one) & (PublicKey.made_by == other),
        (PublicKey.account_id == other) & (PublicKey.made_by == one),
    )
    usable = is_usable_after(PublicKey, work.now - IN_TRANSIT)
    found = work.session.scalar(select(PublicKey.id).where(theirs, usable).limit(1))
    return found is not None


def ending(session: Session, now: datetime) -> list[datetime]:
    """Say when keys end before long, of accounts that have none to go on with.

    Who signs in with one is refused from one moment to the next, like who guesses. A key
    that was made for days, not weeks, is not counted: its end was meant.
    """
    moments = list[datetime]()
    for kind in KEY_CLASSES:
        later = aliased(kind)
        goes_on = exists().where(
            later.account_id == kind.account_id,
            later.revoked_at.is_(None),
            later.expires_at > now + NOTICE_PERIOD,
        )
        soon = kind.expires_at.between(now, now + NOTICE_PERIOD) & kind.revoked_at.is_(None)
        found = select(kind.made_at, kind.expires_at).join(Account).where(soon, ~goes_on)
        rows = session.execute(found.where(Account.disabled_at.is_(None)))
        moments += [end for made, end in rows if end - made > NOTICE_PERIOD]
    return sorted(moments)


def is_usable_after(
    kind: type[ApiKey | PublicKey], moment: datetime
) -> ColumnElement[bool]:
    """Choose the keys that had not ended by a moment."""
    revoked = kind.revoked_at.is_(None) | (kind.revoked_at > moment)
    return revoked & (kind.expires_at > moment)
