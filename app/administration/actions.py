"""Changes to the directory over HTTP. Some need the approval of a second person."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from app.access import approvals as access_approvals
from app.access.approvals import ApprovalRequest
from app.access.kept_requests import KeptRequest
from app.access.models import Approval
from app.administration import directory_load
from app.administration import queries as administration_queries
from app.administration.cell_values import validate_row
from app.administration.queries import Entry
from app.administration.row_changes import RowChange
from app.administration.schemas import AgreementOut, ContactOut
from app.administration.second_person_columns import (
    list_agreement_columns,
    list_contact_columns,
    list_country_columns,
    list_focal_point_columns,
    list_time_limit_columns,
)
from app.administration.soundness_checks import describe_loss
from app.deadlines.limits import DeadlineKind
from app.deadlines.queries import compute_due_at
from app.deadlines.rows import TimeLimitRow
from app.deadlines.schemas import TimeLimitOut
from app.directory import actions as directory_actions
from app.directory.actions import WRITE_LOCK, Register, lock_entry, store
from app.directory.file_rows import AgreementRow, ContactRow, CountryRow, FocalPointRow, Row
from app.directory.history import UNRECORDED, ChangeAuthor
from app.directory.queries import FocalPointUnknown
from app.directory.schemas import CountryOut, FocalPointOut
from app.kernel.actors import Role
from app.kernel.db import lock_name
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import Problem
from app.kernel.text import ResponseModel
from app.kernel.transactions import WriteTransaction
from app.kernel.versions import ExpectedTag, format_entity_tag

DECIDERS: Final = frozenset({Role.ADMINISTRATOR})


class DirectoryUnsound(Problem):
    """The change would leave a country without a desk, or all without oversight."""

    status = 409


class CountryUnknown(Problem):
    """The request names a country that is not in the directory."""

    status = 422


class AgreementUnknown(Problem):
    """The request names an agreement that is not in the directory."""

    status = 422


@dataclass(frozen=True)
class DirectoryTable:
    """A table of the directory, with its schemas and its rule for a second person."""

    register: Register
    row: type[Row]
    shown: type[ResponseModel]
    guarded_columns: Callable[[RowChange], frozenset[str]]


COUNTRIES: Final = DirectoryTable(
    directory_actions.COUNTRIES, CountryRow, CountryOut, list_country_columns
)
FOCAL_POINTS: Final = DirectoryTable(
    directory_actions.FOCAL_POINTS, FocalPointRow, FocalPointOut, list_focal_point_columns
)
AGREEMENTS: Final = DirectoryTable(
    directory_actions.AGREEMENTS, AgreementRow, AgreementOut, list_agreement_columns
)
TIME_LIMITS: Final = DirectoryTable(
    directory_load.TIME_LIMITS, TimeLimitRow, TimeLimitOut, list_time_limit_columns
)
CONTACTS: Final = DirectoryTable(
    directory_actions.CONTACTS, ContactRow, ContactOut, list_contact_columns
)


@dataclass(frozen=True)
class PutRow:
    """A request to write a row, with the expected entity tag and an approval, if given."""

    key: str
    said: BaseModel
    expected: ExpectedTag
    approval: UUID | None


@dataclass(frozen=True)
class WrittenRow:
    """A row after the change, and whether the change created the row."""

    entry: Entry
    created: bool


def write_row(
    tx: WriteTransaction, table: DirectoryTable, put: PutRow
) -> WrittenRow | Approval:
    """Write and return a row, or return the approval that the change needs.

    An approval is requested if the change needs one and `put` has none. The caller's role,
    the values, the entity tag, the references and the soundness of the directory are
    checked in this order. If no value changes, nothing is written.
    """
    if Role.ADMINISTRATOR not in tx.actor.roles:
        raise RoleMissing("This needs the role administrator.")
    lock_name(tx.session, WRITE_LOCK)
    entry = lock_entry(tx.session, table.register, put.key)
    before = administration_queries.get_values(entry) if entry else None
    row = validate_row(table.row, {**(before or {}), **put.said.model_dump()})
    tag = compute_entity_tag(table, entry)
    put.expected.require_tag(tag)
    put = replace(put, expected=put.expected.select_matching(tag))
    require_known_references(tx, row)
    change = RowChange(before, row.model_dump(exclude=set(UNRECORDED)))
    if entry and not change.changed:
        return WrittenRow(entry, created=False)
    require_soundness(tx, table, change)
    return write_or_ask(tx, table, put, change)


def compute_entity_tag(table: DirectoryTable, entry: Entry | None) -> str | None:
    """Return the entity tag that a GET of the row returns, or None if there is no row."""
    if entry is None:
        return None
    shown = table.shown.model_validate(entry).model_dump_json()
    return format_entity_tag(0, shown.encode())


def require_known_references(tx: WriteTransaction, row: Row) -> None:
    """Raise a problem (422) if a row refers to a code that is not in the directory."""
    known = administration_queries.list_country_codes(tx)
    if unknown := {column for column, code in row.list_countries() if code not in known}:
        raise CountryUnknown(
            f"Unknown code in {', '.join(unknown)}. GET /v1/countries lists the codes."
        )
    agreed = {agreement.code for agreement in administration_queries.list_agreements(tx)}
    if unknown := {column for column, code in row.list_agreements() if code not in agreed}:
        raise AgreementUnknown(
            f"Unknown code in {', '.join(unknown)}. GET /v1/agreements lists the codes."
        )
    named = list(row.list_offices())
    if not named:
        return
    offices = {office["code"] for office in administration_queries.list_offices(tx)}
    if unknown := {column for column, code in named if code not in offices}:
        raise FocalPointUnknown(
            f"Unknown code in {', '.join(unknown)}. GET /v1/focal-points lists the codes."
        )


def require_soundness(
    tx: WriteTransaction, table: DirectoryTable, change: RowChange
) -> None:
    """Raise DirectoryUnsound (409) for the loss of a country's last desk or of oversight.

    An approval does not permit such a change. Without a desk, some cases of a country would
    have no office. Without oversight, no office would review emergency accesses.
    """
    if table is not FOCAL_POINTS:
        return
    before = administration_queries.list_offices(tx)
    others = [office for office in before if office["code"] != change.after["code"]]
    countries = administration_queries.list_country_codes(tx)
    if lost := describe_loss(countries, before, [*others, change.after]):
        raise DirectoryUnsound(lost)


def write_or_ask(
    tx: WriteTransaction, table: DirectoryTable, put: PutRow, change: RowChange
) -> WrittenRow | Approval:
    """Write a row; request an approval instead if one is needed and `put` has none."""
    subject = table.register.get_subject(change.after)
    fingerprints = list_fingerprints(tx, subject, change)
    if put.approval is None and table.guarded_columns(change):
        return ask_administrator(tx, subject, fingerprints, put, change)
    second = None
    if put.approval is not None:
        second = access_approvals.claim_approval(tx, put.approval, fingerprints).decided_by
    account = tx.actor.account_id
    author = ChangeAuthor(tx.session, tx.create_id, tx.now, account, approved_by=second)
    store(author, table.register, [change.after])
    entry = administration_queries.get(tx, table.register, put.key)
    return WrittenRow(entry, created=change.before is None)


def list_fingerprints(tx: WriteTransaction, subject: str, change: RowChange) -> list[str]:
    """List the fingerprints that identify the caller's account, the row and the change."""
    parts = ("directory", str(tx.actor.account_id), subject, change.to_json())
    return tx.vault.list_fingerprints(*(part.encode() for part in parts))


def ask_administrator(
    tx: WriteTransaction,
    subject: str,
    fingerprints: list[str],
    put: PutRow,
    change: RowChange,
) -> Approval:
    """Request the approval of another administrator, or return the same pending request."""
    before, after = change.select_shown()
    kept = KeptRequest(
        body=put.said.model_dump(mode="json", exclude_unset=True),
        if_match=put.expected.if_match,
        if_none_match=put.expected.if_none_match,
        before=before,
        after=after,
    )
    request = ApprovalRequest(
        action="directory.change",
        subject=subject,
        fingerprints=fingerprints,
        facts=change.describe(),
        roles=DECIDERS,
        lapses_at=compute_due_at(tx, DeadlineKind.APPROVE, None, waits_on=None),
        request=kept,
    )
    return access_approvals.find_or_ask(tx, request)
