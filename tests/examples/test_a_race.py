"""Two people who act at the same moment, over HTTP, on a real server.

Such tests belong to tests/databases. On SQLite one writer waits for the other writer, and
PostgreSQL locks rows. `make test` and `make test-all` run tests marked `race` only on
PostgreSQL; `make test-cells` runs them on both databases.
"""

from functools import partial

import pytest

from tests.support.servers import run_together, serve_world
from tests.support.world import get_path, make_contacts, unwrap

LOST_TO_ACCEPT = {409, 412}
"""Statuses if the acceptance was first: the wrong state (409) or the old version (412)."""
LOST_TO_DECLINE = {404}
"""The status if the refusal was first: the next office has the case."""
pytestmark = pytest.mark.race


def test_a_lead_is_accepted_or_declined_and_never_both(url: str) -> None:
    with serve_world(url) as world:
        officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
        colleague, case = world.add_person("KZ_LEAD"), officer.submit()
        unwrap(lead.does("acknowledge", case))
        path, version = get_path(case), lead.get_tag(case)
        accept = partial(lead.send, f"{path}/accept-lead", {"contacts": make_contacts()})
        decline = partial(colleague.send, f"{path}/decline-lead", {"reason": "NO_CAPACITY"})

        answers = run_together(
            partial(accept, if_match=version), partial(decline, if_match=version)
        )
        state = officer.read(case)["state"]

    accepted, declined = (answer.is_success for answer in answers)
    assert accepted != declined
    assert state == ("referring" if accepted else "submitted")
    [loser] = [answer for answer in answers if not answer.is_success]
    assert loser.status_code in (LOST_TO_DECLINE if declined else LOST_TO_ACCEPT)
