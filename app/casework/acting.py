"""Locking a case for an action, and checking that the caller may take it."""

from collections.abc import Set as AbstractSet
from typing import Final
from uuid import UUID

from app.cases import queries
from app.cases.lifecycle import LED, TABLE, UNLED, Action, Row, State
from app.cases.models import Case
from app.casework import situation
from app.casework.needs import Terms
from app.casework.sides import sides_of
from app.kernel.actors import WORKERS, Role, Side
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.versions import Seen
from app.kernel.work import Reading, Writing

WRITERS: Final = frozenset({Role.OFFICER, Role.CASEWORKER})


def ready(
    work: Writing, code: str, action: Action, seen: Seen, terms: Terms | None = None
) -> tuple[Case, Row]:
    """Lock a case and return it with its step, or raise if the step is not allowed.

    The checks run in this order, so that no answer tells the caller more than it may know:
    not visible (404), not a party of the case itself (403), stale (412, 428), not in this
    state (409), not the caller's action (403), unmet requirements (409).
    """
    return judged(work, lock(work, code, seen), action, terms)


def lock(work: Writing, code: str, seen: Seen) -> Case:
    """Lock a case for an action of its own parties, who name the version that they saw.

    The version is compared only for offices in the write audience, because it also counts
    changes that the others must not learn of. The others must name a version as well. A
    caller without a side in the case is refused first.
    """
    case = queries.lock(work, code)
    if not sides_of(work, case):
        raise ActionNotYours("Only a party of the case itself can do this.")
    seen.said()
    if work.actor.focal_point_id in case.keepers:
        seen.must_include(case.version)
    return case


def judged(
    work: Writing, case: Case, action: Action, terms: Terms | None = None
) -> tuple[Case, Row]:
    """Find the step of a locked case, and raise unless all its requirements are met."""
    row = TABLE.find(case.state, action, sides_of(work, case), work.actor.roles)
    situation.check_requirements(work, case, row, terms)
    return case, row


def require_writer(work: Reading, case: Case) -> None:
    """Raise unless the caller may write the case now: the submitter, and later the lead."""
    if case.state in UNLED:
        owner, roles = Side.SUBMITTER, WRITERS
    elif case.state in LED:
        owner, roles = Side.LEAD, WORKERS
    else:
        raise ActionIllegal(f"The case is {case.state}.", TABLE.legal(case.state))
    if owner not in sides_of(work, case):
        raise ActionNotYours(f"Only the {owner} can write the case now.")
    if not roles & work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(sorted(roles))}.")


def require_consent_writer(work: Reading, case: Case) -> None:
    """Raise unless the caller may record consents and facts for the case.

    These are the offices that may write the case and, once it is closed, its lead. A case
    that was closed for a refused consent could otherwise not be reopened.
    """
    if case.state == State.CLOSED:
        require_lead(work, case, {State.CLOSED})
    else:
        require_writer(work, case)


def require_lead(work: Reading, case: Case, states: AbstractSet[State] = LED) -> None:
    """Raise unless the caller leads the case and may work on it, in one of `states`.

    Raises ActionIllegal (409), ActionNotYours or RoleMissing (403).
    """
    if case.state not in states:
        raise ActionIllegal(f"The case is {case.state}.", TABLE.legal(case.state))
    if Side.LEAD not in sides_of(work, case):
        raise ActionNotYours("Only the lead can do this.")
    must_work(work)


def must_work(work: Reading) -> None:
    """Raise RoleMissing (403) unless the account has a role that works on cases."""
    if not WORKERS & work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(sorted(WORKERS))}.")


def get_audience(work: Reading, case: Case) -> frozenset[UUID]:
    """Return the offices that receive the event of an action in the case itself.

    The action of a recipient of a referral is published to the holder alone. Otherwise a
    submitter would learn from the author of an event who shelters the person.
    """
    if sides_of(work, case):
        return case.keepers
    return case.keepers & {case.holder}
