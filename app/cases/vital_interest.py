"""Vital interest: exceptions to the rule of consent in an emergency (BR05, G20).

To send without a consent, one person declares a reason. Only the summary and the safety
alert may then be sent. To read without a consent, two people of two organisations must
agree. One account may then open the sections that it named. Each exception is valid for
four hours. Storing an exception also records an event for the holder and oversight.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final


class VitalInterestReason(StrEnum):
    """A reason why a case cannot wait for a consent."""

    RISK_TO_LIFE = "RISK_TO_LIFE"
    SERIOUS_HARM = "SERIOUS_HARM"
    CHILD_UNPROTECTED = "CHILD_UNPROTECTED"


class EmergencyAccessState(StrEnum):
    """The state of a request for emergency access."""

    REQUESTED = "requested"
    REFUSED = "refused"
    EXPIRED = "expired"
    GRANTED = "granted"
    ENDED = "ended"


HOLDS_FOR: Final = timedelta(hours=4)
"""How long a declaration or an access is valid, and how long a request is open (R15)."""
REVIEWED_WITHIN: Final = timedelta(hours=72)
"""The time limit for a review. A person with an overdue review gets no new access (R17)."""
