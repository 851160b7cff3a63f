"""The requirements for the steps of a return, with their checks and remedies."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.cases.facts import Guardian, ReflectionPeriod
from app.cases.sections import Section
from app.consents.coverage import Purpose
from app.deadlines.limits import VISITS_REMEDY, is_valid_visit_plan
from app.kernel.actors import Side
from app.kernel.requirements import Check, Remedy, RequiredConsent, Rulebook
from app.returns.lifecycle import Need
from app.returns.risk import (
    ARRIVES_WITHIN,
    Assessed,
    FamilyFinding,
    Interests,
    Nationality,
    is_current,
    is_safe,
)


@dataclass(frozen=True)
class Terms:
    """The values from the request that the requirements are checked against."""

    informed: bool = False
    family: FamilyFinding | None = None
    received: bool = False
    asked_to_leave: bool = False
    approved: bool = False
    reason: str | None = None
    protection: frozenset[str] = frozenset()
    unmarked: bool = False
    contacts: frozenset[str] = frozenset()
    arrives_at: datetime | None = None
    person_agrees: bool = False
    escort: bool = False
    reconfirmed: bool = False
    person_met: bool = False
    visits: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Facts:
    """The values against which the requirements are checked, without database objects."""

    now: datetime
    under_way: bool
    agreed: bool
    contact_permitted: bool
    identity_covered: bool
    family_covered: bool
    child: bool
    determined: bool
    interests: Interests | None
    child_received: bool
    guardian: Guardian
    nationality: Nationality | None
    destination: Assessed | None
    origin: Assessed | None
    reflection: ReflectionPeriod | None
    arrives_at: datetime | None
    escorted: bool
    visits_left: bool
    recipient_gone: bool
    terms: Terms = Terms()
    identity_purpose: Purpose = Purpose.RETURN
    """The purpose that a consent must have for the office that verifies the nationality."""


def is_provided_for(facts: Facts) -> bool:
    """Return whether the best interests and the reception permit a return (BR09, G11).

    A child needs a best interests determination in favour of the return, and a confirmed
    reception. An adult needs neither, so the result is True.
    """
    in_favour = facts.determined and facts.interests == Interests.IN_FAVOUR
    return not facts.child or (in_favour and facts.child_received)


def has_guardian(facts: Facts) -> bool:
    """Return whether the person has a guardian or does not need one (G11).

    A child needs one unless the competent body decided otherwise (BR14).
    """
    return not facts.child or facts.guardian != Guardian.NEEDED


def may_decide_now(facts: Facts) -> bool:
    """Return whether the reflection period permits the decision GO now (BR15, G12).

    While it is running, the person must have asked to leave.
    """
    return facts.reflection != ReflectionPeriod.RUNNING or facts.terms.asked_to_leave


def may_ask_family(facts: Facts) -> bool:
    """Return whether a consent covers contact with the family, or no contact was made."""
    return facts.terms.family == FamilyFinding.NOT_CONTACTED or facts.family_covered


def is_arrival_in_range(at: datetime | None, now: datetime) -> bool:
    """Return whether an arrival time is given and lies within the next 30 days."""
    return at is not None and now < at <= now + ARRIVES_WITHIN


def is_ready(facts: Facts) -> bool:
    """Return whether the return is under way and the State of origin may be informed."""
    return facts.under_way and facts.contact_permitted


def is_still_cleared(facts: Facts) -> bool:
    """Return whether a return still meets the requirements of GO that can become unmet."""
    assessments = (facts.destination, facts.origin)
    safe = all(is_current(side, facts.now) and is_safe(side) for side in assessments)
    child_protected = is_provided_for(facts) and has_guardian(facts)
    return is_ready(facts) and facts.agreed and safe and child_protected


AT_DESTINATION: Final = Remedy(
    "The risk where the person is has not been assessed: the lead has to assess it "
    "(`assess-destination`).",
    Side.LEAD,
)
AT_ORIGIN: Final = Remedy(
    "The risk where the person would go has not been assessed: the recipient of the return "
    "has to assess it (`assess-origin`).",
    Side.RECIPIENT,
)
AT_NEITHER: Final = Remedy(
    "The risk has not been assessed: the lead has to assess it where the person is "
    "(`assess-destination`), and the recipient of the return where the person would go "
    "(`assess-origin`).",
    Side.LEAD,
)
LATE_AT_ORIGIN: Final = Remedy(
    "The risk where the person would go was assessed more than 30 days ago: the recipient "
    "of the return has to assess it again (`assess-origin`).",
    Side.RECIPIENT,
)
LATE_AT_DESTINATION: Final = Remedy(
    "The risk where the person is was assessed more than 30 days ago: the lead has to "
    "assess it again (`assess-destination`).",
    Side.LEAD,
)
RECEPTION: Final = Remedy(
    "The recipient of the return has to confirm that a carer receives the child and that a "
    "guardian is there at arrival (`receive-child`).",
    Side.RECIPIENT,
)


def get_remedy_for_no_threat(facts: Facts) -> Remedy | None:
    """Return the remedy for missing assessments; None if all exist or one is unsafe."""
    assessments = [one for one in (facts.destination, facts.origin) if one is not None]
    return get_remedy_for_no_assessment(facts) if all(map(is_safe, assessments)) else None


def get_remedy_for_no_assessment(facts: Facts) -> Remedy | None:
    """Return the remedy for missing risk assessments, or None if none is missing."""
    if facts.destination is None:
        return AT_DESTINATION if facts.origin else AT_NEITHER
    return None if facts.origin else AT_ORIGIN


def get_remedy_for_risks(facts: Facts) -> Remedy | None:
    """Return the remedy for missing risk assessments, or for the one that is outdated.

    If both are outdated, return None: the general remedy of the check covers both offices.
    """
    missing = get_remedy_for_no_assessment(facts)
    if missing is not None:
        return missing
    outdated = [not is_current(one, facts.now) for one in (facts.destination, facts.origin)]
    if all(outdated):
        return None
    return LATE_AT_DESTINATION if outdated[0] else LATE_AT_ORIGIN


def get_remedy_for_reception(facts: Facts) -> Remedy | None:
    """Return the remedy if only the reception of the child is missing, otherwise None."""
    in_favour = facts.determined and facts.interests == Interests.IN_FAVOUR
    return RECEPTION if in_favour and not facts.child_received else None


# fmt: off
CHECKS: Final[dict[Need, Check[Facts]]] = {
    Need.UNDER_WAY: Check(
        lambda f: f.under_way,
        "The referral must be accepted or in progress, its recipient active, and the case neither suspended nor "
        "ended.", Side.LEAD),
    Need.LEAD_READY: Check(
        is_ready, "The lead has to complete its part of the return first.", Side.LEAD),
    Need.STILL_CLEARED: Check(
        is_still_cleared, "The decision GO is no longer valid: the lead has to review it.", Side.LEAD),
    Need.RETURN_CONSENT: Check(
        lambda f: f.agreed,
        "Record a consent of the person to this recipient, with RETURN as its only purpose.", Side.LEAD,
        consent=lambda _: RequiredConsent(purpose=Purpose.RETURN)),
    Need.INFORMATION: Check(
        lambda f: f.terms.informed,
        "Inform the person of any right to stay and of every option, then confirm it."),
    Need.CONTACT_PERMITTED: Check(
        lambda f: f.contact_permitted,
        "The State of origin may be informed only if the person permits it; see the safeguards.", Side.LEAD),
    Need.IDENTITY_CONSENT: Check(
        lambda f: f.identity_covered,
        "Record the person's consent to share the section `identity` with the office that verifies it.", Side.LEAD,
        consent=lambda f: RequiredConsent(purpose=f.identity_purpose, sections=[Section.IDENTITY])),
    Need.FAMILY_CONSENT: Check(
        may_ask_family,
        "Do not contact the family, or record the person's consent to family tracing by this recipient.",
        consent=lambda _: RequiredConsent(purpose=Purpose.FAMILY_TRACING)),
    Need.CHILD: Check(
        lambda f: f.child, "The summary says `adult`: best interests are determined only for a child.", Side.LEAD),
    Need.INTERESTS_DETERMINED: Check(
        lambda f: f.determined or not f.child,
        "Record first that the best interests of the child were determined: an assessment is not enough.", Side.LEAD),
    Need.CHILD_RECEPTION: Check(
        lambda f: f.terms.received, "Confirm that a carer receives the child, and that a guardian is there at arrival."),
    Need.NATIONALITY_CONFIRMED: Check(
        lambda f: f.nationality == Nationality.CONFIRMED,
        "The State of origin has to confirm the nationality.", Side.CONSULATE),
    Need.RISKS_CURRENT: Check(
        lambda f: is_current(f.destination, f.now) and is_current(f.origin, f.now),
        "Both sides have to assess the risk again: both assessments are older than 30 days.", Side.LEAD,
        specific=get_remedy_for_risks),
    Need.NO_THREAT: Check(
        lambda f: is_safe(f.destination) and is_safe(f.origin),
        "An assessment shows a threat or a high risk: decide NO-GO, and ask for protection instead.", Side.LEAD,
        specific=get_remedy_for_no_threat),
    Need.CHILD_PROVIDED_FOR: Check(
        is_provided_for,
        "A child needs a best interests determination in favour, a carer who receives the child, and a guardian at "
        "arrival.",
        Side.LEAD, specific=get_remedy_for_reception),
    Need.GUARDIAN: Check(
        has_guardian,
        "Record the fact `guardian`: a guardian was appointed for the child, or the competent body decided that none "
        "is needed.", Side.LEAD),
    Need.REFLECTION_OVER: Check(
        may_decide_now, "A reflection period is running: wait until it ends, unless the person asked to leave."),
    Need.SECOND_PERSON: Check(lambda f: f.terms.approved, "A supervisor has to approve this step."),
    Need.REASON: Check(lambda f: f.terms.reason is not None, "Give a reason code."),
    Need.PROTECTION: Check(
        lambda f: bool(f.terms.protection), "Name in `protection` the protection to ask for instead of the return."),
    Need.NO_MARKER: Check(
        lambda f: f.terms.unmarked, "Confirm that nothing in the document says what happened to the person."),
    Need.TWO_CONTACTS: Check(
        lambda f: len(f.terms.contacts) > 1, "Name two different people who can be reached."),
    Need.ARRIVAL: Check(
        lambda f: is_arrival_in_range(f.terms.arrives_at, f.now), "Plan an arrival in the future, within 30 days."),
    Need.ARRIVAL_AHEAD: Check(
        lambda f: is_arrival_in_range(f.arrives_at, f.now),
        "The planned arrival is in the past, or more than 30 days ahead: make a new plan.", Side.LEAD),
    Need.ESCORT: Check(
        lambda f: not f.child or f.terms.escort, "Name in `plan.escort` the person who travels with the child."),
    Need.ESCORTED: Check(
        lambda f: not f.child or f.escorted,
        "The travel plan names nobody who travels with the child: make a new plan.", Side.LEAD),
    Need.PERSON_AGREES: Check(
        lambda f: f.terms.person_agrees, "Plan with the person until they agree, then confirm it."),
    Need.RECONFIRMED: Check(
        lambda f: f.terms.reconfirmed, "Ask the person today whether they still want to go, then confirm it."),
    Need.PERSON_MET: Check(lambda f: f.terms.person_met, "Meet the person first, then confirm it."),
    Need.SCHEDULE: Check(
        lambda f: is_valid_visit_plan(f.terms.visits, f.now), VISITS_REMEDY),
    Need.VISITS_OVER: Check(
        lambda f: not f.visits_left, "The return is completed automatically after the last visit.", Side.SYSTEM),
    Need.RECIPIENT_GONE: Check(
        lambda f: f.recipient_gone,
        "The recipient of the return reports the visits. The lead reports them if the recipient is closed, or if it has "
        "had no account that may work on cases for a day.", Side.RECIPIENT),
}
# fmt: on
RULES: Final = Rulebook(CHECKS)
