"""Routes for sealed documents of a case. Each opening has a purpose and is recorded."""

from typing import Final

from fastapi import Response

from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    CaseCode,
    IfMatch,
    IfNoneMatch,
    Once,
    OpenSections,
    Paging,
    Purpose,
    ReadSections,
    WriteCases,
)
from app.api.http.problems import KEYED, NOT_FOUND, build_invalid, list_problems
from app.api.http.routers import ResourceRouter
from app.api.http.validation_errors import Fault
from app.api.idempotent_requests import CASE
from app.api.read_receipts import OPENED, OPENED_AFTER_SIGN_IN, show_opened
from app.cases import queries as case_queries
from app.cases.schemas import OpenedSection
from app.cases.sections import NamedContacts, Safeguards, Section, SectionContent
from app.cases.stored_fields import rename_subject
from app.casework.carrying import DeskMissing
from app.casework.schemas import CaseOut
from app.consents import office_names
from app.disclosure import actions as disclosure_actions
from app.disclosure import documents, knowledge
from app.disclosure import queries as disclosure_queries
from app.disclosure.models import AccessEntry
from app.disclosure.schemas import (
    AccessEntryOut,
    AccessLog,
    Knowledge,
    NoteList,
    OpenedContacts,
    OpenedSafeguards,
    OpenedSafetyAlert,
    SafeguardsHistory,
)
from app.kernel.free_space import DiskSpaceReserved
from app.kernel.lifecycle import ActionNotYours, RoleMissing
from app.kernel.paging import CursorUnknown, load_page
from app.kernel.problems import NotFound, Problem
from app.kernel.requirements import NeedsUnmet
from app.kernel.versions import VersionNotGiven, VersionStale
from app.screening.schemas import (
    CODE_UNKNOWN,
    build_unknown_code_error,
    find_unknown_indicators,
)

router = ResourceRouter("sections", "/cases/{code}")
WRITES: Final = (
    NotFound,
    VersionNotGiven,
    VersionStale,
    *KEYED,
    ActionNotYours,
    RoleMissing,
)
WRITE = list_problems(*WRITES)


class SectionMismatch(Problem):
    """The section in the body differs from the section in the path."""

    status = 422


@router.get(
    "/sections/{section}", response_model=OpenedSection, responses=OPENED_AFTER_SIGN_IN
)
def open_section(
    begin: OpenSections, code: CaseCode, section: Section, purpose: Purpose
) -> Response:
    """Open one section, if your relation to the case and the person's consent allow it.

    The opening is recorded in the access log before you get the response. The lead sees who
    opened which section, when and for which purpose. The response is 404 if you may not
    open the section or it was never written. With a session, `identity`, `narrative`,
    `perpetrators` and `health` can be opened only for 5 minutes after the sign-in.
    """
    return show_opened(
        begin, lambda tx: disclosure_actions.open_section(tx, code, section, purpose)
    )


@router.put(
    "/sections/{section}",
    response_model=CaseOut,
    responses=list_problems(*WRITES, SectionMismatch, DiskSpaceReserved),
)
def write_section(  # noqa: PLR0913, PLR0917 - each is part of one decision
    begin: WriteCases,
    code: CaseCode,
    section: Section,
    seen: IfMatch,
    key: Once,
    content: SectionContent,
) -> Response:
    """Replace a section.

    Only the lead can do this, or the submitter if there is no lead.
    """
    if content.section != section:
        raise SectionMismatch("Send the same section in the path and in the body.")
    require_known_indicators(content)
    return CASE.run_once(
        begin, key, lambda tx: disclosure_actions.write_section(tx, code, seen, content)
    )


def require_known_indicators(content: SectionContent) -> None:
    """Raise RequestInvalid (422) if a section names an unknown indicator."""
    detail = build_unknown_code_error("indicators").message()
    faults = [
        Fault(pointer=f"#/codes/{place}", code=CODE_UNKNOWN, detail=detail)
        for place in find_unknown_indicators(content)
    ]
    if faults:
        raise build_invalid(faults)


@router.get("/safeguards", response_model=OpenedSafeguards, responses=OPENED)
def open_safeguards(begin: OpenSections, code: CaseCode, purpose: Purpose) -> Response:
    """Open the safeguards, which restrict the disclosure of the case.

    Only the lead, a candidate that has acknowledged the case, and the submitter may open
    them. The submitter gets the last version that it wrote.
    """
    return show_opened(
        begin, lambda tx: disclosure_actions.open_safeguards(tx, code, purpose)
    )


