"""Records of a case that are loaded with one statement equal those that the rules query."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, inspect, select

from app.cases import emergency_access, questions, rule_documents
from app.cases import queries as case_queries
from app.cases.models import Case, CaseKey
from app.casework import case_files
from app.consents import queries as consent_queries
from app.consents.models import Consent
from app.deadlines import queries as deadline_queries
from app.directory import queries as directory_queries
from app.handovers import queries as handover_queries
from app.kernel.actors import Relation
from app.kernel.db import Base
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction
from app.referrals import queries as referral_queries
from app.returns import queries as return_queries
from tests.support.databases import record_statements
from tests.support.world import (
    Json,
    Someone,
    World,
    make_consent,
    make_handover_consent,
    make_service_consent,
    unwrap,
)

PRESUMED = {"name": "identification", "value": "presumed", "country": "KZ"}
RULES_READ = (
    case_queries.load_facts,
    case_queries.load_latest_risks,
    case_queries.load_snapshots,
    case_queries.find_in_vital_interest,
    case_queries.list_written_sections,
    consent_queries.list_for_cases,
    deadline_queries.find_running,
    handover_queries.find_cases_on_offer,
    handover_queries.list_of_cases,
    questions.find_unanswered,
    referral_queries.list_states,
    return_queries.list_open,
    rule_documents.list_routing,
    rule_documents.list_safeguards,
    rule_documents.load_safeguards,
)
"""The functions that take ids of cases, and whose results one statement loads."""


@pytest.fixture
def cases(officer: Someone, lead: Someone) -> list[Json]:
    """Return a case with a lead, a referral, a handover and more, and a submitted case."""
    consents = [make_consent(), make_service_consent(), make_handover_consent()]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    full = lead.take_lead(officer.submit(consents=consents, safeguards=guards))
    unwrap(lead.refer(full, "KZ_SHELTER_KOGERSHIN"))
    unwrap(lead.offer(full, "UZ_LEAD"))
    path = f"/cases/{full['code']}"
    unwrap(lead.create(f"{path}/questions", {"topics": ["needs"], "question": "Why?"}))
    unwrap(lead.create(f"{path}/facts", PRESUMED))
    unwrap(lead.create(f"{path}/risk-assessments", {"level": "high"}))
    return [full, officer.submit(consents=consents[:1])]


def describe(value: Any) -> Any:
    """Return a value with records replaced by their columns, and tuples by lists."""
    if isinstance(value, Base):
        columns = {one.key for one in inspect(type(value)).column_attrs}
        shown = {name: getattr(value, name, "not loaded") for name in columns}
        return type(value).__name__, {name: describe(one) for name, one in shown.items()}
    if isinstance(value, Mapping):
        return {key: describe(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [describe(one) for one in value]
    return value


def read_all(tx: ReadTransaction, ids: list[Any]) -> dict[str, Any]:
    """Return the results of all functions for the given cases."""
    office, account = tx.actor.focal_point_id, tx.actor.account_id
    results: dict[str, Any] = {load.__name__: load(tx, ids) for load in RULES_READ}
    for name in ("list_routing", "list_safeguards"):  # their order is not defined
        results[name] = sorted(results[name], key=lambda found: found[0].id)
    results["by_id"] = directory_queries.by_id(tx, office)
    results["list_own"] = emergency_access.list_own(tx, account, ids)
    return {name: describe(result) for name, result in results.items()}


@pytest.fixture
def ids(lead: Someone, cases: list[Json]) -> list[Any]:
    """Return the ids of the cases."""
    codes = [case["code"] for case in cases]
    with lead.begin_read() as tx:
        found = select(Case.id).where(Case.code.in_(codes)).order_by(Case.number)
        return list(tx.session.scalars(found))


def test_loaded_records_equal_those_that_rules_read(lead: Someone, ids: list[Any]) -> None:
    require_equal_results(lead, ids, lead.begin_read, case_files.list_cases)


def test_loaded_records_of_a_write_equal_those_that_rules_read(
    lead: Someone, ids: list[Any]
) -> None:
    require_equal_results(lead, ids, lead.begin_write, case_files.load_rule_records)


def require_equal_results(
    lead: Someone,
    ids: list[Any],
    begin: Callable[[], AbstractContextManager[ReadTransaction]],
    load: Callable[[ReadTransaction, list[Any]], object],
) -> None:
    """Check that the rules get equal results after `load`, without another statement."""
    with lead.begin_read() as tx:
        expected = read_all(tx, ids)
    with begin() as tx:
        load(tx, ids)
        with record_statements(lead.world.database) as statements:
            found = read_all(tx, ids)

    assert found == expected
    assert statements == []


def test_loaded_case_equals_the_case_that_a_session_loads(
    lead: Someone, cases: list[Json]
) -> None:
    code = cases[0]["code"]
    with lead.begin_read() as tx:
        expected = case_queries.get(tx, code)
        parties = expected.parties
    with lead.begin_read() as tx:
        found = case_files.get_case(tx, code)

    assert describe(found) == describe(expected)
    assert describe(found.parties) == describe(parties)
    assert found.with_relation(Relation.LEAD) == lead.actor.focal_point_id


def test_cases_are_listed_in_the_given_order(lead: Someone, ids: list[Any]) -> None:
    with lead.begin_read() as tx:
        assert case_files.list_cases(tx, []) == []
        for order in (ids, ids[::-1]):
            assert [case.id for case in case_files.list_cases(tx, order)] == order


def test_loaded_record_of_a_write_belongs_to_the_session(
    lead: Someone, ids: list[Any]
) -> None:
    with lead.begin_write() as tx:
        known = tx.session.scalars(select(Consent).where(Consent.case_id == ids[0])).first()
        case_files.load_rule_records(tx, ids)
        [consent, *others] = consent_queries.list_for_cases(tx, ids)[ids[0]]
        consent.withdrawn_at = tx.now
        given = [consent, *others, *consent_queries.list_for_cases(tx, ids)[ids[0]]]

    assert known in given
    assert len({id(one) for one in given}) == len(given) / 2
    with lead.begin_read() as tx:
        assert tx.session.get_one(Consent, consent.id).withdrawn_at is not None


def test_written_records_are_read_again(lead: Someone, ids: list[Any]) -> None:
    with lead.begin_write() as tx:
        case_files.load_rule_records(tx, ids)
        clocks = deadline_queries.find_running(tx, ids)
        clocks[ids[0]].due_at += timedelta(days=1)
        with record_statements(lead.world.database) as statements:
            case_files.load_rule_records(tx, ids)
            consent_queries.list_for_cases(tx, ids)
            found = deadline_queries.find_running(tx, ids)

    assert found == clocks
    verified, *others = [one.split()[0] for one in statements]
    assert (verified, others) == ("SELECT", ["UPDATE", "SELECT"])


def test_records_are_loaded_again_after_a_lock(
    lead: Someone, cases: list[Json], ids: list[Any]
) -> None:
    with lead.begin_write() as tx:
        case_files.load_rule_records(tx, ids)
        case_queries.lock(tx, cases[0]["code"])
        with record_statements(lead.world.database) as statements:
            case_files.load_rule_records(tx, ids)

    assert len(statements) == 1


def test_destroyed_key_makes_only_the_safeguards_unreadable(
    world: World, lead: Someone, cases: list[Json], ids: list[Any]
) -> None:
    with world.write_as_service() as tx:
        tx.session.execute(delete(CaseKey).where(CaseKey.case_id == ids[0]))

    with lead.begin_read() as tx:
        case = case_files.get_case(tx, cases[0]["code"])
        assert [key for _, key in rule_documents.list_safeguards(tx, [case.id])] == [None]
        with pytest.raises(NotFound):
            rule_documents.load_safeguards(tx, [case.id])


def test_relationships_of_a_loaded_record_can_be_read(
    lead: Someone, cases: list[Json]
) -> None:
    path = f"/cases/{cases[0]['code']}"

    with lead.begin_read() as tx:
        case = case_files.get_case(tx, cases[0]["code"])
        [fact] = case_queries.load_facts(tx, [case.id])[case.id]
        assert fact.case.code == case.code

    found = unwrap(lead.get(path, include="facts"))["included"]["facts"]
    assert found == unwrap(lead.get(f"{path}/facts"))
