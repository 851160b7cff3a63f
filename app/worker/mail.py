"""Notifications by e-mail: SMTP with TLS, one recipient for each message (RFC 5321, 3207).

An error before the command DATA means that the server did not accept the message. If the
connection fails during or after this command, the outcome is unknown.
"""

import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from ssl import SSLContext
from threading import Event, Thread
from typing import Final

from app.notifications.words import NotificationMessage
from app.outbox.actions import Answer
from app.outbox.pacing import Outcome

PLAIN: Final = SMTP.clone(cte_type="7bit")
"""A policy for 7-bit messages, which any relay accepts."""
ERRORS: Final = (OSError, smtplib.SMTPException)
READY: Final = 220
SUCCESS: Final = 2
OUTCOMES: Final = {SUCCESS: Outcome.DELIVERED, 4: Outcome.REFUSED, 5: Outcome.REJECTED}


class Connection(smtplib.SMTP):
    """An SMTP connection that is opened by `connect`, and not when it is created."""

    def __init__(self, host: str, domain: str, step: float) -> None:
        super().__init__(local_hostname=domain, timeout=step)
        self._host = host  # STARTTLS checks the certificate for this name


@dataclass(frozen=True)
class Mail:
    """A mail server, with the sender's address and login.

    `tls` may be None only for a server on this machine. The limits for each reply of the
    server (`reply_timeout`) and for a whole attempt (`time_limit`) are in seconds.
    """

    host: str
    port: int
    sender: str
    tls: SSLContext | None
    login: tuple[str, str] | None = None
    reply_timeout: float = 8.0
    time_limit: float = 30.0

    @property
    def domain(self) -> str:
        """The sender's domain, which is used instead of this machine's name."""
        return self.sender.rpartition("@")[2]

    def send(self, letter: NotificationMessage) -> Answer:
        """Send one message and return the outcome."""
        message = build_email(letter, self.sender, self.domain).as_bytes(policy=PLAIN)
        smtp = Connection(self.host, self.domain, self.reply_timeout)
        with limit_time(smtp, self.time_limit):
            try:
                refusal = self.open(smtp) or send_envelope(smtp, self.sender, letter.to)
            except ERRORS as error:
                return Answer(Outcome.REFUSED, get_error_code(error))
            return refusal or send_data(smtp, message)

    def check(self) -> str | None:
        """Connect and sign in, but send no message; return any error code, or None."""
        smtp = Connection(self.host, self.domain, self.reply_timeout)
        with limit_time(smtp, self.time_limit):
            try:
                refusal = self.open(smtp)
            except ERRORS as error:
                return get_error_code(error)
            with suppress(*ERRORS):
                smtp.putcmd("QUIT")
            return refusal.code if refusal else None

    def open(self, smtp: Connection) -> Answer | None:
        """Connect and sign in. Return None, or a REFUSED answer if the greeting is not 220.

        TLS is used if `tls` is set. Raises one of ERRORS if another step fails.
        """
        code, _ = smtp.connect(self.host, self.port)
        if code != READY:
            return Answer(Outcome.REFUSED, str(code))
        if self.tls:
            smtp.starttls(context=self.tls)
        smtp.ehlo_or_helo_if_needed()
        if self.login:
            smtp.login(*self.login)
        return None


def send_envelope(smtp: Connection, sender: str, to: str) -> Answer | None:
    """Send both addresses, and return the outcome if an address is refused, else None."""
    code, _ = smtp.mail(sender)
    if code // 100 != SUCCESS:
        return Answer(Outcome.REFUSED, str(code))
    code, _ = smtp.rcpt(to)
    return None if code // 100 == SUCCESS else Answer(get_outcome(code), str(code))


def send_data(smtp: Connection, message: bytes) -> Answer:
    """Send the message and return the outcome: UNKNOWN after a connection error."""
    try:
        code, _ = smtp.data(message)
    except smtplib.SMTPDataError as refusal:  # refused before any data was sent
        return Answer(Outcome.REFUSED, str(refusal.smtp_code))
    except ERRORS as error:
        return Answer(Outcome.UNKNOWN, get_error_code(error))
    with suppress(*ERRORS):
        smtp.putcmd("QUIT")
    return Answer(get_outcome(code), str(code))


def get_outcome(code: int) -> Outcome:
    """Return the outcome for a reply code (RFC 5321, 4.2.1), or UNKNOWN by default."""
    return OUTCOMES.get(code // 100, Outcome.UNKNOWN)


def get_error_code(error: Exception) -> str:
    """Return a code for an error, never its text, which may contain an address."""
    code = getattr(error, "smtp_code", None)
    return str(code) if code else type(error).__name__


def build_email(letter: NotificationMessage, sender: str, domain: str) -> EmailMessage:
    """Return the e-mail of a notification; its Message-ID is the same for each attempt.

    The header `Auto-Submitted` prevents automatic replies (RFC 3834).
    """
    message = EmailMessage(policy=PLAIN)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{letter.id.hex}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{letter.text}\n")
    return message


@contextmanager
def limit_time(smtp: Connection, seconds: float) -> Iterator[None]:
    """Close the connection when the block ends, or after `seconds` if that is earlier."""
    done = Event()

    def watch() -> None:
        over = not done.wait(seconds)
        while over and not done.wait(0.1):
            line = smtp.sock  # another thread may set it to None
            if line is not None:
                with suppress(OSError):
                    socket.socket.shutdown(line, socket.SHUT_RDWR)

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        smtp.close()
