"""The person says no while an action moves the return on: the no always takes effect."""

from collections.abc import Iterator
from functools import partial

import pytest
from httpx2 import Response

from tests.support.effort import amount
from tests.support.returns import HOME, Homecoming, accepted, begin, opens
from tests.support.servers import Served, obeying, served, together

pytestmark = [pytest.mark.slow, pytest.mark.race]
ROUNDS = amount(5, sample=2, night=50)


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    """Serve a world with concurrent requests."""
    with served(url) as made:
        yield made


@pytest.fixture
def home(world: Served) -> Homecoming:
    """Return a newly opened return."""
    return begin_return(world)


def begin_return(world: Served) -> Homecoming:
    officer, lead = world.someone("UZ_CONSULATE_ALMATY"), world.someone("KZ_LEAD")
    return begin(world, officer, lead)


def list_statuses(answers: list[Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def test_a_person_is_not_sent_off_after_their_no(world: Served) -> None:
    for _ in range(ROUNDS):
        home = begin_return(world)
        home.goes("accept-plan")
        path, tag = f"/returns/{home.record['id']}", home.lead.tag(home.record)
        still = {"reconfirmed_today": True}
        goes = partial(home.lead.post, f"{path}/depart", still, if_match=tag)
        no = partial(home.home.post, f"{path}/call-off", {})

        went, said_no = together(partial(obeying, goes, []), partial(obeying, no, []))

        state = home.state
        assert state in {"in_transit", "called_off"}
        assert went.is_success == (state == "in_transit")
        assert said_no.is_success == (state == "called_off")
        assert list_statuses([went, said_no])[1] in {404, 409, 412}


def test_a_consent_that_is_taken_back_is_never_overtaken(world: Served) -> None:
    for _ in range(ROUNDS):
        home = begin_return(world)
        home.goes("accept-plan")
        [given] = home.consents("RETURN")
        code, tag = home.case["code"], home.lead.tag(home.record)
        path = f"/returns/{home.record['id']}/depart"
        goes = partial(home.lead.post, path, {"reconfirmed_today": True}, if_match=tag)
        back = partial(home.lead.post, f"/cases/{code}/consents/{given['id']}/withdraw")

        went, taken = together(partial(obeying, goes, []), partial(obeying, back, []))

        assert taken.is_success
        assert home.state == ("halted" if went.is_success else "ended")
        assert home.lead.sees(home.referral)["state"] == "withdrawn"


def test_of_two_who_open_a_return_one_does(world: Served) -> None:
    for _ in range(ROUNDS):
        officer, lead = world.someone("UZ_CONSULATE_ALMATY"), world.someone("KZ_LEAD")
        at_home = world.someone(HOME)
        _, referral = accepted(officer, lead, at_home)
        first, second = (partial(opens, one, referral) for one in (lead, at_home))

        answers = together(partial(obeying, first, []), partial(obeying, second, []))

        assert list_statuses(answers) == [201, 409]


def test_an_approval_lets_one_go_once(home: Homecoming) -> None:
    home.goes("assess-origin")
    asked = home.lead.does("go", home.record, {}).json()["id"]
    home.supervisor.post(f"/approvals/{asked}/approve")
    path, tag = f"/returns/{home.record['id']}/go", home.lead.tag(home.record)
    go = partial(home.lead.post, path, {}, if_match=tag, approval=asked)

    answers = together(partial(obeying, go, []), partial(obeying, go, []))

    assert list_statuses(answers)[0] == 200
    assert list_statuses(answers)[1] in {409, 412}
    assert [s["action"] for s in home.now()["steps"]].count("go") == 1
