"""Routes for released figures: ask for a release, list the releases, and read one."""

from typing import Final
from uuid import UUID

from fastapi import Response

from app.access.approvals import ApprovalUnusable
from app.api.approvals import ASKED
from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    ApprovalId,
    Approve,
    IfNoneMatch,
    Once,
    ReadStatistics,
)
from app.api.http.problems import Answers, list_problems
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import Headers, View
from app.figures import release_actions, release_queries
from app.figures.release_actions import QuarterNotCounted, QuarterReleased
from app.figures.release_models import FigureRelease
from app.figures.release_schemas import (
    FigureReleaseInput,
    FigureReleaseList,
    FigureReleaseOut,
    FigureReleaseSummary,
    ReleaseContent,
)
from app.kernel.idempotency import IdempotencyKeyMissing
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction

router = ResourceRouter("figures", "/figures/releases")
ASK: Final[Answers] = {
    201: {"model": FigureReleaseOut, "description": "The figures are released."},
    **ASKED,
    **list_problems(
        RoleMissing,
        IdempotencyKeyMissing,
        QuarterNotCounted,
        QuarterReleased,
        ApprovalUnusable,
    ),
}


def build_summary(release: FigureRelease) -> FigureReleaseSummary:
    """Return a release without its numbers."""
    return FigureReleaseSummary(
        id=release.id,
        quarter=str(release.of),
        method=release.method,
        digest=release.digest,
        released_at=release.released_at,
    )


def build_release(release: FigureRelease) -> FigureReleaseOut:
    """Return a release with its numbers."""
    content = ReleaseContent.model_validate(release.content)
    return FigureReleaseOut(**dict(build_summary(release)), figures=content.figures)


def show_release(
    _tx: ReadTransaction, release: FigureRelease, status: int, headers: Headers
) -> Response:
    """Return the response that shows a release."""
    return render(build_release(release), status=status, headers=headers)


RELEASE = View(release_queries.get_release, show_release)


@router.post("", response_model=FigureReleaseOut, responses=ASK)
def release_figures(
    begin: Approve, key: Once, new: FigureReleaseInput, approval: ApprovalId = None
) -> Response:
    """Release the figures of a quarter. Two people of oversight are needed.

    A protection officer asks, and another protection officer or a supervisor confirms. The
    figures are computed when the second person confirms. A release is never changed or
    repeated. After it, no earlier quarter can be released, so that each person is in at
    most one release. Nobody sees the figures before they are released.
    """
    return RELEASE.create_once(
        begin, key, lambda tx: release_actions.release_figures(tx, new, approval)
    )


@router.get("", response_model=FigureReleaseList, responses=list_problems(RoleMissing))
def list_figure_releases(
    begin: ReadStatistics, if_none_match: IfNoneMatch = None
) -> Response:
    """List the releases of figures, latest quarter first, as an analyst or oversight."""
    with begin() as tx:
        release_queries.require_reader(tx)
        items = [build_summary(one) for one in release_queries.list_releases(tx.session)]
        return render(FigureReleaseList(items=items), if_none_match=if_none_match)


@router.get(
    "/{release_id}",
    response_model=FigureReleaseOut,
    responses=list_problems(RoleMissing, NotFound),
)
def get_figure_release(
    begin: ReadStatistics, release_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """Read the released figures of a quarter, as an analyst or oversight.

    The figures leave at least five possible values for each count below 11. The numbers
    have noise and are rounded to multiples of 5, so they do not add up.
    """
    with begin() as tx:
        release_queries.require_reader(tx)
        release = release_queries.get_release(tx, release_id)
        return render(build_release(release), if_none_match=if_none_match)
