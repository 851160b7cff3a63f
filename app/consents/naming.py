"""Whether a reader may be told that an office acted in a case (R12): asked in one place.

Who submitted a case does not follow it from its first lead; who helps does not know who
else does; and the side of origin, even while it leads, is not told who helps elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.cases import queries as cases
from app.cases.grants import Grant
from app.cases.models import Case, Party
from app.cases.sections import Safeguards
from app.directory import queries as directory
from app.directory.kinds import Kind, is_beyond
from app.directory.models import FocalPoint
from app.kernel.actors import HELPS, HOLDS, Relation
from app.kernel.work import Reading


@dataclass(frozen=True)
class Naming:
    """A reader, who is beyond its State, and in which cases it is on the side of origin."""

    me: FocalPoint
    codes: Mapping[UUID, str]
    beyond: frozenset[UUID]
    apart: frozenset[UUID]

    def may_name(
        self, case: Case, who: UUID, at: datetime, *, as_party: bool = True
    ) -> bool:
        """Return whether the reader may know that an office acted in a case, at a time.

        `as_party`: the reader is shown the act by its relation to the case itself, and not
        by one to a referral or handover.
        """
        if who == self.me.id:
            return True
        if not helped(case, who, at):
            return case.granted_at(self.me.id, Grant.ACTORS, at, as_party=as_party)
        if Relation.OVERSIGHT in case.relations_of(self.me.id):
            return True
        held = any(has_held(party, case, self.me.id, at) for party in case.parties)
        return held and not self.hides(case.id, who)

    def helper(self, case: Case, who: UUID) -> str | None:
        """Give the code of one of the sides of a record, to another; None as above."""
        return None if self.hides(case.id, who) else self.codes[who]

    def hides(self, case_id: UUID, who: UUID) -> bool:
        """Say whether somebody helps beyond the State of a reader of the side of origin."""
        return case_id in self.apart and who in self.beyond

    def name(
        self, case: Case, who: UUID | None, at: datetime, *, as_party: bool = True
    ) -> str | None:
        """Return the code of who acted; None: the system, or not the reader's to know."""
        known = who and self.may_name(case, who, at, as_party=as_party)
        return self.codes[who] if who and known else None


def helped(case: Case, who: UUID, at: datetime) -> bool:
    """Say whether somebody had no other part in a case then than to help."""
    return not any(
        party.focal_point_id == who
        and party.relation not in HELPS
        and party.since <= at
        and (party.until is None or at <= party.until)
        for party in case.parties
    )


def has_held(party: Party, case: Case, reader: UUID, at: datetime) -> bool:
    """Say whether the reader holds the case, or held it at that time."""
    mine = party.focal_point_id == reader and party.relation in HOLDS
    return mine and party.record_id == case.id and (not party.until or at <= party.until)


def read(
    work: Reading, acts: Iterable[tuple[Case, UUID, datetime]], also: Iterable[UUID] = ()
) -> Naming:
    """Read what is needed to name to the caller who acted in which case, and when.

    Safeguards are opened for a State's body alone, and only of cases in which somebody
    beyond it helped, or of those named besides.
    """
    acts = list(acts)
    me = directory.by_id(work, work.actor.focal_point_id)
    offices = directory.by_ids(work, {who for _, who, _ in acts} | {me.id})
    beyond = frozenset(one.id for one in offices.values() if is_beyond(me, one))
    asked = {case.id for case, who, at in acts if who in beyond and helped(case, who, at)}
    asked |= set(also) if me.kind == Kind.STATE else set()
    known = cases.all_safeguards(work, asked) if asked else {}
    origins = {one: known.get(one, Safeguards()).country_of_origin for one in asked}
    apart = frozenset(one for one, of in origins.items() if of in {None, me.of_state})
    return Naming(me, {o.id: o.code for o in offices.values()}, beyond, apart)
