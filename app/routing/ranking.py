"""Pure functions that rank the offices to lead a case or to serve it (LIFECYCLES.md, 8).

The result does not depend on the order of the offices. Each of them is included or
excluded, with reasons. Safeguards are never given as a reason. If safeguards exclude an
office, the reason given is a missing consent. If they exclude a desk, another desk is used.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.directory.kinds import (
    OfficeFunction,
    OfficeKind,
    Service,
    has_language,
    is_at_home,
    is_serving,
)
from app.routing import fit
from app.routing.question import Profile, Question


class ReasonIn(StrEnum):
    """A reason for including a focal point in a ranking, or for its position there."""

    BODY_OF_THE_COUNTRY = "body_of_the_country"
    WORKS_IN_THE_COUNTRY = "works_in_the_country"
    AGREEMENT_IN_FORCE = "agreement_in_force"
    OFFERS_SERVICES_NEEDED = "offers_services_needed"
    SERVES_THIS_SEX = "serves_this_sex"
    SERVES_THIS_AGE = "serves_this_age"
    SPEAKS_THE_LANGUAGE = "speaks_the_language"
    HAS_PLACES = "has_places"
    HAD_PLACES_LATELY = "had_places_lately"
    OPEN_NOW = "open_now"
    STANDS_IN = "stands_in"
    DESK_OF_THE_COUNTRY = "desk_of_the_country"
    DESK_OF_THE_SUBMITTER = "desk_of_the_submitter"
    DESK_OF_ELSEWHERE = "desk_of_elsewhere"
    CHOSEN_BY_THE_DESK = "chosen_by_the_desk"


class ReasonOut(StrEnum):
    """A reason why a focal point is left out of a ranking."""

    NOT_ACTIVE = "not_active"
    NOT_OF_THE_COUNTRY = "not_of_the_country"
    NOT_CONSIDERED = "not_considered"
    SERVICE_NOT_OFFERED = "service_not_offered"
    SEX_NOT_SERVED = "sex_not_served"
    AGE_NOT_SERVED = "age_not_served"
    STATE_ROUTE_AVOIDED = "state_route_avoided"
    NO_AGREEMENT = "no_agreement"
    NO_CONSENT = "no_consent"
    FULL = "full"
    HAS_DECLINED = "has_declined"
    ALREADY_ASKED = "already_asked"
    HOLDS_THE_CASE = "holds_the_case"
    ANOTHER_DESK = "another_desk"


RETIRED_REASONS: Final = frozenset(
    {"answers_in_time", ReasonIn.HAS_PLACES, ReasonIn.HAD_PLACES_LATELY}
)
"""Reasons that versions before 0.2 stored for leads. They depend on the cases of other
people, so they are not shown (ADR 89)."""


@dataclass(frozen=True)
class Candidate:
    """A focal point that may be asked to lead or help, with reasons for its position."""

    profile: Profile
    reasons: tuple[ReasonIn, ...]

    @property
    def id(self) -> UUID:
        """The id of the focal point."""
        return self.profile.id

    @property
    def code(self) -> str:
        """The code of the focal point."""
        return self.profile.code


@dataclass(frozen=True)
class LeftOut:
    """An office left out of a ranking; `near` is the result of `fit.is_near`."""

    code: str
    reasons: tuple[ReasonOut, ...]
    near: bool


@dataclass(frozen=True)
class Ranking:
    """A ranking of candidates, best first, and the desk, which cannot decline.

    The desk is None if the directory has no active desk that is safe for this person.
    """

    candidates: tuple[Candidate, ...]
    desk: Candidate | None
    excluded: tuple[LeftOut, ...]

    @property
    def in_turn(self) -> tuple[Candidate, ...]:
        """The offices in the order in which they are asked, with the desk last."""
        return (*self.candidates, *([self.desk] if self.desk else []))

    @property
    def beside(self) -> tuple[str, ...]:
        """The codes of the non-State candidates, such as IOM or an NGO (rule 5)."""
        return tuple(c.code for c in self.candidates if c.profile.kind != OfficeKind.STATE)


type Faults = Mapping[ReasonOut, bool]

TIERS: Final = (OfficeKind.STATE, OfficeKind.NON_STATE, OfficeKind.INTERGOVERNMENTAL)
"""The order of leads: State bodies, then NGOs, then international organisations."""


def rank_leads(question: Question) -> Ranking:
    """Rank the offices that may lead a case."""
    return build_ranking(question, find_lead_faults, build_lead_key)


def rank_recipients(question: Question) -> Ranking:
    """Rank the offices that offer all services of the question (usually one service)."""
    return build_ranking(question, find_service_faults, build_recipient_key)


def build_ranking(
    question: Question,
    against: Callable[[Question, Profile], Faults],
    rank: Callable[[Question, Profile], fit.Key],
) -> Ranking:
    """Build a ranking; `against` finds reasons for exclusion, `rank` computes the sort key.

    The desk, if one is found, is the last office of the ranking.
    """
    desk = find_desk(question)
    able, out = list[Profile](), list[LeftOut]()
    for profile in question.profiles:
        faults = against(question, profile)
        reasons = tuple(reason for reason, holds in faults.items() if holds)
        if not reasons:
            able.append(profile)
        elif desk is None or profile.id != desk.id:
            out.append(LeftOut(profile.code, reasons, fit.is_near(question, profile)))
    ranked = sorted(able, key=lambda profile: rank(question, profile))
    found = (
        Candidate(p, tuple(list_reasons(question, p, stands_in=stands_in)))
        for p, stands_in in add_deputies(question, ranked)
    )
    return Ranking(tuple(found), desk, tuple(sorted(out, key=lambda left: left.code)))


def find_lead_faults(question: Question, profile: Profile) -> Faults:
    """Return, for each reason, whether it excludes an office as lead (LIFECYCLES.md, 8)."""
    desk = profile.kind == OfficeKind.DESK
    abroad = not desk and not fit.is_in_country(question, profile)
    able = profile.can_lead and fit.can_help(profile)
    return {
        ReasonOut.NOT_ACTIVE: not profile.active,
        ReasonOut.NOT_OF_THE_COUNTRY: abroad,  # 2
        ReasonOut.NOT_CONSIDERED: not desk and not able,
        ReasonOut.STATE_ROUTE_AVOIDED: fit.is_avoided(question, profile),  # 6
        ReasonOut.NO_CONSENT: not desk and not fit.may_lead(question, profile),  # 1, 4
        ReasonOut.HAS_DECLINED: not desk and profile.id in question.declined,  # 8
        ReasonOut.ANOTHER_DESK: desk,
    }


def find_service_faults(question: Question, profile: Profile) -> Faults:
    """Return, for each reason, whether it excludes an office; unknown values never do."""
    desk = profile.kind == OfficeKind.DESK
    if not fit.can_help(profile) or profile.function == OfficeFunction.TECHNICAL:
        return {
            ReasonOut.NOT_ACTIVE: not profile.active,
            ReasonOut.NOT_CONSIDERED: not desk,
            ReasonOut.ANOTHER_DESK: desk,
        }
    protects = Service.CHILD_PROTECTION in question.services
    at_home = is_at_home(profile, question.country)
    return {
        ReasonOut.NOT_ACTIVE: not profile.active,
        ReasonOut.NOT_OF_THE_COUNTRY: protects and not at_home,  # 3
        ReasonOut.SERVICE_NOT_OFFERED: not question.services <= profile.services,
        ReasonOut.SEX_NOT_SERVED: not fit.may_serve_sex(question, profile),
        ReasonOut.AGE_NOT_SERVED: not fit.may_serve_age(question, profile),
        ReasonOut.STATE_ROUTE_AVOIDED: fit.is_avoided(question, profile),  # 6
        ReasonOut.NO_AGREEMENT: not fit.is_within_reach(question, profile),
        ReasonOut.NO_CONSENT: not fit.may_serve(question, profile),  # 1, 4
        ReasonOut.FULL: fit.estimate_room(question, profile) == fit.Room.FULL,
        ReasonOut.HAS_DECLINED: profile.id in question.declined,  # 8
        ReasonOut.ALREADY_ASKED: profile.id in question.approached,
        ReasonOut.HOLDS_THE_CASE: profile.id == question.holder,
    }


def build_lead_key(question: Question, profile: Profile) -> fit.Key:
    """Return the key that sorts leads by the person's choice, kind and fit (rule 7)."""
    unnamed = profile.id not in question.named
    return (unnamed, TIERS.index(profile.kind), *fit.build_fit_key(question, profile))


