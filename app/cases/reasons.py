"""Why: the reason codes of the mechanism (`proposal_reason_codes.csv`)."""

from enum import StrEnum


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
