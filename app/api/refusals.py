"""Routes that count adults who refused a referral, without any personal data (R91)."""

from fastapi import Response

from app.api.http.conditional_requests import render
from app.api.http.dependencies import IfNoneMatch, ReadStatistics, WriteCases
from app.api.http.problems import list_problems
from app.api.http.routers import ResourceRouter
from app.casework.acting import require_working_role
from app.consents import actions as consent_actions
from app.consents import queries as consent_queries
from app.consents.schemas import RefusalCounts, RefusalInput
from app.kernel.free_space import DiskSpaceReserved
from app.kernel.lifecycle import RoleMissing

router = ResourceRouter("refusals", "/refusals")


@router.post("", status_code=204, responses=list_problems(RoleMissing, DiskSpaceReserved))
def record_refusal(begin: WriteCases, new: RefusalInput) -> Response:
    """Count that an adult was offered a referral and refused it.

    Only the country and the week are stored: no case, account, reason or text. The service
    therefore cannot distinguish a repeated request from a second refusal. Send the request
    only once, even if no response arrives. An Idempotency-Key is ignored.
    """
    with begin() as tx:
        require_working_role(tx)
        consent_actions.count_refusal(tx, new)
        return Response(status_code=204)


@router.get("", response_model=RefusalCounts, responses=list_problems(RoleMissing))
def list_refusals(begin: ReadStatistics, if_none_match: IfNoneMatch = None) -> Response:
    """List the number of refusals by country and quarter, as an analyst.

    A quarter is listed only if it is over. Each number has a small random error, so that it
    does not reveal a single person. The error is the same in each response until the oldest
    key of the service is retired. Numbers below 11 are left out.
    """
    with begin() as tx:
        shown = RefusalCounts(items=consent_queries.count_refusals(tx))
        return render(shown, if_none_match=if_none_match)
