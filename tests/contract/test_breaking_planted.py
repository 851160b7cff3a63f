"""Tests that the comparison of contracts finds and judges each planted change."""

import json
from pathlib import Path

import pytest
from compatibility.documents import Changes, compare

from tests.support.contract_edits import (
    NOWHERE,
    Row,
    apply_row,
    find_pointer,
    get_at,
    parse_rows,
    select_operations,
)
from tests.support.source_code import ROOT
from tests.support.world import Json

pytestmark = pytest.mark.slow
WHOLE: Json = json.loads((ROOT / "openapi" / "openapi-3.1.json").read_text("utf-8"))
ROWS = list(parse_rows(Path(__file__).with_name("planted.txt").read_text("utf-8")))
CONTRACT = select_operations(
    WHOLE,
    {
        "list_cases",
        "create_case",
        "get_case",
        "acknowledge_case",
        "suspend_case",
        "open_section",
        "create_key",
        "list_work",
        "list_events",
        "get_reference",
        "record_refusal",
    },
)
"""Operations in which changes are planted; planting in all operations takes minutes."""


def list_broken(changes: Changes) -> set[str]:
    return {change.where for change in changes if change.breaks}


@pytest.mark.sweep
@pytest.mark.parametrize("row", ROWS, ids=[row.title for row in ROWS])
def test_what_is_planted_is_told_where_it_is(row: Row) -> None:
    now = apply_row(CONTRACT, row)

    there, back = compare(CONTRACT, now), compare(now, CONTRACT)

    told = {change.where for change in there}
    assert (bool(list_broken(there)), bool(list_broken(back))) == (
        row.breaks,
        row.undo_breaks,
    ), (
        there,
        back,
    )
    if row.place == NOWHERE:
        assert told == set()
    else:
        assert find_pointer(CONTRACT, row.place) in (
            list_broken(there) if row.breaks else told
        )
    places = told | {change.where for change in back}
    assert [
        p for p in places if get_at(now, p) is None and get_at(CONTRACT, p) is None
    ] == []


def test_thirty_break_and_thirty_do_not() -> None:
    forth = [row.breaks for row in ROWS]

    assert min(forth.count(True), forth.count(False)) >= 30
    assert len({row.title for row in ROWS}) == len(ROWS)


def test_the_contract_breaks_nobody_by_itself() -> None:
    assert compare(WHOLE, WHOLE) == {}
