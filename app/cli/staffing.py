"""The minimum accounts that each office needs, and the offices that lack them.

The roles come from the life cycles, so that this list and the service cannot disagree.
`doctor` prints the gaps, and docs/setup.md shows the list.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from app.access.office_staff import StaffMember, load_staff
from app.cases.approvals import OVERSIGHT_APPROVERS
from app.cases.further_actions import FURTHER
from app.cases.lifecycle import TABLE as CASE
from app.cases.lifecycle import Action as CaseAction
from app.directory import queries as directory_queries
from app.directory.kinds import NEVER_LEAD, OfficeFunction, OfficeKind, Service
from app.directory.models import FocalPoint
from app.kernel.actors import HOLDER_APPROVERS, AccountKind, Role, Side
from app.kernel.lifecycle import Table
from app.referrals.lifecycle import TABLE as REFERRAL
from app.referrals.lifecycle import Action as ReferralAction
from app.returns.decisions import SECOND_PERSON_ROLES
from app.returns.lifecycle import TABLE as RETURN
from app.returns.lifecycle import Action as ReturnAction

type Roles = frozenset[Role]


def get_roles[S: StrEnum, A: StrEnum, N: StrEnum](
    table: Table[S, A, N], action: A, side: Side
) -> Roles:
    """Return the roles that may take an action for a side. One of them is enough."""
    steps = [one for one in table.steps if one.action == action and side in one.sides]
    return frozenset[Role]().union(*(step.roles for step in steps))


def may_lead(office: FocalPoint) -> bool:
    """Return whether an office can be asked to lead cases."""
    return office.can_lead and office.kind not in NEVER_LEAD


def has_consular_documents(office: FocalPoint) -> bool:
    """Return whether an office is a consulate whose officers may issue travel documents."""
    is_consular = office.function == OfficeFunction.CONSULAR
    return is_consular and Service.CONSULAR_DOCUMENT in office.services


def has_other_services(office: FocalPoint) -> bool:
    """Return whether an office has services besides those of `has_consular_documents`."""
    of_officers = {Service.CONSULAR_DOCUMENT} if has_consular_documents(office) else set()
    return bool(set(office.services) - of_officers)


@dataclass(frozen=True)
class OfficeTask:
    """A task of some offices, with the roles that may take it or approve it.

    One role of each set is enough. `approvers` is empty if the task needs no second person.
    """

    office: str
    task: str
    applies_to: Callable[[FocalPoint], bool]
    roles: Roles
    approvers: Roles = frozenset()

    def is_covered(self, staff: Iterable[StaffMember]) -> bool:
        """Return whether an account in `staff` has a role that may take the task."""
        return any(one.roles & self.roles for one in staff)

    def needs_second_person(self, staff: Sequence[StaffMember]) -> bool:
        """Return whether accounts can ask for an approval that no other person can give."""
        asking = [one for one in staff if one.roles & self.roles]
        people = [one for one in staff if one.kind == AccountKind.PERSON]
        approving = [one for one in people if one.roles & self.approvers]
        pairs = (one.person != other.person for one in asking for other in approving)
        return bool(self.approvers and asking) and not any(pairs)


LEADS, HELPS = "an office that may lead (`can_lead`)", "an office with `services`"
CONSULATE: Final = "a consular office with the service `CONSULAR_DOCUMENT`"
DESK, OVERSIGHT = "a desk", "the oversight office"
OFFICE_TASKS: Final = (
    OfficeTask(
        LEADS,
        "acknowledge a case",
        may_lead,
        get_roles(CASE, CaseAction.ACKNOWLEDGE, Side.CANDIDATE),
    ),
    OfficeTask(
        LEADS,
        "take the lead, and close a case",
        may_lead,
        get_roles(CASE, CaseAction.ACCEPT_LEAD, Side.CANDIDATE),
        HOLDER_APPROVERS,
    ),
    OfficeTask(
        LEADS,
        "decide that a person returns",
        may_lead,
        get_roles(RETURN, ReturnAction.GO, Side.LEAD),
        SECOND_PERSON_ROLES,
    ),
    OfficeTask(
        HELPS,
        "accept a referral",
        has_other_services,
        get_roles(REFERRAL, ReferralAction.ACCEPT, Side.RECIPIENT),
    ),
    OfficeTask(
        CONSULATE,
        "accept a referral, and issue a travel document",
        has_consular_documents,
        get_roles(RETURN, ReturnAction.ISSUE_DOCUMENT, Side.CONSULATE),
    ),
    OfficeTask(
        DESK,
        "choose the next office, and move a lead",
        lambda office: office.kind == OfficeKind.DESK,
        get_roles(CASE, CaseAction.ASSIGN, Side.DESK),
        HOLDER_APPROVERS,
    ),
    OfficeTask(
        OVERSIGHT,
        "place a legal hold, and erase a case",
        lambda office: office.kind == OfficeKind.OVERSIGHT,
        get_roles(FURTHER, CaseAction.SET_LEGAL_HOLD, Side.OVERSIGHT),
        OVERSIGHT_APPROVERS,
    ),
)
"""The tasks for which `doctor` checks that each office has accounts with the roles."""
NO_STAFF: Final = (
    "active offices cannot do what they are asked, because no account there with a valid "
    "key has the role. Open accounts, or set active to false. Missing roles:"
)
NO_SECOND_PERSON: Final = (
    "active offices have no second person who can approve. Open an account there for "
    "another person. Missing roles:"
)


def list_staffing_gaps(session: Session, now: datetime) -> Iterator[str]:
    """Yield warnings about active offices without the accounts that their tasks need."""
    staff, missing, alone = load_staff(session, now), list[Gap](), list[Gap]()
    for office in directory_queries.list_offices(session):
        people = staff.get(office.id, [])
        tasks = [one for one in OFFICE_TASKS if office.active and one.applies_to(office)]
        lacking = [one.roles for one in tasks if not one.is_covered(people)]
        approving = [one.approvers for one in tasks if one.needs_second_person(people)]
        missing.append((office.code, lacking))
        alone.append((office.code, approving))
    yield from describe_gaps(NO_STAFF, missing)
    yield from describe_gaps(NO_SECOND_PERSON, alone)


type Gap = tuple[str, Sequence[Roles]]
"""The code of an office, and the roles for each task that lacks an account."""


def describe_gaps(sentence: str, gaps: Iterable[Gap]) -> Iterator[str]:
    """Yield a warning, and the offices with gaps grouped by missing roles, if any."""
    groups: Mapping[str, list[str]] = defaultdict(list)
    for code, lacking in gaps:
        if lacking:
            groups[format_gap(lacking)].append(code)
    if groups:
        yield f"Warning: {sum(map(len, groups.values()))} {sentence}"
    for roles, codes in sorted(groups.items()):
        yield f"  {roles}: {', '.join(sorted(codes))}"


def format_gap(lacking: Iterable[Roles]) -> str:
    """Return the missing roles as text. A set that contains another set is left out."""
    sets = set(lacking)
    least = [one for one in sets if not any(other < one for other in sets)]
    return " and ".join(sorted(map(format_roles, least)))


def format_roles(roles: Roles) -> str:
    """Return roles as text, joined by commas and "or", in the order of `Role`."""
    *others, last = (role for role in Role if role in roles)
    return f"{', '.join(others)} or {last}" if others else last
