"""Routes with which administrators change focal points, countries and agreements."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Path, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.access.approvals import ApprovalUnusable
from app.access.models import Approval
from app.administration import actions as administration_actions
from app.administration import queries as administration_queries
from app.administration.actions import (
    CountryUnknown,
    DirectoryTable,
    DirectoryUnsound,
    PutRow,
    WrittenRow,
)
from app.administration.schemas import (
    AgreementList,
    AgreementOut,
    CountrySettings,
    DirectoryChangeOut,
    DirectoryChangePage,
    PutAgreement,
    PutFocalPoint,
    WrittenFocalPoint,
)
from app.api.approvals import ASKED, get_account_labels, show_approval
from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    ApprovalId,
    Expect,
    IfMatch,
    IfNoneMatch,
    Paging,
    ReadDirectory,
    WriteDirectory,
)
from app.api.http.problems import NOT_FOUND, Answers, list_problems
from app.api.http.routers import ResourceRouter
from app.directory.history import DirectoryChange, rename_columns
from app.directory.models import FocalPoint
from app.directory.queries import FocalPointUnknown
from app.directory.schemas import CountryOut
from app.kernel.lifecycle import RoleMissing
from app.kernel.paging import CursorUnknown, load_page
from app.kernel.problems import NotFound, Problem
from app.kernel.text import Code, CountryCode
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.versions import ExpectedTag, VersionNotGiven, VersionStale

router = ResourceRouter("administration")


class CodeMismatch(Problem):
    """The code in the body differs from the code in the path."""

    status = 422


MAY_FAIL = (
    RoleMissing,
    NotFound,
    VersionNotGiven,
    VersionStale,
    ApprovalUnusable,
    CodeMismatch,
    CountryUnknown,
    FocalPointUnknown,
    DirectoryUnsound,
)
PUT = ASKED | list_problems(*MAY_FAIL)
NEW = "The row was created."
PUT_OFFICE: Answers = {201: {"model": WrittenFocalPoint, "description": NEW}, **PUT}
PUT_AGREEMENT: Answers = {201: {"model": AgreementOut, "description": NEW}, **PUT}


@contextmanager
def report_body_errors() -> Iterator[None]:
    """Convert a ValidationError of the `with` block to RequestValidationError (422)."""
    try:
        yield
    except ValidationError as invalid:
        errors = [{**error, "loc": ("body", *error["loc"])} for error in invalid.errors()]
        raise RequestValidationError(errors) from None


def replace_row(tx: WriteTransaction, shelf: DirectoryTable, wish: PutRow) -> Response:
    """Write a row and return it with its entity tag, or return 202 with the approval."""
    with report_body_errors():
        done = administration_actions.write_row(tx, shelf, wish)
    tx.session.flush()
    if isinstance(done, Approval):
        return show_approval(tx, done, status=202)
    return show_row(tx, shelf, done)


def show_row(tx: ReadTransaction, shelf: DirectoryTable, written: WrittenRow) -> Response:
    """Return the row as it is now. For an office, include the number of waiting cases."""
    entry = written.entry
    shown = shelf.shown.model_validate(entry)
    if isinstance(entry, FocalPoint):
        waiting = administration_queries.count_waiting_cases(tx, entry.id)
        shown = WrittenFocalPoint(**shown.model_dump(), cases_waiting=waiting)
    headers = {"ETag": administration_actions.compute_entity_tag(shelf, entry) or ""}
    if written.created:
        values = administration_queries.get_values(entry)
        headers["Location"] = f"/v1/{shelf.register.get_subject(values)}"
    return render(shown, status=201 if written.created else 200, headers=headers)


def require_same_code(path_code: str, body_code: str) -> None:
    """Raise CodeMismatch (422) if the path and the body contain different codes."""
    if body_code != path_code:
        raise CodeMismatch("Send the same code in the path and in the body.")


@router.put(
    "/focal-points/{focal_point}", response_model=WrittenFocalPoint, responses=PUT_OFFICE
)
def replace_focal_point(
    begin: WriteDirectory,
    focal_point: Code,
    expected: Expect,
    office: PutFocalPoint,
    approval: ApprovalId = None,
) -> Response:
    """Replace or create a focal point.

    To replace a focal point, send the changed body of `GET`, with its ETag as `If-Match`.
    To create one, send `If-None-Match: *`.

    A change that could send a person to the wrong office needs the approval of a second
    administrator. The first response is then 202. The second administrator confirms the
    approval, which makes the change, or approves it: then send the same request again with
    `Approval: {id}`. A focal point cannot be deleted: set `active` to false.
    """
    require_same_code(focal_point, office.code)
    with begin() as tx:
        wish = PutRow(focal_point, office, expected, approval)
        return replace_row(tx, administration_actions.FOCAL_POINTS, wish)


@router.get("/agreements", response_model=AgreementList)
def list_agreements(begin: ReadDirectory, if_none_match: IfNoneMatch = None) -> Response:
    """List the agreements on data that may cross borders, including ended agreements."""
    with begin() as tx:
        rows = administration_queries.list_agreements(tx)
        items = [AgreementOut.model_validate(row) for row in rows]
        return render(AgreementList(items=items), if_none_match=if_none_match)


@router.get("/agreements/{agreement}", response_model=AgreementOut, responses=NOT_FOUND)
def get_agreement(begin: ReadDirectory, agreement: Code) -> Response:
    """Read one agreement."""
    with begin() as tx:
        register = administration_actions.AGREEMENTS.register
        found = administration_queries.get(tx, register, agreement)
        return render(AgreementOut.model_validate(found))


@router.put("/agreements/{agreement}", response_model=AgreementOut, responses=PUT_AGREEMENT)
def replace_agreement(
    begin: WriteDirectory,
    agreement: Code,
    expected: Expect,
    terms: PutAgreement,
    approval: ApprovalId = None,
) -> Response:
    """Replace or create an agreement.

    A change that lets more data cross a border needs the approval of a second
    administrator, as for a focal point. To end an agreement, set `in_force_until`.
    """
    require_same_code(agreement, terms.code)
    with begin() as tx:
        wish = PutRow(agreement, terms, expected, approval)
        return replace_row(tx, administration_actions.AGREEMENTS, wish)


IsoCode = Annotated[CountryCode, Path(description="ISO 3166-1 alpha-2.")]


@router.get("/countries/{country}", response_model=CountryOut, responses=NOT_FOUND)
def get_country(begin: ReadDirectory, country: IsoCode) -> Response:
    """Read one country. Fields for which there is no source are empty."""
    with begin() as tx:
        register = administration_actions.COUNTRIES.register
        found = administration_queries.get(tx, register, country)
        return render(CountryOut.model_validate(found))


@router.put("/countries/{country}", response_model=CountryOut, responses=PUT)
def replace_country(
    begin: WriteDirectory,
    country: IsoCode,
    seen: IfMatch,
    settings: CountrySettings,
    approval: ApprovalId = None,
) -> Response:
    """Replace the settings of a country. The fields that come from a source do not change.

    A change to `state_routing`, `first_contact` or `needs_criminal_case` needs the approval
    of a second administrator.
    """
    with begin() as tx:
        administration_queries.get(tx, administration_actions.COUNTRIES.register, country)
        wish = PutRow(country, settings, ExpectedTag(seen.if_match, None), approval)
        return replace_row(tx, administration_actions.COUNTRIES, wish)


@router.get(
    "/directory-changes",
    response_model=DirectoryChangePage,
    responses=list_problems(CursorUnknown, RoleMissing),
)
def list_directory_changes(
    begin: ReadDirectory, query: Paging, if_none_match: IfNoneMatch = None
) -> Response:
    """List the changes to the directory, oldest first, with their times and accounts.

    Each change contains the row before and after the change. The list includes changes that
    were loaded on the command line. Only administrators and oversight may read it.
    """
    with begin() as tx:
        keys = (DirectoryChange.number,)
        statement = administration_queries.select_changes(tx)
        rows, after = load_page(tx, statement, keys, query, name="changes")
        items = build_changes(tx, [change for change, _ in rows])
        page = DirectoryChangePage(items=items, next=after)
        return render(page, if_none_match=if_none_match)


def build_changes(
    tx: ReadTransaction, changes: list[DirectoryChange]
) -> list[DirectoryChangeOut]:
    """Return directory changes with the accounts that made and approved them."""
    people = [one for c in changes for one in (c.account_id, c.approved_by) if one]
    labels = get_account_labels(tx, people)
    return [
        DirectoryChangeOut(
            at=change.at,
            subject=change.subject,
            before=None if change.before is None else rename_columns(change.before),
            after=rename_columns(change.after),
            by=labels[change.account_id] if change.account_id else None,
            approved_by=labels[change.approved_by] if change.approved_by else None,
        )
        for change in changes
    ]
