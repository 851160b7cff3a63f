"""The reference receiver refuses invalid messages, and processes a valid one once (R65)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket
from typing import Final

import httpx2

from app.webhooks.signing import build_headers, encode_secret
from tests.support.servers import ROOT

SECRET: Final = bytes(range(32))
OTHER: Final = bytes(range(1, 33))
BODY: Final = b'{"type":"feed.event","data":{"event":"1","cursor":"5afec0de.1"}}'


def sign_body(at: datetime, *secrets: bytes, body: bytes = BODY) -> dict[str, str]:
    return build_headers(secrets or (SECRET,), "message-1", at, body)


@contextmanager
def run_receiver(folder: Path, python: str = sys.executable) -> Iterator[str]:
    """Run conformance/receiver.py as an integrator would, and yield its URL."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python, f"{ROOT}/conformance/receiver.py", "seen.db", str(port)]
    told = os.environ | {"SAFE_CONDUCT_WEBHOOK_SECRET": encode_secret(SECRET)}
    with (
        (folder / "said").open("a") as said,
        subprocess.Popen(command, cwd=folder, env=told, stdout=said, stderr=said) as it,
    ):
        try:
            yield f"http://127.0.0.1:{port}/hook"
        finally:
            it.send_signal(signal.SIGKILL)


def list_woken(folder: Path) -> list[str]:
    """Return the lines that the receiver printed when it notified the poller."""
    lines = (folder / "said").read_text().splitlines()
    return [line for line in lines if line.startswith("feed.event")]


def send_body(url: str, sent: dict[str, str], body: bytes = BODY) -> int:
    transport = httpx2.HTTPTransport(retries=5)
    with httpx2.Client(transport=transport, trust_env=False) as http:
        return http.post(url, content=body, headers=sent).status_code


def test_a_message_is_taken_once_also_after_a_kill(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with run_receiver(tmp_path) as url:
        first = [send_body(url, sign_body(now)) for _ in range(2)]
    with run_receiver(tmp_path) as url:
        again = send_body(url, sign_body(now, OTHER, SECRET))

    assert [*first, again] == [204] * 3
    assert list_woken(tmp_path) == ["feed.event 5afec0de.1"]


def test_the_names_of_headers_are_read_as_any_proxy_writes_them(tmp_path: Path) -> None:
    sent = sign_body(datetime.now(UTC))
    with run_receiver(tmp_path) as url:
        taken = [
            send_body(url, {write(name): value for name, value in sent.items()})
            for write in (str.lower, str.upper)
        ]

    assert taken == [204, 204]
    assert list_woken(tmp_path) == ["feed.event 5afec0de.1"]


def test_of_what_is_signed_everything_counts(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    changes = [
        *({"Webhook-Id": "message-2"}, {"Webhook-Id": ""}),
        *({"Webhook-Timestamp": one} for one in ("x", "", "-1", "9" * 40)),
        *({"Webhook-Signature": one} for one in ("", "v1,AAAA", "v2,AAAA", "v1,%00")),
    ]
    with run_receiver(tmp_path) as url:
        refused = [
            *(send_body(url, sign_body(now) | change) for change in changes),
            *(send_body(url, sign_body(now + timedelta(minutes=m))) for m in (-6, 6)),
            send_body(url, sign_body(now, OTHER)),
            send_body(url, {}),
            send_body(url, sign_body(now), BODY + b" "),
        ]

    assert refused == [400] * len(refused)
    assert list_woken(tmp_path) == []


def test_signed_body_that_is_no_json_object_is_refused(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with run_receiver(tmp_path) as url:
        for body in (
            b"[1, 2]",
            b"7",
            b"{",
            b"",
            b"{}",
            b"[]",
            b'[["type", "x"]]',
            b"[" * 9999,
        ):
            sent = build_headers((SECRET,), "message-1", now, body)
            assert send_body(url, sent, body) == 400
