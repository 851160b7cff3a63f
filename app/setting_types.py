"""Types of settings, which refuse values that the service cannot use."""

import re
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from app.kernel.databases import is_database
from app.webhooks.addresses import is_listable, parse_hosts

PUBLIC_URL: Final = (
    r"^(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9._~-]+)*$"
)
"""HTTPS, or HTTP to this machine, without a `/` at the end."""
SIGN_IN_URL: Final = r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?"


def make_validator(is_valid: Callable[[str], object], remedy: str) -> AfterValidator:
    """Return a validator; `remedy` says which text to write instead of an invalid one."""

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
OpenDrafts = Annotated[
    int,
    Field(
        description="The most open drafts of one account. Above it, a new draft gets 429; "
        "a case with `submit`: true is accepted.",
        ge=1,
        le=100_000,
    ),
]
SealedVolume = Annotated[
    int,
    Field(
        description="The most MiB that one account may seal in a day of UTC. Above it, "
        "requests that seal more get 429, except to submit a case, to promise help, or to "
        "write to a case in vital interest. Each process counts separately.",
        ge=1,
        le=100_000,
    ),
]
LowSpace = Annotated[
    int,
    Field(
        description="Free MiB beside the embedded database, the key file and the ledger "
        "of erasures. Below it, `/readyz` has a note, and `worker status`, the metrics "
        "and the log have an alarm. 0: never.",
        ge=0,
        le=1024**3,
    ),
]
ReservedSpace = Annotated[
    int,
    Field(
        description="Free MiB beside the embedded database that are reserved for urgent "
        "writes. Below it, drafts, exports and other writes that can wait get 503. 0: no "
        "reserve. No effect on PostgreSQL, whose disk the service cannot measure.",
        ge=0,
        le=1024**3,
    ),
]
RefusedOpeningsPerMinute = Annotated[
    int,
    Field(
        description="The most attempts in a minute of one account to open sealed data that "
        "it may not open, or that does not exist. Above it, such requests get 429 and no "
        "entry each in the access log; its office and oversight are told.",
        ge=1,
        le=100_000,
    ),
]
RequestsPerMinute = Annotated[
    int,
    Field(
        description="The most requests in a minute of one account, reads and writes "
        "counted separately. Above it, requests get 429 with `Retry-After`. Each process "
        "counts separately.",
        ge=60,
        le=1_000_000,
    ),
]
MaxConnections = Annotated[
    int,
    Field(
        description="The most open connections of a process. Above it, the connection "
        "that has been idle for the longest time is closed.",
        ge=16,
        le=100_000,
    ),
]
