"""The facts of a request for the policy, and queries for the access log."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, select

from app.cases import emergency_access
from app.cases import queries as case_queries
from app.cases.grants import Grant
from app.cases.models import Case, Sealed
from app.cases.records import VitalReading
from app.cases.sections import Paper, ReadingPurpose, Section
from app.consents import standing
from app.consents.coverage import Purpose
from app.consents.standing import Standing
from app.directory import queries as directory_queries
from app.directory.kinds import Function
from app.directory.models import FocalPoint
from app.disclosure.models import AccessEntry
from app.disclosure.policy import AccessRequest, Condition, Deed, Subject, is_allowed
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
    """A request to read one subject: the office, the standing, and the document.

    `in_place`: whether the office may know which recipient gives the help that it is about.
    """

    office: FocalPoint
    stands: Standing
    subject: Subject
    document: Sealed | None
    in_place: bool


def load_again(tx: ReadTransaction, record: Case | Referral) -> None:
    """Reload a case and its referrals after a document was read, to decide on it.

    The caller locks no case, so another transaction may have written meanwhile: for example
    that the reader is feared or has left, and then text that it must not read.
    """
    case_queries.load_again(tx, record.case_id)
    referral_queries.load_again(tx, record.case_id)


def list_requests(
    tx: ReadTransaction,
    record: Case | Referral,
    subject: Subject,
    deed: Deed,
    document: Sealed | None,
) -> Iterator[AccessRequest]:
    """Yield the requests of which the policy has to allow one.

    There is one for the record itself, and one for each referral and handover that an
    opening could rest on. They are separate, so that a consent for one does not open what
    another needs.
    """
    case = record if isinstance(record, Case) else record.case
    office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    stands, about = standing.load_for_case(tx, case), as_referral(record)
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
    """Return the purposes of consents that let a lead read this subject.

    A lead that got the case by a handover may read, by a consent, what agreements let cross
    the border now; so may an office that is asked to lead (G07, ADR 49).
    """
    section = get_section(subject)
    if section is None or borders.may_open(tx, case, office, section):
        return LEAD_PURPOSES
    return frozenset()


def find_emergency(
    tx: ReadTransaction,
    record: Case | Referral,
    subject: Subject,
    purpose: ReadingPurpose,
    document: Sealed | None,
) -> VitalReading | None:
    """Return the emergency access by which the caller may open a section, or None."""
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
"""Purposes of consents that count for the case itself; a recipient needs its service."""
RECIPIENT_SUBJECTS: Final = frozenset(
    {*Section, Paper.CONTACTS, Paper.SAFETY_NOTICE, Paper.SCREENING}
)
"""Subjects of a case that a recipient may read; its notes are not among them."""
SECTION_EQUIVALENTS: Final = {Paper.SCREENING: Section.INDICATORS}
"""Documents that are treated as a section: by consents, and when sent along."""


def as_referral(record: Case | Referral) -> Referral | None:
    """Return the record if it is a referral, else None."""
    return record if isinstance(record, Referral) else None


def list_own_referrals(tx: ReadTransaction, case: Case, subject: Subject) -> list[Referral]:
    """Return the referrals to the caller's office on which an opening could rest.

    A section needs a referral with which it was sent.
    """
    office, section = tx.actor.focal_point_id, get_section(subject)
    return [
        referral
        for referral in referral_queries.list_of_case(tx, case.id)
        if Relation.RECIPIENT in referral.list_relations(office)
        and subject in RECIPIENT_SUBJECTS
        and (section is None or section in referral.sections)
    ]


def get_section(subject: Subject) -> Section | None:
    """Return the section that a consent has to name for this subject, or None."""
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

    For an unsafe office only two can: that it wrote the text (G19), and that a submitter
    still follows the case, since losing that would reveal that it is feared.
    """
    office, stands = sight.office, sight.stands
    if sight.document is not None and sight.document.author == office.id:
        yield Condition.OWN_TEXT
    if stands.case.is_in_sight and not stands.is_of_origin(office):
        yield Condition.IN_TOUCH
    if not stands.is_safe(office, office.code):
        return
    yield Condition.SAFE
    if not stands.is_of_origin(office) and sight.in_place:
        yield Condition.NOT_OF_ORIGIN
    if stands.is_permitted_for_origin(office):
        yield Condition.ORIGIN_PERMITTED
    if section := get_section(sight.subject):
        yield from list_consent_conditions(stands, office, section, purposes)


def list_consent_conditions(
    stands: Standing, office: FocalPoint, section: Section, purposes: frozenset[Purpose]
) -> Iterator[Condition]:
    """Yield the conditions about consents of the person that hold."""
    if any(
        section in (stands.get_covered_sections(office, purpose) or ())
        for purpose in purposes
    ):
        yield Condition.CONSENTED
    if is_allowed_for_police(stands, office, section):
        yield Condition.POLICE_CONSENT


def is_allowed_for_police(stands: Standing, office: FocalPoint, section: Section) -> bool:
    """Return whether an office is not police or prosecution, or has a consent for that."""
    if office.function not in {Function.POLICE, Function.PROSECUTION}:
        return True
    return section in (stands.get_covered_sections(office, Purpose.LAW_ENFORCEMENT) or ())


def find_opened_since(tx: ReadTransaction, moment: datetime) -> frozenset[UUID]:
    """Return the cases of which the caller's account opened a document since a time.

    The safety alert does not count: it can be read above the cap, and must not open the
    rest.
    """
    mine = (AccessEntry.account_id == tx.actor.account_id) & AccessEntry.allowed
    since = (AccessEntry.at >= moment) & (AccessEntry.subject != Paper.SAFETY_NOTICE)
    opened = select(AccessEntry.case_id).where(mine, since)
    return frozenset(tx.session.scalars(opened.distinct()))


LOG_READER_ROLES: Final = CASE_ROLES | {Role.PROTECTION_OFFICER}


def select_access_log(tx: ReadTransaction, case: Case) -> Select[AccessEntry, int]:
    """Select the access log for the lead and oversight.

    Raises ActionNotYours or RoleMissing (403).
    """
    allowed = {Side.LEAD, Side.OVERSIGHT}
    if not get_sides(tx, case) & allowed:
        raise ActionNotYours("Only the lead and oversight may read the access log.")
    if not LOG_READER_ROLES & tx.actor.roles:
        needed = ", ".join(sorted(LOG_READER_ROLES))
        raise RoleMissing(f"This needs one of the roles {needed}.")
    of_case = AccessEntry.case_id == case.id
    return select(AccessEntry, AccessEntry.number).where(of_case)


def get_author(tx: ReadTransaction, case: Case, document: Sealed) -> str | None:
    """Return the code of the office that wrote a sealed document, or None.

    None for a reader with a snapshot of the case (ADR 43), if the document is newer.
    """
    office, author, at = tx.actor.focal_point_id, document.author, document.written_at
    reads_it_as_asked = author != office and case.get_snapshot(office) is not None
    if reads_it_as_asked and not case.is_granted_at(
        office, Grant.ACTORS, at, as_party=False
    ):
        return None
    return directory_queries.by_id(tx, author).code
