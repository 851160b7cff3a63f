"""The requirements of a case, with their checks and remedies."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.cases.lifecycle import Need
from app.cases.reasons import CLOSED_UNINFORMED
from app.cases.sections import CONTACTS_REMEDY
from app.consents.coverage import Purpose
from app.deadlines import limits
from app.kernel.actors import Side
from app.kernel.requirements import Check, Remedy, RequiredConsent, Rulebook


@dataclass(frozen=True)
class Terms:
    """The values that a request or the worker adds to the facts of a case."""

    reason: str | None = None
    contacts: frozenset[str] = frozenset()
    person_informed: bool = False
    approved: bool = False
    review_at: datetime | None = None
    visits: tuple[datetime, ...] = ()
    chosen_fits: bool = False
    time_is_up: bool = False
    erased_before: bool = False


@dataclass(frozen=True)
class Facts:
    """The values that are used to check the requirements of a case."""

    now: datetime
    review_by: datetime | None
    notice_complete: bool
    may_be_referred: bool
    child_path: bool
    vital_interest: bool
    recipient_safe: bool
    risk_current: bool
    nothing_sent: bool
    nothing_open: bool
    return_over: bool
    helped: bool
    with_candidate: bool
    lead_failing: bool
    next_lead_named: bool
    submitter_gone: bool
    legal_hold: bool
    may_be_child: bool
    terms: Terms = Terms()
    default_contacts: bool = False
    offer_open: bool = False
    request_open: bool = False
    access_unreviewed: bool = False


TO_REFER: Final = (
    "Record the person's consent to be referred to a kind of office in a country (purpose "
    "REFER)."
)
TO_REFER_A_CHILD: Final = " For a child, record the guardian's consent with the child's assent, or a best interests decision."
CHILD_PATH: Final = "For a child, record a guardian's consent with the child's assent, or assess the child's best interests."


def get_remedy_to_refer(facts: Facts) -> Remedy:
    """Return the remedy for a missing consent to refer, with the side that records it."""
    text = TO_REFER + TO_REFER_A_CHILD if facts.may_be_child else TO_REFER
    return Remedy(text, get_recording_side(facts))


def get_recording_side(facts: Facts) -> Side:
    """Return the side that records consents: the submitter, or the lead if there is one."""
    return Side.SUBMITTER if facts.with_candidate else Side.LEAD


# fmt: off
NEEDS: Final[dict[Need, Check[Facts]]] = {
    Need.SUMMARY: Check(
        lambda f: f.notice_complete,
        "Complete the summary: country, age class, language, priority, safe contact.", Side.SUBMITTER),
    Need.CONSENT_TO_REFER: Check(
        lambda f: f.may_be_referred, TO_REFER, Side.SUBMITTER, specific=get_remedy_to_refer,
        consent=lambda _: RequiredConsent(purpose=Purpose.REFER)),
    Need.RECIPIENT_SAFE: Check(
        lambda f: f.recipient_safe,
        "Decline the case, so that another focal point gets it.", Side.CANDIDATE),
    Need.RISK_CURRENT: Check(
        lambda f: f.risk_current,
        "Assess the risk again: an assessment is valid for 7 days, or for 72 hours if the risk is high.", Side.HOLDER),
    Need.NOTHING_SENT: Check(
        lambda f: f.nothing_sent,
        "A referral was sent, or the person moved. Ask the holder to stop the case.", Side.HOLDER),
    Need.NOTHING_OPEN: Check(
        lambda f: f.nothing_open,
        "First end every referral and handover: complete, decline, revoke or cancel it.", Side.HOLDER),
    Need.RETURN_OVER: Check(
        lambda f: f.return_over,
        "A return is open. Wait until the last visit after the return has been reported (G16).", Side.HOLDER),
    Need.REASON: Check(lambda f: f.terms.reason is not None, "Give a reason code."),
    Need.TWO_CONTACTS: Check(
        lambda f: len(f.terms.contacts) > 1, CONTACTS_REMEDY, preset=lambda f: f.default_contacts),
    Need.PERSON_INFORMED: Check(
        lambda f: f.terms.person_informed or f.terms.reason in CLOSED_UNINFORMED,
        "Tell the person, then send `person_informed: true`. This is not required if contact is lost, the person has "
        "died or the case is a duplicate."),
    Need.SECOND_PERSON: Check(
        lambda f: f.terms.approved, "A second person has to approve this."),
    Need.CHILD_PATH: Check(
        lambda f: f.child_path,
        CHILD_PATH, Side.SUBMITTER,
        specific=lambda f: Remedy(CHILD_PATH, get_recording_side(f)), applies=lambda f: f.may_be_child),
    Need.VITAL_INTEREST: Check(
        lambda f: f.vital_interest,
        "Only if life is at risk or serious harm is near: declare a vital interest with its reason. For 4 hours it lets "
        "the summary and the safety alert be sent, and nothing else.", Side.SUBMITTER),
    Need.NEXT_CANDIDATE: Check(
        lambda f: f.with_candidate, "The case has a lead. Only a case without one goes to another candidate.", Side.SYSTEM),
    Need.REVIEW_DATE: Check(
        lambda f: limits.is_valid_review_date(f.terms.review_at, f.now, f.review_by), limits.REVIEW_REMEDY),
    Need.SCHEDULE: Check(
        lambda f: limits.is_valid_visit_plan(f.terms.visits, f.now), limits.VISITS_REMEDY),
    Need.NO_LEGAL_HOLD: Check(
        lambda f: not f.legal_hold, "Lift the legal hold first, if the law allows.", Side.OVERSIGHT),
    Need.FOCAL_POINT_CHOSEN: Check(
        lambda f: f.terms.chosen_fits,
        "Choose another focal point: active, able to lead, agreed to by the person, and one that may be asked."),
    Need.LEAD_FAILING: Check(
        lambda f: f.lead_failing,
        "The lead is active and has not missed three deadlines. Remind it, or wait.", Side.SYSTEM),
    Need.NOBODY_NAMED: Check(
        lambda f: not f.next_lead_named,
        "Give the lead to the office in `next_lead` of the case, with `take_over`.", Side.DESK),
    Need.SUBMITTER_GONE: Check(
        lambda f: f.submitter_gone,
        "Ask the submitter to record the consent. A desk can record it only if the submitter is closed, or has "
        "had no account that may work on cases for a day.", Side.SUBMITTER),
    Need.REFERRAL_ACCEPTED: Check(
        lambda f: f.helped, "The system does this when a referral is accepted.", Side.SYSTEM),
    Need.NO_REFERRAL_ACCEPTED: Check(
        lambda f: not f.helped, "The system does this when no accepted referral is left.", Side.SYSTEM),
    Need.TIME_IS_UP: Check(
        lambda f: f.terms.time_is_up, "The system does this when the deadline has passed.", Side.SYSTEM),
    Need.ERASED_BEFORE: Check(
        lambda f: f.terms.erased_before,
        "The system does this when a restored backup is older than the erasure (R34).", Side.SYSTEM),
    Need.NO_OFFER_OPEN: Check(
        lambda f: not f.offer_open, "Wait for the answer to the open handover, or cancel it first.", Side.LEAD),
    Need.NO_REQUEST_OPEN: Check(
        lambda f: not f.request_open,
        "Your request for emergency access is undecided. Call oversight or the holder.", Side.OVERSIGHT),
    Need.ACCESS_REVIEWED: Check(
        lambda f: not f.access_unreviewed,
        "The review of your earlier emergency access is late. Ask oversight, or another person at your office.",
        Side.OVERSIGHT),
}
# fmt: on
RULES: Final = Rulebook(NEEDS)
