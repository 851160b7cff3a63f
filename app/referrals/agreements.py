"""Removal of sections from a referral if agreements no longer cover them (ADR 50).

The recipient keeps access to sections that it could already open, but not to other sections
or to text that is written afterwards.
"""

from collections.abc import Set as AbstractSet
from uuid import UUID

from app.cases.sections import Section, get_level
from app.directory import agreement_queries
from app.directory import queries as directory_queries
from app.directory.kinds import list_home_countries
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.referrals import queries as referral_queries
from app.referrals.lifecycle import OPEN
from app.referrals.models import Referral


def find_held_back_sections(tx: ReadTransaction, referral: Referral) -> frozenset[Section]:
    """Return the sections of a referral that no agreement in force allows to be sent."""
    countries, to = list_source_countries(tx, referral), referral.recipient
    return frozenset(
        section
        for section in map(Section, referral.sections)
        if not any(
            agreement_queries.is_agreed(tx, country, to, get_level({section}))
            for country in countries
        )
    )


def list_source_countries(tx: ReadTransaction, referral: Referral) -> list[str]:
    """Return the countries of the person and of the office that holds the case.

    A recipient that reads a snapshot of the case must not find out that the person or the
    lead moved. For such a recipient, only the country that it knows is used (ADR 43).
    """
    case = referral.case
    country = case.get_known_country(referral.recipient_id) or ""
    if case.get_recipient_snapshot(referral.id) or case.holder is None:
        return [country]
    return [country, *list_home_countries(directory_queries.by_id(tx, case.holder))]


def remove_sections(
    tx: WriteTransaction, referral: Referral, sections: AbstractSet[Section]
) -> bool:
    """Remove sections from a referral; return whether the referral had any of them."""
    remaining = sorted(set(referral.sections) - sections)
    if len(remaining) == len(referral.sections):
        return False
    referral.sections = remaining
    referral.raise_version()
    facts = {"state": referral.state, "service": referral.service, "basis": referral.basis}
    tx.record("referral.narrowed", referral, referral.audience, facts, by_system=True)
    return True


def remove_written_section(tx: WriteTransaction, case_id: UUID, section: Section) -> None:
    """Remove a newly written section from open referrals where no agreement covers it."""
    for referral in referral_queries.list_of_case(tx, case_id):
        if referral.state in OPEN and section in referral.sections:
            remove_sections(tx, referral, find_held_back_sections(tx, referral) & {section})
