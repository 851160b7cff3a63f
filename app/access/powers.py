"""Which scopes a key can have in whose hands: pure (LIFECYCLES.md, 6)."""

from collections.abc import Set as AbstractSet
from typing import Final

from app.kernel.actors import Role, Scope

ADMINISTERS: Final = frozenset(
    {
        *(Scope.DIRECTORY_READ, Scope.DIRECTORY_WRITE, Scope.APPROVALS_WRITE),
        *(Scope.ACCOUNTS_READ, Scope.ACCOUNTS_WRITE),
        *(Scope.WEBHOOKS_READ, Scope.WEBHOOKS_WRITE),
    }
)
"""All that an administrator may do, whatever its key says: no case content."""

ANALYST_SCOPES: Final = frozenset({Scope.STATISTICS_READ, Scope.DIRECTORY_READ})
"""All that an analyst may do who is nothing else: numbers alone, and no case."""


def get_allowed_scopes(roles: AbstractSet[Role]) -> frozenset[Scope]:
    """Say which scopes a key can have in the hands of an account with these roles."""
    if Role.ADMINISTRATOR in roles:
        return ADMINISTERS
    if roles <= {Role.ANALYST}:
        return ANALYST_SCOPES if roles else frozenset()
    return frozenset(Scope)
