"""Vital interest: the one emergency mechanism, for releasing and for reading (BR05, G20).

For releasing, one person and a reason let the notice and the safety notice go at once;
nothing more is ever released by it. For reading, two people of two organisations let one
account open the sections that it named. Each holds for four hours, and lead and oversight
hear of it in the same transaction.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final


class VitalReason(StrEnum):
    """Why it cannot wait."""

    RISK_TO_LIFE = "RISK_TO_LIFE"
    SERIOUS_HARM = "SERIOUS_HARM"
    CHILD_UNPROTECTED = "CHILD_UNPROTECTED"


class ReadingState(StrEnum):
    """How a reading in an emergency stands."""

    ASKED = "asked"
    REFUSED = "refused"
    LAPSED = "lapsed"
    GRANTED = "granted"
    ENDED = "ended"


HOLDS_FOR: Final = timedelta(hours=4)
"""How long a declaration or a reading holds, and a question for one waits (R15)."""
REVIEWED_WITHIN: Final = timedelta(hours=72)
"""After that, whoever read may read in no other emergency until it is reviewed (R17)."""
