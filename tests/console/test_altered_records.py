"""Tests of the pages of a case whose rows were changed in the database (ADR 81)."""

from html import unescape
from typing import Final

import pytest
from structlog.testing import capture_logs

from app.cases.lifecycle import State
from app.cases.models import Case
from tests.support.console_browser import ConsoleBrowser, read_hidden
from tests.support.database_attacks import Attacker
from tests.support.world import Json, Someone, World, get_path, get_problem

TITLE: Final = "Records were changed in the database, and not by the service."
ADVICE: Final = "Tell the operator of the service at once"
QUESTION: Final = "actions/ask_submitter"
TYPED: Final = "Ей нужен переводчик с дари. ¿Habla español?"


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead.take_lead(officer.submit())


def alter_case(world: World, case: Json) -> None:
    """Change the row of a case by SQL."""
    attacker = Attacker(world)
    found = attacker.find(Case, code=case["code"])
    attacker.update(Case, found["number"], state=State.ASSISTING)


def test_answer_says_that_an_operator_has_to_act(
    world: World, case: Json, lead: Someone
) -> None:
    alter_case(world, case)
    with capture_logs() as lines:
        answer = lead.get(get_path(case))
    assert get_problem(answer) == (500, "records-altered")
    assert "Do not send the request again" in answer.json()["detail"]
    assert [one["table"] for one in lines if one["event"] == "row.forged"] == ["case"]
    assert [one for one in lines if one["event"] == "fault"] == []


@pytest.mark.parametrize("page", ["", "/" + QUESTION])
def test_page_says_that_an_operator_has_to_act(
    world: World, case: Json, lead: Someone, page: str
) -> None:
    alter_case(world, case)
    shown = ConsoleBrowser(lead).get(get_path(case).removeprefix("/") + page)
    assert shown.status_code == 500
    text = unescape(shown.text)
    assert TITLE in text
    assert ADVICE in text
    assert "Number of this request" in text
    assert "urn:uuid:" not in text


def test_form_is_not_sent_again_and_what_was_typed_stays(
    world: World, case: Json, lead: Someone
) -> None:
    browser = ConsoleBrowser(lead)
    path = f"{get_path(case).removeprefix('/')}/{QUESTION}"
    hidden = read_hidden(browser.get(path).text, QUESTION)
    alter_case(world, case)

    answer = browser.post(path, hidden | {"topics": "needs", "question": TYPED})

    assert answer.status_code == 500
    page = unescape(answer.text)
    assert ADVICE in page
    assert TYPED in page
    assert "send it again" not in page


def test_list_of_tasks_is_shown_without_the_case(
    world: World, case: Json, officer: Someone, lead: Someone
) -> None:
    other = lead.take_lead(officer.submit())
    alter_case(world, case)
    shown = ConsoleBrowser(lead).get("cases")
    assert shown.status_code == 200
    assert other["code"] in shown.text
    assert case["code"] not in shown.text
