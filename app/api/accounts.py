"""Routes for accounts and API keys. Two people grant a right; one person can revoke it."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic.json_schema import SkipJsonSchema

from app.access import queries as access_queries
from app.access.actions import RolesIncompatible
from app.access.approvals import ApprovalUnusable
from app.access.models import Account, ApiKey, format_prefix
from app.access.schemas import (
    AccountInput,
    AccountList,
    AccountOut,
    KeyInput,
    KeyLinkOut,
    KeyList,
    KeyOut,
    LoweredAccountOut,
    Rotation,
    SomeRoles,
)
from app.administration import account_changes, api_key_changes
from app.administration.account_changes import AccountDisabled
from app.administration.account_people import AboutYourself, PersonUnknown
from app.administration.api_key_changes import MadeKey
from app.api.approvals import ASKED
from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    ApprovalId,
    IfNoneMatch,
    Once,
    ReadAccounts,
    WriteAccounts,
)
from app.api.http.problems import KEYED, Answers, list_problems
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import Headers, View, add_location
from app.directory import queries as directory_queries
from app.directory.queries import FocalPointUnknown
from app.kernel.idempotency import IdempotencyKeyMissing
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound
from app.kernel.text import Code
from app.kernel.transactions import ReadTransaction

router = ResourceRouter("accounts", "/accounts")
Prefix = Annotated[str, Path(pattern=r"^[0-9a-f]{10}$", description="A key's prefix.")]
OfOffice = Annotated[
    Code | SkipJsonSchema[None], Query(description="A focal point; by default your own.")
]

READ: Final = list_problems(NotFound, RoleMissing)
REVOKE: Final = (NotFound, RoleMissing, *KEYED)
GRANTING: Final = (
    NotFound,
    RoleMissing,
    RolesIncompatible,
    AboutYourself,
    AccountDisabled,
    ApprovalUnusable,
    *KEYED,
)
OPEN: Final[Answers] = {
    201: {"model": AccountOut, "description": "The account is open. Make a key for it."},
    **ASKED,
    **list_problems(*GRANTING, IdempotencyKeyMissing, FocalPointUnknown, PersonUnknown),
}
MAKE: Final[Answers] = {
    201: {"model": KeyLinkOut, "description": "The link. It is shown only once."},
    **ASKED,
    **list_problems(*GRANTING, IdempotencyKeyMissing),
}


def build_account(tx: ReadTransaction, account: Account) -> AccountOut:
    """Return an account with the code of its focal point."""
    of = directory_queries.by_id(tx, account.focal_point_id)
    return AccountOut.from_account(account, of.code)


def show_account(
    tx: ReadTransaction, account: Account, status: int, headers: Headers
) -> Response:
    """Return the response that shows an account as it is now."""
    extra = add_location(account.reference, status, headers)
    return render(build_account(tx, account), status=status, headers=extra)


def show_lowered(
    tx: ReadTransaction, account: Account, status: int, headers: Headers
) -> Response:
    """Return the response with an account and how many people can still work on cases."""
    left = access_queries.count_workers(tx, account.focal_point_id)
    shown = build_account(tx, account).model_dump()
    lowered = LoweredAccountOut(**shown, accounts_left=left)
    return render(lowered, status=status, headers=headers)


def show_key(_: ReadTransaction, key: ApiKey, status: int, headers: Headers) -> Response:
    """Return the response that describes an API key, without the secret."""
    return render(KeyOut.from_key(key), status=status, headers=headers)


def show_key_link(
    _: ReadTransaction, made: MadeKey, status: int, headers: Headers
) -> Response:
    """Return the response with a new key. The response to a retry lacks the link."""
    shown = KeyLinkOut.from_new_key(made.row, made.secret)
    return render(shown, status=status, headers=headers)


def find_key_again(tx: ReadTransaction, key_id: UUID) -> ApiKey:
    """Return an API key for a retried request.

    Raises NotFound (404) or RoleMissing (403) if the caller may not see its account.
    """
    key = access_queries.get_key_by_prefix(tx, format_prefix(key_id))
    account_changes.find(tx, key.account_id)
    return key


ACCOUNT: Final = View(account_changes.find, show_account)
LOWERED: Final = View(account_changes.find, show_lowered)
API_KEY: Final = View(find_key_again, show_key)
KEY_LINK: Final = View(lambda tx, it: MadeKey(find_key_again(tx, it), None), show_key_link)


@router.get("", response_model=AccountList, responses=READ)
def list_accounts(
    begin: ReadAccounts, focal_point: OfOffice = None, if_none_match: IfNoneMatch = None
) -> Response:
    """List the accounts of a focal point, including disabled accounts.

    Only administrators and the supervisors of the focal point may do this.
    """
    with begin() as tx:
        of = account_changes.get_office(tx, focal_point)
        found = access_queries.list_accounts(tx, of.id)
        items = [AccountOut.from_account(one, of.code) for one in found]
        return render(AccountList(items=items), if_none_match=if_none_match)


@router.get("/{account_id}", response_model=AccountOut, responses=READ)
def get_account(begin: ReadAccounts, account_id: UUID) -> Response:
    """Read your own account, or another account that you may manage."""
    with begin() as tx:
        return render(build_account(tx, account_changes.find(tx, account_id)))


@router.post("", response_model=AccountOut, responses=OPEN)
def create_account(
    begin: WriteAccounts, key: Once, new: AccountInput, approval: ApprovalId = None
) -> Response:
    """Create an account at a focal point. A second person has to approve it.

    The first response is 202 with the approval. Once the approval is given, send the same
    request again with `Approval: {id}` and a new Idempotency-Key. Each of the two people is
    an administrator or, if all roles are office roles (`officer`, `caseworker`,
    `coordinator`, `supervisor`), a supervisor of the focal point. The account of a machine
    cannot approve. Neither can the person to whom the account will belong.
    """
    return ACCOUNT.create_once(
        begin, key, lambda tx: account_changes.create_account(tx, new, approval)
    )


@router.serve_action("/{account_id}/grant-roles", AccountOut, *GRANTING, answers=ASKED)
def grant_roles(
    begin: WriteAccounts,
    account_id: UUID,
    key: Once,
    new: SomeRoles,
    approval: ApprovalId = None,
) -> Response:
    """Grant roles to an account other than your own. A second person has to approve this.

    The approval works as for a new account. The account keeps its other roles. An
    approval is valid only for the roles that it names, and only until the account changes.
    """
    roles = frozenset(new.roles)
    return ACCOUNT.run_once(
        begin, key, lambda tx: account_changes.grant_roles(tx, account_id, roles, approval)
    )


@router.serve_action("/{account_id}/revoke-roles", LoweredAccountOut, *REVOKE)
def revoke_roles(
    begin: WriteAccounts, account_id: UUID, key: Once, body: SomeRoles
) -> Response:
    """Revoke roles of an account with immediate effect. This needs no second person."""
    roles = frozenset(body.roles)
    return LOWERED.run_once(
        begin, key, lambda tx: account_changes.revoke_roles(tx, account_id, roles)
    )


@router.serve_action("/{account_id}/disable", LoweredAccountOut, *REVOKE)
def disable_account(begin: WriteAccounts, account_id: UUID, key: Once) -> Response:
    """Disable an account and its keys with immediate effect. This needs no second person.

    The approvals that the account asked for expire, and so do the unused approvals that the
    account gave. The focal point keeps the cases and drafts. A disabled account cannot be
    enabled again: create another account.
    """
    return LOWERED.run_once(
        begin, key, lambda tx: account_changes.disable_account(tx, account_id)
    )


@router.get("/{account_id}/keys", response_model=KeyList, responses=READ)
def list_keys(
    begin: ReadAccounts, account_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """List an account's API keys, including expired and revoked keys, without secrets."""
    with begin() as tx:
        account = account_changes.find(tx, account_id)
        items = [KeyOut.from_key(key) for key in access_queries.list_keys(tx, account.id)]
        return render(KeyList(items=items), if_none_match=if_none_match)


