"""Rules for the sections that cross a border in a handover (BR07, G07; ADR 49)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from app.cases.models import Case
from app.cases.sections import LEVELS, Section
from app.directory import borders
from app.directory import queries as directory_queries
from app.directory.kinds import DisclosureLevel
from app.directory.models import FocalPoint
from app.handovers import queries as handover_queries
from app.handovers.lifecycle import State
from app.kernel.actors import Relation
from app.kernel.transactions import ReadTransaction


@dataclass(frozen=True)
class LeadTransfer:
    """An offered or effective transfer of the lead from one office to another."""

    lead: FocalPoint
    successor: FocalPoint


def is_agreed(
    tx: ReadTransaction, case: Case, transfer: LeadTransfer, level: DisclosureLevel
) -> bool:
    """Return whether agreements allow data of this level to reach the new lead (G07)."""
    country, to = case.country or "", transfer.successor
    return borders.may_cross(tx, country, sender=transfer.lead, to=to, level=level)


def list_held_back_sections(
    tx: ReadTransaction, case: Case, transfer: LeadTransfer, sections: Iterable[Section]
) -> list[Section]:
    """List the sections that no agreement allows to be sent to the new lead."""
    return sorted(s for s in sections if not is_agreed(tx, case, transfer, LEVELS[s]))


def may_open(tx: ReadTransaction, case: Case, reader: FocalPoint, section: Section) -> bool:
    """Return whether agreements allow the lead or a candidate to open a section now.

    A handover can cross a border, and then agreements have to allow the section. A lead
    that got the case in another way is in the person's country and needs no agreement.
    """
    transfer = find_transfer(tx, case, reader)
    return transfer is None or is_agreed(tx, case, transfer, LEVELS[section])


BY_HANDOVER: Final = frozenset({Relation.FORMER_LEAD, Relation.HANDOVER_CANDIDATE})
"""Every case that had a handover has a party with one of these relations."""
TRANSFERRING: Final = frozenset({State.OFFERED, State.EFFECTIVE})


def find_transfer(
    tx: ReadTransaction, case: Case, reader: FocalPoint
) -> LeadTransfer | None:
    """Return the latest transfer of the lead to `reader`, or None if there is none.

    Raises NotAuthentic if a handover of the case was altered outside the service.
    """
    if not any(party.relation in BY_HANDOVER for party in case.parties):
        return None
    of_case = handover_queries.list_of_cases(tx, [case.id]).get(case.id, ())
    for handover in reversed(of_case):
        if handover.successor_id == reader.id and handover.state in TRANSFERRING:
            return LeadTransfer(directory_queries.by_id(tx, handover.lead_id), reader)
    return None
