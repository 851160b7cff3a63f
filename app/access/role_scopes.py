"""The scopes that the roles of an account allow (LIFECYCLES.md, 6)."""

from collections.abc import Set as AbstractSet
from typing import Final

from app.kernel.actors import Role, Scope

ADMINISTRATOR_SCOPES: Final = frozenset(
    {
        Scope.DIRECTORY_READ,
        Scope.DIRECTORY_WRITE,
        Scope.APPROVALS_WRITE,
        Scope.ACCOUNTS_READ,
        Scope.ACCOUNTS_WRITE,
        Scope.WEBHOOKS_READ,
        Scope.WEBHOOKS_WRITE,
    }
)
"""The scopes that the key of an administrator can use. They give no access to cases."""
ANALYST_SCOPES: Final = frozenset({Scope.STATISTICS_READ, Scope.DIRECTORY_READ})
"""The scopes that the key of an analyst without other roles can use."""


def get_allowed_scopes(roles: AbstractSet[Role]) -> frozenset[Scope]:
    """Return the scopes that the keys of an account with these roles can use."""
    if Role.ADMINISTRATOR in roles:
        return ADMINISTRATOR_SCOPES
    if roles <= {Role.ANALYST}:
        return ANALYST_SCOPES if roles else frozenset()
    return frozenset(Scope)
