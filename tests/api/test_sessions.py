"""Tests of sessions: a person signs in once, and works with a token that expires."""

from sqlalchemy import select

from app.access.models import ApiKey, UserSession
from app.access.session_limits import MAX_SESSIONS
from app.kernel.actors import AccountKind, Role, Scope
from app.worker.deadline_job import delete_old_sessions
from tests.support.account_changes import get_account_path
from tests.support.database_faults import lock_table
from tests.support.databases import ask
from tests.support.passkeys import Office
from tests.support.protection import protect_rows
from tests.support.sessions import add_second_account, get_session, sign_in
from tests.support.world import WORKERS, Someone, World, get_path, unwrap


def list_ids(who: Someone) -> list[str]:
    return [one["id"] for one in unwrap(who.get("/sessions"))["items"]]


def test_session_acts_for_the_account_of_the_key(lead: Someone) -> None:
    by_key = unwrap(lead.get("/me"))
    session = sign_in(lead)
    by_session = unwrap(session.get("/me"))

    assert by_key["session"] is None
    assert by_session["session"]["method"] == "key"
    assert by_session | {"session": None} == by_key
    assert by_key["person"] is not None


def test_session_works_on_a_case_like_the_key(officer: Someone, lead: Someone) -> None:
    case = sign_in(officer).submit()
    taken = sign_in(lead).take_lead(case)

    assert taken["state"] == "referring"
    assert unwrap(sign_in(lead).open(f"{get_path(case)}/sections/needs"))["content"]


def test_every_role_can_sign_in_and_out(world: World) -> None:
    for role in Role:
        of = "OVERSIGHT_DEMO" if role in {"analyst", "protection_officer"} else "KZ_LEAD"
        session = sign_in(world.add_person(of, {role}))
        assert len(unwrap(session.get("/sessions"))["items"]) == 1
        assert session.send("/sessions/end").status_code == 204
        assert session.get("/me").status_code == 401


def test_session_has_the_scopes_of_its_key_and_no_others(world: World) -> None:
    few = {Scope.DIRECTORY_READ, Scope.CASES_READ}
    session = sign_in(world.add_person("KZ_LEAD", scopes=few))

    assert unwrap(session.get("/me"))["scopes"] == sorted(few)
    assert session.create_case().status_code == 403


def test_machines_and_sessions_cannot_open_a_session(world: World, lead: Someone) -> None:
    machine = world.add_person("KZ_LEAD", WORKERS, kind=AccountKind.INTEGRATION)
    for one in (machine, sign_in(lead)):
        refused = one.send("/sessions", {})
        assert refused.status_code == 403
        assert refused.json()["type"] == "/problems/not-a-personal-key"
    assert unwrap(machine.get("/me"))["person"] is None


def test_session_ends_after_fifteen_idle_minutes(world: World, lead: Someone) -> None:
    session = sign_in(lead)
    assert get_session(session)["idle_until"] == "2026-06-01T12:15:00Z"
    world.advance(minutes=14, seconds=59)
    assert session.get("/me").status_code == 200
    world.advance(minutes=14, seconds=59)
    assert get_session(session)["idle_until"] == "2026-06-01T12:44:58Z"
    world.advance(minutes=15)
    assert session.get("/me").status_code == 401
    assert lead.get("/me").status_code == 200


def test_session_in_use_ends_after_eight_hours(world: World, lead: Someone) -> None:
    session = sign_in(lead)
    for _ in range(47):
        world.advance(minutes=10)
        assert session.get("/me").status_code == 200
    assert get_session(session)["idle_until"] == "2026-06-01T20:00:00Z"
    world.advance(minutes=10)
    assert session.get("/me").status_code == 401


def test_use_of_a_session_is_stored_once_a_minute(world: World, lead: Someone) -> None:
    session = sign_in(lead)
    world.advance(seconds=59)
    unwrap(session.get("/me"))
    assert unwrap(lead.get("/sessions"))["items"][0]["seen_at"] == "2026-06-01T12:00:00Z"
    world.advance(seconds=1)
    unwrap(session.get("/me"))
    assert unwrap(lead.get("/sessions"))["items"][0]["seen_at"] == "2026-06-01T12:01:00Z"


