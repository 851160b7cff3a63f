"""Tables of docs/setup.md: the tasks of offices, and the scopes of keys."""

from typing import Final

from app.access.role_scopes import get_allowed_scopes
from app.api.http.openapi import SCOPE_DESCRIPTIONS
from app.cli.staffing import OFFICE_TASKS
from app.kernel.actors import Role, Scope

NOBODY: Final = "not needed"
"""The second person of a task that needs none."""


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
    """Return roles of which one is enough, or "" if there is none."""
    return " or ".join(f"`{role}`" for role in Role if role in roles)


def render_scopes() -> list[str]:
    """Return a table of the scopes, with what each allows and which roles exclude it."""
    rows = [
        f"| `{scope}` | {SCOPE_DESCRIPTIONS[scope]} | {render_excluding_roles(scope)} |"
        for scope in Scope
    ]
    head = ["| scope | allows | no effect if the only role is |", "|---|---|---|"]
    return [*head, *rows]


def render_excluding_roles(scope: Scope) -> str:
    """Return the roles with which alone an account cannot use a scope."""
    return render_roles(
        frozenset(role for role in Role if scope not in get_allowed_scopes({role}))
    )
