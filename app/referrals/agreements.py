"""Sections of a referral that stop crossing a border when an agreement ends (ADR 50).

The recipient keeps access to what it could open before. It gets no section that it could
not open yet, and no text that is written afterwards.
"""

from collections.abc import Set as AbstractSet
from uuid import UUID

from app.cases.sections import Section, level_of
from app.directory import queries as directory
from app.directory.kinds import homes
from app.kernel.work import Reading, Writing
from app.referrals import queries
from app.referrals.lifecycle import OPEN
from app.referrals.models import Referral


def find_held_back(tx: Reading, referral: Referral) -> frozenset[Section]:
    """Return the sections of a referral that no agreement in force lets cross now."""
    countries, to = list_countries(tx, referral), referral.recipient
    return frozenset(
        section
        for section in map(Section, referral.sections)
        if not any(
            directory.is_agreed(tx, country, to, level_of({section}))
            for country in countries
        )
    )


def list_countries(tx: Reading, referral: Referral) -> list[str]:
    """Return the countries that sections come from: the person's and those of the holder.

    A recipient with a snapshot of the case must not find out that the person or the lead
    moved. For such a recipient only the country in the snapshot counts (ADR 43).
    """
    case = referral.case
    country = case.country_known_to(referral.recipient_id) or ""
    if case.snapshot_behind(referral.id) or case.holder is None:
        return [country]
    return [country, *homes(directory.by_id(tx, case.holder))]


def hold_back(tx: Writing, referral: Referral, sections: AbstractSet[Section]) -> bool:
    """Remove sections from a referral and record it; return False if it has none."""
    remaining = sorted(set(referral.sections) - sections)
    if len(remaining) == len(referral.sections):
        return False
    referral.sections = remaining
    referral.touch()
    facts = {"state": referral.state, "service": referral.service, "basis": referral.basis}
    tx.record("referral.narrowed", referral, referral.audience, facts, by_system=True)
    return True


def hold_back_written(tx: Writing, case_id: UUID, section: Section) -> None:
    """Remove a newly written section from referrals whose recipients it must not reach."""
    for referral in queries.of_case(tx, case_id):
        if referral.state in OPEN and section in referral.sections:
            hold_back(tx, referral, find_held_back(tx, referral) & {section})
