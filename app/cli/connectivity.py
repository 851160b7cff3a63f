"""Whether the servers that notices are handed to can be reached, for `doctor`."""

from collections.abc import Iterator
from typing import Final

from app.cli.posting import find_gateway, find_mail
from app.settings import Settings

MEANING: Final = {
    "ConnectionRefusedError": "nothing listens on that port",
    "gaierror": "its name is not found",
    "TimeoutError": "it does not answer in time",
    "SMTPServerDisconnected": "it ends the connection, or does not answer in time",
    "SMTPNotSupportedError": "it does not offer STARTTLS, or no login",
    "SSLCertVerificationError": "its certificate is not trusted here, or of another name",
    "SSLError": "it does not speak TLS",
    "535": "it refuses the login",
}
"""The most frequent failures, in words."""
MAIL: Final = "The mail server of SAFE_CONDUCT_SMTP_HOST and SAFE_CONDUCT_SMTP_PORT"
GATEWAY: Final = "The SMS gateway of SAFE_CONDUCT_SMS_GATEWAY_URL"


def check_connections(settings: Settings) -> Iterator[str]:
    """Connect to the servers that the settings name, and say how it went.

    Nothing is sent but a login at the mail server. Raises NotReady for settings that do not
    go together.
    """
    mail, gateway = find_mail(settings), find_gateway(settings)
    if mail:
        yield describe(MAIL, mail.check(), "e-mail")
    if gateway:
        yield describe(GATEWAY, gateway.check(), "SMS")


def describe(server: str, code: str | None, what: str) -> str:
    """Describe the outcome of one connection; `code` is None if it went well."""
    if code is None:
        return f"{server} answers."
    why = f"{MEANING[code]} ({code})" if code in MEANING else code
    return (
        f"Warning: {server} cannot be used from here: {why}. No notice leaves by {what} "
        "until it can: see whether it runs, then correct the settings."
    )
