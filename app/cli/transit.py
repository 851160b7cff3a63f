"""The Transit engine of OpenBao or HashiCorp Vault, which encrypts the key file (ADR 87).

Only `encrypt` and `decrypt` are used, with a list of keys (`batch_input`). The associated
data of a key is its version, so that an encrypted key cannot be used as another one.
"""

import re
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from app.kernel.stored_keys import KeyService, KeyServiceFailed, decode_key, encode_base64
from app.settings import Settings

READ_SECONDS: Final = 5.0
"""The time limit, in seconds, for connecting and for each read of the response."""
TOTAL_SECONDS: Final = 10.0
"""The time limit, in seconds, for the whole request, even if the response is slow."""
MAX_BYTES: Final = 1024 * 1024
"""The maximum size of a response, in bytes."""
REASON_LENGTH: Final = 200
"""The maximum number of characters of an error text that a message contains."""
REMEDIES: Final = {
    307: "Set SAFE_CONDUCT_TRANSIT_URL to the active server, or let the standby forward.",
    403: "The token has expired, its policy does not allow `update` of encrypt/ and "
    "decrypt/ with this key, or there is no such key: see SAFE_CONDUCT_TRANSIT_TOKEN_FILE, "
    "SAFE_CONDUCT_TRANSIT_KEY and SAFE_CONDUCT_TRANSIT_NAMESPACE.",
    404: "There is no Transit engine at this path: see SAFE_CONDUCT_TRANSIT_URL.",
    503: "The server is sealed, or in maintenance.",
}
"""The remedies for an operator, by the status code of a response."""


class Result(BaseModel):
    """The result of the encryption or decryption of one key."""

    model_config = ConfigDict(hide_input_in_errors=True)

    ciphertext: str = ""
    plaintext: str = ""
    error: str = ""


class Results(BaseModel):
    """The results of a request, in the order of its keys."""

    batch_results: list[Result]


class Answer(BaseModel):
    """The body of a response. `data` has the results, even if one of them is an error."""

    model_config = ConfigDict(hide_input_in_errors=True)

    data: Results | None = None
    errors: list[str] = []

    def describe_errors(self, versions: Iterable[str]) -> str:
        """Return the errors of the server as text, or an empty string if there are none.

        `versions` are the versions of the keys, in the order of the request.
        """
        results = self.data.batch_results if self.data else []
        found = [
            f"{version}: {one.error}"
            for version, one in zip(versions, results, strict=False)
            if one.error
        ]
        text = ", ".join([*self.errors, *found])
        return "".join(one if one.isprintable() else " " for one in text)


