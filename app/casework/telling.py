"""Record and withdraw consents, and record facts and vital interests in a case."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases import unchecked_queries
from app.cases.facts import RULES, FactName
from app.cases.grants import Grant
from app.cases.lifecycle import OPEN, Action
from app.cases.models import Case
from app.cases.records import Fact, VitalInterest
from app.cases.schemas import FactInput, IdentificationInput, VitalInterestInput
from app.casework import acting
from app.casework.watching import update_assessment_deadline
from app.consents import actions as consent_actions
from app.consents import queries as consent_queries
from app.consents import standing
from app.consents.forms import ConsentForm, get_form
from app.consents.models import Consent
from app.consents.schemas import ConsentHint, ConsentInput, WithdrawConsents, get_hint
from app.deadlines.limits import Priority
from app.directory import queries as directory_queries
from app.directory.kinds import may_be_abroad
from app.handovers import following as handover_following
from app.kernel.actors import Relation
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.notifications.actions import notify_offices as call_on
from app.referrals import following as referral_following
from app.referrals import queries as referral_queries
from app.returns import following as return_following


def record_consent(tx: WriteTransaction, code: str, new: ConsentInput) -> ConsentForm:
    """Record the consents of a form in a case, with an event for each consent."""
    case = case_queries.lock(tx, code)
    acting.require_further(tx, case, Action.RECORD_CONSENT)
    consent_actions.require_room(tx, case, len(new.recipients))
    form = consent_actions.record_consent(tx, case, new)
    case.raise_version()
    for consent in form.consents:
        facts = {"consent": str(consent.id)}
        tx.record("consent.recorded", case, case.write_audience, facts)
    tx.session.flush()
    update_assessment_deadline(tx, case)
    return form


def withdraw_consent(tx: WriteTransaction, code: str, consent_id: UUID) -> Consent:
    """Withdraw a consent on behalf of the person, or report the withdrawal (ADR 53).

    Any party that may see the consent can do this. No version is required, because a
    refusal by the person is never out of date.
    """
    case = case_queries.lock(tx, code)
    consent = consent_queries.get(tx, case.id, consent_id)
    if consent not in list_consents(tx, case):
        raise NotFound("There is no such consent in this case.")
    acting.require_working_role(tx)
    end_or_report(tx, case, [consent])
    return consent


def withdraw_consents(tx: WriteTransaction, code: str, body: WithdrawConsents) -> None:
    """Withdraw all consents that name one of the given purposes, on behalf of the person.

    Any party can do this, because the person may ask any office that they trust. The party
    learns nothing about the consents. For a submitter that the person fears, the withdrawal
    is only reported.
    """
    case = case_queries.lock(tx, code)
    acting.require_working_role(tx)
    found = consent_queries.list_for_case(tx, case.id)
    these = [one for one in found if set(body.purposes) & set(one.purposes)]
    end_or_report(tx, case, these)


def end_or_report(tx: WriteTransaction, case: Case, given: list[Consent]) -> None:
    """End the consents, or only report the withdrawal if the person fears the submitter.

    A feared submitter could otherwise stop the help for the person. The response is always
    the same, because the caller must not learn of the fear (ADR 53).
    """
    if not is_feared_submitter(tx, case):
        end_consents(tx, case, given)
        return
    told = case.overseers | (case.write_audience & {case.holder})
    new = [one for one in given if consent_actions.report_withdrawal(tx, one)]
    for consent in new:
        tx.record(REPORTED, case, told, {"consent": str(consent.id)})
    if new:
        call_on(tx, told, REPORTED, urgency=Priority.EMERGENCY, case_id=case.id)


REPORTED: Final = "consent.withdrawal_reported"


def is_feared_submitter(tx: ReadTransaction, case: Case) -> bool:
    """Return whether the person fears the caller, and the caller has handed the case on.

    That the caller is the submitter is not checked, because any other feared office loses
    its relation to the case or is the lead.
    """
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    if not case.is_handed_on or own_office.id == case.holder:
        return False
    return not standing.load_for_case(tx, case).is_safe(own_office, own_office.code)


def end_consents(tx: WriteTransaction, case: Case, given: Iterable[Consent]) -> None:
    """End the given consents, and everything that depends only on them.

    Oversight receives an event that names the author. Otherwise, one person could stop
    the help, and no other office would see which office did this.
    """
    taken_back = list(given)
    before = standing.load_for_case(tx, case).as_if_running(taken_back)
    rested = referral_following.find_covered(tx, case, before)
    returning = return_following.find_covered(tx, case, before)
    offered = handover_following.is_offer_covered(tx, case, before)
    gone = [
        consent for consent in taken_back if consent_actions.withdraw_consent(tx, consent)
    ]
    if not gone:
        return
    case.raise_version()
    for consent in gone:
        facts = {"consent": str(consent.id)}
        told = acting.get_audience(tx, case) | case.overseers
        tx.record("consent.withdrawn", case, told, facts)
    tx.session.flush()
    referral_following.withdraw_uncovered(tx, case, rested)
    handover_following.cancel_uncovered(tx, case, was_covered=offered)
    return_following.end_or_reassign(tx, case, returning)
    update_assessment_deadline(tx, case)


def list_consents(tx: ReadTransaction, case: Case) -> list[Consent]:
    """List the consents of a case that the caller may see."""
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    found = consent_queries.list_for_case(tx, case.id)
    leads = Relation.LEAD in case.list_relations(own_office.id)
    helps = not leads and referral_queries.has_open_referral(tx, case.id)
    return consent_queries.list_known_to(case, found, own_office, helps=helps)


def get_named_codes(tx: ReadTransaction, given: list[Consent]) -> Mapping[UUID, str]:
    """Return the codes of the offices that consents of a case name and the caller may see.

    An office that may belong to the State of origin gets the code of an office abroad only
    from a consent that it recorded, because a code may reveal a shelter (R12).
    """
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    found = directory_queries.by_ids(
        tx, {c.focal_point_id for c in given if c.focal_point_id}
    )
    told = {c.focal_point_id for c in given if c.recorded_by == own_office.id}
    if any(may_be_abroad(own_office, one) for one in found.values()):
        [case] = unchecked_queries.load_by_ids(tx, {c.case_id for c in given}).values()
        stands = standing.load_for_case(tx, case)
        told |= {one.id for one in found.values() if stands.may_see_helper(own_office, one)}
        found = {one: office for one, office in found.items() if one in told}
    return {one.id: one.code for one in found.values()}


def get_hints(tx: ReadTransaction, given: list[Consent]) -> Mapping[UUID, ConsentHint]:
    """Return hints on why consents do not count at the person's age, by consent id.

    Only readers of the current summary get a hint, because a hint reveals that the age
    class has changed.
    """
    cases_of = (
        unchecked_queries.load_by_ids(tx, {c.case_id for c in given}) if given else {}
    )
    reader = tx.actor.focal_point_id
    reads = {c.id: c for c in cases_of.values() if Grant.SUMMARY in c.get_grants(reader)}
    hints = {
        c.id: get_hint(c, child=reads[c.case_id].is_child)
        for c in given
        if c.case_id in reads
    }
    return {key: hint for key, hint in hints.items() if hint}


def set_fact(tx: WriteTransaction, code: str, new: FactInput) -> Fact:
    """Record a fact, as an office that may write in the case or must establish the fact."""
    case = case_queries.lock(tx, code)
    if case.state not in OPEN or not may_establish_fact(tx, case, new.name):
        acting.require_further(tx, case, Action.RECORD_FACT)
    acting.require_working_role(tx)
    fact = Fact(
        id=tx.create_id(),
        case=case,
        case_id=case.id,
        name=new.name,
        value=new.value,
        country=getattr(new, "country", None),
        body=find_deciding_office(tx, new),
        ends_on=getattr(new, "ends_on", None),
        recorded_by=tx.actor.focal_point_id,
        recorded_at=tx.now,
    )
    case_actions.add_fact(tx, case, fact, new.note)
    case.raise_version()
    update_assessment_deadline(tx, case)
    tx.record("case.fact_recorded", case, acting.get_audience(tx, case), {"name": new.name})
    return fact


def find_deciding_office(tx: ReadTransaction, new: FactInput) -> UUID | None:
    """Return the office that decided an identification, by default the caller's office.

    Return None for any other fact. Raises FocalPointUnknown (422) for an unknown office.
    """
    if not isinstance(new, IdentificationInput):
        return None
    mine = tx.actor.focal_point_id
    return directory_queries.get_by_code_or_422(tx, new.body).id if new.body else mine


def may_establish_fact(tx: ReadTransaction, case: Case, name: FactName) -> bool:
    """Return whether the caller has accepted a referral to establish this fact."""
    return bool(RULES[name].services & referral_queries.list_accepted_services(tx, case.id))


def list_facts(tx: ReadTransaction, case: Case) -> list[Fact]:
    """List the facts that the caller may see.

    Only oversight sees the legal hold, which may concern the lead. A recipient sees facts
    that it agreed to establish, or that it recorded if its help is completed. The holder,
    unless it is a desk, and the submitter see facts that `may_know_fact` allows.
    """
    own_office = tx.actor.focal_point_id
    mine = case.list_relations(own_office)
    keeps = own_office in case.write_audience and Relation.DESK not in mine
    helped = referral_queries.list_accepted_services(tx, case.id)
    at_work = referral_queries.list_accepted_services(tx, case.id, completed=False)
    return [
        fact
        for fact in case_queries.load_facts(tx, [case.id]).get(case.id, [])
        for services in [helped if fact.recorded_by == own_office else at_work]
        if (
            Relation.OVERSIGHT in mine
            if fact.name == FactName.LEGAL_HOLD
            else (keeps and may_know_fact(case, own_office, fact))
            or RULES[fact.name].services & services
        )
    ]


def get_known_fact(tx: ReadTransaction, case_id: UUID, fact_id: UUID) -> Fact:
    """Return a fact that the caller recorded or may see, or raise NotFound (404)."""
    found = case_queries.get_fact(tx, case_id, fact_id)
    is_own = found.recorded_by == tx.actor.focal_point_id
    if not is_own and found not in list_facts(tx, found.case):
        raise NotFound("There is no such fact, or you may not see it.")
    return found


def get_own_vital_interest(
    tx: ReadTransaction, case_id: UUID, declared_id: UUID
) -> VitalInterest:
    """Return a vital interest that the caller's office declared. Raises NotFound (404)."""
    found = case_queries.get_vital_interest(tx, case_id, declared_id)
    if found.declared_by != tx.actor.focal_point_id:
        raise NotFound("There is no such declaration, or you may not see it.")
    return found


