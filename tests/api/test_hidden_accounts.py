"""A supervisor of another office cannot find out whether an account exists (R08, R09)."""

from uuid import uuid4

import pytest

from app.access.credentials import get_prefix
from app.kernel.actors import Role
from tests.support.databases import record_statements
from tests.support.machine_keys import register_machine
from tests.support.world import World
from tests.sweeps.test_visibility import PEOPLE, as_told, reach

pytestmark = pytest.mark.slow


def test_a_supervisor_elsewhere_cannot_tell_a_hidden_account_from_a_missing_one(
    world: World,
) -> None:
    boss = world.add_person(PEOPLE["stranger"], {Role.SUPERVISOR})
    machine = register_machine(world)
    hidden = {
        "account_id": machine.client,
        "prefix": get_prefix(machine.one.key),
        "kid": machine.kid,
    }
    nothing = {"account_id": str(uuid4()), "prefix": "0123456789", "kid": "A" * 43}
    paths = world.app.openapi()["paths"]
    routes = [
        (method.upper(), path.removeprefix("/v1"), operation["operationId"])
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "{account_id}" in path
    ]

    for route in routes:
        answers, said = [], []
        for ids in (hidden, nothing):
            with record_statements(world.database) as statements:
                answers.append(as_told(reach(boss, route, ids)))
            said.append(statements)
        assert answers[0] == answers[1], route
        assert said[0] == said[1], route
        assert answers[0][0] == 404, route

    assert len(routes) == 11
