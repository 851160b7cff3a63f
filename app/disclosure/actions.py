"""Functions that open and write sealed documents.

Each opening, and each refusal up to a limit, is an entry in the access log. The route
commits the entry before it sends content (R35), and answers a refusal as if the record did
not exist (R08). A refusal is returned, because an exception would roll back the entry.
"""

from dataclasses import replace

from pydantic import BaseModel

from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases.lifecycle import LED, Need
from app.cases.models import Case, Sealed
from app.cases.records import EmergencyAccess
from app.cases.schemas import OpenedSection
from app.cases.sections import (
    CONTENT,
    MIN_CONTACTS,
    SECTIONS_FOR_SAFETY,
    EmergencyAccessPurpose,
    NamedContacts,
    Needs,
    Paper,
    Safeguards,
    Section,
    SectionContent,
    collect_names,
)
from app.casework.acting import get_state, lock_case, require_working_role
from app.casework.carrying import redirect_if_unsafe
from app.casework.needs import RULES
from app.consents import standing
from app.directory import queries as directory_queries
from app.disclosure import queries as disclosure_queries
from app.disclosure.access_log import (
    AccessAttempt,
    record_access,
    require_below_cap,
    require_sign_in_for,
)
from app.disclosure.policy import Deed, Subject, is_allowed
from app.disclosure.refused_openings import count_refusal
from app.disclosure.schemas import (
    OpenedContacts,
    OpenedSafeguards,
    OpenedSafetyAlert,
    SafeguardsHistory,
)
from app.handovers import following as handover_following
from app.kernel.actors import Side
from app.kernel.lifecycle import ActionNotYours
from app.kernel.requirements import UnmetRequirement, raise_unmet
from app.kernel.transactions import Recorded, WriteTransaction
from app.kernel.versions import SeenVersions
from app.referrals import following as referral_following
from app.referrals.agreements import remove_written_section
from app.referrals.models import Referral
from app.returns import following as return_following
from app.returns import origin_contact


def open_section(
    tx: WriteTransaction, code: str, section: Section, purpose: EmergencyAccessPurpose
) -> OpenedSection | None:
    """Open a section, or return None if it is refused or missing. Raises NotFound (404)."""
    require_sign_in_for(tx, {section})  # first: AuthenticationTooOld (401)
    case = case_queries.get_seen_or_led(tx, code)
    document = open_document(tx, case, section, purpose)
    if document is None:
        return None
    content = CONTENT.validate_json(case_queries.open_sealed(tx, document))
    author = disclosure_queries.get_author(tx, case, document)
    return OpenedSection(
        section=section, author=author, written_at=document.written_at, content=content
    )


def open_safeguards(
    tx: WriteTransaction, code: str, purpose: EmergencyAccessPurpose
) -> OpenedSafeguards | None:
    """Log the access; return the safeguards, or None if the caller may read no version.

    A submitter gets the last version that it wrote, because a refusal would reveal that the
    person has a fear. Raises NotFound (404) if the caller may not see the case.
    """
    case, kind = case_queries.get(tx, code), Paper.SAFEGUARDS
    shown = list_readable_safeguards(tx, case)
    log_access(tx, case, kind, purpose, allowed=bool(shown))
    return open_version(tx, case, shown[-1]) if shown else None


def list_readable_safeguards(tx: WriteTransaction, case: Case) -> list[Sealed]:
    """Return the versions of the safeguards that the caller may read, oldest first."""
    kinds = (Paper.SAFEGUARDS_PAST, Paper.SAFEGUARDS)
    found = [(k, d) for k in kinds for d in case_queries.list_sealed(tx, case.id, k)]
    disclosure_queries.load_again(tx, case)
    return [d for k, d in found if may_access(tx, case, k, Deed.OPEN, d)]


def open_version(tx: WriteTransaction, case: Case, document: Sealed) -> OpenedSafeguards:
    """Decrypt and return one version of the safeguards."""
    schema, content = OpenedSafeguards, Safeguards
    return disclosure_queries.build_opened(tx, case, document, schema, content)


