"""A consulate that issues documents for a return learns nothing about the journey."""

from typing import Any

import pytest

from tests.support.returns import CONSULATE, EARLY, NO_GO, WAY, Homecoming, begin_return
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    unwrap,
)


@pytest.fixture
def opened(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """Begin a person's return; a consent lets the consulate issue documents."""
    papers = {"purposes": ["CONSULAR_DOCUMENT"], "sections": ["identity"]}
    given = [make_consent(focal_point=CONSULATE, **papers)]
    return begin_return(world, officer, lead, consents=given)


@pytest.fixture
def papers(opened: Homecoming) -> Json:
    """Return the referral for consular documents, which the consulate has accepted."""
    return opened.refer_to_consulate()


@pytest.fixture
def home(opened: Homecoming, papers: Json) -> Homecoming:
    """Return `opened`, after the consulate has agreed to issue documents."""
    assert papers["state"] == "accepted"
    return opened


def test_the_consulate_counts_its_own_steps_and_sees_nobody_elses(home: Homecoming) -> None:
    path = f"/returns/{home.record['id']}"
    seen = dict[str, tuple[Any, ...]]()
    for who, action, body in WAY:
        papers = action in {"verify-nationality", "issue-document"}
        home.does("officer" if papers else who, action, body)
        read = home.officer.get(path)
        task = read.json() if read.is_success else {}
        seen[action] = (task.get("version"), task.get("due_at"), read.headers.get("ETag"))

    assert home.state == "monitoring"
    assert [one[0] for one in seen.values()] == [None, 1, 2, 2, 2, 3, *[None] * 6]
    assert len({seen[step] for step in list(seen)[2:5]}) == 1
    assert "return" not in "".join(subject for subject, *_ in home.officer.get_worklist())


def test_whoever_issued_the_document_has_no_part_in_the_journey(home: Homecoming) -> None:
    home.advance("permit-contact")
    unwrap(home.does("officer", "verify-nationality", {"nationality": "confirmed"}))
    home.advance("go")
    path, tag = f"/returns/{home.record['id']}", home.officer.get_tag(home.record)
    body, key = {"without_marker": True}, {"If_Match": tag, "Idempotency_Key": "once"}

    issued, again = (
        home.officer.send(f"{path}/issue-document", body, **key) for _ in range(2)
    )

    assert (issued.status_code, again.status_code) == (204, 204)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert get_problem(home.officer.send(f"{path}/call-off", {})) == (404, "not-found")
    assert home.state == "documented"


def end_return(home: Homecoming, how: str) -> None:
    """End a return in the way that `how` names."""
    if how == "no_go":
        unwrap(home.does("lead", "no-go", NO_GO))
    elif how == "called_off":
        assert home.does("home", "call-off", {}).status_code == 204
    elif how == "ended":
        home.withdraw_consents("RETURN")
    elif how == "halted":
        home.advance("depart")
        home.withdraw_consents("RETURN")
    elif how == "withdrawn":
        why = {"reason": "SURVIVOR_DECLINED"}
        unwrap(home.lead.does("withdraw", home.referral, why))
    else:
        home.advance("monitor")
        for _ in range(2):
            unwrap(home.does("home", "report", EARLY))


@pytest.mark.parametrize(
    "how", ["no_go", "called_off", "ended", "halted", "withdrawn", "completed"]
)
def test_referral_for_papers_ends_with_the_return_and_never_says_why(
    home: Homecoming, papers: Json, how: str
) -> None:
    officer, lead = home.officer, home.lead
    section = f"/cases/{home.case['code']}/sections/identity"
    names = {"section": "identity", "names": ["Ана"]}
    unwrap(lead.ask("PUT", section, names, headers={"If_Match": lead.get_tag(home.case)}))
    home.advance("permit-contact")
    unwrap(home.does("officer", "verify-nationality", {"nationality": "confirmed"}))
    home.advance("go")
    if how in {"halted", "completed"}:
        issued = home.does("officer", "issue-document", {"without_marker": True})
        assert issued.status_code == 204
    before = officer.open(section).status_code
    officer.poll()

    end_return(home, how)

    seen = lead.read(papers)
    assert (before, officer.open(section).status_code) == (200, 404)
    assert (seen["state"], seen["reason"]) == ("withdrawn", "NO_LONGER_NEEDED")
    assert list_types(officer.poll()).count("referral.withdrawn") == 1
    assert get_problem(officer.does("start", papers, {"person_met": True}))[0] == 409


def test_consulate_that_was_asked_cannot_accept_once_the_return_ended(
    opened: Homecoming,
) -> None:
    body = {"service": "CONSULAR_DOCUMENT", "sections": ["identity"]}
    referral = unwrap(opened.lead.refer(opened.case, CONSULATE, **body))

    end_return(opened, "no_go")

    assert opened.lead.read(referral)["state"] == "withdrawn"
    assert get_problem(opened.officer.does("accept", referral, make_acceptance())) == (
        409,
        "action-illegal",
    )
