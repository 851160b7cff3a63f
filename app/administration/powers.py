"""Who may change whose account, and whom it takes besides: pure (R14, LIFECYCLES.md 6).

A grant or a key takes two people, for the first of them may be corrupt. Taking away takes
one, and counts from the next request on: whoever lost a key must not wait for a colleague.
"""

from collections.abc import Set as AbstractSet
from typing import Final
from uuid import UUID

from app.kernel.actors import AccountKind, Actor, Role

OFFICE_ROLES: Final = frozenset(
    {Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR, Role.SUPERVISOR}
)
"""What a supervisor may give to the people of the own office, and take from them."""

OVERSIGHT_ROLES: Final = frozenset({Role.PROTECTION_OFFICER, Role.ANALYST})
"""What only people of an overseeing body may be."""

MACHINE_ROLES: Final = OFFICE_ROLES - {Role.SUPERVISOR}
"""What a machine may be: never a second person."""


def may_see_accounts(actor: Actor, focal_point_id: UUID) -> bool:
    """Say whether the accounts of a focal point are shown to an actor."""
    if Role.ADMINISTRATOR in actor.roles:
        return True
    return Role.SUPERVISOR in actor.roles and actor.focal_point_id == focal_point_id


def may_change_account(
    actor: Actor, focal_point_id: UUID, roles: AbstractSet[Role]
) -> bool:
    """Say whether an actor may change an account that has, or would have, these roles."""
    if actor.kind != AccountKind.PERSON or not may_see_accounts(actor, focal_point_id):
        return False
    return Role.ADMINISTRATOR in actor.roles or roles <= OFFICE_ROLES


def get_deciders(roles: AbstractSet[Role]) -> frozenset[Role]:
    """Say who may allow what gives an account with these roles more than it had."""
    local = {Role.SUPERVISOR} if roles <= OFFICE_ROLES else set[Role]()
    return frozenset({Role.ADMINISTRATOR, *local})


def describe_conflict(
    roles: AbstractSet[Role], kind: AccountKind, *, oversees: bool
) -> str | None:
    """Say why an account cannot have these roles; None: it can."""
    if kind == AccountKind.INTEGRATION and not roles <= MACHINE_ROLES:
        return "A machine works as officer, caseworker or coordinator alone."
    if roles & OVERSIGHT_ROLES and not oversees:
        return "A protection officer and an analyst are of an overseeing body."
    return None
