"""The side that can meet each requirement agrees with an independent copy.

Clients rely on this side. In the tables, `the request` means that only the request itself
can meet a requirement.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from app.casework import needs as casework_needs
from app.handovers import needs as handover_needs
from app.kernel.requirements import Check
from app.referrals import needs as referral_needs
from app.returns import needs as return_needs

CASES = """
submitter   | summary consent_to_refer child_path vital_interest submitter_gone
candidate   | recipient_safe
holder      | risk_current nothing_sent nothing_open return_over
oversight   | no_legal_hold no_request_open access_reviewed
lead        | no_offer_open
desk        | nobody_named
system      | next_candidate referral_accepted no_referral_accepted time_is_up \
erased_before lead_failing
the request | reason two_contacts person_informed second_person review_date schedule \
focal_point_chosen
"""
REFERRALS = """
sender      | case_open consent child_path vital_interest risk_current recipient_safe \
agreement origin_permitted reflection_told not_already_asked return_cleared
recipient   | return_done
system      | time_is_up
the request | two_contacts meeting reason person_met outcome feedback question \
consent_to_answer alternative review_date
"""
HANDOVERS = """
lead        | case_led consent child_path recipient_safe agreement origin_permitted
system      | time_is_up
the request | reason two_contacts capacity
"""
RETURNS = """
lead        | under_way lead_ready still_cleared return_consent contact_permitted \
identity_consent child interests_determined risks_current no_threat child_provided_for \
arrival_ahead guardian escorted
consulate   | nationality_confirmed
recipient   | recipient_gone
system      | visits_over
the request | information family_consent child_reception reflection_over second_person \
reason protection no_marker two_contacts arrival escort person_agrees reconfirmed \
person_met schedule
"""


@pytest.mark.parametrize(
    ("told", "checks"),
    [
        (CASES, casework_needs.NEEDS),
        (REFERRALS, referral_needs.CHECKS),
        (HANDOVERS, handover_needs.CHECKS),
        (RETURNS, return_needs.CHECKS),
    ],
    ids=["case", "referral", "handover", "return"],
)
def test_whoever_is_refused_hears_who_can_change_that(
    told: str, checks: Mapping[str, Check[Any]]
) -> None:
    lines = [line.split("|") for line in told.strip().splitlines()]
    copied = {need: side.strip() for side, needs in lines for need in needs.split()}

    assert {need: check.by or "the request" for need, check in checks.items()} == copied


@pytest.mark.parametrize(
    "terms",
    [casework_needs, referral_needs, handover_needs, return_needs],
    ids=lambda m: m.__name__,
)
def test_a_request_that_says_nothing_brings_nothing(terms: Any) -> None:
    assert not any(vars(terms.Terms()).values())
