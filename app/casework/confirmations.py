"""Confirm an action as the second person: approve it and carry it out at once (ADR 61).

The action is carried out for the account that asked, exactly as it was requested: with the
same body, for the same record and version of the record. All checks of the action are made
again.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar, Final
from uuid import UUID

from pydantic import BaseModel, ValidationError

from app.access import approvals as access_approvals
from app.access import queries as access_queries
from app.access.credentials import build_actor
from app.access.kept_requests import KeptRequest, open_request
from app.access.models import Approval, ApprovalState
from app.access.row_verification import require_authentic_account
from app.access.schemas import AccountInput, PublicKeyInput, SomeRoles
from app.administration import account_changes, public_key_changes
from app.administration import actions as administration_actions
from app.administration.actions import PutRow
from app.administration.schemas import (
    CountrySettings,
    PutAgreement,
    PutContact,
    PutFocalPoint,
    PutTimeLimit,
)
from app.cases import queries as case_queries
from app.cases.approvals import decide_approval
from app.cases.lifecycle import Action
from app.casework import closing, erasing, lead_replacement
from app.casework.approval_schemas import ActionNotPossibleMembers
from app.casework.bodies import CloseCase, EraseCase, HoldLegally, StopCase, TakeOverCase
from app.consents.schemas import LeadConsentInput
from app.directory.actions import WRITE_LOCK
from app.kernel.actors import Actor
from app.kernel.db import lock_name
from app.kernel.problems import PROBLEMS, NotFound, Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.versions import ExpectedTag, SeenVersions
from app.returns import decisions
from app.returns.lifecycle import Action as ReturnAction
from app.returns.schemas import DecideGo, DecideNoGo


class RequestNotKept(Problem):
    """The request is not kept, so it cannot be confirmed; it can be approved."""

    status = 409


class ActionNotPossible(Problem):
    """The action can no longer be carried out as it was asked."""

    status = 409
    members: ClassVar = ActionNotPossibleMembers


REFUSALS: Final = frozenset({403, 404, 409, 412, 422, 428, 429})
"""The status codes of problems after which the action has to be requested again."""
INVALID: Final = f"{PROBLEMS}/request-invalid"

type Execute = Callable[[WriteTransaction, Approval, KeptRequest], object]


def confirm_approval(
    tx: WriteTransaction, approval_id: UUID, others: Mapping[str, Execute]
) -> Approval:
    """Approve an action as the second person, and carry it out for the account that asked.

    `others` maps kinds of approvals to actions that this package does not import. A
    repeated confirmation changes nothing. Raises the exceptions of `decide_approval`, and
    RequestNotKept, ActionNotPossible or ApprovalUnusable (409); then nothing changes.
    """
    approval = access_queries.get_approval(tx, approval_id)
    lock_subject(tx, approval)
    approval = access_queries.lock_approval(tx, approval_id)
    is_own = approval.decided_by == tx.actor.account_id
    if is_own and approval.decision == ApprovalState.USED:
        return access_approvals.require_authentic(tx, approval)
    if approval.lapses_at <= tx.now:
        raise access_approvals.ApprovalDecided(
            "The request has expired. Ask for the approval again."
        )
    decide_approval(tx, approval_id, approve=True)
    request = open_requests(tx, [approval])[approval.id]
    if request is None or request.body is None:
        raise RequestNotKept(
            "Approve the request instead. The account that asked then sends it again."
        )
    execute(tx, approval, request, others)
    if approval.decision == ApprovalState.APPROVED:  # there was nothing left to change
        approval.end(ApprovalState.USED)
    return approval


def lock_subject(tx: WriteTransaction, approval: Approval) -> None:
    """Lock the subject of an approval before the approval itself, as the action does.

    A case that the caller no longer sees is not locked, because its approvals have expired.
    """
    if approval.case_id is not None:
        with suppress(NotFound):
            case_queries.lock_by_id(tx, approval.case_id)
    elif approval.action == "directory.change":
        lock_name(tx.session, WRITE_LOCK)
    elif approval.subject.startswith("accounts/"):
        access_queries.lock_account(tx, get_subject_id(approval))


def open_requests(
    tx: ReadTransaction, approvals: Sequence[Approval]
) -> dict[UUID, KeptRequest | None]:
    """Return the request of each approval by approval id, or None if it is not stored."""
    of_cases = {one.case_id for one in approvals if one.case_id}
    keys = case_queries.find_data_keys(tx, of_cases) if of_cases else {}
    return {
        one.id: open_request(tx.vault, one, keys.get(one.case_id) if one.case_id else None)
        for one in approvals
    }


def execute(
    tx: WriteTransaction,
    approval: Approval,
    request: KeptRequest,
    others: Mapping[str, Execute],
) -> None:
    """Carry out a stored request on behalf of the account that asked.

    The account acts with its current roles. Raises ApprovalUnusable (409) if the account is
    disabled, and ActionNotPossible (409) if the request is refused, with only the type of
    the problem, because the second person may not be allowed to know the details.
    """
    acting = replace(tx, actor=get_asker(tx, approval))
    try:
        {**EXECUTE, **others}[approval.action](acting, approval, request)
        tx.session.flush()
    except ValidationError as error:
        raise build_refusal(INVALID) from error
    except Problem as problem:
        if problem.status not in REFUSALS:
            raise
        raise build_refusal(problem.uri) from problem


def build_refusal(cause: str) -> ActionNotPossible:
    """Return the problem that a second person gets if the action is refused."""
    detail = "Refuse the request. The account that asked has to read the record again."
    return ActionNotPossible(detail, {"cause": cause})


def get_asker(tx: WriteTransaction, approval: Approval) -> Actor:
    """Return an actor for the account that asked for an approval, without scopes.

    Raises ApprovalUnusable (409) if the account is disabled.
    """
    account = access_queries.get_account(tx, approval.asked_by)
    require_authentic_account(tx.session, account)
    if account.disabled_at is not None:
        raise access_approvals.ApprovalUnusable("The account that asked is disabled.")
    return build_actor(account, scopes=())


def get_subject_id(approval: Approval) -> UUID:
    """Return the id at the end of an approval's subject, such as `accounts/{id}`."""
    return UUID(get_key(approval))


