"""Changes to accounts and their roles (R14, R21). Nobody can grant a right to themselves.

Two people create an account or grant a role; one person can revoke. An approval covers the
request and the state of the account; if one of the two changes, a new approval is needed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from app.access import actions as access_actions
from app.access import approvals as access_approvals
from app.access import people
from app.access import queries as access_queries
from app.access.actions import AccountSpec, RolesIncompatible
from app.access.approvals import ApprovalRequest
from app.access.kept_requests import KeptRequest
from app.access.models import Account, Approval
from app.access.schemas import AccountInput
from app.administration import account_people, account_permissions
from app.deadlines import actions as deadline_actions
from app.deadlines.limits import DeadlineKind
from app.deadlines.queries import compute_due_at
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind
from app.directory.models import FocalPoint
from app.kernel.actors import AccountKind, Role
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound, Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction

MANAGERS: Final = frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR})


class AccountDisabled(Problem):
    """The account or the API key is no longer valid, and cannot be restored."""

    status = 409


@dataclass(frozen=True)
class GuardedChange:
    """A change that needs the approval of a second person."""

    action: str
    subject: str
    office: FocalPoint
    roles: frozenset[Role]
    details: Mapping[str, Any]
    body: dict[str, Any] | None = None
    """The body to keep for the second person; None if the response contains a secret."""


def require_manager(tx: ReadTransaction) -> None:
    """Raise RoleMissing (403) unless the caller is an administrator or a supervisor."""
    if not MANAGERS & tx.actor.roles:
        raise RoleMissing("This needs the role administrator or supervisor.")


def get_office(tx: ReadTransaction, code: str | None) -> FocalPoint:
    """Return an office whose accounts the caller may see, by default the caller's own."""
    require_manager(tx)
    if code is None:
        return directory_queries.by_id(tx, tx.actor.focal_point_id)
    found = directory_queries.get_by_code(tx, code)
    if not account_permissions.may_see_accounts(tx.actor, found.id):
        raise NotFound("There is no such focal point.")
    return found


def find(tx: ReadTransaction, account_id: UUID) -> Account:
    """Return the caller's own account, or another account that the caller may see.

    Raises NotFound (404) if the account is unknown or not visible. A caller without a role
    that manages accounts gets RoleMissing (403) for every other account, known or not.
    """
    if account_id != tx.actor.account_id:
        require_manager(tx)
    return require_visible(tx, access_queries.get_account(tx, account_id))


def lock(tx: WriteTransaction, account_id: UUID) -> Account:
    """Lock and return an account. Raises the same exceptions as `find`."""
    if account_id != tx.actor.account_id:
        require_manager(tx)
    return require_visible(tx, access_queries.lock_account(tx, account_id))


def require_visible(tx: ReadTransaction, account: Account) -> Account:
    """Return the account if the caller may see it, or raise NotFound (404)."""
    own, office = account.id == tx.actor.account_id, account.focal_point_id
    if not own and not account_permissions.may_see_accounts(tx.actor, office):
        raise NotFound("There is no such account or key, or you may not see it.")
    return account


def require_may_change(
    tx: ReadTransaction, focal_point: UUID, roles: frozenset[Role]
) -> None:
    """Raise RoleMissing (403) unless the caller may change an account with these roles."""
    require_manager(tx)
    if not account_permissions.may_change_account(tx.actor, focal_point, roles):
        raise RoleMissing("This needs a person with the role administrator.")


def require_fitting_roles(
    roles: frozenset[Role], kind: AccountKind, focal_point: FocalPoint
) -> None:
    """Raise RolesIncompatible (409) if an account of this kind cannot have the roles."""
    access_actions.require_compatible_roles(roles)
    if conflict := account_permissions.describe_conflict(
        roles, kind, oversees=focal_point.kind == OfficeKind.OVERSIGHT
    ):
        raise RolesIncompatible(conflict)


def get_roles(account: Account) -> frozenset[Role]:
    """Return the roles of an account."""
    return frozenset(Role(name) for name in account.roles)


def lock_to_change(
    tx: WriteTransaction, account_id: UUID, *, more: frozenset[Role] = frozenset()
) -> Account:
    """Lock and return an account that the caller may change.

    `more` contains roles that the account will get. Raises the exceptions of `find`, and
    RoleMissing (403) if the caller may not change an account that also has these roles.
    """
    account = lock(tx, account_id)
    require_may_change(tx, account.focal_point_id, get_roles(account) | more)
    return account


def lock_to_revoke_key(tx: WriteTransaction, account_id: UUID) -> Account:
    """Lock and return the caller's own account, or another that the caller may change."""
    account = lock(tx, account_id)
    if account.id != tx.actor.account_id:
        require_may_change(tx, account.focal_point_id, get_roles(account))
    return account


def lock_to_grant(
    tx: WriteTransaction, account_id: UUID, *, more: frozenset[Role]
) -> Account:
    """Lock and return an account to which the caller may grant a role or a key.

    Raises AboutYourself (409) for an account of the calling person, AccountDisabled (409)
    for a disabled account, and the same exceptions as `lock_to_change`.
    """
    account = lock_to_change(tx, account_id, more=more)
    if account.id in people.list_own_accounts(tx):
        raise account_people.AboutYourself("Two other people have to do this.")
    if account.disabled_at is not None:
        raise AccountDisabled("The account is disabled. Open another account.")
    return account


