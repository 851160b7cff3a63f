"""The event of each action has the name on which clients rely.

The names are a second copy, so that renaming an event takes two deliberate edits.
"""

from collections.abc import Mapping

import pytest

from app.cases import lifecycle as case_lifecycle
from app.handovers import lifecycle as handover_lifecycle
from app.referrals import lifecycle as referral_lifecycle
from app.returns import lifecycle as return_lifecycle

CASES = """
submit            case.submitted
discard           case.discarded
withdraw          case.withdrawn
acknowledge       case.acknowledged
decline_lead      case.lead_declined
reroute           case.rerouted
assign            case.assigned
record_lead_consent case.lead_consent_recorded
take_over         case.taken_over
accept_lead       case.lead_accepted
begin_assistance  case.assistance_begun
fall_back         case.referring_again
suspend           case.suspended
resume            case.resumed
monitor           case.monitoring_begun
reopen_assistance case.assistance_reopened
close             case.closed
stop              case.stopped
reopen            case.reopened
erase             case.erased
erase_again       case.erased_again
"""
REFERRALS = """
send             referral.sent
acknowledge      referral.acknowledged
ask              referral.asked
answer           referral.answered
accept           referral.accepted
decline          referral.declined
redirect         referral.redirected
start            referral.started
hold             referral.held
resume           referral.resumed
report           referral.reported
complete         referral.completed
withdraw         referral.withdrawn
revoke           referral.revoked
confirm_deletion referral.deletion_confirmed
expire           referral.expired
"""
HANDOVERS = """
offer   handover.offered
accept  handover.accepted
decline handover.declined
cancel  handover.cancelled
expire  handover.expired
"""
RETURNS = """
inform              return.informed
permit_contact      return.contact_permitted
verify_nationality  return.nationality_verified
assess_destination  return.destination_assessed
assess_origin       return.origin_assessed
determine_interests return.interests_determined
receive_child       return.child_received
go                  return.cleared
reopen              return.reopened
no_go               return.refused
issue_document      return.document_issued
plan                return.planned
accept_plan         return.plan_accepted
depart              return.departed
arrive              return.arrived
monitor             return.monitoring_begun
report              return.reported
finish              return.completed
call_off            return.called_off
end                 return.ended
locate         return.person_located
"""


@pytest.mark.parametrize(
    ("told", "events"),
    [
        (CASES, case_lifecycle.EVENTS),
        (REFERRALS, referral_lifecycle.EVENTS),
        (HANDOVERS, handover_lifecycle.EVENTS),
        (RETURNS, return_lifecycle.EVENTS),
    ],
    ids=["case", "referral", "handover", "return"],
)
def test_every_act_is_told_under_the_name_that_others_know(
    told: str, events: Mapping[str, str]
) -> None:
    known = dict(line.split() for line in told.strip().splitlines())

    assert dict(events) == known
