"""Rules that decide whether a reader may learn which office acted in a case (R12).

A submitter does not learn which office has the case after the first lead. Recipients do not
learn of each other. An office that may belong to the State of origin does not learn which
offices help in other States, even while it leads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.cases import rule_documents
from app.cases.grants import Grant
from app.cases.models import Case, Party
from app.cases.sections import Safeguards
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind, may_be_abroad
from app.directory.models import FocalPoint
from app.kernel.actors import HELPING_RELATIONS, HOLDING_RELATIONS, Relation
from app.kernel.transactions import ReadTransaction


@dataclass(frozen=True)
class OfficeNames:
    """The office names that a reader may see in cases.

    `foreign` contains the offices that may be outside the reader's State. `origin_cases`
    contains the cases whose State of origin may be the reader's State.
    """

    reader: FocalPoint
    codes: Mapping[UUID, str]
    foreign: frozenset[UUID]
    origin_cases: frozenset[UUID]

    def may_name(
        self, case: Case, office: UUID, at: datetime, *, as_party: bool = True
    ) -> bool:
        """Return whether the reader may learn that an office acted in a case at time `at`.

        If `as_party` is true, only the reader's relations to the case itself count.
        Otherwise, its relations to referrals and handovers count too.
        """
        if office == self.reader.id:
            return True
        if not was_only_recipient(case, office, at):
            return case.is_granted_at(self.reader.id, Grant.ACTORS, at, as_party=as_party)
        if Relation.OVERSIGHT in case.list_relations(self.reader.id):
            return True
        held = any(has_held(party, case, self.reader.id, at) for party in case.parties)
        return held and not self.is_hidden(case.id, office)

    def get_helper_code(self, case: Case, office: UUID) -> str | None:
        """Return the code of an office that helped in a case, or None if it is hidden."""
        return None if self.is_hidden(case.id, office) else self.codes[office]

    def is_hidden(self, case_id: UUID, office: UUID) -> bool:
        """Return whether the reader must not learn that an office helped in a case."""
        return case_id in self.origin_cases and office in self.foreign

    def get_code(
        self, case: Case, office: UUID | None, at: datetime, *, as_party: bool = True
    ) -> str | None:
        """Return the acting office's code, or None for the system or a hidden office."""
        known = office and self.may_name(case, office, at, as_party=as_party)
        return self.codes[office] if office and known else None


def was_only_recipient(case: Case, office: UUID, at: datetime) -> bool:
    """Return whether an office was no party of a case, or only a recipient, at a time."""
    return not any(
        party.focal_point_id == office
        and party.relation not in HELPING_RELATIONS
        and party.since <= at
        and (party.until is None or at <= party.until)
        for party in case.parties
    )


def has_held(party: Party, case: Case, reader: UUID, at: datetime) -> bool:
    """Return whether a party row shows that the reader held the case at or after a time."""
    mine = party.focal_point_id == reader and party.relation in HOLDING_RELATIONS
    return mine and party.record_id == case.id and (not party.until or at <= party.until)


def load_names(
    tx: ReadTransaction,
    acts: Iterable[tuple[Case, UUID, datetime]],
    also: Iterable[UUID] = (),
) -> OfficeNames:
    """Load the codes of the offices that acted in cases, and decide which codes to hide.

    For a State body, the States of origin of the cases in `also` are loaded too.
    """
    acts = list(acts)
    own = directory_queries.by_id(tx, tx.actor.focal_point_id)
    offices = directory_queries.by_ids(tx, {office for _, office, _ in acts} | {own.id})
    foreign = frozenset(one.id for one in offices.values() if may_be_abroad(own, one))
    needed = {
        case.id
        for case, office, at in acts
        if office in foreign and was_only_recipient(case, office, at)
    }
    needed |= set(also) if own.kind == OfficeKind.STATE else set()
    known = rule_documents.load_safeguards(tx, needed) if needed else {}
    origins = {one: known.get(one, Safeguards()).country_of_origin for one in needed}
    origin_cases = frozenset(c for c, of in origins.items() if of in {None, own.of_state})
    return OfficeNames(own, {o.id: o.code for o in offices.values()}, foreign, origin_cases)
