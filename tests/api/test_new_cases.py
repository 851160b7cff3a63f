"""The records that are assumed for a new case equal the records that a query finds."""

from sqlalchemy import update

from app.cases.queries import get_seen_or_led
from app.cases.questions import find_unanswered
from app.cases.records import Question
from app.casework.new_cases import EMPTY, store_empty_records
from app.kernel.transactions import begin_read, begin_write
from app.routing import queries as routing_queries
from tests.support.world import Someone, unwrap


def test_a_new_case_has_the_records_that_are_stored_without_a_query(
    officer: Someone,
) -> None:
    code = unwrap(officer.create_case())["code"]

    with begin_read(officer.world.runtime, officer.actor) as tx:
        case = get_seen_or_led(tx, code)
        found = [(load, load(tx, [case.id])) for load, _ in EMPTY]
        shortlist = routing_queries.list_rows(tx, case.id)

    assert found == list(EMPTY)
    assert shortlist == []


def test_a_stored_result_ends_when_its_table_is_written(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    asked = {"topics": ["needs"], "question": "Which language?"}
    unwrap(lead.create(f"/cases/{case['code']}/questions", asked))

    with begin_write(lead.world.runtime, lead.actor) as tx:
        case_id = get_seen_or_led(tx, case["code"]).id
        store_empty_records(tx, case_id)
        before = find_unanswered(tx, [case_id])
        tx.session.execute(update(Question).values(topics=["needs"]))
        after = find_unanswered(tx, [case_id])

    assert before == frozenset()
    assert after == {case_id}
