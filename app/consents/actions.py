"""Recording what the person agreed to, and what they took back."""

from uuid import UUID

from app.cases import actions as cases
from app.cases.actions import NoteText
from app.cases.models import Case
from app.cases.sections import Paper
from app.consents.models import Consent
from app.consents.schemas import NewConsent
from app.directory import queries as directory
from app.kernel.problems import Problem
from app.kernel.work import Writing


class ConsentOver(Problem):
    """The consent has already expired, or was obtained in the future."""

    status = 422


def record(work: Writing, case: Case, new: NewConsent) -> Consent:
    """Record a consent; raises NotFound (404) or ConsentOver (422).

    How it was given is sealed with the case.
    """
    if new.expires_at <= work.now or new.obtained_on > work.now.date():
        raise ConsentOver("`expires_at` must be ahead and `obtained_on` not.")
    consent = Consent(
        id=work.new_id(),
        case_id=case.id,
        focal_point_id=named(work, new),
        **(new.recipient_class.model_dump() if new.recipient_class else {}),
        purposes=sorted(set(new.purposes)),
        sections=sorted(set(new.sections)),
        recorded_by=work.actor.focal_point_id,
        recorded_at=work.now,
        **new.model_dump(include=PLAIN),
    )
    work.session.add(consent)
    if new.evidence:
        text = NoteText(text=new.evidence)
        cases.put_away(work, case, Paper.EVIDENCE, text, about=str(consent.id))
    return consent


PLAIN = {
    *("given_by", "language", "interpreter", "form_version", "obtained_on", "expires_at"),
}


def named(work: Writing, new: NewConsent) -> UUID | None:
    """Find the focal point a consent names, or raise NotFound (404)."""
    return directory.find(work, new.focal_point).id if new.focal_point else None


def take_back(work: Writing, consent: Consent) -> bool:
    """Withdraw a consent from now on; says whether this changed anything."""
    changed = consent.withdrawn_at is None
    if changed:
        consent.withdrawn_at = work.now
    return changed
