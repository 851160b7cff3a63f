"""Tests that `doctor` connects to the mail server and SMS gateway, and sends nothing."""

import ssl
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.cli.connectivity import check_connections
from app.settings import Settings
from app.worker.sms_gateway import Gateway
from tests.processes.test_demo import command
from tests.support.mail_servers import (
    SENDER,
    TOKEN,
    FakeServer,
    Mood,
    make_certificate,
    make_mail,
    serve_mail,
    serve_sms,
)
from tests.support.servers import ROOT, open_port
from tests.support.world import NOON

LOGIN = ("notices", "a-secret-4d7e")
MAIL = "The mail server of SAFE_CONDUCT_SMTP_HOST and SAFE_CONDUCT_SMTP_PORT"
GATEWAY = "The SMS gateway of SAFE_CONDUCT_SMS_GATEWAY_URL"


@pytest.fixture
def postman() -> FakeServer:
    return FakeServer(lambda: NOON)


def build_settings(smtp: int, sms: int) -> Settings:
    return Settings(
        smtp_host="127.0.0.1",
        smtp_port=smtp,
        smtp_from=SENDER,
        smtp_user=LOGIN[0],
        smtp_password=SecretStr(LOGIN[1]),
        sms_gateway_url=f"http://127.0.0.1:{sms}/send",
        sms_gateway_token=SecretStr(TOKEN),
    )


def test_servers_that_answer_are_signed_in_at_and_sent_nothing(postman: FakeServer) -> None:
    texts = FakeServer(lambda: NOON)
    with serve_mail(postman) as smtp, serve_sms(texts) as sms:
        said = list(check_connections(build_settings(smtp, sms)))

    assert said == [f"{MAIL} answers.", f"{GATEWAY} answers."]
    verbs = [line.split()[0].upper() for line in postman.lines]
    assert verbs[:2] == [b"EHLO", b"AUTH"]
    assert not {b"MAIL", b"RCPT", b"DATA"} & {*verbs}
    assert (postman.received, texts.received, texts.headers) == ([], [], [])


def test_ports_that_nobody_listens_on_are_warned_of() -> None:
    with open_port() as one, open_port() as other:
        ports = [bound.getsockname()[1] for bound in (one, other)]
        mail, gateway = check_connections(build_settings(*ports))

    assert mail.startswith(f"Warning: {MAIL} cannot be used from here: nothing listens on")
    assert "No notifications are sent by e-mail until" in mail
    assert gateway.startswith(f"Warning: {GATEWAY} cannot be used from here: nothing")
    assert "No notifications are sent by SMS until" in gateway
    told = mail + gateway
    assert not [port for port in ports if str(port) in told]
    assert not {word for word in (*LOGIN, TOKEN) if word in told}


def test_without_servers_there_is_nothing_to_connect_to() -> None:
    assert list(check_connections(Settings())) == []


def test_a_mail_server_that_says_nothing_is_given_up(postman: FakeServer) -> None:
    postman.mood = lambda: Mood.SILENT
    with serve_mail(postman) as port:
        found = make_mail(port, step=0.5, whole=1.0).check()

    assert found in {"TimeoutError", "SMTPServerDisconnected"}


def test_certificates_are_judged_as_when_something_is_sent(
    postman: FakeServer, tmp_path: Path
) -> None:
    postman.tls, trusted = make_certificate(tmp_path)
    right = ssl.create_default_context(cafile=trusted)
    with serve_mail(postman) as port:
        checked = [
            make_mail(port, tls=tls, login=LOGIN).check()
            for tls in (right, ssl.create_default_context())
        ]

    assert checked == [None, "SSLCertVerificationError"]


def test_a_gateway_without_tls_is_not_taken_for_one_with_it(postman: FakeServer) -> None:
    with serve_sms(postman) as port:
        url = f"https://127.0.0.1:{port}/send"
        found = Gateway(url, TOKEN, ssl.create_default_context(), time_limit=5).check()

    assert found is not None
    assert postman.headers == []


@pytest.mark.slow
def test_doctor_warns_of_a_dead_smtp_port(tmp_path: Path) -> None:
    desks = str(ROOT / "app" / "demo" / "data")
    for words in (("key", "new"), ("migrate",), ("directory", "load")):
        command(tmp_path, *words)
    command(tmp_path, "directory", "load", desks)
    with open_port() as bound:
        set_up = {
            "SAFE_CONDUCT_ENVIRONMENT": "drill",
            "SAFE_CONDUCT_SMTP_HOST": "127.0.0.1",
            "SAFE_CONDUCT_SMTP_PORT": str(bound.getsockname()[1]),
            "SAFE_CONDUCT_SMTP_FROM": SENDER,
            "COLUMNS": "500",
        }
        said = command(tmp_path, "doctor", **set_up)

    assert (said.returncode, said.stderr) == (0, "")
    assert f"Warning: {MAIL} cannot be used from here" in said.stdout
