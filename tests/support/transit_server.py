"""A server with the HTTP interface of the Transit engine of OpenBao and HashiCorp Vault.

No registry that the tests may use has one of these servers. This one responds as the
documentation and the source of OpenBao say: `api-docs/secret/transit` and
`builtin/logical/transit/path_encrypt.go` and `path_decrypt.go`.
"""

import base64
import json
import secrets
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Final, override

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN: Final = "hvs.CAESIExample_token-1"
KEY: Final = "safe-conduct"
AAD: Final = "associated_data"


class ItemRefused(Exception):  # noqa: N818 - it names what happened
    """An item of a batch that cannot be encrypted or decrypted."""


@dataclass
class TransitKey:
    """A named key of type aes256-gcm96 with all its versions, numbered from 1."""

    versions: list[bytes] = field(default_factory=lambda: [secrets.token_bytes(32)])
    min_decryption_version: int = 1

    def rotate(self) -> None:
        """Add a version, which encrypts from now on."""
        self.versions.append(secrets.token_bytes(32))

    def encrypt(self, item: Mapping[str, str]) -> dict[str, Any]:
        """Encrypt one item of a batch, and return its result."""
        nonce, number = secrets.token_bytes(12), len(self.versions)
        plain, bound = (decode(item.get(one, "")) for one in ("plaintext", AAD))
        sealed = nonce + AESGCM(self.versions[-1]).encrypt(nonce, plain, bound)
        text = f"vault:v{number}:{encode(sealed)}"
        return {"ciphertext": text, "key_version": number, "reference": ""}

    def decrypt(self, item: Mapping[str, str]) -> dict[str, Any]:
        """Decrypt one item of a batch, and return its result.

        Raises ItemRefused if the item cannot be decrypted.
        """
        prefix, version, text = item["ciphertext"].split(":")
        number, sealed = int(version.removeprefix("v")), decode(text)
        if prefix != "vault" or not 1 <= number <= len(self.versions):
            raise ItemRefused("invalid ciphertext: no prefix")
        if number < self.min_decryption_version:
            raise ItemRefused("ciphertext or signature version is disallowed by policy")
        try:
            plain = AESGCM(self.versions[number - 1]).decrypt(
                sealed[:12], sealed[12:], decode(item.get(AAD, ""))
            )
        except InvalidTag as error:
            raise ItemRefused("cipher: message authentication failed") from error
        return {"plaintext": encode(plain), "reference": ""}


def decode(text: str) -> bytes:
    """Decode base64 text, and return the bytes."""
    return base64.b64decode(text, validate=True)


def encode(value: bytes) -> str:
    """Return bytes in base64."""
    return base64.b64encode(value).decode()


class TransitServer(ThreadingHTTPServer):
    """A server with one Transit engine at `transit`, and one key."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.key = TransitKey()
        self.tokens = {TOKEN}
        self.namespace = ""
        self.is_sealed = False
        self.denied: set[str] = set()
        """The operations that the policy of the tokens does not allow."""
        self.body: bytes | None = None
        """The body of each response, or None for the real one."""
        self.status = 200
        """The status of each response while `body` is set."""
        self.is_silent = False
        self.drips = False
        """Whether the server sends its response byte by byte, without an end."""
        self.more_headers: dict[str, str] = {}
        self.stopped = Event()
        self.operations: list[str] = []
        """The operations of the requests that were carried out."""
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        """The URL of the engine, for SAFE_CONDUCT_TRANSIT_URL."""
        scheme = "https" if isinstance(self.socket, ssl.SSLSocket) else "http"
        return f"{scheme}://127.0.0.1:{self.server_port}/v1/transit"

    def answer(self, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of the response to a request."""
        engine, _, rest = path.removeprefix("/v1/").partition("/")
        operation, _, name = rest.partition("/")
        headers = self.headers[-1]
        if self.is_sealed:
            return fail(503, "Vault is sealed")
        is_elsewhere = headers.get("x-vault-namespace", "") != self.namespace
        is_stranger = headers.get("x-vault-token") not in self.tokens
        if is_elsewhere or is_stranger or operation in self.denied:
            return fail(403, "permission denied")
        if engine != "transit" or operation not in {"encrypt", "decrypt"}:
            return fail(404, f'no handler for route "{path}". route entry not found.')
        if name != KEY and operation == "encrypt":
            return fail(403, "permission denied")  # encrypting would create the key
        if name == KEY:
            self.operations.append(operation)
            return self.run_batch(operation, body["batch_input"])
        return fail(400, "encryption key not found")

    def run_batch(
        self, operation: str, items: list[Mapping[str, str]]
    ) -> tuple[int, dict[str, Any]]:
        """Return the status and the body with the results of a batch."""
        if not items:
            return fail(400, "missing batch input to process")
        results = []
        for item in items:
            try:
                results.append(getattr(self.key, operation)(item))
            except ItemRefused as error:
                results.append({"plaintext": "", "error": str(error), "reference": ""})
        status = 400 if any("error" in one for one in results) else 200
        return status, {
            "request_id": "8375227a-4a9f-a108-0b89-84c448419e80",
            "lease_id": "",
            "renewable": False,
            "lease_duration": 0,
            "data": {"batch_results": results},
            "wrap_info": None,
            "warnings": None,
            "auth": None,
        }


def fail(status: int, reason: str) -> tuple[int, dict[str, Any]]:
    """Return the status and the body of an error response."""
    return status, {"errors": [reason]}


class Handler(BaseHTTPRequestHandler):
    """The handler of HTTP requests to the server."""

    server: TransitServer

    def do_POST(self) -> None:
        """Respond to a request, or wait until the server stops."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.headers.append({k.lower(): v for k, v in self.headers.items()})
        if self.server.is_silent:
            self.server.stopped.wait()
            return
        if self.server.drips:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.server.stopped.wait(0.02):
                self.wfile.write(b"a")
            return
        if self.server.body is None:
            status, answer = self.server.answer(self.path, body)
            content = json.dumps(answer).encode()
        else:
            status, content = self.server.status, self.server.body
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in self.server.more_headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def run_transit_server(tls: ssl.SSLContext | None = None) -> Iterator[TransitServer]:
    """Run a server while the context is open."""
    with TransitServer() as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.stopped.set()
            server.shutdown()
            thread.join()
