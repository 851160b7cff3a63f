"""The requirements for the steps of a referral, with their checks and remedies."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.cases.lifecycle import OPEN as CASE_OPEN
from app.cases.lifecycle import State as CaseState
from app.cases.sections import CONTACTS_REMEDY, SERVICES_FOR_SAFETY, Section
from app.deadlines.limits import REVIEW_REMEDY, is_valid_review_date
from app.directory.kinds import Service
from app.kernel.actors import Side
from app.kernel.requirements import Check, RequiredConsent, Rulebook
from app.referrals.lifecycle import Need


@dataclass(frozen=True)
class Terms:
    """The values of a request on which the requirements of a step depend."""

    meeting_at: datetime | None = None
    contacts: frozenset[str] = frozenset()
    reason: str | None = None
    person_met: bool = False
    outcome: str | None = None
    feedback: bool = False
    topics: frozenset[Section] = frozenset()
    answered: frozenset[Section] | None = None
    says_more: bool = False
    alternative: str | None = None
    review_at: datetime | None = None
    time_is_up: bool = False


@dataclass(frozen=True)
class Facts:
    """The values against which the requirements are checked, without database objects."""

    now: datetime
    review_by: datetime | None
    case_state: CaseState
    service: Service
    covered: bool
    answer_covered: bool
    child_path: bool
    vital_interest: bool
    reflection_told: bool
    already_asked: bool
    risk_current: bool
    recipient_safe: bool
    agreed: bool
    origin_permitted: bool
    return_cleared: bool
    return_done: bool
    may_be_child: bool
    terms: Terms = Terms()
    sections: frozenset[Section] = frozenset()
    default_contacts: bool = False
    recipient: str | None = None
    """The code of the recipient, or None if the caller must not learn it."""


def is_case_open(facts: Facts) -> bool:
    """Return whether the case is open; a suspended case is open only to safety services."""
    if facts.case_state == CaseState.SUSPENDED:
        return facts.service in SERVICES_FOR_SAFETY
    return facts.case_state in CASE_OPEN


def is_meeting_in_future(facts: Facts) -> bool:
    """Return whether a first meeting is planned and lies in the future."""
    at = facts.terms.meeting_at
    return at is not None and at > facts.now


def may_inform_police(facts: Facts) -> bool:
    """Return whether a referral may inform the police or a prosecutor (N22, BR15).

    For LAW_ENFORCEMENT, a fact must state the status of the person's reflection period.
    """
    return facts.service != Service.LAW_ENFORCEMENT or facts.reflection_told


def build_required_consent(facts: Facts) -> RequiredConsent:
    """Return the consent that the recipient, the service and the sections require.

    The result depends only on the referral and the request. Existing consents are ignored:
    a consent to an office that the person fears must look as if it were missing.
    """
    sections = facts.sections | (facts.terms.answered or frozenset())
    return RequiredConsent(
        purpose=facts.service, sections=sorted(sections), recipient=facts.recipient
    )


def may_answer(facts: Facts) -> bool:
    """Return whether the person's consent allows the answer; False if there is no answer.

    An answer with neither sections nor text is always allowed. Sections require a consent.
    A text requires a consent, unless a child may be referred without one (BR09, BR14).
    """
    if facts.terms.answered is None or facts.answer_covered:
        return facts.terms.answered is not None
    return not facts.terms.answered and (facts.child_path or not facts.terms.says_more)


# fmt: off
CHECKS: Final[dict[Need, Check[Facts]]] = {
    Need.CASE_OPEN: Check(
        is_case_open,
        "The case must be open and held by a focal point.", Side.SENDER),
    Need.CONSENT: Check(
        lambda f: f.covered,
        "Record the person's consent to this recipient, for this service and these sections.", Side.SENDER,
        consent=build_required_consent),
    Need.RISK_CURRENT: Check(
        lambda f: f.risk_current,
        "Assess the risk again: an assessment is valid for 7 days, or for 72 hours if the risk is high.", Side.SENDER),
    Need.RECIPIENT_SAFE: Check(
        lambda f: f.recipient_safe,
        "Choose another focal point for this person.", Side.SENDER),
    Need.AGREEMENT: Check(
        lambda f: f.agreed,
        "No agreement in force covers this border: send the summary alone, without sections.", Side.SENDER),
    Need.ORIGIN_PERMITTED: Check(
        lambda f: f.origin_permitted,
        "This State may be informed only if the person permits it.", Side.SENDER),
    Need.TWO_CONTACTS: Check(
        lambda f: len(f.terms.contacts) > 1, CONTACTS_REMEDY, preset=lambda f: f.default_contacts),
    Need.MEETING: Check(is_meeting_in_future, "Set a first meeting in the future."),
    Need.REASON: Check(lambda f: f.terms.reason is not None, "Give a reason code."),
    Need.PERSON_MET: Check(lambda f: f.terms.person_met, "Confirm that the person was met."),
    Need.OUTCOME: Check(lambda f: f.terms.outcome is not None, "Give the outcome."),
    Need.FEEDBACK: Check(lambda f: f.terms.feedback, "Give the sender feedback."),
    Need.REFLECTION_TOLD: Check(
        may_inform_police,
        "Inform the person of the reflection period first, and record the fact for the country where they are.", Side.SENDER),
    Need.NOT_ALREADY_ASKED: Check(
        lambda f: not f.already_asked,
        "This focal point already has an open referral of this case for this service: use it, or withdraw it first. "
        "A second referral is sent only with a section that the first does not have.", Side.SENDER),
    Need.CHILD_PATH: Check(
        lambda f: f.child_path,
        "For a child: ask for protection, a guardian, shelter or health care at once, with the summary alone; "
        "for any other service assess the child's best interests first.", Side.SENDER, applies=lambda f: f.may_be_child),
    Need.VITAL_INTEREST: Check(
        lambda f: f.vital_interest,
        "If life is at risk or serious harm is near: declare a vital interest, with its reason, and send "
        "the summary alone.", Side.SENDER),
    Need.QUESTION: Check(lambda f: bool(f.terms.topics), "Name the sections that you ask about."),
    Need.CONSENT_TO_ANSWER: Check(
        may_answer,
        "Limit the answer to what the person's consent covers for this recipient and service.",
        consent=build_required_consent),
    Need.ALTERNATIVE: Check(
        lambda f: f.terms.alternative is not None, "Name another focal point that could help."),
    Need.REVIEW_DATE: Check(
        lambda f: is_valid_review_date(f.terms.review_at, f.now, f.review_by), REVIEW_REMEDY),
    Need.RETURN_CLEARED: Check(
        lambda f: f.return_cleared,
        "Complete the checklist of the return first, up to the decision GO.", Side.SENDER),
    Need.RETURN_DONE: Check(
        lambda f: f.return_done,
        "First confirm the arrival in the checklist of the return, and plan the visits.", Side.RECIPIENT),
    Need.TIME_IS_UP: Check(
        lambda f: f.terms.time_is_up, "The referral expires automatically after its deadline.", Side.SYSTEM),
}
# fmt: on
RULES: Final = Rulebook(CHECKS)
