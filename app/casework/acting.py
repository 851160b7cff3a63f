"""Holding a case for an act, and who may act on it now."""

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
    """Hold a case and find its step, or say why not.

    In this order, so that each answer tells a caller no more than they may know: not
    visible (404), no party of the case itself (403), stale (412, 428), not in this state
    (409), not yours (403), needs unmet (409).
    """
    return judged(work, lock(work, code, seen), action, terms)


def lock(work: Writing, code: str, seen: Seen) -> Case:
    """Hold a case for an act of its own parties, who say which version they saw.

    The version counts what only its keepers may know of: nobody else can probe it, though
    they say what they saw; and whoever has no side in the case hears that first.
    """
    case = queries.lock(work, code)
    if not sides_of(work, case):
        raise ActionNotYours("This is for the parties of the case itself to do.")
    seen.said()
    if work.actor.focal_point_id in case.keepers:
        seen.must_include(case.version)
    return case


def judged(
    work: Writing, case: Case, action: Action, terms: Terms | None = None
) -> tuple[Case, Row]:
    """Find the step of a case that is held, and see that all it needs is there."""
    row = TABLE.find(case.state, action, sides_of(work, case), work.actor.roles)
    situation.judge(work, case, row, terms)
    return case, row


def must_write(work: Reading, case: Case) -> None:
    """Raise unless the case is the caller's to write now: submitter's, then the lead's."""
    if case.state in UNLED:
        owner, roles = Side.SUBMITTER, WRITERS
    elif case.state in LED:
        owner, roles = Side.LEAD, WORKERS
    else:
        raise ActionIllegal(f"The case is {case.state}.", TABLE.legal(case.state))
    if owner not in sides_of(work, case):
        raise ActionNotYours(f"Now this is for the {owner} to write.")
    if not roles & work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(sorted(roles))}.")


def must_prepare(work: Reading, case: Case) -> None:
    """Raise unless it is the caller's to say what help may rest on.

    As writing is; and the lead's once the case is closed, or no case that the person's no
    had ended could be reopened on the person's yes.
    """
    if case.state == State.CLOSED:
        must_lead(work, case, {State.CLOSED})
    else:
        must_write(work, case)


def must_lead(work: Reading, case: Case, states: AbstractSet[State] = LED) -> None:
    """Raise unless the caller leads the case, works on it, and it is in such a state.

    Raises ActionIllegal (409), ActionNotYours or RoleMissing (403).
    """
    if case.state not in states:
        raise ActionIllegal(f"The case is {case.state}.", TABLE.legal(case.state))
    if Side.LEAD not in sides_of(work, case):
        raise ActionNotYours("This is for the lead to do.")
    must_work(work)


def must_work(work: Reading) -> None:
    """Raise RoleMissing (403) unless the account works on cases."""
    if not WORKERS & work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(sorted(WORKERS))}.")


def hearers(work: Reading, case: Case) -> frozenset[UUID]:
    """Say who hears what a party did in the case itself.

    Of a recipient of a referral the holder alone, or a submitter would learn from the
    author of an event who shelters the person.
    """
    if sides_of(work, case):
        return case.keepers
    return case.keepers & {case.holder}
