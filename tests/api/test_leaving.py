"""When an account is disabled, its drafts stay with the office and its approvals expire."""

from uuid import uuid4

import pytest

from app.access.credentials import get_prefix
from app.access.models import Account
from app.cli import operator_actions
from app.kernel.actors import Role
from tests.support.account_changes import (
    FEED,
    NEWCOMER,
    SUPERVISOR,
    add,
    add_with,
    approve,
    get_account_path,
    get_approval_id,
    make_key_with,
)
from tests.support.administrators import ADMINISTRATOR
from tests.support.world import (
    WORKERS,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_closure,
    unwrap,
)


@pytest.fixture
def consular_supervisor(world: World) -> Someone:
    """Return a supervisor of the consulate of Uzbekistan in Almaty."""
    return world.add_person("UZ_CONSULATE_ALMATY", SUPERVISOR)


def test_their_drafts_stay_with_the_office_and_its_people_finish_them(
    world: World, officer: Someone, consular_supervisor: Someone
) -> None:
    draft = unwrap(officer.create_case())
    colleague = world.add_person("UZ_CONSULATE_ALMATY", {Role.OFFICER})
    waited = colleague.get_worklist()

    unwrap(consular_supervisor.send(f"{get_account_path(officer)}/disable"))

    opened = unwrap(colleague.open(f"{get_path(draft)}/sections/narrative"))
    assert opened["author"] == "UZ_CONSULATE_ALMATY"
    assert (waited, colleague.get_worklist()) == (waited, waited)
    assert [kind for _, kind, _ in waited] == ["finish_draft"]
    assert unwrap(colleague.does("submit", draft))["state"] == "submitted"


def test_who_comes_after_the_last_one_finds_the_work_waiting(
    world: World, officer: Someone, consular_supervisor: Someone
) -> None:
    admin = world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)
    draft = unwrap(officer.create_case())
    unwrap(consular_supervisor.send(f"{get_account_path(officer)}/disable"))
    unwrap(admin.send(f"{get_account_path(consular_supervisor)}/disable"))
    watcher = world.add_person("OVERSIGHT_DEMO")

    left = [one["facts"]["accounts_left"] for one in watcher.poll()]
    second = world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)
    newcomer = NEWCOMER | {"focal_point": "UZ_CONSULATE_ALMATY", "roles": ["officer"]}
    opened = add_with(admin, second, "/accounts", newcomer)
    keys = {"scopes": ["cases:read", "cases:write", "feed:read"]}
    key = make_key_with(admin, second, f"/accounts/{opened['id']}/keys", keys)

    after = Someone(world, "UZ_CONSULATE_ALMATY", officer.actor, key)
    assert left == [0, 0]  # an account with the role supervisor alone handles no case
    assert [kind for _, kind, _ in after.get_worklist()] == ["finish_draft"]
    assert unwrap(after.does("submit", draft))["state"] == "submitted"


