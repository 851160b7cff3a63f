"""Beyond a limit, refused openings get 429, and a single event reports them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.api.http import dependencies
from app.disclosure.refused_openings import RefusedOpenings, TooManyRefusedOpenings
from app.kernel.problems import Busy
from app.settings import Settings
from tests.support.world import (
    ALL_SECTIONS,
    NOON,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_consent,
    unwrap,
)

MOST = 3
LIMITED = (429, "too-many-refused-openings")
HIDDEN = (404, "not-found")


@pytest.fixture
def world(world: World) -> Iterator[World]:
    """Yield a world with a limit of three refused openings a minute for each account."""
    before = world.runtime
    counting = replace(before, refused_openings=RefusedOpenings(MOST))
    world.runtime = world.app.state.runtime = counting
    yield world
    world.app.state.runtime = before


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead.take_lead(officer.submit())


def open_part(who: Someone, case: Json, part: str = "sections/identity") -> tuple[int, str]:
    answer = who.open(f"{get_path(case)}/{part}")
    return (200, "") if answer.is_success else get_problem(answer)


def list_log_entries(lead: Someone, case: Json) -> int:
    return len(unwrap(lead.open(f"{get_path(case)}/access-log"))["items"])


def test_refused_openings_over_the_limit_are_told_once_and_entered_no_more(
    world: World, lead: Someone, case: Json
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO")
    lead.poll(), watcher.poll()

    answers = [open_part(lead, case) for _ in range(MOST + 3)]

    assert answers == [HIDDEN] * MOST + [LIMITED] * 3
    assert list_log_entries(lead, case) == MOST
    [event], [watched] = lead.poll(), watcher.poll()
    assert (event["type"], event["facts"]) == ("account.refusals_limited", {})
    assert event["subject"] == f"accounts/{lead.actor.account_id}"
    assert watched == event


def test_what_is_allowed_opens_all_the_same(lead: Someone, case: Json) -> None:
    for _ in range(MOST + 1):
        open_part(lead, case)

    assert open_part(lead, case, "sections/needs") == (200, "")
    assert open_part(lead, case, "contacts") == (200, "")


def test_what_is_not_there_counts_like_what_is_refused(
    lead: Someone, stranger: Someone, case: Json
) -> None:
    nowhere = {"code": "SC-7K3F-9QXM-4T2B-3"}

    hidden = [open_part(stranger, case) for _ in range(MOST + 1)]
    mixed = [open_part(lead, one) for one in (case, nowhere, case, nowhere, case)]

    assert hidden == [HIDDEN] * MOST + [LIMITED]
    assert mixed == [HIDDEN] * MOST + [LIMITED] * 2


def test_after_a_minute_refusals_are_entered_again(
    world: World, lead: Someone, case: Json
) -> None:
    for _ in range(MOST + 1):
        open_part(lead, case)
    lead.poll()
    refused = lead.open(f"{get_path(case)}/sections/identity")
    world.advance(seconds=int(refused.headers["Retry-After"]))

    assert [open_part(lead, case) for _ in range(MOST + 1)] == [HIDDEN] * MOST + [LIMITED]
    assert list_types(lead.poll()) == []
    world.advance(hours=1)
    for _ in range(MOST + 1):
        open_part(lead, case)
    assert list_types(lead.poll()) == ["account.refusals_limited"]


def test_a_colleague_is_counted_apart(world: World, lead: Someone, case: Json) -> None:
    for _ in range(MOST + 1):
        open_part(lead, case)

    assert open_part(world.add_person(lead.code), case) == HIDDEN


def test_lists_and_exports_of_who_may_read_them_do_not_count(
    lead: Someone, officer: Someone
) -> None:
    given = [make_consent(sections=ALL_SECTIONS)]
    case = lead.take_lead(officer.submit(consents=given))
    parts = ("notes", "safeguards/history", "export/htcds") * (MOST + 1)

    assert {open_part(lead, case, part) for part in parts} == {(200, "")}
    assert open_part(lead, case, "sections/perpetrators") == HIDDEN


def test_an_export_in_which_nothing_is_open_counts(
    shelter: Someone, lead: Someone, case: Json
) -> None:
    unwrap(lead.refer(case, shelter.code, sections=[]))

    answers = [open_part(shelter, case, "export/htcds") for _ in range(MOST + 1)]

    assert answers == [(200, "")] * MOST + [LIMITED]


def test_the_count_forgets_what_is_a_minute_old() -> None:
    counter, account = RefusedOpenings(2), UUID(int=1)
    counter.count(account, NOON)
    counter.count(account, NOON + timedelta(seconds=30))
    with pytest.raises(TooManyRefusedOpenings) as over:
        counter.count(account, NOON + timedelta(seconds=59))
    counter.count(account, NOON + timedelta(seconds=60))

    assert over.value.wait == 1
    assert Settings().refused_openings_per_minute == 10


def test_a_report_that_fails_is_made_at_the_next_refusal(
    world: World, lead: Someone, case: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO")
    watcher.poll()
    for _ in range(MOST):
        open_part(lead, case)
    with monkeypatch.context() as broken:
        broken.setattr(dependencies, "record_limit", fail_to_record)
        first = open_part(lead, case)

    assert watcher.poll() == []
    assert open_part(lead, case) == LIMITED
    assert first[0] == 503
    assert list_types(watcher.poll()) == ["account.refusals_limited"]


def fail_to_record(_: object) -> None:
    raise Busy("The database is busy.")