@router.get("/safeguards/history", response_model=SafeguardsHistory, responses=OPENED)
def open_safeguards_history(
    begin: OpenSections, code: CaseCode, purpose: Purpose
) -> Response:
    """Open the earlier versions of the safeguards that you may read, oldest first."""
    return show_opened(
        begin, lambda tx: disclosure_actions.open_past_safeguards(tx, code, purpose)
    )


@router.get("/safety-alert", response_model=OpenedSafetyAlert, responses=OPENED)
def open_safety_alert(begin: OpenSections, code: CaseCode, purpose: Purpose) -> Response:
    """Open the safety alert: facts that everyone who meets the person must know.

    This needs no consent (BR05).
    """
    return show_opened(
        begin, lambda tx: disclosure_actions.open_safety_alert(tx, code, purpose)
    )


@router.put(
    "/safeguards", response_model=CaseOut, responses=list_problems(*WRITES, DeskMissing)
)
def write_safeguards(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, content: Safeguards
) -> Response:
    """Replace the safeguards.

    They restrict the disclosure of the case, for example to unsafe offices. A candidate or
    a desk that is now unsafe loses the case. A lead that is now unsafe keeps it, but can
    open at most its own texts.
    """
    return CASE.run_once(
        begin, key, lambda tx: disclosure_actions.write_safeguards(tx, code, seen, content)
    )


@router.get("/contacts", response_model=OpenedContacts, responses=OPENED)
def open_contacts(begin: OpenSections, code: CaseCode, purpose: Purpose) -> Response:
    """Open the lead's contacts, unless you are another office of the State of origin."""
    return show_opened(
        begin, lambda tx: disclosure_actions.open_contacts(tx, code, purpose)
    )


@router.put(
    "/contacts", response_model=CaseOut, responses=list_problems(*WRITES, NeedsUnmet)
)
def write_contacts(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, contacts: NamedContacts
) -> Response:
    """Replace the contacts of the lead. Only the lead can do this.

    At least two different people must be named.
    """
    return CASE.run_once(
        begin, key, lambda tx: disclosure_actions.write_contacts(tx, code, seen, contacts)
    )


@router.get("/notes", response_model=NoteList, responses=OPENED)
def open_case_notes(begin: OpenSections, code: CaseCode, purpose: Purpose) -> Response:
    """Open the notes that were sent with actions of a case and that you may read."""
    with begin() as tx:
        case = case_queries.get_seen_or_led(tx, code)
        opened = documents.open_notes(tx, case, purpose)
    return render(opened)


@router.get(
    "/access-log",
    response_model=AccessLog,
    responses=list_problems(NotFound, ActionNotYours, CursorUnknown),
)
def list_access_log(begin: OpenSections, code: CaseCode, query: Paging) -> Response:
    """List attempts to open a case's documents: office, document, time, purpose and result.

    Only the lead and oversight may read the access log. A lead that may belong to the
    State of origin does not see the names of offices that help in another country.
    """
    with begin() as tx:
        case = case_queries.get(tx, code)
        statement = disclosure_queries.select_access_log(tx, case)
        keys = (AccessEntry.number,)
        rows, after = load_page(tx, statement, keys, query, name=f"log {case.id}")
        acts = [(case, entry.focal_point_id, entry.at) for entry, _ in rows]
        names = office_names.load_names(tx, acts)
        items = [
            AccessEntryOut(
                focal_point=names.get_code(case, entry.focal_point_id, entry.at),
                in_emergency=entry.vital_reading_id is not None,
                id=entry.id,
                at=entry.at,
                subject=rename_subject(entry.subject),
                purpose=entry.purpose,
                allowed=entry.allowed,
            )
            for entry, _ in rows
        ]
        return render(AccessLog(items=items, next=after))


@router.get("/knowledge", response_model=Knowledge, responses=NOT_FOUND)
def get_knowledge(
    begin: ReadSections, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """Read which sections you may open, why you may not open others, and who opened each.

    This opens nothing and is not recorded. The lead and oversight also get the offices that
    opened a section, because they may read the access log. For other offices, `offices` is
    null.
    """
    with begin() as tx:
        found = knowledge.build_knowledge(tx, case_queries.get(tx, code))
        return render(found, if_none_match=if_none_match)
