"""A case that is closed as a duplicate names the other case of the same person."""

import json
from uuid import UUID

import pytest

from app.cases import erasure
from app.kernel.actors import Role
from app.kernel.codes import create_case_code
from tests.support.erased_cases import lock_case
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    make_closure,
    make_consent,
    unwrap,
)

UNKNOWN_CODE = create_case_code(UUID(int=1))


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead and no referrals."""
    return lead.take_lead(officer.submit())


def close_as_duplicate(lead: Someone, second: Someone, case: Json, other: Json) -> Json:
    body = make_closure(
        reason="DUPLICATE", person_informed=False, continues_in=other["code"].lower()
    )
    return unwrap(lead.does_with(second, "close", case, body))


def test_a_duplicate_names_the_case_that_goes_on_to_holder_and_oversight_alone(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, case: Json
) -> None:
    other = lead.take_lead(officer.submit())

    closed = close_as_duplicate(lead, supervisor, case, other)

    oversight = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    assert closed["continues_in"] == other["code"]
    assert oversight.read(case)["continues_in"] == other["code"]
    assert officer.read(case)["continues_in"] is None
    [event] = [one for one in officer.poll() if one["type"] == "case.closed"]
    assert other["code"] not in json.dumps(event)


@pytest.fixture
def invalid_codes(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, case: Json
) -> dict[str, str]:
    """Return case codes that a closure as a duplicate cannot name, by the reason."""
    over = lead.take_lead(officer.submit())
    unwrap(lead.does_with(supervisor, "close", over, make_closure()))
    to_uzbekistan = make_consent(recipient_class={"kind": "state", "country": "UZ"})
    of_others = world.add_person("IOM").submit(
        summary={"country": "UZ"}, consents=[to_uzbekistan]
    )
    return {
        "unknown": UNKNOWN_CODE,
        "of others": of_others["code"],
        "itself": case["code"],
        "over": over["code"],
    }


@pytest.mark.parametrize("which", ["unknown", "of others", "itself", "over"])
def test_a_case_that_goes_on_must_be_one_that_is_open_and_seen(
    lead: Someone, case: Json, invalid_codes: dict[str, str], which: str
) -> None:
    body = make_closure(reason="DUPLICATE", continues_in=invalid_codes[which])

    refused = lead.does("close", case, body)

    assert get_problem(refused) == (422, "continuing-case-unknown")
    assert lead.read(case)["state"] == "referring"


@pytest.mark.parametrize("body", [{"reason": "DUPLICATE"}, {"continues_in": UNKNOWN_CODE}])
def test_a_case_that_goes_on_is_named_for_a_duplicate_and_for_nothing_else(
    lead: Someone, case: Json, body: Json
) -> None:
    refused = lead.does("close", case, make_closure(**body))

    assert get_problem(refused) == (422, "request-invalid")
    assert refused.json()["errors"][0]["code"] == "continues_in_unclear"


def test_a_duplicate_that_is_opened_again_names_no_other_case(
    officer: Someone, lead: Someone, supervisor: Someone, case: Json
) -> None:
    close_as_duplicate(lead, supervisor, case, lead.take_lead(officer.submit()))

    again = unwrap(lead.does("reopen", case, {"reason": "CLOSED_IN_ERROR"}))

    assert again["continues_in"] is None


def test_which_case_goes_on_is_erased_with_the_duplicate(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, case: Json
) -> None:
    close_as_duplicate(lead, supervisor, case, lead.take_lead(officer.submit()))

    with world.write_as_service() as tx:
        erasure.erase_content(tx, lock_case(tx, case))

    oversight = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    assert oversight.read(case)["continues_in"] is None
