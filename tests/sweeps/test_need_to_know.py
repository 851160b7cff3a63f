"""Every attempt of an office to read or do more than it may is refused."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Response

from app.kernel.actors import Role
from tests.support.full_world import fill_path
from tests.support.operation_calls import ALL
from tests.support.raw_requests import Operation
from tests.support.request_bodies import BODIES
from tests.support.returns import begin_return
from tests.support.world import (
    WORKERS,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    make_closure,
    make_consent,
    make_service_consent,
    unwrap,
)

HIDDEN = (404, "not-found")
NO: Json = {"reason": "NO_CAPACITY"}
SELF = (409, "not-a-second-person")
UNUSABLE = (409, "approval-unusable")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead.take_lead(officer.submit())


def call_operation(one: Someone, operation: Operation, ids: dict[str, str]) -> Response:
    """Call an operation with all headers and the body that it requires."""
    path = fill_path(operation.path, ids | {"section": "needs"}).removeprefix("/v1")
    tag = one.get(f"/cases/{ids['code']}").headers.get("ETag", '"1.0123456789abcdef"')
    headers = {"If-Match": tag, "Purpose": "assistance"}
    headers |= {"Idempotency-Key": str(uuid4())} if operation.method != "GET" else {}
    body = BODIES.get(operation.name)
    return one.ask(operation.method, path, body, headers=headers)


# The caller cannot be its own second person.


def asks_to_close(_: World, officer: Someone, lead: Someone) -> Iterator[Any]:
    case = lead.take_lead(officer.submit())
    yield lead, "close", case, make_closure()


def asks_to_erase(world: World, officer: Someone, _: Someone) -> Iterator[Any]:
    case = officer.submit()
    unwrap(officer.does("withdraw", case, {"reason": "SENT_IN_ERROR"}))
    roles = {Role.PROTECTION_OFFICER, Role.SUPERVISOR}
    yield world.add_person("OVERSIGHT_DEMO", roles), "erase", case, BODIES["erase_case"]


def asks_to_hold(world: World, officer: Someone, _: Someone) -> Iterator[Any]:
    roles = {Role.PROTECTION_OFFICER, Role.SUPERVISOR}
    overseer = world.add_person("OVERSIGHT_DEMO", roles)
    yield overseer, "legal-hold", officer.submit(), {"value": "in_force"}


def asks_to_go(world: World, officer: Someone, _: Someone) -> Iterator[Any]:
    home = begin_return(
        world, officer, world.add_person("KZ_LEAD", WORKERS | {Role.SUPERVISOR})
    )
    home.advance("assess-origin")
    yield home.lead, "go", home.record, {}
    yield home.lead, "no-go", home.record, BODIES["decide_no_go"]


@pytest.mark.parametrize("asks", [asks_to_close, asks_to_erase, asks_to_hold, asks_to_go])
def test_who_asked_for_a_second_person_is_not_it(
    world: World, officer: Someone, lead: Someone, asks: Callable[..., Iterator[Any]]
) -> None:
    for one, action, record, body in asks(world, officer, lead):
        before = one.read(record)
        answer = one.does(action, record, body)
        question = f"/approvals/{answer.json()['id']}"

        approved = one.send(f"{question}/approve")

        assert answer.status_code == 202
        assert get_problem(approved) == SELF
        repeated = one.does(action, record, body, Approval=answer.json()["id"])
        assert get_problem(repeated) == UNUSABLE
        assert one.read(record) == before


# No field, header or query of a request opens a section without a consent.

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
    """Return a case and a referral to a shelter; the consent covers only the needs."""
    given = [make_consent(), make_service_consent(sections=["needs"])]
    case = lead.take_lead(officer.submit(consents=given))
    return case, unwrap(lead.refer(case, shelter.code))


@pytest.mark.parametrize("override", OVERRIDES, ids=lambda said: next(iter(said)))
def test_nobody_overrides_a_consent_by_saying_so(
    lead: Someone, shelter: Someone, unsaid: tuple[Json, Json], override: Json
) -> None:
    case, _ = unsaid
    path = f"{get_path(case)}/sections/identity"
    [(name, said)] = override.items()

    in_query = shelter.ask("GET", path, params=override, headers={"Purpose": "protection"})
    in_header = shelter.ask("GET", path, headers={"Purpose": "protection", name: str(said)})
    more = {"recipient": shelter.code, "service": "SHELTER", "sections": ["identity"]}
    in_body = lead.create(f"{get_path(case)}/referrals", more | {"send": True} | override)

    assert get_problem(in_query) == (422, "request-invalid")
    assert get_problem(in_header) == HIDDEN
    assert get_problem(in_body) == (422, "request-invalid")
    assert [r["sections"] for r in unwrap(lead.get("/referrals"))["items"]] == [["needs"]]


def test_danger_to_life_opens_no_section_to_who_says_it(
    lead: Someone, shelter: Someone, unsaid: tuple[Json, Json]
) -> None:
    case, _ = unsaid
    vital = {"reason": "RISK_TO_LIFE", "note": "Two men wait outside"}
    unwrap(lead.create(f"{get_path(case)}/vital-interests", vital))

    opened = [one.open(f"{get_path(case)}/sections/identity") for one in (lead, shelter)]
    sent = lead.refer(case, shelter.code, sections=["identity"])

    assert [get_problem(answer) for answer in opened] == [HIDDEN, HIDDEN]
    assert sent.status_code == 409


def test_an_approval_that_nobody_gave_allows_nothing(lead: Someone, case: Json) -> None:
    made_up = lead.does("close", case, make_closure(), Approval=str(uuid4()))

    assert get_problem(made_up) == UNUSABLE
    assert lead.read(case)["state"] == "referring"


# A list can be filtered only by values that its reader may read.


def test_a_filter_finds_what_the_reader_reads_and_nothing_else(
    officer: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    unwrap(lead.refer(case, shelter.code))
    officer.submit()
    tag = {"If_Match": lead.get_tag(case)}
    unwrap(lead.ask("PATCH", get_path(case), {"priority": "normal"}, headers=tag))
    unwrap(lead.does("relocate", case, {"country": "UZ"}))

    for one in (officer, lead, shelter):
        shown = unwrap(one.get("/cases"))["items"]
        for name, values, read in FILTERS:
            for value in values:
                found = unwrap(one.get("/cases", **{name: value}))["items"]
                fitting = [item for item in shown if value in read(item)]
                assert found == fitting, (one.code, name, value)
    assert {
        item["summary"]["country"] for item in unwrap(officer.get("/cases"))["items"]
    } == {"KZ"}


FILTERS: tuple[tuple[str, list[str], Callable[[Json], list[str]]], ...] = (
    ("priority", ["emergency", "urgent", "normal"], lambda c: [c["summary"]["priority"]]),
    ("country", ["KZ", "UZ", "KG"], lambda c: [c["summary"]["country"]]),
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

    assert get_problem(refused) == (422, "request-invalid")


def test_a_list_narrowed_to_a_hidden_case_is_as_empty_as_to_one_that_is_not_there(
    stranger: Someone, lead: Someone, shelter: Someone, case: Json
) -> None:
    unwrap(lead.refer(case, shelter.code))

    for listed in ("referrals", "handovers"):
        hidden = stranger.get(f"/{listed}", case=case["code"])
        assert unwrap(hidden)["items"] == []
        assert hidden.json() == stranger.get(f"/{listed}", case=NOBODYS).json()


NOBODYS = "SC-7K3F-9QXM-4T2B-3"

# A record of one case is not found under another case of the same office.

NESTED = [
    one
    for one in ALL
    if "code" in one.path_names and len(set(one.path_names) - {"section"}) > 1
]


@pytest.mark.parametrize("operation", NESTED, ids=lambda one: one.name)
def test_a_child_of_another_parent_is_not_there(
    officer: Someone, lead: Someone, operation: Operation
) -> None:
    own, other = (lead.take_lead(officer.submit()) for _ in range(2))
    children = create_records(lead, other)
    one = officer if operation.name == "answer_question" else lead
    before = list_records(lead, other)

    mixed = call_operation(one, operation, children | {"code": own["code"]})
    missing = dict.fromkeys(children, str(uuid4())) | {"code": own["code"]}
    nowhere = call_operation(one, operation, missing)

    assert get_problem(mixed) == get_problem(nowhere) == HIDDEN
    assert mixed.json() | {"instance": ""} == nowhere.json() | {"instance": ""}
    assert list_records(lead, other) == before
    there = call_operation(one, operation, children | {"code": other["code"]})
    for_oversight = "access_id" in operation.path_names and there.status_code in {403, 409}
    assert there.is_success or for_oversight


def create_records(lead: Someone, case: Json) -> dict[str, str]:
    """Create a consent, a question, a screening and an emergency access in a case."""
    given = unwrap(lead.get(f"{get_path(case)}/consents"))["items"]
    question = lead.create(f"{get_path(case)}/questions", BODIES["ask_submitter"])
    reading = lead.create(
        f"{get_path(case)}/emergency-access", BODIES["request_emergency_access"]
    )
    return {
        "consent_id": given[-1]["id"],
        "question_id": unwrap(question)["id"],
        "screening_id": unwrap(lead.screen(case))["id"],
        "access_id": unwrap(reading)["id"],
    }


def list_records(lead: Someone, case: Json) -> list[Any]:
    """Return the lists of the records that belong to a case."""
    parts = ("consents", "questions", "screenings", "emergency-access")
    return [unwrap(lead.get(f"{get_path(case)}/{part}")) for part in parts]


# A former helper gets the same response as for a case that does not exist.

OF_A_CASE = [one for one in ALL if "code" in one.path_names]


def test_a_former_recipient_does_nothing_in_the_case_any_more(
    lead: Someone, shelter: Someone, unsaid: tuple[Json, Json]
) -> None:
    case, referral = unsaid
    ids = create_records(lead, case) | {"code": case["code"]}
    assert shelter.open(f"{get_path(case)}/sections/needs").is_success
    unwrap(shelter.does("decline", referral, NO))
    before = lead.read(case)

    answers = {one.name: call_operation(shelter, one, ids) for one in OF_A_CASE}

    assert {name for name, said in answers.items() if get_problem(said) != HIDDEN} == set()
    assert len(answers) > 40
    assert lead.read(case) == before
    assert unwrap(shelter.get("/cases"))["items"] == []


def test_a_former_recipient_confirms_that_it_deleted_and_nothing_else(
    shelter: Someone, unsaid: tuple[Json, Json]
) -> None:
    _, referral = unsaid
    unwrap(shelter.does("decline", referral, NO))
    acts = {"acknowledge", "accept", "decline", "start", "complete", "withdraw", "revoke"}
    bodies = {act: BODIES.get(f"{act}_referral") for act in acts}

    refused = {act: shelter.does(act, referral, body) for act, body in bodies.items()}

    assert {get_problem(answer)[1] for answer in refused.values()} == {"action-illegal"}
    assert get_problem(shelter.open(f"{get_path(referral)}/arrangement")) == HIDDEN
    assert shelter.does("confirm-deletion", referral).status_code == 204
    assert get_problem(shelter.get(get_path(referral))) == HIDDEN
