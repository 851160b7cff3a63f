"""PostgreSQL plans a frequent statement a few times, and then keeps the plan.

The driver prepares a statement that it has sent five times. PostgreSQL then plans it five
times with its parameters. After that it keeps a plan for any parameters, if that plan does
not seem to cost more.
"""

import pytest
from sqlalchemy import bindparam, text

from tests.support.world import Someone, unwrap

READS = 20
PLANS = text(
    "SELECT generic_plans FROM pg_prepared_statements "
    "WHERE statement LIKE :start AND generic_plans + custom_plans > 5"
).bindparams(bindparam("start"))


def list_kept_plans(who: Someone, path: str, start: str, **query: str) -> set[bool]:
    """Return, for each frequent statement that begins with `start`, whether a plan is kept.

    The number of plans before that is not compared: PostgreSQL makes more of them if it
    analyses a table meanwhile.
    """
    for _ in range(READS):
        unwrap(who.get(path, **query))
    with who.begin_read() as tx:
        rows = tx.session.execute(PLANS, {"start": f"{start}%"})
        return {row.generic_plans > 0 for row in rows}


@pytest.mark.parametrize("path", ["/worklist", "/events", "/focal-points"])
def test_plan_for_authentication_outlives_a_read(
    pg_url: str, lead: Someone, path: str
) -> None:
    assert list_kept_plans(lead, path, "SELECT api_key.prefix") == {True}, pg_url


@pytest.mark.parametrize(
    ("path", "query"),
    [("/cases/{}", {}), ("/cases/{}", {"include": "consents"}), ("/cases", {})],
)
def test_plan_for_the_records_of_cases_is_kept(
    pg_url: str, lead: Someone, officer: Someone, path: str, query: dict[str, str]
) -> None:
    path = path.format(officer.submit()["code"])

    assert list_kept_plans(lead, path, "WITH found", **query) == {True}, pg_url