def open_past_safeguards(
    tx: WriteTransaction, code: str, purpose: EmergencyAccessPurpose
) -> SafeguardsHistory:
    """Open the readable versions of the safeguards, except the latest, oldest first."""
    case, kind = case_queries.get(tx, code), Paper.SAFEGUARDS_PAST
    shown = list_readable_safeguards(tx, case)[:-1]
    counted = not disclosure_queries.get_sides(tx, case)
    log_access(tx, case, kind, purpose, allowed=bool(shown), counted=counted)
    return SafeguardsHistory(items=[open_version(tx, case, one) for one in shown])


def open_safety_alert(
    tx: WriteTransaction, code: str, purpose: EmergencyAccessPurpose
) -> OpenedSafetyAlert | None:
    """Return the safety alert (BR05); None if refused or missing. Raises NotFound (404)."""
    case, subject = case_queries.get(tx, code), Paper.SAFETY_ALERT
    document = case_queries.find_sealed(tx, case.id, Section.NEEDS)
    disclosure_queries.load_again(tx, case)
    allowed = may_access(tx, case, subject, Deed.OPEN, document)
    log_access(tx, case, subject, purpose, allowed=allowed)
    if document is None or not allowed:
        return None
    needs = Needs.model_validate_json(case_queries.open_sealed(tx, document))
    author = disclosure_queries.get_author(tx, case, document)
    return OpenedSafetyAlert(
        author=author, written_at=document.written_at, safety_alert=needs.safety_alert
    )


def open_contacts(
    tx: WriteTransaction, code: str, purpose: EmergencyAccessPurpose
) -> OpenedContacts | None:
    """Open the contacts, or return None if refused or missing. Raises NotFound (404)."""
    case = case_queries.get(tx, code)
    document = open_document(tx, case, Paper.CONTACTS, purpose)
    if document is None:
        return None
    content = case_queries.open_sealed(tx, document)
    contacts = NamedContacts.model_validate_json(content).contacts
    author = disclosure_queries.get_author(tx, case, document)
    return OpenedContacts(author=author, written_at=document.written_at, contacts=contacts)


def open_document(
    tx: WriteTransaction,
    record: Case | Referral,
    subject: Subject,
    purpose: EmergencyAccessPurpose,
    *,
    counted: bool = True,
) -> Sealed | None:
    """Log the access; return the document, or None if it is missing or refused."""
    document = case_queries.find_sealed(tx, record.id, subject)
    disclosure_queries.load_again(tx, record)
    allowed = may_access(tx, record, subject, Deed.OPEN, document)
    under = None
    if not allowed:
        under = disclosure_queries.find_emergency(tx, record, subject, purpose, document)
    allowed = allowed or under is not None
    log_access(tx, record, subject, purpose, allowed=allowed, counted=counted, under=under)
    return document if allowed else None


def may_access(
    tx: WriteTransaction,
    record: Case | Referral,
    subject: Subject,
    deed: Deed,
    document: Sealed | None,
) -> bool:
    """Return whether the caller may open or write a document without emergency access."""
    requests = disclosure_queries.list_requests(tx, record, subject, deed, document)
    return any(map(is_allowed, requests))


def log_access(  # noqa: PLR0913 - each is a part of the opening
    tx: WriteTransaction,
    record: Recorded,
    subject: Subject,
    purpose: EmergencyAccessPurpose,
    *,
    allowed: bool,
    counted: bool = True,
    under: EmergencyAccess | None = None,
) -> None:
    """Add an opening or a refusal to the access log, after a check of the limits.

    If only an emergency access allows the opening, `under` is that access. A refusal counts
    towards the limit if `counted` is true. Raises DailyCapReached or TooManyRefusedOpenings
    (429), and NotFound (404) if the data key of the case was destroyed meanwhile.
    """
    look = AccessAttempt(
        case_id=record.case_id,
        record_id=record.id,
        subject=subject,
        purpose=purpose,
        under=under.id if under else None,
    )
    if allowed:
        require_below_cap(tx, look)
        case_queries.get_data_key(tx, record.case_id, anew=True)
    elif counted:
        count_refusal(tx)
    record_access(tx, look, allowed=allowed)


