"""The end of an account: its drafts stay with the office, its approvals lapse."""

from uuid import uuid4

import pytest

from app.access.credentials import prefix_of
from app.access.models import Account
from app.cli import administering
from app.kernel.actors import Role
from tests.support.account_changes import (
    FEED,
    NEWCOMER,
    SUPERVISOR,
    account_of,
    allows,
    gives,
    question,
    together,
)
from tests.support.administrators import ADMINISTRATOR
from tests.support.world import (
    WORKERS,
    Json,
    Someone,
    World,
    closing,
    done,
    kinds,
    path_of,
    problem,
)


@pytest.fixture
def consular_supervisor(world: World) -> Someone:
    """The supervisor of the consular post."""
    return world.someone("UZ_CONSULATE_ALMATY", SUPERVISOR)


def test_their_drafts_stay_with_the_office_and_its_people_finish_them(
    world: World, officer: Someone, consular_supervisor: Someone
) -> None:
    draft = done(officer.writes_case())
    colleague = world.someone("UZ_CONSULATE_ALMATY", {Role.OFFICER})
    waited = colleague.waits()

    done(consular_supervisor.post(f"{account_of(officer)}/disable"))

    opened = done(colleague.opens(f"{path_of(draft)}/sections/narrative"))
    assert opened["author"] == "UZ_CONSULATE_ALMATY"
    assert (waited, colleague.waits()) == (waited, waited)
    assert [kind for _, kind, _ in waited] == ["finish_draft"]
    assert done(colleague.does("submit", draft))["state"] == "submitted"


def test_who_comes_after_the_last_one_finds_the_work_waiting(
    world: World, officer: Someone, consular_supervisor: Someone
) -> None:
    admin = world.someone("DESK_CENTRAL_ASIA", ADMINISTRATOR)
    draft = done(officer.writes_case())
    done(consular_supervisor.post(f"{account_of(officer)}/disable"))
    done(admin.post(f"{account_of(consular_supervisor)}/disable"))
    watcher = world.someone("OVERSIGHT_DEMO")

    left = [one["facts"]["accounts_left"] for one in watcher.hears()]
    second = world.someone("OVERSIGHT_DEMO", ADMINISTRATOR)
    newcomer = NEWCOMER | {"focal_point": "UZ_CONSULATE_ALMATY", "roles": ["officer"]}
    opened = together(admin, second, "/accounts", newcomer)
    keys = {"scopes": ["cases:read", "cases:write", "feed:read"]}
    key = together(admin, second, f"/accounts/{opened['id']}/keys", keys)["key"]

    after = Someone(world, "UZ_CONSULATE_ALMATY", officer.actor, key)
    assert left == [0, 0]  # an account with the role supervisor alone handles no case
    assert [kind for _, kind, _ in after.waits()] == ["finish_draft"]
    assert done(after.does("submit", draft))["state"] == "submitted"


