"""The caller of a request: scopes, roles and relations, and the sides derived from them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID


class Scope(StrEnum):
    """A permission that a credential can have."""

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
    """The role of a person at an office (LIFECYCLES.md, 6)."""

    OFFICER = "officer"
    CASEWORKER = "caseworker"
    COORDINATOR = "coordinator"
    SUPERVISOR = "supervisor"
    PROTECTION_OFFICER = "protection_officer"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"


CASE_ROLES: Final = frozenset({Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR})
"""Roles that work on cases. Only they may read and write the sealed documents of cases."""
HOLDER_APPROVERS: Final = frozenset({Role.COORDINATOR, Role.SUPERVISOR})
"""Roles that may confirm a step of the office that holds the case (R14)."""


class AccountKind(StrEnum):
    """The kind of an account: it belongs to a person or to an integration.

    An integration is never the second person who confirms a step.
    """

    PERSON = "person"
    INTEGRATION = "integration"


class SignInMethod(StrEnum):
    """The way in which a person signed in to open a session."""

    KEY = "key"
    PASSKEY = "passkey"


class Relation(StrEnum):
    """The relation of a focal point to a record, as stored in its party row."""

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
    """The part that an office plays in an action on a record.

    It determines which actions the office may take. Sides are derived from relations. The
    holder and the sender are the office that holds the case. The consulate of a return is
    the office that issues travel documents for the State of origin. A vital reader is an
    office that has emergency access.
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


HOLDING_RELATIONS: Final = (Relation.LEAD, Relation.CANDIDATE, Relation.DESK)
"""Relations of an office that holds a case, in order of precedence."""
HELPING_RELATIONS: Final = frozenset({Relation.RECIPIENT, Relation.FORMER_RECIPIENT})
"""Relations of offices that give a service; the country of origin must not learn of them
(R12)."""
_OF_CASE: Final = {
    Relation.SUBMITTER: frozenset({Side.SUBMITTER}),
    Relation.CANDIDATE: frozenset({Side.CANDIDATE, Side.HOLDER}),
    Relation.LEAD: frozenset({Side.LEAD, Side.HOLDER}),
    Relation.DESK: frozenset({Side.DESK, Side.HOLDER}),
    Relation.ESCALATION_DESK: frozenset({Side.DESK}),
    Relation.OVERSIGHT: frozenset({Side.OVERSIGHT}),
}


def get_case_sides(relations: Iterable[Relation]) -> frozenset[Side]:
    """Return the sides that relations give an office in a case; a recipient has none."""
    return frozenset().union(*(_OF_CASE.get(r, frozenset()) for r in relations))


def get_referral_sides(relations: Iterable[Relation]) -> frozenset[Side]:
    """Return the sides that these relations give an office in a referral.

    An office that holds the case and is also asked for the service has both sides. A former
    recipient keeps its side, because it has to report the deletion of its copy.
    """
    relations = set(relations)
    sides = {Side.SENDER} if relations & set(HOLDING_RELATIONS) else set()
    if relations & HELPING_RELATIONS:
        sides.add(Side.RECIPIENT)
    return frozenset(sides)


_OF_HANDOVER: Final = {
    Relation.LEAD: Side.LEAD,
    Relation.HANDOVER_CANDIDATE: Side.HANDOVER_CANDIDATE,
    Relation.FORMER_LEAD: Side.FORMER_LEAD,
}


def get_handover_sides(relations: Iterable[Relation]) -> frozenset[Side]:
    """Return the sides that these relations give an office in a handover."""
    return frozenset(_OF_HANDOVER[r] for r in relations if r in _OF_HANDOVER)


@dataclass(frozen=True, slots=True)
class ActorSession:
    """The session with which a person makes a request."""

    id: UUID
    method: SignInMethod
    authenticated_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """A focal point that acts through one of its accounts, or the system.

    `person_id` is None for a machine and for the system. `api_key` is the prefix of the API
    key, or `session` is the session, with which the request was made. Both are None for a
    request with an access token and for the system.
    """

    account_id: UUID
    focal_point_id: UUID
    kind: AccountKind
    roles: frozenset[Role]
    scopes: frozenset[Scope]
    person_id: UUID | None = None
    api_key: str | None = None
    session: ActorSession | None = None

    @property
    def is_system(self) -> bool:
        """Whether the service itself acts, for example because a deadline was missed."""
        return self.account_id == SYSTEM_ACCOUNT

    @property
    def acts_for(self) -> str:
        """The focal point whose rows the actor may access, or `system` for all rows."""
        return SERVICE if self.is_system else str(self.focal_point_id)


SERVICE: Final = "system"
"""The value of `acts_for` with which row security allows access to all rows (ADR 21)."""
SYSTEM_ACCOUNT: Final = UUID(int=0)
"""The account id of the system, for whose actions the journal stores no account."""


def get_system_actor(focal_point: UUID) -> Actor:
    """Return the system as an actor for this focal point, without roles or scopes."""
    return Actor(
        account_id=SYSTEM_ACCOUNT,
        focal_point_id=focal_point,
        kind=AccountKind.INTEGRATION,
        roles=frozenset(),
        scopes=frozenset(),
    )


SYSTEM: Final = get_system_actor(UUID(int=0))
"""The service itself as an actor: it belongs to no focal point, and the journal stores no
account for its actions."""
