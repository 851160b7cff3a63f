"""Routes for time limits that countries and agreements set for deadlines."""

from typing import Annotated

from fastapi import Depends, Path, Response

from app.administration import actions as administration_actions
from app.administration import queries as administration_queries
from app.administration.actions import AgreementUnknown, PutRow
from app.administration.schemas import PutTimeLimit
from app.api.administration import MAY_FAIL, NEW, IsoCode, replace_row, require_same_code
from app.api.approvals import ASKED
from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    ApprovalId,
    Expect,
    IfNoneMatch,
    ReadDirectory,
    WriteDirectory,
)
from app.api.http.problems import NOT_FOUND, Answers, list_problems
from app.api.http.routers import ResourceRouter
from app.deadlines import queries as deadline_queries
from app.deadlines.limit_bounds import LimitPriority
from app.deadlines.limits import DeadlineKind
from app.deadlines.schemas import FOR, OF, TimeLimitOut, TimeLimitsInForce
from app.directory import queries as directory_queries
from app.kernel.problems import NotFound
from app.kernel.text import Code

router = ResourceRouter("administration")

Of = Annotated[Code, Path(description=OF)]
For = Annotated[LimitPriority, Path(description=FOR)]
PUT: Answers = {
    201: {"model": TimeLimitOut, "description": NEW},
    **ASKED,
    **list_problems(*MAY_FAIL, AgreementUnknown),
}


def build_name(of: str, deadline: DeadlineKind, priority: str) -> str:
    """Return the name of a time limit in the directory."""
    return f"{of}/{deadline}/{priority}"


async def read_name(of: Of, deadline: DeadlineKind, priority: For) -> str:
    """Return the name of the time limit in the path."""
    return build_name(of, deadline, priority)


@router.get(
    "/countries/{country}/time-limits",
    response_model=TimeLimitsInForce,
    responses=NOT_FOUND,
)
def list_time_limits(
    begin: ReadDirectory, country: IsoCode, if_none_match: IfNoneMatch = None
) -> Response:
    """List the time limits for the offices of a country, with those of its agreements.

    The limits of agreements in force are at the end of the list. They take precedence for
    actions that cross a border between the countries of the agreement. The time for which a
    closed case is kept (`erase`) depends on the country where the person is; an agreement
    can only shorten it. Working days are those of the office that has to act.
    """
    with begin() as tx:
        if directory_queries.find_country(tx, country) is None:
            raise NotFound("The directory has no such country.")
        items = deadline_queries.list_in_force(tx, country)
        return render(TimeLimitsInForce(items=items), if_none_match=if_none_match)


@router.get(
    "/time-limits/{of}/{deadline}/{priority}",
    response_model=TimeLimitOut,
    responses=NOT_FOUND,
)
def get_time_limit(
    begin: ReadDirectory, name: Annotated[str, Depends(read_name)]
) -> Response:
    """Read the time limit that a country or an agreement set for one kind of deadline."""
    with begin() as tx:
        register = administration_actions.TIME_LIMITS.register
        found = administration_queries.get(tx, register, name)
        return render(TimeLimitOut.model_validate(found))


@router.put(
    "/time-limits/{of}/{deadline}/{priority}", response_model=TimeLimitOut, responses=PUT
)
def replace_time_limit(
    begin: WriteDirectory,
    name: Annotated[str, Depends(read_name)],
    expected: Expect,
    limit: PutTimeLimit,
    approval: ApprovalId = None,
) -> Response:
    """Replace or create a time limit of a country or an agreement, for new deadlines.

    Running deadlines do not change, unless the case gets another priority. A change needs
    the approval of a second administrator if a person may then wait longer, an office loses
    a task or data is erased earlier, or an agreement begins or ceases to set a limit. A
    time limit cannot be deleted: set `amount` and `unit` to null.
    """
    require_same_code(name, build_name(limit.of, limit.deadline, limit.priority))
    row = PutRow(name, limit, expected, approval)
    with begin() as tx:
        return replace_row(tx, administration_actions.TIME_LIMITS, row)
