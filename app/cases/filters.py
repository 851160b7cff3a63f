"""Filters of lists: by what a case says and where it is, as the caller reads it."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, case, exists, literal, select

from app.cases.grants import Condition, Grant, list_relations
from app.cases.lifecycle import Stage, State, states_in
from app.cases.models import Case, Party
from app.cases.records import HandedOn
from app.kernel.work import Reading


def is_mine(work: Reading, party: type[Party] = Party) -> tuple[ColumnElement[bool], ...]:
    """Keep the party rows this focal point has now."""
    mine = party.focal_point_id == work.actor.focal_point_id
    return mine, party.until.is_(None)


def says(work: Reading, field: str, asked: str) -> ColumnElement[bool]:
    """Keep the cases whose notice, as this focal point reads it, says what is asked.

    As `situation.notice_for` shows it: a list must not tell a submitter what the notice
    that it handed on does not, nor a State body what was not so when it was asked (R11,
    R12).
    """
    kept, now = HandedOn.case_id == Case.id, getattr(Case, field) == asked
    is_live = is_granted(work, Grant.SUMMARY)
    then = exists().where(kept, getattr(HandedOn, field) == asked)
    snapshot = as_asked(work, "notice", field)
    return case(
        (is_live, now),
        (snapshot.is_not(None), snapshot == asked),
        (exists().where(kept), then),
        else_=now,
    )


def is_in(work: Reading, states: Iterable[State]) -> ColumnElement[bool]:
    """Keep the cases that are in one of some states, as this focal point reads them."""
    wanted, snapshot = list(states), as_asked(work, "state")
    is_live = is_granted(work, Grant.STATE)
    return case((is_live, Case.state.in_(wanted)), else_=snapshot.in_(wanted))


def is_at(work: Reading, stages: Iterable[Stage]) -> ColumnElement[bool]:
    """Keep the cases that are at one of some stages, as this focal point reads them.

    As `lifecycle.stage_of` has it: a suspended case stays at the stage it had.
    """
    wanted = frozenset(stages)
    states, snapshot = states_in(wanted), as_asked(work, "state")
    sought = Case.suspended_while_referring & (Case.state == State.SUSPENDED)
    now = case(
        (sought, literal(Stage.REFERRAL in wanted)), else_=Case.state.in_(list(states))
    )
    is_live = is_granted(work, Grant.STATE)
    return case((is_live, now), else_=snapshot.in_(list(states)))


def is_granted(work: Reading, grant: Grant) -> ColumnElement[bool]:
    """Keep the cases of which this focal point is granted something as it is now."""
    every, following = list_relations(grant), list_relations(grant, Condition.FOLLOWS)
    follows = Party.relation.in_(following) & Party.as_asked.is_(None)
    mine = (Party.case_id == Case.id, *is_mine(work))
    return exists().where(*mine, Party.relation.in_(every) | follows).correlate(Case)


def as_asked(work: Reading, *path: str) -> ColumnElement[Any]:
    """Select what the last snapshot that this focal point reads of a case says."""
    mine = (Party.case_id == Case.id, *is_mine(work), Party.as_asked.is_not(None))
    said = select(Party.as_asked[path].as_string()).where(*mine)
    last = said.order_by(Party.number.desc()).limit(1)
    return last.correlate(Case).scalar_subquery()
