"""Counts of ended and overdue requests to offices, and how many were answered late."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, case, func, select

from app.deadlines.limits import ANSWERS
from app.deadlines.models import Clock
from app.directory.models import FocalPoint
from app.kernel.statements import make_list_parameter
from app.kernel.transactions import ReadTransaction

OVERDUE: Final = Clock.stopped_at.is_(None) & (Clock.due_at < bindparam("now"))
LATE: Final = (Clock.stopped_at > Clock.due_at) | OVERDUE
MAX_ANSWERS: Final = 100
"""The maximum number of past answers to count for an office, so that routing is fast."""
PAST: Final = (
    select(case((LATE, 1), else_=0).label("late"))
    .where(Clock.waits_on == FocalPoint.id, Clock.set_at >= bindparam("since"))
    .where(Clock.kind.in_(ANSWERS), Clock.stopped_at.is_not(None) | OVERDUE)
    .order_by(Clock.set_at.desc())
    .limit(MAX_ANSWERS)
    .correlate(FocalPoint)
    .subquery()
)
COUNTED: Final = 1000
"""The number that each answer adds to a sum, so that one sum contains two counts: of all
answers and, in its last three digits, of the late answers."""
ANSWERED: Final = select(
    FocalPoint.id,
    select(func.coalesce(func.sum(PAST.c.late + COUNTED), 0)).scalar_subquery(),
).where(FocalPoint.id.in_(make_list_parameter("whom")))


def count_answers(
    tx: ReadTransaction, focal_points: Iterable[UUID], since: datetime
) -> Mapping[UUID, tuple[int, int]]:
    """Count the requests to each office since a time, and how many were answered late.

    Requests that have ended or are overdue count, up to the newest 100 (`MAX_ANSWERS`). An
    overdue request counts as late, and a withdrawn request counts as answered.
    """
    asked = {"whom": list(focal_points), "since": since, "now": tx.now}
    rows = tx.read_columns(ANSWERED, asked)
    return {who: divmod(int(total), COUNTED) for who, total in rows}