def ask_or_claim_approval(
    tx: WriteTransaction, matter: GuardedChange, approval: UUID | None
) -> Approval | None:
    """Use the given approval and return None, or request an approval and return it.

    If the same request is still pending, its approval is returned. Raises ApprovalUnusable
    (409) if the given approval does not permit this change.
    """
    details = json.dumps(matter.details, sort_keys=True)
    parts = (matter.action, str(tx.actor.account_id), matter.subject, details)
    fingerprints = tx.vault.list_fingerprints(*(part.encode() for part in parts))
    if approval is not None:
        access_approvals.claim_approval(tx, approval, fingerprints)
        return None
    request = ApprovalRequest(
        action=matter.action,
        subject=matter.subject,
        fingerprints=fingerprints,
        facts={name: format_fact(value) for name, value in matter.details.items()},
        roles=account_permissions.get_deciders(matter.roles),
        lapses_at=compute_due_at(tx, DeadlineKind.APPROVE, None, waits_on=None),
        request=KeptRequest(body=matter.body, after=dict(matter.details)),
        of=matter.office.id,
    )
    return access_approvals.find_or_ask(tx, request)


def format_fact(value: object) -> str:
    """Return a value as text for the second person. The items of a list are joined."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def record_account_event(
    tx: WriteTransaction, account: Account, event: str, **facts: Any
) -> None:
    """Record an event about an account. Its office and oversight receive the event."""
    audience = frozenset({account.focal_point_id}) | directory_queries.list_overseers(tx)
    tx.record(event, account, audience, facts)


def build_change(
    tx: ReadTransaction, account: Account, action: str, details: Mapping[str, Any]
) -> GuardedChange:
    """Build a change to an account, and add the account's current state to its details."""
    office = directory_queries.by_id(tx, account.focal_point_id)
    state = {"label": account.label, "kind": str(account.kind), "has": account.roles}
    return GuardedChange(
        action=action,
        subject=account.reference,
        office=office,
        roles=get_roles(account),
        details={"focal_point": office.code, **state, **details},
    )


def create_account(
    tx: WriteTransaction, new: AccountInput, approval: UUID | None
) -> Account | Approval:
    """Create and return an account; without `approval`, request and return an approval."""
    require_manager(tx)
    focal_point = directory_queries.get_by_code_or_422(tx, new.focal_point)
    roles = frozenset(new.roles)
    require_may_change(tx, focal_point.id, roles)
    require_fitting_roles(roles, new.kind, focal_point)
    account_people.require_person(tx, new, roles)
    asked = new.model_dump(mode="json", exclude_none=True) | {"roles": sorted(roles)}
    matter = GuardedChange("account.open", "accounts", focal_point, roles, asked, asked)
    if pending := ask_or_claim_approval(tx, matter, approval):
        return pending
    spec = AccountSpec(focal_point.id, new.label, roles, new.kind, new.person)
    return add_account(tx, spec)


def add_account(tx: WriteTransaction, opening: AccountSpec) -> Account:
    """Create an account and record the event, or raise RolesIncompatible (409)."""
    account = access_actions.create_account(tx.session, tx.create_id(), opening, tx.now)
    record_account_event(tx, account, "account.created", roles=account.roles)
    return account


def grant_roles(
    tx: WriteTransaction, account_id: UUID, new: frozenset[Role], approval: UUID | None
) -> Account | Approval:
    """Grant roles to an account; without `approval`, request and return an approval.

    If the account already has the roles, it is returned unchanged.
    """
    account = lock_to_grant(tx, account_id, more=new)
    body = {"roles": sorted(new)}
    matter = replace(build_change(tx, account, "account.grant_roles", body), body=body)
    roles = matter.roles | new
    require_fitting_roles(roles, account.kind, matter.office)
    if roles == matter.roles:
        return account
    account_people.require_fitting_person(tx, account.person_id, roles)
    if pending := ask_or_claim_approval(tx, replace(matter, roles=roles), approval):
        return pending
    account.roles = sorted(roles)
    record_account_event(tx, account, "account.roles_granted", roles=sorted(new))
    return account


def revoke_roles(tx: WriteTransaction, account_id: UUID, old: frozenset[Role]) -> Account:
    """Revoke roles of an account, with effect from the next request of the account.

    Unused approvals by or about the account then expire, because one person could use them
    to grant the roles again. Raises the same exceptions as `lock_to_change`.
    """
    account = lock_to_change(tx, account_id)
    if revoked := sorted(get_roles(account) & old):
        account.roles = sorted(get_roles(account) - old)
        access_approvals.expire_unspent(tx, account, asked=False)
        left = access_queries.count_workers(tx, account.focal_point_id)
        facts = {"roles": revoked, "accounts_left": left}
        record_account_event(tx, account, "account.roles_revoked", **facts)
    return account


def disable_account(tx: WriteTransaction, account_id: UUID) -> Account:
    """Disable an account. Raises the same exceptions as `lock_to_change`."""
    account = lock_to_change(tx, account_id)
    end_account(tx, account)
    return account


def end_account(tx: WriteTransaction, account: Account) -> None:
    """Disable an enabled account, and expire unused approvals that it requested or gave.

    The event contains the number of people at the office who can still work on cases, so
    that an administrator can act if there are none.
    """
    if account.disabled_at is not None:
        return
    access_actions.disable_account(tx.session, account.id, tx.now)
    expired = access_approvals.expire_unspent(tx, account, about=False)
    deadline_actions.stop_all(tx, expired)
    left = access_queries.count_workers(tx, account.focal_point_id)
    record_account_event(tx, account, "account.disabled", accounts_left=left)
