"""People sign in with passkeys, and manage their own passkeys."""

import pytest
from httpx2 import Response

from app.kernel.actors import AccountKind, Role
from tests.support.authenticators import Credential, decode
from tests.support.passkeys import (
    DEVICE,
    Office,
    get_person_id,
    request_options,
    send,
    send_without_key,
    sign_in,
    take_session,
)
from tests.support.sessions import add_second_account
from tests.support.world import Someone, World, unwrap


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def register(who: Someone, label: str = "second device") -> tuple[Credential, Response]:
    who.world.advance(seconds=1)  # passkeys are listed by the time of their registration
    made, response = DEVICE.create(unwrap(who.send("/passkeys/options")))
    return made, who.create("/passkeys", {"credential": response, "label": label})


def test_person_signs_in_with_a_passkey_and_acts_with_the_session(office: Office) -> None:
    made, _ = office.enrol()
    opened = sign_in(office.world, made)
    session = take_session(office.newcomer, opened)

    assert opened.status_code == 201
    assert opened.json()["method"] == "passkey"
    assert session.key.startswith("scs_")
    me = unwrap(session.get("/me"))
    assert (me["focal_point"], me["session"]["method"]) == ("KZ_LEAD", "passkey")
    unwrap(session.create_case())


def test_options_of_a_sign_in_are_the_same_for_everybody(office: Office) -> None:
    before = request_options(office.world)
    office.enrol()
    after = request_options(office.world)

    assert before.pop("challenge") != after.pop("challenge")
    assert before == after
    assert before == {
        "timeout": 300_000,
        "rpId": "safe-conduct.example",
        "userVerification": "required",
    }


def test_person_with_two_accounts_acts_as_the_first_or_as_the_named_one(
    office: Office,
) -> None:
    made, _ = office.enrol()
    office.world.advance(minutes=1)
    other = add_second_account(office.newcomer)
    labels = [
        unwrap(answer)["account"]
        for answer in (
            sign_in(office.world, made),
            sign_in(office.world, made, account=str(other.actor.account_id)),
        )
    ]

    assert labels == ["duty 1", "duty 2"]


def test_sign_in_replaces_the_named_session_of_the_same_person(office: Office) -> None:
    made, first = office.enrol()
    old = unwrap(first.get("/me"))["session"]["id"]
    second = take_session(first, sign_in(office.world, made, replaces=old))

    assert first.get("/me").status_code == 401
    unwrap(second.get("/me"))


def test_sign_in_that_replaces_a_session_stays_with_its_account(office: Office) -> None:
    made, _ = office.enrol()
    office.world.advance(minutes=1)
    other = str(add_second_account(office.newcomer).actor.account_id)
    first = unwrap(sign_in(office.world, made, account=other))
    second = unwrap(sign_in(office.world, made, replaces=first["id"]))

    assert (first["account"], second["account"]) == ("duty 2", "duty 2")


def test_sign_in_that_replaces_a_session_of_another_person_opens_none(
    office: Office,
) -> None:
    made, one = office.enrol()
    other = office.world.add_person("KZ_LEAD")
    session = unwrap(other.send("/sessions", {}))
    refused = sign_in(office.world, made, replaces=session["id"])

    assert refused.status_code == 404
    assert len(unwrap(one.get("/sessions"))["items"]) == 1
    unwrap(take_session(other, other.send("/sessions", {})).get("/me"))


def test_person_registers_lists_and_removes_a_second_passkey(office: Office) -> None:
    made, session = office.enrol()
    other, answer = register(session)
    shown = unwrap(answer)
    listed = unwrap(session.get("/passkeys"))["items"]
    assert [one["label"] for one in listed] == ["work telephone", "second device"]
    later = take_session(session, sign_in(office.world, other))

    removed = unwrap(session.send(f"/passkeys/{shown['id']}/remove", {}))

    assert removed["removed_at"] is not None
    assert later.get("/me").status_code == 401
    assert sign_in(office.world, other).status_code == 401
    unwrap(session.get("/me"))
    unwrap(sign_in(office.world, made))
    assert len(unwrap(session.get("/passkeys"))["items"]) == 1


def test_options_exclude_the_passkeys_of_the_person_and_name_the_account(
    office: Office,
) -> None:
    made, session = office.enrol()
    options = unwrap(session.send("/passkeys/options"))

    assert [decode(one["id"]) for one in options["excludeCredentials"]] == [made.id]
    assert decode(options["user"]["id"]) == get_person_id(office.newcomer).bytes
    assert options["user"]["name"] == "KZ_LEAD duty 1"
    assert options["authenticatorSelection"]["userVerification"] == "required"


