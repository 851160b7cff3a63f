"""Tests that the reference receiver conforms, and that each broken receiver is found."""

import json
import os
import re
import runpy
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Any, Final

import pytest

from app.webhooks.schemas import MessageData, MessageType, WebhookMessage
from app.webhooks.signing import build_headers, encode_secret
from tests.processes.test_conformance import KIT
from tests.processes.test_conformance_python import find_oldest_python
from tests.processes.test_conformance_receiver import (
    SECRET,
    list_woken,
    run_receiver,
    send_body,
    sign_body,
)

CHECK: Final[dict[str, Any]] = runpy.run_path(str(KIT / "check_receiver.py"))
WHOLE: Final = (KIT / "receiver.py").read_text("utf-8")
KNOWN: Final = "if not seen.execute(known, (name,)).fetchone():"
TABLE: Final = ("id TEXT PRIMARY KEY", "id TEXT")
RECEIVE: Final = '        receive(self.seen, headers["webhook-id"], message)\n'
ANSWERED: Final = "        self.send_response(204)\n        self.end_headers()\n"
FAULTS: Final = {
    "no check of the signature": (
        [("if not any(hmac.compare_digest(fits, one) for one in given):", "if False:")],
        "accepted a message that another secret signed.* processed a message whose body",
    ),
    "no check of the time": (
        [(" or abs(now - int(moment)) > LEEWAY", "")],
        "accepted a message that is 6 minutes old",
    ),
    "a message from the future": (
        [("abs(now - int(moment))", "now - int(moment)")],
        "accepted a message that is 6 minutes ahead",
    ),
    "a leeway of a minute": (
        [("LEEWAY = 300", "LEEWAY = 60")],
        "answered 400 to a message that is 4 minutes old: answer 2xx",
    ),
    "only the first signature": (
        [(".encode().split()", ".encode().split()[:1]")],
        "answered 400 to a message with two signatures",
    ),
    "another version of the signature": (
        [
            ('fits = b"v1," + ', "fits = "),
            ("hmac.compare_digest(fits, one)", "one.endswith(fits)"),
        ],
        "accepted a message with the signature of version v2",
    ),
    "headers in one case": (
        [("n.lower(): self", "n: self"), ('headers["webhook-id"]', '"x"')],
        "answered 400 to a message: answer 2xx",
    ),
    "a body that was parsed and written again": (
        [(".encode(), body)", ".encode(), json.dumps(json.loads(body)).encode())")],
        "answered 400 to a message: answer 2xx",
    ),
    "a body that was read in one piece": (
        [("self.rfile.read(int(length))", "self.rfile.read1(int(length))")],
        "answered 400 to a message that arrives slowly",
    ),
    "a field that is not known": (
        [
            (
                "            return message\n",
                """            if set(message) == {"type", "timestamp", "data"}:
                return message
""",
            )
        ],
        "answered 400 to a message with a new field: answer 2xx",
    ),
    "a repeated message that is refused": (
        [(KNOWN, "if True:")],
        "gave no answer to a repeated message: answer 2xx",
    ),
    "a repeated message that is processed": (
        [(KNOWN, "if True:"), TABLE],
        "processed a message that was repeated after a restart 3 times: once is enough",
    ),
    "ids that are only in memory": (
        [
            (KNOWN, "if name not in IDS and not IDS.add(name):"),
            ("LARGEST = 64", "IDS = set()\nLARGEST = 64"),
            TABLE,
        ],
        "processed a message that was repeated after a restart 2 times: once is enough",
    ),
    "an answer before the message is stored": (
        [(RECEIVE, "")],
        "did not process a message with a new field",
    ),
    "a message that is only in memory when it is answered": (
        [
            (RECEIVE, ""),
            (ANSWERED, f"{ANSWERED}        time.sleep(0.3)\n{RECEIVE}"),
        ],
        "did not process a message after whose answer it was killed at once",
    ),
    "an answer after too long": (
        [(RECEIVE, f"        time.sleep(11)\n{RECEIVE}")],
        "did not answer the first message within 10 seconds. The test ended there",
    ),
    "a crash instead of a refusal": (
        [("self.send_error(400)", "self.send_error(500)")],
        "answered 500 to a message that another secret signed: answer 400",
    ),
    "a redirect": (
        [("self.send_response(204)", "self.send_response(307)")],
        "answered 307 to the first message: answer 2xx",
    ),
    "an end after a large message": (
        [("self.send_error(413)", "os._exit(1)")],
        "could not be reached with a message after all forged ones",
    ),
    "no port": ([(".serve_forever()", ".server_close()")], "does not listen on its port"),
}  # fmt: skip


