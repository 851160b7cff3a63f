"""Tests of visits after the receiving office closed or lost its accounts (ADR 50)."""

from collections.abc import Callable
from typing import Final

import pytest

from app.kernel.actors import Role
from tests.support.endings import disable, end_last_account, run_endings_job
from tests.support.returns import EARLY, HOME, MET, Homecoming, begin_return
from tests.support.world import (
    Someone,
    World,
    get_actions,
    get_problem,
    get_unmet,
    list_types,
    make_closure,
    unwrap,
)

FIRST: Final = "2026-06-10T09:00:00Z"


@pytest.fixture
def home(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """Begin a person's return; the referral is completed, and visits are still due."""
    found = begin_return(world, officer, lead)
    found.advance("arrive")
    unwrap(found.does("home", "monitor", {"visits": [FIRST, "2026-07-01T09:00:00Z"]}))
    unwrap(found.home.does("start", found.referral, MET))
    report_body = {"outcome": "delivered", "feedback": "She is at home"}
    unwrap(found.home.does("complete", found.referral, report_body))
    lead.poll()
    return found


def close_office(home: Homecoming) -> None:
    """Close the receiving office."""
    home.world.close_office(HOME)


def end_accounts(home: Homecoming) -> None:
    """Disable the only account of the receiving office, and let a day pass."""
    end_last_account(home.world, home.home)


ENDINGS: Final = (close_office, end_accounts)


@pytest.mark.parametrize("ends", ENDINGS)
def test_lead_is_told_once_that_nobody_visits_the_person(
    home: Homecoming, lead: Someone, ends: Callable[[Homecoming], None]
) -> None:
    ends(home)

    assert (run_endings_job(home.world), run_endings_job(home.world)) == (1, 0)
    [event] = [e for e in lead.poll() if e["type"] == "return.recipient_closed"]
    assert (event["facts"], event["by"]) == ({"state": "monitoring"}, None)
    waits = [tx for tx in lead.get_worklist() if tx[0] == f"returns/{home.record['id']}"]
    assert [(kind, due) for _, kind, due in waits] == [("monitor", FIRST)]


@pytest.mark.parametrize("ends", ENDINGS)
def test_lead_reports_the_visits_and_closes_the_case(
    home: Homecoming, lead: Someone, ends: Callable[[Homecoming], None]
) -> None:
    ends(home)
    assert get_actions(home.read())["report"]["open"] is True

    first = unwrap(lead.does("report", home.record, EARLY | {"note": "On the phone"}))
    assert (first["due_at"], first["state"]) == ("2026-07-01T09:00:00Z", "monitoring")
    unwrap(lead.does("report", home.record, EARLY))

    assert home.state == "completed"
    reports = [step for step in home.read()["steps"] if step["action"] == "report"]
    assert [(one["by"], one["result"]) for one in reports] == [
        ("KZ_LEAD", "person_met")
    ] * 2
    assert lead.list_notes(home.case) == [("return report", "On the phone")]
    ended = lead.does_with(home.supervisor, "close", home.case, make_closure())
    assert unwrap(ended)["state"] == "closed"


def test_next_visit_waits_for_the_lead_before_the_worker_looked(
    home: Homecoming, lead: Someone
) -> None:
    close_office(home)

    unwrap(lead.does("report", home.record, EARLY))

    assert f"returns/{home.record['id']}" in [tx[0] for tx in lead.get_worklist()]


def test_lead_may_not_report_while_the_recipient_works(
    home: Homecoming, lead: Someone
) -> None:
    assert get_unmet(lead.does("report", home.record, EARLY)) == [
        ("recipient_gone", "recipient")
    ]
    assert get_actions(home.read())["report"]["open"] is False
    officer = home.world.add_person("KZ_LEAD", {Role.OFFICER})
    assert get_problem(officer.does("report", home.record, EARLY)) == (403, "role-missing")
    assert run_endings_job(home.world) == 0


def test_lead_may_not_report_on_the_day_on_which_the_last_account_ended(
    home: Homecoming, lead: Someone
) -> None:
    disable(home.home, home.world.add_person(HOME, {Role.SUPERVISOR}))

    assert get_unmet(lead.does("report", home.record, EARLY)) == [
        ("recipient_gone", "recipient")
    ]


def test_office_that_is_back_has_the_visits_back(home: Homecoming, lead: Someone) -> None:
    close_office(home)
    run_endings_job(home.world)
    lead.poll()
    home.world.close_office(HOME, active=True)

    run_endings_job(home.world)

    subject = f"returns/{home.record['id']}"
    assert subject not in [tx[0] for tx in lead.get_worklist()]
    assert subject in [tx[0] for tx in home.home.get_worklist()]
    assert list_types(lead.poll()) == []
    unwrap(home.does("home", "report", EARLY))
    assert get_unmet(lead.does("report", home.record, EARLY)) == [
        ("recipient_gone", "recipient")
    ]
