"""The access matrix reports each response that differs from its tables."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.raw_requests import Answer
from tests.sweeps.matrix.asking import table_of, wrong_names, wrong_sight, wrong_status
from tests.sweeps.matrix.reading import Table, Verdict, relation, rows
from tests.sweeps.matrix.stages import Stage

TABLE = Table(
    tuple(
        rows(
            [
                "= both: lead lead/* helper",
                "* | * | nobody: 401; administrator: 403",
                "open_it | closed | both: 404+",
                "| * | lead lead/officer: 200+ needs @IOM; both: 403",
                "list_it | * | *: 200; */officer: 403",
            ]
        )
    )
)


@pytest.mark.parametrize(
    ("operation", "stage", "who", "status"),
    [
        ("open_it", "open", "lead", 200),
        ("open_it", "open", "lead/officer", 200),
        ("open_it", "open", "lead/analyst", 403),
        ("open_it", "open", "helper", 403),
        ("open_it", "open", "helper/officer", 404),
        ("open_it", "open", "stranger", 404),
        ("open_it", "open", "nobody", 401),
        ("open_it", "open", "administrator", 403),
        ("open_it", "closed", "lead", 404),
        ("list_it", "open", "stranger", 200),
        ("list_it", "open", "stranger/officer", 403),
        ("list_it", "open", "stranger/analyst", 404),
        ("list_it", "open", "nobody", 401),
    ],
)
def test_the_first_row_that_fits_says_what_is_expected(
    operation: str, stage: str, who: str, status: int
) -> None:
    assert TABLE.verdict(operation, stage, who).status == status


def test_a_row_says_which_entries_texts_and_names_there_are() -> None:
    shown = TABLE.verdict("open_it", "open", "lead")

    assert shown == Verdict(200, 1, frozenset({"needs"}), frozenset({"IOM"}))
    assert TABLE.verdict("open_it", "closed", "lead").entries == 1


def test_an_operation_without_a_row_is_not_passed_over() -> None:
    with pytest.raises(AssertionError, match="has no row for write_it at stage open"):
        TABLE.verdict("write_it", "open", "lead")


def test_an_office_that_is_not_named_is_a_stranger() -> None:
    assert relation("assisting", "sana/officer") == "lead/officer"
    assert relation("assisting", "elsewhere") == "stranger"
    assert relation("draft", "sana") == "stranger"
    assert relation("draft", "revoked") == "revoked"


ANSWER = Answer(200, [], b'{"summary": "Zq-needs-assisting-", "author": "KZ_LEGAL_AID"}')
DUE = Verdict(200, 0, frozenset({"needs"}))
STAGE = Stage("assisting", {})


def list_faults(answer: Answer, due: Verdict, may: frozenset[str] | None) -> Iterator[str]:
    yield from wrong_status(due, answer)
    yield from wrong_sight(due, answer, STAGE)
    yield from wrong_names(due, answer, b"", may)


def test_what_is_as_it_is_written_is_no_fault() -> None:
    assert list(list_faults(ANSWER, DUE, frozenset({"KZ_LEGAL_AID"}))) == []
    assert list(list_faults(ANSWER, DUE, None)) == []
    assert (
        list(list_faults(ANSWER, replace(DUE, names=frozenset({"*"})), frozenset())) == []
    )


@pytest.mark.parametrize(
    ("answer", "due", "fault"),
    [
        (ANSWER, replace(DUE, status=404), "200 , not 404"),
        (ANSWER, replace(DUE, sees=frozenset()), "seen"),
        (ANSWER, replace(DUE, sees=frozenset({"needs", "safety"})), "seen"),
        (replace(ANSWER, content=b'{"summary": "Zq-needs-suspended-"}'), DUE, "seen"),
        (replace(ANSWER, content=b"{}"), DUE, "seen"),
        (replace(ANSWER, headers=[(b"x", b"Zq-identity-assisting-")]), DUE, "seen"),
        (ANSWER, DUE, "named ['KZ_LEGAL_AID']"),
    ],
)
def test_what_is_otherwise_is_a_fault(answer: Answer, due: Verdict, fault: str) -> None:
    assert any(fault in found for found in list_faults(answer, due, frozenset()))


def test_a_text_in_a_refusal_is_a_fault() -> None:
    body = json.dumps({"type": "/problems/not-found", "detail": "Zq-health-draft-"})
    refusal = Answer(404, [], body.encode())

    assert list(wrong_sight(Verdict(404), refusal, STAGE)) != []
    assert list(wrong_status(Verdict(403), refusal)) != []


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("INSERT INTO access_entry (id, at) VALUES (?, ?)", "access_entry"),
        ('INSERT INTO "case" (id) VALUES (?)', "case"),
        ('UPDATE "case" SET state=? WHERE 1', "case"),
        ("DELETE FROM sealed WHERE 1", "sealed"),
    ],
)
def test_a_statement_names_the_table_it_writes(statement: str, table: str) -> None:
    assert table_of(statement) == table
