"""Lock a case for an action, and check that the caller may take the action."""

from collections.abc import Set as AbstractSet
from uuid import UUID

from app.cases import queries as case_queries
from app.cases.further_actions import find_further
from app.cases.lifecycle import TABLE, Action, Row, State
from app.cases.models import Case
from app.casework import situation as casework_situation
from app.casework.needs import Terms
from app.casework.sides import get_sides
from app.kernel.actors import CASE_ROLES, Role, Side
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.versions import SeenVersions


def lock_and_check(
    tx: WriteTransaction,
    code: str,
    action: Action,
    seen: SeenVersions,
    terms: Terms | None = None,
) -> tuple[Case, Row]:
    """Lock a case and return it with the action's step, or raise if the action is refused.

    The checks run in this order, so that no error reveals more than the caller may learn:
    the case is not visible (404), the caller is not a party of the case (403), the version
    is missing or outdated (428, 412), the action is not possible in this state (409), the
    action is not the caller's (403), and requirements are unmet (409).
    """
    return check_action(tx, lock_case(tx, code, seen), action, terms)


def lock_case(tx: WriteTransaction, code: str, seen: SeenVersions) -> Case:
    """Lock a case for an action; raise ActionNotYours (403) if the caller is not a party.

    Every request must name a version. The version is compared only if the caller may see
    the version of the case. Other callers must not learn of every change.
    """
    case = case_queries.lock(tx, code)
    if not get_sides(tx, case):
        raise ActionNotYours(
            "Only a party of the case can do this; a part in a referral is not enough."
        )
    seen.require_if_match()
    if tx.actor.focal_point_id in case.write_audience:
        seen.require_version(case.version)
    return case


def check_action(
    tx: WriteTransaction, case: Case, action: Action, terms: Terms | None = None
) -> tuple[Case, Row]:
    """Check an action and its requirements in a locked case; return the case and step."""
    row = TABLE.find(get_state(tx, case), action, get_sides(tx, case), tx.actor.roles)
    casework_situation.check_requirements(tx, case, row, terms)
    return case, row


def get_state(tx: ReadTransaction, case: Case) -> State:
    """Return the state of a case as the caller's relation to the case itself shows it."""
    own_office = tx.actor.focal_point_id
    if not case.list_relations(own_office):
        return case.state
    return case.get_shown_state(own_office, case.get_grants(own_office))


def require_further(tx: ReadTransaction, case: Case, action: Action) -> None:
    """Require that the caller may take an action that is not a step of the life cycle.

    Raises ActionIllegal (409), ActionNotYours (403) or RoleMissing (403).
    """
    find_further(get_state(tx, case), action, get_sides(tx, case), tx.actor.roles)


def require_state(case: Case, states: AbstractSet[State]) -> None:
    """Raise ActionIllegal (409) unless the case is in one of the states."""
    if case.state not in states:
        legal = TABLE.describe_actions(case.state)
        raise ActionIllegal(f"The case is {case.state}.", legal)


def require_role(tx: ReadTransaction, roles: AbstractSet[Role]) -> None:
    """Raise RoleMissing (403) unless the account has one of the roles."""
    if not roles & tx.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(sorted(roles))}.")


def require_protection_officer(tx: ReadTransaction, case: Case) -> None:
    """Require that the caller is a protection officer of oversight.

    Raises ActionNotYours or RoleMissing (403).
    """
    if Side.OVERSIGHT not in get_sides(tx, case):
        raise ActionNotYours("Only oversight can do this.")
    require_role(tx, {Role.PROTECTION_OFFICER})


def require_working_role(tx: ReadTransaction) -> None:
    """Raise RoleMissing (403) unless a role of the account allows work on cases."""
    require_role(tx, CASE_ROLES)


def get_audience(tx: ReadTransaction, case: Case) -> frozenset[UUID]:
    """Return the offices that receive the event of an action on a case.

    If the caller is only a recipient of a referral, only the holder receives the event,
    because the event would reveal to the submitter which office shelters the person.
    """
    if get_sides(tx, case):
        return case.write_audience
    return case.write_audience & {case.holder}
