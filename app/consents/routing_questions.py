"""The input of the two rankings of offices for a case: to lead it, and to help."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from app.cases.models import Case
from app.cases.sections import OriginContact
from app.consents import standing
from app.consents.coverage import Purpose
from app.consents.standing import Standing
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import Priority
from app.directory import agreement_queries
from app.directory import queries as directory_queries
from app.directory.kinds import AgeGroup, DisclosureLevel, Service
from app.kernel.transactions import ReadTransaction
from app.routing import queries as routing_queries
from app.routing.question import Profile, Question


def build_question(tx: ReadTransaction, case: Case) -> Question:
    """Build the input of the rankings of offices that could help in a case."""
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    profiles = routing_queries.load_profiles(tx, own_office)
    return build_case_question(tx, standing.load_for_case(tx, case), profiles)


def build_lead_question(
    tx: ReadTransaction, case: Case, stands: Standing | None = None
) -> Question:
    """Build the input of the ranking of offices that could lead a case.

    It contains only the offices that this ranking depends on.
    """
    profiles = routing_queries.load_lead_profiles(tx, case.country or "")
    return build_case_question(tx, stands or standing.load_for_case(tx, case), profiles)


def load_lead_directory(tx: ReadTransaction, country: str) -> None:
    """Load the directory data that the choice of a lead and its deadline depend on.

    If this is loaded before a case is written, all rows of the case are written together.
    """
    routing_queries.load_lead_profiles(tx, country)
    directory_queries.list_avoided_countries(tx)
    agreement_queries.list_agreed_countries(tx, country, DisclosureLevel.NEEDS)
    deadline_queries.list_settings(tx)


def build_case_question(
    tx: ReadTransaction, stands: Standing, profiles: tuple[Profile, ...]
) -> Question:
    """Build the input of a ranking of offices for one case."""
    case, guards = stands.case, stands.safeguards
    country = case.country or ""
    asked = routing_queries.list_asked(tx, case.id)
    return Question(
        now=tx.now,
        country=country,
        language=case.language or "",
        services=frozenset(map(Service, [*case.services, *case.urgent_needs])),
        priority=case.priority or Priority.NORMAL,
        ages=frozenset({AgeGroup.CHILD if case.is_child else AgeGroup.ADULT}),
        sex=None,
        avoided=directory_queries.list_avoided_countries(tx),
        agreed=agreement_queries.list_agreed_countries(tx, country, DisclosureLevel.NEEDS),
        origin=guards.country_of_origin,
        origin_blocked=guards.is_origin_blocked(),
        origin_permitted=guards.origin_contact == OriginContact.PERMITTED,
        unsafe=frozenset(guards.unsafe_focal_points),
        consented=frozenset(p.id for p in profiles if stands.may_read_summary(p)),
        named=find_consented(stands, profiles, Purpose.REFER),
        declined=frozenset(row.focal_point_id for row in asked),
        approached=frozenset(),
        holder=case.holder,
        home=directory_queries.by_id(tx, case.submitter).of_state,
        profiles=profiles,
    )


def find_consented(
    stands: Standing, profiles: Iterable[Profile], purpose: Purpose
) -> frozenset[UUID]:
    """Return the ids of the offices that a consent covers for a purpose."""
    find = stands.get_covered_sections
    return frozenset(p.id for p in profiles if find(p, purpose) is not None)


def build_service_question(
    question: Question, stands: Standing, service: Service
) -> Question:
    """Build the input of the ranking of offices that could give one service.

    A consent is not required for a child who may be referred without one, or while a vital
    interest is valid (BR05).
    """
    named = find_consented(stands, question.profiles, Purpose(service))
    anyone = stands.in_vital_interest or stands.may_refer_child(service, frozenset())
    everyone = frozenset(profile.id for profile in question.profiles)
    return replace(
        question,
        services=frozenset({service}),
        consented=everyone if anyone else named,
        named=named,
    )
