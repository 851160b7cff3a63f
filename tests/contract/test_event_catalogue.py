"""Tests that the catalogue has the events of the code, and docs/events.md shows them."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import pytest

from app.api.http.event_schemas import FACT_SCHEMAS
from app.casework import emergency
from app.casework.lateness import LATENESS_RULES, NOUN_BY_PATH, Noun
from app.cli import generated_pages
from app.deadlines.following import CHOSEN_DATES, PRIORITY_KINDS
from app.feed.event_types import load_facts, load_types
from app.kernel.stored_names import STORED_TYPES
from app.kernel.transactions import RecordIdentity
from tests.support.event_check import find_faults, take_faults
from tests.support.source_code import ROOT, TREES
from tests.support.world import Json, World

CASE: Final = "cases/SC-1"
ID: Final = UUID(int=7)
NOUNS: Final = "case|referral|handover|return|consent|approval|account|webhook|focal_point"
WRITTEN: Final = re.compile(rf"({NOUNS})\.[a-z_]*[a-z]")
COMPOSED: Final = re.compile(rf"f'({NOUNS})\.|f'{{\w+}}\.\w*changed")
NO_EVENTS: Final = {
    "account.grant_roles",  # actions that need an approval
    "account.make_key",
    "account.open",
    "account.register_public_key",
    "account.rotate_key",
    "case.hold",
    "case.take_over",
    "webhook.open",
    "webhook.failed",  # lines of the log
    "webhook.tried",
    "webhook.ping",  # a message to a receiver
    "referral.id",  # a column
}
COMPOSERS: Final = {
    "app/casework/closing.py",  # actions that need an approval
    "app/casework/confirmations.py",
    "app/casework/erasing.py",
    "app/casework/lead_replacement.py",
    "app/returns/decisions.py",
    "app/casework/emergency.py",  # see `list_composed`
    "app/deadlines/following.py",
}
"""Files with an f-string that looks like the name of an event."""


def list_nodes[N: ast.AST](kind: type[N]) -> Iterator[tuple[str, N]]:
    """Yield each node of a kind in the code of the service, with the path of its file."""
    for file, tree in TREES.items():
        yield from ((file, node) for node in ast.walk(tree) if isinstance(node, kind))


def list_composed() -> set[str]:
    """Return the names of events that the code does not write in full."""
    kinds = PRIORITY_KINDS - CHOSEN_DATES
    nouns = {noun for noun, kind in LATENESS_RULES if kind in kinds}
    of_case = set(Noun) - set(NOUN_BY_PATH.values())
    subjects = {Noun.CASE if noun in of_case else noun for noun in nouns}
    access = (emergency.REQUESTED, emergency.GRANTED, emergency.REFUSED)
    ends = (emergency.EXPIRED, emergency.ENDED)
    return {f"{noun}.due_changed" for noun in subjects} | {*access, *ends}


def test_catalogue_contains_every_event_that_the_code_names() -> None:
    texts = {node.value for _, node in list_nodes(ast.Constant)}
    written = {t for t in texts if isinstance(t, str) and WRITTEN.fullmatch(t)}
    written -= set(STORED_TYPES.values())
    written = {name for name in written if not name.endswith(".html")}
    composers = {
        file
        for file, node in list_nodes(ast.JoinedStr)
        if COMPOSED.match(ast.unparse(node))
    }
    names = [event.name for event in load_types()]

    assert written >= NO_EVENTS
    assert set(names) == written - NO_EVENTS | list_composed()
    assert composers == COMPOSERS
    assert len(set(names)) == len(names)


def test_each_fact_is_described_once_and_used() -> None:
    facts = [fact.name for fact in load_facts()]
    used = {fact for event in load_types() for fact in event.facts}

    assert set(facts) == used
    assert len(set(facts)) == len(facts)
    assert {fact.kind for fact in load_facts()} == FACT_SCHEMAS.keys()


def test_each_description_is_a_sentence() -> None:
    texts = [event.when for event in load_types()]
    texts += [fact.description for fact in load_facts()]

    assert [text for text in texts if not (text[:1].isupper() and text[-1:] == ".")] == []


def test_page_lists_the_catalogue() -> None:
    page = (ROOT / "docs" / "events.md").read_text("utf-8")

    assert generated_pages.render_pages()["docs/events.md"] == page, "make docs"
    for event in load_types():
        assert f"| `{event.name}` | `{event.subject}` | {event.when} |" in page


def test_contract_accepts_types_and_facts_that_it_does_not_list() -> None:
    document: Json = json.loads((ROOT / generated_pages.CONTRACT).read_text("utf-8"))
    schemas = document["components"]["schemas"]
    event, facts = schemas["EventOut"]["properties"], schemas["EventFacts"]

    assert event["type"]["$ref"].endswith("/AnyEventType")
    assert event["facts"]["$ref"].endswith("/EventFacts")
    types = schemas["AnyEventType"]
    assert types["x-extensible-enum"] == [one.name for one in load_types()]
    assert types.keys() & {"enum", "const"} == set()
    assert facts["properties"].keys() == {fact.name for fact in load_facts()}
    assert facts["additionalProperties"] is True
    assert "required" not in facts


@pytest.mark.parametrize(
    ("event", "reference", "facts", "fault"),
    [
        ("case.invented", CASE, {}, "case.invented: not in event_types.csv"),
        ("case.drafted", "referrals/1", {}, "case.drafted: about referrals"),
        ("case.drafted", CASE, {"state": "draft"}, "case.drafted: state is no fact of it"),
        ("case.submitted", CASE, {"state": 1}, "case.submitted: state is no code"),
        ("case.submitted", CASE, {"state": "a b"}, "case.submitted: state is no code"),
        ("case.asked", CASE, {"question": "1"}, "case.asked: question is no id"),
        ("case.visited", CASE, {"early": 1}, "case.visited: early is no boolean"),
        ("consent.expiring", CASE, {"days": True}, "consent.expiring: days is no number"),
        (
            "case.summary_changed",
            CASE,
            {"fields": [1]},
            "case.summary_changed: fields is no list",
        ),
    ],
)
def test_check_finds_what_the_catalogue_lacks(
    event: str, reference: str, facts: dict[str, Any], fault: str
) -> None:
    assert list(find_faults(event, reference, facts)) == [fault]


def test_check_accepts_what_the_catalogue_contains() -> None:
    facts = {"deadline": "review", "missed": 2, "active": False, "subject": CASE}

    assert list(find_faults("approval.expired", "approvals/1", facts)) == []
    assert list(find_faults("case.asked", CASE, {"question": str(ID)})) == []
    assert list(find_faults("account.created", "accounts/1", {"roles": ["officer"]})) == []


def test_every_event_that_is_recorded_is_checked(world: World) -> None:
    with world.write_as_service() as tx:
        tx.record("case.invented", RecordIdentity(ID, ID, CASE), frozenset())

    assert take_faults() == ["case.invented: not in event_types.csv"]
