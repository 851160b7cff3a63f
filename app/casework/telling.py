"""What becomes known while a case is under way: what the person allows, and facts."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from app.cases import actions as cases
from app.cases import naming, queries
from app.cases.facts import RULES, FactName
from app.cases.grants import Grant
from app.cases.lifecycle import OPEN, TABLE
from app.cases.models import Case
from app.cases.records import Fact, VitalInterest
from app.cases.schemas import NewFact, NewIdentification, NewVitalInterest
from app.casework.acting import (
    hearers,
    must_prepare,
    must_work,
    must_write,
)
from app.casework.sides import sides_of
from app.casework.watching import watch_interests
from app.consents import actions as consents
from app.consents import queries as recorded
from app.consents import standing
from app.consents.models import Consent
from app.consents.schemas import ConsentHint, NewConsent, TakeBack, get_hint
from app.deadlines.limits import Priority
from app.directory import queries as directory
from app.directory.kinds import is_beyond
from app.handovers import following as handovers
from app.kernel.actors import Relation, Side
from app.kernel.lifecycle import ActionIllegal
from app.kernel.problems import NotFound
from app.kernel.work import Reading, Writing
from app.notices.actions import tell as call_on
from app.referrals import following
from app.referrals import queries as referrals_of
from app.returns import following as returns


def record_consent(work: Writing, code: str, new: NewConsent) -> Consent:
    """Record a consent; raises what `must_prepare` and `consents.record` do."""
    case = queries.lock(work, code)
    must_prepare(work, case)
    consent = consents.record(work, case, new)
    case.touch()
    work.record("consent.recorded", case, case.keepers, {"consent": str(consent.id)})
    work.session.flush()
    watch_interests(work, case)
    return consent


def withdraw_consent(work: Writing, code: str, consent_id: UUID) -> Consent:
    """Take a consent back for the person, at once; any party that sees it may record it.

    Asks for no version: a person's no is never out of date. What rests on it ends in the
    same transaction. Raises NotFound (404), RoleMissing (403).
    """
    case = queries.lock(work, code)
    consent = recorded.get(work, case.id, consent_id)
    if consent not in consents_for(work, case):
        raise NotFound("There is no such consent in this case.")
    must_work(work)
    end_or_report(work, case, [consent])
    return consent


def withdraw_consents(work: Writing, code: str, said: TakeBack) -> None:
    """Take back for the person all that they agreed to for some purposes, whoever heard it.

    Any party may, without seeing one of these consents, and learns nothing of them: the
    person tells whom they trust. Raises NotFound (404), RoleMissing (403).
    """
    case = queries.lock(work, code)
    must_work(work)
    found = recorded.of_case(work, case.id)
    these = [one for one in found if set(said.purposes) & set(one.purposes)]
    end_or_report(work, case, these)


def end_or_report(work: Writing, case: Case, given: list[Consent]) -> None:
    """Let consents end; of an office that the person fears, report what it said (ADR 53).

    Else it could take the person's bed away by one request. The holder hears it and asks
    the person. The office is answered as before: it must not learn that it is feared.
    """
    if not is_feared_submitter(work, case):
        end(work, case, given)
        return
    told = case.overseers | (case.keepers & {case.holder})
    new = [one for one in given if consents.report_taken_back(work, one)]
    for consent in new:
        work.record(REPORTED, case, told, {"consent": str(consent.id)})
    if new:
        call_on(work, told, REPORTED, urgency=Priority.EMERGENCY, case_id=case.id)


REPORTED: Final = "consent.withdrawal_reported"


def is_feared_submitter(work: Reading, case: Case) -> bool:
    """Return whether the caller has handed the case on, and the person fears it.

    Any other office that the person turns out to fear loses its part, or leads. Until
    somebody leads, only the submitter itself can have said that it is feared.
    """
    me = directory.by_id(work, work.actor.focal_point_id)
    if not case.is_handed_on or me.id == case.holder:
        return False
    return not standing.of_case(work, case).is_safe(me, me.code)


def end(work: Writing, case: Case, given: Iterable[Consent]) -> None:
    """Let some consents stand no longer, and nothing that rested on them alone.

    Overseers hear of each, and by whom: one person can end help so, and nobody else would
    see who it was.
    """
    taken_back = list(given)
    before = standing.of_case(work, case).as_if_running(taken_back)
    rested = following.covered(work, case, before)
    returning = returns.resting(work, case, before)
    offered = handovers.rests_on_consent(work, case, before)
    gone = [consent for consent in taken_back if consents.take_back(work, consent)]
    if not gone:
        return
    case.touch()
    for consent in gone:
        facts = {"consent": str(consent.id)}
        told = hearers(work, case) | case.overseers
        work.record("consent.withdrawn", case, told, facts)
    work.session.flush()
    following.withdraw_uncovered(work, case, rested)
    handovers.cancel_uncovered(work, case, rested=offered)
    returns.follow(work, case, returning)
    watch_interests(work, case)


def consents_for(work: Reading, case: Case) -> list[Consent]:
    """List the consents of a case that the caller may know of."""
    me = directory.by_id(work, work.actor.focal_point_id)
    found = recorded.of_case(work, case.id)
    leads = Relation.LEAD in case.relations_of(me.id)
    helps = not leads and referrals_of.is_helping(work, case.id)
    return recorded.list_known_to(case, found, me, helps=helps)


def named_in(work: Reading, given: list[Consent]) -> Mapping[UUID, str]:
    """Give the codes of those whom consents of a case name, if the caller may know them.

    A consent may name a shelter: the side of origin, even while it leads, is not told which
    one, unless it recorded that consent itself (R12). It may take it back all the same.
    """
    me = directory.by_id(work, work.actor.focal_point_id)
    found = directory.by_ids(work, {c.focal_point_id for c in given if c.focal_point_id})
    told = {c.focal_point_id for c in given if c.recorded_by == me.id}
    if any(is_beyond(me, one) for one in found.values()):
        [case] = naming.by_ids(work, {c.case_id for c in given}).values()
        stands = standing.of_case(work, case)
        told |= {one.id for one in found.values() if stands.knows(me, one)}
        found = {one: office for one, office in found.items() if one in told}
    return {one.id: one.code for one in found.values()}


def hints_for(work: Reading, given: list[Consent]) -> Mapping[UUID, ConsentHint]:
    """Say of those consents of a case that do not count at the person's age why.

    To a reader of the summary as it is now: to another it would tell that the age changed.
    """
    cases_of = naming.by_ids(work, {c.case_id for c in given}) if given else {}
    me = work.actor.focal_point_id
    reads = {one.id: one for one in cases_of.values() if Grant.SUMMARY in one.grants(me)}
    hints = {
        c.id: get_hint(c, child=reads[c.case_id].is_child)
        for c in given
        if c.case_id in reads
    }
    return {key: hint for key, hint in hints.items() if hint}


def set_fact(work: Writing, code: str, new: NewFact) -> Fact:
    """Record a fact: whoever writes the case now, or who was asked to find it out.

    Raises NotFound (404), ActionIllegal (409), ActionNotYours or RoleMissing (403),
    FocalPointUnknown (422).
    """
    case = queries.lock(work, code)
    if case.state not in OPEN or not may_find_out(work, case, new.name):
        must_prepare(work, case)
    must_work(work)
    fact = Fact(
        id=work.new_id(),
        case=case,
        case_id=case.id,
        name=new.name,
        value=new.value,
        country=getattr(new, "country", None),
        body=body_of(work, new),
        ends_on=getattr(new, "ends_on", None),
        recorded_by=work.actor.focal_point_id,
        recorded_at=work.now,
    )
    cases.know(work, case, fact, new.note)
    case.touch()
    watch_interests(work, case)
    work.record("case.fact_recorded", case, hearers(work, case), {"name": new.name})
    return fact


def body_of(work: Reading, new: NewFact) -> UUID | None:
    """Find which body decided, where one does: the one named, else the caller's own."""
    if not isinstance(new, NewIdentification):
        return None
    mine = work.actor.focal_point_id
    return directory.named(work, new.body).id if new.body else mine


