"""Types for settings, which reject values that the service cannot use."""

import re
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import AfterValidator

from app.kernel.databases import is_database
from app.webhooks.addresses import is_listable, parse_hosts

PUBLIC_URL: Final = (
    r"^(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9._~-]+)*$"
)
"""The pattern of a public URL: HTTPS, or HTTP to this machine, without a `/` at the end."""
TRANSIT_URL: Final = (
    r"^(https://[A-Za-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?"
    r"/v1(/[A-Za-z0-9._-]+)+$"
)
"""The pattern of the URL of a Transit engine: HTTPS, or HTTP to this machine, and a path
under `/v1/`."""
SIGN_IN_URL: Final = r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?"


def make_validator(is_valid: Callable[[str], object], remedy: str) -> AfterValidator:
    """Return a validator that raises ValueError with `remedy` if a text is not valid."""

    def validate(text: str) -> str:
        if not is_valid(text):
            raise ValueError(remedy)
        return text

    return AfterValidator(validate)


DatabaseUrl = Annotated[
    str,
    make_validator(
        is_database,
        "write sqlite:///var/safe-conduct.db, or "
        "postgresql+psycopg://LOGIN:PASSWORD@HOST/NAME.",
    ),
]
PublicUrl = Annotated[
    str,
    make_validator(
        re.compile(PUBLIC_URL).fullmatch,
        "write https:// and a host such as refer.example.org, without a / at the end.",
    ),
]
TransitUrl = Annotated[
    str,
    make_validator(
        re.compile(TRANSIT_URL).fullmatch,
        "write https://, a host, /v1/ and the path of the engine, such as "
        "https://bao.example.org:8200/v1/transit.",
    ),
]
Hosts = Annotated[
    str,
    make_validator(
        lambda text: all(map(is_listable, parse_hosts(text))),
        "write names such as hooks.example.org or hooks.example.org:8443, without https:// "
        "and without :443.",
    ),
]
SignInUrl = Annotated[
    str,
    make_validator(
        re.compile(SIGN_IN_URL).fullmatch,
        "write an address that begins with https://, or remove the setting.",
    ),
]
