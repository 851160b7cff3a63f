"""API keys: made by two people, ended by one, and shown once (R14, R21)."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.access import actions as access
from app.access import credentials, queries
from app.access.models import Account, ApiKey, Approval
from app.access.schemas import NewKey, Rotation
from app.administration.staffing import (
    AccountEnded,
    Matter,
    describe_account,
    get_roles,
    lock,
    lock_to_grant,
    must_change,
    record_account_event,
    second,
)
from app.kernel.actors import Scope
from app.kernel.work import Writing


@dataclass(frozen=True)
class MadeKey:
    """A key, and itself for the only time; None: it was shown before."""

    row: ApiKey
    secret: str | None

    @property
    def id(self) -> UUID:
        """What a retry finds it by."""
        return self.row.id


def make_key(
    work: Writing, account_id: UUID, new: NewKey, approval: UUID | None
) -> MadeKey | Approval:
    """Make an account a key, or ask a second person to allow it.

    Raises what `to_give` and `second` do.
    """
    account = lock_to_grant(work, account_id, more=frozenset())
    of, now = describe_account(work, account)
    said = now | {"scopes": sorted(set(new.scopes)), "days": new.days}
    matter = Matter("account.make_key", account.reference, of, get_roles(account), said)
    if question := second(work, matter, approval):
        return question
    return add_key(work, account, frozenset(new.scopes), new.days, "account.key_made")


def add_key(
    work: Writing, account: Account, scopes: frozenset[Scope], days: int, event: str
) -> MadeKey:
    """Make a key and say so; whoever is shown it is kept with it."""
    secret = access.make_key(work.session, account.id, scopes, work.now, days=days)
    row = queries.get_key(work, account.id, credentials.prefix_of(secret))
    row.made_by = None if work.actor.is_system else work.actor.account_id
    record_account_event(work, account, event)
    return MadeKey(row, secret)


def rotate_key(
    work: Writing, account_id: UUID, prefix: str, how: Rotation, approval: UUID | None
) -> MadeKey | Approval:
    """Make a key in place of another, or ask a second person to allow it.

    The old one goes on for the hours that are asked for, never longer than it would have.
    Raises what `to_give` and `second` do, and AccountEnded (409) for a key that has ended.
    """
    account = lock_to_grant(work, account_id, more=frozenset())
    old = queries.get_key(work, account.id, prefix)
    ended = (old.revoked_at, account.disabled_at)
    if not credentials.is_live(work.now, old.expires_at, *ended):
        raise AccountEnded("Make a new key.")
    of, now = describe_account(work, account)
    said = now | {"key": prefix, "scopes": old.scopes} | how.model_dump()
    matter = Matter("account.rotate_key", account.reference, of, get_roles(account), said)
    if question := second(work, matter, approval):
        return question
    scopes = frozenset(Scope(name) for name in old.scopes)
    new = add_key(work, account, scopes, how.days, "account.key_rotated")
    old.expires_at = min(old.expires_at, work.now + timedelta(hours=how.overlap_hours))
    return new


def revoke_key(work: Writing, account_id: UUID, prefix: str) -> ApiKey:
    """End a key, from the next request on: whoever may change the account, or has it.

    Raises as `held` does.
    """
    account = lock(work, account_id)
    if account.id != work.actor.account_id:
        must_change(work, account.focal_point_id, get_roles(account))
    key = queries.get_key(work, account.id, prefix)
    end_key(work, account, key)
    return key


def end_key(work: Writing, account: Account, key: ApiKey) -> None:
    """End a key, and say so; another one takes two people who agree from now on.

    What the account allowed is allowed no more: it may have been a thief, with the key.
    """
    if key.revoked_at is None:
        access.revoke_key(work.session, key.prefix, work.now)
        access.expire_unspent(work, queries.is_allowed_by_or_about(account))
        record_account_event(work, account, "account.key_revoked")
