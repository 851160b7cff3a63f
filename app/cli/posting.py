"""The ways out of the house that the settings name, and what is wrong with them."""

import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from app.cli.calling import is_here
from app.cli.grounds import NotReady
from app.directory import queries as directory
from app.directory.addresses import Channel, is_mailbox
from app.notices import actions, queries
from app.notices.words import Letter
from app.outbox.actions import Answer
from app.outbox.models import Way
from app.outbox.pacing import Outcome
from app.settings import Environment, Settings
from app.worker.courier import Courier
from app.worker.gateway import Gateway
from app.worker.mail import Mail
from app.worker.sending import Senders, WayOut

type Send = Callable[[Letter], Answer]

SETTING: Final = {
    Channel.EMAIL: "SAFE_CONDUCT_SMTP_HOST",
    Channel.SMS: "SAFE_CONDUCT_SMS_GATEWAY_URL",
}


def senders_of(settings: Settings) -> Senders:
    """Make ready every way out; raises NotReady for settings that do not go together.

    A way that is not set up fails: what should leave by it is tried, given up and alarmed
    of, as if its server were down, and nobody believes that it left.
    """
    sends: dict[Way, Send] = {
        Way.EMAIL: mail_of(settings),
        Way.SMS: gateway_of(settings),
    }
    ways = {way: notices_by(send, settings.sign_in_url) for way, send in sends.items()}
    return Senders(ways, timedelta(minutes=settings.notice_window_minutes))


def notices_by(send: Send, sign_in: str | None) -> WayOut[Any]:
    """Let notices leave by a way."""
    compose = partial(queries.compose, sign_in=sign_in)
    return WayOut(compose, send, actions.fall_back, actions.call_anew)


def nowhere(_: Letter) -> Answer:
    """Fail, since nobody said where to."""
    return Answer(Outcome.REFUSED, "not_set_up")


def mail_of(settings: Settings) -> Send:
    """Return what sends by e-mail; raises NotReady."""
    mail = find_mail(settings)
    return mail.send if mail else nowhere


def find_mail(settings: Settings) -> Mail | None:
    """Find the mail server; raises NotReady."""
    host, sender = settings.smtp_host, settings.smtp_from
    if host is None:
        return None
    if sender is None or not is_mailbox(sender):
        raise NotReady("SAFE_CONDUCT_SMTP_FROM must be a plain e-mail address.")
    tls = None if is_here(host) else ssl.create_default_context()
    return Mail(host, settings.smtp_port, sender, tls, login_of(settings))


def courier_of(settings: Settings) -> Courier:
    """Make ready who carries feeds to their receivers."""
    drill = settings.environment == Environment.DRILL
    return Courier(ssl.create_default_context(), here_too=drill)


def login_of(settings: Settings) -> tuple[str, str] | None:
    """Find who signs in at the mail server; raises NotReady for half of it."""
    user, password = settings.smtp_user, settings.smtp_password
    if user is None and password is None:
        return None
    if user is None or password is None:
        raise NotReady("Set both SAFE_CONDUCT_SMTP_USER and SAFE_CONDUCT_SMTP_PASSWORD.")
    return user, password.get_secret_value()


def gateway_of(settings: Settings) -> Send:
    """Return what sends by SMS; raises NotReady."""
    gateway = find_gateway(settings)
    return gateway.send if gateway else nowhere


def find_gateway(settings: Settings) -> Gateway | None:
    """Find the gateway; raises NotReady."""
    if settings.sms_gateway_url is None:
        return None
    if not is_safe(settings.sms_gateway_url):
        raise NotReady("SAFE_CONDUCT_SMS_GATEWAY_URL must be https, without a user in it.")
    if settings.sms_gateway_token is None:
        raise NotReady("SAFE_CONDUCT_SMS_GATEWAY_TOKEN is missing.")
    token = settings.sms_gateway_token.get_secret_value()
    return Gateway(settings.sms_gateway_url, token, ssl.create_default_context())


def is_safe(text: str) -> bool:
    """Say whether a token may go there: by TLS, or no further than this machine."""
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    scheme = url.scheme == "https" or (url.scheme == "http" and is_here(url.hostname or ""))
    return scheme and bool(url.hostname) and "@" not in url.netloc


def gaps(session: Session, settings: Settings) -> Iterator[str]:
    """Say what keeps notices from those they are for."""
    ways = {
        Channel.EMAIL: settings.smtp_host,
        Channel.SMS: settings.sms_gateway_url,
    }
    missing = [SETTING[channel] for channel, set_up in ways.items() if not set_up]
    if len(missing) == len(ways):
        yield f"Warning: no notices leave this system: set {' or '.join(missing)}."
    else:
        for channel in sorted(directory.channels(session)):
            if not ways[channel]:
                yield f"Warning: nobody is reached by {channel}: set {SETTING[channel]}."
    if silent := directory.unreachable(session):
        count, first = len(silent), ", ".join(silent[:5])
        more = " ..." if count > len(silent[:5]) else ""
        yield f"Warning: {count} active offices have no contact for notices: {first}{more}"
