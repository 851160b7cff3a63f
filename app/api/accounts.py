"""Who may act for a focal point, and with which keys: given by two, taken away by one."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic.json_schema import SkipJsonSchema

from app.access import queries as access
from app.access.actions import ApprovalUnusable, RolesIncompatible
from app.access.models import Account, ApiKey, prefix_at
from app.access.schemas import (
    AccountOut,
    AccountPage,
    KeyOut,
    KeyPage,
    LoweredAccountOut,
    MadeKeyOut,
    NewAccount,
    NewKey,
    Rotation,
    SomeRoles,
)
from app.administration import issuing, staffing
from app.administration.issuing import MadeKey
from app.administration.staffing import AboutYourself, AccountEnded
from app.api.acting import CREATED, Headers, Kept, located, once_only
from app.api.approvals import ASKED, Answers
from app.api.conditional import answer
from app.api.deps import ApprovalId, IfNoneMatch, Once, ReadAccounts, WriteAccounts
from app.api.nouns import Noun
from app.api.problems import problems
from app.directory import queries as directory
from app.directory.queries import FocalPointUnknown
from app.kernel.idempotency import KeyInFlight, KeyMissing, KeyReused
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound
from app.kernel.text import Code
from app.kernel.work import Reading

router = Noun("accounts", "/accounts")
Prefix = Annotated[str, Path(pattern=r"^[0-9a-f]{10}$", description="Of an API key.")]
OfOffice = Annotated[
    Code | SkipJsonSchema[None], Query(description="Whose; left out: your own.")
]

READ: Final = problems(NotFound, RoleMissing)
ENDING: Final = problems(NotFound, RoleMissing, KeyReused, KeyInFlight)
GIVING: Final = (
    *(NotFound, RoleMissing, RolesIncompatible, AboutYourself, AccountEnded),
    *(ApprovalUnusable, KeyReused, KeyInFlight),
)
GIVE: Final = ASKED | problems(*GIVING)
OPEN: Final[Answers] = {
    201: {"model": AccountOut, "description": "It is open; now it needs a key."},
    **ASKED,
    **problems(*GIVING, KeyMissing, FocalPointUnknown),
}
MAKE: Final[Answers] = {
    201: {"model": MadeKeyOut, "description": "The key, shown this once."},
    **ASKED,
    **problems(*GIVING, KeyMissing),
}


def shown(work: Reading, account: Account) -> AccountOut:
    """Show an account."""
    of = directory.by_id(work, account.focal_point_id)
    return AccountOut.of(account, of.code)


def show(work: Reading, account: Account, status: int, headers: Headers) -> Response:
    """Show an account as it is now."""
    extra = located(account.reference, status, headers)
    return answer(shown(work, account), status=status, headers=extra)


def show_lowered(
    work: Reading, account: Account, status: int, headers: Headers
) -> Response:
    """Show an account of which something was taken, and who is left."""
    left = access.count_workers(work, account.focal_point_id)
    lowered = LoweredAccountOut(**shown(work, account).model_dump(), accounts_left=left)
    return answer(lowered, status=status, headers=headers)


def show_key(_: Reading, key: ApiKey, status: int, headers: Headers) -> Response:
    """Show a key, but for itself."""
    return answer(KeyOut.of(key), status=status, headers=headers)


def show_made(_: Reading, made: MadeKey, status: int, headers: Headers) -> Response:
    """Show a key that was made, with itself if that is for the first time."""
    return answer(MadeKeyOut.new(made.row, made.secret), status=status, headers=headers)


def key_again(work: Reading, key_id: UUID) -> ApiKey:
    """Find a key for a retry, as far as its account is still the caller's to see."""
    key = access.key_named(work, prefix_at(key_id))
    staffing.find(work, key.account_id)
    return key


ACCOUNT: Final = Kept(staffing.find, show)
LOWERED: Final = Kept(staffing.find, show_lowered)
KEY: Final = Kept(key_again, show_key)
MADE: Final = Kept(lambda work, it: MadeKey(key_again(work, it), None), show_made)


