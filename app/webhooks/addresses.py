"""Where a webhook may go: pure (R62).

Whoever writes an address here has this service call it, from within the operator's network.
So it is the name of a host that the operator listed, spelled in the one way that every
reader reads alike; and what that name leads to, when it is called, is outside.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

URL_FORM: Final = (
    r"^https://[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*(:[1-9][0-9]{0,4})?"
    r"(/[A-Za-z0-9._~/-]*)?$"
)
"""A name whose last label begins with a letter: no address, however it is spelled."""
LONGEST: Final = 250
HTTPS: Final = 443
LAST_PORT: Final = 65535
LONGEST_LABEL: Final = 63
PUBLIC: Final = IPv6Network("2000::/3")
"""All that was given out of version 6 (RFC 4291, 2.4): what else there is stays inside."""

type Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Target:
    """A receiver, as a URL names it."""

    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """Spell it as the operator's list does: with the port, unless that is 443."""
        return self.host if self.port == HTTPS else f"{self.host}:{self.port}"


def read_target(url: str) -> Target:
    """Read a URL of the form."""
    parts = urlsplit(url)
    return Target(parts.hostname or "", parts.port or HTTPS, parts.path or "/")


def sound(url: str) -> str:
    """Refuse what the form lets pass and no host is called; raises PydanticCustomError."""
    netloc = url.removeprefix("https://").partition("/")[0]
    host, _, port = netloc.partition(":")
    labels = host.split(".")
    if any(not is_label(label) for label in labels) or int(port or HTTPS) > LAST_PORT:
        raise PydanticCustomError("url_unsound", "No host has such a name or port.")
    return url


def is_label(label: str) -> bool:
    """Say whether it can be a part of a host's name (RFC 1123, 2.1)."""
    return 0 < len(label) <= LONGEST_LABEL and label[0] != "-" != label[-1]


def is_outside(address: Address, *, here_too: bool = False) -> bool:
    """Say whether an address is one that the whole world may call.

    Not of this machine, of a private network, of the link (where clouds keep their
    secrets), of many hosts at once, nor one of version 6 that stands for one of version 4:
    it would have to be judged as that, and no receiver needs it. `here_too`: a drill.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped or address.sixtofour or address.teredo:
            return False
        public = address in PUBLIC
    else:
        public = not (address.is_multicast or address.is_reserved)
    return (here_too and address.is_loopback) or (public and address.is_global)


def read_hosts(text: str) -> frozenset[str]:
    """Read an operator's list: names of hosts, with a port that is not 443, by spaces."""
    return frozenset(text.replace(",", " ").lower().split())


def is_listable(origin: str) -> bool:
    """Say whether a receiver can have it: else an operator's list lets nobody in by it."""
    url = f"https://{origin}"
    try:
        RECEIVER.validate_python(url)
    except ValidationError:
        return False
    return read_target(url).origin == origin


RECEIVER: Final = TypeAdapter[str](
    Annotated[str, Field(pattern=URL_FORM), AfterValidator(sound)]
)
