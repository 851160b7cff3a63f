"""Tests of time limits that a country or an agreement sets."""

from datetime import UTC, datetime
from typing import Any

import pytest
from httpx2 import Response

from app.kernel.actors import Role
from tests.support.administrators import (
    ADMINISTRATOR,
    NEW,
    approve,
    list_changes,
    read_approval,
    replace_row,
    update_row,
)
from tests.support.databases import record_statements
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    make_closure,
    make_consent,
    make_handover_consent,
    make_service_consent,
    unwrap,
)

NORMAL = {"priority": "normal"}
ACKNOWLEDGE = "/time-limits/KZ/acknowledge/normal"
MEET = "/time-limits/KZ/meet_person/normal"


def limit(path: str, amount: int | None, unit: str | None, **said: Any) -> Json:
    """Return a row of a time limit, with the fields that the path names."""
    of, clock, priority = path.split("/")[2:]
    where = {"of": of, "deadline": clock, "priority": priority}
    row = {"amount": amount, "unit": unit, "source": None, "as_of": None}
    return where | row | said


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)


@pytest.fixture
def second(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)


def set_limit(
    admin: Someone, second: Someone, path: str, amount: int, unit: str
) -> Response:
    """Set a time limit with the approval of a second person."""
    body = limit(path, amount, unit)
    return replace_row(
        admin,
        path,
        body,
        **NEW,
        approval=approve(replace_row(admin, path, body, **NEW), second),
    )


def list_limits(who: Someone, country: str) -> dict[tuple[str, str], Json]:
    """Return a country's limits by deadline and priority.

    If the list has several limits for a deadline and priority, the last one counts.
    """
    items = unwrap(who.get(f"/countries/{country}/time-limits"))["items"]
    return {(one["deadline"], one["priority"]): one for one in items}


def test_where_nothing_was_set_the_defaults_count_and_are_shown(officer: Someone) -> None:
    shown = list_limits(officer, "KZ")

    assert len(shown) == 8 * 3 + 13
    assert {one["set_by"] for one in shown.values()} == {None}
    assert shown["acknowledge", "emergency"] == {
        "deadline": "acknowledge",
        "priority": "emergency",
        "amount": 1,
        "unit": "hours",
        "set_by": None,
        "parties": [],
    }
    assert (shown["erase", "any"]["amount"], shown["erase", "any"]["unit"]) == (
        24,
        "months",
    )
    assert get_problem(officer.get("/countries/FR/time-limits")) == (404, "not-found")


def test_a_country_that_gives_longer_is_heard_by_two_and_counts_from_then_on(
    admin: Someone, second: Someone, officer: Someone, lead: Someone
) -> None:
    before = officer.submit(summary=NORMAL)

    made = set_limit(admin, second, ACKNOWLEDGE, 3, "working_days")
    after = officer.submit(summary=NORMAL)

    assert made.status_code == 201
    assert made.headers["Location"] == f"/v1{ACKNOWLEDGE}"
    assert made.headers["ETag"] == officer.get(ACKNOWLEDGE).headers["ETag"]
    shown = limit(ACKNOWLEDGE, 3, "working_days", confidence="configured")
    assert unwrap(officer.get(ACKNOWLEDGE)) == unwrap(made) == shown
    assert lead.read(before)["due_at"] == "2026-06-02T12:00:00Z"
    assert after["due_at"] == "2026-06-04T12:00:00Z"
    assert list_limits(officer, "KZ")["acknowledge", "normal"]["set_by"] == "KZ"
    assert list_limits(officer, "UZ")["acknowledge", "normal"]["set_by"] is None


def test_a_limit_is_told_to_the_second_person_and_kept_with_both(
    admin: Someone, second: Someone
) -> None:
    body = limit(ACKNOWLEDGE, 3, "working_days")
    question = read_approval(replace_row(admin, ACKNOWLEDGE, body, **NEW))
    [waits] = unwrap(second.get("/approvals"))["items"]
    unwrap(second.send(f"/approvals/{question['id']}/approve"))

    unwrap(replace_row(admin, ACKNOWLEDGE, body, **NEW, approval=question["id"]))

    [kept] = list_changes(admin, ACKNOWLEDGE[1:])
    assert question["subject"] == "time-limits/KZ/acknowledge/normal"
    assert (waits["facts"]["amount"], waits["facts"]["unit"]) == ("3", '"working_days"')
    assert (kept["before"], kept["after"]["amount"]) == (None, 3)
    assert kept["approved_by"]["focal_point"] == "OVERSIGHT_DEMO"