def build_recipient_key(question: Question, profile: Profile) -> fit.Key:
    """Return the key that sorts recipients by country, person's choice and fit (rule 7)."""
    beyond = not is_at_home(profile, question.country)
    return (beyond, profile.id not in question.named, *fit.build_fit_key(question, profile))


def add_deputies(
    question: Question, ranked: Iterable[Profile]
) -> Iterator[tuple[Profile, bool]]:
    """Yield each office, and whether it stands in for the closed office after it.

    In an emergency, an open deputy comes before the closed office. A deputy must itself be
    in the ranking, and no office is listed twice.
    """
    ranked = list(ranked)
    able = {profile.code: profile for profile in ranked}
    placed = set[str]()
    for profile in ranked:
        deputy = able.get(profile.deputy or "")
        closed = question.is_emergency and profile.open is False
        if profile.code in placed:
            continue
        if closed and deputy and deputy.open and deputy.code not in placed:
            placed.add(deputy.code)
            yield deputy, True
        placed.add(profile.code)
        yield profile, False


def list_reasons(
    question: Question, profile: Profile, *, stands_in: bool
) -> Iterator[ReasonIn]:
    """Yield the reasons why a focal point is included in a ranking."""
    if not is_at_home(profile, question.country):
        yield ReasonIn.AGREEMENT_IN_FORCE
    elif profile.kind == OfficeKind.STATE:
        yield ReasonIn.BODY_OF_THE_COUNTRY
    else:
        yield ReasonIn.WORKS_IN_THE_COUNTRY
    room = fit.estimate_room(question, profile)
    speaks_for = {
        ReasonIn.OFFERS_SERVICES_NEEDED: question.services & profile.services,
        ReasonIn.SERVES_THIS_SEX: question.sex in profile.sexes,
        ReasonIn.SERVES_THIS_AGE: question.ages <= profile.ages,
        ReasonIn.SPEAKS_THE_LANGUAGE: has_language(profile.languages, question.language),
        ReasonIn.HAS_PLACES: room == fit.Room.FREE,
        ReasonIn.HAD_PLACES_LATELY: room == fit.Room.FREE_LATELY,
        ReasonIn.OPEN_NOW: question.is_emergency and profile.open,
        ReasonIn.STANDS_IN: stands_in,
    }
    yield from (reason for reason, holds in speaks_for.items() if holds)


def find_desk(question: Question) -> Candidate | None:
    """Return the desk for the end of a ranking, or None if no active desk is safe.

    The desk of the country is preferred, then the desk of the submitter (rules 6, 8).
    """
    desks = (
        Candidate(profile, (get_desk_reason(question, profile),))
        for profile in question.profiles
        if profile.kind == OfficeKind.DESK
        and profile.active
        and fit.is_safe(question, profile)
    )
    return min(desks, default=None, key=lambda d: (DESK_ORDER.index(d.reasons[0]), d.code))


DESK_ORDER: Final = (
    ReasonIn.DESK_OF_THE_COUNTRY,
    ReasonIn.DESK_OF_THE_SUBMITTER,
    ReasonIn.DESK_OF_ELSEWHERE,
)


def get_desk_reason(question: Question, profile: Profile) -> ReasonIn:
    """Return why a desk is ranked: for the country, for the submitter, or for neither."""
    if is_serving(profile, question.country):
        return ReasonIn.DESK_OF_THE_COUNTRY
    if question.home and is_serving(profile, question.home):
        return ReasonIn.DESK_OF_THE_SUBMITTER
    return ReasonIn.DESK_OF_ELSEWHERE
