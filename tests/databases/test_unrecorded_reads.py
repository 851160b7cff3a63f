"""A read is recorded for a record or its event in the feed, not for lists or `include`.

The delivery evidence must say that an office has read a case only if it did. A screen that
draws a list, or a page of a case, must therefore leave the evidence as it is.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from app.api.case_parts import CasePart
from app.feed.schemas import Rank
from app.kernel.actors import SERVICE
from app.kernel.db import Base
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

ALL = [part.value for part in CasePart]
GIVEN = [
    make_consent(),
    make_consent(focal_point="IOM"),
    make_service_consent(),
    make_handover_consent("UZ_LEAD"),
]
DESK = "DESK_CENTRAL_ASIA"
GIVEN_TO_REACH = {
    "KZ_LEAD": GIVEN,
    DESK: [make_consent(focal_point="KZ_SHELTER_KOGERSHIN")],
}
"""The consents of a case, by the office that gets the case first."""


@pytest.fixture
def asked(world: World, officer: Someone) -> Mapping[str, Someone]:
    """Return people of offices that have different relations to cases, or none."""
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    given: Json = {"consents": GIVEN, "safeguards": guards}
    candidate = world.add_person("KZ_LEAD")
    officer.submit(**given)
    officer.submit(consents=GIVEN_TO_REACH[DESK])
    case = candidate.take_lead(officer.submit(**given))
    unwrap(candidate.refer(case, "KZ_SHELTER_KOGERSHIN"))
    unwrap(candidate.offer(case, "UZ_LEAD"))
    return {
        "candidate": candidate,
        "recipient": world.add_person("KZ_SHELTER_KOGERSHIN"),
        "successor": world.add_person("UZ_LEAD"),
        "oversight": world.add_person("OVERSIGHT_DEMO"),
        "submitter": officer,
        "desk": world.add_person(DESK),
        "stranger": world.add_person("TT_SAFE_HARBOUR"),
    }


def draw_screens(one: Someone) -> int:
    """Request each list and page as the screens do, and return the number of pages."""
    unwrap(one.get("/worklist", include="summary"))
    unwrap(one.get("/worklist/counts"))
    unwrap(one.get("/cases", sort="due_at", include="tasks"))
    unwrap(one.get("/cases", sent=True))
    cases = unwrap(one.get("/cases"))["items"]
    for case in cases:
        unwrap(one.get(f"/cases/{case['code']}", include=ALL))
        unwrap(one.send("/cases/search", {"code": case["code"]}))
    return len(cases)


def read_evidence(one: Someone) -> list[Json]:
    """Return the evidence of every case that a person sees."""
    codes = [case["code"] for case in one.list_all("/cases")]
    return [unwrap(one.get(f"/cases/{code}/evidence")) for code in codes]


def read_rows(world: World) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with world.database.begin_read(SERVICE) as session:
        return {
            table.name: list(session.execute(select(table)))
            for table in Base.metadata.sorted_tables
        }


def test_drawing_lists_and_pages_leaves_the_evidence_of_every_case_as_it_was(
    world: World, asked: Mapping[str, Someone]
) -> None:
    rows, evidence = read_rows(world), read_evidence(asked["oversight"])

    drawn = {name: draw_screens(one) for name, one in asked.items()}

    assert read_evidence(asked["oversight"]) == evidence
    assert read_rows(world) == rows
    assert {name for name, cases in drawn.items() if not cases} == {"stranger"}


def list_ranks(evidence: list[Json]) -> list[int]:
    return [item["rank"] for case in evidence for item in case["items"]]


@pytest.mark.parametrize(("headers", "status"), [({}, 200), ({"If-None-Match": "*"}, 304)])
def test_reading_a_case_without_include_is_evidence_and_reading_it_again_is_not(
    world: World, asked: Mapping[str, Someone], headers: dict[str, str], status: int
) -> None:
    candidate, oversight = asked["candidate"], asked["oversight"]
    draw_screens(candidate)
    [first, *_] = candidate.list_all("/cases", state="submitted")
    before = Counter(list_ranks(read_evidence(oversight)))

    answer = candidate.ask("GET", f"/cases/{first['code']}", headers=headers)

    assert answer.status_code == status
    after, rows = Counter(list_ranks(read_evidence(oversight))), read_rows(world)
    assert after - before == {Rank.RETRIEVED: 1}
    assert before - after == {Rank.AVAILABLE: 1}
    unwrap(candidate.get(f"/cases/{first['code']}"))
    assert read_rows(world) == rows


def test_passing_the_event_of_a_case_in_the_feed_is_evidence(
    asked: Mapping[str, Someone],
) -> None:
    candidate, oversight = asked["candidate"], asked["oversight"]
    before = sum(list_ranks(read_evidence(oversight)))
    draw_screens(candidate)

    candidate.poll()
    candidate.poll()

    assert sum(list_ranks(read_evidence(oversight))) > before


def count_statements(one: Someone, path: str, **query: Any) -> int:
    with record_statements(one.world.database) as statements:
        unwrap(one.get(path, **query))
    return len(statements)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/worklist", {"include": "summary"}),
        ("/worklist/counts", {}),
        ("/cases", {"include": "tasks"}),
        ("/cases", {"sort": "due_at", "sent": True}),
    ],
)
@pytest.mark.parametrize("holder", GIVEN_TO_REACH)
def test_longer_list_needs_no_more_statements(
    world: World, officer: Someone, path: str, query: Json, holder: str
) -> None:
    consents = GIVEN_TO_REACH[holder]
    officer.submit(consents=consents)
    reader = officer if "sent" in query else world.add_person(holder)
    of_one = count_statements(reader, path, **query)
    for _ in range(4):
        officer.submit(consents=consents)

    assert count_statements(reader, path, **query) == of_one
    assert len(unwrap(reader.get("/cases"))["items"]) == 5
