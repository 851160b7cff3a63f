"""The actions that the caller may take on a case: steps of its life cycle, and others."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from app.cases import emergency_access, questions
from app.cases.default_contacts import has_default
from app.cases.emergency_access import OwnRequests
from app.cases.facts import RULES as FACT_RULES
from app.cases.further_actions import FURTHER
from app.cases.lifecycle import ANSWERS, OPEN, TABLE, Action, Row, State
from app.cases.models import Case
from app.casework.needs import RULES, Facts
from app.casework.schemas import AvailableCaseAction
from app.casework.sides import get_sides
from app.consents.standing import Standing
from app.deadlines.models import Clock
from app.deadlines.queries import list_answers
from app.directory.kinds import Service
from app.directory.models import FocalPoint
from app.kernel.actors import AccountKind, Relation, Side
from app.kernel.transactions import ReadTransaction
from app.referrals import queries as referral_queries


@dataclass(frozen=True)
class ActionRecords:
    """The records that determine the caller's actions, loaded for a page of cases.

    `helped` maps a case to the services of the referrals that the caller received, and
    `accepted` maps it to the services of the referrals that the caller accepted. `asked`
    contains the cases that the caller submitted and that have an unanswered question, and
    `own_requests` the caller's emergency access requests from all own accounts.
    """

    helped: Mapping[UUID, AbstractSet[Service]]
    accepted: Mapping[UUID, AbstractSet[Service]]
    asked: AbstractSet[UUID]
    own_requests: OwnRequests


def load_records(tx: ReadTransaction, found: Sequence[Case]) -> ActionRecords:
    """Load the records that determine the caller's actions, in at most four statements.

    A statement is skipped if its records cannot make an action available in any case.
    """
    office, page = tx.actor.focal_point_id, [case.id for case in found]
    running = [case for case in found if case.state in OPEN]
    helping = [c.id for c in found if Relation.RECIPIENT in c.list_all_relations(office)]
    submitted = [case.id for case in running if case.submitter == office]
    entitled = [case.id for case in running if may_request_access(tx, case)]
    helped, accepted = referral_queries.list_services(tx, helping) if helping else ({}, {})
    return ActionRecords(
        helped=helped,
        accepted=accepted,
        asked=(
            questions.find_unanswered(tx, page) & set(submitted)
            if submitted
            else frozenset()
        ),
        own_requests=(
            emergency_access.load_own_requests(tx, entitled, page)
            if entitled
            else OwnRequests()
        ),
    )


def may_request_access(tx: ReadTransaction, case: Case) -> bool:
    """Return whether the caller's account may request emergency access in a case."""
    is_person = tx.actor.kind == AccountKind.PERSON
    return is_person and emergency_access.may_request(case, tx.actor.focal_point_id)


def list_actions(  # noqa: PLR0913, PLR0917 - each is loaded once for a page of cases
    tx: ReadTransaction,
    stands: Standing,
    reader: FocalPoint,
    facts: Facts,
    records: ActionRecords,
    clock: Clock | None,
    state: State,
) -> list[AvailableCaseAction]:
    """List the actions of the caller's office, with the unmet requirements of each.

    `clock` and `state` are the deadline, if any, and the state that the caller sees. The
    result does not depend on whether the person fears the submitter, because a list would
    reveal the fear without a purpose and without an entry in the access log. A question to
    a feared submitter is refused when it is asked.
    """
    case, roles = stands.case, tx.actor.roles
    known = replace(
        facts,
        request_open=case.id in records.own_requests.pending,
        access_unreviewed=records.own_requests.has_unreviewed,
    )
    sides = get_sides(tx, case)
    steps = TABLE.list_steps_for(state, sides, roles)
    wider = sides | get_record_sides(case, reader.id)
    steps += [
        (step, allowed)
        for step, allowed in FURTHER.list_steps_for(state, wider, roles)
        if is_offered(tx, case, step, sides, records)
    ]
    if any(step.action == Action.ACCEPT_LEAD for step, _ in steps):
        known = replace(known, default_contacts=has_default(tx, reader.id))
    answers = list_answers(clock, ANSWERS, reader.id)
    return AvailableCaseAction.list_from(steps, RULES, known, answers)


_OF_RECORDS: Final = {
    Relation.RECIPIENT: Side.RECIPIENT,
    Relation.HANDOVER_CANDIDATE: Side.HANDOVER_CANDIDATE,
}


def get_record_sides(case: Case, office: UUID) -> frozenset[Side]:
    """Return the sides of an office in the referrals and handovers of a case."""
    relations = case.list_all_relations(office)
    return frozenset(side for one, side in _OF_RECORDS.items() if one in relations)


def is_offered(
    tx: ReadTransaction,
    case: Case,
    step: Row,
    sides: AbstractSet[Side],
    records: ActionRecords,
) -> bool:
    """Return whether the records of a case allow an action that the table allows."""
    match step.action:
        case Action.ASSESS_RISK:
            return bool(sides) or case.id in records.helped
        case Action.RECORD_FACT:
            accepted = records.accepted.get(case.id, frozenset[Service]())
            stated = any(rule.services & accepted for rule in FACT_RULES.values())
            return stated or bool(step.sides & sides)
        case Action.ANSWER_QUESTION:
            return case.id in records.asked
        case Action.REQUEST_EMERGENCY_ACCESS:
            return may_request_access(tx, case)
        case _:
            return True