def test_what_they_asked_lapses_and_a_colleague_asks_anew(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case, colleague = lead.leads(officer.submits()), world.someone("KZ_LEAD")
    second = world.someone("KZ_LEAD", SUPERVISOR)
    asked = question(lead.does("close", case, closing()))
    lead.hears()

    done(supervisor.post(f"{account_of(lead)}/disable"))
    world.passes(minutes=1)

    assert kinds(colleague.hears())[-2:] == ["approval.lapsed", "account.disabled"]
    assert problem(allows(supervisor, asked)) == (409, "approval-decided")
    assert "approve" not in [kind for _, kind, _ in colleague.waits()]
    assert done(colleague.does_with(second, "close", case, closing()))["state"] == "closed"


def test_what_they_allowed_is_allowed_to_nobody_any_more(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case, boss = lead.leads(officer.submits()), world.someone("KZ_LEAD", SUPERVISOR)
    asked = question(lead.does("close", case, closing()))
    done(allows(supervisor, asked))

    done(boss.post(f"{account_of(supervisor)}/disable"))

    used = lead.does("close", case, closing(), approval=asked)
    assert problem(used) == (409, "approval-unusable")
    assert done(lead.get(f"/approvals/{asked}"))["decision"] == "lapsed"


def test_who_loses_a_role_has_allowed_nothing_with_it(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case, boss = lead.leads(officer.submits()), world.someone("KZ_LEAD", SUPERVISOR)
    asked = question(lead.does("close", case, closing()))
    done(allows(supervisor, asked))

    done(boss.post(f"{account_of(supervisor)}/revoke-roles", {"roles": ["supervisor"]}))

    used = lead.does("close", case, closing(), approval=asked)
    assert problem(used) == (409, "approval-unusable")


@pytest.mark.parametrize("act", ["disable", "revoke-roles"])
def test_an_administrator_who_has_no_part_in_the_case_ends_it_as_well(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, act: str
) -> None:
    case, boss = lead.leads(officer.submits()), world.someone("KZ_LEAD", SUPERVISOR)
    far = world.someone("JM_CONSULATE_PORT_OF_SPAIN", ADMINISTRATOR)
    asked = question(lead.does("close", case, closing()))
    done(allows(supervisor, asked))
    taken = {"roles": ["supervisor"]} if act == "revoke-roles" else None

    done(far.post(f"{account_of(supervisor)}/{act}", taken))

    used = lead.does("close", case, closing(), approval=asked)
    assert problem(used) == (409, "approval-unusable")
    assert done(lead.get(f"/approvals/{asked}"))["decision"] == "lapsed"
    assert done(lead.does_with(boss, "close", case, closing()))["state"] == "closed"


@pytest.mark.parametrize("act", ["disable", "revoke-roles"])
def test_who_was_being_ended_while_they_allowed_it_has_not_allowed_it(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, act: str
) -> None:
    case = lead.leads(officer.submits())
    asked = question(lead.does("close", case, closing()))
    done(allows(supervisor, asked))

    with world.database.writing() as session:
        account = session.get_one(Account, supervisor.actor.account_id)
        if act == "disable":
            account.disabled_at = world.now
        else:
            account.roles = ["caseworker"]

    used = lead.does("close", case, closing(), approval=asked)
    assert problem(used) == (409, "approval-unusable")


def test_what_they_asked_of_other_accounts_lapses_too(
    world: World, supervisor: Someone
) -> None:
    boss, worker = (world.someone("KZ_LEAD", roles) for roles in (SUPERVISOR, WORKERS))
    path, more = f"{account_of(worker)}/grant-roles", {"roles": ["supervisor"]}
    asked = question(gives(supervisor, path, more))

    done(boss.post(f"{account_of(supervisor)}/disable"))

    assert problem(allows(boss, asked)) == (409, "approval-decided")


def test_an_operator_at_the_command_line_is_journalled_as_nobody(world: World) -> None:
    watcher = world.someone("OVERSIGHT_DEMO")
    account = administering.open_account(world.ground, "KZ_LEAD", "duty 9", {Role.OFFICER})
    key = administering.make_key(world.ground, account, watcher.actor.scopes, 30)
    other = administering.make_key(world.ground, account, watcher.actor.scopes, 30)
    administering.revoke_key(world.ground, prefix_of(other))
    administering.disable_account(world.ground, account)

    told = watcher.hears()

    assert kinds(told) == [
        "account.opened",
        "account.key_made",
        "account.key_made",
        "account.key_revoked",
        "account.disabled",
    ]
    assert {one["by"] for one in told} == {None}
    assert {one["subject"] for one in told} == {f"accounts/{account}"}
    gone = Someone(world, "KZ_LEAD", watcher.actor, key)
    assert problem(gone.get("/me")) == (401, "unauthenticated")


def test_a_retry_of_the_end_of_an_account_changes_nothing(
    world: World, supervisor: Someone, lead: Someone
) -> None:
    path, key = f"{account_of(lead)}/disable", str(uuid4())
    first = done(supervisor.post(path, idempotency_key=key))
    world.passes(hours=1)

    again: Json = done(supervisor.post(path, idempotency_key=key))

    assert again == first


@pytest.mark.parametrize(
    ("what", "body"), [("grant-roles", {"roles": ["coordinator"]}), ("keys", FEED)]
)
def test_what_was_taken_away_is_not_given_back_on_an_old_word(
    world: World, supervisor: Someone, what: str, body: Json
) -> None:
    boss, worker = (
        world.someone("KZ_LEAD", roles) for roles in (SUPERVISOR, {Role.CASEWORKER})
    )
    path = f"{account_of(worker)}/{what}"
    first, spare = (get_approval(supervisor, boss, path, body) for _ in "12")
    made = done(gives(supervisor, path, body, first))

    if what == "keys":
        done(boss.post(f"{path}/{made['prefix']}/revoke"))
    else:
        done(boss.post(f"{account_of(worker)}/revoke-roles", body))

    assert problem(gives(supervisor, path, body, spare)) == (409, "approval-unusable")
    assert done(worker.get("/me"))["roles"] == ["caseworker"]


def get_approval(who: Someone, by: Someone, path: str, body: Json) -> str:
    """Return an approval that a second person gave and that is not used yet."""
    asked = question(gives(who, path, body))
    done(allows(by, asked))
    return asked
