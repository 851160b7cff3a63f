"""Each lookup on SQLite uses an index that fits the whole query, without statistics."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import make_url

from tests.support.databases import record_statements
from tests.support.world import Someone, unwrap

BY_READER_ALONE = "USING INDEX ix_party_focal_point_id_number (focal_point_id=?)"


def explain_statements(url: str, statements: list[str]) -> list[str]:
    """Return the steps of SQLite's query plans for these statements."""
    with closing(sqlite3.connect(str(make_url(url).database))) as connection:
        return [
            step[3]
            for statement in statements
            for step in connection.execute(
                f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?")
            )
        ]


@pytest.mark.parametrize("path", ["", "/history", "/evidence"])
def test_one_case_is_not_looked_for_among_all_of_its_reader(
    sqlite_url: str, path: str, officer: Someone
) -> None:
    case = officer.submit()

    with record_statements(officer.world.database) as statements:
        unwrap(officer.get(f"/cases/{case['code']}{path}"))

    lookups = [
        one for one in statements if "FROM party" in one and '"case".code = ?' in one
    ]
    assert lookups
    assert not [
        step for step in explain_statements(sqlite_url, lookups) if BY_READER_ALONE in step
    ]


@pytest.mark.parametrize("path", ["/cases", "/cases/{}"])
def test_records_of_cases_are_looked_up_by_an_index(
    sqlite_url: str, lead: Someone, officer: Someone, path: str
) -> None:
    case = officer.submit()

    with record_statements(officer.world.database) as statements:
        unwrap(lead.get(path.format(case["code"])))

    [lookup] = [one for one in statements if one.startswith("WITH found")]
    steps = explain_statements(sqlite_url, [lookup])
    assert len([one for one in steps if one.startswith("SEARCH")]) > len(RECORDS)
    assert {one for one in steps if "SCAN" in one} <= {SCAN_OF_IDS}
    assert all(any(f"SEARCH {table} " in one for one in steps) for table in RECORDS)


RECORDS = ("party", "consent", "sealed", "clock", "fact", "referral", "handover")
SCAN_OF_IDS = "SCAN value VIRTUAL TABLE INDEX 1:"
"""The step that reads the ids of a page of cases, which are a parameter."""


def test_an_act_does_not_look_for_its_case_among_all_of_its_reader(
    sqlite_url: str, officer: Someone, lead: Someone
) -> None:
    case = officer.submit()

    with record_statements(lead.world.database) as statements:
        unwrap(lead.does("acknowledge", case))

    lookups = [one for one in statements if one.startswith("SELECT") and "party" in one]
    assert lookups
    assert not [
        step for step in explain_statements(sqlite_url, lookups) if BY_READER_ALONE in step
    ]


LISTS = ("cases", "referrals", "handovers", "worklist", "approvals", "events")
FILTERED = (
    "cases?you_are=lead",
    "referrals?side=recipient",
    "referrals?side=lead",
    "handovers?side=lead",
    "referrals?state=sent",
    "cases?state=assisting",
)


@pytest.mark.parametrize("path", [*LISTS, *FILTERED])
def test_a_page_is_read_in_its_order_and_no_further(
    sqlite_url: str, lead: Someone, path: str
) -> None:
    with record_statements(lead.world.database) as statements:
        unwrap(lead.get(f"/{path}"))

    paged = [one for one in statements if "LIMIT" in one and "ORDER BY" in one]
    assert paged
    for statement in paged:
        steps = explain_statements(sqlite_url, [statement])
        assert not [one for one in steps if "TEMP B-TREE" in one or "SCAN" in one]
        # The index is used once for the page, and not once for each row.
        assert len([one for one in steps if BY_READER_ALONE in one]) <= 1