def test_last_passkey_is_removed_only_if_the_person_says_so(office: Office) -> None:
    made, session = office.enrol()
    [only] = unwrap(session.get("/passkeys"))["items"]
    path = f"/passkeys/{only['id']}/remove"

    assert session.send(path, {}).json()["type"].endswith("/last-passkey")
    unwrap(sign_in(office.world, made))
    unwrap(session.send(path, {"even_last": True}))
    assert session.get("/me").status_code == 401
    assert sign_in(office.world, made).status_code == 401


def test_retried_registration_and_removal_get_the_same_passkey(office: Office) -> None:
    _, session = office.enrol()
    _, response = DEVICE.create(unwrap(session.send("/passkeys/options")))
    body = {"credential": response, "label": "tablet"}
    first, again = (session.create("/passkeys", body, "key") for _ in range(2))
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert unwrap(first) == unwrap(again)
    path = f"/passkeys/{first.json()['id']}/remove"

    one, other = (unwrap(session.send(path, {}, idempotency_key="r")) for _ in range(2))
    assert one == other


def test_removal_of_a_removed_passkey_changes_nothing(office: Office) -> None:
    _, session = office.enrol()
    _, answer = register(session)
    path = f"/passkeys/{unwrap(answer)['id']}/remove"
    first = unwrap(session.send(path, {}))
    office.world.advance(minutes=1)

    assert unwrap(session.send(path, {})) == first


def test_passkey_of_another_person_is_hidden(office: Office) -> None:
    _, session = office.enrol()
    [own] = unwrap(session.get("/passkeys"))["items"]
    other = Office(office.world).enrol()[1]

    [others] = unwrap(other.get("/passkeys"))["items"]
    assert others["id"] != own["id"]
    body = {"even_last": True}
    assert other.send(f"/passkeys/{own['id']}/remove", body).status_code == 404


def test_passkey_is_removed_only_after_a_recent_sign_in_with_one(office: Office) -> None:
    _, session = office.enrol()
    [own] = unwrap(session.get("/passkeys"))["items"]
    path, body = f"/passkeys/{own['id']}/remove", {"even_last": True}

    assert office.newcomer.send(path, body).status_code == 403
    office.world.advance(minutes=6)
    assert session.send(path, body).status_code == 401
    assert len(unwrap(session.get("/passkeys"))["items"]) == 1


def test_machine_has_no_passkeys_and_cannot_register_one(world: World) -> None:
    machine = world.add_person("KZ_LEAD", kind=AccountKind.INTEGRATION)

    assert unwrap(machine.get("/passkeys"))["items"] == []
    assert machine.send("/passkeys/options").status_code == 403


@pytest.mark.parametrize("role", list(Role))
def test_every_role_lists_its_passkeys(world: World, role: Role) -> None:
    code = (
        "OVERSIGHT_DEMO" if role in {Role.PROTECTION_OFFICER, Role.ANALYST} else "KZ_LEAD"
    )

    assert unwrap(world.add_person(code, {role}).get("/passkeys"))["items"] == []


def test_only_a_recent_session_of_a_passkey_registers_another(office: Office) -> None:
    made, session = office.enrol()
    by_key = take_session(office.newcomer, office.newcomer.send("/sessions", {}))
    for who in (office.newcomer, by_key):
        refused = who.send("/passkeys/options")
        assert refused.json()["type"].endswith("/passkey-session-needed")
        assert who.create("/passkeys", {"credential": {}, "label": "x"}).status_code == 403
    office.world.advance(minutes=5)
    unwrap(session.send("/passkeys/options"))
    office.world.advance(seconds=1)
    old = session.send("/passkeys/options")
    assert old.json()["type"] == "/problems/authentication-too-old"
    assert session.create("/passkeys", {"credential": {}, "label": "x"}).status_code == 401
    unwrap(take_session(session, sign_in(office.world, made)).send("/passkeys/options"))


def test_passkeys_are_not_offered_without_a_public_host_name(office: Office) -> None:
    _, session = office.enrol()
    state = office.world.app.state
    party, state.relying_party = state.relying_party, None
    try:
        answers = [
            send_without_key(office.world, "/passkey-challenges"),
            send(office.world, {}),
            session.send("/passkeys/options"),
            office.begin(),
        ]
    finally:
        state.relying_party = party

    assert [answer.status_code for answer in answers] == [404] * 4
    assert answers[0].json()["type"].endswith("/passkeys-not-offered")


def test_events_tell_the_office_that_passkeys_changed(office: Office) -> None:
    office.first.poll()
    _, session = office.enrol()
    _, answer = register(session)
    unwrap(session.send(f"/passkeys/{unwrap(answer)['id']}/remove", {}))

    events = [(one["type"], one["facts"]) for one in office.first.poll()]
    assert events == [
        ("account.enrolment_created", {"recovery": False}),
        ("account.enrolment_confirmed", {}),
        ("account.enrolment_redeemed", {"recovery": False}),
        ("account.passkey_added", {}),
        ("account.passkey_removed", {}),
    ]