def write_section(
    tx: WriteTransaction, code: str, seen: SeenVersions, content: SectionContent
) -> Case:
    """Replace a section of a case.

    Raises NotFound (404), ActionNotYours or RoleMissing (403), VersionNotGiven (428) or
    VersionStale (412). If the disk is nearly full and the section is not needed for safety,
    raises DiskSpaceReserved (503).
    """
    if content.section not in SECTIONS_FOR_SAFETY:
        tx.runtime.free_space.require_unreserved()
    case = lock_to_write(tx, code, seen, content.section)
    write_document(tx, case, content.section, content)
    remove_written_section(tx, case.id, content.section)
    referral_following.notify_of_change(tx, case, content.section)
    record_written(tx, case, content.section)
    return case


def write_safeguards(
    tx: WriteTransaction, code: str, seen: SeenVersions, content: Safeguards
) -> Case:
    """Replace the safeguards; a candidate or desk that is now unsafe loses the case.

    Raises the 4xx errors of `write_section`, DeskMissing (503), or ActionNotYours (403) if
    a lead of the State of origin records another origin: it could learn who is where (R12).
    """
    case = lock_to_write(tx, code, seen, Paper.SAFEGUARDS)
    office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    before = standing.load_for_case(tx, case)
    after = replace(before, safeguards=content)
    if before.is_of_origin(office) and not after.is_of_origin(office) and case.state in LED:
        raise ActionNotYours(
            "An office of another State than the lead's has to record this."
        )
    write_document(tx, case, Paper.SAFEGUARDS, content)
    tx.session.flush()
    referral_following.withdraw_unsafe(tx, case)
    handover_following.cancel_unsafe(tx, case)
    origin_contact.stop_if_decided(tx, case, content)
    return_following.end_or_reassign(tx, case)
    redirect_if_unsafe(tx, case)
    record_written(tx, case, Paper.SAFEGUARDS)
    return case


def write_contacts(
    tx: WriteTransaction, code: str, seen: SeenVersions, content: NamedContacts
) -> Case:
    """Replace the lead's contacts. Raises NeedsUnmet (409) for fewer than two people."""
    case = lock_to_write(tx, code, seen, Paper.CONTACTS)
    if len(collect_names(content.contacts)) < MIN_CONTACTS:
        need, remedy = Need.TWO_CONTACTS, RULES.checks[Need.TWO_CONTACTS].remedy
        raise_unmet([UnmetRequirement(requirement=need, by=Side.LEAD, remedy=remedy)])
    write_document(tx, case, Paper.CONTACTS, content)
    record_written(tx, case, Paper.CONTACTS)
    return case


def record_written(tx: WriteTransaction, case: Case, subject: Subject) -> None:
    """Record an event that a document was written, for the offices that may learn of it."""
    keepers = case.write_audience
    if subject == Paper.SAFEGUARDS:
        stands = standing.load_for_case(tx, case)
        offices = directory_queries.by_ids(tx, keepers)
        keepers = frozenset(k for k in keepers if stands.may_know_fears(offices[k]))
    tx.record("case.section_written", case, keepers, {"section": subject})


def lock_to_write(
    tx: WriteTransaction, code: str, seen: SeenVersions, subject: Subject
) -> Case:
    """Lock a case for writing and return it. Raises the 4xx errors of `write_section`."""
    case = lock_case(tx, code, seen)
    require_working_role(tx)
    if not may_access(tx, case, subject, Deed.WRITE, None):
        state = get_state(tx, case)
        raise ActionNotYours(f"Your office may not write this: the case is {state}.")
    return case


def write_document(
    tx: WriteTransaction, case: Case, subject: Subject, content: BaseModel
) -> None:
    """Seal the content and increment the version of the case."""
    case_actions.replace_sealed(tx, case, subject, content)
    case.raise_version()
