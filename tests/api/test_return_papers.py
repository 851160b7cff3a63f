"""What a consulate that sees to the papers can tell from its task: nothing of a journey."""

from typing import Any

import pytest

from tests.support.returns import CONSULATE, WAY, Homecoming, begin
from tests.support.world import Someone, World, consent, done, problem


@pytest.fixture
def home(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """A return, just opened, for which the consulate sees to the papers."""
    papers = {"purposes": ["CONSULAR_DOCUMENT"], "sections": ["identity"]}
    given = [consent(focal_point=CONSULATE, **papers)]
    opened = begin(world, officer, lead, consents=given)
    opened.asks_the_consulate()
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
    assert "return" not in "".join(subject for subject, *_ in home.officer.waits())


def test_whoever_issued_the_document_has_no_part_in_the_journey(home: Homecoming) -> None:
    home.goes("permit-contact")
    done(home.does("officer", "verify-nationality", {"nationality": "confirmed"}))
    home.goes("go")
    path, tag = f"/returns/{home.record['id']}", home.officer.tag(home.record)
    body, key = {"without_marker": True}, {"If_Match": tag, "Idempotency_Key": "once"}

    issued, again = (
        home.officer.post(f"{path}/issue-document", body, **key) for _ in range(2)
    )

    assert (issued.status_code, again.status_code) == (204, 204)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert problem(home.officer.post(f"{path}/call-off", {})) == (404, "not-found")
    assert home.state == "documented"
