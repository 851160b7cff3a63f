"""What each need of a referral means: how to tell whether it is met, and who can meet it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.cases.lifecycle import OPEN as CASE_OPEN
from app.cases.lifecycle import State as CaseState
from app.cases.sections import SERVICES_FOR_SAFETY, Section
from app.deadlines.limits import LATEST_REVIEW, is_in_time
from app.directory.kinds import Service
from app.kernel.actors import Side
from app.kernel.needs import Check, Rulebook
from app.referrals.lifecycle import Need


@dataclass(frozen=True)
class Terms:
    """What a request brings with it."""

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
    """All that a need is judged by: values, never rows."""

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


def case_is_open(facts: Facts) -> bool:
    """Say whether the case can be worked on; while suspended, only to keep someone safe."""
    if facts.case_state == CaseState.SUSPENDED:
        return facts.service in SERVICES_FOR_SAFETY
    return facts.case_state in CASE_OPEN


def meets_in_future(facts: Facts) -> bool:
    """Say whether a meeting is set, and still ahead."""
    at = facts.terms.meeting_at
    return at is not None and at > facts.now


def may_hear_of_it(facts: Facts) -> bool:
    """Say whether police and prosecution may hear of the person yet (N22, BR15)."""
    return facts.service != Service.LAW_ENFORCEMENT or facts.reflection_told


def may_be_answered(facts: Facts) -> bool:
    """Say whether no more is answered than the person agreed to.

    That there is no more to say may always be answered, or a child's protection would wait
    for a guardian; to say it in words a consent is needed, or the path of a child.
    """
    if facts.terms.answered is None or facts.answer_covered:
        return facts.terms.answered is not None
    return not facts.terms.answered and (facts.child_path or not facts.terms.says_more)


# fmt: off
NEEDS: Final[dict[Need, Check[Facts]]] = {
    Need.CASE_OPEN: Check(
        case_is_open,
        "The case must be with a focal point, and not closed.", Side.SENDER),
    Need.CONSENT: Check(
        lambda f: f.covered,
        "Record the person's consent to this recipient, for this service and these sections.", Side.SENDER),
    Need.RISK_CURRENT: Check(
        lambda f: f.risk_current,
        "Assess the risk again: it holds for 7 days, and 72 hours when it is high.", Side.SENDER),
    Need.RECIPIENT_SAFE: Check(
        lambda f: f.recipient_safe,
        "Choose another focal point for this person.", Side.SENDER),
    Need.AGREEMENT: Check(
        lambda f: f.agreed,
        "No agreement in force covers this border: send the notice alone, without sections.", Side.SENDER),
    Need.ORIGIN_PERMITTED: Check(
        lambda f: f.origin_permitted,
        "The person decides first whether this State may be told.", Side.SENDER),
    Need.TWO_CONTACTS: Check(
        lambda f: len(f.terms.contacts) > 1, "Name two different people who can be reached."),
    Need.MEETING: Check(meets_in_future, "Set a first meeting that is still ahead."),
    Need.REASON: Check(lambda f: f.terms.reason is not None, "Give a reason code."),
    Need.PERSON_MET: Check(lambda f: f.terms.person_met, "Confirm that the person was met."),
    Need.OUTCOME: Check(lambda f: f.terms.outcome is not None, "Say what came of it."),
    Need.FEEDBACK: Check(lambda f: f.terms.feedback, "Tell the sender how it went."),
    Need.REFLECTION_TOLD: Check(
        may_hear_of_it,
        "Tell the person of the reflection period first, and record how it stands where they are.", Side.SENDER),
    Need.NOT_ALREADY_ASKED: Check(
        lambda f: not f.already_asked,
        "This focal point has an open referral of this case for this service: follow that one, or take it back first. "
        "A second one is sent only with a section that the first one does not have.", Side.SENDER),
    Need.CHILD_PATH: Check(
        lambda f: f.child_path,
        "For a child: ask for protection, a guardian, shelter or health care with the notice alone, at once; "
        "for anything else assess its best interests first.", Side.SENDER, applies=lambda f: f.may_be_child),
    Need.VITAL_INTEREST: Check(
        lambda f: f.vital_interest,
        "Only if life is at risk or serious harm is near: declare a vital interest, with its reason, and send "
        "the notice alone.", Side.SENDER),
    Need.QUESTION: Check(lambda f: bool(f.terms.topics), "Name what you ask for."),
    Need.CONSENT_TO_ANSWER: Check(
        may_be_answered,
        "Answer with no more than the person's consent covers, for this recipient and service."),
    Need.ALTERNATIVE: Check(
        lambda f: f.terms.alternative is not None, "Name another focal point that could help."),
    Need.REVIEW_DATE: Check(
        lambda f: is_in_time(f.terms.review_at, f.now, f.review_by), LATEST_REVIEW),
    Need.RETURN_CLEARED: Check(
        lambda f: f.return_cleared,
        "Go through the checklist of the return first, to the decision that the person can go.", Side.SENDER),
    Need.RETURN_DONE: Check(
        lambda f: f.return_done,
        "Confirm the arrival in the checklist of the return first, and plan the visits.", Side.RECIPIENT),
    Need.TIME_IS_UP: Check(
        lambda f: f.terms.time_is_up, "It ends by itself when its time is up.", Side.SYSTEM),
}
# fmt: on
RULES: Final = Rulebook(NEEDS)
