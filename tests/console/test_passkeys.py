"""Tests of passkeys in the console: signing in, enrolling, and adding a passkey."""

from typing import Final

from httpx2 import Response

from app.console.visits import SESSION_COOKIE
from tests.support.authenticators import Credential
from tests.support.console_browser import SAME_ORIGIN, ConsoleBrowser
from tests.support.passkeys import DEVICE, Office, create_operator_enrolment, take_session
from tests.support.world import Json, Someone, World, unwrap

SIGN_IN: Final = "passkey"
ENROL: Final = "enrol"


def send(world: World, path: str, body: Json, token: str = "") -> Response:
    """Send a JSON request as the script of a page does."""
    headers = SAME_ORIGIN | ({"Cookie": f"{SESSION_COOKIE}={token}"} if token else {})
    return world.http.post(f"/console/{path}", json=body, headers=headers)


def sign_in(world: World, made: Credential, token: str = "", **sent: str) -> Response:
    """Sign in with a passkey as the page does, in a browser that may have a session."""
    options = unwrap(send(world, f"{SIGN_IN}/options", {}))
    return send(world, SIGN_IN, {"credential": DEVICE.sign(made, options), **sent}, token)


def get_cookie(answer: Response) -> str:
    """Return the session cookie that a response sets."""
    assert answer.status_code == 200, answer.text
    name, _, rest = answer.headers["Set-Cookie"].partition("=")
    assert name == SESSION_COOKIE
    return str(rest.partition(";")[0])


def is_signed_in(person: Someone, token: str) -> bool:
    """Return whether a session still shows pages to its person."""
    browser = ConsoleBrowser(person)
    browser.headers["Cookie"] = f"{SESSION_COOKIE}={token}"
    return browser.get("cases").status_code == 200


def test_a_person_signs_in_with_a_passkey_and_gets_to_the_wanted_page(world: World) -> None:
    office = Office(world)
    made, _ = office.enrol()
    answer = sign_in(world, made, next="/console/cases")
    assert answer.json() == {"to": "/console/cases"}
    assert is_signed_in(office.newcomer, get_cookie(answer))


def test_a_session_of_the_same_person_is_replaced(world: World) -> None:
    office = Office(world)
    made, _ = office.enrol()
    first = get_cookie(sign_in(world, made))
    second = get_cookie(sign_in(world, made, first))
    assert not is_signed_in(office.newcomer, first)
    assert is_signed_in(office.newcomer, second)


def test_a_session_of_another_person_in_the_browser_ends(world: World) -> None:
    office, other = Office(world), Office(world)
    made, _ = office.enrol()
    _, opened = create_operator_enrolment(world, other.newcomer).redeem()
    left_open = take_session(other.newcomer, opened).key
    assert is_signed_in(other.newcomer, left_open)
    token = get_cookie(sign_in(world, made, left_open))
    assert is_signed_in(office.newcomer, token)
    assert not is_signed_in(other.newcomer, left_open)


def test_a_wrong_passkey_gets_a_text_and_no_session(world: World) -> None:
    made, _ = Office(world).enrol()
    options = unwrap(send(world, f"{SIGN_IN}/options", {}))
    signed = DEVICE.sign(made, {**options, "challenge": options["challenge"][::-1]})
    for body in ({"credential": signed}, {"credential": "no"}, {}):
        answer = send(world, SIGN_IN, body)
        assert answer.status_code in {401, 422}
        assert answer.json()["text"]
        assert "Set-Cookie" not in answer.headers


def test_a_newcomer_registers_the_first_passkey_and_is_signed_in(world: World) -> None:
    office = Office(world)
    secrets = office.open_enrolment().secrets
    options = unwrap(send(world, f"{ENROL}/options", secrets))
    _, response = DEVICE.create(options)
    body = secrets | {"credential": response, "label": "work telephone"}
    answer = send(world, ENROL, body)
    assert is_signed_in(office.newcomer, get_cookie(answer))
    again = send(world, ENROL, body)
    assert again.status_code == 401
    assert "Set-Cookie" not in again.headers


def test_a_person_signs_in_again_before_another_passkey_is_added(world: World) -> None:
    made, _ = Office(world).enrol()
    token = get_cookie(sign_in(world, made))
    assert send(world, "passkeys/options", {}, token).status_code == 200
    world.advance(minutes=6)
    for path in ("passkeys/options", "passkeys"):
        answer = send(world, path, {"label": "x", "credential": {}}, token)
        assert answer.status_code == 401
        assert answer.json()["to"] == "/console/confirm?next=%2Fconsole%2Fsettings"
