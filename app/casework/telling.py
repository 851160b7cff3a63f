"""Consents, facts and vital interests that are recorded while a case is open."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from app.cases import actions as cases
from app.cases import queries, unchecked_queries
from app.cases.facts import RULES, FactName
from app.cases.grants import Grant
from app.cases.lifecycle import OPEN, TABLE
from app.cases.models import Case
from app.cases.records import Fact, VitalInterest
from app.cases.schemas import NewFact, NewIdentification, NewVitalInterest
from app.casework.acting import (
    get_audience,
    require_consent_writer,
    require_working_role,
    require_writer,
)
from app.casework.sides import get_sides
from app.casework.watching import update_assessment_deadline
from app.consents import actions as consents
from app.consents import queries as recorded
from app.consents import standing
from app.consents.models import Consent
from app.consents.schemas import ConsentHint, NewConsent, TakeBack, get_hint
from app.deadlines.limits import Priority
from app.directory import queries as directory
from app.directory.kinds import may_be_abroad
from app.handovers import following as handovers
from app.kernel.actors import Relation, Side
from app.kernel.lifecycle import ActionIllegal
from app.kernel.problems import NotFound
from app.kernel.transactions import Reading, Writing
from app.notifications.actions import notify_offices as call_on
from app.referrals import following
from app.referrals import queries as referrals_of
from app.returns import following as returns


def record_consent(work: Writing, code: str, new: NewConsent) -> Consent:
    """Record a consent.

    Raises what `require_consent_writer` and `consents.record_consent` do.
    """
    case = queries.lock(work, code)
    require_consent_writer(work, case)
    consent = consents.record_consent(work, case, new)
    case.raise_version()
    work.record("consent.recorded", case, case.write_audience, {"consent": str(consent.id)})
    work.session.flush()
    update_assessment_deadline(work, case)
    return consent


def withdraw_consent(work: Writing, code: str, consent_id: UUID) -> Consent:
    """Withdraw a consent for the person, at once, as any party that may see it.

    No version is required: a refusal by the person is never out of date. What depends on
    the consent ends in the same transaction. Raises NotFound (404), RoleMissing (403).
    """
    case = queries.lock(work, code)
    consent = recorded.get(work, case.id, consent_id)
    if consent not in list_consents(work, case):
        raise NotFound("There is no such consent in this case.")
    require_working_role(work)
    end_or_report(work, case, [consent])
    return consent


def withdraw_consents(work: Writing, code: str, body: TakeBack) -> None:
    """Withdraw for the person every consent to some purposes.

    Any party can do this, because the person may tell any office that they trust. It learns
    nothing about the consents. Raises NotFound (404), RoleMissing (403).
    """
    case = queries.lock(work, code)
    require_working_role(work)
    found = recorded.list_for_case(work, case.id)
    these = [one for one in found if set(body.purposes) & set(one.purposes)]
    end_or_report(work, case, these)


def end_or_report(work: Writing, case: Case, given: list[Consent]) -> None:
    """End consents, or report the withdrawal if the person fears the office (ADR 53).

    A feared office could otherwise end the person's help by one request. The holder
    receives the report and asks the person. The response to the office is the same in both
    cases, because it must not learn that it is feared.
    """
    if not is_feared_submitter(work, case):
        end_consents(work, case, given)
        return
    told = case.overseers | (case.write_audience & {case.holder})
    new = [one for one in given if consents.report_withdrawal(work, one)]
    for consent in new:
        work.record(REPORTED, case, told, {"consent": str(consent.id)})
    if new:
        call_on(work, told, REPORTED, urgency=Priority.EMERGENCY, case_id=case.id)


REPORTED: Final = "consent.withdrawal_reported"


def is_feared_submitter(work: Reading, case: Case) -> bool:
    """Return whether the caller has handed the case on, and the person fears it.

    Any other office that the person fears loses its part or leads the case. Until a lead
    has the case, only the submitter itself can have recorded that it is feared.
    """
    own_office = directory.by_id(work, work.actor.focal_point_id)
    if not case.is_handed_on or own_office.id == case.holder:
        return False
    return not standing.load_for_case(work, case).is_safe(own_office, own_office.code)


def end_consents(work: Writing, case: Case, given: Iterable[Consent]) -> None:
    """End some consents and everything that depends on them alone.

    The overseers receive an event for each with its author, because one person can end help
    this way and no other office would see who it was.
    """
    taken_back = list(given)
    before = standing.load_for_case(work, case).as_if_running(taken_back)
    rested = following.find_covered(work, case, before)
    returning = returns.find_covered(work, case, before)
    offered = handovers.is_offer_covered(work, case, before)
    gone = [consent for consent in taken_back if consents.withdraw_consent(work, consent)]
    if not gone:
        return
    case.raise_version()
    for consent in gone:
        facts = {"consent": str(consent.id)}
        told = get_audience(work, case) | case.overseers
        work.record("consent.withdrawn", case, told, facts)
    work.session.flush()
    following.withdraw_uncovered(work, case, rested)
    handovers.cancel_uncovered(work, case, was_covered=offered)
    returns.end_or_reassign(work, case, returning)
    update_assessment_deadline(work, case)


def list_consents(work: Reading, case: Case) -> list[Consent]:
    """List the consents of a case that the caller may know of."""
    own_office = directory.by_id(work, work.actor.focal_point_id)
    found = recorded.list_for_case(work, case.id)
    leads = Relation.LEAD in case.list_relations(own_office.id)
    helps = not leads and referrals_of.is_helping(work, case.id)
    return recorded.list_known_to(case, found, own_office, helps=helps)


def get_named_codes(work: Reading, given: list[Consent]) -> Mapping[UUID, str]:
    """Return the codes of the offices that consents name, if the caller may know them.

    A consent may name a shelter. The side of origin is not told which one, even while it
    leads, unless it recorded the consent itself (R12). It can still withdraw the consent.
    """
    own_office = directory.by_id(work, work.actor.focal_point_id)
    found = directory.by_ids(work, {c.focal_point_id for c in given if c.focal_point_id})
    told = {c.focal_point_id for c in given if c.recorded_by == own_office.id}
    if any(may_be_abroad(own_office, one) for one in found.values()):
        [case] = unchecked_queries.load_by_ids(work, {c.case_id for c in given}).values()
        stands = standing.load_for_case(work, case)
        told |= {one.id for one in found.values() if stands.may_see_helper(own_office, one)}
        found = {one: office for one, office in found.items() if one in told}
    return {one.id: one.code for one in found.values()}


def get_hints(work: Reading, given: list[Consent]) -> Mapping[UUID, ConsentHint]:
    """Return why consents of a case do not count at the person's age, by consent.

    Only readers of the current summary get them, because a hint reveals that the age
    changed.
    """
    cases_of = (
        unchecked_queries.load_by_ids(work, {c.case_id for c in given}) if given else {}
    )
    reader = work.actor.focal_point_id
    reads = {c.id: c for c in cases_of.values() if Grant.SUMMARY in c.get_grants(reader)}
    hints = {
        c.id: get_hint(c, child=reads[c.case_id].is_child)
        for c in given
        if c.case_id in reads
    }
    return {key: hint for key, hint in hints.items() if hint}


def set_fact(work: Writing, code: str, new: NewFact) -> Fact:
    """Record a fact, as the writer of the case or as the recipient asked to establish it.

    Raises NotFound (404), ActionIllegal (409), ActionNotYours or RoleMissing (403),
    FocalPointUnknown (422).
    """
    case = queries.lock(work, code)
    if case.state not in OPEN or not may_establish_fact(work, case, new.name):
        require_consent_writer(work, case)
    require_working_role(work)
    fact = Fact(
        id=work.create_id(),
        case=case,
        case_id=case.id,
        name=new.name,
        value=new.value,
        country=getattr(new, "country", None),
        body=find_deciding_office(work, new),
        ends_on=getattr(new, "ends_on", None),
        recorded_by=work.actor.focal_point_id,
        recorded_at=work.now,
    )
    cases.add_fact(work, case, fact, new.note)
    case.raise_version()
    update_assessment_deadline(work, case)
    work.record("case.fact_recorded", case, get_audience(work, case), {"name": new.name})
    return fact


def find_deciding_office(work: Reading, new: NewFact) -> UUID | None:
    """Return the office that decided an identification: the named one or the caller's."""
    if not isinstance(new, NewIdentification):
        return None
    mine = work.actor.focal_point_id
    return directory.get_by_code_or_422(work, new.body).id if new.body else mine


