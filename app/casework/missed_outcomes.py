"""The outcome for a case if the deadline shown with the case is missed (ADR 60)."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from app.cases.grants import Grant
from app.cases.lifecycle import LED, WITH_A_CANDIDATE
from app.cases.models import Case
from app.casework.lateness import LATENESS_RULES, Effect, Noun, get_effect
from app.casework.schemas import IfMissed, MissedOutcome
from app.consents.standing import Standing
from app.deadlines.models import Clock
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind
from app.directory.models import FocalPoint
from app.kernel.actors import CASE_ROLES, Relation, Scope
from app.kernel.transactions import ReadTransaction
from app.routing import queries as routing_queries

OUTCOMES: Final[Mapping[Effect, MissedOutcome]] = {
    Effect.REROUTE: MissedOutcome.NEXT_OFFICE,
    Effect.REMIND: MissedOutcome.REMINDER,
    Effect.DROP: MissedOutcome.DISCARDED,
    Effect.ERASE: MissedOutcome.ERASED,
}
"""The outcome of each effect that a missed deadline of a case itself can have."""


def find_next_offices(
    tx: ReadTransaction, standings: Iterable[Standing], reader: FocalPoint
) -> Mapping[UUID, FocalPoint]:
    """Return the office that would get each case next, by case id, with two SQL statements.

    The result contains only cases whose whole routing the reader may see. The offices come
    from the stored ranking. Offices that the person fears now are left out, so the account
    needs the scope and a role that allow it to open the safeguards. Without them, the
    result is empty.
    """
    roles, scopes = tx.actor.roles & CASE_ROLES, tx.actor.scopes
    if not roles or Scope.SECTIONS_READ not in scopes:
        return {}
    page = {one.case.id: one for one in standings}
    known = {key: one for key, one in page.items() if may_know_routing(one, reader)}
    if not known:
        return {}
    results = routing_queries.load_results(tx, known, page)
    waiting = {key: [one.focal_point_id for one in r.waiting] for key, r in results.items()}
    offices = directory_queries.by_ids(tx, {one for ids in waiting.values() for one in ids})
    fitting = {
        key: [offices[one] for one in ids if may_be_asked(known[key], offices[one])]
        for key, ids in waiting.items()
    }
    return {key: found[0] for key, found in fitting.items() if found}


def may_know_routing(stands: Standing, reader: FocalPoint) -> bool:
    """Return whether a reader may see all candidates of a case without a lead.

    A reader that may belong to the State of origin must not see them if another office
    recorded a consent that names a single office, because the named office may be hidden
    (ADR 35).
    """
    case = stands.case
    named = [one for one in stands.consents if one.focal_point_id is not None]
    others = any(one.recorded_by != reader.id for one in named)
    return (
        case.state in WITH_A_CANDIDATE
        and Grant.ROUTING in case.get_grants_as_party(reader.id)
        and stands.may_know_fears(reader)
        and not (others and stands.may_belong_to_origin_state(reader))
    )


def may_be_asked(stands: Standing, office: FocalPoint) -> bool:
    """Return whether an office of the stored ranking may still be asked."""
    is_desk = office.kind == OfficeKind.DESK
    allowed = office.active and stands.is_safe(office, office.code)
    return allowed and (is_desk or stands.may_read_summary(office))


def find_outcome(
    case: Case, clock: Clock | None, next_office: FocalPoint | None
) -> IfMissed | None:
    """Return the outcome if the deadline is missed, or None if the case has no deadline."""
    if clock is None:
        return None
    waits_on = clock.waits_on
    at_desk = waits_on is not None and Relation.DESK in case.list_relations(waits_on)
    late = LATENESS_RULES[Noun.CASE, clock.kind]
    effect = get_effect(late, 1, at_desk=at_desk, absent=False)
    if effect != Effect.REROUTE:
        led = effect == Effect.REMIND and case.state in LED
        outcome = MissedOutcome.DESK if led else OUTCOMES[effect]
        return IfMissed(outcome=outcome, focal_point=None)
    to_desk = next_office is not None and next_office.kind == OfficeKind.DESK
    outcome = MissedOutcome.DESK if to_desk else OUTCOMES[effect]
    return IfMissed(outcome=outcome, focal_point=next_office.code if next_office else None)
