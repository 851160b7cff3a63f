"""What the person allows and takes back, while a case is under way."""

from uuid import UUID

from app.cases import queries
from app.cases.models import Case
from app.casework.acting import hearers, must_work, must_write
from app.consents import actions as consents
from app.consents import queries as recorded
from app.consents.coverage import names
from app.consents.models import Consent
from app.consents.schemas import NewConsent
from app.directory import queries as directory
from app.handovers import actions as handovers
from app.kernel.actors import Relation
from app.kernel.problems import NotFound
from app.kernel.work import Reading, Writing
from app.referrals import actions as referrals
from app.referrals import queries as referrals_of


def record_consent(work: Writing, code: str, new: NewConsent) -> Consent:
    """Record a consent; raises what `must_write` and `consents.record` do."""
    case = queries.lock(work, code)
    must_write(work, case)
    consent = consents.record(work, case, new)
    case.touch()
    work.record("consent.recorded", case, case.keepers, {"consent": str(consent.id)})
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
    rested, offered = referrals.covered(work, case), handovers.rests_on_consent(work, case)
    if consents.take_back(work, consent):
        case.touch()
        facts = {"consent": str(consent.id)}
        work.record("consent.withdrawn", case, hearers(work, case), facts)
        work.session.flush()
        referrals.withdraw_uncovered(work, case, rested)
        handovers.cancel_uncovered(work, case, rested=offered)
    return consent


def consents_for(work: Reading, case: Case) -> list[Consent]:
    """List the consents the caller may know of.

    The holder knows all; the submitter those it recorded, for a later one may name who
    shelters the person; a recipient those that name it. The desk and oversight are told
    nothing, so they see none.
    """
    me = directory.by_id(work, work.actor.focal_point_id)
    found = recorded.of_case(work, case.id)
    if case.relations_of(me.id) & {Relation.CANDIDATE, Relation.LEAD}:
        return found
    helps = referrals_of.is_helping(work, case.id)
    return [c for c in found if c.recorded_by == me.id or (helps and names(c, me))]
