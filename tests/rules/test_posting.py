"""The settings for sending notifications are read correctly, or refused."""

import ssl
from datetime import timedelta

import pytest
from pydantic import SecretStr, ValidationError

from app.cli.sender_wiring import (
    build_senders,
    fail_not_set_up,
    get_mail_sender,
    get_sms_sender,
)
from app.cli.startup import NotReady
from app.settings import Settings
from app.worker.mail import Mail
from app.worker.sms_gateway import Gateway

SECRET = SecretStr("a secret")
MAIL = {"smtp_host": "mail.example.org", "smtp_from": "notices@example.org"}
SMS = {"sms_gateway_url": "https://sms.example.org/send", "sms_gateway_token": SECRET}


def build_mail(**said: object) -> Mail:
    return get_mail_sender(Settings(**MAIL | said)).__self__  # type: ignore[arg-type, attr-defined, no-any-return]


def build_gateway(**said: object) -> Gateway:
    return get_sms_sender(Settings(**SMS | said)).__self__  # type: ignore[arg-type, attr-defined, no-any-return]


def test_without_a_setting_there_is_no_way_out() -> None:
    ways = build_senders(Settings()).ways

    assert [way.send for way in ways.values()] == [fail_not_set_up, fail_not_set_up]


def test_what_is_set_is_used() -> None:
    mail = build_mail(smtp_port=2525, smtp_user="notices", smtp_password=SECRET)
    gateway = build_gateway()

    assert (mail.host, mail.port, mail.sender) == (
        "mail.example.org",
        2525,
        "notices@example.org",
    )
    assert mail.login == ("notices", "a secret")
    assert (gateway.url, gateway.token) == ("https://sms.example.org/send", "a secret")
    window = build_senders(Settings(notice_window_minutes=30)).window
    assert window == timedelta(minutes=30)


def test_tls_is_left_out_on_this_very_machine_alone() -> None:
    near = [build_mail(smtp_host=host).tls for host in ("127.0.0.1", "::1", "localhost")]
    far = [build_mail(smtp_host=host).tls for host in ("10.0.0.1", "localhost.example.org")]

    assert near == [None, None, None]
    for context in far:
        assert context
        assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)


@pytest.mark.parametrize(
    "said",
    [
        {"smtp_from": None},
        {"smtp_from": "Safe Conduct <notices@example.org>"},
        {"smtp_from": "notices@example.org\nBcc: all@example.org"},
        {"smtp_user": "notices"},
        {"smtp_password": SECRET},
    ],
    ids=str,
)
def test_a_mail_server_that_is_half_set_up_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(NotReady, match="SAFE_CONDUCT_SMTP_"):
        build_mail(**said)


@pytest.mark.parametrize(
    "said",
    [
        {"sms_gateway_url": "http://sms.example.org/send"},
        {"sms_gateway_url": "http://127.0.0.1.example.org/send"},
        {"sms_gateway_url": "https://me:secret@sms.example.org/"},
        {"sms_gateway_url": "https://"},
        {"sms_gateway_url": "ftp://sms.example.org"},
        {"sms_gateway_url": "sms.example.org"},
        {"sms_gateway_url": "https://[sms/"},
        {"sms_gateway_token": None},
    ],
    ids=str,
)
def test_a_gateway_that_could_be_overheard_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(NotReady, match="SAFE_CONDUCT_SMS_GATEWAY_") as refused:
        build_gateway(**said)

    assert "secret" not in str(refused.value)


def test_a_gateway_on_this_machine_needs_no_tls() -> None:
    here = "http://127.0.0.1:8025/send"

    assert build_gateway(sms_gateway_url=here).url == here


@pytest.mark.parametrize("minutes", [0, 7, 1441])
def test_a_window_is_minutes_to_a_day(minutes: int) -> None:
    with pytest.raises(ValidationError):
        Settings(notice_window_minutes=minutes)


def test_a_secret_is_not_shown() -> None:
    shown = repr(Settings(smtp_password=SECRET, sms_gateway_token=SECRET))

    assert "a secret" not in shown