def test_what_they_asked_lapses_and_a_colleague_asks_anew(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case, colleague = lead.take_lead(officer.submit()), world.add_person("KZ_LEAD")
    second = world.add_person("KZ_LEAD", SUPERVISOR)
    approval_id = get_approval_id(lead.does("close", case, make_closure()))
    lead.poll()

    unwrap(supervisor.send(f"{get_account_path(lead)}/disable"))
    world.advance(minutes=1)

    assert list_types(colleague.poll())[-2:] == ["approval.expired", "account.disabled"]
    assert get_problem(approve(supervisor, approval_id)) == (409, "approval-decided")
    assert "approve" not in [kind for _, kind, _ in colleague.get_worklist()]
    assert (
        unwrap(colleague.does_with(second, "close", case, make_closure()))["state"]
        == "closed"
    )


def test_what_they_allowed_is_allowed_to_nobody_any_more(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case, boss = lead.take_lead(officer.submit()), world.add_person("KZ_LEAD", SUPERVISOR)
    approval_id = get_approval_id(lead.does("close", case, make_closure()))
    unwrap(approve(supervisor, approval_id))

    unwrap(boss.send(f"{get_account_path(supervisor)}/disable"))

    used = lead.does("close", case, make_closure(), approval=approval_id)
    assert get_problem(used) == (409, "approval-unusable")
    assert unwrap(lead.get(f"/approvals/{approval_id}"))["decision"] == "expired"


def test_who_loses_a_role_has_allowed_nothing_with_it(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case, boss = lead.take_lead(officer.submit()), world.add_person("KZ_LEAD", SUPERVISOR)
    approval_id = get_approval_id(lead.does("close", case, make_closure()))
    unwrap(approve(supervisor, approval_id))

    unwrap(
        boss.send(f"{get_account_path(supervisor)}/revoke-roles", {"roles": ["supervisor"]})
    )

    used = lead.does("close", case, make_closure(), approval=approval_id)
    assert get_problem(used) == (409, "approval-unusable")


@pytest.mark.parametrize("act", ["disable", "revoke-roles"])
def test_an_administrator_who_has_no_part_in_the_case_ends_it_as_well(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, act: str
) -> None:
    case, boss = lead.take_lead(officer.submit()), world.add_person("KZ_LEAD", SUPERVISOR)
    far = world.add_person("JM_CONSULATE_PORT_OF_SPAIN", ADMINISTRATOR)
    approval_id = get_approval_id(lead.does("close", case, make_closure()))
    unwrap(approve(supervisor, approval_id))
    taken = {"roles": ["supervisor"]} if act == "revoke-roles" else None

    unwrap(far.send(f"{get_account_path(supervisor)}/{act}", taken))

    used = lead.does("close", case, make_closure(), approval=approval_id)
    assert get_problem(used) == (409, "approval-unusable")
    assert unwrap(lead.get(f"/approvals/{approval_id}"))["decision"] == "expired"
    assert unwrap(lead.does_with(boss, "close", case, make_closure()))["state"] == "closed"


@pytest.mark.parametrize("act", ["disable", "revoke-roles"])
def test_who_was_being_ended_while_they_allowed_it_has_not_allowed_it(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, act: str
) -> None:
    case = lead.take_lead(officer.submit())
    approval_id = get_approval_id(lead.does("close", case, make_closure()))
    unwrap(approve(supervisor, approval_id))

    with world.database.begin_write() as session:
        account = session.get_one(Account, supervisor.actor.account_id)
        if act == "disable":
            account.disabled_at = world.now
        else:
            account.roles = ["caseworker"]

    used = lead.does("close", case, make_closure(), approval=approval_id)
    assert get_problem(used) == (409, "approval-unusable")


def test_what_they_asked_of_other_accounts_lapses_too(
    world: World, supervisor: Someone
) -> None:
    boss, worker = (world.add_person("KZ_LEAD", roles) for roles in (SUPERVISOR, WORKERS))
    path, more = f"{get_account_path(worker)}/grant-roles", {"roles": ["supervisor"]}
    approval_id = get_approval_id(add(supervisor, path, more))

    unwrap(boss.send(f"{get_account_path(supervisor)}/disable"))

    assert get_problem(approve(boss, approval_id)) == (409, "approval-decided")


def test_an_operator_at_the_command_line_is_journalled_as_nobody(world: World) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO")
    account = operator_actions.create_account(
        world.runtime, "KZ_LEAD", "duty 9", {Role.OFFICER}
    )
    key = operator_actions.create_key(world.runtime, account, watcher.actor.scopes, 30)
    other = operator_actions.create_key(world.runtime, account, watcher.actor.scopes, 30)
    operator_actions.revoke_key(world.runtime, get_prefix(other))
    operator_actions.disable_account(world.runtime, account)

    events = watcher.poll()

    assert list_types(events) == [
        "account.created",
        "account.key_created",
        "account.key_created",
        "account.key_revoked",
        "account.disabled",
    ]
    assert {one["by"] for one in events} == {None}
    assert {one["subject"] for one in events} == {f"accounts/{account}"}
    gone = Someone(world, "KZ_LEAD", watcher.actor, key)
    assert get_problem(gone.get("/me")) == (401, "unauthenticated")


def test_a_retry_of_the_end_of_an_account_changes_nothing(
    world: World, supervisor: Someone, lead: Someone
) -> None:
    path, key = f"{get_account_path(lead)}/disable", str(uuid4())
    first = unwrap(supervisor.send(path, idempotency_key=key))
    world.advance(hours=1)

    again: Json = unwrap(supervisor.send(path, idempotency_key=key))

    assert again == first


@pytest.mark.parametrize(
    ("what", "body"), [("grant-roles", {"roles": ["coordinator"]}), ("keys", FEED)]
)
def test_what_was_taken_away_is_not_given_back_on_an_old_word(
    world: World, supervisor: Someone, what: str, body: Json
) -> None:
    boss, worker = (
        world.add_person("KZ_LEAD", roles) for roles in (SUPERVISOR, {Role.CASEWORKER})
    )
    path = f"{get_account_path(worker)}/{what}"
    first, spare = (get_approval(supervisor, boss, path, body) for _ in "12")
    made = unwrap(add(supervisor, path, body, first))

    if what == "keys":
        unwrap(boss.send(f"{path}/{made['prefix']}/revoke"))
    else:
        unwrap(boss.send(f"{get_account_path(worker)}/revoke-roles", body))

    assert get_problem(add(supervisor, path, body, spare)) == (409, "approval-unusable")
    assert unwrap(worker.get("/me"))["roles"] == ["caseworker"]


def get_approval(who: Someone, by: Someone, path: str, body: Json) -> str:
    """Return the id of an approval that a second person gave and that is not used yet."""
    approval_id = get_approval_id(add(who, path, body))
    unwrap(approve(by, approval_id))
    return approval_id
