"""Checks of the addresses that a webhook may have, as pure functions (R62).

This service calls the address from inside the operator's network. The address must
therefore name a host that the operator listed, in a form that all parsers read in the same
way, and the name must resolve to a public address when it is called.
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
"""The form of a valid URL. The last label of the host begins with a letter, so that no IP
address matches."""
MAX_URL_LENGTH: Final = 250
HTTPS: Final = 443
LAST_PORT: Final = 65535
MAX_LABEL_LENGTH: Final = 63
PUBLIC: Final = IPv6Network("2000::/3")
"""The part of IPv6 that is allocated (RFC 4291, 2.4); no other IPv6 address is public."""

type Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Target:
    """The receiver that a URL names."""

    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """The host as the operator's list names it, with the port unless it is 443."""
        return self.host if self.port == HTTPS else f"{self.host}:{self.port}"


def parse_target(url: str) -> Target:
    """Parse a URL that matches `URL_FORM`."""
    parts = urlsplit(url)
    return Target(parts.hostname or "", parts.port or HTTPS, parts.path or "/")


def require_valid_host(url: str) -> str:
    """Return the URL, or raise PydanticCustomError if its host or port cannot exist."""
    netloc = url.removeprefix("https://").partition("/")[0]
    host, _, port = netloc.partition(":")
    labels = host.split(".")
    if any(not is_label(label) for label in labels) or int(port or HTTPS) > LAST_PORT:
        raise PydanticCustomError("url_unsound", "No host can have this name or port.")
    return url


def is_label(label: str) -> bool:
    """Return whether a text can be a label of a host name (RFC 1123, 2.1)."""
    return 0 < len(label) <= MAX_LABEL_LENGTH and label[0] != "-" != label[-1]


def is_public(address: Address, *, allow_loopback: bool = False) -> bool:
    """Return whether an address is public.

    Addresses of this machine, private addresses, link-local addresses (where clouds serve
    their secrets) and multicast addresses are not public. Nor is an IPv6 address that
    contains an IPv4 address, because no receiver needs one. In a drill, `allow_loopback`
    makes addresses of this machine count as public.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped or address.sixtofour or address.teredo:
            return False
        public = address in PUBLIC
    else:
        public = not (address.is_multicast or address.is_reserved)
    return (allow_loopback and address.is_loopback) or (public and address.is_global)


def parse_hosts(text: str) -> frozenset[str]:
    """Parse an operator's list of hosts, each with its port if the port is not 443."""
    return frozenset(text.replace(",", " ").lower().split())


def is_listable(origin: str) -> bool:
    """Return whether an origin is a valid entry for the operator's list of hosts."""
    url = f"https://{origin}"
    try:
        RECEIVER_URL.validate_python(url)
    except ValidationError:
        return False
    return parse_target(url).origin == origin


RECEIVER_URL: Final = TypeAdapter[str](
    Annotated[str, Field(pattern=URL_FORM), AfterValidator(require_valid_host)]
)
