"""The operations of the actions on a case, and the available steps of a record."""

from collections.abc import Mapping
from typing import Any, Final

FURTHER: Final[Mapping[str, str]] = {
    "update_summary": "update_case",
    "write_section": "write_section",
    "write_safeguards": "write_safeguards",
    "write_contacts": "write_contacts",
    "record_screening": "record_screening",
    "record_consent": "record_consent",
    "withdraw_consents": "withdraw_consents",
    "record_fact": "record_fact",
    "declare_vital_interest": "declare_vital_interest",
    "assess_risk": "assess_risk",
    "ask_submitter": "ask_submitter",
    "answer_question": "answer_question",
    "relocate": "relocate_case",
    "report_visit": "report_visit",
    "refer": "create_referral",
    "offer_handover": "offer_handover",
    "request_emergency_access": "request_emergency_access",
    "set_legal_hold": "place_legal_hold",
}
"""The operation of each action on a case, except the steps of its life cycle."""
UNLISTED: Final[Mapping[str, str]] = {
    "withdraw_consent": "each consent that `list_consents` shows can be withdrawn by an "
    "account that may take `withdraw_consents`",
    "grant_emergency_access": "`state` of the emergency access says whether it "
    "is undecided",
    "refuse_emergency_access": "`state` of the emergency access says whether it "
    "is undecided",
    "stop_emergency_access": "`state` of the emergency access says whether it is in force",
    "inform_of_emergency_access": "`inform_person_by` of the emergency access says "
    "whether it is due",
    "review_emergency_access": "`reviewed_at` of the emergency access says "
    "whether it is due",
    "create_return": "the return belongs to an accepted referral for the service RETURN, "
    "and `get_return_of_referral` says whether it exists",
}
"""The writes on records of cases that no `available_actions` lists, each with a reason."""


def list_steps(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the life-cycle steps in `available_actions` for which no role is missing."""
    own = [one for one in record["available_actions"] if not one["role_missing"]]
    return [one for one in own if one["action"] not in FURTHER]
