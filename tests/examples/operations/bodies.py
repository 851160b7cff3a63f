"""Request bodies of the journeys: made-up people, and numbers reserved for fiction."""

import re
from typing import Any, Final

from tests.support.world import Json

PHONES: Final = ("+447700900142", "+447700900177", "+12025550142", "+33639980142")
"""Telephone numbers that regulators reserve for fiction."""
RESERVED_PHONE: Final = re.compile(r"\+(447700900\d{3}|1[2-9]\d\d55501\d\d|3363998\d{4})")
"""Ranges reserved for fiction by Ofcom, the North American Numbering Plan and Arcep."""
NAMES: Final = ("Айгүл Сәрсенова", "Ильяс Төлегенов")
SUMMARY: Final[Json] = {
    "country": "KZ",
    "age_class": "adult",
    "language": "uz",
    "priority": "urgent",
    "services": ["SHELTER", "LEGAL_AID"],
    "urgent_needs": [],
    "safe_contact": "yes",
}
NEEDS: Final[Json] = {
    "section": "needs",
    "gender": "Feminine",
    "summary": "A safe bed tonight, and advice about her passport, which a man keeps.",
    "access_needs": "She is hard of hearing on the left side.",
    "safety_alert": "Two men in a grey van look for her near the bus station.",
}
CONTACT: Final[Json] = {
    "section": "contact",
    "alias": "Lola",
    "safe_channel": "Messages only, to the phone of her friend Зухра; never call.",
    "safe_times": "Weekdays from 10:00 to 12:00, when she is alone.",
}
IDENTITY: Final[Json] = {
    "section": "identity",
    "names": ["Ойгул Ғаниева", "Oygul Gʻaniyeva"],
    "birth_date": "1999-03-21",
    "nationality": "UZ",
    "documents": ["Passport, kept by the owner of the farm"],
}
NARRATIVE: Final[Json] = {
    "section": "narrative",
    "text": "Ей обещали работу в кафе, но отвезли на ферму и забрали паспорт.",
}
HEALTH: Final[Json] = {"section": "health", "text": "Her back hurts; no medicine yet."}
ALL_SECTIONS: Final = ["needs", "contact", "identity", "narrative", "health"]


def make_recipient(*purposes: str, **changes: Any) -> Json:
    """Return a recipient of a consent, by default State offices in Kazakhstan."""
    named: Json = {
        "purposes": list(purposes or ("REFER",)),
        "sections": ["needs", "contact"],
    }
    if "focal_point" not in changes:
        named["recipient_class"] = {"kind": "state", "country": "KZ"}
    return named | changes


def make_service_recipient(**changes: Any) -> Json:
    """Return NGOs in Kazakhstan as a recipient of a consent to shelter and legal aid."""
    given = {
        "recipient_class": {"kind": "non_state", "country": "KZ"},
        "sections": ALL_SECTIONS,
    }
    return make_recipient("SHELTER", "LEGAL_AID", **given | changes)


def make_consent(*recipients: Json, **changes: Any) -> Json:
    """Return a consent form of an adult, by default to State offices in Kazakhstan."""
    return {
        "recipients": list(recipients) or [make_recipient()],
        "given_by": "person",
        "language": "uz",
        "interpreter": True,
        "form_version": "2026-1",
        "obtained_on": "2026-06-01",
        "expires_at": "2027-06-01T00:00:00Z",
        "evidence": "Explained in Uzbek by an interpreter; she agreed aloud.",
    } | changes


def make_case(**changes: Any) -> Json:
    """Return the body of a new case of a woman in Almaty."""
    return {
        "summary": SUMMARY,
        "sections": [NEEDS, CONTACT, IDENTITY, NARRATIVE, HEALTH],
        "safeguards": {"country_of_origin": "UZ"},
        "consents": [make_consent(make_recipient(), make_service_recipient())],
        "risk": {"level": "medium", "remarks": "The men know where her friend lives."},
    } | changes


def make_contacts(*names: str, first: int = 0) -> list[Json]:
    """Return people on duty, with the numbers in `PHONES` from the index `first` on."""
    pairs = zip(names or NAMES, PHONES[first:], strict=False)
    return [{"name": name, "phone": phone} for name, phone in pairs]


def make_arrangement(**changes: Any) -> Json:
    """Return the arrangement of a first meeting."""
    meeting: Json = {
        "place": "Side door of the pharmacy opposite the station",
        "at": "2026-06-02T09:00:00+05:00",
        "person": "Гүлнар, with a blue scarf",
    }
    return {"meeting": meeting, "contacts": make_contacts()} | changes


def make_travel_plan() -> Json:
    """Return a travel plan to which the person has agreed."""
    plan: Json = {
        "escort": "Мөлдір Оспанова",
        "route": "Almaty to Tashkent by the day train, third carriage",
        "arrives_at": "2026-06-03T18:00:00+05:00",
        "met_by": "Dilnoza Karimova, at the exit to the metro",
        "safe_contact": "She texts the word 'tea' to the duty phone.",
        "contacts": make_contacts("Dilnoza Karimova", "Rustam Aliyev"),
    }
    return {"plan": plan, "person_agrees": True}