@router.post("/{account_id}/keys", response_model=KeyLinkOut, responses=MAKE)
def create_key(
    begin: WriteAccounts,
    account_id: UUID,
    key: Once,
    new: KeyInput,
    approval: ApprovalId = None,
) -> Response:
    """Make an API key for an account other than your own. A second person must approve it.

    You get a link, which is shown only once: hand it over in person or through a private
    channel. The holder makes the key with it (`POST /v1/keys/redeem`) within 24 hours, and
    you do not see the key. If somebody else used the link first, revoke the key. While the
    key is valid, and five minutes longer, the account that got the link and the key's
    account cannot approve each other's requests, because one person could act as both.
    """
    return KEY_LINK.create_once(
        begin, key, lambda tx: api_key_changes.create_key(tx, account_id, new, approval)
    )


@router.post(
    "/{account_id}/keys/{prefix}/rotate", response_model=KeyLinkOut, responses=MAKE
)
def rotate_key(  # noqa: PLR0913, PLR0917 - each is part of one decision
    begin: WriteAccounts,
    account_id: UUID,
    prefix: Prefix,
    key: Once,
    body: Rotation,
    approval: ApprovalId = None,
) -> Response:
    """Replace a key by a new key with the same scopes. A second person has to approve it.

    You get a link for the holder, as for a new key. The old key stays valid for
    `overlap_hours`, but not beyond its original expiry, so that a machine can switch to the
    new key. With 0 hours, the old key expires at once.
    """
    return KEY_LINK.create_once(
        begin,
        key,
        lambda tx: api_key_changes.rotate_key(tx, account_id, prefix, body, approval),
    )


@router.serve_action("/{account_id}/keys/{prefix}/revoke", KeyOut, *REVOKE)
def revoke_key(
    begin: WriteAccounts, account_id: UUID, prefix: Prefix, key: Once
) -> Response:
    """Revoke an API key with immediate effect, without the approval of a second person.

    You may revoke your own key as well, for example if you lost it.
    """
    return API_KEY.run_once(
        begin, key, lambda tx: api_key_changes.revoke_key(tx, account_id, prefix)
    )
