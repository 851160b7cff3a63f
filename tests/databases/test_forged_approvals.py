"""The second person of an approval cannot be forged in the database (R14, ADR 80)."""

from uuid import UUID, uuid4

from structlog.testing import capture_logs

from app.access.approvals import expire_unanswered
from app.access.models import Account, Approval, ApprovalState
from app.kernel.actors import Role
from tests.support.account_changes import (
    FEED,
    add,
    approve,
    get_account_path,
    get_approval_id,
)
from tests.support.database_attacks import Attacker, Row
from tests.support.passkeys import Office
from tests.support.world import World, get_problem, unwrap

UNUSABLE = (409, "approval-unusable")


def ask_for_key(office: Office) -> tuple[str, str]:
    """Let a supervisor request a key for the newcomer; return the path and approval id."""
    path = f"{get_account_path(office.newcomer)}/keys"
    return path, get_approval_id(add(office.first, path, FEED))


def find_row(attacker: Attacker, approval: str) -> Row:
    return attacker.find(Approval, id=UUID(approval))


def test_forged_decision_is_no_approval(world: World) -> None:
    """An approval is unusable if the other supervisor's decision was forged."""
    office, attacker = Office(world), Attacker(world)
    path, asked = ask_for_key(office)
    attacker.update(
        Approval,
        find_row(attacker, asked)["number"],
        decision=ApprovalState.APPROVED,
        decided_by=office.second.actor.account_id,
        decided_at=world.now,
    )

    assert get_problem(add(office.first, path, FEED, asked)) == UNUSABLE


def test_copied_approval_is_not_used(world: World) -> None:
    office, attacker = Office(world), Attacker(world)
    path, asked = ask_for_key(office)
    unwrap(approve(office.second, asked))
    copy_id, row = uuid4(), find_row(attacker, asked)
    attacker.insert(Approval, row | {"id": copy_id, "number": row["number"] + 1})

    assert get_problem(add(office.first, path, FEED, str(copy_id))) == UNUSABLE
    assert add(office.first, path, FEED, asked).status_code == 201


def test_used_approval_is_not_restored(world: World) -> None:
    office, attacker = Office(world), Attacker(world)
    path, asked = ask_for_key(office)
    unwrap(approve(office.second, asked))
    row = find_row(attacker, asked)
    assert add(office.first, path, FEED, asked).status_code == 201

    attacker.update(Approval, row["number"], **row)
    assert get_problem(add(office.first, path, FEED, asked)) == UNUSABLE


def test_request_that_nobody_made_is_not_decided(world: World) -> None:
    office, attacker = Office(world), Attacker(world)
    _, asked = ask_for_key(office)
    row = find_row(attacker, asked)
    attacker.update(Approval, row["number"], facts=row["facts"] | {"days": 365})

    assert get_problem(approve(office.second, asked)) == (404, "not-found")


def test_approval_moved_to_another_account_is_not_used(world: World) -> None:
    """A third account cannot use an approval whose `asked_by` was changed to it."""
    office, attacker = Office(world), Attacker(world)
    third = world.add_person(office.code, {Role.SUPERVISOR})
    path, asked = ask_for_key(office)
    unwrap(approve(office.second, asked))
    number = find_row(attacker, asked)["number"]
    attacker.update(Approval, number, asked_by=third.actor.account_id)

    assert get_problem(add(third, path, FEED, asked)) == UNUSABLE


def test_approvals_of_a_forged_account_expire_with_the_others(world: World) -> None:
    """A forged account does not prevent the expiry of its own and other approvals."""
    office, attacker = Office(world), Attacker(world)
    _, asked = ask_for_key(office)
    path = get_account_path(office.newcomer)
    lawful = get_approval_id(add(office.second, f"{path}/keys", FEED))
    first = office.first.actor.account_id
    attacker.update(Account, first, roles=sorted(Role))
    world.advance(days=30)
    with capture_logs() as logs, world.write_as_service() as tx:
        assert expire_unanswered(tx) == 2

    states = {find_row(attacker, one)["decision"] for one in (asked, lawful)}
    assert states == {ApprovalState.EXPIRED}
    assert {line["row"] for line in logs if line["event"] == "row.forged"} == {str(first)}
