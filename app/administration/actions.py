"""Changes of the directory over HTTP, which may need the approval of a second person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from app.access import actions as access_actions
from app.access import queries as access_queries
from app.access.actions import ApprovalRequest
from app.access.models import Approval
from app.administration import directory_load, second_person_columns
from app.administration import queries as administration_queries
from app.administration.cell_values import validate_row
from app.administration.queries import Entry
from app.administration.row_changes import RowChange
from app.administration.schemas import AgreementOut, ContactOut
from app.administration.soundness_checks import describe_loss
from app.deadlines.limits import ClockKind
from app.deadlines.queries import compute_due_at
from app.deadlines.rows import TimeLimitRow
from app.deadlines.schemas import TimeLimitOut
from app.directory import actions as directory_actions
from app.directory.actions import WRITE_LOCK, Register, store
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
    """The change would leave a region without a desk, or all of them without oversight."""

    status = 409


class CountryUnknown(Problem):
    """The directory does not hold a country that the request names."""

    status = 422


class AgreementUnknown(Problem):
    """The directory does not hold an agreement that the request names."""

    status = 422


@dataclass(frozen=True)
class DirectoryTable:
    """A table of the directory, with the schemas of a row and the guarded columns.

    `guarded_columns` returns the columns of a change that need a second person.
    """

    register: Register
    row: type[Row]
    shown: type[ResponseModel]
    guarded_columns: Callable[[RowChange], frozenset[str]]


COUNTRIES: Final = DirectoryTable(
    directory_actions.COUNTRIES,
    CountryRow,
    CountryOut,
    second_person_columns.list_country_columns,
)
FOCAL_POINTS: Final = DirectoryTable(
    directory_actions.FOCAL_POINTS,
    FocalPointRow,
    FocalPointOut,
    second_person_columns.list_focal_point_columns,
)
AGREEMENTS: Final = DirectoryTable(
    directory_actions.AGREEMENTS,
    AgreementRow,
    AgreementOut,
    second_person_columns.list_agreement_columns,
)
TIME_LIMITS: Final = DirectoryTable(
    directory_load.TIME_LIMITS,
    TimeLimitRow,
    TimeLimitOut,
    second_person_columns.list_time_limit_columns,
)

CONTACTS: Final = DirectoryTable(
    directory_actions.CONTACTS,
    ContactRow,
    ContactOut,
    second_person_columns.list_contact_columns,
)


@dataclass(frozen=True)
class PutRow:
    """A request to write one row, with the expected version and the approval, if given."""

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
    tx: WriteTransaction, shelf: DirectoryTable, wish: PutRow
) -> WrittenRow | Approval:
    """Write a row, or request the approval of a second person.

    If the row already has the requested content, nothing changes. Raises the first error
    that applies: RoleMissing (403), pydantic's ValidationError (422), NotFound (404),
    VersionNotGiven (428) or VersionStale (412), CountryUnknown, AgreementUnknown or
    FocalPointUnknown (422), DirectoryUnsound (409), ApprovalUnusable (409).
    """
    if Role.ADMINISTRATOR not in tx.actor.roles:
        raise RoleMissing("This needs the role administrator.")
    lock_name(tx.session, WRITE_LOCK)
    entry = administration_queries.lock(tx, shelf.register, wish.key)
    before = administration_queries.get_values(entry) if entry else None
    row = validate_row(shelf.row, {**(before or {}), **wish.said.model_dump()})
    wish.expected.require_tag(compute_entity_tag(shelf, entry))
    require_known_references(tx, row)
    turn = RowChange(before, row.model_dump(exclude=set(UNRECORDED)))
    if entry and not turn.changed:
        return WrittenRow(entry, created=False)
    require_soundness(tx, shelf, turn)
    return write_or_ask(tx, shelf, wish, turn)


def compute_entity_tag(shelf: DirectoryTable, entry: Entry | None) -> str | None:
    """Return the entity tag with which a row is read, or None if there is no row."""
    if entry is None:
        return None
    shown = shelf.shown.model_validate(entry).model_dump_json()
    return format_entity_tag(0, shown.encode())


def require_known_references(tx: WriteTransaction, row: Row) -> None:
    """Raise an error if a row refers to a code that the directory does not have.

    The errors are CountryUnknown, AgreementUnknown and FocalPointUnknown (422).
    """
    known = administration_queries.get_regions(tx)
    unknown = {column for column, iso2 in row.list_countries() if iso2 not in known}
    if unknown:
        raise CountryUnknown(f"{', '.join(unknown)}: use codes of GET /v1/countries.")
    agreed = {agreement.code for agreement in administration_queries.list_agreements(tx)}
    unknown = {column for column, code in row.list_agreements() if code not in agreed}
    if unknown:
        raise AgreementUnknown(f"{', '.join(unknown)}: use codes of GET /v1/agreements.")
    named = {code: column for column, code in row.list_offices()}
    offices = (
        {office["code"] for office in administration_queries.list_offices(tx)}
        if named
        else set()
    )
    if unknown := {column for code, column in named.items() if code not in offices}:
        raise FocalPointUnknown(f"{', '.join(unknown)}: use codes of GET /v1/focal-points.")


def require_soundness(tx: WriteTransaction, shelf: DirectoryTable, turn: RowChange) -> None:
    """Raise DirectoryUnsound (409) if a change removes the last desk or oversight body.

    An approval does not permit such a change. Without a desk, some cases of a region would
    have no office; without oversight, nobody would review the access.
    """
    if shelf is not FOCAL_POINTS:
        return
    before = administration_queries.list_offices(tx)
    others = [office for office in before if office["code"] != turn.after["code"]]
    if lost := describe_loss(
        administration_queries.get_regions(tx), before, [*others, turn.after]
    ):
        raise DirectoryUnsound(lost)


def write_or_ask(
    tx: WriteTransaction, shelf: DirectoryTable, wish: PutRow, turn: RowChange
) -> WrittenRow | Approval:
    """Write a row, or request an approval if the change needs one and none is given."""
    subject = shelf.register.get_subject(turn.after)
    fingerprint = compute_fingerprint(tx, subject, turn)
    if wish.approval is None and shelf.guarded_columns(turn):
        return ask_administrator(tx, subject, fingerprint, turn)
    second = None
    if wish.approval is not None:
        second = access_actions.claim_approval(tx, wish.approval, fingerprint).decided_by
    account = tx.actor.account_id
    clerk = ChangeAuthor(tx.session, tx.create_id, tx.now, account, approved_by=second)
    store(clerk, shelf.register, [turn.after])
    entry = administration_queries.get(tx, shelf.register, wish.key)
    return WrittenRow(entry, created=turn.before is None)


def compute_fingerprint(tx: WriteTransaction, subject: str, turn: RowChange) -> str:
    """Return the fingerprint of the caller's account, the subject and the exact change."""
    parts = ("directory", str(tx.actor.account_id), subject, turn.to_json())
    return tx.vault.compute_fingerprint(*(part.encode() for part in parts))


def ask_administrator(
    tx: WriteTransaction, subject: str, fingerprint: str, turn: RowChange
) -> Approval:
    """Return the pending request to another administrator, or make such a request."""
    if pending := access_queries.find_pending(tx, fingerprint):
        return pending
    request = ApprovalRequest(
        action="directory.change",
        subject=subject,
        fingerprint=fingerprint,
        facts=turn.describe(),
        roles=DECIDERS,
        lapses_at=compute_due_at(tx, ClockKind.APPROVE, None, waits_on=None),
    )
    return access_actions.ask_second_person(tx, request)
