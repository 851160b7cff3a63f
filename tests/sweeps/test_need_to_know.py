"""Ways to get around the need to know, each tried and refused (issue 5, line 3)."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Response

from app.kernel.actors import Role
from tests.support.full_world import filled
from tests.support.operation_calls import ALL
from tests.support.raw_requests import Operation
from tests.support.request_bodies import BODIES
from tests.support.returns import begin
from tests.support.world import (
    WORKERS,
    Json,
    Someone,
    World,
    closing,
    consent,
    done,
    for_services,
    path_of,
    problem,
)

HIDDEN = (404, "not-found")
NO: Json = {"reason": "NO_CAPACITY"}
SELF = (409, "not-a-second-person")
UNUSABLE = (409, "approval-unusable")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead.leads(officer.submits())


def call_operation(one: Someone, operation: Operation, ids: dict[str, str]) -> Response:
    """Call an operation with everything that it requires."""
    path = filled(operation.path, ids | {"section": "needs"}).removeprefix("/v1")
    tag = one.get(f"/cases/{ids['code']}").headers.get("ETag", '"1.0123456789abcdef"')
    said = {"If-Match": tag, "Purpose": "assistance"}
    said |= {"Idempotency-Key": str(uuid4())} if operation.method != "GET" else {}
    body = BODIES.get(operation.name)
    return one.ask(operation.method, path, body, headers=said)


# The account that asks cannot be its own second person.


def asks_to_close(_: World, officer: Someone, lead: Someone) -> Iterator[Any]:
    case = lead.leads(officer.submits())
    yield lead, "close", case, closing()


def asks_to_erase(world: World, officer: Someone, _: Someone) -> Iterator[Any]:
    case = officer.submits()
    done(officer.does("withdraw", case, {"reason": "SENT_IN_ERROR"}))
    roles = {Role.PROTECTION_OFFICER, Role.SUPERVISOR}
    yield world.someone("OVERSIGHT_DEMO", roles), "erase", case, BODIES["erase_case"]


def asks_to_hold(world: World, officer: Someone, _: Someone) -> Iterator[Any]:
    roles = {Role.PROTECTION_OFFICER, Role.SUPERVISOR}
    overseer = world.someone("OVERSIGHT_DEMO", roles)
    yield overseer, "legal-hold", officer.submits(), {"value": "in_force"}


def asks_to_go(world: World, officer: Someone, _: Someone) -> Iterator[Any]:
    home = begin(world, officer, world.someone("KZ_LEAD", WORKERS | {Role.SUPERVISOR}))
    home.goes("assess-origin")
    yield home.lead, "go", home.record, {}
    yield home.lead, "no-go", home.record, BODIES["decide_no_go"]


@pytest.mark.parametrize("asks", [asks_to_close, asks_to_erase, asks_to_hold, asks_to_go])
def test_who_asked_for_a_second_person_is_not_it(
    world: World, officer: Someone, lead: Someone, asks: Callable[..., Iterator[Any]]
) -> None:
    for one, action, record, body in asks(world, officer, lead):
        before = one.sees(record)
        asked = one.does(action, record, body)
        question = f"/approvals/{asked.json()['id']}"

        approved = one.post(f"{question}/approve")

        assert asked.status_code == 202
        assert problem(approved) == SELF
        repeated = one.does(action, record, body, Approval=asked.json()["id"])
        assert problem(repeated) == UNUSABLE
        assert one.sees(record) == before


# No field, header or query of a request opens what nobody agreed to.

OVERRIDES: tuple[Json, ...] = (
    {"override": True},
    {"vital_interest": True},
    {"basis": "vital_interest"},
    {"approved": True},
    {"approval": "00000000-0000-4000-8000-000000000000"},
    {"second_person": "duty 2"},
    {"sides": ["lead"]},
    {"role": "lead"},
    {"actor": "KZ_LEAD"},
    {"now": "2020-01-01T00:00:00Z"},
)


@pytest.fixture
def unsaid(officer: Someone, lead: Someone, shelter: Someone) -> tuple[Json, Json]:
    """Return a case with a shelter that helps, with consent to the needs section only."""
    given = [consent(), for_services(sections=["needs"])]
    case = lead.leads(officer.submits(consents=given))
    return case, done(lead.refers(case, shelter.code))


@pytest.mark.parametrize("override", OVERRIDES, ids=lambda said: next(iter(said)))
def test_nobody_overrides_a_consent_by_saying_so(
    lead: Someone, shelter: Someone, unsaid: tuple[Json, Json], override: Json
) -> None:
    case, _ = unsaid
    path = f"{path_of(case)}/sections/identity"
    [(name, said)] = override.items()

    in_query = shelter.ask("GET", path, params=override, headers={"Purpose": "protection"})
    in_header = shelter.ask("GET", path, headers={"Purpose": "protection", name: str(said)})
    more = {"recipient": shelter.code, "service": "SHELTER", "sections": ["identity"]}
    in_body = lead.creates(f"{path_of(case)}/referrals", more | {"send": True} | override)

    assert problem(in_query) == (422, "request-invalid")
    assert problem(in_header) == HIDDEN
    assert problem(in_body) == (422, "request-invalid")
    assert [r["sections"] for r in done(lead.get("/referrals"))["items"]] == [["needs"]]


def test_danger_to_life_opens_no_section_to_who_says_it(
    lead: Someone, shelter: Someone, unsaid: tuple[Json, Json]
) -> None:
    case, _ = unsaid
    vital = {"reason": "RISK_TO_LIFE", "note": "Two men wait outside"}
    done(lead.creates(f"{path_of(case)}/vital-interests", vital))

    opened = [one.opens(f"{path_of(case)}/sections/identity") for one in (lead, shelter)]
    sent = lead.refers(case, shelter.code, sections=["identity"])

    assert [problem(answer) for answer in opened] == [HIDDEN, HIDDEN]
    assert sent.status_code == 409


def test_an_approval_that_nobody_gave_allows_nothing(lead: Someone, case: Json) -> None:
    made_up = lead.does("close", case, closing(), Approval=str(uuid4()))

    assert problem(made_up) == UNUSABLE
    assert lead.sees(case)["state"] == "referring"


# A list can only be filtered by what its reader may read.


def test_a_filter_finds_what_the_reader_reads_and_nothing_else(
    officer: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    done(lead.refers(case, shelter.code))
    officer.submits()
    tag = {"If_Match": lead.tag(case)}
    done(lead.ask("PATCH", path_of(case), {"priority": "normal"}, headers=tag))
    done(lead.does("relocate", case, {"country": "UZ"}))

    for one in (officer, lead, shelter):
        shown = done(one.get("/cases"))["items"]
        for name, values, read in FILTERS:
            for value in values:
                found = done(one.get("/cases", **{name: value}))["items"]
                fitting = [item for item in shown if value in read(item)]
                assert found == fitting, (one.code, name, value)
    assert {item["notice"]["country"] for item in done(officer.get("/cases"))["items"]} == {
        "KZ"
    }


FILTERS: tuple[tuple[str, list[str], Callable[[Json], list[str]]], ...] = (
    ("priority", ["emergency", "urgent", "normal"], lambda c: [c["notice"]["priority"]]),
    ("country", ["KZ", "UZ", "KG"], lambda c: [c["notice"]["country"]]),
    ("state", ["submitted", "referring", "assisting", "closed"], lambda c: [c["state"]]),
    ("stage", ["identification", "referral", "closure"], lambda c: [c["stage"]]),
    ("role", ["submitter", "candidate", "lead", "recipient"], lambda c: list(c["you_are"])),
)


@pytest.mark.parametrize(
    "listed", ["cases", "referrals", "handovers", "worklist", "events"]
)
@pytest.mark.parametrize(
    "asked", ["sort", "order_by", "recipient", "sections", "country_of_origin", "lead"]
)
def test_no_list_is_sorted_or_narrowed_by_what_it_does_not_show(
    lead: Someone, listed: str, asked: str
) -> None:
    refused = lead.get(f"/{listed}", **{asked: "UZ"})

    assert problem(refused) == (422, "request-invalid")


def test_a_list_narrowed_to_a_hidden_case_is_as_empty_as_to_one_that_is_not_there(
    stranger: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    done(lead.refers(case, shelter.code))

    for listed in ("referrals", "handovers"):
        hidden = stranger.get(f"/{listed}", case=case["code"])
        assert done(hidden)["items"] == []
        assert hidden.json() == stranger.get(f"/{listed}", case=NOBODYS).json()


NOBODYS = "SC-7K3F-9QXM-4T2B-3"

# A record of one case is not found under another case of the same office.

NESTED = [one for one in ALL if "code" in one.keys and len(set(one.keys) - {"section"}) > 1]


@pytest.mark.parametrize("operation", NESTED, ids=lambda one: one.name)
def test_a_child_of_another_parent_is_not_there(
    officer: Someone, lead: Someone, operation: Operation
) -> None:
    own, other = (lead.leads(officer.submits()) for _ in range(2))
    children = create_records(lead, other)
    one = officer if operation.name == "answer_holder" else lead
    before = list_records(lead, other)

    mixed = call_operation(one, operation, children | {"code": own["code"]})
    missing = dict.fromkeys(children, str(uuid4())) | {"code": own["code"]}
    nowhere = call_operation(one, operation, missing)

    assert problem(mixed) == problem(nowhere) == HIDDEN
    assert mixed.json() | {"instance": ""} == nowhere.json() | {"instance": ""}
    assert list_records(lead, other) == before
    there = call_operation(one, operation, children | {"code": other["code"]})
    for_oversight = "reading_id" in operation.keys and there.status_code in {403, 409}
    assert there.is_success or for_oversight


def create_records(lead: Someone, case: Json) -> dict[str, str]:
    """Create a consent, a question, a screening and an emergency access in a case."""
    given = done(lead.get(f"{path_of(case)}/consents"))["items"]
    asked = lead.creates(f"{path_of(case)}/questions", BODIES["ask_submitter"])
    reading = lead.creates(f"{path_of(case)}/vital-readings", BODIES["ask_for_reading"])
    return {
        "consent_id": given[-1]["id"],
        "question_id": done(asked)["id"],
        "screening_id": done(lead.screens(case))["id"],
        "reading_id": done(reading)["id"],
    }


def list_records(lead: Someone, case: Json) -> list[Any]:
    """Return the records that belong to a case."""
    parts = ("consents", "questions", "screenings", "vital-readings")
    return [done(lead.get(f"{path_of(case)}/{part}")) for part in parts]


# A former helper gets the same answer as for a case that does not exist.

OF_A_CASE = [one for one in ALL if "code" in one.keys]


def test_a_former_recipient_does_nothing_in_the_case_any_more(
    lead: Someone, shelter: Someone, unsaid: tuple[Json, Json]
) -> None:
    case, referral = unsaid
    ids = create_records(lead, case) | {"code": case["code"]}
    assert shelter.opens(f"{path_of(case)}/sections/needs").is_success
    done(shelter.does("decline", referral, NO))
    before = lead.sees(case)

    answers = {one.name: call_operation(shelter, one, ids) for one in OF_A_CASE}

    assert {name for name, said in answers.items() if problem(said) != HIDDEN} == set()
    assert len(answers) > 40
    assert lead.sees(case) == before
    assert done(shelter.get("/cases"))["items"] == []


def test_a_former_recipient_confirms_that_it_deleted_and_nothing_else(
    shelter: Someone, unsaid: tuple[Json, Json]
) -> None:
    _, referral = unsaid
    done(shelter.does("decline", referral, NO))
    acts = {"acknowledge", "accept", "decline", "start", "complete", "withdraw", "revoke"}
    bodies = {act: BODIES.get(f"{act}_referral") for act in acts}

    refused = {act: shelter.does(act, referral, body) for act, body in bodies.items()}

    assert {problem(answer)[1] for answer in refused.values()} == {"action-illegal"}
    assert problem(shelter.opens(f"{path_of(referral)}/arrangement")) == HIDDEN
    assert shelter.does("confirm-deletion", referral).status_code == 204
    assert problem(shelter.get(path_of(referral))) == HIDDEN
