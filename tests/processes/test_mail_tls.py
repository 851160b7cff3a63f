"""Tests that a mail server gets no data before its certificate is verified."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from app.notifications.words import write_message
from app.outbox.actions import Answer
from app.outbox.pacing import Outcome
from tests.support.mail_servers import FakeServer, make_certificate, make_mail, serve_mail
from tests.support.world import NOON

LETTER = write_message(UUID(int=7), "duty@example.org", "ru", None)
LOGIN = ("notices", "a secret")


@pytest.fixture
def postman() -> FakeServer:
    return FakeServer(lambda: NOON)


@pytest.fixture
def port(postman: FakeServer) -> Iterator[int]:
    with serve_mail(postman) as made:
        yield made


def send_letter(port: int, trusted: Path | None) -> Answer:
    """Send an e-mail as the service sends it to a remote host."""
    context = ssl.create_default_context(cafile=trusted)
    return make_mail(port, tls=context, login=LOGIN).send(LETTER)


def list_verbs(postman: FakeServer) -> list[str]:
    return [line.decode("ascii", "replace").split()[0].upper() for line in postman.lines]


def test_a_server_that_is_trusted_is_given_the_message_by_tls(
    postman: FakeServer, port: int, tmp_path: Path
) -> None:
    postman.tls, trusted = make_certificate(tmp_path)

    answer = send_letter(port, trusted)

    assert answer == Answer(Outcome.DELIVERED, "250")
    assert list_verbs(postman)[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert [given.to for given in postman.received] == ["duty@example.org"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_one_that_nobody_vouches_for_is_given_nothing(
    postman: FakeServer, port: int, tmp_path: Path, host: str
) -> None:
    postman.tls, mine = make_certificate(tmp_path, host)
    trusted = mine if host != "127.0.0.1" else None

    answer = send_letter(port, trusted)

    assert answer == Answer(Outcome.REFUSED, "SSLCertVerificationError")
    assert list_verbs(postman) == ["EHLO", "STARTTLS"]


def test_one_that_offers_no_tls_is_given_nothing(postman: FakeServer, port: int) -> None:
    answer = send_letter(port, None)

    assert answer == Answer(Outcome.REFUSED, "SMTPNotSupportedError")
    assert not {"MAIL", "AUTH", "DATA"} & set(list_verbs(postman))


def test_one_that_is_not_there_took_nothing(port: int) -> None:
    del port

    answer = make_mail(1).send(LETTER)

    assert answer == Answer(Outcome.REFUSED, "ConnectionRefusedError")


def test_it_is_not_told_the_name_of_this_machine(postman: FakeServer, port: int) -> None:
    make_mail(port).send(LETTER)

    assert postman.lines[0].upper() == b"EHLO SAFE.EXAMPLE.ORG\r\n"
