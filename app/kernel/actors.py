"""Who is asking, for which focal point, and on which side of a record that puts them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


class Scope(StrEnum):
    """What a credential may be used for."""

    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    SECTIONS_READ = "sections:read"
    REFERRALS_READ = "referrals:read"
    REFERRALS_WRITE = "referrals:write"
    FEED_READ = "feed:read"
    APPROVALS_WRITE = "approvals:write"
    DIRECTORY_READ = "directory:read"
    DIRECTORY_WRITE = "directory:write"
    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"
    STATISTICS_READ = "statistics:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


class Role(StrEnum):
    """What a person does in the mechanism (LIFECYCLES.md, 6)."""

    OFFICER = "officer"
    CASEWORKER = "caseworker"
    COORDINATOR = "coordinator"
    SUPERVISOR = "supervisor"
    PROTECTION_OFFICER = "protection_officer"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"


WORKERS: Final = frozenset({Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR})
"""Who works on cases, and reads and writes what is sealed: administrators, analysts and
overseers do not."""


OF_THE_HOLDER: Final = frozenset({Role.COORDINATOR, Role.SUPERVISOR})
"""The roles of which one confirms a step of the office that has the case (R14)."""


class AccountKind(StrEnum):
    """Who stands behind an account: a machine is never a second person."""

    PERSON = "person"
    INTEGRATION = "integration"


class Relation(StrEnum):
    """What a focal point is to a record, as a party row says it."""

    SUBMITTER = "submitter"
    CANDIDATE = "candidate"
    LEAD = "lead"
    DESK = "desk"
    ESCALATION_DESK = "escalation_desk"
    FORMER_LEAD = "former_lead"
    RECIPIENT = "recipient"
    FORMER_RECIPIENT = "former_recipient"
    HANDOVER_CANDIDATE = "handover_candidate"
    OVERSIGHT = "oversight"


class Side(StrEnum):
    """Whose turn a step is. Holder and sender are derived: whoever holds the case.

    The consulate of a return too: whoever issues papers for the State of origin. And who is
    allowed by another organisation to read while a life is at risk.
    """

    SUBMITTER = "submitter"
    CANDIDATE = "candidate"
    LEAD = "lead"
    DESK = "desk"
    HOLDER = "holder"
    SENDER = "sender"
    RECIPIENT = "recipient"
    HANDOVER_CANDIDATE = "handover_candidate"
    FORMER_LEAD = "former_lead"
    CONSULATE = "consulate"
    VITAL_READER = "vital_reader"
    OVERSIGHT = "oversight"
    SYSTEM = "system"


HOLDS: Final = (Relation.LEAD, Relation.CANDIDATE, Relation.DESK)
"""Relations that hold a case, the first that is there."""

HELPS: Final = frozenset({Relation.RECIPIENT, Relation.FORMER_RECIPIENT})
"""Relations of who gives help, or was asked to: the side of origin must not learn (R12)."""

_OF_CASE: Final = {
    Relation.SUBMITTER: frozenset({Side.SUBMITTER}),
    Relation.CANDIDATE: frozenset({Side.CANDIDATE, Side.HOLDER}),
    Relation.LEAD: frozenset({Side.LEAD, Side.HOLDER}),
    Relation.DESK: frozenset({Side.DESK, Side.HOLDER}),
    Relation.ESCALATION_DESK: frozenset({Side.DESK}),
    Relation.OVERSIGHT: frozenset({Side.OVERSIGHT}),
}


def sides_of_case(relations: Iterable[Relation]) -> frozenset[Side]:
    """Say on which sides of a case these relations stand; a recipient is on none."""
    return frozenset().union(*(_OF_CASE.get(r, frozenset()) for r in relations))


def sides_of_referral(relations: Iterable[Relation]) -> frozenset[Side]:
    """Say on which sides of a referral these relations stand.

    A focal point that holds the case and is asked for the service stands on both. One whose
    part has ended still has to say that it deleted what it held.
    """
    mine = set(relations)
    sides = {Side.SENDER} if mine & set(HOLDS) else set()
    if mine & HELPS:
        sides.add(Side.RECIPIENT)
    return frozenset(sides)


_OF_HANDOVER: Final = {
    Relation.LEAD: Side.LEAD,
    Relation.HANDOVER_CANDIDATE: Side.HANDOVER_CANDIDATE,
    Relation.FORMER_LEAD: Side.FORMER_LEAD,
}


def sides_of_handover(relations: Iterable[Relation]) -> frozenset[Side]:
    """Say on which sides of a handover these relations stand; a former lead only reads."""
    return frozenset(_OF_HANDOVER[r] for r in relations if r in _OF_HANDOVER)


@dataclass(frozen=True, slots=True)
class Actor:
    """A focal point, acting through one of its accounts."""

    account_id: UUID
    focal_point_id: UUID
    kind: AccountKind
    roles: frozenset[Role]
    scopes: frozenset[Scope]

    @property
    def is_system(self) -> bool:
        """Whether nobody acts: time went by."""
        return self.account_id == SYSTEM_ACCOUNT

    @property
    def acts_for(self) -> str:
        """Name to the database whose rows are within reach: the system reaches all."""
        return SERVICE if self.is_system else str(self.focal_point_id)


SERVICE: Final = "system"
"""What row security calls the service by itself (ADR 21)."""
SYSTEM_ACCOUNT: Final = UUID(int=0)
"""No account has this id; the journal names none for what the system did."""


def system_for(focal_point: UUID) -> Actor:
    """Act as the system, about what this focal point left undone; with no role or scope."""
    nothing: frozenset[Role] = frozenset()
    return Actor(SYSTEM_ACCOUNT, focal_point, AccountKind.INTEGRATION, nothing, frozenset())


SYSTEM: Final = system_for(UUID(int=0))
"""The service by itself: of no focal point, party to nothing, journalled as nobody."""
