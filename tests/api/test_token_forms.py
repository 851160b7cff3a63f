"""A token can be requested only with a form-encoded body, as OAuth requires (RFC 6749)."""

from base64 import b64encode
from typing import Final

import pytest
from httpx2 import Response
from hypothesis import example, given
from hypothesis import strategies as st

from app.access.assertions import AssertionRefused, parse_assertion
from app.main import create_app
from app.settings import Settings
from tests.support.hostile_input import MANY
from tests.support.machine_keys import JWT, Machine, encode_part, register_machine
from tests.support.world import Json, World, get_problem


@pytest.fixture
def machine(world: World) -> Machine:
    """Return a machine whose key is registered."""
    return register_machine(world)


FORM = {"grant_type": "client_credentials", "client_assertion_type": JWT}


def post_form(world: World, body: str | bytes, **headers: str) -> Response:
    said = {"Content-Type": "application/x-www-form-urlencoded"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return world.http.post("/v1/oauth/token", content=body, headers=said)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "invalid_request"),
        ("grant_type=", "invalid_request"),
        ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=client_credentials", "invalid_request"),
        (f"grant_type=client_credentials&client_assertion_type={JWT}", "invalid_request"),
        ("grant_type=client_credentials&client_assertion=x", "invalid_request"),
        ("grant_type=password&grant_type=password", "invalid_request"),
        ("grant_type=client_credentials&client_secret=x", "invalid_request"),
        ("grant_type", "invalid_request"),
        ("&&", "invalid_request"),
        ("grant_type=%ff", "invalid_request"),
        (b"grant_type=\xff", "invalid_request"),
        ("&".join(f"x{n}=1" for n in range(100)), "invalid_request"),
    ],
)
def test_a_form_that_asks_for_nothing_we_give_is_told_why(
    world: World, body: str | bytes, error: str
) -> None:
    answer = post_form(world, body)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert set(answer.json()) == {"error", "error_description"}


def test_all_is_said_in_the_body_and_once(world: World, machine: Machine) -> None:
    form = {**FORM, "client_assertion": machine.sign()}
    by_key = {"Authorization": f"Bearer {machine.one.key}"}

    queried = world.http.post("/v1/oauth/token?scope=feed:read", data=form)
    keyed = world.http.post("/v1/oauth/token", data=form, headers=by_key)
    more = world.http.post("/v1/oauth/token", data=form | {"resource": "x"})

    assert [one.status_code for one in (queried, keyed, more)] == [400, 400, 200]


@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/form-data", "text/plain", ""]
)
def test_only_a_form_is_read(world: World, kind: str) -> None:
    assert post_form(world, "grant_type=x", Content_Type=kind).status_code == 415


def test_without_a_public_address_there_are_no_tokens(machine: Machine) -> None:
    world = machine.one.world
    before = world.app.state.token_endpoint
    world.app.state.token_endpoint = None
    try:
        answer = machine.request_token()
    finally:
        world.app.state.token_endpoint = before

    assert get_problem(answer) == (404, "tokens-not-issued")
    assert create_app(world.runtime).state.token_endpoint is None


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://refer.example.org", True),
        ("https://refer.example.org:8443/safe-conduct", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://refer.example.org", False),
        ("https://refer.example.org/", False),
        ("https://user@refer.example.org", False),
        ("https://refer.example.org?x=1", False),
        ("refer.example.org", False),
        ("", False),
    ],
)
def test_a_public_address_is_reached_by_tls(url: str, *, fits: bool) -> None:
    if fits:
        assert Settings(public_url=url).public_url == url
    else:
        with pytest.raises(ValueError, match="public_url"):
            Settings(public_url=url)


# Arbitrary input.


WORDS: Final = st.text(max_size=60) | st.sampled_from(
    ["client_credentials", JWT, "feed:read", "..", "e30.e30.", "\0", "%", "a" * 5000]
)
NAMES: Final = st.sampled_from(
    [*FORM, "client_assertion", "scope", "client_id", "client_secret", "x", ""]
)


def test_no_form_is_our_fault(world: World) -> None:
    found: set[int] = set()

    @MANY
    @example(form={}, whole=True, junk=b"")
    @example(form={}, whole=False, junk=b"")
    @given(
        form=st.dictionaries(NAMES, WORDS, max_size=6),
        whole=st.booleans(),
        junk=st.binary(max_size=40),
    )
    def send(form: dict[str, str], whole: bool, junk: bytes) -> None:
        form_fields = {**FORM, "client_assertion": "x.y.z"} | form if whole else form
        found.add(world.http.post("/v1/oauth/token", data=form_fields).status_code)
        found.add(post_form(world, junk).status_code)

    send()

    assert found <= {400, 401, 413, 415, 429}  # 413: two values of 5,000 letters
    assert {400, 401} <= found


PARTS: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@MANY
@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk"]), PARTS),
    st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "jti", "nbf"]), PARTS),
    st.binary(max_size=12),
)
def test_whatever_is_said_is_read_or_refused(
    head: Json, claims: Json, signature: bytes
) -> None:
    good = {"alg": "ES384", "kid": "A" * 43}
    for said in (head, good | head, [head], 5):
        text = f"{encode_part(said)}.{encode_part(claims)}.{b64encode(signature).decode()}"
        with pytest.raises(AssertionRefused):
            parse_assertion(text)
