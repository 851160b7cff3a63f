"""Request bodies for stages of the access matrix, instead of those in request_bodies."""

from typing import Final

from tests.support.world import Json, make_lead_consent

WORDS: Final[dict[str, Json]] = {
    "needs": {"summary": "A bed"},
    "contact": {"alias": "O.", "safe_channel": "Signal"},
    "identity": {"names": ["O."]},
    "indicators": {},
    **{one: {"text": "It was so."} for one in ("narrative", "perpetrators", "health")},
}
BODY_OF: Final[dict[str, Json]] = {
    **{f"write_section.{one}": {"section": one} | told for one, told in WORDS.items()},
    "find_cases": {"code": ""},
    "offer_handover": {"to": "UZ_LEAD", "reason": "OTHER"},
    "record_lead_consent": make_lead_consent(reason="LEAD_SILENT"),
    "take_over_case": {
        "focal_point": "KZ_LEAD",
        "reason": "LEAD_SILENT",
        "person_informed": True,
    },
    "preview_routing": {
        "country": "KZ",
        "language": "uz",
        "age_class": "adult",
        "priority": "urgent",
    },
    "write_capacity": {"free": 3},
    "replace_time_limit": {
        "of": "KZ",
        "deadline": "answer",
        "priority": "normal",
        "amount": 4,
        "unit": "hours",
        "source": None,
        "as_of": None,
    },
    "redirect_referral": {"reason": "NO_CAPACITY", "alternative": "KZ_SHELTER_TANSHOLPAN"},
}