def get_key(approval: Approval) -> str:
    """Return an approval's subject without its first part, such as the code of a case."""
    return approval.subject.partition("/")[2]


def get_seen(request: KeptRequest) -> SeenVersions:
    """Return the versions in the `If-Match` header of the request."""
    return SeenVersions(request.if_match)


def replace_row(tx: WriteTransaction, approval: Approval, request: KeptRequest) -> object:
    """Write the requested row to the directory table that the approval's subject names."""
    table, schema = TABLES[approval.subject.partition("/")[0]]
    row = schema.model_validate(request.body)
    expected = ExpectedTag(request.if_match, request.if_none_match)
    put = PutRow(get_key(approval), row, expected, approval.id)
    return administration_actions.write_row(tx, table, put)


TABLES: Final[dict[str, tuple[administration_actions.DirectoryTable, type[BaseModel]]]] = {
    table.register.path: (table, schema)
    for table, schema in (
        (administration_actions.COUNTRIES, CountrySettings),
        (administration_actions.FOCAL_POINTS, PutFocalPoint),
        (administration_actions.AGREEMENTS, PutAgreement),
        (administration_actions.TIME_LIMITS, PutTimeLimit),
        (administration_actions.CONTACTS, PutContact),
    )
}
EXECUTE: Final[dict[str, Execute]] = {
    f"case.{Action.CLOSE}": lambda tx, it, request: closing.close_case(
        tx, get_key(it), get_seen(request), CloseCase.model_validate(request.body), it.id
    ),
    f"case.{Action.STOP}": lambda tx, it, request: closing.stop_case(
        tx, get_key(it), StopCase.model_validate(request.body), it.id
    ),
    "case.take_over": lambda tx, it, request: lead_replacement.take_over(
        tx, get_key(it), TakeOverCase.model_validate(request.body), it.id
    ),
    f"case.{Action.RECORD_LEAD_CONSENT}": lambda tx, it, request: (
        lead_replacement.record_lead_consent(
            tx, get_key(it), LeadConsentInput.model_validate(request.body), it.id
        )
    ),
    f"case.{Action.ERASE}": lambda tx, it, request: erasing.erase_case(
        tx, get_key(it), get_seen(request), EraseCase.model_validate(request.body), it.id
    ),
    "case.hold": lambda tx, it, request: erasing.set_legal_hold(
        tx, get_key(it), HoldLegally.model_validate(request.body), it.id
    ),
    f"return.{ReturnAction.GO}": lambda tx, it, request: decisions.decide_go(
        tx,
        get_subject_id(it),
        get_seen(request),
        DecideGo.model_validate(request.body),
        it.id,
    ),
    f"return.{ReturnAction.NO_GO}": lambda tx, it, request: decisions.decide_no_go(
        tx,
        get_subject_id(it),
        get_seen(request),
        DecideNoGo.model_validate(request.body),
        it.id,
    ),
    "account.open": lambda tx, it, request: account_changes.create_account(
        tx, AccountInput.model_validate(request.body), it.id
    ),
    "account.grant_roles": lambda tx, it, request: account_changes.grant_roles(
        tx,
        get_subject_id(it),
        frozenset(SomeRoles.model_validate(request.body).roles),
        it.id,
    ),
    "account.register_public_key": lambda tx, it, request: (
        public_key_changes.register_public_key(
            tx, get_subject_id(it), PublicKeyInput.model_validate(request.body), it.id
        )
    ),
    "directory.change": replace_row,
}
"""The action that each kind of approval carries out.

Actions whose response contains a secret are missing, because only the account that asked
may see the secret.
"""
