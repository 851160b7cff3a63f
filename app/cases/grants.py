"""The table of the grants that each relation to a case gives.

An office has the grants of all its relations to a case, and no others (R11, R12, ADR 34).
There are other tables for sections and other sealed documents (`app/disclosure/policy.py`)
and for actions (`app/*/lifecycle.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Final

from app.kernel.actors import Relation


class Grant(StrEnum):
    """A permission to see a part of a case, to receive an event, or to make a request."""

    CASE = "case"
    STATE = "state"
    AS_ASKED = "as_asked"
    SUMMARY = "summary"
    ALL_SERVICES = "all_services"
    COUNTRY = "country"
    LEAD = "lead"
    SUBMITTER = "submitter"
    DUE_AT = "due_at"
    CLOSURE_REASON = "closure_reason"
    CONTINUES_IN = "continues_in"
    NEXT_LEAD = "next_lead"
    WRITTEN = "written"
    ROUTING = "routing"
    EMERGENCY_ACCESS = "emergency_access"
    SUMMARY_EVENTS = "summary_events"
    MISSED_DEADLINES = "missed_deadlines"
    EVENT_FACTS = "event_facts"
    CLOSING_FACTS = "closing_facts"
    ACTORS = "actors"


GRANT_TEXTS: Final[dict[Grant, str]] = {
    Grant.CASE: "the case: its code, and the office's own actions",
    Grant.STATE: "the current stage and state of the case",
    Grant.AS_ASKED: "stage, state, summary, `lead` and `holder` as stored earlier; only "
    "those whose current value the office may not read",
    Grant.SUMMARY: "the current summary, with at least the services asked of the office",
    Grant.ALL_SERVICES: "every service and urgent need in the current summary",
    Grant.COUNTRY: "deadlines that depend on the country where the person is now",
    Grant.LEAD: "`lead` and `holder`",
    Grant.SUBMITTER: "`submitter`",
    Grant.DUE_AT: "`due_at` of the case",
    Grant.CLOSURE_REASON: "`closure_reason`",
    Grant.CONTINUES_IN: "`continues_in`, if the office can see the other case",
    Grant.NEXT_LEAD: "`next_lead`, if the lead does not act",
    Grant.WRITTEN: "`risk`, `version`, which sections exist, and their events",
    Grant.ROUTING: "the list of the offices that are asked to lead",
    Grant.EMERGENCY_ACCESS: "requests for emergency access",
    Grant.SUMMARY_EVENTS: "`case.summary_changed`",
    Grant.MISSED_DEADLINES: "events of missed deadlines of the case",
    Grant.EVENT_FACTS: "all facts of the events of the case, not only the state",
    Grant.CLOSING_FACTS: "all facts of the event when the case is closed",
    Grant.ACTORS: "which office acted, in all that the office reads by this relation",
}
"""The text of each grant in docs/privacy.md."""


class Condition(StrEnum):
    """A condition that must hold for a row of the table of grants to apply.

    For data that was recorded earlier, `NEVER_LED`, `NOT_RELOCATED`, `IN_SIGHT` and
    `FOLLOWS` are evaluated for the time of the recording. `FOLLOWS`, `HELPS` and `WORKS`
    depend on one relation to one record (ADR 43, ADR 90).
    """

    BEFORE_LEAD = "before_lead"
    UNLED = "unled"
    NEVER_LED = "never_led"
    NOT_RELOCATED = "not_relocated"
    NOT_IN_TRANSIT = "not_in_transit"
    IN_SIGHT = "in_sight"
    IS_HOLDER = "is_holder"
    FOLLOWS = "follows"
    HELPS = "helps"
    WORKS = "works"


CONDITION_TEXTS: Final[dict[Condition, str]] = {
    Condition.BEFORE_LEAD: "until a lead takes the case, or it is closed",
    Condition.UNLED: "until a lead takes the case, or it is closed, withdrawn or discarded",
    Condition.NEVER_LED: "until a lead takes the case",
    Condition.NOT_RELOCATED: "unless the person crossed a border before that",
    Condition.NOT_IN_TRANSIT: "except after the person crossed a border, "
    "while no office leads",
    Condition.IN_SIGHT: "until the first lead leaves the case, or the person crosses a "
    "border while the case has no lead",
    Condition.IS_HOLDER: "while the office holds the case",
    Condition.FOLLOWS: "until its help is completed, or the person crosses a border to a "
    "country where the office does not work; never for a State body asked for a travel "
    "document",
    Condition.HELPS: "until its help is completed; never for a State body asked for a "
    "travel document",
    Condition.WORKS: "until its help is completed",
}
"""The text of each condition in docs/privacy.md."""


@dataclass(frozen=True)
class Row:
    """A row of the table of grants, which applies while all its conditions hold."""

    relations: frozenset[Relation]
    grants: frozenset[Grant]
    conditions: frozenset[Condition] = frozenset()


def build_row(
    relations: Iterable[Relation], grants: Iterable[Grant], *conditions: Condition
) -> Row:
    """Build a row of the table of grants from relations, grants and conditions."""
    return Row(frozenset(relations), frozenset(grants), frozenset(conditions))


_R, _G, _C = Relation, Grant, Condition
CASE_RELATIONS: Final = frozenset(
    {_R.CANDIDATE, _R.LEAD, _R.DESK, _R.ESCALATION_DESK, _R.OVERSIGHT}
)
"""Relations to the case itself, except those of the submitter and of a former lead."""
RECORD_RELATIONS: Final = frozenset({_R.RECIPIENT, _R.HANDOVER_CANDIDATE})
"""Relations to a referral or handover of the case, except former ones."""
WORKING_RELATIONS: Final = (CASE_RELATIONS | RECORD_RELATIONS) - {_R.OVERSIGHT}
_SUBMITTER: Final = {_R.SUBMITTER}
_LIMITED = {_G.WRITTEN, _G.CONTINUES_IN, _G.NEXT_LEAD, _G.EMERGENCY_ACCESS, _G.AS_ASKED}
_TO_HELP: Final = {_G.STATE, _G.SUMMARY}
_WHERE_AND_WHO: Final = {_G.COUNTRY, _G.LEAD, _G.ACTORS}

GRANTS: Final = (
    build_row(_SUBMITTER, {_G.CASE, _G.SUBMITTER}),
    build_row(_SUBMITTER, {_G.STATE}, _C.NOT_IN_TRANSIT),
    build_row(_SUBMITTER, {_G.SUMMARY, _G.ALL_SERVICES}, _C.NEVER_LED, _C.NOT_RELOCATED),
    build_row(_SUBMITTER, {_G.COUNTRY, _G.DUE_AT}, _C.BEFORE_LEAD, _C.NOT_RELOCATED),
    build_row(_SUBMITTER, {_G.EMERGENCY_ACCESS}, _C.BEFORE_LEAD, _C.NOT_RELOCATED),
    build_row(_SUBMITTER, {_G.CLOSURE_REASON, _G.SUMMARY_EVENTS}, _C.BEFORE_LEAD),
    build_row(_SUBMITTER, {_G.ROUTING, _G.MISSED_DEADLINES}, _C.BEFORE_LEAD, _C.IN_SIGHT),
    build_row(_SUBMITTER, {_G.WRITTEN}, _C.UNLED, _C.NOT_RELOCATED),
    build_row(_SUBMITTER, {_G.LEAD, _G.ACTORS}, _C.IN_SIGHT),
    build_row(_SUBMITTER, {_G.EVENT_FACTS}, _C.NEVER_LED, _C.IN_SIGHT),
    build_row(CASE_RELATIONS, set(Grant) - _LIMITED),
    build_row(CASE_RELATIONS, {_G.WRITTEN, _G.CONTINUES_IN}, _C.IS_HOLDER),
    build_row({_R.OVERSIGHT}, {_G.CONTINUES_IN}),
    build_row({_R.ESCALATION_DESK}, {_G.NEXT_LEAD}),
    build_row(WORKING_RELATIONS - {_R.RECIPIENT}, {_G.EMERGENCY_ACCESS}),
    build_row({_R.HANDOVER_CANDIDATE}, {*_TO_HELP, *_WHERE_AND_WHO}),
    build_row({_R.HANDOVER_CANDIDATE}, {_G.CASE, _G.ALL_SERVICES}),
    build_row({_R.RECIPIENT}, {_G.CASE, _G.AS_ASKED}),
    build_row({_R.RECIPIENT}, {_G.EMERGENCY_ACCESS}, _C.WORKS),
    build_row({_R.RECIPIENT}, _TO_HELP, _C.HELPS),
    build_row({_R.RECIPIENT}, _WHERE_AND_WHO, _C.FOLLOWS),
)


@cache
def list_grants(relation: Relation, holds: frozenset[Condition]) -> frozenset[Grant]:
    """Return the grants that one relation gives while the given conditions hold."""
    rows = (r for r in GRANTS if relation in r.relations and r.conditions <= holds)
    return frozenset[Grant]().union(*(r.grants for r in rows))


def list_relations(grant: Grant, *holds: Condition) -> frozenset[Relation]:
    """Return the relations that give a grant while the conditions hold, for SQL filters."""
    rows = (r for r in GRANTS if grant in r.grants and r.conditions <= set(holds))
    return frozenset[Relation]().union(*(r.relations for r in rows))


@dataclass(frozen=True)
class CaseHistory:
    """The times of the events that limit what the submitter of a case may see."""

    led_since: datetime | None
    relocated_at: datetime | None
    parted_at: datetime | None


def list_conditions(course: CaseHistory, at: datetime | None = None) -> set[Condition]:
    """Return the conditions on the history of a case that hold now, or held at `at`."""

    def is_yet_to_come(moment: datetime | None) -> bool:
        return moment is None or (at is not None and at < moment)

    conditions = {
        Condition.NEVER_LED: course.led_since,
        Condition.NOT_RELOCATED: course.relocated_at,
        Condition.IN_SIGHT: course.parted_at,
    }
    return {one for one, moment in conditions.items() if is_yet_to_come(moment)}
