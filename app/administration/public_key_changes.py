"""Changes to public keys. Two people register a key; one can revoke it (R14, R21, R26).

To replace a key, register the new key, let the machine sign with it, and then revoke the
old key. Both keys are valid in the meantime.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from app.access import approvals as access_approvals
from app.access import machine_keys
from app.access.models import Account, Approval, PublicKey
from app.access.protected_tables import PUBLIC_KEYS
from app.access.row_protection import drop_unmatched
from app.access.row_verification import load_complete_group
from app.access.schemas import PublicKeyInput
from app.administration.account_changes import (
    ask_or_claim_approval,
    build_change,
    lock_to_grant,
    lock_to_revoke_key,
    record_account_event,
)
from app.deadlines import actions as deadline_actions
from app.kernel.actors import AccountKind
from app.kernel.problems import NotFound, Problem
from app.kernel.transactions import WriteTransaction


class NotAMachine(Problem):
    """Only a machine has public keys; the account of a person has API keys."""

    status = 409


class PublicKeyKnown(Problem):
    """The account has, or had, this public key already."""

    status = 409


def register_public_key(
    tx: WriteTransaction, account_id: UUID, new: PublicKeyInput, approval: UUID | None
) -> PublicKey | Approval:
    """Register a machine's key; without `approval`, request and return an approval.

    Raises NotAuthentic if a key of the account was altered or hidden outside the service,
    because a revoked key could otherwise be registered again.
    """
    account = lock_to_grant(tx, account_id, more=frozenset())
    if account.kind != AccountKind.INTEGRATION:
        raise NotAMachine("Open an account of kind `integration` for the machine.")
    kid = new.jwk.thumbprint
    known = load_complete_group(tx.session, account.id, PUBLIC_KEYS)
    if any(row["kid"] == kid for _, row in known):
        raise PublicKeyKnown("Make another key pair; a revoked key cannot be used again.")
    details = {"kid": kid, "scopes": sorted(set(new.scopes)), "days": new.days}
    matter = replace(
        build_change(tx, account, "account.register_public_key", details),
        body=new.model_dump(mode="json", exclude_unset=True),
    )
    if pending := ask_or_claim_approval(tx, matter, approval):
        return pending
    return add_public_key(tx, account, new)


def add_public_key(
    tx: WriteTransaction, account: Account, new: PublicKeyInput
) -> PublicKey:
    """Add a public key to an account and record the event."""
    key = PublicKey(
        id=tx.create_id(),
        account_id=account.id,
        kid=new.jwk.thumbprint,
        alg=new.jwk.alg,
        jwk=new.jwk.core,
        scopes=sorted(set(new.scopes)),
        made_at=tx.now,
        expires_at=tx.now + timedelta(days=new.days),
        made_by=tx.actor.account_id,
    )
    tx.session.add(key)
    record_account_event(tx, account, "account.public_key_registered")
    return key


def revoke_public_key(tx: WriteTransaction, account_id: UUID, kid: str) -> PublicKey:
    """Revoke a public key and its tokens, or raise NotFound (404).

    Unused approvals about the account expire, so that a new key needs a new approval.
    Unused approvals that the account requested or gave expire too, because the key may have
    been stolen. If the key is already revoked, nothing changes.
    """
    account = lock_to_revoke_key(tx, account_id)
    drop_unmatched(tx.session, Account, account.id)
    key = machine_keys.find_key(tx, account.id, kid)
    if key is None:
        raise NotFound("There is no such account or key, or you may not see it.")
    if key.revoked_at is None:
        key.revoked_at = tx.now
        expired = access_approvals.expire_unspent(tx, account)
        deadline_actions.stop_all(tx, expired)
        record_account_event(tx, account, "account.public_key_revoked")
    return key
