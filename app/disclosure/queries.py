"""Queries for the facts that the policy needs about a request, and for the access log."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Select, select

from app.access import people
from app.cases import emergency_access
from app.cases import queries as case_queries
from app.cases.grants import Grant
from app.cases.models import Case, Sealed
from app.cases.records import EmergencyAccess
from app.cases.sections import EmergencyAccessPurpose, Paper, Section
from app.casework import case_files
from app.consents import standing
from app.consents.coverage import Purpose
from app.consents.standing import Standing
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeFunction
from app.directory.models import FocalPoint
from app.disclosure.models import AccessEntry
from app.disclosure.policy import AccessRequest, Condition, Deed, Subject, is_allowed
from app.disclosure.schemas import OpenedDocument
from app.handovers import borders
from app.kernel.actors import (
    CASE_ROLES,
    Relation,
    Role,
    Side,
    get_case_sides,
    get_handover_sides,
    get_referral_sides,
)
from app.kernel.lifecycle import ActionNotYours, RoleMissing
from app.kernel.transactions import ReadTransaction
from app.referrals import queries as referral_queries
from app.referrals.helper_ranking import may_know_recipient
from app.referrals.models import Referral


@dataclass(frozen=True)
class ReadContext:
    """The context of a request for a document: the office, the case file and the subject.

    `in_place` is false if the document is about a recipient that the office must not see.
    """

    office: FocalPoint
    stands: Standing
    subject: Subject
    document: Sealed | None
    in_place: bool


def load_again(tx: ReadTransaction, record: Case | Referral) -> None:
    """Reload a case and the records that rules use, so that no decision uses old data.

    The case is not locked. While a document is loaded, another transaction may record that
    the person fears the reader, and store text that the reader must not see.
    """
    case_queries.load_again(tx, record.case_id)
    referral_queries.load_again(tx, record.case_id)
    case_files.load_rule_records(tx, [record.case_id])


def list_requests(
    tx: ReadTransaction,
    record: Case | Referral,
    subject: Subject,
    deed: Deed,
    document: Sealed | None,
) -> Iterator[AccessRequest]:
    """Yield the access requests for a document; the policy has to allow one of them.

    The record itself, and each referral or handover that could justify the opening, has its
    own request, so that a consent to one of them does not count for another.
    """
    case = record if isinstance(record, Case) else record.case
    office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    stands = standing.load_for_case(tx, case)
    about = record if isinstance(record, Referral) else None
    in_place = about is None or may_know_recipient(about, stands, office)
    sight = ReadContext(
        office=office, stands=stands, subject=subject, document=document, in_place=in_place
    )
    crosses = list_lead_purposes(tx, case, office, subject)
    parts = [(get_sides(tx, record), about, LEAD_PURPOSES & crosses)]
    if isinstance(record, Case):
        mine = list_own_referrals(tx, case, subject)
        parts += [(RECIPIENT, r, frozenset({Purpose(r.service)})) for r in mine]
        moving = get_handover_sides(case.list_all_relations(office.id))
        parts.append((moving, None, frozenset({Purpose.HANDOVER}) & crosses))
    elif Relation.FORMER_LEAD in case.list_all_relations(office.id):
        parts.append((frozenset({Side.FORMER_LEAD}), None, frozenset()))
    for sides_now, referral, purposes in parts:
        yield AccessRequest(
            deed=deed,
            subject=subject,
            sides=sides_now,
            case_state=case.state,
            referral_states=frozenset({referral.state} if referral else ()),
            holds=frozenset(list_conditions(sight, purposes)),
            roles=tx.actor.roles,
        )


def list_lead_purposes(
    tx: ReadTransaction, case: Case, office: FocalPoint, subject: Subject
) -> frozenset[Purpose]:
    """Return the purposes of consents that allow a lead or candidate to read a document.

    After a handover, or while one is pending, a consent counts only for sections that
    agreements allow to cross the border (G07, ADR 49).
    """
    section = get_section(subject)
    if section is None or borders.may_open(tx, case, office, section):
        return LEAD_PURPOSES
    return frozenset()


def find_emergency(
    tx: ReadTransaction,
    record: Case | Referral,
    subject: Subject,
    purpose: EmergencyAccessPurpose,
    document: Sealed | None,
) -> EmergencyAccess | None:
    """Return the emergency access that allows the caller to open a section, or None."""
    if not (isinstance(record, Case) and isinstance(subject, Section)):
        return None
    reading = emergency_access.find_granted(tx, record, subject, purpose)
    if reading is None:
        return None
    office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    stands = standing.load_for_case(tx, record)
    sight = ReadContext(
        office=office, stands=stands, subject=subject, document=document, in_place=False
    )
    may_be_named = stands.may_be_named(office) or not standing.find_ngo_cases(tx, [record])
    asked = AccessRequest(
        deed=Deed.OPEN,
        subject=subject,
        sides=frozenset({Side.VITAL_READER}),
        case_state=record.state,
        referral_states=frozenset(),
        holds=frozenset(list_conditions(sight, frozenset()))
        | ({Condition.MAY_BE_NAMED} if may_be_named else set()),
        roles=tx.actor.roles,
    )
    return reading if is_allowed(asked) else None


RECIPIENT: Final = frozenset({Side.RECIPIENT})
LEAD_PURPOSES: Final = frozenset({Purpose.REFER, Purpose.HANDOVER})
"""The purposes of a consent that count for the case itself, and not for a referral."""
RECIPIENT_SUBJECTS: Final = frozenset(
    {*Section, Paper.CONTACTS, Paper.SAFETY_ALERT, Paper.SCREENING}
)
"""The documents that a recipient may read in a case. Notes are not among them."""
SECTION_EQUIVALENTS: Final = {Paper.SCREENING: Section.INDICATORS}
"""The section that a consent or referral must name for each of these documents."""


def list_own_referrals(tx: ReadTransaction, case: Case, subject: Subject) -> list[Referral]:
    """Return the referrals to the caller's office that could justify opening a document."""
    office, section = tx.actor.focal_point_id, get_section(subject)
    return [
        referral
        for referral in referral_queries.list_of_case(tx, case.id)
        if Relation.RECIPIENT in referral.list_relations(office)
        and subject in RECIPIENT_SUBJECTS
        and (section is None or section in referral.sections)
    ]


