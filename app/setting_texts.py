"""Texts of settings with which something can be done: addresses, databases, hosts."""

import re
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import AfterValidator

from app.kernel.databases import is_database
from app.webhooks.addresses import is_listable, read_hosts

PUBLIC_URL: Final = (
    r"^(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9._~-]+)*$"
)
"""By TLS, but to this very machine; without a `/` at its end."""
SIGN_IN_URL: Final = r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?"


def judged(is_sound: Callable[[str], object], remedy: str) -> AfterValidator:
    """Refuse a setting that nothing could be done with, and say what to write instead."""

    def judge(text: str) -> str:
        if not is_sound(text):
            raise ValueError(remedy)
        return text

    return AfterValidator(judge)


DatabaseUrl = Annotated[
    str,
    judged(
        is_database,
        "write sqlite:///var/safe-conduct.db, or "
        "postgresql+psycopg://LOGIN:PASSWORD@HOST/NAME.",
    ),
]
PublicUrl = Annotated[
    str,
    judged(
        re.compile(PUBLIC_URL).fullmatch,
        "write https:// and a host such as refer.example.org, without a / at its end.",
    ),
]
Hosts = Annotated[
    str,
    judged(
        lambda text: all(map(is_listable, read_hosts(text))),
        "write names such as hooks.example.org or hooks.example.org:8443, without https:// "
        "and without :443.",
    ),
]
SignInUrl = Annotated[
    str,
    judged(
        re.compile(SIGN_IN_URL).fullmatch,
        "write an address that begins with https://, or take it away.",
    ),
]
