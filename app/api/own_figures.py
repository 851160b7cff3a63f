"""The route for the figures of the caller's own office."""

from typing import Annotated

from fastapi import Query, Response

from app.api.http.conditional_requests import render
from app.api.http.dependencies import IfNoneMatch, ReadFeed
from app.api.http.problems import list_problems
from app.api.http.routers import ResourceRouter
from app.figures import own_figures
from app.figures.own_figures_rules import PeriodInvalid
from app.figures.own_figures_schemas import OwnFigures, PeriodQuery
from app.kernel.lifecycle import RoleMissing

router = ResourceRouter("figures", "/figures")


@router.get(
    "/own",
    response_model=OwnFigures,
    responses=list_problems(RoleMissing, PeriodInvalid),
)
def get_own_figures(
    begin: ReadFeed,
    query: Annotated[PeriodQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Read the figures of your focal point for a period, by default the last 30 days.

    Coordinators, supervisors and protection officers may read them. The figures are
    computed from your feed and your deadlines, and reveal nothing that these did not
    contain. Only `senders`, for oversight, counts referrals too, of the cases that it
    oversees. Nothing is rounded or left out, so do not pass the figures on: a small number
    may identify a person.
    """
    with begin() as tx:
        shown = own_figures.load_own_figures(tx, query)
        return render(shown, if_none_match=if_none_match)