def may_find_out(work: Reading, case: Case, name: FactName) -> bool:
    """Say whether a referral to the caller, which it took on, is about this very fact."""
    return bool(RULES[name].services & referrals_of.services_helping(work, case.id))


def facts_for(work: Reading, case: Case) -> list[Fact]:
    """List the facts the caller may know: all if it keeps the case, else what it finds out.

    The legal hold is for oversight alone, which sees nothing else: it may look into the
    very lead. What the system noted at a border a submitter does not see (R12).
    """
    found = queries.facts(work, [case.id]).get(case.id, [])
    me = work.actor.focal_point_id
    mine = case.relations_of(me)
    keeps = me in case.keepers and Relation.DESK not in mine
    return [
        fact
        for fact in found
        if (
            Relation.OVERSIGHT in mine
            if fact.name == FactName.LEGAL_HOLD
            else (keeps and may_know_fact(case, me, fact))
            or may_find_out(work, case, fact.name)
        )
    ]


def may_know_fact(case: Case, keeper: UUID, fact: Fact) -> bool:
    """Return whether a keeper of the case may know of a fact.

    The system's own facts are for those who may know who acted in the case at that time.
    """
    at = fact.recorded_at
    return fact.recorded_by is not None or case.granted_at(keeper, Grant.ACTORS, at)


def declare_vital(work: Writing, code: str, new: NewVitalInterest) -> VitalInterest:
    """Say that it cannot wait for a consent (BR05); raises what `must_write` does.

    One person and a reason; the lead and oversight hear of it in the same transaction.
    """
    case = queries.lock(work, code)
    if Side.HOLDER not in sides_of(work, case):
        must_write(work, case)
    elif case.state not in OPEN:
        raise ActionIllegal(f"The case is {case.state}.", TABLE.legal(case.state))
    must_work(work)
    declared = cases.declare_vital(work, case, new)
    case.touch()
    return declared