def check(
    receiver: Path, *options: str, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    run = f"{quote(python)} {quote(str(receiver))} {{state}}"
    command = [python, str(KIT / "check_receiver.py"), "--path", "/hook?office=1"]
    command += ["--run", f"{run} {{port}}", "--list", f"{run} --list", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "python", [sys.executable, find_oldest_python()], ids=["newest", "oldest"]
)
def test_reference_receiver_conforms(python: str) -> None:
    found = check(KIT / "receiver.py", python=python)

    assert (found.returncode, "Wrong" in found.stdout) == (0, False)
    assert "All 32 messages were answered as they should be.\n" in found.stdout


@pytest.mark.slow
@pytest.mark.sweep
@pytest.mark.parametrize("fault", FAULTS)
def test_receiver_with_a_fault_does_not_conform(tmp_path: Path, fault: str) -> None:
    changes, told = FAULTS[fault]
    text = WHOLE
    for right, wrong in changes:
        assert right in text
        text = text.replace(right, wrong)
    receiver = tmp_path / "receiver.py"
    receiver.write_text(text, "utf-8")

    found = check(receiver)

    wrong_lines = [line for line in found.stdout.splitlines() if line.startswith("Wrong: ")]
    assert found.returncode == 1
    assert re.search(told, " ".join(wrong_lines))
    assert f"Faults: {len(wrong_lines)}\n" in found.stderr


@pytest.mark.slow
def test_receiver_that_runs_already_is_tested_at_its_address(tmp_path: Path) -> None:
    command = [sys.executable, str(KIT / "check_receiver.py"), "--url"]
    env = {"SAFE_CONDUCT_WEBHOOK_SECRET": encode_secret(SECRET)}

    with run_receiver(tmp_path) as url:
        send_body(url, sign_body(datetime.now(UTC)))  # the receiver listens now
        found = subprocess.run(
            [*command, url],
            env=os.environ | env,
            capture_output=True,
            text=True,
            check=False,
        )

    assert (found.returncode, found.stderr) == (0, "")
    assert "Give --list" in found.stdout
    assert len(list_woken(tmp_path)) > 10


def test_address_without_the_secret_is_refused() -> None:
    command = [
        sys.executable,
        str(KIT / "check_receiver.py"),
        "--url",
        "http://127.0.0.1:9/",
    ]

    found = subprocess.run(command, env={}, capture_output=True, text=True, check=False)

    assert found.returncode == 2
    assert "SAFE_CONDUCT_WEBHOOK_SECRET" in found.stderr


def test_messages_of_the_check_are_those_of_the_service() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    moment = int(now.timestamp())
    body = CHECK["build_body"](moment)

    sent = WebhookMessage.model_validate_json(body)
    signature = CHECK["sign"](encode_secret(SECRET), "message-1", moment, body)

    assert (sent.type, sent.timestamp) == (MessageType.EVENT, now)
    assert sent.encode() == body
    assert list(json.loads(body)["data"]) == list(MessageData.model_fields)
    headers = build_headers([SECRET], "message-1", now, body)
    assert headers["Webhook-Signature"] == signature
    built = CHECK["build_message"]("a message", encode_secret(SECRET))
    assert list(built.headers) == list(headers)
