"""Tables of docs/setup.md: the tasks of offices, and the scopes of keys."""

from typing import Final

from app.access.role_scopes import get_allowed_scopes
from app.api.http.openapi import SCOPE_DESCRIPTIONS
from app.cli.staffing import OFFICE_TASKS
from app.kernel.actors import Role, Scope

NOBODY: Final = "not needed"
"""The text for a task that needs no second person."""


def render_office_tasks() -> list[str]:
    """Return a table of the tasks of offices, with the roles that each needs."""
    rows = [
        f"| {one.office} | {one.task} | {render_roles(one.roles)} "
        f"| {render_roles(one.approvers) or NOBODY} |"
        for one in OFFICE_TASKS
    ]
    head = [
        "| office | task | account with the role | second person |",
        "|---|---|---|---|",
    ]
    return [*head, *rows]


def render_roles(roles: frozenset[Role]) -> str:
    """Return the roles joined by "or", or an empty string if there are none."""
    return " or ".join(f"`{role}`" for role in Role if role in roles)


def render_scopes() -> list[str]:
    """Return a table of the scopes, with descriptions and the roles that exclude them."""
    rows = [
        f"| `{scope}` | {SCOPE_DESCRIPTIONS[scope]} | {render_excluding_roles(scope)} |"
        for scope in Scope
    ]
    head = ["| scope | allows | no effect if the only role is |", "|---|---|---|"]
    return [*head, *rows]


def render_excluding_roles(scope: Scope) -> str:
    """Return, as text, the roles that by themselves do not allow the use of a scope."""
    return render_roles(
        frozenset(role for role in Role if scope not in get_allowed_scopes({role}))
    )
