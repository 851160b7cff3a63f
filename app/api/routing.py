"""Routes for routing: the ranked offices that can lead a case or give a service."""

from typing import Annotated, Final

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import SkipJsonSchema

from app.api.http.conditional_requests import render
from app.api.http.dependencies import CaseCode, IfNoneMatch, ReadCases, ReadDirectory
from app.api.http.problems import NOT_FOUND, list_problems
from app.api.http.routers import ResourceRouter
from app.cases import queries as case_queries
from app.cases.grants import Grant
from app.cases.models import AgeClass, Case
from app.casework import placing
from app.casework.schemas import RoutingQuestion
from app.consents import standing
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind, Service
from app.directory.queries import FocalPointUnknown
from app.kernel.lifecycle import ActionNotYours
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction
from app.routing import queries as routing_queries
from app.routing.advice import build_advice
from app.routing.ranking import RETIRED_REASONS
from app.routing.schemas import (
    AdviceOut,
    CandidateOut,
    ExcludedOut,
    RankingOut,
    RecipientsOut,
    RoutingOut,
    ServiceOut,
    TrialOut,
)

router = ResourceRouter("routing")

ASKED_IN_PARALLEL: Final = frozenset({OfficeKind.NON_STATE, OfficeKind.INTERGOVERNMENTAL})


def may_know(tx: ReadTransaction, case: Case) -> bool:
    """Return whether the caller may learn the person's fears and all consents.

    From other callers, the routes hide which offices are left out, because this would
    reveal fears or consents of the person.
    """
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    stands = standing.load_for_case(tx, case)
    known = standing.filter_for_caller(tx, stands)
    return stands.may_know_fears(own_office) and known.consents == stands.consents


def list_advice(
    tx: ReadTransaction, country: str, beside: list[str], *, child: bool
) -> list[AdviceOut]:
    """Return the advice for a person in a country, such as what to ask the person first.

    `beside` are the codes of non-State offices that can be asked at the same time.
    """
    setting = directory_queries.find_country(tx, country)
    return AdviceOut.from_items(build_advice(setting, child=child, beside=tuple(beside)))


@router.get("/cases/{code}/routing", response_model=RoutingOut, responses=NOT_FOUND)
def get_routing(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """Read the ranking of the offices that are asked to lead, with the reasons.

    If you may learn all fears and consents of the person, you also get the offices that are
    left out. Only the parties of the case itself may read the ranking, and the submitter
    only until there is a lead. `advice` contains what to ask the person first.
    """
    with begin() as tx:
        shown = load_routing(tx, case_queries.get(tx, code))
        return render(shown, if_none_match=if_none_match)


def load_routing(tx: ReadTransaction, case: Case) -> RoutingOut:
    """Return the stored list of candidates, limited to what the caller may see.

    A caller that must not learn all fears and consents sees only offices that were asked.
    The other candidates would reveal which offices are never asked. Raises NotFound (404)
    for a caller that may not read the ranking, such as the submitter once there is a lead.
    """
    if Grant.ROUTING not in case.get_grants_as_party(tx.actor.focal_point_id):
        raise NotFound("There is no routing, or you may not see it.")
    whole = may_know(tx, case)
    list_rows = routing_queries.list_places if whole else routing_queries.list_asked
    rows = list_rows(tx, case.id)
    known = {focal_point.id: focal_point for focal_point in directory_queries.list_all(tx)}
    waiting = [known[row.focal_point_id] for row in rows if not row.asked_at]
    beside = [found.code for found in waiting if found.kind in ASKED_IN_PARALLEL]
    out = routing_queries.load_result(tx, case.id).excluded if whole else []
    return RoutingOut(
        holder=known[case.holder].code if case.holder else None,
        candidates=[
            CandidateOut(
                position=row.place,
                focal_point=known[row.focal_point_id].code,
                reasons=[one for one in row.reasons if one not in RETIRED_REASONS],
                asked_at=row.asked_at,
                declined_at=row.left_at,
            )
            for row in rows
        ],
        excluded=[ExcludedOut.model_validate(row) for row in out],
        advice=list_advice(tx, case.country or "", beside, child=case.is_child),
    )


class RecipientsQuery(BaseModel):
    """The service for which to rank recipients. A URL contains no data about the person."""

    model_config = ConfigDict(extra="forbid")

    service: Service | SkipJsonSchema[None] = None


@router.get(
    "/cases/{code}/recipients",
    response_model=RecipientsOut,
    responses=list_problems(NotFound, ActionNotYours),
)
def get_recipients(
    begin: ReadCases,
    code: CaseCode,
    query: Annotated[RecipientsQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Read the ranking of the offices that could give a service, with the reasons.

    The offices that could not give the service are included, with the reasons. Only the
    holder of the case may read the ranking, for one service or for each service in the
    summary and, for a child, child protection. The summary does not contain the person's
    sex, so check whether an office serves the person. Free places count only for offices of
    your own country, because they show where other people went. A desk, or a candidate that
    has not acknowledged the case, sees only the offices to which the person consented or,
    without any consent, the office to ask next.
    """
    with begin() as tx:
        case = placing.get_case_for_holder(tx, code)
        offers = placing.rank_offers(tx, case, query.service)
        own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
        desk = get_desk(offers)
        shown = RecipientsOut(
            services=show_offers(offers),
            desk=desk if may_know(tx, case) or desk == own_office.code else None,
            advice=list_advice(tx, case.country or "", [], child=case.is_child),
        )
        return render(shown, if_none_match=if_none_match)


@router.serve_action("/routing", TrialOut, NotFound, FocalPointUnknown)
def preview_routing(begin: ReadDirectory, body: RoutingQuestion) -> Response:
    """Preview which offices would lead or could give a service. Nothing is stored.

    The preview ignores the free places of offices, because they depend on the cases of
    other people. Only the holder of a case sees them, for offices of its own country.
    """
    with begin() as tx:
        trial = placing.simulate_routing(tx, body)
        beside = list(trial.leads.beside)
        child = body.age_class != AgeClass.ADULT
        shown = TrialOut(
            leads=RankingOut.from_ranking(trial.leads),
            services=show_offers(trial.offers),
            desk=trial.leads.desk.code if trial.leads.desk else None,
            advice=list_advice(tx, body.country, beside, child=child),
        )
        return render(shown)


def show_offers(offers: placing.Offers) -> list[ServiceOut]:
    """Return the ranked recipients for each service."""
    return [
        ServiceOut(service=service, **dict(RankingOut.from_ranking(ranking)))
        for service, ranking in offers.items()
    ]


def get_desk(offers: placing.Offers) -> str | None:
    """Return the code of the desk, which all rankings share, or None if there is none."""
    desks = {ranking.desk.code for ranking in offers.values() if ranking.desk}
    return min(desks, default=None)
