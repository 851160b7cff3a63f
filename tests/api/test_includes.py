"""Tests of `include`, and of the order, the counts and the search of lists."""

from collections.abc import Callable

import pytest

from app.kernel.actors import Scope
from tests.support.world import (
    EVERYTHING,
    WORKERS,
    Someone,
    World,
    get_path,
    get_problem,
    make_consent,
    unwrap,
)

STATE_OF_UZ = make_consent(recipient_class={"kind": "state", "country": "UZ"})


@pytest.fixture
def without(world: World, officer: Someone) -> Callable[[Scope], Someone]:
    """Return a function that adds a person of the officer's office without one scope."""

    def add(scope: Scope) -> Someone:
        return world.add_person(officer.code, WORKERS, EVERYTHING - {scope})

    return add


def test_parts_need_the_scope_of_their_own_operation(
    officer: Someone, without: Callable[[Scope], Someone]
) -> None:
    path = get_path(officer.submit())
    refusals = {Scope.REFERRALS_READ: "referrals", Scope.FEED_READ: "tasks"}

    for scope, part in refusals.items():
        shown = unwrap(without(scope).get(path, include=["facts", "referrals", "tasks"]))
        included = shown["included"]
        refused = {"part": part, "status": 403, "type": "/problems/forbidden"}
        assert included["refused"] == [refused]
        assert included.keys() == {"refused", "facts", "referrals", "tasks"} - {part}


def test_tasks_of_a_list_of_cases_need_the_scope_of_the_worklist(
    officer: Someone, without: Callable[[Scope], Someone]
) -> None:
    officer.submit()

    [case] = unwrap(without(Scope.FEED_READ).get("/cases", include="tasks"))["items"]

    refused = {"part": "tasks", "status": 403, "type": "/problems/forbidden"}
    assert case["included"] == {"refused": [refused]}


def test_worklist_shows_and_counts_cases_only_to_a_key_that_reads_cases(
    officer: Someone, without: Callable[[Scope], Someone]
) -> None:
    officer.submit(), unwrap(officer.create_case())
    machine = without(Scope.CASES_READ)

    assert get_problem(machine.get("/worklist", include="summary")) == (403, "forbidden")
    counts = unwrap(machine.get("/worklist/counts"))
    assert (counts["sent"], counts["drafts"]) == (None, None)
    assert counts["waiting"] == len(unwrap(machine.get("/worklist"))["items"]) == 1
    counts = unwrap(officer.get("/worklist/counts"))
    assert (counts["sent"], counts["drafts"]) == (1, 1)


def test_search_and_sent_cases_need_the_scope_that_reads_cases(
    without: Callable[[Scope], Someone],
) -> None:
    machine = without(Scope.CASES_READ)
    sought = {"external_reference": "A/7"}

    assert get_problem(machine.send("/cases/search", sought)) == (403, "forbidden")
    assert get_problem(machine.get("/cases", sent=True)) == (403, "forbidden")


def test_entity_tag_of_a_case_with_parts_allows_the_next_action(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    path = get_path(case)
    page = lead.get(path, include=["tasks", "evidence"])

    plain = lead.get(path)
    assert page.headers["ETag"] != plain.headers["ETag"]
    headers = {"If-None-Match": page.headers["ETag"]}
    again = lead.ask("GET", f"{path}?include=tasks&include=evidence", headers=headers)
    assert again.status_code == 200  # the evidence is `retrieved` now
    acted = lead.send(f"{path}/acknowledge", If_Match=page.headers["ETag"])
    assert acted.is_success, acted.text


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/worklist", {"include": "history"}),
        ("/cases", {"include": "evidence"}),
        ("/cases", {"sort": "code"}),
        ("/cases/{code}", {"include": "notes"}),
        ("/cases/{code}", {"parts": "history"}),
    ],
)
def test_unknown_parts_and_orders_are_refused(
    officer: Someone, path: str, query: dict[str, str]
) -> None:
    case = officer.submit()

    answer = officer.get(path.format(code=case["code"]), **query)

    assert get_problem(answer) == (422, "request-invalid")


@pytest.mark.parametrize(
    "sought",
    [
        {},
        {"code": "SC-7K3F-9QXM-4T2B-3", "external_reference": "A/7"},
        {"code": "SC-7K3F-9QXM-4T2B-4"},
        {"external_reference": "A 7"},
        {"external_reference": ""},
        {"country": "KZ"},
    ],
)
def test_search_takes_one_valid_key(officer: Someone, sought: dict[str, str]) -> None:
    answer = officer.send("/cases/search", sought)

    assert get_problem(answer) == (422, "request-invalid")
    assert not any(value in answer.text for value in sought.values() if value)


def test_search_accepts_a_code_as_a_person_types_it(officer: Someone) -> None:
    case = officer.submit()
    typed = case["code"].lower().replace("-", "")

    found = unwrap(officer.send("/cases/search", {"code": typed}))

    assert found == {"items": [officer.read(case)]}


def test_reference_of_a_withdrawn_case_finds_nothing(officer: Someone) -> None:
    case = officer.submit(external_reference="A/7")
    sought = {"external_reference": "A/7"}
    assert len(unwrap(officer.send("/cases/search", sought))["items"]) == 1

    unwrap(officer.does("withdraw", case, {"reason": "SENT_IN_ERROR"}))

    assert unwrap(officer.send("/cases/search", sought)) == {"items": []}


def test_order_does_not_show_a_deadline_that_crossed_a_border(
    world: World, officer: Someone, lead: Someone
) -> None:
    """The order ignores due times that would reveal the holidays of a new country (R12)."""
    guards = {"country_of_origin": "TM"}
    given = {"consents": [make_consent(), STATE_OF_UZ], "safeguards": guards}
    first, second = officer.submit(**given), officer.submit(**given)
    third = officer.submit(**given, summary={"priority": "emergency"})
    assert lead.does("relocate", third, {"country": "UZ"}).status_code == 204

    cases = unwrap(officer.get("/cases", sort="due_at"))["items"]

    assert [case["code"] for case in cases] == [
        first["code"],
        second["code"],
        third["code"],
    ]
    assert [case["due_at"] is None for case in cases] == [False, False, True]
    there = world.add_person("UZ_LEAD")
    assert unwrap(there.get("/cases", sort="due_at"))["items"][0]["due_at"]


def test_cursor_of_one_order_is_unknown_in_the_other(officer: Someone) -> None:
    officer.submit(), officer.submit()
    page = unwrap(officer.get("/cases", limit=1))
    by_due = unwrap(officer.get("/cases", limit=1, sort="due_at"))

    for query in (
        {"after": page["next"], "sort": "due_at"},
        {"after": by_due["next"], "sort": "added"},
    ):
        answer = officer.get("/cases", **query)
        assert get_problem(answer) == (422, "cursor-unknown")
