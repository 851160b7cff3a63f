"""What machines sign with: registered by two people, ended by one (R14, R21, R26).

To change over, register the next key, let the machine sign with it, and revoke the old one:
both are valid meanwhile.
"""

from datetime import timedelta
from uuid import UUID

from app.access import actions as access
from app.access import machines, queries
from app.access.models import Account, Approval, PublicKey
from app.access.schemas import NewPublicKey
from app.administration.staffing import (
    Matter,
    describe_account,
    get_roles,
    lock,
    lock_to_grant,
    must_change,
    record_account_event,
    second,
)
from app.kernel.actors import AccountKind
from app.kernel.problems import NotFound, Problem
from app.kernel.work import Writing


class NotAMachine(Problem):
    """Only a machine signs: the account of a person has API keys."""

    status = 409


class PublicKeyKnown(Problem):
    """The account has, or had, this very public key."""

    status = 409


def register_public_key(
    work: Writing, account_id: UUID, new: NewPublicKey, approval: UUID | None
) -> PublicKey | Approval:
    """Register what a machine signs with, or ask a second person to allow it.

    Raises what `to_give` and `second` do, NotAMachine or PublicKeyKnown (409).
    """
    account = lock_to_grant(work, account_id, more=frozenset())
    if account.kind != AccountKind.INTEGRATION:
        raise NotAMachine("Open an account of kind `integration` for it.")
    kid = new.jwk.thumbprint
    if machines.find_key(work, account.id, kid) is not None:
        raise PublicKeyKnown("Make another pair; one that was revoked never comes back.")
    of, now = describe_account(work, account)
    asked = {"kid": kid, "scopes": sorted(set(new.scopes)), "days": new.days}
    name = "account.register_public_key"
    matter = Matter(name, account.reference, of, get_roles(account), now | asked)
    if question := second(work, matter, approval):
        return question
    return add_public_key(work, account, new)


def add_public_key(work: Writing, account: Account, new: NewPublicKey) -> PublicKey:
    """Register a public key, and say so."""
    key = PublicKey(
        id=work.new_id(),
        account_id=account.id,
        kid=new.jwk.thumbprint,
        alg=new.jwk.alg,
        jwk=new.jwk.core,
        scopes=sorted(set(new.scopes)),
        made_at=work.now,
        expires_at=work.now + timedelta(days=new.days),
        made_by=work.actor.account_id,
    )
    work.session.add(key)
    record_account_event(work, account, "account.public_key_registered")
    return key


def revoke_public_key(work: Writing, account_id: UUID, kid: str) -> PublicKey:
    """End a public key with its tokens, from the next request on; raises as `held` does.

    Whoever may change the account does, or has it. Another one takes two people who agree
    from now on.
    """
    account = lock(work, account_id)
    if account.id != work.actor.account_id:
        must_change(work, account.focal_point_id, get_roles(account))
    key = machines.find_key(work, account.id, kid)
    if key is None:
        raise NotFound("There is nothing here that is yours to see.")
    if key.revoked_at is None:
        key.revoked_at = work.now
        access.expire_unspent(work, queries.is_about(account))
        record_account_event(work, account, "account.public_key_revoked")
    return key
