"""Filters for lists of cases, which use only data that the caller may read in each case."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, case, exists, literal, select

from app.cases.grants import Condition, Grant, list_relations
from app.cases.lifecycle import UNLED, Stage, State, list_states
from app.cases.models import Case, Party
from app.cases.records import SummarySnapshot
from app.cases.relations import BEFORE_LEAD
from app.deadlines import queries as deadline_queries
from app.kernel.actors import Relation
from app.kernel.instants import UtcDateTime
from app.kernel.transactions import ReadTransaction

NEVER: Final = literal(datetime(9999, 1, 1, tzinfo=UTC), UtcDateTime)
"""The sort key of cases without a due time that the caller may see; they come last."""


def is_own_party(
    tx: ReadTransaction, party: type[Party] = Party
) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the current party rows of the caller's office."""
    mine = party.focal_point_id == tx.actor.focal_point_id
    return mine, party.until.is_(None)


def matches_summary(tx: ReadTransaction, field: str, asked: str) -> ColumnElement[bool]:
    """Return a condition for cases whose summary, as the caller sees it, has this value.

    The rules are those of `get_summary` in `casework.overviews`, because a list must not
    reveal a newer summary than the caller may read (R11, R12).
    """
    kept, now = SummarySnapshot.case_id == Case.id, getattr(Case, field) == asked
    is_live = is_granted(tx, Grant.COUNTRY if field == "country" else Grant.SUMMARY)
    then = exists().where(kept, getattr(SummarySnapshot, field) == asked)
    snapshot = select_snapshot_value(tx, "notice", field)
    return case(
        (is_live, now),
        (snapshot.is_not(None), snapshot == asked),
        (exists().where(kept), then),
        else_=now,
    )


def is_in_state(tx: ReadTransaction, states: Iterable[State]) -> ColumnElement[bool]:
    """Return a condition for the cases that the caller sees in one of the states."""
    wanted, snapshot = list(states), select_snapshot_value(tx, "state")
    return case(
        (may_see_state(tx), Case.state.in_(wanted)),
        (snapshot.is_not(None), snapshot.in_(wanted)),
        else_=literal(State.SUBMITTED in wanted),
    )


def is_at_stage(tx: ReadTransaction, stages: Iterable[Stage]) -> ColumnElement[bool]:
    """Return a condition for the cases that the caller sees at one of the stages.

    As in `lifecycle.get_stage`, a suspended case keeps the stage that it had before. In a
    snapshot, a suspended case is always at the stage `assistance`.
    """
    wanted = frozenset(stages)
    states, snapshot = list_states(wanted), select_snapshot_value(tx, "state")
    sought = Case.suspended_while_referring & (Case.state == State.SUSPENDED)
    now = case(
        (sought, literal(Stage.REFERRAL in wanted)), else_=Case.state.in_(list(states))
    )
    return case(
        (may_see_state(tx), now),
        (snapshot.is_not(None), snapshot.in_(list(states))),
        else_=literal(State.SUBMITTED in states),
    )


def may_see_state(tx: ReadTransaction) -> ColumnElement[bool]:
    """Return a condition for the cases whose current state the caller may see.

    The rules are those of `get_shown_state` in `cases.snapshots`.
    """
    in_transit = Case.relocated_at.is_not(None) & Case.state.in_(UNLED)
    return is_granted(tx, Grant.STATE) | (
        ~in_transit & is_granted(tx, Grant.STATE, Condition.NOT_IN_TRANSIT)
    )


def is_granted(tx: ReadTransaction, grant: Grant, *holds: Condition) -> ColumnElement[bool]:
    """Return an SQL condition for the cases in which the caller has this grant now.

    Rows of the table of grants that have a condition other than `FOLLOWS`, `HELPS` and
    those that hold do not count.
    """
    every, current = list_relations(grant, *holds), Party.as_asked.is_(None)
    follows = Party.relation.in_(list_relations(grant, Condition.FOLLOWS)) & current
    helping = Party.relation.in_(list_relations(grant, Condition.HELPS))
    helps = helping & (current | Party.as_asked["moved"].as_boolean())
    mine = (Party.case_id == Case.id, *is_own_party(tx))
    allowed = Party.relation.in_(every) | follows | helps
    return exists().where(*mine, allowed).correlate(Case)


def select_snapshot_value(tx: ReadTransaction, *path: str) -> ColumnElement[Any]:
    """Select a value from the latest snapshot of a case that the caller's office reads."""
    mine = (Party.case_id == Case.id, *is_own_party(tx), Party.as_asked.is_not(None))
    said = select(Party.as_asked[path].as_string()).where(*mine)
    last = said.order_by(Party.number.desc()).limit(1)
    return last.correlate(Case).scalar_subquery()


def is_sent(tx: ReadTransaction) -> ColumnElement[bool]:
    """Return a condition for the cases that the caller's office submitted."""
    submitted = (Party.case_id == Case.id, Party.relation == Relation.SUBMITTER)
    return exists().where(*submitted, *is_own_party(tx)).correlate(Case) & (
        Case.state != State.DRAFT
    )


def select_due_at(tx: ReadTransaction) -> ColumnElement[datetime]:
    """Select the due time of a case, or `NEVER` if there is none that the caller may see.

    The rules are those of `show_case` in `casework.situation`, because the order of a list
    must not reveal a deadline that the caller must not see.
    """
    due_at = deadline_queries.select_due_at(Case.id)
    is_early = Case.state.in_(BEFORE_LEAD) & Case.relocated_at.is_(None)
    early = (Condition.BEFORE_LEAD, Condition.NOT_RELOCATED)
    may_know = is_granted(tx, Grant.DUE_AT) | (
        is_early & is_granted(tx, Grant.DUE_AT, *early)
    )
    return case((may_know & due_at.is_not(None), due_at), else_=NEVER)
