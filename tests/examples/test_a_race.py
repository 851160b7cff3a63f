"""Two people who act at the same moment, over HTTP, on a real server.

Such tests belong to tests/databases. On SQLite one writer waits for the other, and
PostgreSQL locks rows. `make test` runs tests marked `race` on PostgreSQL, `make test-all`
on both.
"""

from functools import partial

import pytest

from tests.support.servers import served, together
from tests.support.world import contacts, done, path_of

LOST_TO_ACCEPT = {409, 412}
"""Another state or another version, depending on which is checked first."""
LOST_TO_DECLINE = {404}
"""The case has gone to the next office."""
pytestmark = pytest.mark.race


def test_a_lead_is_accepted_or_declined_and_never_both(url: str) -> None:
    with served(url) as world:
        officer, lead = world.someone("UZ_CONSULATE_ALMATY"), world.someone("KZ_LEAD")
        colleague, case = world.someone("KZ_LEAD"), officer.submits()
        done(lead.does("acknowledge", case))
        path, version = path_of(case), lead.tag(case)
        accept = partial(lead.post, f"{path}/accept-lead", {"contacts": contacts()})
        decline = partial(colleague.post, f"{path}/decline-lead", {"reason": "NO_CAPACITY"})

        answers = together(
            partial(accept, if_match=version), partial(decline, if_match=version)
        )
        state = officer.sees(case)["state"]

    accepted, declined = (answer.is_success for answer in answers)
    assert accepted != declined
    assert state == ("referring" if accepted else "submitted")
    [loser] = [answer for answer in answers if not answer.is_success]
    assert loser.status_code in (LOST_TO_DECLINE if declined else LOST_TO_ACCEPT)
