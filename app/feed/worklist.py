"""The worklist of an office: its tasks, the cases of the tasks, and the counts of both."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any, Final, NotRequired, TypedDict
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Select, func

from app.access.credentials import require_scope
from app.cases import queries as case_queries
from app.cases import statements
from app.cases.lifecycle import OPEN, State
from app.cases.models import Case
from app.casework.overviews import OverviewData, build_overview
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.feed import queries as feed_queries
from app.feed.schemas import WorkCase, WorkCounts, WorkOut
from app.kernel.actors import Relation, Scope
from app.kernel.paging import Key, PageQuery, load_page
from app.kernel.statements import read_text
from app.kernel.transactions import ReadTransaction
from app.returns import arrivals
from app.returns import queries as return_queries
from app.returns.arrivals import Arrival

SOON: Final = timedelta(hours=4)
KEYS: Final = (Clock.due_at, Clock.number)
"""The sort keys of the worklist."""
COLUMNS: Final = (Clock.reference, Clock.kind, Clock.set_at, Clock.case_id, *KEYS)
TASKS: Final = deadline_queries.select_waiting(
    Clock.reference,
    Clock.kind,
    Clock.set_at,
    read_text(Clock.case_id, "case_id"),
    return_queries.HAS_TRAVELLING.label("has_travelling"),
    *KEYS,
)
"""The tasks of an office, and whether the office may wait for a traveller (`Arrival`)."""


class TaskFields(TypedDict):
    """The fields of `WorkOut`, from which JSON is made without creating the object."""

    subject: str
    kind: DeadlineKind
    due_at: datetime
    waiting_since: datetime
    case: NotRequired[WorkCase]


def select_tasks(
    tx: ReadTransaction, moved: Collection[Arrival], *what: Key
) -> Select[*tuple[Any, ...]]:
    """Select columns of the caller's tasks, without the arrivals that are in `moved`."""
    statement = deadline_queries.select_waiting(*what)
    return leave_out(statement, moved).params(me=tx.actor.focal_point_id)


def leave_out(
    tasks: Select[*tuple[Any, ...]], moved: Collection[Arrival]
) -> Select[*tuple[Any, ...]]:
    """Return the statement without the arrivals that are in `moved`."""
    if not moved:
        return tasks
    return tasks.where(Clock.number.not_in([row.number for row in moved]))


def render_worklist(
    tx: ReadTransaction, query: PageQuery, *, with_cases: bool = False
) -> bytes:
    """Return the JSON of `Worklist`: the tasks of the caller's office, most urgent first.

    Raises CursorUnknown (422) if the cursor is invalid, and Forbidden (403) if `with_cases`
    is true and the key of the caller may not read cases.
    """
    rows, after = load_tasks(tx, query)
    cases = load_work_cases(tx, rows) if with_cases else {}
    return format_worklist([show_task(row, cases) for row in rows], after)


def format_worklist(items: Sequence[TaskFields], after: str | None) -> bytes:
    """Return the JSON of `Worklist`, with the cursor of the next page if there is one."""
    page: dict[str, Any] = {"items": items}
    return to_json(page if after is None else page | {"next": after})


def load_tasks(tx: ReadTransaction, query: PageQuery) -> tuple[list[Any], str | None]:
    """Return a page of tasks, and the cursor of the next page if there is one.

    The deadline of a traveller's arrival is stored with a placeholder time; the real time
    comes from the sealed travel plan, which is read only if the office has such a task.
    """
    parameters = {"me": tx.actor.focal_point_id, "before": tx.now + arrivals.HORIZON}
    load = partial(load_page, tx, keys=KEYS, query=query, name="worklist")
    rows, after = load(TASKS, parameters=parameters)
    moved = arrivals.list_waiting(tx) if not rows or rows[0].has_travelling else []
    if not moved:
        return rows, after
    return load(leave_out(TASKS, moved), parameters=parameters, extra_rows=moved)


