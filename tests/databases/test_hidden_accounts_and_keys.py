"""Rows that a policy of PostgreSQL hides from one statement let nobody act as two people.

Whoever owns a table can add a policy that hides its rows from a single statement of the
service. The rule of the second person must therefore decide on the rows that it verified,
and not on the result of a second statement.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from httpx2 import Response

from app.access.models import Account, ApiKey
from app.access.people import list_enabled
from app.kernel.actors import Role
from app.kernel.macs import NotAuthentic
from tests.databases.test_attacks_on_rights import confirm, make_linking_key
from tests.support.account_changes import approve, get_approval_id
from tests.support.database_attacks import Attacker
from tests.support.databases import listen_to
from tests.support.hidden_rows import add_hiding_policy, list_patterns
from tests.support.passkeys import Office
from tests.support.sessions import add_account_of
from tests.support.world import Someone, World, get_problem, make_closure, unwrap

pytestmark = pytest.mark.usefixtures("pg_url")

SECOND_PERSON = (409, "not-a-second-person")


def expect_refusals(world: World, table: str, send: Callable[[], Response]) -> None:
    """Hide a table from one statement of a request after another; expect no success."""
    assert get_problem(send()) == SECOND_PERSON
    patterns = list_patterns(world, table, send)
    assert patterns
    for pattern in patterns:
        with add_hiding_policy(world, table, pattern):
            answer = send()
        assert not answer.is_success, pattern
    assert get_problem(send()) == SECOND_PERSON


def test_hidden_account_does_not_make_one_person_the_second(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    same = add_account_of(lead, lead.code, {Role.SUPERVISOR})
    asked = get_approval_id(lead.does("close", case, make_closure()))

    expect_refusals(world, Account.__tablename__, lambda: approve(same, asked))


def test_hidden_key_does_not_make_its_maker_the_second_person(world: World) -> None:
    office = Office(world)
    make_linking_key(office)
    made = unwrap(office.begin())

    expect_refusals(world, ApiKey.__tablename__, lambda: confirm(office, made))


def test_policy_hides_rows_from_one_statement(world: World, lead: Someone) -> None:
    """The attack works: the list of accounts is empty while the policy hides its rows."""
    office = world.add_person(lead.code, {Role.SUPERVISOR})
    assert unwrap(office.get("/accounts"))["items"]
    with add_hiding_policy(world, "account", "SELECT %WHERE account.focal_point_id = %"):
        assert unwrap(office.get("/accounts"))["items"] == []


@pytest.mark.parametrize("turn", [1, 2])
def test_hidden_account_is_noticed_when_roles_are_compared(
    world: World, lead: Someone, turn: int
) -> None:
    """An account that is hidden from one of two statements is not left out of the list.

    If it is hidden from the statement that verifies, the rows are read once more.
    """
    other = add_account_of(lead, "UZ_LEAD", {Role.CASEWORKER})
    attacker, turns = Attacker(world), count()
    person_id, account_id = lead.actor.person_id, other.actor.account_id
    assert person_id is not None

    def change(person: UUID | None) -> Callable[..., None]:
        def write(*sent: Any) -> None:
            if "WHERE account.person_id" in sent[2] and next(turns) // 2 == turn - 1:
                attacker.update(Account, account_id, person_id=person)

        return write

    with (
        listen_to(world.database, "before_cursor_execute", change(None)),
        listen_to(world.database, "after_cursor_execute", change(person_id)),
        suppress(NotAuthentic),
        world.write_as_service() as tx,
    ):
        assert len(list_enabled(tx, person_id)) == 2
    assert next(turns) >= 2 * turn
    with world.write_as_service() as tx:
        assert len(list_enabled(tx, person_id)) == 2
