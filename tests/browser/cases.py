"""Cases that the tests make through the API, each in a state that a page has to show."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.browser.demonstration import Client, Demonstration

type Json = dict[str, Any]
type Records = dict[str, str]
"""The codes and ids of the records that the pages show, by a name for each record."""

OFFICER: Final = "demo officer"
LEAD: Final = "demo coordinator"
SUPERVISOR: Final = "demo supervisor"
SHELTER: Final = "demo day duty"
OVERSEER: Final = "demo protection officer"
ANALYST: Final = "demo analyst"
DESK: Final = "demo supervisor of Central Asia"
ADMINISTRATOR: Final = "demo administrator"
SHELTER_OFFICE: Final = "KZ_SHELTER_TANSHOLPAN"
ALIAS: Final = "Zarina (synthetic)"
"""A text of a sealed section. No list may contain it."""
NEEDED: Final = "A safe bed tonight (synthetic)"
CONTACTS: Final = [
    {"name": name, "phone": "+12025550142"} for name in ("Demo One", "Demo Two")
]


def build_case(**changes: Any) -> Json:
    """Return the request body of a case of an adult in Kazakhstan who consents to help."""
    now = datetime.now(UTC)
    consent = {
        "given_by": "person",
        "language": "uz",
        "form_version": "demo-1",
        "obtained_on": now.date().isoformat(),
        "expires_at": (now + timedelta(days=180)).isoformat(timespec="seconds"),
        "recipients": [
            build_recipient("state", "REFER"),
            build_recipient("non_state", "SHELTER", "LEGAL_AID"),
        ],
    }
    return {
        "submit": True,
        "summary": {
            "country": "KZ",
            "age_class": "adult",
            "language": "uz",
            "priority": "urgent",
            "services": ["SHELTER", "LEGAL_AID"],
            "urgent_needs": ["SHELTER"],
            "safe_contact": "yes",
        },
        "sections": [
            {"section": "needs", "summary": NEEDED},
            {"section": "contact", "alias": ALIAS, "safe_channel": "Messages only"},
            {"section": "identity", "names": ["Synthetic Person"], "nationality": "UZ"},
            {"section": "narrative", "text": "Synthetic: the employer keeps the papers."},
        ],
        "safeguards": {"country_of_origin": "UZ"},
        "consents": [consent],
        "risk": {"level": "medium"},
    } | changes


def build_recipient(kind: str, *purposes: str) -> Json:
    """Return a recipient of a consent: all offices of a kind in Kazakhstan."""
    return {
        "recipient_class": {"kind": kind, "country": "KZ"},
        "purposes": list(purposes),
        "sections": ["needs", "contact", "identity", "narrative"],
    }


@dataclass(frozen=True)
class Casework:
    """The API clients of the demo users who act in the tests."""

    officer: Client
    lead: Client
    shelter: Client
    analyst: Client
    desk: Client

    def submit(self, **changes: Any) -> str:
        """Submit a case, and return its code."""
        return str(self.officer.create("/cases", build_case(**changes))["code"])

    def submit_acknowledged(self) -> str:
        """Submit a case, acknowledge it as the lead, and return its code."""
        code = self.submit()
        self.lead.act(f"/cases/{code}", "acknowledge")
        return code

    def submit_moved(self) -> str:
        """Submit a case whose person then crosses a border, and return its code."""
        code = self.submit_acknowledged()
        self.lead.act(f"/cases/{code}", "relocate", {"country": "UZ"})
        return code

    def submit_led(self) -> str:
        """Submit a case, let the lead accept it, and return its code."""
        code = self.submit_acknowledged()
        self.lead.act(f"/cases/{code}", "accept-lead", {"contacts": CONTACTS})
        return code

    def refer(self, code: str) -> str:
        """Send a referral for a bed to the shelter, and return its id."""
        body = {
            "recipient": SHELTER_OFFICE,
            "service": "SHELTER",
            "sections": ["needs", "contact"],
            "send": True,
        }
        return str(self.lead.create(f"/cases/{code}/referrals", body)["id"])

    def ask_to_close(self, code: str) -> str:
        """Ask a second person to approve the closure of a case. Return the approval id."""
        body = {"reason": "GOALS_MET", "person_informed": True}
        return str(self.lead.act(f"/cases/{code}", "close", body)["id"])

    def write_point(self, text: str) -> None:
        """Write a follow-up point of a meeting."""
        body = {"meeting": "2026-07-05", "text": text}
        self.desk.create("/figures/meeting-points", body)

    def read_evidence(self, code: str) -> Any:
        """Return the delivery evidence of a case, as its submitter sees it."""
        return self.officer.get(f"/cases/{code}/evidence")


def build_casework(served: Demonstration) -> Casework:
    """Return the clients of the people who act in the tests."""
    return Casework(*map(served.get_client, (OFFICER, LEAD, SHELTER, ANALYST, DESK)))


def make_records(casework: Casework) -> Records:
    """Make a record in each state that a page shows, and return the codes and ids."""
    led = casework.submit_led()
    for text in ("A second shelter in Osh", "Interpreters for Tajik"):
        casework.write_point(text)
    return {
        "release": casework.analyst.get("/figures/releases")["items"][0]["id"],
        "new": casework.submit(),
        "acknowledged": casework.submit_acknowledged(),
        "led": led,
        "moved": casework.submit_moved(),
        "referral": casework.refer(led),
        "approval": casework.ask_to_close(casework.submit_led()),
    }
