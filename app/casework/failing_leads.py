"""Leads that do not act, and submitters that cannot act while a desk has their case."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from app.access.office_staff import is_closed_or_unattended
from app.cases.lifecycle import State
from app.cases.models import Case
from app.cases.reasons import TakeOverReason
from app.deadlines import missed_deadlines
from app.deadlines.miss_counts import MISSES_TO_ESCALATE
from app.directory import queries as directory_queries
from app.kernel.actors import Relation
from app.kernel.problems import Problem
from app.kernel.transactions import ReadTransaction
from app.returns import queries as return_queries


class LeadNotFailing(Problem):
    """The lead is active and has not missed three deadlines."""

    status = 409


def find_failures(
    tx: ReadTransaction, cases: Iterable[Case]
) -> Mapping[UUID, frozenset[TakeOverReason]]:
    """Return the reasons to replace the lead of each case, by case id.

    The set of reasons is empty if the lead acts, or if the case has no lead.
    """
    found = {case.id: case.with_relation(Relation.LEAD) for case in cases}
    leads = {case_id: lead for case_id, lead in found.items() if lead}
    reasons = dict.fromkeys(found, frozenset[TakeOverReason]())
    if not leads:
        return reasons
    unless = return_queries.IS_POSTPONED
    counts = missed_deadlines.count_missed_deadlines(tx, leads, unless=unless)
    offices = directory_queries.by_ids(tx, set(leads.values()))
    for case_id, lead in leads.items():
        holds = {
            TakeOverReason.LEAD_INACTIVE: is_closed_or_unattended(tx, offices[lead]),
            TakeOverReason.LEAD_SILENT: counts[case_id] >= MISSES_TO_ESCALATE,
        }
        reasons[case_id] = frozenset(reason for reason, is_so in holds.items() if is_so)
    return reasons


def is_failing(tx: ReadTransaction, case: Case) -> bool:
    """Return whether there is a reason to replace the lead of a case."""
    return bool(find_failures(tx, [case])[case.id])


def is_submitter_gone(tx: ReadTransaction, case: Case) -> bool:
    """Return whether a submitted case is at a desk, and its submitter can no longer act.

    A submitter can no longer act if it is closed, or if none of its accounts has been able
    to work on cases for a day.
    """
    at_desk = case.state == State.SUBMITTED and case.with_relation(Relation.DESK)
    return bool(at_desk) and is_closed_or_unattended(
        tx, directory_queries.by_id(tx, case.submitter)
    )


def require_failure(tx: ReadTransaction, case: Case, reason: TakeOverReason) -> None:
    """Raise LeadNotFailing (409) unless this reason to replace the lead applies."""
    if reason not in find_failures(tx, [case])[case.id]:
        raise LeadNotFailing("Remind the lead, or wait for its next deadline.")
