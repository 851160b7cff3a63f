"""A second person confirms a request, which is carried out exactly as asked (ADR 61)."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from app.access.kept_requests import open_request
from app.access.models import Approval
from app.cases.models import CaseKey
from app.kernel import migrations
from app.kernel.actors import SERVICE, Role
from tests.support.account_changes import (
    FEED,
    SUPERVISOR,
    add,
    add_with,
    get_account_path,
    get_approval_id,
)
from tests.support.administrators import ADMINISTRATOR, NEW, OFFICE, replace_row, update_row
from tests.support.protection import protect_rows
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_closure,
    unwrap,
)

NOTE = "She asked us not to write to her again."
REFUSED = (409, "action-not-possible")
REST = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    return lead.take_lead(officer.submit())


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)


@pytest.fixture
def second(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)


def ask_to_close(who: Someone, case: Json, **changes: object) -> Json:
    response = who.does("close", case, make_closure(**changes))
    assert response.status_code == 202, response.text
    return dict(response.json())


def confirm(second: Someone, approval: Json) -> tuple[int, str]:
    """Confirm an approval, and return the status with the decision or the problem type."""
    answer = second.send(f"/approvals/{approval['id']}/confirm")
    return (
        (200, str(answer.json()["decision"])) if answer.is_success else get_problem(answer)
    )


def read_waiting(second: Someone) -> Json:
    [waits] = unwrap(second.get("/approvals", state="pending"))["items"]
    return dict(waits)


def test_confirmed_closure_closes_the_case_with_the_note_of_the_first_person(
    lead: Someone, supervisor: Someone, officer: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case, note=NOTE)
    waits = read_waiting(supervisor)
    lead.poll()

    done = confirm(supervisor, approval)

    assert done == confirm(supervisor, approval) == (200, "used")
    assert waits["may_confirm"]
    assert waits["asked_by"]["focal_point"] == "KZ_LEAD"
    assert waits["request"] == {
        "before": None,
        "after": {"reason": "GOALS_MET", "person_informed": True},
        "sealed": ["note"],
    }
    assert lead.read(case)["closure_reason"] == "GOALS_MET"
    assert list_types(lead.poll()) == ["approval.decided", "case.closed"]
    unwrap(lead.does("reopen", case, {"reason": "NEW_NEED"}))
    assert ("close", NOTE) in lead.list_notes(case)
    by = [event["by"] for event in officer.poll() if event["type"] == "case.closed"]
    assert by == ["KZ_LEAD"]


def test_requested_values_are_shown_to_the_two_people_alone(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case, note=NOTE)
    path = f"/approvals/{approval['id']}"
    worker = world.add_person("KZ_LEAD", {Role.CASEWORKER})

    seen = {
        name: unwrap(one.get(path))
        for name, one in {"asks": lead, "may": supervisor, "may not": worker}.items()
    }

    shown = {name: bool(one["request"]) for name, one in seen.items()}
    named = {name: bool(one["asked_by"]) for name, one in seen.items()}
    assert shown == named == {"asks": True, "may": True, "may not": False}
    may = {name: one["may_confirm"] for name, one in seen.items()}
    assert may == {"asks": False, "may": True, "may not": False}
    assert NOTE not in str(seen)


def test_only_a_second_person_confirms(
    world: World, lead: Someone, case: Json, stranger: Someone
) -> None:
    approval = ask_to_close(lead, case)
    worker = world.add_person("KZ_LEAD", {Role.CASEWORKER})

    assert confirm(lead, approval) == (409, "not-a-second-person")
    assert confirm(worker, approval) == (403, "role-missing")
    assert confirm(stranger, approval) == (404, "not-found")
    assert lead.read(case)["state"] == case["state"]


def test_a_stale_version_is_refused_and_the_approval_stays_pending(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case)
    unwrap(lead.does("suspend", case, REST))
    unwrap(lead.does("resume", case))

    answer = supervisor.send(f"/approvals/{approval['id']}/confirm")

    assert get_problem(answer) == REFUSED
    assert answer.json()["cause"] == "/problems/version-stale"
    assert read_waiting(supervisor)["decision"] == "pending"


def test_versions_that_the_first_person_only_guessed_are_not_kept(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    later = [f'"{version}.0000000000000000"' for version in range(2, 16)]
    asked = [
        lead.send(
            f"{get_path(case)}/close",
            make_closure(note=note),
            if_match=", ".join([lead.get_tag(case), *tags]),
            idempotency_key=str(uuid4()),
        ).json()
        for note, tags in (("x", later), ("x", later[:3]))
    ]
    unwrap(lead.does("suspend", case, REST))
    unwrap(lead.does("resume", case))

    assert asked[0]["id"] == asked[1]["id"]
    assert confirm(supervisor, asked[0]) == REFUSED


def test_a_request_with_another_version_is_a_new_request(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    first = ask_to_close(lead, case)
    assert ask_to_close(lead, case)["id"] == first["id"]
    unwrap(lead.does("suspend", case, REST))
    unwrap(lead.does("resume", case))
    lead.poll()

    second = ask_to_close(lead, case)

    assert second["id"] == read_waiting(supervisor)["id"] != first["id"]
    assert list_types(lead.poll()) == ["approval.withdrawn", "approval.requested"]
    assert [kind for _, kind, _ in lead.get_worklist()].count("approve") == 1
    assert confirm(supervisor, first) == (409, "approval-decided")
    assert confirm(supervisor, second) == (200, "used")


def test_a_role_that_the_first_person_lost_ends_the_confirmation(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case)
    roles = {"roles": ["officer", "caseworker", "coordinator"]}
    unwrap(supervisor.send(f"{get_account_path(lead)}/revoke-roles", roles))

    answer = supervisor.send(f"/approvals/{approval['id']}/confirm")

    assert get_problem(answer) == REFUSED
    assert answer.json()["cause"] == "/problems/role-missing"


def test_a_withdrawn_request_cannot_be_confirmed_or_used(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case)
    path = f"/approvals/{approval['id']}"
    lead.poll()
    foreign = supervisor.send(f"{path}/withdraw")

    withdrawn = [unwrap(lead.send(f"{path}/withdraw"))["decision"] for _ in "12"]

    assert get_problem(foreign) == (409, "not-the-asker")
    assert withdrawn == ["withdrawn"] * 2
    assert confirm(supervisor, approval) == (409, "approval-decided")
    assert get_problem(supervisor.send(f"{path}/approve")) == (409, "approval-decided")
    assert list_types(lead.poll()) == ["approval.withdrawn"]
    assert "approve" not in [kind for _, kind, _ in lead.get_worklist()]
    assert ask_to_close(lead, case)["id"] != approval["id"]


def test_a_request_that_was_carried_out_cannot_be_withdrawn(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case)
    assert confirm(supervisor, approval) == (200, "used")

    late = lead.send(f"/approvals/{approval['id']}/withdraw")

    assert get_problem(late) == (409, "approval-decided")


def test_an_approved_request_is_confirmed_by_the_person_who_approved_it_alone(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    approval, other = ask_to_close(lead, case), world.add_person("KZ_LEAD", SUPERVISOR)
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))

    assert confirm(other, approval) == (409, "approval-decided")
    assert confirm(supervisor, approval) == (200, "used")


def test_the_state_filter_selects_what_waits(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    approval = ask_to_close(lead, case)

    def list_states(who: Someone) -> list[str]:
        states = ("pending", "approved", "refused", "used", "expired", "withdrawn")
        return [
            state for state in states if unwrap(who.get("/approvals", state=state))["items"]
        ]

    assert (list_states(lead), list_states(supervisor)) == (["pending"], ["pending"])
    unwrap(supervisor.send(f"/approvals/{approval['id']}/refuse"))
    assert (list_states(lead), list_states(supervisor)) == (["refused"], [])
    ask_to_close(lead, case)
    world.advance(hours=80)
    assert (list_states(lead), list_states(supervisor)) == (["refused", "expired"], [])
    unknown = supervisor.get("/approvals", state="open")
    assert get_problem(unknown) == (422, "request-invalid")


def count_kept(world: World) -> int:
    with world.database.begin_read(SERVICE) as session:
        kept = select(Approval).where(Approval.sealed_request.is_not(None))
        return len(session.scalars(kept).all())


def refuse(_: World, second: Someone, approval: Json, __: Json) -> None:
    unwrap(second.send(f"/approvals/{approval['id']}/refuse"))


def confirm_it(_: World, second: Someone, approval: Json, __: Json) -> None:
    assert confirm(second, approval) == (200, "used")


def wait(world: World, _: Someone, __: Json, ___: Json) -> None:
    world.wait(hours=80)


def stop(world: World, _: Someone, __: Json, case: Json) -> None:
    person = world.add_person("KZ_LEAD")
    unwrap(person.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))


@pytest.mark.parametrize("ends", [refuse, confirm_it, wait, stop])
def test_the_request_is_deleted_when_the_approval_ends(
    world: World,
    lead: Someone,
    supervisor: Someone,
    case: Json,
    ends: Callable[[World, Someone, Json, Json], None],
) -> None:
    approval = ask_to_close(lead, case, note=NOTE)
    before = count_kept(world)

    ends(world, supervisor, approval, case)

    assert (before, count_kept(world)) == (1, 0)


def test_a_request_opens_only_in_its_place(
    lead: Someone, case: Json, officer: Someone
) -> None:
    other = lead.take_lead(officer.submit())
    ask_to_close(lead, case, note=NOTE), ask_to_close(lead, other)
    with lead.begin_write() as tx:
        one, two = tx.session.scalars(select(Approval).order_by(Approval.number)).all()
        keys = {
            key.case_id: key.as_wrapped() for key in tx.session.scalars(select(CaseKey))
        }
        mine, foreign = keys[one.case_id or one.id], keys[two.case_id or two.id]
        opened = open_request(tx.vault, one, mine)
        with tx.session.no_autoflush:
            moved = [open_request(tx.vault, one, foreign)]
            for name, value in {
                "action": "case.erase",
                "subject": two.subject,
                "asked_by": two.id,
            }.items():
                kept = getattr(one, name)
                setattr(one, name, value)
                moved.append(open_request(tx.vault, one, mine))
                setattr(one, name, kept)
            one.sealed_request, one.request_key = two.sealed_request, two.request_key
            moved.append(open_request(tx.vault, one, mine))
            tx.session.expire(one)

    assert opened is not None
    assert opened.body is not None
    assert opened.body["note"] == NOTE
    assert moved == [None] * 5


def test_an_approval_of_an_earlier_version_is_approved_and_not_confirmed(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    """Migration 0037 adds no request to approvals that are older than the migration."""
    approval = ask_to_close(lead, case)
    refused = ask_to_close(lead, case, reason="LOST_CONTACT")
    unwrap(lead.send(f"/approvals/{refused['id']}/withdraw"))
    migrations.downgrade(world.url, "0035")
    migrations.upgrade(world.url)
    protect_rows(world.runtime)
    waits = read_waiting(supervisor)

    assert (waits["request"], waits["may_confirm"]) == (None, False)
    assert unwrap(lead.get(f"/approvals/{refused['id']}"))["decision"] == "refused"
    assert confirm(supervisor, approval) == (409, "request-not-kept")
    unwrap(supervisor.send(f"/approvals/{approval['id']}/approve"))
    closed = lead.does("close", case, make_closure(), approval=approval["id"])
    assert unwrap(closed)["state"] == "closed"


def test_an_approval_without_a_kept_request_is_asked_again(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    first = ask_to_close(lead, case)
    with world.database.begin_write(SERVICE) as session:
        session.execute(update(Approval).values(sealed_request=None))

    second = ask_to_close(lead, case)

    assert first["id"] != second["id"] == read_waiting(supervisor)["id"]
    assert confirm(supervisor, second) == (200, "used")


def test_a_request_whose_key_is_lost_is_approved_and_not_confirmed(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    """A request that cannot be decrypted counts as not stored; lists remain readable."""
    of_case = ask_to_close(lead, case)
    admin = world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)
    second = world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)
    of_row = update_row(admin, "/focal-points/KZ_LEGAL_AID", name="Another name").json()
    with world.database.begin_write(SERVICE) as session:
        session.execute(update(Approval).values(request_key_version="lost"))

    for one, approval in ((supervisor, of_case), (second, of_row)):
        assert read_waiting(one)["request"] is None
        assert confirm(one, approval) == (409, "request-not-kept")
        unwrap(one.send(f"/approvals/{approval['id']}/approve"))


def test_a_kept_request_with_free_text_counts_towards_the_quota_of_sealed_content(
    world: World, lead: Someone, case: Json
) -> None:
    account, quotas = lead.actor.account_id, world.runtime.quotas
    before = quotas.get_bytes_left(account, world.now)

    ask_to_close(lead, case)
    unchanged = quotas.get_bytes_left(account, world.now)
    ask_to_close(lead, case, note=NOTE)

    left = quotas.get_bytes_left(account, world.now)
    assert unchanged == before
    assert before - left >= 4 * 1024


def test_a_revoked_key_ends_what_its_account_asked(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    """Revoking a key ends the requests of its account; a thief may have sent them."""
    approval, prefix = ask_to_close(lead, case), lead.key.split("_")[1]
    unwrap(supervisor.send(f"{get_account_path(lead)}/keys/{prefix}/revoke"))

    assert confirm(supervisor, approval) == (409, "approval-decided")
    assert "approve" not in [
        kind for _, kind, _ in world.add_person("KZ_LEAD").get_worklist()
    ]


def test_key_that_is_replaced_at_once_ends_what_its_account_asked(
    admin: Someone, second: Someone, lead: Someone, supervisor: Someone, case: Json
) -> None:
    approval, prefix = ask_to_close(lead, case), lead.key.split("_")[1]
    path = f"{get_account_path(lead)}/keys/{prefix}/rotate"
    add_with(admin, second, path, {"days": 30, "overlap_hours": 0})

    assert confirm(supervisor, approval) == (409, "approval-decided")


def test_a_key_is_shown_to_the_first_person_alone(
    admin: Someone, second: Someone, lead: Someone
) -> None:
    path = f"{get_account_path(lead)}/keys"
    approval = unwrap(add(admin, path, FEED))
    waits = read_waiting(second)

    assert waits["request"]["after"]["scopes"] == ["feed:read"]
    assert not waits["may_confirm"]
    assert confirm(second, approval) == (409, "request-not-kept")
    unwrap(second.send(f"/approvals/{approval['id']}/approve"))
    assert unwrap(add(admin, path, FEED, approval["id"]))["link"].startswith("sck_")
    assert get_approval_id(add(admin, path, FEED)) != approval["id"]


def test_a_confirmed_change_of_the_directory_names_both_people(
    admin: Someone, second: Someone
) -> None:
    path = "/focal-points/KZ_LEGAL_AID"
    asked = update_row(admin, path, name="Another name")
    waits = read_waiting(second)

    assert confirm(second, asked.json()) == (200, "used")

    changes = unwrap(admin.get("/directory-changes", limit=200))["items"]
    change = [one for one in changes if one["subject"] == path[1:]][-1]
    old = change["before"]["name"]
    assert waits["request"]["before"] == {"name": old}
    assert waits["request"]["after"] == {"name": "Another name"}
    assert change["after"]["name"] == unwrap(admin.get(path))["name"] == "Another name"
    assert change["by"]["focal_point"] == "DESK_CENTRAL_ASIA"
    assert change["approved_by"]["focal_point"] == "OVERSIGHT_DEMO"


def test_a_row_that_another_person_changed_is_not_overwritten(
    admin: Someone, second: Someone
) -> None:
    path = "/focal-points/KZ_LEGAL_AID"
    asked = update_row(admin, path, name="Another name").json()
    unwrap(update_row(second, path, languages=["kk"]))

    answer = second.send(f"/approvals/{asked['id']}/confirm")

    assert get_problem(answer) == REFUSED
    assert answer.json()["cause"] == "/problems/version-stale"


def test_a_new_row_is_created_by_confirmation(admin: Someone, second: Someone) -> None:
    path = "/focal-points/KZ_NEW_SHELTER"
    asked = replace_row(admin, path, OFFICE | {"active": True}, **NEW).json()

    assert confirm(second, asked) == (200, "used")
    assert unwrap(admin.get(path))["active"]
