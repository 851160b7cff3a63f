"""The worlds of the access matrix, each with its stages and its table."""

from typing import Final

from tests.support.effort import is_night
from tests.sweeps.matrix import records, stages
from tests.sweeps.matrix.asking import Plan

FEWER: Final = (
    "b_opened",
    "b_assessing",
    "b_cleared",
    "b_planning",
    "b_planned",
    "b_in_transit",
    "b_called_off",
)
"""The stages of a return that are tested; `make soak` tests every stage."""

CASES: Final = Plan(
    "answers_of_cases",
    stages.of_cases(stages.OF_CASES),
    stages.of_cases(["assisting"]),
    frozenset({"under_review", "assisting"}),
)
REFERRALS: Final = Plan(
    "answers_of_referrals",
    records.of_referrals(),
    records.of_referrals(["r_accepted", "r_declined"]),
    frozenset({"r_accepted", "r_declined"}),
)
HANDOVERS: Final = Plan(
    "answers_of_handovers",
    records.of_handovers(),
    records.of_handovers(["h_offered"]),
    frozenset(records.HANDOVERS),
)
RETURNS: Final = Plan(
    "answers_of_returns",
    records.of_returns(records.UP_TO if is_night() else FEWER),
    records.of_returns(["b_assessing"]),
    frozenset({"b_assessing", "b_planning"}),
)
REST: Final = Plan(
    "answers_of_the_rest",
    records.of_the_rest(),
    records.of_the_rest(),
    frozenset({"rest"}),
)
ALL: Final = (CASES, REFERRALS, HANDOVERS, RETURNS, REST)
