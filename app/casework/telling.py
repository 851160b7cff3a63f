"""What the person allows and takes back, while a case is under way."""

from uuid import UUID

from app.cases import queries
from app.cases.models import Case
from app.casework.intake import must_write, sides_of
from app.consents import actions as consents
from app.consents import queries as recorded
from app.consents.models import Consent
from app.consents.schemas import NewConsent
from app.directory import queries as directory
from app.kernel.actors import Side
from app.kernel.problems import NotFound
from app.kernel.work import Reading, Writing
from app.referrals import actions as referrals

FULL: frozenset[Side] = frozenset({Side.SUBMITTER, Side.HOLDER})


def record_consent(work: Writing, code: str, new: NewConsent) -> Consent:
    """Record a consent; raises what `must_write` and `consents.record` do."""
    case = queries.lock(work, code)
    must_write(work, case)
    consent = consents.record(work, case, new)
    case.touch()
    work.record("consent.recorded", case, case.audience, {"consent": str(consent.id)})
    return consent


def withdraw_consent(work: Writing, code: str, consent_id: UUID) -> Consent:
    """Take a consent back for the person, at once; any party that sees it may record it.

    Asks for no version: a person's no is never out of date. What rests on it ends in the
    same transaction. Raises NotFound (404).
    """
    case = queries.lock(work, code)
    consent = recorded.get(work, case.id, consent_id)
    if consent not in consents_for(work, case):
        raise NotFound("There is no such consent in this case.")
    if consents.take_back(work, consent):
        case.touch()
        facts = {"consent": str(consent.id)}
        work.record("consent.withdrawn", case, case.audience, facts)
        work.session.flush()
        referrals.withdraw_uncovered(work, case)
    return consent


def consents_for(work: Reading, case: Case) -> list[Consent]:
    """List the consents the caller may know of.

    Submitter and holder see all; a recipient sees those that name it; the desk and
    oversight, which are told nothing, see none.
    """
    sides = sides_of(work, case)
    if Side.OVERSIGHT in sides and not sides & FULL:
        return []
    if sides & FULL:
        return recorded.of_case(work, case.id)
    me = directory.by_id(work, work.actor.focal_point_id)
    return recorded.of_case_naming(work, case.id, me)