def may_establish_fact(work: Reading, case: Case, name: FactName) -> bool:
    """Return whether the caller has accepted a referral to establish this fact."""
    return bool(RULES[name].services & referrals_of.list_accepted_services(work, case.id))


def list_facts(work: Reading, case: Case) -> list[Fact]:
    """List the facts that the caller may know.

    An office in the write audience, other than a desk, knows all facts; a recipient knows
    those that it was asked to establish. Oversight knows the legal hold alone, and nobody
    else does, because it may concern the lead. A submitter does not see what the system
    recorded at a border (R12).
    """
    found = queries.load_facts(work, [case.id]).get(case.id, [])
    own_office = work.actor.focal_point_id
    mine = case.list_relations(own_office)
    keeps = own_office in case.write_audience and Relation.DESK not in mine
    return [
        fact
        for fact in found
        if (
            Relation.OVERSIGHT in mine
            if fact.name == FactName.LEGAL_HOLD
            else (keeps and may_know_fact(case, own_office, fact))
            or may_establish_fact(work, case, fact.name)
        )
    ]


def may_know_fact(case: Case, keeper: UUID, fact: Fact) -> bool:
    """Return whether an office in the write audience may know of a fact.

    A fact of the system is for offices that may know who acted in the case at that time.
    """
    at = fact.recorded_at
    return fact.recorded_by is not None or case.is_granted_at(keeper, Grant.ACTORS, at)


def declare_vital_interest(
    work: Writing, code: str, new: NewVitalInterest
) -> VitalInterest:
    """Declare that a case cannot wait for consent (BR05); raises as `require_writer` does.

    This takes one person and a reason. The lead and oversight are told at once.
    """
    case = queries.lock(work, code)
    if Side.HOLDER not in get_sides(work, case):
        require_writer(work, case)
    elif case.state not in OPEN:
        raise ActionIllegal(
            f"The case is {case.state}.", TABLE.describe_actions(case.state)
        )
    require_working_role(work)
    declared = cases.declare_vital_interest(work, case, new)
    case.raise_version()
    return declared
