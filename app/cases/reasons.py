"""Why: the reason codes of the mechanism; their sources are in `reference/data`.

Those of `assign`, `reopen` and `take_over` are ours: no source names any.
"""

from enum import StrEnum
from typing import Final


class DeclineReason(StrEnum):
    """Why a focal point says no, to the lead or to a referral."""

    NO_CAPACITY = "NO_CAPACITY"
    OUT_OF_MANDATE = "OUT_OF_MANDATE"
    OUT_OF_AREA = "OUT_OF_AREA"
    ALREADY_SERVED = "ALREADY_SERVED"
    LANGUAGE = "LANGUAGE"
    SAFETY_CONFLICT = "SAFETY_CONFLICT"
    LEGAL_BAR = "LEGAL_BAR"
    INSUFFICIENT_INFO = "INSUFFICIENT_INFO"


class WithdrawReason(StrEnum):
    """Why something sent is taken back."""

    SURVIVOR_DECLINED = "SURVIVOR_DECLINED"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    NO_LONGER_NEEDED = "NO_LONGER_NEEDED"
    SENT_IN_ERROR = "SENT_IN_ERROR"
    DUPLICATE = "DUPLICATE"


class ClosureReason(StrEnum):
    """Why a case ends."""

    GOALS_MET = "GOALS_MET"
    RETURNED_MONITORED = "RETURNED_MONITORED"
    TRANSFERRED = "TRANSFERRED"
    SURVIVOR_REQUEST = "SURVIVOR_REQUEST"
    LOST_CONTACT = "LOST_CONTACT"
    NOT_VICTIM_REFERRED = "NOT_VICTIM_REFERRED"
    RESETTLED = "RESETTLED"
    DEATH = "DEATH"
    DUPLICATE = "DUPLICATE"
    OTHER = "OTHER"


CLOSED_UNINFORMED: Final = frozenset(
    {ClosureReason.LOST_CONTACT, ClosureReason.DEATH, ClosureReason.DUPLICATE}
)
"""Reasons to close a case without telling the person: nobody can be told, or the case of
the same person that goes on is the one that they know of."""


class SuspendReason(StrEnum):
    """Why a case rests, or help is held for a while."""

    SAFETY = "SAFETY"
    SURVIVOR_REQUEST = "SURVIVOR_REQUEST"
    CONTACT_LOST = "CONTACT_LOST"


class StopReason(StrEnum):
    """Why the person wants everything to end."""

    SURVIVOR_REQUEST = "SURVIVOR_REQUEST"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"


class ReopenReason(StrEnum):
    """Why help begins again."""

    SURVIVOR_REQUEST = "SURVIVOR_REQUEST"
    NEW_NEED = "NEW_NEED"
    NEW_RISK = "NEW_RISK"
    CLOSED_IN_ERROR = "CLOSED_IN_ERROR"


class AssignReason(StrEnum):
    """Why a desk chooses a lead by hand."""

    NOBODY_LEFT = "NOBODY_LEFT"
    SURVIVOR_CHOICE = "SURVIVOR_CHOICE"
    LOCAL_KNOWLEDGE = "LOCAL_KNOWLEDGE"


class TakeOverReason(StrEnum):
    """Why a desk moves the lead of a case, or records who may be asked to lead.

    The last is for a case that nobody leads: no step but `record_lead_consent` takes it.
    """

    LEAD_INACTIVE = "LEAD_INACTIVE"
    LEAD_SILENT = "LEAD_SILENT"
    SUBMITTER_INACTIVE = "SUBMITTER_INACTIVE"


class ErasureReason(StrEnum):
    """Why what is sealed is destroyed before its time."""

    SURVIVOR_REQUEST = "SURVIVOR_REQUEST"
    RETENTION_OVER = "RETENTION_OVER"
    NO_LAWFUL_GROUND = "NO_LAWFUL_GROUND"
