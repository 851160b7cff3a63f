"""API keys over HTTP: made by two people, revoked by one, and shown once (R14, R21)."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.access import actions as access
from app.access import credentials, queries
from app.access.models import Account, ApiKey, Approval
from app.access.schemas import NewKey, Rotation
from app.administration.account_changes import (
    AccountEnded,
    GuardedChange,
    ask_or_claim_approval,
    describe_account,
    get_roles,
    lock,
    lock_to_grant,
    record_account_event,
    require_may_change,
)
from app.kernel.actors import Scope
from app.kernel.transactions import Writing


@dataclass(frozen=True)
class MadeKey:
    """An API key and its secret; the secret is None for a retry, which must not see it."""

    row: ApiKey
    secret: str | None

    @property
    def id(self) -> UUID:
        """The id by which a retry finds the key."""
        return self.row.id


def make_key(
    work: Writing, account_id: UUID, new: NewKey, approval: UUID | None
) -> MadeKey | Approval:
    """Make an API key for an account, or request the approval of a second person.

    Raises as `lock_to_grant` and `ask_or_claim_approval` do.
    """
    account = lock_to_grant(work, account_id, more=frozenset())
    focal_point, state = describe_account(work, account)
    details = state | {"scopes": sorted(set(new.scopes)), "days": new.days}
    matter = GuardedChange(
        action="account.make_key",
        subject=account.reference,
        office=focal_point,
        roles=get_roles(account),
        details=details,
    )
    if pending := ask_or_claim_approval(work, matter, approval):
        return pending
    return add_key(work, account, frozenset(new.scopes), new.days, "account.key_made")


def add_key(
    work: Writing, account: Account, scopes: frozenset[Scope], days: int, event: str
) -> MadeKey:
    """Make a key, store the account that is shown it, and record the event."""
    secret = access.make_key(work.session, account.id, scopes, work.now, days=days)
    row = queries.get_key(work, account.id, credentials.get_prefix(secret))
    row.made_by = None if work.actor.is_system else work.actor.account_id
    record_account_event(work, account, event)
    return MadeKey(row, secret)


def rotate_key(
    work: Writing, account_id: UUID, prefix: str, rotation: Rotation, approval: UUID | None
) -> MadeKey | Approval:
    """Make a key that replaces another, or request the approval of a second person.

    The old key stays valid for `overlap_hours`, but not beyond its own end. Raises as
    `lock_to_grant` and `ask_or_claim_approval` do, and AccountEnded (409) for a key that is
    no longer valid.
    """
    account = lock_to_grant(work, account_id, more=frozenset())
    old = queries.get_key(work, account.id, prefix)
    ended = (old.revoked_at, account.disabled_at)
    if not credentials.is_live(work.now, old.expires_at, *ended):
        raise AccountEnded("The key is no longer valid. Make a new key.")
    focal_point, state = describe_account(work, account)
    details = state | {"key": prefix, "scopes": old.scopes} | rotation.model_dump()
    matter = GuardedChange(
        action="account.rotate_key",
        subject=account.reference,
        office=focal_point,
        roles=get_roles(account),
        details=details,
    )
    if pending := ask_or_claim_approval(work, matter, approval):
        return pending
    scopes = frozenset(Scope(name) for name in old.scopes)
    new = add_key(work, account, scopes, rotation.days, "account.key_rotated")
    old.expires_at = min(old.expires_at, work.now + timedelta(hours=rotation.overlap_hours))
    return new


def revoke_key(work: Writing, account_id: UUID, prefix: str) -> ApiKey:
    """Revoke an API key, from the next request on; raises as `lock_to_change` does.

    The account itself may do this, and any account that may change it.
    """
    account = lock(work, account_id)
    if account.id != work.actor.account_id:
        require_may_change(work, account.focal_point_id, get_roles(account))
    key = queries.get_key(work, account.id, prefix)
    end_key(work, account, key)
    return key


def end_key(work: Writing, account: Account, key: ApiKey) -> None:
    """Revoke a key and record the event.

    Unused approvals by the account or about it expire, because the key may have been
    stolen, and because a new key has to be approved after the revocation.
    """
    if key.revoked_at is None:
        access.revoke_key(work.session, key.prefix, work.now)
        access.expire_unspent(work, queries.is_allowed_by_or_about(account))
        record_account_event(work, account, "account.key_revoked")
