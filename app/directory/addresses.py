"""What an address must be to be written to: plain, short, and one address alone (R74).

Refused on purpose, though a standard allows it: a display name, a comment, a quoted local
part, a literal IP address, letters beyond ASCII (write the A-label, `xn--`), and `%` and
`!`, which old relays read as "pass this on to somewhere else".
"""

from enum import StrEnum
from string import ascii_letters, digits
from typing import Final

from pydantic import TypeAdapter, ValidationError

from app.kernel.text import Phone


class Channel(StrEnum):
    """How somebody is reached."""

    EMAIL = "email"
    SMS = "sms"


LONGEST: Final = 254
"""RFC 5321, 4.5.3.1.3, less the angle brackets; of a phone number, 15 digits and a plus."""
LOCAL: Final = 64
LABEL: Final = 63
ATOM: Final = frozenset(ascii_letters + digits + "_+-=&~'")
LDH: Final = frozenset(ascii_letters + digits + "-")
PHONE: Final[TypeAdapter[str]] = TypeAdapter(Phone)


def is_address(channel: Channel, text: str) -> bool:
    """Say whether a text is an address of a channel, and nothing besides."""
    match channel:
        case Channel.EMAIL:
            return is_mailbox(text)
        case Channel.SMS:
            return is_phone(text)


def is_mailbox(text: str) -> bool:
    """Say whether it is `local@domain` (RFC 5321) in its plainest form."""
    local, at, domain = text.partition("@")
    atoms, labels = local.split("."), domain.split(".")
    return (
        bool(at)
        and len(text) <= LONGEST
        and len(local) <= LOCAL
        and all(atom and set(atom) <= ATOM for atom in atoms)
        and len(labels) > 1
        and all(is_label(label) for label in labels)
        and not labels[-1].isdigit()
    )


def is_label(text: str) -> bool:
    """Say whether it is a label of a domain: letters, digits and inner hyphens."""
    inside = set(text) <= LDH and not (text.startswith("-") or text.endswith("-"))
    return inside and 0 < len(text) <= LABEL


def is_phone(text: str) -> bool:
    """Say whether it is a number of E.164."""
    try:
        return PHONE.validate_python(text) == text
    except ValidationError:
        return False


def veiled(address: str) -> str:
    """Show of an address what tells where it leads, and not to whom (A9)."""
    _, at, domain = address.rpartition("@")
    return f"…@{domain}" if at else f"{address[:3]}…"