def get_section(subject: Subject) -> Section | None:
    """Return the section that a consent has to name for a document, or None."""
    return subject if isinstance(subject, Section) else SECTION_EQUIVALENTS.get(subject)


def get_sides(tx: ReadTransaction, record: Case | Referral) -> frozenset[Side]:
    """Return the sides of the caller's office in this record."""
    relations = record.list_relations(tx.actor.focal_point_id)
    of_referral = isinstance(record, Referral)
    return get_referral_sides(relations) if of_referral else get_case_sides(relations)


def list_conditions(
    sight: ReadContext, purposes: frozenset[Purpose]
) -> Iterator[Condition]:
    """Yield the conditions of the policy that hold for a request.

    For an unsafe office, only `own_text` (G19) and `in_touch` can hold. The loss of
    `in_touch` would reveal to a submitter that the person fears this office.
    """
    office, stands = sight.office, sight.stands
    if sight.document is not None and sight.document.author == office.id:
        yield Condition.OWN_TEXT
    if stands.case.is_in_sight and not stands.is_of_origin(office):
        yield Condition.IN_TOUCH
    if not stands.is_safe(office, office.code):
        return
    yield Condition.SAFE
    if stands.case.may_know_lead(office.id):
        yield Condition.KNOWS_LEAD
    if not stands.is_of_origin(office) and sight.in_place:
        yield Condition.NOT_OF_ORIGIN
    if stands.is_permitted_for_origin(office):
        yield Condition.ORIGIN_PERMITTED
    if section := get_section(sight.subject):
        yield from list_consent_conditions(stands, office, section, purposes)


