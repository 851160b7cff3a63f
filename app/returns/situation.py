"""Functions that load the facts of a return and build its view for the caller."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from app.cases import queries as case_queries
from app.cases.facts import BestInterests
from app.cases.lifecycle import LED
from app.cases.sections import Paper, Section
from app.consents import office_names, standing
from app.consents.coverage import Purpose
from app.consents.standing import Standing
from app.deadlines import queries as deadline_queries
from app.deadlines.models import Clock
from app.directory.kinds import Service
from app.kernel.actors import HELPING_RELATIONS, Relation, Side, get_case_sides
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction
from app.referrals import queries as referral_queries
from app.referrals.lifecycle import AT_WORK
from app.referrals.lifecycle import State as ReferralState
from app.referrals.models import Referral
from app.returns import arrivals
from app.returns import queries as return_queries
from app.returns.lifecycle import ANSWERS, STEPS, TABLE, Action, State
from app.returns.models import Done, Return
from app.returns.needs import RULES, Facts, Terms
from app.returns.risk import Interests, Nationality
from app.returns.schemas import (
    AnyReturn,
    AvailableReturnAction,
    DocumentTaskOut,
    ReturnOut,
    StepDone,
    TravelPlan,
)
from app.returns.step_digests import load_steps

ACTIVE_REFERRAL = frozenset({ReferralState.ACCEPTED, ReferralState.IN_PROGRESS})


@dataclass(frozen=True)
class ReturnView:
    """A return with all data that its rules need, and the sides of the caller."""

    record: Return
    case_file: Standing
    document_referral: Referral
    done: list[Done]
    sides: frozenset[Side]


def load_view(tx: ReadTransaction, record: Return) -> ReturnView:
    """Load all data that the rules and the response for a return need."""
    case_file = standing.load_for_case(tx, record.case)
    document_referral = find_document_referral(tx, record, case_file)
    sides = get_sides(tx, record, document_referral)
    return ReturnView(
        record=record,
        case_file=case_file,
        document_referral=document_referral,
        done=load_steps(tx, record),
        sides=sides,
    )


def find_document_referral(
    tx: ReadTransaction, record: Return, case_file: Standing
) -> Referral:
    """Return the referral to the office that verifies nationality and issues a document.

    This is the latest referral for a travel document that an office of the State of origin
    has accepted or, if there is none, the referral of the return itself.
    """
    asked = list_document_referrals(tx, record, case_file, AT_WORK)
    return asked[-1] if asked else record.referral


def list_document_referrals(
    tx: ReadTransaction,
    record: Return,
    case_file: Standing,
    states: AbstractSet[ReferralState],
) -> list[Referral]:
    """List the referrals in `states` that ask the State of origin for a travel document."""
    return [
        referral
        for referral in referral_queries.list_of_case(tx, record.case_id)
        if referral.service == Service.CONSULAR_DOCUMENT
        and referral.state in states
        and case_file.is_of_origin(referral.recipient)
    ]


def get_sides(
    tx: ReadTransaction, record: Return, document_referral: Referral
) -> frozenset[Side]:
    """Return the sides of the caller in a return."""
    own_id = tx.actor.focal_point_id
    relations = record.case.list_relations(own_id)
    sides = set(get_case_sides(relations) & {Side.LEAD, Side.HOLDER})
    if HELPING_RELATIONS & record.referral.list_relations(own_id):
        sides.add(Side.RECIPIENT)
    is_asked = Relation.RECIPIENT in document_referral.list_relations(own_id)
    if is_asked and document_referral.recipient_id == own_id:
        sides.add(Side.CONSULATE)
    return frozenset(sides)


def has_side(tx: ReadTransaction, record: Return) -> bool:
    """Return whether the caller has any side in the return."""
    sides = get_sides(tx, record, record.referral)
    return bool(sides or load_view(tx, record).sides)


def require_side(view: ReturnView) -> ReturnView:
    """Return the view, or raise NotFound (404) if the caller has no side in the return."""
    if not view.sides:
        raise NotFound("There is no such return.")
    return view


def load_facts(tx: ReadTransaction, view: ReturnView, terms: Terms | None = None) -> Facts:
    """Load the facts that the requirements are checked against."""
    record, case_file = view.record, view.case_file
    referral, case = record.referral, record.case
    last = return_queries.get_latest_steps(view.done)
    nationality = get_result(last.get(Action.VERIFY_NATIONALITY))
    interests = get_result(last.get(Action.DETERMINE_INTERESTS))
    plan = find_plan(tx, record)
    document_referral, identity = view.document_referral, frozenset({Section.IDENTITY})
    identity_purpose = Purpose(document_referral.service)
    family = case_file.covers(referral.recipient, Purpose.FAMILY_TRACING, frozenset())
    is_active = referral.state in ACTIVE_REFERRAL and referral.recipient.active
    is_resting = case.is_seen_suspended(tx.actor.focal_point_id)
    return Facts(
        now=tx.now,
        under_way=case.state in LED and not is_resting and is_active,
        agreed=case_file.has_consent_to_return(referral.recipient),
        contact_permitted=case_file.is_origin_contact_permitted(),
        identity_covered=case_file.covers(
            document_referral.recipient, identity_purpose, identity
        ),
        family_covered=family,
        child=case.is_child,
        determined=case_file.facts.best_interests == BestInterests.DETERMINED,
        interests=Interests(interests) if interests else None,
        child_received=Action.RECEIVE_CHILD in last,
        guardian=case_file.facts.guardian,
        nationality=Nationality(nationality) if nationality else None,
        destination=last.get(Action.ASSESS_DESTINATION),
        origin=last.get(Action.ASSESS_ORIGIN),
        reflection=case_file.facts.get_reflection_period(case.country or "", tx.now.date()),
        arrives_at=plan.arrives_at if plan else None,
        escorted=bool(plan and plan.escort),
        visits_left=bool(record.visits),
        recipient_gone=return_queries.is_recipient_gone(tx, record),
        terms=terms or Terms(),
        identity_purpose=identity_purpose,
    )


def get_result(done: Done | None) -> str | None:
    """Return the result of a step, or None if it was not taken."""
    return done.result if done else None


def find_plan(tx: ReadTransaction, record: Return) -> TravelPlan | None:
    """Return the decrypted travel plan, which only rules may use, or None if there is none.

    The result is also None unless the state of the return is `planning` or `planned`.
    """
    if record.state not in {State.PLANNING, State.PLANNED}:
        return None
    sealed_plan = case_queries.find_sealed(tx, record.referral_id, Paper.TRAVEL_PLAN)
    if sealed_plan is None:
        return None
    return TravelPlan.model_validate_json(case_queries.open_sealed(tx, sealed_plan))


def show(tx: ReadTransaction, record: Return) -> AnyReturn:
    """Show a return as the caller may see it; a consulate sees only its task (BR12).

    Raises NotFound (404) if the caller has no side in the return.
    """
    view = require_side(load_view(tx, record))
    facts = load_facts(tx, view)
    rows = TABLE.list_steps_for(record.state, view.sides, tx.actor.roles)
    clock = deadline_queries.find_running(tx, [record.id]).get(record.id)
    own_clock = clock if clock and clock.waits_on == tx.actor.focal_point_id else None
    answers = ANSWERS.get(record.state, frozenset()) if own_clock else frozenset()
    actions = AvailableReturnAction.list_from(rows, RULES, facts, answers)
    if view.sides == {Side.CONSULATE}:
        return show_task(view, facts, actions, own_clock)
    return ReturnOut(
        id=record.id,
        case=record.case.code,
        referral=record.referral.reference,
        you_are=sorted(view.sides),
        state=record.state,
        steps=show_steps(tx, view),
        open_instead=list_protection(view),
        opened_at=record.opened_at,
        due_at=arrivals.get_due_at(tx, record, clock),
        version=record.version,
        available_actions=actions,
    )


def show_task(
    view: ReturnView,
    facts: Facts,
    actions: list[AvailableReturnAction],
    clock: Clock | None,
) -> DocumentTaskOut:
    """Return the task of a consulate in a return."""
    return DocumentTaskOut(
        id=view.record.id,
        nationality=facts.nationality,
        due_at=clock.due_at if clock else None,
        version=get_version(view),
        available_actions=actions,
    )


def get_version(view: ReturnView) -> int:
    """Return the version of the return or, for a consulate, the version of its task (R12).

    A consulate could infer the day of the journey from the version of the return.
    """
    if view.sides != {Side.CONSULATE}:
        return view.record.version
    own = sum(done.action == Action.VERIFY_NATIONALITY for done in view.done)
    return 1 + own + (view.record.state == State.CLEARED)


def show_steps(tx: ReadTransaction, view: ReturnView) -> list[StepDone]:
    """Return the steps that were taken, with the offices that the caller may see.

    The lead sees all results. Another office sees only its own results, because the State
    of origin must not learn which dangers the lead found (R12).
    """
    case = view.record.case
    acts = [(case, done.focal_point_id, done.at) for done in view.done]
    names = office_names.load_names(tx, acts)
    own_id, is_lead = tx.actor.focal_point_id, Side.LEAD in view.sides
    return [
        show_step(
            done,
            names.get_helper_code(case, done.focal_point_id),
            whole=is_lead or done.focal_point_id == own_id,
        )
        for done in view.done
    ]


def show_step(done: Done, by: str | None, *, whole: bool) -> StepDone:
    """Return one step that was taken, with its result if `whole` is true."""
    return StepDone(
        step=STEPS[done.action],
        action=done.action,
        at=done.at,
        by=by,
        result=done.result if whole else None,
        level=done.level if whole else None,
        threats=done.threats if whole else [],
        services=done.services if whole else [],
    )


def list_protection(view: ReturnView) -> Sequence[str]:
    """Return the protection to ask for after NO-GO (BR11); empty if not for the lead."""
    refusals = [done for done in view.done if done.action == Action.NO_GO]
    return refusals[-1].services if refusals and Side.LEAD in view.sides else []
