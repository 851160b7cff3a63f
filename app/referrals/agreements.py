"""What of a referral may cross a border when an agreement ends while help goes on (ADR 50).

What was sent before stays open to the recipient. Nothing more goes to it: no section that
it could not open yet, and no text that is written from then on.
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
    """List from where sections go: where the person is, and where the holder works.

    A recipient that reads the case as it was when it was asked must not find out that the
    person moved, or the lead: for it only the country that it knows counts (ADR 43).
    """
    case = referral.case
    country = case.country_known_to(referral.recipient_id) or ""
    if case.snapshot_behind(referral.id) or case.holder is None:
        return [country]
    return [country, *homes(directory.by_id(tx, case.holder))]


def hold_back(tx: Writing, referral: Referral, sections: AbstractSet[Section]) -> bool:
    """Take sections from a referral, and tell both sides; False if it has none of them."""
    left = sorted(set(referral.sections) - sections)
    if len(left) == len(referral.sections):
        return False
    referral.sections = left
    referral.touch()
    facts = {"state": referral.state, "service": referral.service, "basis": referral.basis}
    tx.record("referral.narrowed", referral, referral.audience, facts, by_system=True)
    return True


def hold_back_written(tx: Writing, case_id: UUID, section: Section) -> None:
    """Take a section that was just written from the recipients that it may not reach."""
    for referral in queries.of_case(tx, case_id):
        if referral.state in OPEN and section in referral.sections:
            hold_back(tx, referral, find_held_back(tx, referral) & {section})
