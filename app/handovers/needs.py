"""The requirements for the steps of a handover, with their checks and remedies."""

from dataclasses import dataclass
from typing import Final

from app.cases.lifecycle import LED
from app.cases.lifecycle import State as CaseState
from app.cases.sections import CONTACTS_REMEDY
from app.consents.coverage import Purpose
from app.handovers.lifecycle import Need
from app.kernel.actors import Side
from app.kernel.requirements import Check, RequiredConsent, Rulebook


@dataclass(frozen=True)
class Terms:
    """The values of a request against which the requirements are checked."""

    reason: str | None = None
    contacts: frozenset[str] = frozenset()
    capacity: bool = False


@dataclass(frozen=True)
class Facts:
    """The values against which the requirements are checked, without database objects."""

    case_state: CaseState
    covered: bool
    child_path: bool
    recipient_safe: bool
    agreed: bool
    origin_permitted: bool
    time_is_up: bool
    may_be_child: bool
    terms: Terms = Terms()
    successor: str | None = None
    default_contacts: bool = False


# fmt: off
CHECKS: Final[dict[Need, Check[Facts]]] = {
    Need.CASE_LED: Check(
        lambda f: f.case_state in LED,
        "The case must be open and have a lead.", Side.LEAD),
    Need.CONSENT: Check(
        lambda f: f.covered,
        "Record the person's consent to this new lead, with the purpose HANDOVER.", Side.LEAD,
        consent=lambda f: RequiredConsent(purpose=Purpose.HANDOVER, recipient=f.successor)),
    Need.RECIPIENT_SAFE: Check(
        lambda f: f.recipient_safe,
        "Choose another focal point for this person.", Side.LEAD),
    Need.AGREEMENT: Check(
        lambda f: f.agreed,
        "No agreement in force covers this border: this office cannot become the lead.", Side.LEAD),
    Need.ORIGIN_PERMITTED: Check(
        lambda f: f.origin_permitted,
        "This State may be informed only if the person permits it.", Side.LEAD),
    Need.REASON: Check(lambda f: f.terms.reason is not None, "Give a reason code."),
    Need.TWO_CONTACTS: Check(
        lambda f: len(f.terms.contacts) > 1, CONTACTS_REMEDY, preset=lambda f: f.default_contacts),
    Need.CAPACITY: Check(
        lambda f: f.terms.capacity, "Confirm that you have the capacity, or decline."),
    Need.TIME_IS_UP: Check(
        lambda f: f.time_is_up, "Wait for the answer until its deadline.", Side.SYSTEM),
    Need.CHILD_PATH: Check(
        lambda f: f.child_path,
        "For a child: assess the child's best interests first, and record the fact.", Side.LEAD,
        applies=lambda f: f.may_be_child),
}
# fmt: on
RULES: Final = Rulebook(CHECKS)
