"""Reason codes for actions on cases and referrals; their sources are in `reference/data`.

The codes for `assign`, `reopen` and `take_over` are our own, because no source
defines such codes.
"""

from enum import StrEnum
from typing import Final


class DeclineReason(StrEnum):
    """A reason why an office declines the lead or a referral."""

    NO_CAPACITY = "NO_CAPACITY"
    OUT_OF_MANDATE = "OUT_OF_MANDATE"
    OUT_OF_AREA = "OUT_OF_AREA"
    ALREADY_SERVED = "ALREADY_SERVED"
    LANGUAGE = "LANGUAGE"
    SAFETY_CONFLICT = "SAFETY_CONFLICT"
    LEGAL_BAR = "LEGAL_BAR"
    INSUFFICIENT_INFO = "INSUFFICIENT_INFO"


class WithdrawReason(StrEnum):
    """A reason why a submitted case or a referral is withdrawn."""

    SURVIVOR_DECLINED = "SURVIVOR_DECLINED"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    NO_LONGER_NEEDED = "NO_LONGER_NEEDED"
    SENT_IN_ERROR = "SENT_IN_ERROR"
    DUPLICATE = "DUPLICATE"


class ClosureReason(StrEnum):
    """Why a case is closed."""

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
"""The reasons for which a case can be closed without informing the person."""


class SuspendReason(StrEnum):
    """A reason why a case is suspended, or a service is put on hold."""

    SAFETY = "SAFETY"
    SURVIVOR_REQUEST = "SURVIVOR_REQUEST"
    CONTACT_LOST = "CONTACT_LOST"


class StopReason(StrEnum):
    """A reason why the person wants all help to end."""

    SURVIVOR_REQUEST = "SURVIVOR_REQUEST"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"


class ReopenReason(StrEnum):
    """Why a case is reopened."""

    SURVIVOR_REQUEST = "SURVIVOR_REQUEST"
    NEW_NEED = "NEW_NEED"
    NEW_RISK = "NEW_RISK"
    CLOSED_IN_ERROR = "CLOSED_IN_ERROR"


class AssignReason(StrEnum):
    """Why a desk chooses a lead manually."""

    NOBODY_LEFT = "NOBODY_LEFT"
    SURVIVOR_CHOICE = "SURVIVOR_CHOICE"
    LOCAL_KNOWLEDGE = "LOCAL_KNOWLEDGE"


class TakeOverReason(StrEnum):
    """A reason why a desk replaces the lead, or records a consent to another lead.

    `SUBMITTER_INACTIVE` applies only to `record_lead_consent`, for a case without a lead.
    """

    LEAD_INACTIVE = "LEAD_INACTIVE"
    LEAD_SILENT = "LEAD_SILENT"
    SUBMITTER_INACTIVE = "SUBMITTER_INACTIVE"


class ErasureReason(StrEnum):
    """A reason why oversight erases a case."""

    SURVIVOR_REQUEST = "SURVIVOR_REQUEST"
    RETENTION_OVER = "RETENTION_OVER"
    NO_LAWFUL_GROUND = "NO_LAWFUL_GROUND"
