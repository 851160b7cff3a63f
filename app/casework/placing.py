"""Rankings of the offices that could help, for a case's holder or as a preview."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from app.cases import queries as case_queries
from app.cases.models import AgeClass, Case
from app.cases.sections import OriginContact
from app.casework.schemas import AllowedRecipient, RoutingQuestion
from app.casework.sides import get_sides
from app.consents import standing
from app.consents.coverage import matches_recipient
from app.consents.routing_questions import build_question
from app.directory import agreement_queries
from app.directory import queries as directory_queries
from app.directory.kinds import (
    AgeGroup,
    DisclosureLevel,
    OfficeFunction,
    OfficeKind,
    Service,
)
from app.directory.queries import FocalPointUnknown
from app.kernel.actors import Side
from app.kernel.lifecycle import ActionNotYours
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction
from app.referrals import helper_ranking
from app.routing import queries as routing_queries
from app.routing.question import Profile, Question
from app.routing.ranking import Ranking, rank_leads, rank_recipients

type Offers = Mapping[Service, Ranking]


@dataclass(frozen=True)
class RoutingPreview:
    """The offices that would be asked to lead or serve a case that does not exist yet."""

    leads: Ranking
    offers: Offers


def get_case_for_holder(tx: ReadTransaction, code: str) -> Case:
    """Return a case held by the caller. Raises NotFound (404) or ActionNotYours (403)."""
    case = case_queries.get(tx, code)
    sides = get_sides(tx, case)
    if not sides:
        raise NotFound("There is no routing, or you may not see it.")
    if Side.HOLDER not in sides:
        raise ActionNotYours("Only the holder of the case can ask this.")
    return case


def rank_offers(tx: ReadTransaction, case: Case, service: Service | None) -> Offers:
    """Rank the offices that could serve a case, for one service or all needed services.

    `helper_ranking.limit_to_proposed` limits the ranking to what the caller may learn.
    """
    question, stands = build_question(tx, case), standing.load_for_case(tx, case)
    wanted = [service] if service else list_needed_services(question)
    return {one: helper_ranking.rank_helpers(tx, question, stands, one) for one in wanted}


def list_needed_services(question: Question) -> list[Service]:
    """List the needed services and, for a child, child protection (routing rule 3)."""
    child = AgeGroup.ADULT not in question.ages
    parallel = {Service.CHILD_PROTECTION} if child else set[Service]()
    return sorted(question.services | parallel)


def simulate_routing(tx: ReadTransaction, asked: RoutingQuestion) -> RoutingPreview:
    """Rank the offices that could lead or give a service, without storing the request.

    Raises FocalPointUnknown (422) if the request names an office that does not exist.
    """
    question = build_preview_question(tx, asked)
    offers = {
        one: rank_recipients(replace(question, services=frozenset({one})))
        for one in list_needed_services(question)
    }
    return RoutingPreview(rank_leads(question), offers)


def build_preview_question(tx: ReadTransaction, asked: RoutingQuestion) -> Question:
    """Return the input of the ranking for a summary that belongs to no case."""
    profiles = routing_queries.load_profiles(tx)
    require_known_codes(profiles, asked)
    guards = asked.safeguards
    own = AgeGroup.ADULT if asked.age_class == AgeClass.ADULT else AgeGroup.CHILD
    return Question(
        now=tx.now,
        country=asked.country,
        language=asked.language,
        services=frozenset(asked.services),
        priority=asked.priority,
        ages=frozenset({own, *([AgeGroup.CHILD] if asked.with_children else [])}),
        sex=asked.sex,
        avoided=directory_queries.list_avoided_countries(tx),
        agreed=agreement_queries.list_agreed_countries(
            tx, asked.country, DisclosureLevel.NEEDS
        ),
        origin=guards.country_of_origin,
        origin_blocked=guards.is_origin_blocked(),
        origin_permitted=guards.origin_contact == OriginContact.PERMITTED,
        unsafe=frozenset(guards.unsafe_focal_points),
        consented=find_allowed(asked.allowed_recipients, profiles),
        named=frozenset(),
        declined=frozenset(),
        approached=frozenset(),
        holder=None,
        home=directory_queries.by_id(tx, tx.actor.focal_point_id).of_state,
        profiles=profiles,
    )


def require_known_codes(profiles: Iterable[Profile], asked: RoutingQuestion) -> None:
    """Raise FocalPointUnknown (422) if the request names an office that does not exist."""
    known = {profile.code for profile in profiles}
    named = {one.focal_point for one in asked.allowed_recipients or [] if one.focal_point}
    if (named | set(asked.safeguards.unsafe_focal_points)) - known:
        raise FocalPointUnknown("GET /v1/focal-points lists the codes.")


@dataclass(frozen=True)
class NamedRecipient:
    """A recipient that the person names, with the attributes of a recipient class."""

    focal_point_id: UUID | None
    kind: OfficeKind | None
    function: OfficeFunction | None
    country: str | None


def find_allowed(
    told: list[AllowedRecipient] | None, profiles: tuple[Profile, ...]
) -> frozenset[UUID]:
    """Return the offices that may be told about the person, or all if `told` is None."""
    ids = {profile.code: profile.id for profile in profiles}
    if told is None:
        return frozenset(ids.values())
    named = [build_recipient(one, ids) for one in told]
    return frozenset(
        p.id for p in profiles if any(matches_recipient(one, p) for one in named)
    )


def build_recipient(one: AllowedRecipient, ids: Mapping[str, UUID]) -> NamedRecipient:
    """Return a recipient that the person named: one office, or a class of offices."""
    if one.recipient_class is None:
        return NamedRecipient(ids[one.focal_point or ""], None, None, None)
    named = one.recipient_class
    return NamedRecipient(None, named.kind, named.function, named.country)
