"""Senders of notifications and webhooks, built from the settings."""

import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from app.cli.api_client import is_loopback
from app.cli.startup import NotReady
from app.directory import queries as directory_queries
from app.directory.addresses import Channel, is_mailbox
from app.notifications import actions as notifications_actions
from app.notifications import queries as notifications_queries
from app.notifications.words import NotificationMessage
from app.outbox.actions import Answer
from app.outbox.models import MessageChannel
from app.outbox.pacing import Outcome
from app.settings import Environment, Settings
from app.worker.courier import Courier
from app.worker.mail import Mail
from app.worker.outbox_job import ChannelSender, Senders
from app.worker.sms_gateway import Gateway

type Send = Callable[[NotificationMessage], Answer]

SETTINGS: Final = {
    Channel.EMAIL: "SAFE_CONDUCT_SMTP_HOST",
    Channel.SMS: "SAFE_CONDUCT_SMS_GATEWAY_URL",
}


def build_senders(settings: Settings) -> Senders:
    """Build the sender of each channel, or raise NotReady if settings are inconsistent.

    If a channel is not set up, each of its notifications fails and is reported.
    """
    sends: dict[MessageChannel, Send] = {
        MessageChannel.EMAIL: get_mail_sender(settings),
        MessageChannel.SMS: get_sms_sender(settings),
    }
    ways = {
        way: build_notification_channel(send, settings.sign_in_url)
        for way, send in sends.items()
    }
    return Senders(ways, timedelta(minutes=settings.notice_window_minutes))


def build_notification_channel(send: Send, sign_in: str | None) -> ChannelSender[Any]:
    """Return a channel that composes notifications and sends them with `send`."""
    compose = partial(notifications_queries.build_message, sign_in=sign_in)
    return ChannelSender(
        compose,
        send,
        notifications_actions.send_by_other_channel,
        notifications_actions.notify_again,
    )


def fail_not_set_up(_: NotificationMessage) -> Answer:
    """Refuse a message, because its channel is not set up."""
    return Answer(Outcome.REFUSED, "not_set_up")


def get_mail_sender(settings: Settings) -> Send:
    """Return the function that sends e-mail. Without a server, it refuses each message."""
    mail = find_mail(settings)
    return mail.send if mail else fail_not_set_up


def find_mail(settings: Settings) -> Mail | None:
    """Return the mail server in the settings, or None if no host is set.

    Raises NotReady if another setting of the server is missing or not valid.
    """
    host, sender = settings.smtp_host, settings.smtp_from
    if host is None:
        return None
    if sender is None or not is_mailbox(sender):
        raise NotReady("SAFE_CONDUCT_SMTP_FROM must be an e-mail address without a name.")
    tls = None if is_loopback(host) else ssl.create_default_context()
    return Mail(host, settings.smtp_port, sender, tls, get_mail_login(settings))


def build_courier(settings: Settings) -> Courier:
    """Return the client that delivers webhooks. In a drill, it may send to this machine."""
    drill = settings.environment == Environment.DRILL
    return Courier(ssl.create_default_context(), allow_local=drill)


def get_mail_login(settings: Settings) -> tuple[str, str] | None:
    """Return the user and password for the mail server, or None if neither is set.

    Raises NotReady if only one of them is set.
    """
    user, password = settings.smtp_user, settings.smtp_password
    if user is None and password is None:
        return None
    if user is None or password is None:
        raise NotReady(
            "Only one of SAFE_CONDUCT_SMTP_USER and SAFE_CONDUCT_SMTP_PASSWORD is set. Set "
            "both or none."
        )
    return user, password.get_secret_value()


def get_sms_sender(settings: Settings) -> Send:
    """Return the function that sends SMS. Without a gateway, it refuses each message."""
    gateway = find_gateway(settings)
    return gateway.send if gateway else fail_not_set_up


def find_gateway(settings: Settings) -> Gateway | None:
    """Return the SMS gateway in the settings, or None if no URL is set.

    Raises NotReady if the URL is not valid or the token is missing.
    """
    if settings.sms_gateway_url is None:
        return None
    if not is_safe_url(settings.sms_gateway_url):
        raise NotReady("SAFE_CONDUCT_SMS_GATEWAY_URL must be an https URL without a user.")
    if settings.sms_gateway_token is None:
        raise NotReady("SAFE_CONDUCT_SMS_GATEWAY_TOKEN is missing.")
    token = settings.sms_gateway_token.get_secret_value()
    return Gateway(settings.sms_gateway_url, token, ssl.create_default_context())


def is_safe_url(text: str) -> bool:
    """Return whether a token may be sent to a URL.

    The URL must use TLS or name this machine, and it must not contain a user.
    """
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    local = url.scheme == "http" and is_loopback(url.hostname or "")
    return (url.scheme == "https" or local) and bool(url.hostname) and "@" not in url.netloc


def list_notification_gaps(session: Session, settings: Settings) -> Iterator[str]:
    """Yield warnings about channels that are not set up and offices without contacts."""
    ways = {Channel.EMAIL: settings.smtp_host, Channel.SMS: settings.sms_gateway_url}
    missing = [SETTINGS[channel] for channel, set_up in ways.items() if not set_up]
    if len(missing) == len(ways):
        yield f"Warning: no notifications are sent: set {' or '.join(missing)}."
    else:
        for channel in sorted(directory_queries.list_channels(session)):
            if not ways[channel]:
                yield f"Warning: no {channel} is sent: set {SETTINGS[channel]}."
    if silent := directory_queries.list_unreachable(session):
        codes = ", ".join(silent)
        yield f"Warning: {len(silent)} active offices have no contact to notify: {codes}"
