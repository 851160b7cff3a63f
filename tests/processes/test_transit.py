"""Tests of the key service: a Transit engine encrypts the key file (ADR 87)."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli import transit
from app.cli.transit import Transit, build_key_service
from app.kernel.stored_keys import KeyServiceFailed
from app.settings import Settings
from tests.support.mail_servers import make_certificate
from tests.support.transit_server import KEY, TOKEN, TransitServer, run_transit_server

VALUES = {"k1": bytes(range(32)), "k2xab": bytes(range(32, 64))}


@pytest.fixture
def server() -> Iterator[TransitServer]:
    with run_transit_server() as running:
        yield running


@pytest.fixture
def service(server: TransitServer, tmp_path: Path) -> Transit:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n", "utf-8")
    return Transit(server.url, KEY, token_file=token)


def test_keys_are_encrypted_and_decrypted_in_one_request_each(
    service: Transit, server: TransitServer
) -> None:
    encrypted = service.encrypt(VALUES)

    assert list(encrypted) == list(VALUES)
    assert all(one.startswith("vault:v1:") for one in encrypted.values())
    assert service.decrypt(encrypted) == VALUES
    assert server.operations == ["encrypt", "decrypt"]
    assert server.headers[-1]["x-vault-request"] == "true"


def test_encrypted_key_is_bound_to_its_version(service: Transit) -> None:
    encrypted = service.encrypt(VALUES)
    moved = {"k1": encrypted["k2xab"]}

    with pytest.raises(KeyServiceFailed, match="message authentication failed"):
        service.decrypt(moved)


def test_token_is_read_for_each_request(service: Transit, server: TransitServer) -> None:
    encrypted = service.encrypt(VALUES)
    server.tokens = {"hvs.renewed"}
    with pytest.raises(KeyServiceFailed, match="token has expired"):
        service.decrypt(encrypted)
    assert service.token_file
    service.token_file.write_text("hvs.renewed", "utf-8")

    assert service.decrypt(encrypted) == VALUES


def test_agent_adds_the_token(service: Transit, server: TransitServer) -> None:
    server.tokens = {None}  # type: ignore[arg-type]

    assert replace(service, token_file=None).encrypt(VALUES)
    assert "x-vault-token" not in server.headers[-1]


def test_namespace_is_sent(service: Transit, server: TransitServer) -> None:
    server.namespace = "ministry/protection"

    with pytest.raises(KeyServiceFailed, match="permission denied"):
        service.encrypt(VALUES)
    assert replace(service, namespace=server.namespace).encrypt(VALUES)


@pytest.mark.parametrize("text", ["", "\n", "two words", "hvs.naïve", "a\nb"], ids=ascii)
def test_token_that_is_no_token_is_not_sent(
    service: Transit, server: TransitServer, text: str
) -> None:
    assert service.token_file
    service.token_file.write_text(text, "utf-8")

    with pytest.raises(KeyServiceFailed, match="TRANSIT_TOKEN_FILE has no readable"):
        service.encrypt(VALUES)
    service.token_file.unlink()
    with pytest.raises(KeyServiceFailed, match="TRANSIT_TOKEN_FILE has no readable"):
        service.encrypt(VALUES)
    assert not server.headers


def test_each_refusal_says_what_to_do(service: Transit, server: TransitServer) -> None:
    encrypted = service.encrypt(VALUES)
    server.denied = {"decrypt"}
    with pytest.raises(KeyServiceFailed, match=r"403: permission denied\. .*policy") as one:
        service.decrypt(encrypted)
    assert str(one.value).startswith(
        f"The key service at 127.0.0.1:{server.server_port}, key safe-conduct, answered"
    )
    server.denied = set()

    other = replace(service, key="other")
    with pytest.raises(KeyServiceFailed, match=r"403.*SAFE_CONDUCT_TRANSIT_KEY"):
        other.encrypt(VALUES)
    with pytest.raises(KeyServiceFailed, match="400: encryption key not found"):
        other.decrypt(encrypted)
    elsewhere = replace(service, url=service.url.replace("transit", "transient"))
    with pytest.raises(KeyServiceFailed, match=r"404.*SAFE_CONDUCT_TRANSIT_URL"):
        elsewhere.decrypt(encrypted)
    server.key.rotate()
    server.key.min_decryption_version = 2
    with pytest.raises(KeyServiceFailed, match=r"k1: .* disallowed by policy, k2xab: "):
        service.decrypt(encrypted)
    server.is_sealed = True
    with pytest.raises(KeyServiceFailed, match="503: Vault is sealed"):
        service.decrypt(encrypted)


def test_server_that_does_not_answer_is_a_failure_after_a_time_limit(
    service: Transit, server: TransitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transit, "READ_SECONDS", 0.2)
    server.is_silent = True
    with pytest.raises(KeyServiceFailed, match="gave no answer: ReadTimeout"):
        service.encrypt(VALUES)

    nobody = replace(service, url="http://127.0.0.1:1/v1/transit")
    with pytest.raises(KeyServiceFailed, match="gave no answer: ConnectError"):
        nobody.encrypt(VALUES)


def test_answer_that_never_ends_is_a_failure_after_a_time_limit(
    service: Transit, server: TransitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transit, "TOTAL_SECONDS", 0.3)
    server.drips = True

    with pytest.raises(KeyServiceFailed, match="gave no answer: TimeoutError"):
        service.encrypt(VALUES)


@pytest.mark.parametrize("host", ["bao..example.org", f"{'a' * 70}.org", "xn--zzzzzz.org"])
def test_host_that_is_no_host_is_a_failure(service: Transit, host: str) -> None:
    wrong = replace(service, url=f"https://{host}/v1/transit")

    with pytest.raises(KeyServiceFailed, match="gave no answer"):
        wrong.encrypt(VALUES)


def test_compressed_and_long_answers_are_refused(
    service: Transit, server: TransitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.more_headers = {"Content-Encoding": "gzip"}
    with pytest.raises(KeyServiceFailed, match="The answer is compressed"):
        service.encrypt(VALUES)
    server.more_headers = {}
    monkeypatch.setattr(transit, "MAX_BYTES", 100)
    with pytest.raises(KeyServiceFailed, match="The answer is too long"):
        service.encrypt(VALUES)


def test_redirection_is_not_followed(service: Transit, server: TransitServer) -> None:
    server.status, server.body = 307, b""
    server.more_headers = {"Location": f"{service.url}/encrypt/{KEY}"}

    with pytest.raises(KeyServiceFailed, match=r"answered 307\. .*active server"):
        service.encrypt(VALUES)
    assert len(server.headers) == 1


def test_proxy_of_the_environment_is_not_used(
    service: Transit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    assert service.encrypt(VALUES)


def test_error_that_contains_a_key_is_not_shown(
    service: Transit, server: TransitServer
) -> None:
    key = base64.b64encode(VALUES["k1"]).decode()
    server.status, server.body = 400, json.dumps({"errors": [f"bad input: {key}"]}).encode()

    with pytest.raises(KeyServiceFailed, match="an error that contains a key") as failed:
        service.encrypt(VALUES)
    assert key not in str(failed.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Welcome</html>",
        b"[]",
        b'{"data": null}',
        b'{"data": {"batch_results": []}}',
        b"\xff\xfe",
    ],
    ids=ascii,
)
def test_answer_of_another_server_is_refused(
    service: Transit, server: TransitServer, body: bytes
) -> None:
    server.body = body

    with pytest.raises(KeyServiceFailed, match="did not answer as a Transit engine does"):
        service.decrypt(dict.fromkeys(VALUES, "vault:v1:AAAA"))


@pytest.mark.parametrize("text", ["", "?", "AAAA", f"{'A' * 42}=="])
def test_plaintext_that_is_no_key_is_refused(
    service: Transit, server: TransitServer, text: str
) -> None:
    results = [{"plaintext": text, "reference": ""}] * 2
    server.body = json.dumps({"data": {"batch_results": results}}).encode()

    with pytest.raises(KeyServiceFailed, match="returned something that is not a key"):
        service.decrypt(dict.fromkeys(VALUES, "vault:v1:AAAA"))


def test_error_of_an_item_is_a_failure_also_with_status_200(
    service: Transit, server: TransitServer
) -> None:
    results = [{"plaintext": base64.b64encode(bytes(32)).decode()}, {"error": "no\n AEAD"}]
    server.body = json.dumps({"data": {"batch_results": results}}).encode()

    with pytest.raises(KeyServiceFailed, match="answered 200: k2xab: no  AEAD"):
        service.decrypt(dict.fromkeys(VALUES, "vault:v1:AAAA"))


def test_certificate_of_the_server_is_verified(tmp_path: Path) -> None:
    tls, trusted = make_certificate(tmp_path, "127.0.0.1")
    token = tmp_path / "token"
    token.write_text(TOKEN, "utf-8")

    with run_transit_server(tls) as server:
        service = Transit(server.url, KEY, token_file=token)
        with pytest.raises(KeyServiceFailed, match=r"VERIFY_FAILED.*TRANSIT_CA_FILE"):
            service.encrypt(VALUES)
        assert not server.headers
        assert replace(service, ca_file=trusted).encrypt(VALUES)
        with pytest.raises(KeyServiceFailed, match="TRANSIT_CA_FILE"):
            replace(service, ca_file=token).encrypt(VALUES)


def test_key_service_has_the_settings(tmp_path: Path) -> None:
    settings = Settings(
        transit_url="https://bao.example.org:8200/v1/ministry/transit",
        transit_key="cases",
        transit_token_file=tmp_path / "token",
        transit_ca_file=tmp_path / "ca.pem",
        transit_namespace="protection",
    )

    assert build_key_service(Settings()) is None
    assert build_key_service(settings) == Transit(
        "https://bao.example.org:8200/v1/ministry/transit",
        "cases",
        tmp_path / "token",
        tmp_path / "ca.pem",
        "protection",
    )