@router.get("", response_model=AccountPage, responses=READ)
def list_accounts(
    begin: ReadAccounts,
    focal_point: OfOffice = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the accounts of a focal point, ended ones too.

    For administrators, and for the supervisors of that focal point.
    """
    with begin() as work:
        of = staffing.office(work, focal_point)
        items = [AccountOut.of(one, of.code) for one in access.accounts(work, of.id)]
        page = AccountPage(items=items, next=None, more=False)
        return answer(page, if_none_match=if_none_match)


@router.get("/{account_id}", response_model=AccountOut, responses=READ)
def get_account(begin: ReadAccounts, account_id: UUID) -> Response:
    """Read an account: your own, or one that you look after."""
    with begin() as work:
        return answer(shown(work, staffing.find(work, account_id)))


@router.post("", response_model=AccountOut, responses=OPEN)
def open_account(
    begin: WriteAccounts, once: Once, new: NewAccount, approval: ApprovalId = None
) -> Response:
    """Open an account of a focal point, with a second person.

    The answer is 202 with the question to them: another administrator, or a supervisor of
    that focal point where its role is one of an office. Once it is approved, send the same
    again with `Approval: {id}` and a fresh Idempotency-Key. A supervisor opens accounts of
    the own focal point, with roles of an office; a machine is never a second person.
    """
    with begin() as work:
        return once_only(
            work,
            once,
            ACCOUNT,
            lambda: staffing.open_account(work, new, approval),
            status=CREATED,
            key_needed=True,
        )


@router.post("/{account_id}/grant-roles", response_model=AccountOut, responses=GIVE)
def grant_roles(
    begin: WriteAccounts,
    account_id: UUID,
    once: Once,
    new: SomeRoles,
    approval: ApprovalId = None,
) -> Response:
    """Give an account more roles, with a second person; never your own.

    As for opening one. What it has already is left as it is. Of an approval only the very
    roles that it named come, and only while the account is as it was then.
    """
    with begin() as work:
        return once_only(
            work,
            once,
            ACCOUNT,
            lambda: staffing.grant_roles(work, account_id, frozenset(new.roles), approval),
        )


@router.post(
    "/{account_id}/revoke-roles", response_model=LoweredAccountOut, responses=ENDING
)
def revoke_roles(
    begin: WriteAccounts, account_id: UUID, once: Once, old: SomeRoles
) -> Response:
    """Take roles from an account, from its next request on; this takes one person."""
    with begin() as work:
        return once_only(
            work,
            once,
            LOWERED,
            lambda: staffing.revoke_roles(work, account_id, frozenset(old.roles)),
        )


@router.post("/{account_id}/disable", response_model=LoweredAccountOut, responses=ENDING)
def disable_account(begin: WriteAccounts, account_id: UUID, once: Once) -> Response:
    """End an account with all its keys, from its next request on; this takes one person.

    What it asked a second person, and what it allowed and nobody made use of, lapses. Its
    cases and drafts are its focal point's, and stay there. It does not come back: open
    another.
    """
    with begin() as work:
        return once_only(
            work, once, LOWERED, lambda: staffing.disable_account(work, account_id)
        )


@router.get("/{account_id}/keys", response_model=KeyPage, responses=READ)
def list_keys(
    begin: ReadAccounts, account_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """List the API keys of an account, ended ones too; never a key itself."""
    with begin() as work:
        account = staffing.find(work, account_id)
        items = [KeyOut.of(key) for key in access.keys(work, account.id)]
        page = KeyPage(items=items, next=None, more=False)
        return answer(page, if_none_match=if_none_match)


@router.post("/{account_id}/keys", response_model=MadeKeyOut, responses=MAKE)
def make_key(
    begin: WriteAccounts,
    account_id: UUID,
    once: Once,
    new: NewKey,
    approval: ApprovalId = None,
) -> Response:
    """Make an API key for an account, with a second person; never your own.

    The key is shown this once: hand it over in person or by a channel that nobody else
    reads. Whoever was shown it is no second person to that account while it lasts.
    """
    with begin() as work:
        return once_only(
            work,
            once,
            MADE,
            lambda: issuing.make_key(work, account_id, new, approval),
            status=CREATED,
            key_needed=True,
        )


@router.post(
    "/{account_id}/keys/{prefix}/rotate", response_model=MadeKeyOut, responses=MAKE
)
def rotate_key(  # noqa: PLR0913, PLR0917 - each is part of one decision
    begin: WriteAccounts,
    account_id: UUID,
    prefix: Prefix,
    once: Once,
    how: Rotation,
    approval: ApprovalId = None,
) -> Response:
    """Make a key with the same scopes in place of one, with a second person.

    The old one goes on for `overlap_hours`, so that a machine can change over, and never
    longer than it would have; with 0 it ends at once.
    """
    with begin() as work:
        return once_only(
            work,
            once,
            MADE,
            lambda: issuing.rotate_key(work, account_id, prefix, how, approval),
            status=CREATED,
            key_needed=True,
        )


@router.post("/{account_id}/keys/{prefix}/revoke", response_model=KeyOut, responses=ENDING)
def revoke_key(
    begin: WriteAccounts, account_id: UUID, prefix: Prefix, once: Once
) -> Response:
    """End an API key, from the next request on; this takes one person.

    Your own as well: whoever lost one must not wait for a colleague.
    """
    with begin() as work:
        return once_only(
            work, once, KEY, lambda: issuing.revoke_key(work, account_id, prefix)
        )
