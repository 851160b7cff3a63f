"""Tests of the comparison with another commit, which plant differences and find them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.differential.__main__ import CONTRACT, list_common_operations
from tests.differential.expected import drop_expected
from tests.differential.names import Names
from tests.differential.pair import Pair
from tests.differential.search import Search, format_difference, format_tally
from tests.differential.service import Service
from tests.differential.walk import ANSWERING, NO_KEY, SECONDS, WRONG_KEY, Walker
from tests.support.checkouts import ROOT
from tests.support.databases import Copy
from tests.support.in_thread import run_in_thread

OPERATIONS = list_common_operations(ROOT, ROOT)
FIRST = "00000000-0000-4000-8000-000000000001"
SECOND = "00000000-0000-4000-8000-000000000002"

type Json = dict[str, Any]
type Change = Callable[[Json, Json, Counter[str]], None]


def change_nothing(_: Json, __: Json, ___: Counter[str]) -> None:
    """Leave a response as it is."""


def change_header(command: Json, answer: Json, _: Counter[str]) -> None:
    """Add a header to each response of one operation."""
    if command.get("target", "").startswith("/v1/worklist/counts"):
        answer["headers"].append(["x-planted", "1"])


def change_status_after_new_case(command: Json, answer: Json, seen: Counter[str]) -> None:
    """Change 200 to 206 in responses about cases, but only after a case was created."""
    if answer.get("status") == 201 and command["target"] == "/v1/cases":
        seen["created"] += 1
    if command.get("target", "").startswith("/v1/cases/SC") and answer["status"] == 200:
        answer["status"] = 206 if seen["created"] else 200


@dataclass
class LocalSide:
    """A service that runs in this process, and whose responses a function changes."""

    service: Service
    change: Change
    seen: Counter[str] = field(default_factory=Counter)
    answer: Json = field(default_factory=dict)

    def send(self, command: Json) -> None:
        if command["do"] == "begin":
            self.seen.clear()
        self.answer = self.service.run(dict(command))
        self.change(command, self.answer, self.seen)

    def receive(self) -> Json:
        return self.answer


@contextmanager
def open_local_pair(copy: Copy, change: Change) -> Iterator[Pair]:
    """Yield two services in this process. `change` changes the responses of the second."""
    with run_in_thread() as loops:
        one, other = Service(copy, loops), Service(copy, loops)
        with one.stack, other.stack:
            yield Pair([LocalSide(one, change_nothing), LocalSide(other, change)])


@pytest.mark.slow
def test_one_tree_answers_alike_in_two_worlds(copy: Copy) -> None:
    with open_local_pair(copy, change_nothing) as pair:
        search = Search(pair, OPERATIONS, seed=3, say=lambda _: None)

        assert search.run(300) is None

    statuses = search.tally.count_statuses()
    assert search.tally.count_requests() == 300
    assert statuses[200] > 100
    assert "300 requests" in "\n".join(format_tally(search.tally))


@pytest.mark.slow
@pytest.mark.sweep
@pytest.mark.whole
@pytest.mark.parametrize(
    ("change", "most", "sign"),
    [
        (change_header, 1, "+x-planted: 1"),
        (change_status_after_new_case, 2, "+206"),
    ],
)
def test_planted_difference_is_found_with_its_shortest_cause(
    copy: Copy, change: Change, most: int, sign: str
) -> None:
    with open_local_pair(copy, change) as pair:
        found = Search(pair, OPERATIONS, seed=3, say=lambda _: None).run(3000)

    assert found
    assert len(found.steps) == most
    assert sign in list(format_difference(found))


def test_values_are_equal_by_their_first_appearance() -> None:
    names = Names()

    one, other = names.rename((f"{FIRST} {SECOND}", f"{SECOND} {FIRST}"), 0)

    assert one == other
    one, other = names.rename((FIRST, FIRST), 1)
    assert one != other


@pytest.mark.parametrize(
    "value",
    [
        FIRST,
        "SC-8QS0-WS17-5JTJ-V",
        "T95X-G8G1",
        f"sc_0123456789_{'A' * 43}",
        '"1.0123456789abcdef"',
        "whsec_AAAA",
    ],
)
def test_random_value_has_a_name(value: str) -> None:
    [renamed] = {*Names().rename((value, value), 0)}

    assert value not in renamed
    assert "0.0" in renamed


@pytest.mark.parametrize(
    "value",
    ["KZ_SHELTER_KOGERSHIN", "2026-06-01T12:00:00Z", "/problems/needs-unmet", "404"],
)
def test_fixed_value_is_compared_as_it_is(value: str) -> None:
    assert Names().rename((value, value), 0) == (value, value)


def test_request_has_the_values_of_each_side() -> None:
    names = Names()
    names.rename((FIRST, SECOND), 0)

    template = names.write_template(f"/v1/cases/{FIRST}")
    literals = names.list_literals(template)

    assert names.fill(template, 0, literals) == f"/v1/cases/{FIRST}"
    assert names.fill(template, 1, literals) == f"/v1/cases/{SECOND}"
    assert Names().fill(template, 1, literals) == f"/v1/cases/{FIRST}"


def test_operations_of_one_commit_are_left_out(tmp_path: Path) -> None:
    contract = json.loads((ROOT / CONTRACT).read_text("utf-8"))
    contract["paths"] = {"/v1/new": contract["paths"].pop("/v1/worklist")} | contract[
        "paths"
    ]
    (tmp_path / CONTRACT).parent.mkdir()
    (tmp_path / CONTRACT).write_text(json.dumps(contract), "utf-8")

    common = list_common_operations(tmp_path, ROOT)

    assert len(common) == len(OPERATIONS) - 1
    assert {one.path for one in OPERATIONS} - {one.path for one in common} == {
        "/v1/worklist"
    }


def make_key_answer(status: int = 200, **key: str) -> Json:
    """Return an answer with an API key, and with the length of its body in a header."""
    body = json.dumps({"items": [key]})
    headers = [["content-length", str(len(body))], ["cache-control", "no-store"]]
    return {"status": status, "headers": headers, "body": body}


def test_only_the_links_of_keys_may_differ_from_an_earlier_commit() -> None:
    earlier = make_key_answer(prefix="abc", key="sc_abc_secret")
    later = make_key_answer(prefix="abc", link="sck_abc", link_expires_at="2026-06-01")
    other = make_key_answer(prefix="abd", link="sck_abd")
    dropped = drop_expected("list_keys", earlier)

    assert dropped == drop_expected("list_keys", later)
    assert dropped != drop_expected("list_keys", other)
    assert json.loads(dropped["body"]) == {"items": [{"prefix": "abc"}]}
    assert drop_expected("list_accounts", earlier) == earlier


def test_error_of_an_operation_on_keys_is_compared_as_it_is() -> None:
    refused = make_key_answer(403, key="sc_abc_secret")

    assert drop_expected("list_keys", refused) == refused


def test_walk_tries_each_operation_each_person_and_each_header() -> None:
    keys = {name: f"sc_{name}" for name in (*ANSWERING, *SECONDS, "stranger", "revoked")}
    walk = Walker(OPERATIONS, Random(1), keys).walk()
    missing = {"status": 404, "headers": [], "body": ""}
    names, people, headers, ask = set[str](), set[str](), set[str](), next(walk)

    for _ in range(30_000):
        if ask.operation:
            names.add(ask.operation.name)
            headers |= ask.arguments["headers"].keys()
        people.add(ask.person)
        ask = walk.send(missing if ask.operation else {"due": 0})

    declared = {name for one in OPERATIONS for name in one.list_parameters("header")}
    assert names == {one.name for one in OPERATIONS}
    assert people >= {*keys, NO_KEY, WRONG_KEY}
    assert headers >= declared
