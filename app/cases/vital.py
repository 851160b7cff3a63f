"""Vital interest: the one emergency in which a notice may go before a consent (BR05, G20).

One person and a reason release the notice and the safety notice at once, for four hours;
lead and oversight hear of it in the same transaction. Nothing more is ever released by it.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final


class VitalReason(StrEnum):
    """Why it cannot wait."""

    RISK_TO_LIFE = "RISK_TO_LIFE"
    SERIOUS_HARM = "SERIOUS_HARM"
    CHILD_UNPROTECTED = "CHILD_UNPROTECTED"


HOLDS_FOR: Final = timedelta(hours=4)
