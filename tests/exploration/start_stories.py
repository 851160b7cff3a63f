"""Stories in which each move succeeds. The exploration starts from their states."""

from typing import Final

from tests.exploration.explore import Story
from tests.exploration.moves import WORLD, Move, make_write_move
from tests.exploration.stage import DESK, HOME, KZ, NGO, POST, SHELTER, UZ

LOW: Final = Move(POST, "risk.assess", choice="low")
TOLD: Final = Move(POST, "safeguards.write", choice="the State of origin may be told")
SUBMIT: Final = Move(POST, "case.submit")
LED: Final = (
    LOW,
    SUBMIT,
    Move(KZ, "case.acknowledge"),
    Move(KZ, "case.accept_lead"),
)
HELPED: Final = (
    *LED,
    Move(KZ, "referral.open", choice="shelter"),
    Move(SHELTER, "referral.accept"),
    Move(SHELTER, "referral.start"),
)
HOMEWARD: Final = (
    (KZ, "inform"),
    (KZ, "permit_contact"),
    (POST, "verify_nationality"),
    (KZ, "assess_destination"),
    (HOME, "assess_origin"),
    (KZ, "go"),
    (POST, "issue_document"),
    (KZ, "plan"),
    (HOME, "accept_plan"),
    (KZ, "depart"),
)
TRAVEL: Final = Move(WORLD, "waits", choice="4 days")
"""A wait that is longer than the planned journey, so that the arrival is not early."""
VITAL: Final = Move(POST, "vital.declare")
STATE_ALONE: Final = "refer to State offices"
ALL: Final = (
    "refer to State offices, refer to NGOs, services of NGOs, return, papers, "
    "lead by the NGO, lead by the lead at home"
)
WEEK: Final = "refer to State offices for a week, services of NGOs for a week"
GUARDIAN: Final = "guardian: refer to State offices, guardian: services of NGOs"
GUARDIAN_WEEK: Final = (
    "guardian: refer to State offices for a week, guardian: services of NGOs for a week"
)


def make_story(*moves: Move, given: str = ALL, age: str = "adult") -> Story:
    """Return a story whose first move creates the draft of a case."""
    return (make_write_move(f"{age}; {given}"), *moves)


RETURNING: Final = make_story(
    TOLD,
    *LED,
    Move(KZ, "referral.open", choice="return"),
    Move(HOME, "referral.accept"),
    Move(HOME, "return.open"),
    Move(KZ, "referral.open", choice="papers"),
    Move(POST, "referral.accept", 1),
    *(Move(office, f"return.{action}") for office, action in HOMEWARD),
    TRAVEL,
    Move(HOME, "return.arrive"),
    Move(HOME, "return.monitor"),
)
LEAD_ALONE: Final = (
    Move(WORLD, "shuts", choice=NGO),
    Move(WORLD, "disables", choice=f"{KZ}, second person"),
)
BEGINNINGS: Final[dict[str, Story]] = {
    "led on a consent to State offices": make_story(*LED, given=STATE_ALONE),
    "the only lead is closed": make_story(
        *LED, Move(WORLD, "shuts", choice=KZ), given=STATE_ALONE
    ),
    "led and helped": make_story(*HELPED),
    "helped on consents that end": make_story(*HELPED, given=WEEK),
    "at an NGO that is asked to lead": make_story(LOW, SUBMIT, given="refer to NGOs"),
    "at the desk": make_story(LOW, SUBMIT, given="refer to the lead at home"),
    "at the desk, and the submitter is closed": make_story(
        LOW,
        SUBMIT,
        Move(WORLD, "shuts", choice=POST),
        given="refer to the lead at home",
    ),
    "nobody works at the desk that has the case": make_story(
        LOW,
        SUBMIT,
        Move(WORLD, "shuts", choice=POST),
        Move(WORLD, "disables", choice=DESK),
        given="refer to the lead at home",
    ),
    "the desk beside an empty lead has no second person": make_story(
        *LED,
        Move(WORLD, "disables", choice=KZ),
        *[Move(WORLD, "waits", choice="32 days")] * 2,
        Move(WORLD, "disables", choice=f"{DESK}, second person"),
    ),
    "the lead has no second person, and no other office can lead": make_story(
        *LED, *LEAD_ALONE, given=STATE_ALONE
    ),
    "the lead is closed, and its desk has no second person": make_story(
        *LED,
        Move(WORLD, "shuts", choice=KZ),
        Move(WORLD, "waits", choice="4 hours"),
        Move(WORLD, "disables", choice=f"{DESK}, second person"),
        given=STATE_ALONE,
    ),
    "every office of the country that can lead is closed": make_story(
        *LED,
        Move(WORLD, "shuts", choice=KZ),
        Move(WORLD, "shuts", choice=NGO),
        given=STATE_ALONE,
    ),
    "led in the vital interest": make_story(VITAL, *LED, given=""),
    "presumed child in danger": make_story(VITAL, SUBMIT, given="", age="presumed_child"),
    "child with a guardian": make_story(*HELPED, given=GUARDIAN, age="child"),
    "child whose guardian's consent ends": make_story(
        *HELPED, given=GUARDIAN_WEEK, age="child"
    ),
    "return": RETURNING,
    "who visits the person at home is closed": (
        *RETURNING,
        Move(HOME, "referral.start"),
        Move(HOME, "referral.complete"),
        Move(WORLD, "shuts", choice=HOME),
    ),
    "relocated": make_story(
        TOLD,
        *LED,
        Move(KZ, "case.relocate", choice="UZ"),
        Move(KZ, "handover.offer", choice=UZ),
        Move(UZ, "handover.accept"),
    ),
    "escalated": make_story(
        *LED,
        Move(WORLD, "disables", choice=KZ),
        *[Move(WORLD, "waits", choice="32 days")] * 2,
    ),
}
