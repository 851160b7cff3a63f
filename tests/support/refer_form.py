"""The values that an officer enters in the five steps of "Refer someone", and a browser."""

import re
from collections.abc import Mapping
from typing import Any, Final, override

import httpx2

from app.console.form_drafts import KEY
from tests.support.console_browser import ConsoleBrowser

type Form = Mapping[str, str | list[str]]

SAFE: Final[Form] = {
    "alone": "yes",
    "summary/safe_contact": "yes",
    "summary/country": "KZ",
    "summary/age_class": "adult",
    "summary/language": "uz",
}
SIGNS: Final[Form] = {
    "screening/indicators": ["DECEPTIVE_RECRUITMENT_01", "COERCIVE_RECRUITMENT_05"],
    "screening/acts": ["RECRUITMENT"],
    "screening/means": ["DECEPTION"],
    "screening/purposes": ["FORCED_LABOUR"],
}
NEEDS: Final[Form] = {
    "summary/services": ["SHELTER"],
    "summary/urgent_needs": ["MEDICAL"],
    "summary/priority": "urgent",
    "risk/level": "medium",
    "needs/gender": "Feminine",
    "needs/summary": "A safe bed tonight",
    "needs/safety_alert": "Two men wait outside.",
}
TERMS: Final[Form] = {
    "consent/language": "uz",
    "consent/obtained_on": "2026-06-01",
    "consent/expires_at": "2026-11-28",
    "consent/form_version": "console-1",
}
WHO: Final[Form] = {
    **TERMS,
    "basis": "person",
    "allow": [
        *("state@KZ:refer", "state@KZ:needs"),
        *("non_state@KZ:refer", "non_state@KZ:contact"),
    ],
    "safeguards/country_of_origin": "UZ",
    "contact/alias": "Lola",
    "contact/safe_channel": "Messages only, after 20:00",
}
VITAL: Final[Form] = {
    "basis": "vital_interest",
    "vital_interest/reason": "RISK_TO_LIFE",
    "vital_interest/note": "The employer has a key to the room.",
}
HIDDEN: Final = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
CHECKED: Final[Form] = {"external_reference": "ALM-2026-0117"}
STEPS: Final = (SAFE, SIGNS, NEEDS, WHO, CHECKED)


class ReferBrowser(ConsoleBrowser):
    """A browser of an officer who fills in the steps of "Refer someone"."""

    def fill(self, number: int, form: Form, **changes: Any) -> httpx2.Response:
        """Send one step; `changes` replace fields, with `__` for `/` in their names."""
        named = {name.replace("__", "/"): value for name, value in changes.items()}
        return self.post(f"refer/{number}", {**form, **named})

    @override
    def post(self, path: str, form: Form) -> httpx2.Response:
        """Send a form with the hidden fields of its page, unless the form has them."""
        page = self.get(path.removesuffix("/save")) if KEY not in form else None
        hidden = HIDDEN.findall(page.text) if page else ()
        return super().post(path, {**dict(hidden), **form})

    def fill_all(self, *steps: Form) -> httpx2.Response:
        """Send the steps in order, and return the last response."""
        for number, form in enumerate(steps, 1):
            answer = self.fill(number, form)
            if number < len(steps):
                assert answer.status_code == 303, answer.text
        return answer

    def send(self, *steps: Form) -> str:
        """Send all steps, and return the code of the case."""
        answer = self.fill_all(*steps)
        place = answer.headers.get("Location", answer.text)
        start = "/console/refer/sent/"
        assert place.startswith(start), place
        return place.removeprefix(start)