def get_known_form(tx: ReadTransaction, case_id: UUID, first: UUID) -> ConsentForm:
    """Return a consent form that the caller recorded or may see. Raises NotFound (404)."""
    found = get_form(tx, case_id, first)
    case = case_queries.get_by_id(tx, case_id)
    is_own = found.consents[0].recorded_by == tx.actor.focal_point_id
    if not is_own and not {*found.consents} <= {*list_consents(tx, case)}:
        raise NotFound("There is no such consent, or you may not see it.")
    return found


def may_know_fact(case: Case, office: UUID, fact: Fact) -> bool:
    """Return whether an office that is the holder or submitter of a case may see a fact.

    A fact of the system is shown only if the office could see then who acted in the case.
    """
    known_actor = case.is_granted_at(office, Grant.ACTORS, fact.recorded_at)
    return known_actor or fact.recorded_by is not None


def declare_vital_interest(
    tx: WriteTransaction, code: str, new: VitalInterestInput
) -> VitalInterest:
    """Declare that a case cannot wait for a consent; inform the holder and oversight."""
    case = case_queries.lock(tx, code)
    acting.require_further(tx, case, Action.DECLARE_VITAL_INTEREST)
    declared = case_actions.declare_vital_interest(tx, case, new)
    case.raise_version()
    return declared
