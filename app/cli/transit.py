"""The Transit engine of OpenBao or HashiCorp Vault, which encrypts the key file (ADR 87).

Only `encrypt` and `decrypt` are used, with a list of keys (`batch_input`). The associated
data of a key is its version, so that an encrypted key cannot be used as another one.
"""

import base64
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from app.kernel.stored_keys import KeyService, KeyServiceFailed, decode_key
from app.settings import Settings

TIMEOUT_SECONDS: Final = 5.0
"""The time limit for the connection, and for the answer."""
REASON_LENGTH: Final = 200
"""The maximum length of a reason of the server that is printed."""
REMEDIES: Final = {
    307: "Set SAFE_CONDUCT_TRANSIT_URL to the active server, or let the standby forward.",
    403: "The token has expired, or its policy does not allow `update` of encrypt/ and "
    "decrypt/ with this key. See SAFE_CONDUCT_TRANSIT_TOKEN_FILE.",
    404: "There is no Transit engine at this path: see SAFE_CONDUCT_TRANSIT_URL.",
    503: "The server is sealed, or in maintenance.",
}
"""What an operator can do, by the status of an answer."""


class Result(BaseModel):
    """The result of the encryption or decryption of one key."""

    model_config = ConfigDict(hide_input_in_errors=True)

    ciphertext: str = ""
    plaintext: str = ""
    error: str = ""


class Results(BaseModel):
    """The results of a request, in its order."""

    batch_results: list[Result]


class Answer(BaseModel):
    """The body of an answer, whose `data` has results also if one of them is an error."""

    model_config = ConfigDict(hide_input_in_errors=True)

    data: Results | None = None
    errors: list[str] = []

    @property
    def reason(self) -> str:
        """The reasons of the server why it refused a request, or an empty text."""
        found = [one.error for one in self.data.batch_results] if self.data else []
        text = ", ".join(dict.fromkeys(filter(None, [*self.errors, *found])))
        return "".join(one if one.isprintable() else " " for one in text)[:REASON_LENGTH]


@dataclass(frozen=True)
class Transit:
    """A key of a Transit engine. `url` includes the path of the engine."""

    url: str
    key: str
    token_file: Path | None = None
    ca_file: Path | None = None
    namespace: str = ""

    def encrypt(self, keys: Mapping[str, bytes]) -> dict[str, str]:
        """Encrypt keys, each bound to its version. Raises KeyServiceFailed."""
        items = [
            {"plaintext": encode(value), "associated_data": encode_version(version)}
            for version, value in keys.items()
        ]
        results = self._call("encrypt", items)
        return {name: one.ciphertext for name, one in zip(keys, results, strict=True)}

    def decrypt(self, keys: Mapping[str, str]) -> dict[str, bytes]:
        """Decrypt keys, each bound to its version. Raises KeyServiceFailed."""
        items = [
            {"ciphertext": encrypted, "associated_data": encode_version(version)}
            for version, encrypted in keys.items()
        ]
        results = self._call("decrypt", items)
        values = [decode_key(one.plaintext) for one in results]
        if None in values:
            raise self._fail("decrypted something else than a key.")
        return {name: value for name, value in zip(keys, values, strict=True) if value}

    def _call(self, operation: str, items: Sequence[Mapping[str, str]]) -> list[Result]:
        """Send a request, and return a result for each item. Raises KeyServiceFailed."""
        try:
            answer = self._send(operation, items)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise self._fail(f"cannot be reached ({type(error).__name__}).") from None
        try:
            body = Answer.model_validate_json(answer.content)
        except ValidationError:
            body = Answer()
        if answer.status_code != httpx.codes.OK or body.reason:
            reason = f": {body.reason}." if body.reason else "."
            remedy = REMEDIES.get(answer.status_code, "")
            raise self._fail(f"answered {answer.status_code}{reason} {remedy}".rstrip())
        if body.data is None or len(body.data.batch_results) != len(items):
            raise self._fail("did not answer as a Transit engine does.")
        return body.data.batch_results

    def _send(self, operation: str, items: Sequence[Mapping[str, str]]) -> httpx.Response:
        """Send a request, and return the answer. Raises KeyServiceFailed."""
        with httpx.Client(
            verify=self._load_trust(), timeout=TIMEOUT_SECONDS, trust_env=False
        ) as http:
            return http.post(
                f"{self.url}/{operation}/{self.key}",
                json={"batch_input": items},
                headers=self._build_headers(),
            )

    def _load_trust(self) -> ssl.SSLContext:
        """Return the certificates that the server may have. Raises KeyServiceFailed."""
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise KeyServiceFailed(
                "SAFE_CONDUCT_TRANSIT_CA_FILE is not a readable file of certificates."
            ) from error

    def _build_headers(self) -> dict[str, str]:
        """Return the headers of a request. Raises KeyServiceFailed.

        The token is read anew, because an agent replaces it before it expires.
        """
        headers = {"X-Vault-Request": "true"}
        if self.namespace:
            headers["X-Vault-Namespace"] = self.namespace
        if self.token_file is not None:
            headers["X-Vault-Token"] = read_token(self.token_file)
        return headers

    def _fail(self, what: str) -> KeyServiceFailed:
        """Return an error that names the server and the key."""
        host = httpx.URL(self.url).netloc.decode()
        return KeyServiceFailed(f"The key service at {host}, key {self.key}, {what}")


def read_token(path: Path) -> str:
    """Return the token of a file. Raises KeyServiceFailed if there is none."""
    try:
        token = path.read_text("ascii").strip()
    except (OSError, ValueError):
        token = ""
    if not re.fullmatch(r"[!-~]+", token):
        raise KeyServiceFailed("SAFE_CONDUCT_TRANSIT_TOKEN_FILE has no readable token.")
    return token


def encode(value: bytes) -> str:
    """Return bytes in base64, as the interface demands."""
    return base64.b64encode(value).decode()


def encode_version(version: str) -> str:
    """Return the associated data to which the key of this version is bound."""
    return encode(f"safe-conduct key {version}".encode())


def build_key_service(settings: Settings) -> KeyService | None:
    """Return the key service of the settings, or None if they have none."""
    if settings.transit_url is None:
        return None
    return Transit(
        url=settings.transit_url,
        key=settings.transit_key,
        token_file=settings.transit_token_file,
        ca_file=settings.transit_ca_file,
        namespace=settings.transit_namespace,
    )
