"""A body that each operation would take, by its name in the contract."""

from typing import Final

from tests.world import Json, closing, consent, contacts, promise, taking

WHY: Final = {"reason": "NO_CAPACITY"}
BACK: Final = {"reason": "SENT_IN_ERROR"}
PAUSE: Final = {"reason": "SAFETY", "review_at": "2026-06-04T12:00:00Z"}
BODIES: Final[dict[str, Json]] = {
    "mend_notice": {"priority": "normal"},
    "withdraw_case": BACK,
    "decline_lead": WHY,
    "accept_lead": {"contacts": contacts()},
    "close_case": closing(),
    "assess_risk": {"level": "low"},
    "record_consent": consent(),
    "write_section": {"section": "needs", "summary": "A bed"},
    "write_safeguards": {},
    "open_referral": {"recipient": "KZ_LEGAL_AID", "service": "LEGAL_AID"},
    "accept_referral": promise(),
    "decline_referral": WHY,
    "revoke_referral": BACK,
    "start_referral": {"person_met": True},
    "complete_referral": {"outcome": "delivered", "feedback": "Well"},
    "offer_handover": {"to": "SANA_SEZIM", "reason": "OTHER"},
    "accept_handover": taking(),
    "decline_handover": WHY,
    "cancel_handover": {},
    "record_screening": {},
    "suspend_case": PAUSE,
    "monitor_case": {},
    "report_visit": {"person_met": True},
    "reopen_assistance": {"reason": "NEW_NEED"},
    "reopen_case": {"reason": "NEW_NEED"},
    "stop_case": {"reason": "SURVIVOR_REQUEST"},
    "assign_case": {"focal_point": "IOM", "reason": "NOBODY_LEFT"},
    "relocate_case": {"country": "UZ"},
    "take_over_case": {
        "focal_point": "IOM",
        "reason": "LEAD_SILENT",
        "person_informed": True,
    },
    "erase_case": {"reason": "RETENTION_OVER"},
    "hold_case_legally": {"value": "in_force"},
    "record_fact": {"name": "guardian", "value": "needed"},
    "declare_vital_interest": {"reason": "RISK_TO_LIFE", "note": "Two men wait outside"},
    "ask_submitter": {"topics": ["needs"], "question": "Which languages?"},
    "answer_holder": {"answer": "Uzbek and Russian"},
    "ask_about_referral": {"topics": ["needs"], "question": "Any allergies?"},
    "answer_referral": {"answer": "None"},
    "redirect_referral": {"reason": "NO_CAPACITY", "alternative": "KZ_LEGAL_AID"},
    "hold_referral": PAUSE,
    "withdraw_referral": BACK,
}
