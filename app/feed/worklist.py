"""The worklist of an office: its tasks, the cases of the tasks, and the counts of both."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Select, func

from app.access.credentials import require_scope
from app.cases import queries as case_queries
from app.cases import statements
from app.cases.lifecycle import OPEN, State
from app.cases.models import Case
from app.casework.overviews import Visible, build_overview
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.feed import queries as feed_queries
from app.feed.schemas import WorkCase, WorkCounts, Worklist, WorkOut
from app.kernel.actors import Relation, Scope
from app.kernel.paging import Key, PageQuery, load_page
from app.kernel.transactions import ReadTransaction
from app.returns import arrivals
from app.returns.arrivals import Arrival

SOON: Final = timedelta(hours=4)
KEYS: Final = (Clock.due_at, Clock.number)
"""The sort keys of the worklist."""
COLUMNS: Final = (Clock.reference, Clock.kind, Clock.set_at, Clock.case_id, *KEYS)


class Task(Protocol):
    """A running deadline of the caller's office, with the columns in `COLUMNS`."""

    reference: str
    kind: DeadlineKind
    set_at: datetime
    case_id: UUID
    due_at: datetime


def select_tasks(
    tx: ReadTransaction, moved: Collection[Arrival], *what: Key
) -> Select[*tuple[Any, ...]]:
    """Select columns of the caller's tasks, without the arrivals that are in `moved`."""
    statement = deadline_queries.select_waiting(tx, *what)
    if not moved:
        return statement
    return statement.where(Clock.number.not_in([row.number for row in moved]))


def list_worklist(
    tx: ReadTransaction, query: PageQuery, *, with_cases: bool = False
) -> Worklist:
    """List the tasks of the caller's office, most urgent first.

    The deadline of a traveller's arrival is stored with a placeholder time; the real time
    comes from the sealed travel plan. Raises CursorUnknown (422) if the cursor is invalid.
    """
    moved = arrivals.list_waiting(tx)
    statement = select_tasks(tx, moved, *COLUMNS)
    rows, after = load_page(tx, statement, KEYS, query, name="worklist", extra_rows=moved)
    cases = load_work_cases(tx, rows) if with_cases else {}
    return Worklist(items=[build_task(row, cases) for row in rows], next=after)


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
        found[row.case_id].append(build_task(row, {}))
    return found


def build_task(row: Task, cases: Mapping[UUID, WorkCase]) -> WorkOut:
    """Return a task as the API shows it."""
    return WorkOut(
        subject=row.reference,
        kind=row.kind,
        due_at=row.due_at,
        waiting_since=row.set_at,
        case=cases.get(row.case_id),
    )


def load_work_cases(tx: ReadTransaction, rows: Iterable[Task]) -> Mapping[UUID, WorkCase]:
    """Return the cases of tasks, by id, without a read receipt; hidden cases are left out.

    Raises Forbidden (403) if the key of the caller may not read cases.
    """
    require_scope(tx.actor, Scope.CASES_READ)
    case_ids = {row.case_id for row in rows}
    found = case_queries.list_seen(tx, statements.BY_IDS, cases=list(case_ids))
    visible = Visible.load(tx, found)
    return {case.id: build_work_case(case, visible) for case in found}


def build_work_case(case: Case, visible: Visible) -> WorkCase:
    """Return the fields of a case that the worklist shows."""
    shown = build_overview(case, visible)
    is_own = shown.holder == visible.reader.code
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
    """Count the open cases and drafts of the office; None if the key may not read cases."""
    if Scope.CASES_READ not in tx.actor.scopes:
        return None, None
    mine = case_queries.list_own(tx, [Relation.SUBMITTER], State, None, None)
    columns = [
        func.count().filter(Case.state.in_(states)) for states in (OPEN, [State.DRAFT])
    ]
    return tx.session.execute(mine.with_only_columns(*columns)).one()
