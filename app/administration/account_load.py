"""Functions that create the accounts in a CSV file and make an API key for each.

The command line needs no second person, for one account or for a file, because its user has
access to the database anyway (R14, R21).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, override
from uuid import UUID

from pydantic import field_validator

from app.access import queries as access_queries
from app.access.actions import AccountSpec, RolesIncompatible
from app.access.models import Account
from app.administration.account_changes import add_account, require_fitting_roles
from app.administration.api_key_changes import KeyTerms, MadeKey, add_key
from app.directory import files
from app.directory import queries as directory_queries
from app.directory.cell_types import Listed, make_error
from app.directory.file_rows import Row
from app.directory.models import FocalPoint
from app.kernel.actors import AccountKind, Role, Scope
from app.kernel.text import Code, SafeLine
from app.kernel.transactions import ReadTransaction, WriteTransaction

ACCOUNT_LOCK: Final = "account-load"
"""The name of the lock of commands that create accounts, so that no label is used twice."""


class AccountRow(Row):
    """An account to create, and the scopes of its API key; no scope means all scopes."""

    key = "label"

    focal_point: Code
    label: SafeLine
    kind: AccountKind
    roles: Listed[Role]
    scopes: Listed[Scope]

    @field_validator("roles")
    @classmethod
    def check_roles(cls, roles: list[Role]) -> list[Role]:
        """Return the roles, or raise a validation error if there are none."""
        if not roles:
            raise make_error("must name at least one role")
        return roles

    @property
    @override
    def reference(self) -> str:
        """The focal point and the label, which identify an account."""
        return f"{self.focal_point}/{self.label}"

    @override
    def list_offices(self) -> Iterator[tuple[str, str]]:
        """Yield the office of the account."""
        yield "focal_point", self.focal_point


@dataclass(frozen=True)
class PlannedAccount:
    """An account in a line of the file; `existing` is None if the account is new."""

    line: int
    row: AccountRow
    office_id: UUID
    existing: str | None


@dataclass(frozen=True)
class OpenedAccount:
    """A row of the file whose account was created, and the API key of the account."""

    row: AccountRow
    key: MadeKey


def plan_accounts(tx: ReadTransaction, file: Path) -> list[PlannedAccount]:
    """Return the accounts in a file, or raise FilesRefused with all errors of the file."""
    sheet = files.load_sheet(file.parent, file.name, AccountRow)
    offices = {office.code: office for office in directory_queries.list_all(tx)}
    unknown = files.find_unknown_keys(sheet, files.Known(offices=offices))
    faults = [*sheet.faults, *unknown, *find_role_conflicts(sheet, offices)]
    files.require_no_faults(sorted(faults, key=lambda fault: fault.line))

    @cache
    def list_existing(office_id: UUID) -> Mapping[str, Account]:
        found = access_queries.list_accounts(tx, office_id)
        enabled_last = sorted(found, key=lambda one: one.disabled_at is None)
        return {one.label: one for one in enabled_last}

    return [
        PlannedAccount(
            line.number,
            line.row,
            office_id := offices[line.row.focal_point].id,
            describe_existing(list_existing(office_id).get(line.row.label), line.row),
        )
        for line in sheet.lines
    ]


def find_role_conflicts(
    sheet: files.Sheet[AccountRow], offices: Mapping[str, FocalPoint]
) -> Iterator[files.Fault]:
    """Yield a fault for each account that cannot have its roles."""
    for line in sheet.lines:
        office, row = offices.get(line.row.focal_point), line.row
        try:
            if office is not None:
                require_fitting_roles(frozenset(row.roles), row.kind, office)
        except RolesIncompatible as conflict:
            yield files.Fault(sheet.file, line.number, "roles", str(conflict))


def describe_existing(account: Account | None, row: AccountRow) -> str | None:
    """Return a description of an existing account, or None if there is no such account.

    The text says whether the account is disabled or differs in its kind or roles. A
    disabled account is not created again, because its holder may have left.
    """
    if account is None:
        return None
    if account.disabled_at is not None:
        return "exists and is disabled"
    if (account.kind, account.roles) != (row.kind, sorted(set(row.roles))):
        return f"exists with other rights ({account.kind}: {', '.join(account.roles)})"
    return "exists"


def open_accounts(
    tx: WriteTransaction, planned: Sequence[PlannedAccount], days: int
) -> list[OpenedAccount]:
    """Create the new accounts of a plan, and make an API key for each, valid for `days`."""
    return [
        open_planned(tx, one.row, one.office_id, days)
        for one in planned
        if one.existing is None
    ]


def open_planned(
    tx: WriteTransaction, row: AccountRow, office_id: UUID, days: int
) -> OpenedAccount:
    """Create an account and make an API key for it, which is valid for `days`."""
    spec = AccountSpec(office_id, row.label, frozenset(row.roles), row.kind)
    scopes = frozenset(row.scopes or Scope)
    key = add_key(tx, add_account(tx, spec), KeyTerms(scopes, days), "account.key_created")
    return OpenedAccount(row, key)
