"""Attacks on sessions. An ended session gets the same response as an unknown token."""

import pytest
from sqlalchemy import select

from app.access.credentials import get_prefix
from app.access.models import UserSession
from tests.support.account_changes import get_account_path
from tests.support.sessions import get_session, sign_in
from tests.support.world import Json, Someone, World, unwrap


def get_refusal(who: Someone, token: str) -> Json:
    """Return the body of the 401 that a token gets, without the id of the request."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = who.world.http.get("/v1/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    return dict(answer.json()) | {"instance": ""}


def test_all_ways_in_which_a_session_ends_look_the_same(
    world: World, lead: Someone, supervisor: Someone
) -> None:
    ended, replaced, expired = sign_in(lead), sign_in(lead), sign_in(lead)
    unknown = get_refusal(lead, f"scs_{'0' * 10}_{'x' * 43}")
    ended.send("/sessions/end")
    sign_in(lead, get_session(replaced)["id"])
    found = [get_refusal(lead, one.key) for one in (ended, replaced)]
    world.advance(minutes=15)
    found.append(get_refusal(lead, expired.key))
    disabled = sign_in(lead)
    unwrap(supervisor.send(f"{get_account_path(lead)}/disable", idempotency_key="d"))
    found.append(get_refusal(lead, disabled.key))

    assert found == [unknown] * 4


def test_disabled_account_loses_its_session_with_the_next_request(
    lead: Someone, supervisor: Someone
) -> None:
    session = sign_in(lead)
    assert session.get("/cases").status_code == 200
    unwrap(supervisor.send(f"{get_account_path(lead)}/disable", idempotency_key="d"))

    assert session.get("/cases").status_code == 401
    assert session.send("/sessions", {}).status_code == 401


def test_secret_and_prefix_are_bound_to_the_kind_of_credential(lead: Someone) -> None:
    token = sign_in(lead).key
    prefix, secret = get_prefix(token), token.split("_", 2)[2]
    key_prefix, key_secret = get_prefix(lead.key), lead.key.split("_", 2)[2]
    for forged in (
        f"sc_{prefix}_{secret}",
        f"sct_{prefix}_{secret}",
        f"scs_{key_prefix}_{key_secret}",
        f"scs_{prefix}_{key_secret}",
        f"scs_{key_prefix}_{secret}",
        f"SCS_{prefix}_{secret}",
        f"{token} ",
        f"{token}x",
        token[:-1],
        f"scs_{prefix}_",
        f"scs_{prefix}",
        "scs__",
    ):
        if forged.strip() != token:
            get_refusal(lead, forged)


@pytest.mark.parametrize(
    "chosen",
    [
        {"token": f"scs_{'0' * 10}_chosen"},
        {"id": "00000000-0000-4000-8000-000000000001"},
        {"prefix": "0" * 10},
        {"account": "00000000-0000-4000-8000-000000000001"},
        {"method": "passkey"},
        {"authenticated_at": "2030-01-01T00:00:00Z"},
    ],
)
def test_client_cannot_choose_anything_of_a_new_session(
    lead: Someone, chosen: Json
) -> None:
    assert lead.send("/sessions", chosen).status_code == 422


def test_each_sign_in_gets_a_new_token(lead: Someone) -> None:
    """A token that an attacker planted is invalid after the sign-in (session fixation)."""
    tokens = {sign_in(lead).key for _ in range(3)}
    assert len(tokens) == 3
    planted = f"scs_{'0' * 10}_{'x' * 43}"
    headers = {"Cookie": f"__Host-sc={planted}", "X-Session": planted}
    unwrap(lead.ask("POST", "/sessions", {}, headers=headers))
    get_refusal(lead, planted)


def test_nobody_ends_or_replaces_a_session_of_another_person(
    lead: Someone, supervisor: Someone
) -> None:
    theirs, own = sign_in(supervisor), sign_in(lead)
    named = get_session(theirs)["id"]
    missing = "00000000-0000-4000-8000-000000000001"
    answers = [
        own.send(f"/sessions/{named}/end"),
        own.send(f"/sessions/{missing}/end"),
        lead.send("/sessions", {"replaces": named}),
        lead.send("/sessions", {"replaces": missing}),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert own.send("/sessions/end-all").status_code == 204
    assert theirs.get("/me").status_code == 200
    assert len(unwrap(theirs.get("/sessions"))["items"]) == 1


def test_wrong_tokens_are_counted_like_wrong_keys(lead: Someone) -> None:
    session = sign_in(lead)
    wrong = f"scs_{get_prefix(session.key)}_{'x' * 43}"
    headers = {"Authorization": f"Bearer {wrong}"}
    statuses = {
        lead.world.http.get("/v1/me", headers=headers).status_code: n for n in range(200)
    }

    assert statuses.keys() == {401, 429}
    assert session.get("/me").status_code == 200


def test_token_is_stored_as_a_hash_and_shown_once(world: World, lead: Someone) -> None:
    session = sign_in(lead)
    with world.database.begin_read() as reading:
        stored = str(reading.execute(select(UserSession.__table__)).all())
    assert get_prefix(session.key) in stored
    assert session.key.split("_", 2)[2] not in stored
    shown = session.get("/sessions").text + session.get("/me").text
    assert session.key.split("_", 2)[2] not in shown
    assert session.key not in shown