def test_read_succeeds_if_the_use_of_the_session_cannot_be_stored(
    world: World, url: str, lead: Someone
) -> None:
    session = sign_in(lead)
    world.advance(minutes=2)
    with lock_table(world, url, UserSession.__tablename__):
        assert get_session(session)["idle_until"] == "2026-06-01T12:15:00Z"
    assert get_session(session)["idle_until"] == "2026-06-01T12:17:00Z"


def test_person_with_a_passkey_sees_and_ends_the_sessions_of_all_accounts(
    world: World,
) -> None:
    _, first = Office(world).enrol()
    second = sign_in(add_second_account(first))
    listed = unwrap(first.get("/sessions"))["items"]
    assert {one["id"] for one in listed} == {
        get_session(one)["id"] for one in (first, second)
    }
    assert {one["account"] for one in listed} == {"duty 1", "duty 2"}
    assert [one["current"] for one in listed].count(True) == 1
    assert first.send("/sessions/end-all").status_code == 204
    assert [one.get("/me").status_code for one in (first, second)] == [401, 401]


def test_key_shows_and_ends_the_sessions_of_its_own_account_only(lead: Someone) -> None:
    first, second = sign_in(lead), sign_in(add_second_account(lead))
    hidden = get_session(second)["id"]
    for one in (lead, first):
        assert list_ids(one) == [get_session(first)["id"]]
        assert one.send(f"/sessions/{hidden}/end").status_code == 404
    assert first.send("/sessions/end-all").status_code == 204
    assert [one.get("/me").status_code for one in (first, second, lead)] == [401, 200, 200]
    assert list_ids(lead) == []


def test_one_session_ends_another_of_the_same_person(lead: Someone) -> None:
    here, lost = sign_in(lead), sign_in(lead)
    path = f"/sessions/{get_session(lost)['id']}/end"
    assert here.send(path).status_code == 204
    assert here.send(path).status_code == 204
    assert lost.get("/me").status_code == 401
    assert list_ids(here) == [get_session(here)["id"]]


def test_sign_out_needs_a_session(lead: Someone) -> None:
    refused = lead.send("/sessions/end")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/no-session")


def test_new_session_replaces_another_and_a_retry_does_too(lead: Someone) -> None:
    old = sign_in(lead)
    replaced = get_session(old)["id"]
    new, again = sign_in(lead, replaced), sign_in(lead, replaced)

    assert old.get("/me").status_code == 401
    assert {get_session(new)["id"], get_session(again)["id"]} == set(list_ids(lead))


def test_session_ends_with_its_key(world: World, lead: Someone) -> None:
    session = sign_in(lead)
    with world.database.begin_read() as reading:
        own = ApiKey.account_id == lead.actor.account_id
        prefix = reading.scalars(select(ApiKey.prefix).where(own)).one()
    revoke = f"{get_account_path(lead)}/keys/{prefix}/revoke"
    unwrap(session.send(revoke))

    assert session.get("/me").status_code == 401


def test_worker_deletes_sessions_a_week_after_they_expired(
    world: World, lead: Someone
) -> None:
    sign_in(lead)
    world.advance(days=7, hours=7, minutes=59)
    assert delete_old_sessions(world.runtime) == 0
    world.advance(minutes=1)
    sign_in(lead)
    assert delete_old_sessions(world.runtime) == 1
    assert delete_old_sessions(world.runtime) == 0
    with world.database.begin_read() as reading:
        assert len(reading.scalars(select(UserSession.prefix)).all()) == 1


def test_oldest_session_ends_when_an_account_opens_too_many(
    world: World, lead: Someone
) -> None:
    opened = []
    for _ in range(MAX_SESSIONS + 1):
        world.advance(seconds=1)
        opened.append(sign_in(lead))

    assert [one.get("/me").status_code for one in opened[:3]] == [401, 200, 200]
    assert opened[-1].get("/me").status_code == 200
    assert len(list_ids(lead)) == MAX_SESSIONS


def test_account_of_the_previous_version_gets_a_person_when_it_signs_in(
    url: str, lead: Someone
) -> None:
    ask(url, "UPDATE account SET person_id = NULL, mac = NULL", "DELETE FROM person")
    protect_rows(lead.world.runtime)
    before = unwrap(lead.get("/me"))["person"]
    session = sign_in(lead)

    assert before == {"id": str(lead.actor.account_id)}
    assert unwrap(session.get("/me"))["person"] == before
