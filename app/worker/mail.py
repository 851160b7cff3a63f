"""Notices by e-mail: SMTP with TLS, one message to one recipient (RFC 5321, 3207).

What is certain is told from what is not: up to the end of the data nothing was taken; if
nobody says after it whether it was, it may have been.
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

from app.notices.words import Letter
from app.outbox.actions import Answer
from app.outbox.pacing import Outcome

PLAIN: Final = SMTP.clone(cte_type="7bit")
"""Any relay can carry it as it is."""
TROUBLE: Final = (OSError, smtplib.SMTPException)
READY: Final = 220
TAKEN: Final = 2
OUTCOMES: Final = {TAKEN: Outcome.DELIVERED, 4: Outcome.REFUSED, 5: Outcome.REJECTED}


class Wire(smtplib.SMTP):
    """A connection that is opened when somebody watches it."""

    def __init__(self, host: str, me: str, step: float) -> None:
        super().__init__(local_hostname=me, timeout=step)
        self._host = host  # STARTTLS checks the certificate against it


@dataclass(frozen=True)
class Mail:
    """A mail server, and in whose name it is given mail.

    Without `tls` it is on this very machine, where nobody listens in. `step` and `whole`
    are the seconds for each answer of the server, and for all of them.
    """

    host: str
    port: int
    sender: str
    tls: SSLContext | None
    login: tuple[str, str] | None = None
    step: float = 8.0
    whole: float = 30.0

    @property
    def domain(self) -> str:
        """Name the sender's domain: who we say we are, rather than this machine's name."""
        return self.sender.rpartition("@")[2]

    def send(self, letter: Letter) -> Answer:
        """Hand one message over; says what came of it."""
        message = worded(letter, self.sender, self.domain).as_bytes(policy=PLAIN)
        wire = Wire(self.host, self.domain, self.step)
        with cut_after(wire, self.whole):
            try:
                refusal = self.open(wire) or address(wire, self.sender, letter.to)
            except TROUBLE as trouble:
                return Answer(Outcome.REFUSED, code_of(trouble))
            return refusal or hand_over(wire, message)

    def check(self) -> str | None:
        """Connect and sign in, and send nothing; return the code of what failed."""
        wire = Wire(self.host, self.domain, self.step)
        with cut_after(wire, self.whole):
            try:
                refusal = self.open(wire)
            except TROUBLE as trouble:
                return code_of(trouble)
            with suppress(*TROUBLE):
                wire.putcmd("QUIT")
            return refusal.code if refusal else None

    def open(self, wire: Wire) -> Answer | None:
        """Connect, and be sure of whom; an answer is a refusal."""
        code, _ = wire.connect(self.host, self.port)
        if code != READY:
            return Answer(Outcome.REFUSED, str(code))
        if self.tls:
            wire.starttls(context=self.tls)
        wire.ehlo_or_helo_if_needed()
        if self.login:
            wire.login(*self.login)
        return None


def address(wire: Wire, sender: str, to: str) -> Answer | None:
    """Say from whom and to whom; an answer is a refusal, of which one may be for good."""
    code, _ = wire.mail(sender)
    if code // 100 != TAKEN:
        return Answer(Outcome.REFUSED, str(code))
    code, _ = wire.rcpt(to)
    return None if code // 100 == TAKEN else Answer(outcome_of(code), str(code))


def hand_over(wire: Wire, message: bytes) -> Answer:
    """Send the data; from here on a silence does not mean no."""
    try:
        code, _ = wire.data(message)
    except smtplib.SMTPDataError as refusal:  # of the command, before any data
        return Answer(Outcome.REFUSED, str(refusal.smtp_code))
    except TROUBLE as trouble:
        return Answer(Outcome.UNKNOWN, code_of(trouble))
    with suppress(*TROUBLE):
        wire.putcmd("QUIT")
    return Answer(outcome_of(code), str(code))


def outcome_of(code: int) -> Outcome:
    """Read a reply (RFC 5321, 4.2.1); what is none says nothing."""
    return OUTCOMES.get(code // 100, Outcome.UNKNOWN)


def code_of(trouble: Exception) -> str:
    """Name what went wrong without its text, which may repeat an address."""
    code = getattr(trouble, "smtp_code", None)
    return str(code) if code else type(trouble).__name__


def worded(letter: Letter, sender: str, domain: str) -> EmailMessage:
    """Write a message that tells no more than its words, however often it is sent.

    It is marked as nobody's (RFC 3834), so that no absence notice answers it.
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
def cut_after(wire: Wire, seconds: float) -> Iterator[None]:
    """Cut a connection when its time is over, whoever still dribbles into it; close it."""
    done = Event()

    def look() -> None:
        over = not done.wait(seconds)
        while over and not done.wait(0.1):
            line = wire.sock  # which whoever hangs on it may close meanwhile
            if line is not None:
                with suppress(OSError):
                    socket.socket.shutdown(line, socket.SHUT_RDWR)

    watcher = Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        wire.close()
