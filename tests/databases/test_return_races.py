"""If two actions on a return coincide, one succeeds; withdrawing a consent always does."""

from collections.abc import Iterator
from functools import partial

import pytest
from httpx2 import Response

from tests.support.effort import choose_number
from tests.support.returns import (
    HOME,
    Homecoming,
    accept_return_referral,
    begin_return,
    create_return,
)
from tests.support.servers import Served, retry_as_told, run_together, serve_world

pytestmark = [pytest.mark.slow, pytest.mark.race]
ROUNDS = choose_number(5, sample=2, night=50)


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    """Yield a served world, which answers requests concurrently."""
    with serve_world(url) as made:
        yield made


@pytest.fixture
def home(world: Served) -> Homecoming:
    """Return a new return, with its record and its parties."""
    return begin_race_return(world)


def begin_race_return(world: Served) -> Homecoming:
    officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
    return begin_return(world, officer, lead)


def list_statuses(answers: list[Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def test_a_person_is_not_sent_off_after_their_no(world: Served) -> None:
    for _ in range(ROUNDS):
        home = begin_race_return(world)
        home.advance("accept-plan")
        path, tag = f"/returns/{home.record['id']}", home.lead.get_tag(home.record)
        still = {"reconfirmed_today": True}
        goes = partial(home.lead.send, f"{path}/depart", still, if_match=tag)
        no = partial(home.home.send, f"{path}/call-off", {})

        went, said_no = run_together(
            partial(retry_as_told, goes, []), partial(retry_as_told, no, [])
        )

        state = home.state
        assert state in {"in_transit", "called_off"}
        assert went.is_success == (state == "in_transit")
        assert said_no.is_success == (state == "called_off")
        assert list_statuses([went, said_no])[1] in {404, 409, 412}


def test_a_consent_that_is_taken_back_is_never_overtaken(world: Served) -> None:
    for _ in range(ROUNDS):
        home = begin_race_return(world)
        home.advance("accept-plan")
        [given] = home.list_consents("RETURN")
        code, tag = home.case["code"], home.lead.get_tag(home.record)
        path = f"/returns/{home.record['id']}/depart"
        goes = partial(home.lead.send, path, {"reconfirmed_today": True}, if_match=tag)
        back = partial(home.lead.send, f"/cases/{code}/consents/{given['id']}/withdraw")

        went, taken = run_together(
            partial(retry_as_told, goes, []), partial(retry_as_told, back, [])
        )

        assert taken.is_success
        assert home.state == ("halted" if went.is_success else "ended")
        assert home.lead.read(home.referral)["state"] == "withdrawn"


def test_of_two_who_open_a_return_one_does(world: Served) -> None:
    for _ in range(ROUNDS):
        officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
        at_home = world.add_person(HOME)
        _, referral = accept_return_referral(officer, lead, at_home)
        first, second = (partial(create_return, one, referral) for one in (lead, at_home))

        answers = run_together(
            partial(retry_as_told, first, []), partial(retry_as_told, second, [])
        )

        assert list_statuses(answers) == [201, 409]


def test_an_approval_lets_one_go_once(home: Homecoming) -> None:
    home.advance("assess-origin")
    approval_id = home.lead.does("go", home.record, {}).json()["id"]
    home.supervisor.send(f"/approvals/{approval_id}/approve")
    path, tag = f"/returns/{home.record['id']}/go", home.lead.get_tag(home.record)
    go = partial(home.lead.send, path, {}, if_match=tag, approval=approval_id)

    answers = run_together(partial(retry_as_told, go, []), partial(retry_as_told, go, []))

    assert list_statuses(answers)[0] == 200
    assert list_statuses(answers)[1] in {409, 412}
    assert [s["action"] for s in home.read()["steps"]].count("go") == 1
