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
    "sections": [{"section": "needs", "summary": "A safe bed tonight"}],
    "safeguards": {"country_of_origin": "UZ"},
    "consents": [
        {
            "recipient_class": {"kind": "state", "country": "KZ"},
            "purposes": ["REFER"],
            "sections": ["needs"],
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
