"""Functions that record consents and refusals, and withdraw consents."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from app.cases import actions as case_actions
from app.cases.models import Case
from app.consents import queries as consent_queries
from app.consents.coverage import is_valid, may_give
from app.consents.forms import ConsentForm, derive_consent_id
from app.consents.models import Consent, Refusal
from app.consents.schemas import (
    ConsentInput,
    ConsentRecipient,
    ConsentTerms,
    RefusalInput,
)
from app.directory import queries as directory_queries
from app.kernel.instants import get_monday
from app.kernel.problems import Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction


class ConsentEnded(Problem):
    """The consent has already expired, or was obtained in the future."""

    status = 422


class AdultConsentRequired(Problem):
    """An adult's own consent is needed; nobody else can consent for an adult."""

    status = 422


class TooManyConsents(Problem):
    """The office has recorded too many valid consents in this case."""

    status = 409


class GuardianNeeded(Problem):
    """A child's own consent does not count: ask the guardian or the competent body."""

    status = 422


def record_consent(tx: WriteTransaction, case: Case, new: ConsentInput) -> ConsentForm:
    """Record a consent for each recipient of a form, and seal any evidence as one note.

    A child's own consent is recorded too, and counts once the person is found to be an
    adult. Raises FocalPointUnknown, ConsentEnded or AdultConsentRequired (422) for an
    invalid consent.
    """
    require_valid(tx, case, new)
    first = tx.create_id()
    form = ConsentForm(
        [
            build_consent(tx, case, derive_consent_id(tx, first, position), new, recipient)
            for position, recipient in enumerate(new.recipients)
        ]
    )
    tx.session.add_all(form.consents)
    case_actions.add_note(tx, case, "consent", new.evidence)
    return form


def require_room(tx: ReadTransaction, case: Case, added: int) -> None:
    """Raise TooManyConsents (409) if the office would exceed `MAX_VALID` in a case.

    Each write compares the consents of a case with each other, so their number is limited.
    Consents that other offices recorded do not count, because the caller may not see them.
    """
    own = [
        one
        for one in consent_queries.list_for_case(tx, case.id)
        if one.recorded_by == tx.actor.focal_point_id
        and not one.withdrawn_at
        and one.expires_at > tx.now
    ]
    if len(own) + added > MAX_VALID:
        raise TooManyConsents(
            f"An office records at most {MAX_VALID} valid consents in a case. Withdraw "
            "those that have been replaced by newer ones."
        )


def build_consent(
    tx: WriteTransaction,
    case: Case,
    consent_id: UUID,
    terms: ConsentTerms,
    recipient: ConsentRecipient,
) -> Consent:
    """Build the consent for a recipient; raise FocalPointUnknown (422) for a wrong code."""
    named, offices = recipient.focal_point, recipient.recipient_class
    office = directory_queries.get_by_code_or_422(tx, named) if named else None
    return Consent(
        id=consent_id,
        case_id=case.id,
        focal_point_id=office.id if office else None,
        **(offices.model_dump() if offices else {}),
        purposes=sorted(set(recipient.purposes)),
        sections=sorted(set(recipient.sections)),
        recorded_by=tx.actor.focal_point_id,
        recorded_at=tx.now,
        **terms.model_dump(include=COPIED_FIELDS),
    )


def require_valid(tx: WriteTransaction, case: Case, new: ConsentTerms) -> None:
    """Raise AdultConsentRequired or ConsentEnded (422) unless a new consent is valid."""
    if not case.is_child and not may_give(new.given_by, child=False):
        advice = "Ask the person; if this is a child, correct `age_class` first."
        raise AdultConsentRequired(advice)
    if new.expires_at <= tx.now or new.obtained_on > (tx.now + EARLIEST_ZONE).date():
        raise ConsentEnded(
            "`expires_at` must be in the future, and `obtained_on` must not."
        )


def require_counting(tx: WriteTransaction, case: Case, new: ConsentTerms) -> None:
    """Raise as `require_valid` does, or GuardianNeeded (422) for a child's own consent."""
    require_valid(tx, case, new)
    if not may_give(new.given_by, child=case.is_child):
        raise GuardianNeeded(
            "Ask the guardian, or the body that decides on the interests of the child."
        )


MAX_VALID: Final = 200
"""The maximum number of consents in a case that one office recorded and that are neither
withdrawn nor expired. The number is our own; a case with many services has about 20."""
EARLIEST_ZONE: Final = timedelta(hours=14)
"""The UTC offset of the time zone in which each day begins first."""
COPIED_FIELDS = set(ConsentTerms.model_fields) - {"evidence"}


def count_refusal(tx: WriteTransaction, new: RefusalInput) -> None:
    """Count a refusal in the current week, without a link to a person or case.

    Raises DiskSpaceReserved (503) if the disk is nearly full.
    """
    tx.runtime.free_space.require_unreserved()
    week = get_monday(tx.now.date())
    tx.session.add(Refusal(id=tx.create_id(), country=new.country, week=week))


def expire_for_adult(tx: WriteTransaction, case: Case) -> None:
    """End the consents that others gave for a child who was found to be an adult.

    These consents do not become valid again: if the age class changes back to child, the
    guardian has to consent again (BR14).
    """
    for consent in consent_queries.list_for_case(tx, case.id):
        if is_valid(consent, tx.now, child=True):
            consent.expires_at = tx.now


def report_withdrawal(tx: WriteTransaction, consent: Consent) -> bool:
    """Record a withdrawal that an unsafe office reports; return False if already known."""
    new = consent.withdrawn_at is None and consent.withdrawal_reported_at is None
    if new:
        consent.withdrawal_reported_at = tx.now
    return new


def withdraw_consent(tx: WriteTransaction, consent: Consent) -> bool:
    """Withdraw a consent with immediate effect; return whether this changed anything."""
    changed = consent.withdrawn_at is None
    if changed:
        consent.withdrawn_at = tx.now
    return changed
