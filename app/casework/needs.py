"""What each need of a case means: how to tell whether it is met, and who can meet it."""

from dataclasses import dataclass
from typing import Final

from app.cases.lifecycle import Need
from app.kernel.actors import Side
from app.kernel.needs import NOT_BUILT, Check, Rulebook


@dataclass(frozen=True)
class Terms:
    """What a request brings with it."""

    reason: str | None = None
    contacts: frozenset[str] = frozenset()
    person_informed: bool = False
    approved: bool = False


@dataclass(frozen=True)
class Facts:
    """All that a need is judged by: values, never rows."""

    notice_complete: bool
    may_be_referred: bool
    recipient_safe: bool
    risk_current: bool
    nothing_sent: bool
    nothing_open: bool
    terms: Terms = Terms()


# fmt: off
NEEDS: Final[dict[Need, Check[Facts]]] = {
    Need.NOTICE: Check(
        lambda f: f.notice_complete,
        "Complete the notice: country, age class, language, priority, urgent needs, safe contact.", Side.SUBMITTER),
    Need.CONSENT_TO_REFER: Check(
        lambda f: f.may_be_referred,
        "Record the person's consent to be referred: purpose REFER, for a kind of focal point in a country. "
        "For a child it is the guardian's, with the child's assent, or a best interests decision.", Side.SUBMITTER),
    Need.RECIPIENT_SAFE: Check(
        lambda f: f.recipient_safe,
        "Decline: this case must go to another focal point.", Side.CANDIDATE),
    Need.RISK_CURRENT: Check(
        lambda f: f.risk_current,
        "Assess the risk again: it holds for 7 days, and 72 hours when it is high.", Side.HOLDER),
    Need.NOTHING_SENT: Check(
        lambda f: f.nothing_sent,
        "A referral was sent: the holder has to end it first.", Side.HOLDER),
    Need.NOTHING_OPEN: Check(
        lambda f: f.nothing_open,
        "End every referral and handover first: completed, declined, revoked or cancelled.", Side.HOLDER),
    Need.REASON: Check(lambda f: f.terms.reason is not None, "Give a reason code."),
    Need.TWO_CONTACTS: Check(
        lambda f: len(f.terms.contacts) > 1, "Name two different people who can be reached."),
    Need.PERSON_INFORMED: Check(
        lambda f: f.terms.person_informed, "Tell the person first, then say so."),
    Need.SECOND_PERSON: Check(
        lambda f: f.terms.approved, "A second person has to approve this."),
    Need.CHILD_PATH: NOT_BUILT,
    Need.VITAL_INTEREST: NOT_BUILT,
    Need.NEXT_CANDIDATE: NOT_BUILT,
    Need.REVIEW_DATE: NOT_BUILT,
    Need.SCHEDULE: NOT_BUILT,
    Need.NO_LEGAL_HOLD: NOT_BUILT,
    Need.FOCAL_POINT_CHOSEN: NOT_BUILT,
    Need.REFERRAL_ACCEPTED: NOT_BUILT,
    Need.NO_REFERRAL_ACCEPTED: NOT_BUILT,
}
"""The system's own steps (begin_assistance, fall_back) are judged where it takes them."""
# fmt: on
RULES: Final = Rulebook(NEEDS)
