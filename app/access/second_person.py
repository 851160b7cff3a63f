"""Rules that decide which account may be the second person of an approval (R14).

The rules compare persons, because one person can have several accounts (ADR 66).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access import machine_keys, people
from app.access.models import Account, ApiKey, Approval, PublicKey
from app.access.protected_tables import KEY_TABLES
from app.access.row_verification import (
    load_complete_group,
    require_authentic_account,
)
from app.directory import queries as directory_queries
from app.kernel.actors import AccountKind
from app.kernel.lifecycle import RoleMissing
from app.kernel.macs import NotAuthentic
from app.kernel.problems import Problem
from app.kernel.recall import load_once
from app.kernel.transactions import ReadTransaction


class NotASecondPerson(Problem):
    """The account that asked cannot approve, and neither can a machine."""

    status = 409


def require_second_person(tx: ReadTransaction, approval: Approval) -> None:
    """Raise NotASecondPerson (409) or RoleMissing (403) unless the caller may decide (R14).

    The caller may not decide about their own request, accounts or focal point. The same
    applies if an account of the caller has seen or registered a key of an account of the
    person who asked, or the reverse, because one person could then act as both.
    """
    asker, own = approval.asked_by, tx.actor.account_id
    if asker == own or tx.actor.kind != AccountKind.PERSON:
        raise NotASecondPerson("Another person of your office has to decide.")
    if is_about_caller(tx, approval) or may_be_same_person(tx, asker):
        raise NotASecondPerson(
            "The account that asked is yours, or the approval is about you, or you made or "
            "registered a key of the account that asked, or that account made or "
            "registered a key of yours. Another person has to decide."
        )
    if not set(approval.roles) & tx.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(approval.roles)}.")
    office = directory_queries.by_id(tx, tx.actor.focal_point_id).code
    if approval.subject == f"focal-points/{office}":
        raise NotASecondPerson("Another office has to decide about your office.")


def is_about_caller(tx: ReadTransaction, approval: Approval) -> bool:
    """Return whether an approval is about an existing or new account of the caller."""
    own = {f"accounts/{account}" for account in people.list_own_accounts(tx)}
    opens_for = approval.facts.get("person")
    return approval.subject in own or opens_for == str(tx.actor.person_id)


def require_other_person(tx: ReadTransaction, *accounts: UUID | None) -> None:
    """Raise NotASecondPerson (409) if the caller may be the person of one of the accounts.

    The error is also raised for a machine, because it can never be a second person.
    """
    same = any(one and may_be_same_person(tx, one) for one in accounts)
    if same or tx.actor.kind != AccountKind.PERSON:
        raise NotASecondPerson("A person who had no part in this has to decide.")


def may_decide(tx: ReadTransaction, approval: Approval) -> bool:
    """Return whether the caller may decide about an approval as the second person."""
    try:
        require_second_person(tx, approval)
    except (NotASecondPerson, RoleMissing, NotAuthentic):
        return False
    return True


def is_still_allowed(tx: ReadTransaction, request: Approval) -> bool:
    """Return whether the account that approved a request is enabled and may approve it.

    An account of the caller's own person may not, because the caller asked. Its person may
    have changed after the approval. Raises NotAuthentic if the account was altered outside
    the service.
    """
    second = (Account.id == request.decided_by) & Account.disabled_at.is_(None)
    found = tx.session.scalar(select(Account).where(second))
    if found is None or found.id in people.list_own_accounts(tx):
        return False
    require_authentic_account(tx.session, found)
    return bool(set(request.roles) & set(found.roles))


def may_be_same_person(tx: ReadTransaction, account_id: UUID) -> bool:
    """Return whether the caller and another account may be used by the same person.

    This is so if both accounts belong to one person, or if an account of one person has
    seen or registered a key of an account of the other. A key that ended a few minutes ago
    counts, because a request that uses it may still run. Raises NotAuthentic if an account
    or a key was altered or deleted outside the service.
    """
    own = people.list_own_accounts(tx)
    others = people.list_accounts_of_same_person(tx, account_id)
    if own & others:
        return True
    moment = tx.now - machine_keys.IN_TRANSIT
    return any(
        was_usable_after(key, moment) and key["made_by"] in makers
        for accounts, makers in ((own, others), (others, own))
        for account in sorted(accounts)
        for key in load_keys(tx, account)
    )


@load_once(Account, ApiKey, PublicKey)
def load_keys(tx: ReadTransaction, account_id: UUID) -> list[Mapping[str, Any]]:
    """Return the columns of all API keys and public keys of an account, also ended ones.

    Raises NotAuthentic if a key was altered or deleted outside the service.
    """
    return [row for _, row in load_complete_group(tx.session, account_id, *KEY_TABLES)]


def was_usable_after(key: Mapping[str, Any], moment: datetime) -> bool:
    """Return whether a key, or the link with which it is made, was valid after a time."""
    ends = (key["expires_at"], key["revoked_at"], key.get("link_until"))
    return all(end is None or end > moment for end in ends)