@pytest.mark.parametrize(
    ("path", "amount", "unit", "people"),
    [
        (MEET, 7, "days", 1),
        (MEET, 10, "working_days", 1),
        (MEET, 15, "days", 2),
        ("/time-limits/KZ/answer/urgent", 24, "hours", 1),
        ("/time-limits/KZ/confirm_deletion/any", 2, "days", 1),
        ("/time-limits/KZ/acknowledge/normal", 4, "hours", 2),
        ("/time-limits/KZ/decide_referral/normal", 7, "days", 2),
        ("/time-limits/KZ/finish_draft/any", 7, "days", 2),
        ("/time-limits/KZ/erase/any", 12, "months", 2),
        ("/time-limits/KZ/erase/any", 36, "months", 2),
        ("/time-limits/KZ_UZ_DEMO/meet_person/normal", 7, "days", 2),
    ],
)
def test_one_person_shortens_what_only_reminds(
    admin: Someone, path: str, amount: int, unit: str, people: int
) -> None:
    answer = replace_row(admin, path, limit(path, amount, unit), **NEW)

    assert answer.status_code == {1: 201, 2: 202}[people]


def test_going_back_to_the_default_is_judged_like_any_other_change(
    admin: Someone, second: Someone, officer: Someone
) -> None:
    unwrap(set_limit(admin, second, ACKNOWLEDGE, 3, "working_days"))
    unwrap(replace_row(admin, MEET, limit(MEET, 7, "days"), **NEW))

    longer = update_row(admin, MEET, amount=None, unit=None)
    shorter = update_row(admin, ACKNOWLEDGE, amount=None, unit=None)
    unwrap(update_row(admin, ACKNOWLEDGE, approve(shorter, second), amount=None, unit=None))

    assert longer.status_code == 202
    assert officer.submit(summary=NORMAL)["due_at"] == "2026-06-02T12:00:00Z"
    assert list_limits(officer, "KZ")["acknowledge", "normal"]["set_by"] is None


def test_an_agreement_counts_across_its_border_alone(
    admin: Someone, second: Someone, officer: Someone, lead: Someone
) -> None:
    path = "/time-limits/KZ_UZ_DEMO/answer_handover/normal"
    unwrap(set_limit(admin, second, path, 3, "working_days"))
    unwrap(set_limit(admin, second, path.replace("KZ_UZ_DEMO", "UZ"), 4, "working_days"))
    given = [
        make_consent(),
        make_service_consent(),
        make_handover_consent(),
        make_handover_consent("SANA_SEZIM"),
    ]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    content = {"summary": NORMAL, "consents": given, "safeguards": guards}
    case = lead.take_lead(officer.submit(**content))

    across = unwrap(lead.offer(case, "UZ_LEAD"))
    unwrap(lead.does("cancel", across, {}))
    at_home = unwrap(lead.offer(case, "SANA_SEZIM"))

    assert across["due_at"] == "2026-06-04T12:00:00Z"  # three working days (agreement)
    assert at_home["due_at"] == "2026-06-15T12:00:00Z"  # ten working days (default)
    shown = unwrap(officer.get("/countries/UZ/time-limits"))["items"]
    both = [one for one in shown if one["deadline"] == "answer_handover"][-2:]
    assert [(one["set_by"], one["amount"]) for one in both] == [
        ("UZ", 4),
        ("KZ_UZ_DEMO", 3),
    ]
    assert both[1]["parties"] == ["KZ", "UZ"]


def test_an_agreement_that_has_ended_counts_no_more(
    admin: Someone, second: Someone, officer: Someone
) -> None:
    path = "/time-limits/KZ_UZ_DEMO/answer_handover/normal"
    unwrap(set_limit(admin, second, path, 3, "working_days"))

    unwrap(update_row(admin, "/agreements/KZ_UZ_DEMO", in_force_until="2026-05-31"))

    shown = unwrap(officer.get("/countries/UZ/time-limits"))["items"]
    assert {one["set_by"] for one in shown} == {None}


@pytest.fixture
def five_days(admin: Someone, second: Someone) -> None:
    """Give the offices of Kazakhstan five working days to decide a referral."""
    path = "/time-limits/KZ/decide_referral/normal"
    unwrap(set_limit(admin, second, path, 5, "working_days"))


