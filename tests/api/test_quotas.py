"""Tests of the quotas of an account for open drafts and sealed bytes."""

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
    consent,
    contacts,
    done,
    for_services,
    path_of,
    problem,
    promise,
)

DRAFTS = 3
BYTES = 256 * 1024
LARGE = "Ей обещали работу. " * 400
"""Some 14,000 bytes."""
USED_UP = (429, "daily-volume-used")
VITAL: Json = {"reason": "RISK_TO_LIFE", "note": "Two men wait outside"}


pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def world(world: World) -> Iterator[World]:
    """A world in which an account may have three drafts and may seal 256 KiB a day."""
    before = world.ground
    quotas = Quotas(DRAFTS, BYTES)
    world.ground = world.app.state.ground = replace(before, quotas=quotas)
    yield world
    world.app.state.ground = before


def write_narrative(who: Someone, case: Json, text: str = LARGE) -> Response:
    body = {"section": "narrative", "text": text}
    match = {"If-Match": who.tag(case)}
    return who.ask("PUT", f"{path_of(case)}/sections/narrative", body, headers=match)


def use_up(who: Someone, case: Json) -> Response:
    """Write a long text repeatedly until the service refuses it."""
    for _ in range(100):
        answer = write_narrative(who, case)
        if answer.is_error:
            return answer
    raise AssertionError("nothing was refused")


def test_an_account_has_so_many_open_drafts_and_no_more(officer: Someone) -> None:
    drafts = [done(officer.writes_case()) for _ in range(DRAFTS)]

    over = officer.writes_case()

    assert problem(over) == (429, "too-many-drafts")
    assert over.json()["detail"].startswith("The account has 3 or more open drafts.")
    assert problem(officer.writes_case()) == (429, "too-many-drafts")
    done(officer.does("submit", drafts[0]))
    done(officer.writes_case())
    assert problem(officer.writes_case()) == (429, "too-many-drafts")
    done(officer.does("discard", drafts[1]))
    done(officer.writes_case())


def test_drafts_are_counted_for_each_account(world: World, officer: Someone) -> None:
    for _ in range(DRAFTS):
        done(officer.writes_case())

    colleague = world.someone(officer.code)

    done(colleague.writes_case())


def test_a_case_is_submitted_whatever_the_quotas_are(officer: Someone) -> None:
    draft = done(officer.writes_case())
    for _ in range(DRAFTS - 1):
        done(officer.writes_case())
    use_up(officer, draft)

    assert done(officer.does("submit", draft))["state"] == "submitted"
    assert officer.submits(external_reference="A-1")["state"] == "submitted"
    done(officer.writes_case(vital_interest=VITAL))
    assert problem(officer.writes_case()) == (429, "too-many-drafts")


def test_over_the_daily_volume_it_is_said_what_is_left_and_until_when(
    world: World, officer: Someone
) -> None:
    case = officer.submits()

    refused = use_up(officer, case)

    assert problem(refused) == USED_UP
    assert refused.headers["Retry-After"] == str(12 * 3600)
    left = world.ground.quotas.left_today(officer.actor.account_id, world.now)
    assert f"{left} are left until midnight UTC" in refused.json()["detail"]
    assert 0 < left < len(LARGE.encode()) * 1.12
    done(write_narrative(officer, case, "Short"))
    world.passes(hours=12)
    done(write_narrative(officer, case))


def test_what_is_sealed_again_in_place_counts_too(world: World, officer: Someone) -> None:
    """Each write leaves a dead row and a log record, so its size counts each time."""
    case = officer.submits()
    before = world.ground.quotas.used_today(officer.actor.account_id, world.now)

    for _ in range(2):
        done(write_narrative(officer, case))

    used = world.ground.quotas.used_today(officer.actor.account_id, world.now)
    assert (used - before) % 2 == 0
    assert used - before > 2 * len(LARGE.encode())


def test_everything_with_words_of_its_own_is_refused(
    world: World, officer: Someone
) -> None:
    case = officer.submits()
    path = path_of(case)
    used = world.ground.quotas.left_today(officer.actor.account_id, world.now)
    world.ground.quotas.count_bytes(officer.actor.account_id, world.now, used)

    def post(part: str, body: Json) -> Response:
        match = {"if_match": officer.tag(case)}
        return officer.post(f"{path}/{part}", body, idempotency_key=part, **match)

    answers = [
        write_narrative(officer, case, "Short"),
        post("consents", for_services(evidence="On form 2")),
        post("risk-assessments", {"level": "high", "remarks": "Two men"}),
        officer.screens(case, "screening", remarks="Passport taken", signs=[]),
    ]

    assert [problem(one) for one in answers] == [USED_UP] * len(answers)
    assert officer.sees(case)["version"] == case["version"]


def test_a_case_in_vital_interest_is_written(officer: Someone) -> None:
    case = officer.submits()
    assert problem(use_up(officer, case)) == USED_UP

    done(officer.post(f"{path_of(case)}/vital-interests", VITAL, idempotency_key="v"))

    done(write_narrative(officer, case))
    assert problem(use_up(officer, officer.submits())) == USED_UP


def test_help_is_promised_whatever_the_quota_is(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = officer.submits(consents=[consent(), for_services()])
    for who in (lead, shelter):
        world.ground.quotas.count_bytes(who.actor.account_id, world.now, BYTES)

    done(lead.does("acknowledge", case))
    led = done(lead.does("accept-lead", case, {"contacts": contacts()}))
    referral = done(lead.refers(led, shelter.code))
    accepted = done(shelter.does("accept", referral, promise()))

    assert (led["state"], accepted["state"]) == ("referring", "accepted")
    assert problem(write_narrative(lead, case, "Short")) == USED_UP


def test_the_settings_have_the_documented_defaults() -> None:
    fields = Settings.model_fields

    assert fields["open_drafts"].default == 200
    assert fields["sealed_mib_per_day"].default == 64


def test_yesterday_does_not_count(world: World, officer: Someone) -> None:
    quotas, account, now = Quotas(1, 100), officer.actor.account_id, world.now
    quotas.count_bytes(account, now, 60)
    quotas.count_bytes(account, now, 30)

    assert quotas.left_today(account, now) == 10
    assert quotas.left_today(account, now + timedelta(hours=11, minutes=59)) == 10
    assert quotas.left_today(account, now + timedelta(hours=12)) == 100
