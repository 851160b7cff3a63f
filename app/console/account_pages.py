"""The pages of the accounts of an office: the list, one account, and its roles.

Keys are not shown here: an account that saw the new key of another person could use it.
"""

from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.console.action_forms import (
    ActionForm,
    Attempt,
    Target,
    offer_action,
    submit_form,
)
from app.console.api_client import Json
from app.console.forms import FieldKind, FormField
from app.console.notices import RECORDED
from app.console.translations import mark
from app.console.visits import Visit

ROLES: Final = FormField(
    name="roles", label=mark("Roles"), kind=FieldKind.CHOICES, words="roles"
)
OPEN: Final = ActionForm(
    action="open",
    hint=mark("A second person has to approve this before the account exists."),
    fields=(
        FormField(
            name="label",
            label=mark("Staff number or duty post"),
            hint=mark("Never the name of a person."),
        ),
        FormField(
            name="kind",
            label=mark("Who uses it?"),
            kind=FieldKind.CHOICE,
            words="account_kinds",
        ),
        ROLES,
    ),
)
CHANGES: Final = {
    form.action: form
    for form in (
        ActionForm(
            action="grant-roles",
            hint=mark("A second person has to approve this."),
            fields=(ROLES,),
        ),
        ActionForm(
            action="revoke-roles",
            hint=mark("This takes effect at once."),
            fields=(ROLES,),
            is_grave=True,
        ),
        ActionForm(
            action="disable",
            hint=mark("The account and its keys end at once, and cannot be enabled again."),
            is_grave=True,
        ),
    )
}
"""The forms that change an account, by the last part of the path of the operation."""
ENROLMENTS: Final = {
    form.action: form
    for form in (
        ActionForm(
            action="enrol",
            hint=mark(
                "For a person who has no passkey yet. You get a link, which you give to "
                "the person. A second person confirms the enrolment and gets a code, which "
                "they tell to the person. The person needs both within 24 hours."
            ),
        ),
        ActionForm(
            action="recover",
            hint=mark(
                "For a person who lost all passkeys. When the person uses the link and the "
                "code of the second person, all old passkeys are removed and all sessions "
                "of the person end. First make sure, face to face or by a telephone number "
                "that you know, that the person asks for this."
            ),
            is_grave=True,
        ),
    )
}
"""The forms to enrol a person without passkeys, and to replace all passkeys of a person."""

SUPERVISED: Final = frozenset({"officer", "caseworker", "coordinator", "supervisor"})
"""A supervisor may change accounts with only these roles; others need an administrator."""


async def show_accounts(visit: Visit) -> Response:
    """Show the accounts of the office, and the form to request a new one."""
    return await render_accounts(visit)


async def open_account(visit: Visit) -> Response:
    """Request a new account of the office, or show the form again with a problem."""
    office = visit.me["focal_point"]
    target = Target(
        path="accounts",
        page="/console/accounts",
        done=RECORDED,
        fixed={"focal_point": office},
    )
    outcome = await submit_form(visit, OPEN, target)
    return (
        outcome if isinstance(outcome, Response) else await render_accounts(visit, outcome)
    )


async def render_accounts(visit: Visit, attempt: Attempt | None = None) -> Response:
    """Return the list of the office's accounts, with a failed attempt, if any."""
    office = visit.me["focal_point"]
    accounts = (await visit.api.get(f"accounts?focal_point={office}")).body["items"]
    enrolments = (await visit.api.get(f"enrolments?focal_point={office}")).body["items"]
    return visit.render(
        "accounts.html",
        attempt.status if attempt else HTTPStatus.OK,
        accounts=accounts,
        waiting=sum(one["state"] == "waiting" for one in enrolments),
        one=offer_action(OPEN, {}, attempt) if visit.may("accounts:write") else None,
        attempt=attempt,
    )


async def show_account(visit: Visit) -> Response:
    """Show one account, and the forms that change it."""
    return await render_account(visit)


async def update_account(visit: Visit) -> Response:
    """Change an account, or show the page again with the entered values."""
    names = visit.request.path_params
    form = CHANGES.get(names["change"])
    if form is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    path = f"accounts/{names['id']}"
    target = Target(path=f"{path}/{form.last_path}", page=f"/console/{path}", done=RECORDED)
    outcome = await submit_form(visit, form, target)
    return (
        outcome if isinstance(outcome, Response) else await render_account(visit, outcome)
    )


async def render_account(visit: Visit, attempt: Attempt | None = None) -> Response:
    """Return the page of an account, with a failed attempt to change it, if any."""
    account: Json = (
        await visit.api.get(f"accounts/{visit.request.path_params['id']}")
    ).body
    is_open = account["disabled_at"] is None
    has_rank = may_change(visit, account)
    changes = CHANGES.values() if is_open and has_rank else ()
    enrols = ENROLMENTS.values() if changes and account["kind"] == "person" else ()
    return visit.render(
        "account.html",
        attempt.status if attempt else HTTPStatus.OK,
        account=account,
        needs_administrator=is_open and visit.may("accounts:write") and not has_rank,
        forms_of_account=[offer_action(form, {}, attempt) for form in changes],
        enrolment_forms=[offer_action(form, {}, attempt) for form in enrols],
        attempt=attempt,
    )


def may_change(visit: Visit, account: Json) -> bool:
    """Return whether a page offers to change an account. The API checks all rules."""
    has_rank = "administrator" in visit.roles or SUPERVISED.issuperset(account["roles"])
    return has_rank and visit.may("accounts:write")
