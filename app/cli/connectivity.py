"""Checks of the mail server and the SMS gateway for the command `doctor`."""

from collections.abc import Iterator
from typing import Final

from app.cli.sender_wiring import find_gateway, find_mail
from app.settings import Settings

MEANING: Final = {
    "ConnectionRefusedError": "nothing listens on that port",
    "gaierror": "the host name does not resolve",
    "TimeoutError": "it did not answer in time",
    "SMTPServerDisconnected": "it closed the connection, or did not answer in time",
    "SMTPNotSupportedError": "it does not offer STARTTLS or a login",
    "SSLCertVerificationError": "its certificate is not trusted or has another name",
    "SSLError": "it does not use TLS",
    "535": "it refused the login",
}
"""Explanations of the most frequent errors of a connection, by error code."""
MAIL: Final = "The mail server of SAFE_CONDUCT_SMTP_HOST and SAFE_CONDUCT_SMTP_PORT"
GATEWAY: Final = "The SMS gateway of SAFE_CONDUCT_SMS_GATEWAY_URL"


def check_connections(settings: Settings) -> Iterator[str]:
    """Connect to the servers in the settings, and yield a line about each server.

    Nothing is sent except a login to the mail server. Raises NotReady if a setting is
    missing or not valid.
    """
    mail, gateway = find_mail(settings), find_gateway(settings)
    if mail:
        yield describe(MAIL, mail.check(), "e-mail")
    if gateway:
        yield describe(GATEWAY, gateway.check(), "SMS")


def describe(server: str, code: str | None, channel: str) -> str:
    """Return a line about one server; `code` is None if the connection succeeded."""
    if code is None:
        return f"{server} answers."
    reason = f"{MEANING[code]} ({code})" if code in MEANING else code
    return (
        f"Warning: {server} cannot be used from here: {reason}. No notifications "
        f"are sent by {channel} until this is fixed: check that the server runs, then "
        "correct the settings."
    )
