"""Who should lead: pure and explained (LIFECYCLES.md, section 8).

The same question gives the same list. Built so far: rules 1, 2, 4, 6 and 8. What follows
from the person's safeguards is never given as a reason of its own: it is spelled like the
consent that was not given.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.directory.kinds import (
    Function,
    Kind,
    StateRouting,
    is_at_home,
    is_blocked,
    languages_shared,
)


class ReasonIn(StrEnum):
    """Why a candidate is on the list, and where."""

    BODY_OF_THE_COUNTRY = "body_of_the_country"
    WORKS_IN_THE_COUNTRY = "works_in_the_country"
    OFFERS_SERVICES_NEEDED = "offers_services_needed"
    SPEAKS_THE_LANGUAGE = "speaks_the_language"
    CHOSEN_BY_THE_DESK = "chosen_by_the_desk"


class ReasonOut(StrEnum):
    """Why a focal point is not on the list."""

    NOT_OF_THE_COUNTRY = "not_of_the_country"
    NOT_CONSIDERED = "not_considered"
    STATE_ROUTE_AVOIDED = "state_route_avoided"
    NO_CONSENT = "no_consent"
    HAS_DECLINED = "has_declined"


@dataclass(frozen=True)
class Profile:
    """A focal point, as far as it matters here; `consented`: a consent names it."""

    id: UUID
    code: str
    kind: Kind
    function: Function
    of_state: str | None
    serves: list[str]
    languages: tuple[str, ...]
    services: frozenset[str]
    can_lead: bool
    consented: bool


@dataclass(frozen=True)
class Question:
    """All that the answer depends on: values, never a case."""

    country: str
    state_routing: StateRouting
    language: str
    services: frozenset[str]
    origin: str | None
    origin_blocked: bool
    unsafe: frozenset[str]
    declined: frozenset[UUID]
    profiles: tuple[Profile, ...]


@dataclass(frozen=True)
class Candidate:
    """A focal point that may lead, and why."""

    id: UUID
    code: str
    reasons: tuple[ReasonIn, ...]


@dataclass(frozen=True)
class LeftOut:
    """A focal point that may not, and why not."""

    code: str
    reasons: tuple[ReasonOut, ...]


@dataclass(frozen=True)
class Ranking:
    """The answer: best first; when the list is used up, the desk."""

    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]


TIERS: Final = (Kind.STATE, Kind.NON_STATE, Kind.INTERGOVERNMENTAL)
"""The country's own body first, then who works there, then who works everywhere."""


def rank(question: Question) -> Ranking:
    """Order those who may lead, and say of the others of the country why they may not."""
    judged = [(p, reasons_out(question, p)) for p in question.profiles]
    able = sorted(
        (p for p, out in judged if not out), key=lambda p: preference(question, p)
    )
    out = sorted(
        (
            LeftOut(p.code, reasons)
            for p, reasons in judged
            if reasons and near(question, p)
        ),
        key=lambda left: left.code,
    )
    found = (Candidate(p.id, p.code, tuple(reasons_in(question, p))) for p in able)
    return Ranking(tuple(found), tuple(out))


def near(question: Question, profile: Profile) -> bool:
    """Say whether its absence is worth explaining: it has to do with the country."""
    return is_at_home(profile, question.country) or question.country in profile.serves


def reasons_out(question: Question, profile: Profile) -> tuple[ReasonOut, ...]:
    """List all that keeps a focal point off the list; rule numbers are of section 8."""
    avoided = question.state_routing == StateRouting.AVOID
    faults = {
        ReasonOut.NOT_OF_THE_COUNTRY: not is_at_home(profile, question.country),  # 2
        ReasonOut.NOT_CONSIDERED: not profile.can_lead,
        ReasonOut.STATE_ROUTE_AVOIDED: avoided and profile.kind == Kind.STATE,  # 6
        ReasonOut.NO_CONSENT: not profile.consented or not is_safe(question, profile),
        ReasonOut.HAS_DECLINED: profile.id in question.declined,  # 8
    }
    return tuple(reason for reason, holds in faults.items() if holds)


def is_safe(question: Question, profile: Profile) -> bool:
    """Apply rules 1 and 4: not who is unsafe, nor the State of origin once blocked."""
    blocked = is_blocked(
        profile, origin_blocked=question.origin_blocked, origin=question.origin
    )
    return profile.code not in question.unsafe and not blocked


def reasons_in(question: Question, profile: Profile) -> Iterable[ReasonIn]:
    """List what speaks for a focal point."""
    if profile.kind == Kind.STATE:
        yield ReasonIn.BODY_OF_THE_COUNTRY
    else:
        yield ReasonIn.WORKS_IN_THE_COUNTRY
    if question.services & profile.services:
        yield ReasonIn.OFFERS_SERVICES_NEEDED
    if languages_shared(profile.languages, question.language):
        yield ReasonIn.SPEAKS_THE_LANGUAGE


def preference(question: Question, profile: Profile) -> tuple[int, int, bool, str]:
    """Order by tier, services needed, language; ties by code."""
    return (
        TIERS.index(profile.kind),
        -len(question.services & profile.services),
        not languages_shared(profile.languages, question.language),
        profile.code,
    )
