"""Tests of the grants of relations. Several relations grant exactly the union (ADR 34)."""

from datetime import datetime, timedelta
from itertools import combinations
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.cases.grants import (
    CONDITION_TEXTS,
    GRANT_TEXTS,
    GRANTS,
    CaseHistory,
    Condition,
    Grant,
    list_conditions,
    list_grants,
    list_relations,
)
from app.cases.lifecycle import State
from app.cases.relations import Relations
from app.kernel.actors import Relation
from tests.support.world import NOON

CASE, REFERRAL, ME, OTHER = (UUID(int=number) for number in range(1, 5))
OF_RECORD = {Relation.RECIPIENT, Relation.HANDOVER_CANDIDATE, Relation.FORMER_RECIPIENT}
PASSED = timedelta(hours=1)


def build_party(
    relation: Relation,
    office: UUID = ME,
    since: datetime = NOON,
    until: datetime | None = None,
    as_asked: dict[str, Any] | None = None,
) -> Any:
    record = REFERRAL if relation in OF_RECORD else CASE
    return SimpleNamespace(
        record_id=record,
        focal_point_id=office,
        relation=relation,
        since=since,
        until=until,
        as_asked=as_asked,
    )


class ExampleCase(Relations):
    """A case that needs no database."""

    id, relocated_at, country = CASE, None, "KZ"
    state, parties = State.DRAFT, ()


def build_case(state: State, *parties: Any) -> Relations:
    made = ExampleCase()
    made.state, made.parties = state, parties
    return made


LED = build_party(Relation.LEAD, OTHER)


def test_every_grant_and_condition_has_words_and_a_row() -> None:
    assert GRANT_TEXTS.keys() == set(Grant)
    assert CONDITION_TEXTS.keys() == set(Condition)
    assert frozenset[Grant]().union(*(row.grants for row in GRANTS)) == set(Grant)
    used = frozenset[Condition]().union(*(row.conditions for row in GRANTS))
    assert used == set(Condition)


@pytest.mark.parametrize("state", [State.SUBMITTED, State.REFERRING, State.CLOSED])
@pytest.mark.parametrize(
    "pair", list(combinations(Relation, 2)), ids=lambda pair: "-".join(sorted(pair))
)
def test_two_relations_grant_the_union_of_what_each_grants(
    pair: tuple[Relation, Relation], state: State
) -> None:
    others = (LED, build_party(Relation.SUBMITTER, OTHER))

    both = build_case(state, *(build_party(one) for one in pair), *others).get_grants(ME)
    alone = [build_case(state, build_party(one), *others).get_grants(ME) for one in pair]

    assert both == alone[0] | alone[1]


def test_submitter_that_handed_the_case_on_keeps_the_step_and_who_leads() -> None:
    submitted = build_case(State.REFERRING, build_party(Relation.SUBMITTER), LED)

    assert submitted.get_grants(ME) == {
        Grant.CASE,
        Grant.STATE,
        Grant.SUBMITTER,
        Grant.LEAD,
        Grant.ACTORS,
    }


def test_submitter_that_helps_gains_no_deadline_and_no_routing() -> None:
    rows = (build_party(Relation.SUBMITTER), build_party(Relation.RECIPIENT), LED)

    granted = build_case(State.REFERRING, *rows).get_grants(ME)

    assert (
        granted
        & {
            Grant.DUE_AT,
            Grant.ROUTING,
            Grant.WRITTEN,
            Grant.SUMMARY_EVENTS,
            Grant.ALL_SERVICES,
        }
        == set()
    )
    assert Grant.SUMMARY in granted


ASKED: dict[str, Any] = {"state": "referring"}
LIVE = {Grant.STATE, Grant.SUMMARY, Grant.COUNTRY, Grant.LEAD, Grant.ACTORS}


def test_state_body_that_is_asked_for_a_document_does_not_follow_the_case() -> None:
    party = build_party(Relation.RECIPIENT, as_asked=ASKED)
    helps, submitted = build_party(Relation.RECIPIENT), build_party(Relation.SUBMITTER)

    alone, both, also = (
        build_case(State.REFERRING, LED, *rows).get_grants(ME)
        for rows in ([party], [party, submitted], [party, helps])
    )

    assert alone == {Grant.CASE, Grant.AS_ASKED, Grant.EMERGENCY_ACCESS}
    assert both & LIVE == {Grant.STATE, Grant.LEAD, Grant.ACTORS}
    assert also >= LIVE


def test_state_body_that_is_asked_for_a_document_knows_who_acted_before_it_was() -> None:
    party = build_party(Relation.RECIPIENT, since=NOON, as_asked=ASKED)
    made = build_case(State.REFERRING, LED, party)

    granted = [
        made.is_granted_at(ME, Grant.ACTORS, NOON + delta, as_party=False)
        for delta in (-PASSED, timedelta(0), PASSED)
    ]

    assert granted == [True, True, False]


def test_former_parties_are_granted_nothing() -> None:
    past = (build_party(Relation.FORMER_LEAD), build_party(Relation.FORMER_RECIPIENT), LED)

    assert build_case(State.REFERRING, *past).get_grants(ME) == frozenset()


def test_holder_alone_hears_what_is_written_once_somebody_leads() -> None:
    rows = (
        build_party(Relation.SUBMITTER),
        LED,
        build_party(Relation.OVERSIGHT, UUID(int=9)),
    )

    assert build_case(State.REFERRING, *rows).write_audience == {OTHER}
    assert build_case(State.SUBMITTED, *rows).write_audience == {OTHER, ME}


def test_facts_of_an_event_are_granted_by_the_relation_of_its_time() -> None:
    led = build_party(Relation.LEAD, ME, NOON, NOON + PASSED)
    later = build_party(Relation.LEAD, OTHER, NOON + PASSED)
    both = build_case(State.REFERRING, build_party(Relation.SUBMITTER), led, later)

    granted = [
        both.is_granted_at(ME, Grant.EVENT_FACTS, NOON + delta)
        for delta in (-PASSED, PASSED / 2, PASSED, 2 * PASSED)
    ]

    assert granted == [True, True, True, False]


def test_a_border_before_the_first_lead_ends_the_sight_of_the_submitter() -> None:
    crossed = CaseHistory(None, NOON, NOON)

    assert list_conditions(crossed) == {Condition.NEVER_LED}
    before = list_conditions(crossed, NOON - PASSED)
    assert before == {Condition.NEVER_LED, Condition.NOT_RELOCATED, Condition.IN_SIGHT}
    assert list_conditions(crossed, NOON) == {Condition.NEVER_LED}


def test_filters_take_the_relations_that_grant_without_a_condition() -> None:
    assert Relation.SUBMITTER not in list_relations(Grant.SUMMARY)
    assert list_relations(Grant.CASE) == set(Relation) - {
        Relation.FORMER_LEAD,
        Relation.FORMER_RECIPIENT,
    }
    for grant in Grant:
        for relation in list_relations(grant):
            assert grant in list_grants(relation, frozenset())
