"""What is said in the story: synthetic, and marked so in every text."""

from datetime import datetime, timedelta
from typing import Any, Final

type Json = dict[str, Any]

REFERENCE: Final = "DEMO-ALMATY-1"
PEOPLE: Final = {
    "lead": ("Айгүл Демо", "Ильяс Демо"),
    "second shelter": ("Гүлнар Демо", "Şolpan Dēmo"),
    "legal aid office": ("Қайрат Демо", "Zhanna Démo"),
}
OFFICES: Final = {"kind": "non_state", "country": "KZ"}


def case_body(now: datetime) -> Json:
    """Write the case as the officer sends it."""
    return {
        "submit": True,
        "external_reference": REFERENCE,
        "notice": {
            "country": "KZ",
            "age_class": "adult",
            "language": "uz",
            "priority": "urgent",
            "services": ["SHELTER", "LEGAL_AID"],
            "urgent_needs": ["SHELTER"],
            "safe_contact": "yes",
        },
        "sections": sections(),
        "safeguards": {"country_of_origin": "UZ"},
        "consents": [
            consent(now, {"kind": "state", "country": "KZ"}, ["REFER"]),
            consent(now, OFFICES, ["SHELTER", "LEGAL_AID"]),
        ],
        "risk": {"level": "medium", "remarks": "Synthetic: the employer keeps her papers."},
    }


def sections() -> list[Json]:
    """Write what is sealed."""
    return [
        {
            "section": "needs",
            "summary": "A safe bed tonight, and advice about unpaid wages (synthetic).",
            "safety_notice": "Do not call the farm (synthetic).",
        },
        {
            "section": "contact",
            "alias": "Oygul (synthetic)",
            "safe_channel": "Messages only, after 20:00",
        },
        {
            "section": "identity",
            "names": [
                "Ойгул Намунавий Ғаниева",
                "Oygʻul Namunaviy Gʻaniyeva",
                "Oýgul Sânlı",
            ],
            "nationality": "UZ",
        },
        {"section": "narrative", "text": "Синтетик ҳикоя: ҳужжатлари олиб қўйилган."},
    ]


def consent(now: datetime, who: Json, purposes: list[str]) -> Json:
    """Write down what she agreed to."""
    return {
        "recipient_class": who,
        "purposes": purposes,
        "sections": ["needs", "contact"],
        "given_by": "person",
        "language": "uz",
        "form_version": "demo-1",
        "obtained_on": now.date().isoformat(),
        "expires_at": (now + timedelta(days=180)).isoformat(timespec="seconds"),
        "evidence": "Synthetic: explained in Uzbek, agreed aloud.",
    }


def contacts(whose: str) -> list[Json]:
    """Name two people who can be reached."""
    return [{"name": name, "phone": "+77010000000"} for name in PEOPLE[whose]]


def meeting(whose: str, at: str) -> Json:
    """Promise a first meeting."""
    person = PEOPLE[whose][0]
    return {
        "meeting": {"place": "Demo street 1, side door", "at": at, "person": person},
        "contacts": contacts(whose),
    }
