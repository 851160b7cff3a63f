"""Changes to API keys. Two people create a key; one person can revoke it (R14, R21)."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.access import actions as access_actions
from app.access import approvals as access_approvals
from app.access import credentials
from app.access import queries as access_queries
from app.access.actions import LINK_PREFIX
from app.access.models import Account, ApiKey, Approval
from app.access.row_protection import drop_unmatched
from app.access.row_verification import is_authentic
from app.access.schemas import KeyInput, Rotation
from app.administration.account_changes import (
    AccountDisabled,
    ask_or_claim_approval,
    build_change,
    lock_to_grant,
    lock_to_revoke_key,
    record_account_event,
)
from app.deadlines import actions as deadline_actions
from app.kernel.actors import Scope
from app.kernel.transactions import WriteTransaction


@dataclass(frozen=True)
class MadeKey:
    """An API key and its secret or link. `secret` is None in the response to a retry."""

    row: ApiKey
    secret: str | None

    @property
    def id(self) -> UUID:
        """The id of the API key. A retried request finds the key by this id."""
        return self.row.id


@dataclass(frozen=True)
class KeyTerms:
    """The scopes of a key, its validity in days, and whether it has a link (ADR 86)."""

    scopes: frozenset[Scope]
    days: int
    by_link: bool = False


def create_key(
    tx: WriteTransaction, account_id: UUID, new: KeyInput, approval: UUID | None
) -> MadeKey | Approval:
    """Create an API key with a link; without `approval`, request and return an approval."""
    account = lock_to_grant(tx, account_id, more=frozenset())
    details = {"scopes": sorted(set(new.scopes)), "days": new.days}
    matter = build_change(tx, account, "account.make_key", details)
    if pending := ask_or_claim_approval(tx, matter, approval):
        return pending
    terms = KeyTerms(frozenset(new.scopes), new.days, by_link=True)
    return add_key(tx, account, terms, "account.key_created")


def add_key(tx: WriteTransaction, account: Account, terms: KeyTerms, event: str) -> MadeKey:
    """Add an API key to an account, store its creator, and record the event."""
    secret = access_actions.create_key(
        tx.session,
        account.id,
        terms.scopes,
        tx.now,
        days=terms.days,
        by_link=terms.by_link,
    )
    prefix = credentials.get_prefix(secret, {credentials.API_KEY, LINK_PREFIX})
    row = access_queries.get_key(tx, account.id, prefix)
    row.made_by = None if tx.actor.is_system else tx.actor.account_id
    record_account_event(tx, account, event, prefix=prefix)
    return MadeKey(row, secret)


def rotate_key(
    tx: WriteTransaction,
    account_id: UUID,
    prefix: str,
    rotation: Rotation,
    approval: UUID | None,
) -> MadeKey | Approval:
    """Create an API key with a link, to replace another key of the account.

    Without `approval`, request and return an approval instead. The old key expires after
    `overlap_hours`, unless it expires earlier anyway. If `overlap_hours` is 0, unused
    approvals expire too, as in `expire_approvals`. Raises AccountDisabled (409) if the old
    key is no longer valid.
    """
    account = lock_to_grant(tx, account_id, more=frozenset())
    old = access_queries.get_key(tx, account.id, prefix)
    ended = (old.revoked_at, account.disabled_at)
    if not is_authentic(tx.session, old) or not credentials.is_live(
        tx.now, old.expires_at, *ended
    ):
        raise AccountDisabled("The key is no longer valid. Make a new key.")
    details = {"key": prefix, "scopes": old.scopes, **rotation.model_dump()}
    matter = build_change(tx, account, "account.rotate_key", details)
    if pending := ask_or_claim_approval(tx, matter, approval):
        return pending
    scopes = frozenset(Scope(name) for name in old.scopes)
    terms = KeyTerms(scopes, rotation.days, by_link=True)
    new = add_key(tx, account, terms, "account.key_rotated")
    old.expires_at = min(old.expires_at, tx.now + timedelta(hours=rotation.overlap_hours))
    if not rotation.overlap_hours:
        expire_approvals(tx, account)
    return new


def revoke_key(tx: WriteTransaction, account_id: UUID, prefix: str) -> ApiKey:
    """Revoke a key of the caller's account, or of an account that the caller may change."""
    account = lock_to_revoke_key(tx, account_id)
    drop_unmatched(tx.session, Account, account.id)
    key = access_queries.get_key(tx, account.id, prefix)
    end_key(tx, account, key)
    return key


def expire_approvals(tx: WriteTransaction, account: Account) -> None:
    """Expire unused approvals that an account requested or gave, or that are about it."""
    expired = access_approvals.expire_unspent(tx, account)
    deadline_actions.stop_all(tx, expired)


def end_key(tx: WriteTransaction, account: Account, key: ApiKey) -> None:
    """Revoke a key and record the event. If the key is already revoked, do nothing.

    Unused approvals expire (`expire_approvals`), because the key may have been stolen.
    """
    if key.revoked_at is None:
        access_actions.revoke_key(tx.session, key.prefix, tx.now)
        expire_approvals(tx, account)
        record_account_event(tx, account, "account.key_revoked", prefix=key.prefix)