@pytest.mark.usefixtures("five_days")
def test_a_pause_keeps_the_working_days_that_a_country_gives(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    world.now = datetime(2026, 10, 22, 5, tzinfo=UTC)  # Thursday, 10:00 in Almaty
    case = lead.take_lead(officer.submit(summary=NORMAL))
    sent = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    received = unwrap(shelter.does("acknowledge", sent))
    world.advance(days=1)
    question = {"topics": ["health"], "question": "Does she take medicine?"}
    unwrap(shelter.does("ask", sent, question))
    world.now = datetime(2026, 10, 26, 5, tzinfo=UTC)  # Monday, the holiday

    answered = unwrap(lead.does("answer", sent, {"sections": [], "answer": "No"}))

    # The five days are Friday and, after the holiday, Tuesday to Friday.
    assert received["due_at"] == "2026-10-30T05:00:00Z"
    # Four days are left, Tuesday to Friday. They end when Monday begins in Almaty.
    assert answered["due_at"] == "2026-11-01T19:00:00Z"


def test_a_closed_case_is_kept_as_the_country_says_or_shorter_by_an_agreement(
    world: World, admin: Someone, second: Someone, officer: Someone, lead: Someone
) -> None:
    supervisor = world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    unwrap(set_limit(admin, second, "/time-limits/KZ/erase/any", 36, "months"))
    alone = lead.take_lead(officer.submit())
    by_country = unwrap(lead.does_with(supervisor, "close", alone, make_closure()))

    unwrap(set_limit(admin, second, "/time-limits/KZ_UZ_DEMO/erase/any", 12, "months"))
    shared = lead.take_lead(officer.submit())
    by_agreement = unwrap(lead.does_with(supervisor, "close", shared, make_closure()))

    assert by_country["due_at"] == "2029-06-01T12:00:00Z"
    assert by_agreement["due_at"] == "2027-06-01T12:00:00Z"


@pytest.mark.parametrize(
    ("said", "pointer", "words"),
    [
        ({"amount": 0}, "#/amount", "too small"),
        ({"amount": "3"}, "#/amount", ""),
        ({"amount": 6}, "#/unit", "5 times the default: 1 working day"),
        ({"unit": None}, "#/unit", "must be given if, and only if, amount is given"),
        ({"unit": "fortnights"}, "#/unit", ""),
        ({"amount": None}, "#/unit", "must be given if, and only if, amount is given"),
        ({"until": "friday"}, "#", ""),
    ],
    ids=str,
)
def test_a_limit_out_of_bounds_is_refused_with_a_reason(
    admin: Someone, said: Json, pointer: str, words: str
) -> None:
    refused = replace_row(
        admin, ACKNOWLEDGE, limit(ACKNOWLEDGE, 2, "working_days") | said, **NEW
    )

    assert get_problem(refused) == (422, "request-invalid")
    [fault] = refused.json()["errors"]
    assert fault["pointer"].startswith(pointer)
    assert words in fault["detail"]


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        ("/time-limits/FR/acknowledge/normal", 422, "country-unknown"),
        ("/time-limits/NO_SUCH/acknowledge/normal", 422, "agreement-unknown"),
        ("/time-limits/KZ/acknowledge/any", 422, "request-invalid"),
        ("/time-limits/KZ/assess_interests/any", 422, "request-invalid"),
        ("/time-limits/KZ/monitor/any", 422, "request-invalid"),
        ("/time-limits/KZ/acknowledge/soon", 422, "request-invalid"),
        ("/time-limits/kz/acknowledge/normal", 422, "request-invalid"),
    ],
)
def test_a_limit_of_nobody_or_of_no_clock_is_refused(
    admin: Someone, path: str, status: int, name: str
) -> None:
    assert get_problem(replace_row(admin, path, limit(path, 1, "hours"), **NEW)) == (
        status,
        name,
    )


def test_only_an_administrator_sets_limits_on_the_strength_of_what_is_there(
    admin: Someone, lead: Someone
) -> None:
    body = limit(MEET, 7, "days")

    assert get_problem(replace_row(lead, MEET, body, **NEW)) == (403, "role-missing")
    assert get_problem(replace_row(admin, MEET, body)) == (428, "version-not-given")
    assert get_problem(replace_row(admin, ACKNOWLEDGE, body, **NEW)) == (
        422,
        "code-mismatch",
    )
    assert get_problem(lead.get(MEET)) == (404, "not-found")
    assert replace_row(admin, MEET, body, **NEW).status_code == 201
    assert get_problem(replace_row(admin, MEET, body, **NEW)) == (412, "version-stale")


def test_what_was_set_is_read_once_by_who_acts_and_never_by_who_looks(
    world: World, officer: Someone, lead: Someone
) -> None:
    cases = [officer.submit() for _ in range(3)]
    with record_statements(world.database) as acting:
        unwrap(lead.does("acknowledge", cases[0]))
    with record_statements(world.database) as looking:
        unwrap(lead.get("/cases"))
        unwrap(lead.get(get_path(cases[0])))

    assert len([said for said in acting if "FROM time_limit" in said]) == 1
    assert [said for said in looking if "time_limit" in said] == []


def test_no_agreement_tells_who_does_not_follow_where_a_person_went(
    admin: Someone, second: Someone, officer: Someone, lead: Someone
) -> None:
    treaty = unwrap(admin.get("/agreements/KZ_UZ_DEMO")) | {"countries": ["KG", "UZ"]}
    path, body = "/agreements/KG_UZ", treaty | {"code": "KG_UZ"}
    approval = approve(replace_row(admin, path, body, **NEW), second)
    unwrap(replace_row(admin, path, body, **NEW, approval=approval))
    unwrap(set_limit(admin, second, "/time-limits/KG_UZ/answer/urgent", 2, "hours"))
    case = lead.take_lead(officer.submit())
    unwrap(lead.does("relocate", case, {"country": "KG"}))

    ask = {"topics": ["needs"], "question": "Can she read?"}
    question = unwrap(lead.create(f"{get_path(case)}/questions", ask))

    assert question["due_at"] == "2026-06-02T12:00:00Z"  # a working day
