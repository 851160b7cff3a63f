"""Validation of contact addresses, which must be single, short and plain (R74).

Some addresses are refused although a standard allows them, for example with a display name,
a comment, a quoted local part, a literal IP address or letters beyond ASCII (use the
A-label, `xn--`), or with `%` or `!`, which old relays read as a route to another host.
"""

from enum import StrEnum
from string import ascii_letters, digits
from typing import Final

from pydantic import TypeAdapter, ValidationError

from app.kernel.text import Phone


class Channel(StrEnum):
    """The channel through which an office receives notifications."""

    EMAIL = "email"
    SMS = "sms"


MAX_LENGTH: Final = 254
"""The maximum length in characters (RFC 5321, 4.5.3.1.3, less the angle brackets)."""
MAX_LOCAL_LENGTH: Final = 64
MAX_LABEL_LENGTH: Final = 63
ATOM_CHARACTERS: Final = frozenset(ascii_letters + digits + "_+-=&~'")
LABEL_CHARACTERS: Final = frozenset(ascii_letters + digits + "-")
PHONE: Final[TypeAdapter[str]] = TypeAdapter(Phone)


def is_address(channel: Channel, text: str) -> bool:
    """Return whether a text is exactly one address of a channel."""
    match channel:
        case Channel.EMAIL:
            return is_mailbox(text)
        case Channel.SMS:
            return is_phone(text)


def is_mailbox(text: str) -> bool:
    """Return whether a text is a plain e-mail address, `local@domain` (RFC 5321)."""
    local, at, domain = text.partition("@")
    atoms, labels = local.split("."), domain.split(".")
    return (
        bool(at)
        and len(text) <= MAX_LENGTH
        and len(local) <= MAX_LOCAL_LENGTH
        and all(atom and set(atom) <= ATOM_CHARACTERS for atom in atoms)
        and len(labels) > 1
        and all(is_label(label) for label in labels)
        and not labels[-1].isdigit()
    )


def is_label(text: str) -> bool:
    """Return whether a text is a domain label of letters, digits and inner hyphens."""
    inside = set(text) <= LABEL_CHARACTERS and "-" not in {text[:1], text[-1:]}
    return inside and 0 < len(text) <= MAX_LABEL_LENGTH


def is_phone(text: str) -> bool:
    """Return whether a text is a phone number in E.164 format."""
    try:
        return PHONE.validate_python(text) == text
    except ValidationError:
        return False


def truncate_address(address: str) -> str:
    """Return the domain of an address, or the prefix of a phone number (A9)."""
    _, at, domain = address.rpartition("@")
    return f"…@{domain}" if at else f"{address[:3]}…"