def show_task(row: Any, cases: Mapping[UUID, WorkCase]) -> TaskFields:
    """Return the fields of a task, with its case if it is among the cases."""
    fields: TaskFields = {
        "subject": row.reference,
        "kind": row.kind,
        "due_at": row.due_at,
        "waiting_since": row.set_at,
    }
    if cases and (case := cases.get(get_case_id(row))):
        fields["case"] = case
    return fields


def get_case_id(row: Any) -> UUID:
    """Return the case id of a row of `TASKS` or of an arrival."""
    return UUID(str(row.case_id))


def list_case_tasks(
    tx: ReadTransaction, case_ids: Collection[UUID]
) -> Mapping[UUID, list[WorkOut]]:
    """Return the tasks of the caller's office by case, most urgent first.

    Raises Forbidden (403) if the caller may not read the worklist.
    """
    require_scope(tx.actor, Scope.FEED_READ)
    moved = arrivals.list_waiting(tx)
    statement = select_tasks(tx, moved, *COLUMNS).where(Clock.case_id.in_(case_ids))
    extra = [row for row in moved if row.case_id in case_ids]
    rows = sorted([*tx.session.execute(statement), *extra], key=lambda row: row[-2:])
    found: dict[UUID, list[WorkOut]] = {case_id: [] for case_id in case_ids}
    for row in rows:
        found[row.case_id].append(WorkOut.model_validate(show_task(row, {})))
    return found


def load_work_cases(tx: ReadTransaction, rows: Iterable[Any]) -> Mapping[UUID, WorkCase]:
    """Return the cases of tasks, by id. Cases that the caller may not see are left out.

    This does not count as reading the cases. Raises Forbidden (403) if the key of the
    caller may not read cases.
    """
    require_scope(tx.actor, Scope.CASES_READ)
    case_ids = set(map(get_case_id, rows))
    found = case_queries.list_seen(tx, statements.BY_IDS, cases=list(case_ids))
    data = OverviewData.load(tx, found)
    return {case.id: build_work_case(case, data) for case in found}


def build_work_case(case: Case, data: OverviewData) -> WorkCase:
    """Return the fields of a case that the worklist shows."""
    shown = build_overview(case, data)
    is_own = shown.holder == data.reader.code
    return WorkCase(
        code=case.code,
        stage=shown.stage,
        state=shown.state,
        summary=shown.summary,
        sender=shown.submitter if is_own else shown.holder,
    )


def count_work(tx: ReadTransaction) -> WorkCounts:
    """Count the tasks of the caller's office, its requests to others, and its cases."""
    moved, now = arrivals.list_waiting(tx), tx.now
    midnight = deadline_queries.compute_end_of_day(tx, now, tx.actor.focal_point_id)
    bounds = (now, now + SOON, max(now + SOON, midnight + arrivals.SECOND))
    counts = [func.count().filter(Clock.due_at < bound) for bound in bounds]
    row = tx.session.execute(select_tasks(tx, moved, *counts, func.count())).one()
    earlier = [sum(one.due_at < bound for one in moved) for bound in bounds]
    before = [n + more for n, more in zip(row, [*earlier, len(moved)], strict=True)]
    late, soon, today, later = (to - start for start, to in pairwise([0, *before]))
    sent, drafts = count_submitted(tx)
    return WorkCounts(
        waiting=before[-1],
        late=late,
        soon=soon,
        today=today,
        later=later,
        others=feed_queries.count_unanswered(tx),
        sent=sent,
        drafts=drafts,
    )


def count_submitted(tx: ReadTransaction) -> Sequence[int | None]:
    """Return the numbers of open cases that the office submitted, and of its drafts.

    Both numbers are None if the key may not read cases.
    """
    if Scope.CASES_READ not in tx.actor.scopes:
        return None, None
    mine = case_queries.list_own(tx, [Relation.SUBMITTER], State, None, None)
    columns = [
        func.count().filter(Case.state.in_(states)) for states in (OPEN, [State.DRAFT])
    ]
    return tx.session.execute(mine.with_only_columns(*columns)).one()
