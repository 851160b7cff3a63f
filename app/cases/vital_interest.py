"""Vital interest: the only exceptions from consent in an emergency (BR05, G20).

To send: one person with a reason lets the summary and the safety alert go at once, and
nothing else. To read: two people of two organisations let one account open the sections
that it named. Each is valid for four hours, and the lead and oversight receive an event in
the same transaction.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final


class VitalReason(StrEnum):
    """Why a case cannot wait for a consent."""

    RISK_TO_LIFE = "RISK_TO_LIFE"
    SERIOUS_HARM = "SERIOUS_HARM"
    CHILD_UNPROTECTED = "CHILD_UNPROTECTED"


class ReadingState(StrEnum):
    """The state of a request for emergency access."""

    ASKED = "asked"
    REFUSED = "refused"
    LAPSED = "lapsed"
    GRANTED = "granted"
    ENDED = "ended"


HOLDS_FOR: Final = timedelta(hours=4)
"""How long a declaration or an access is valid, and a request stays open (R15)."""
REVIEWED_WITHIN: Final = timedelta(hours=72)
"""The time limit of a review; an account whose review is late gets no access (R17)."""