@dataclass(frozen=True)
class Transit:
    """A key of a Transit engine. `url` includes the path of the engine."""

    url: str
    key: str
    token_file: Path | None = None
    ca_file: Path | None = None
    namespace: str = ""

    def encrypt(self, keys: Mapping[str, bytes]) -> dict[str, str]:
        """Encrypt keys, each bound to its version, or raise KeyServiceFailed."""
        texts = {version: encode_base64(value) for version, value in keys.items()}
        results = self._send_batch("encrypt", "plaintext", texts)
        return {name: one.ciphertext for name, one in zip(keys, results, strict=True)}

    def decrypt(self, keys: Mapping[str, str]) -> dict[str, bytes]:
        """Decrypt keys, each bound to its version, or raise KeyServiceFailed."""
        results = self._send_batch("decrypt", "ciphertext", keys)
        values = [decode_key(one.plaintext) for one in results]
        if None in values:
            raise self._fail("returned something that is not a key.")
        return {name: value for name, value in zip(keys, values, strict=True) if value}

    def _send_batch(
        self, operation: str, field: str, keys: Mapping[str, str]
    ) -> list[Result]:
        """Send a batch of keys in the field `field`, and return one result for each key.

        Raises KeyServiceFailed if the server refuses one of the keys or cannot be used.
        """
        items = [
            {field: text, "associated_data": encode_version(version)}
            for version, text in keys.items()
        ]
        status, content = self._send_request(operation, items)
        try:
            body = Answer.model_validate_json(content)
        except ValidationError:
            body = Answer()
        errors = body.describe_errors(keys)
        if any(text in errors for text in keys.values()):
            errors = "an error that contains a key"
        if status != httpx.codes.OK or errors:
            reason = f": {errors[:REASON_LENGTH].rstrip('.')}" if errors else ""
            remedy = REMEDIES.get(status, "")
            raise self._fail(f"answered {status}{reason}. {remedy}".rstrip())
        if body.data is None or len(body.data.batch_results) != len(items):
            raise self._fail("did not answer as a Transit engine does.")
        return body.data.batch_results

    def _send_request(
        self, operation: str, items: Sequence[Mapping[str, str]]
    ) -> tuple[int, bytes]:
        """Send a request, and return the status code and the body of the response.

        Raises KeyServiceFailed on an error, such as no response within TOTAL_SECONDS.
        """
        headers = self._build_headers()
        http = httpx.Client(
            verify=self._load_trust(), timeout=READ_SECONDS, trust_env=False
        )
        try:
            request = httpx.Request(
                "POST",
                f"{self.url}/{operation}/{self.key}",
                json={"batch_input": items},
                headers=headers,
            )
            return run_with_limit(partial(read_answer, http, request), TOTAL_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise self._fail(f"gave no answer: {describe_failure(error)}") from None
        finally:
            http.close()

    def _load_trust(self) -> ssl.SSLContext:
        """Return a TLS context for `ca_file`. Raises KeyServiceFailed if it is invalid."""
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise KeyServiceFailed(
                "SAFE_CONDUCT_TRANSIT_CA_FILE is not a readable file of certificates."
            ) from error

    def _build_headers(self) -> dict[str, str]:
        """Return the request headers, or raise KeyServiceFailed if the token is invalid.

        The token is read for each request, because an agent replaces it before it expires.
        """
        headers = {"X-Vault-Request": "true", "Accept-Encoding": "identity"}
        if self.namespace:
            headers["X-Vault-Namespace"] = self.namespace
        if self.token_file is not None:
            headers["X-Vault-Token"] = read_token(self.token_file)
        return headers

    def _fail(self, what: str) -> KeyServiceFailed:
        """Return an error that names the server and the key."""
        host = self.url.split("/")[2]
        return KeyServiceFailed(f"The key service at {host}, key {self.key}, {what}")


def read_token(path: Path) -> str:
    """Read the token from a file. Raises KeyServiceFailed if it has no valid token."""
    try:
        token = path.read_text("ascii").strip()
    except (OSError, ValueError):
        token = ""
    if not re.fullmatch(r"[!-~]+", token):
        raise KeyServiceFailed("SAFE_CONDUCT_TRANSIT_TOKEN_FILE has no readable token.")
    return token


def read_answer(http: httpx.Client, request: httpx.Request) -> tuple[int, bytes]:
    """Send a request, and return the status code and the body of the response.

    Raises ValueError if the body is too long or compressed.
    """
    answer, content = http.send(request, stream=True), b""
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise ValueError("The answer is compressed.")
    for part in answer.iter_raw():
        content += part
        if len(content) > MAX_BYTES:
            raise ValueError("The answer is too long.")
    return answer.status_code, content


def run_with_limit[R](work: Callable[[], R], seconds: float) -> R:
    """Call a function in a thread, and return its result or raise its exception.

    Raises TimeoutError after `seconds`. The function then continues in its thread.
    """
    result = Future[R]()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised below
            result.set_exception(error)

    Thread(target=run, daemon=True).start()
    return result.result(seconds)


def describe_failure(error: Exception) -> str:
    """Return the text of an error, with the remedy if a certificate is not trusted."""
    text = f"{type(error).__name__} {error}".strip().rstrip(".")
    is_trust = "CERTIFICATE_VERIFY_FAILED" in text
    remedy = " See SAFE_CONDUCT_TRANSIT_CA_FILE." if is_trust else ""
    return f"{text[:REASON_LENGTH]}.{remedy}"


def encode_version(version: str) -> str:
    """Return the associated data that binds an encrypted key to its version."""
    return encode_base64(f"safe-conduct key {version}".encode())


def build_key_service(settings: Settings) -> KeyService | None:
    """Return the key service in the settings, or None if its URL is not set."""
    if settings.transit_url is None:
        return None
    return Transit(
        url=settings.transit_url,
        key=settings.transit_key,
        token_file=settings.transit_token_file,
        ca_file=settings.transit_ca_file,
        namespace=settings.transit_namespace,
    )
