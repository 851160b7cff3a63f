"""The effects of missed deadlines, as one table (LIFECYCLES.md, sections 4 and 7; R54).

An office that does not answer in time loses the request, so that another office is asked.
An office that has begun to help is only reminded, so that the help continues.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.deadlines.limits import DeadlineKind


class Noun(StrEnum):
    """The kind of record that a deadline is about."""

    CASE = "case"
    REFERRAL = "referral"
    HANDOVER = "handover"
    RETURN = "return"
    APPROVAL = "approval"
    QUESTION = "question"
    INTERESTS = "interests"
    CONSENT = "consent"
    READING = "reading"


class Effect(StrEnum):
    """An action that the system takes when a deadline is missed."""

    REROUTE = "reroute"
    EXPIRE = "expire"
    EXPIRE_AT_SECOND = "expire_at_second"
    REMIND = "remind"
    DROP = "drop"
    LAPSE = "lapse"
    ERASE = "erase"
    ANNOUNCE = "announce"
    END_EMERGENCY_ACCESS = "end_reading"


@dataclass(frozen=True)
class LatenessRule:
    """The effect of a missed deadline, and the event that the journal records, if any."""

    effect: Effect
    event: str | None = None


# fmt: off
_N, _K, _E = Noun, DeadlineKind, Effect
LATENESS_RULES: Final[dict[tuple[Noun, DeadlineKind], LatenessRule]] = {
    (_N.CASE,      _K.FINISH_DRAFT):     LatenessRule(_E.DROP),
    (_N.CASE,      _K.ACKNOWLEDGE):      LatenessRule(_E.REROUTE,          "case.not_acknowledged"),   # D01
    (_N.CASE,      _K.DECIDE_LEAD):      LatenessRule(_E.REROUTE,          "case.not_decided"),        # D02
    (_N.CASE,      _K.REVIEW_RISK):      LatenessRule(_E.REMIND,           "case.overdue"),            # D12
    (_N.CASE,      _K.REVIEW):           LatenessRule(_E.REMIND,           "case.review_due"),         # D10
    (_N.CASE,      _K.MONITOR):          LatenessRule(_E.REMIND,           "case.overdue"),            # D08
    (_N.CASE,      _K.REVIEW_CLOSURE):   LatenessRule(_E.REMIND,           "case.overdue"),            # D09
    (_N.CASE,      _K.ERASE):            LatenessRule(_E.ERASE),                                       # D11
    (_N.REFERRAL,  _K.FINISH_DRAFT):     LatenessRule(_E.DROP),
    (_N.REFERRAL,  _K.ACKNOWLEDGE):      LatenessRule(_E.EXPIRE_AT_SECOND, "referral.not_acknowledged"),  # D01 x 2
    (_N.REFERRAL,  _K.DECIDE_REFERRAL):  LatenessRule(_E.EXPIRE,           "referral.not_decided"),    # D03
    (_N.REFERRAL,  _K.ANSWER):           LatenessRule(_E.EXPIRE_AT_SECOND, "referral.not_answered"),
    (_N.REFERRAL,  _K.MEET_PERSON):      LatenessRule(_E.REMIND,           "referral.overdue"),        # D04
    (_N.REFERRAL,  _K.GIVE_FEEDBACK):    LatenessRule(_E.REMIND,           "referral.overdue"),        # D05
    (_N.REFERRAL,  _K.REVIEW):           LatenessRule(_E.REMIND,           "referral.review_due"),     # D10
    (_N.REFERRAL,  _K.CONFIRM_DELETION): LatenessRule(_E.REMIND,           "referral.overdue"),
    (_N.HANDOVER,  _K.ANSWER_HANDOVER):  LatenessRule(_E.EXPIRE,           "handover.not_decided"),    # D07
    (_N.RETURN,    _K.REVIEW):           LatenessRule(_E.REMIND,           "return.overdue"),
    (_N.RETURN,    _K.CONFIRM_ARRIVAL):  LatenessRule(_E.REMIND,           "return.overdue"),          # D06
    (_N.RETURN,    _K.MONITOR):          LatenessRule(_E.REMIND,           "return.overdue"),          # D08
    (_N.APPROVAL,  _K.APPROVE):          LatenessRule(_E.LAPSE,            "approval.expired"),
    (_N.QUESTION,  _K.ANSWER):           LatenessRule(_E.REMIND,           "case.not_answered"),
    (_N.INTERESTS, _K.ASSESS_INTERESTS): LatenessRule(_E.REMIND,           "case.overdue"),            # BR09
    (_N.CONSENT,   _K.CONSENT_ENDS):     LatenessRule(_E.ANNOUNCE),                                    # G02
    (_N.READING,   _K.DECIDE_EMERGENCY_ACCESS):   LatenessRule(_E.END_EMERGENCY_ACCESS),                                 # R15
    (_N.READING,   _K.EMERGENCY_ACCESS_ENDS):     LatenessRule(_E.END_EMERGENCY_ACCESS),                                 # R16
    (_N.READING,   _K.INFORM_PERSON):      LatenessRule(_E.REMIND,           "case.overdue"),            # BR05
}
# fmt: on

NOUN_BY_PATH: Final = {
    "referrals": Noun.REFERRAL,
    "handovers": Noun.HANDOVER,
    "returns": Noun.RETURN,
    "approvals": Noun.APPROVAL,
}
NOUN_BY_KIND: Final = {
    DeadlineKind.ANSWER: Noun.QUESTION,
    DeadlineKind.ASSESS_INTERESTS: Noun.INTERESTS,
    DeadlineKind.CONSENT_ENDS: Noun.CONSENT,
    DeadlineKind.DECIDE_EMERGENCY_ACCESS: Noun.READING,
    DeadlineKind.EMERGENCY_ACCESS_ENDS: Noun.READING,
    DeadlineKind.INFORM_PERSON: Noun.READING,
}
"""The kind of record by kind of deadline, for records with the reference of their case."""


DESTRUCTIVE: Final = frozenset(
    kind
    for (_, kind), late in LATENESS_RULES.items()
    if late.effect in {Effect.DROP, Effect.ERASE}
)
"""The kinds of deadlines after which data is destroyed permanently."""


def get_record_kind(reference: str, kind: DeadlineKind, *, of_case: bool) -> Noun:
    """Return the kind of record that a deadline is about, given the record's reference."""
    if of_case:
        return Noun.CASE
    path = reference.split("/", maxsplit=1)[0]
    return NOUN_BY_PATH.get(path) or NOUN_BY_KIND[kind]


def get_effect(late: LatenessRule, count: int, *, at_desk: bool, absent: bool) -> Effect:
    """Return the effect of one missed deadline.

    A case stays at an active desk, because no office comes after the desk. A referral to a
    closed office expires when its deadline is missed for the first time.
    """
    if late.effect == Effect.REROUTE and at_desk and not absent:
        return Effect.REMIND
    if late.effect == Effect.EXPIRE_AT_SECOND:
        return Effect.EXPIRE if count > 1 or absent else Effect.REMIND
    return late.effect
