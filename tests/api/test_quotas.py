"""Tests of an account's quotas for open drafts and for sealed bytes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from httpx2 import Response

from app.kernel.quotas import Quotas
from app.settings import Settings
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    make_acceptance,
    make_consent,
    make_contacts,
    make_service_consent,
    unwrap,
)

DRAFTS = 3
BYTES = 256 * 1024
LARGE = "Ей обещали работу. " * 400
"""A text of about 14,000 bytes."""
USED_UP = (429, "daily-volume-used")
VITAL: Json = {"reason": "RISK_TO_LIFE", "note": "Two men wait outside"}


pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def world(world: World) -> Iterator[World]:
    """Yield a world that limits each account to 3 open drafts and 256 KiB sealed a day."""
    before = world.runtime
    quotas = Quotas(DRAFTS, BYTES)
    world.runtime = world.app.state.runtime = replace(before, quotas=quotas)
    yield world
    world.app.state.runtime = before


def write_narrative(who: Someone, case: Json, text: str = LARGE) -> Response:
    body = {"section": "narrative", "text": text}
    match = {"If-Match": who.get_tag(case)}
    return who.ask("PUT", f"{get_path(case)}/sections/narrative", body, headers=match)


def use_up(who: Someone, case: Json) -> Response:
    """Write a long text repeatedly until the service refuses it, and return the refusal."""
    for _ in range(100):
        answer = write_narrative(who, case)
        if answer.is_error:
            return answer
    raise AssertionError("nothing was refused")


def test_an_account_has_so_many_open_drafts_and_no_more(officer: Someone) -> None:
    drafts = [unwrap(officer.create_case()) for _ in range(DRAFTS)]

    over = officer.create_case()

    assert get_problem(over) == (429, "too-many-drafts")
    assert over.json()["detail"].startswith("The account has 3 or more open drafts.")
    assert get_problem(officer.create_case()) == (429, "too-many-drafts")
    unwrap(officer.does("submit", drafts[0]))
    unwrap(officer.create_case())
    assert get_problem(officer.create_case()) == (429, "too-many-drafts")
    unwrap(officer.does("discard", drafts[1]))
    unwrap(officer.create_case())


def test_drafts_are_counted_for_each_account(world: World, officer: Someone) -> None:
    for _ in range(DRAFTS):
        unwrap(officer.create_case())

    colleague = world.add_person(officer.code)

    unwrap(colleague.create_case())


def test_a_case_is_submitted_whatever_the_quotas_are(officer: Someone) -> None:
    draft = unwrap(officer.create_case())
    for _ in range(DRAFTS - 1):
        unwrap(officer.create_case())
    use_up(officer, draft)

    assert unwrap(officer.does("submit", draft))["state"] == "submitted"
    assert officer.submit(external_reference="A-1")["state"] == "submitted"
    unwrap(officer.create_case(vital_interest=VITAL))
    assert get_problem(officer.create_case()) == (429, "too-many-drafts")


def test_over_the_daily_volume_it_is_said_what_is_left_and_until_when(
    world: World, officer: Someone
) -> None:
    case = officer.submit()

    refused = use_up(officer, case)

    assert get_problem(refused) == USED_UP
    assert refused.headers["Retry-After"] == str(12 * 3600)
    left = world.runtime.quotas.get_bytes_left(officer.actor.account_id, world.now)
    assert f"{left} are left until midnight UTC" in refused.json()["detail"]
    assert 0 < left < len(LARGE.encode()) * 1.12
    unwrap(write_narrative(officer, case, "Short"))
    world.advance(hours=12)
    unwrap(write_narrative(officer, case))


def test_what_is_sealed_again_in_place_counts_too(world: World, officer: Someone) -> None:
    """If a section is written again, all of its bytes count towards the quota again.

    Each write leaves a dead row and a record in the log of the database.
    """
    case = officer.submit()
    before = world.runtime.quotas.get_bytes_used(officer.actor.account_id, world.now)

    for _ in range(2):
        unwrap(write_narrative(officer, case))

    used = world.runtime.quotas.get_bytes_used(officer.actor.account_id, world.now)
    assert (used - before) % 2 == 0
    assert used - before > 2 * len(LARGE.encode())


def test_everything_with_words_of_its_own_is_refused(
    world: World, officer: Someone
) -> None:
    case = officer.submit()
    path = get_path(case)
    used = world.runtime.quotas.get_bytes_left(officer.actor.account_id, world.now)
    world.runtime.quotas.count_bytes(officer.actor.account_id, world.now, used)

    def post(part: str, body: Json) -> Response:
        match = {"if_match": officer.get_tag(case)}
        return officer.send(f"{path}/{part}", body, idempotency_key=part, **match)

    answers = [
        write_narrative(officer, case, "Short"),
        post("consents", make_service_consent(evidence="On form 2")),
        post("risk-assessments", {"level": "high", "remarks": "Two men"}),
        officer.screen(case, "screening", remarks="Passport taken", indicators=[]),
    ]

    assert [get_problem(one) for one in answers] == [USED_UP] * len(answers)
    assert officer.read(case)["version"] == case["version"]


def test_a_case_in_vital_interest_is_written(officer: Someone) -> None:
    case = officer.submit()
    assert get_problem(use_up(officer, case)) == USED_UP

    unwrap(officer.send(f"{get_path(case)}/vital-interests", VITAL, idempotency_key="v"))

    unwrap(write_narrative(officer, case))
    assert get_problem(use_up(officer, officer.submit())) == USED_UP


def test_help_is_promised_whatever_the_quota_is(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = officer.submit(consents=[make_consent(), make_service_consent()])
    for who in (lead, shelter):
        world.runtime.quotas.count_bytes(who.actor.account_id, world.now, BYTES)

    unwrap(lead.does("acknowledge", case))
    led = unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))
    referral = unwrap(lead.refer(led, shelter.code))
    accepted = unwrap(shelter.does("accept", referral, make_acceptance()))

    assert (led["state"], accepted["state"]) == ("referring", "accepted")
    assert get_problem(write_narrative(lead, case, "Short")) == USED_UP


def test_the_settings_have_the_documented_defaults() -> None:
    fields = Settings.model_fields

    assert fields["open_drafts"].default == 200
    assert fields["sealed_mib_per_day"].default == 64


def test_yesterday_does_not_count(world: World, officer: Someone) -> None:
    quotas, account, now = Quotas(1, 100), officer.actor.account_id, world.now
    quotas.count_bytes(account, now, 60)
    quotas.count_bytes(account, now, 30)

    assert quotas.get_bytes_left(account, now) == 10
    assert quotas.get_bytes_left(account, now + timedelta(hours=11, minutes=59)) == 10
    assert quotas.get_bytes_left(account, now + timedelta(hours=12)) == 100
