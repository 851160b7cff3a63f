"""Pure functions that decide who may see and change accounts (R14, LIFECYCLES.md 6).

Two people are needed to grant a role or a key, because one person may be corrupt. One
person is enough to revoke, because a lost key must be revoked at once.
"""

from collections.abc import Set as AbstractSet
from typing import Final
from uuid import UUID

from app.kernel.actors import AccountKind, Actor, Role

OFFICE_ROLES: Final = frozenset(
    {Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR, Role.SUPERVISOR}
)
"""Roles that a supervisor may grant and revoke in their own office."""

OVERSIGHT_ROLES: Final = frozenset({Role.PROTECTION_OFFICER, Role.ANALYST})
"""Roles that only accounts of an oversight body may have."""

MACHINE_ROLES: Final = OFFICE_ROLES - {Role.SUPERVISOR}
"""Roles that a machine may have. A machine is never the second person."""


def may_see_accounts(actor: Actor, focal_point_id: UUID) -> bool:
    """Return whether an actor may see the accounts of a focal point."""
    if Role.ADMINISTRATOR in actor.roles:
        return True
    return Role.SUPERVISOR in actor.roles and actor.focal_point_id == focal_point_id


def may_change_account(
    actor: Actor, focal_point_id: UUID, roles: AbstractSet[Role]
) -> bool:
    """Return whether an actor may change an account that has, or will have, these roles."""
    if actor.kind != AccountKind.PERSON or not may_see_accounts(actor, focal_point_id):
        return False
    return Role.ADMINISTRATOR in actor.roles or roles <= OFFICE_ROLES


def get_deciders(roles: AbstractSet[Role]) -> frozenset[Role]:
    """Return the roles that may approve a grant to an account with these roles."""
    local = {Role.SUPERVISOR} if roles <= OFFICE_ROLES else set[Role]()
    return frozenset({Role.ADMINISTRATOR, *local})


def describe_conflict(
    roles: AbstractSet[Role], kind: AccountKind, *, oversees: bool
) -> str | None:
    """Return the reason why an account cannot have these roles, or None if it can."""
    if kind == AccountKind.INTEGRATION and not roles <= MACHINE_ROLES:
        return "A machine can only be an officer, caseworker or coordinator."
    if roles & OVERSIGHT_ROLES and not oversees:
        return "Only an oversight body has protection officers and analysts."
    return None
