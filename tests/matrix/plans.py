"""The worlds of the matrix: what is built, and which table it is held against."""

from typing import Final

from tests.matrix import records, stages
from tests.matrix.asking import Plan

CASES: Final = Plan(
    "answers_of_cases",
    stages.of_cases(stages.OF_CASES),
    stages.of_cases(["under_review", "assisting"]),
    frozenset({"draft", "under_review", "assisting", "closed"}),
)
REFERRALS: Final = Plan(
    "answers_of_referrals",
    records.of_referrals(),
    records.of_referrals(["r_sent", "r_accepted", "r_declined"]),
    frozenset({"r_sent", "r_accepted", "r_in_progress", "r_declined", "r_origin"}),
)
HANDOVERS: Final = Plan(
    "answers_of_handovers",
    records.of_handovers(),
    records.of_handovers(["h_offered"]),
    frozenset(records.HANDOVERS),
)
RETURNS: Final = Plan(
    "answers_of_returns",
    records.of_returns(),
    records.of_returns(["b_assessing"]),
    frozenset({"b_opened", "b_assessing", "b_planning"}),
)
REST: Final = Plan(
    "answers_of_the_rest",
    records.of_the_rest(),
    records.of_the_rest(),
    frozenset({"rest"}),
)
ALL: Final = (CASES, REFERRALS, HANDOVERS, RETURNS, REST)