def list_consent_conditions(
    stands: Standing, office: FocalPoint, section: Section, purposes: frozenset[Purpose]
) -> Iterator[Condition]:
    """Yield each condition on consents that is met for a section."""
    covered = (stands.get_covered_sections(office, purpose) or () for purpose in purposes)
    if any(section in sections for sections in covered):
        yield Condition.CONSENTED
    if is_allowed_for_police(stands, office, section):
        yield Condition.POLICE_CONSENT


INVESTIGATING: Final = frozenset({OfficeFunction.POLICE, OfficeFunction.PROSECUTION})
"""Functions of offices that need a consent for LAW_ENFORCEMENT to read some sections."""


def is_allowed_for_police(stands: Standing, office: FocalPoint, section: Section) -> bool:
    """Return whether a consent for LAW_ENFORCEMENT allows a section, or none is needed."""
    if office.function not in INVESTIGATING:
        return True
    return section in (stands.get_covered_sections(office, Purpose.LAW_ENFORCEMENT) or ())


def find_opened_since(tx: ReadTransaction, moment: datetime) -> frozenset[UUID]:
    """Return the ids of cases in which the calling person opened a document since a time.

    Safety alerts do not count. Neither do accounts of the person at other offices, because
    row security hides the cases of those offices.
    """
    own = AccessEntry.account_id.in_(people.list_own_accounts(tx)) & AccessEntry.allowed
    mine = own & (AccessEntry.focal_point_id == tx.actor.focal_point_id)
    since = (AccessEntry.at >= moment) & (AccessEntry.subject != Paper.SAFETY_ALERT)
    opened = select(AccessEntry.case_id).where(mine, since)
    return frozenset(tx.session.scalars(opened.distinct()))


LOG_READER_ROLES: Final = CASE_ROLES | {Role.PROTECTION_OFFICER}
LOG_SIDES: Final = frozenset({Side.LEAD, Side.OVERSIGHT})


def may_read_log(tx: ReadTransaction, case: Case) -> bool:
    """Return whether the caller may read the access log of a case."""
    return bool(get_sides(tx, case) & LOG_SIDES and LOG_READER_ROLES & tx.actor.roles)


def select_access_log(tx: ReadTransaction, case: Case) -> Select[AccessEntry, int]:
    """Return a statement that selects the access log of a case for the lead or oversight.

    Raises ActionNotYours (403) for other offices, and RoleMissing (403) if the account has
    no role that may read the log.
    """
    if not get_sides(tx, case) & LOG_SIDES:
        raise ActionNotYours("Only the lead and oversight may read the access log.")
    if not LOG_READER_ROLES & tx.actor.roles:
        needed = ", ".join(sorted(LOG_READER_ROLES))
        raise RoleMissing(f"This needs one of the roles {needed}.")
    return select(AccessEntry, AccessEntry.number).where(AccessEntry.case_id == case.id)


def get_author(tx: ReadTransaction, case: Case, document: Sealed) -> str | None:
    """Return the code of the office that wrote a document; None if it must stay hidden.

    The reader of a snapshot of the case must not see authors of newer documents (ADR 43).
    """
    office, author, at = tx.actor.focal_point_id, document.author, document.written_at
    reads_it_as_asked = author != office and case.get_snapshot(office) is not None
    may_know = case.is_granted_at(office, Grant.ACTORS, at, as_party=False)
    if reads_it_as_asked and not may_know:
        return None
    return directory_queries.by_id(tx, author).code


def build_opened[O: OpenedDocument[Any]](
    tx: ReadTransaction,
    case: Case,
    document: Sealed,
    schema: type[O],
    content: type[BaseModel],
) -> O:
    """Decrypt a sealed document and return it with its author, in the given schema."""
    opened = content.model_validate_json(case_queries.open_sealed(tx, document))
    author = get_author(tx, case, document)
    return schema(author=author, written_at=document.written_at, content=opened)
