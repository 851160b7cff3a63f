"""A made-up case that can be submitted, as an example for clients."""

from typing import Any, Final

EXAMPLE: Final[dict[str, Any]] = {
    "summary": {
        "country": "KZ",
        "age_class": "adult",
        "language": "uz",
        "priority": "urgent",
        "services": ["SHELTER"],
        "urgent_needs": [],
        "safe_contact": "yes",
    },
    "sections": [
        {"section": "needs", "summary": "A safe bed tonight"},
        {"section": "contact", "alias": "Lola", "safe_channel": "Messages only"},
    ],
    "safeguards": {"country_of_origin": "UZ"},
    "consents": [
        {
            "recipients": [
                {
                    "recipient_class": {"kind": "state", "country": "KZ"},
                    "purposes": ["REFER"],
                    "sections": ["needs"],
                },
                {
                    "recipient_class": {"kind": "non_state", "country": "KZ"},
                    "purposes": ["SHELTER"],
                    "sections": ["needs", "contact"],
                },
            ],
            "given_by": "person",
            "language": "uz",
            "form_version": "2026-1",
            "obtained_on": "2026-06-01",
            "expires_at": "2027-06-01T00:00:00Z",
        }
    ],
    "risk": {"level": "medium"},
    "submit": True,
}
