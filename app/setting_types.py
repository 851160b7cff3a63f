"""Types of settings; each refuses a value that the service cannot use."""

import re
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from app.kernel.databases import is_database
from app.webhooks.addresses import is_listable, read_hosts

PUBLIC_URL: Final = (
    r"^(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9._~-]+)*$"
)
"""HTTPS, or HTTP to this machine; without a `/` at the end."""
SIGN_IN_URL: Final = r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?"


def validated_by(is_valid: Callable[[str], object], remedy: str) -> AfterValidator:
    """Make a validator; `remedy` says what to write instead of an invalid value."""

    def validate(text: str) -> str:
        if not is_valid(text):
            raise ValueError(remedy)
        return text

    return AfterValidator(validate)


DatabaseUrl = Annotated[
    str,
    validated_by(
        is_database,
        "write sqlite:///var/safe-conduct.db, or "
        "postgresql+psycopg://LOGIN:PASSWORD@HOST/NAME.",
    ),
]
PublicUrl = Annotated[
    str,
    validated_by(
        re.compile(PUBLIC_URL).fullmatch,
        "write https:// and a host such as refer.example.org, without a / at its end.",
    ),
]
Hosts = Annotated[
    str,
    validated_by(
        lambda text: all(map(is_listable, read_hosts(text))),
        "write names such as hooks.example.org or hooks.example.org:8443, without https:// "
        "and without :443.",
    ),
]
SignInUrl = Annotated[
    str,
    validated_by(
        re.compile(SIGN_IN_URL).fullmatch,
        "write an address that begins with https://, or take it away.",
    ),
]
OpenDrafts = Annotated[
    int,
    Field(
        description="How many drafts that one account wrote may be open. Over it a new "
        "draft is answered 429; a case that is submitted at once is taken.",
        ge=1,
        le=100_000,
    ),
]
SealedVolume = Annotated[
    int,
    Field(
        description="How many MiB one account may seal in a day of UTC. Over it what "
        "seals more is answered 429; to submit a case is not, nor to promise help, nor "
        "what is written in a case in vital interest. Each process counts for itself.",
        ge=1,
        le=100_000,
    ),
]
LowSpace = Annotated[
    int,
    Field(
        description="Free MiB beside the embedded database, the key file and the ledger "
        "of erasures, under which `/readyz` has a note and `worker status`, the metrics "
        "and the log have an alarm. 0: never.",
        ge=0,
        le=1024**3,
    ),
]
ReservedSpace = Annotated[
    int,
    Field(
        description="Free MiB beside the embedded database that are kept for what cannot "
        "wait: under it drafts, exports and other writes that can wait are answered 503. "
        "0: nothing is kept. Without effect on PostgreSQL, whose disk the service cannot "
        "see.",
        ge=0,
        le=1024**3,
    ),
]
RefusedOpeningsPerMinute = Annotated[
    int,
    Field(
        description="How often in a minute one account may ask to open what is not its "
        "to open, or is not there. Over it such requests are answered 429 and not "
        "entered in the access log one by one; its office and oversight are told.",
        ge=1,
        le=100_000,
    ),
]
RequestsPerMinute = Annotated[
    int,
    Field(
        description="How many requests one account may make in a minute, those that "
        "read and those that write counted apart. Over it the answer is 429, and when "
        "to come back. Each process counts for itself.",
        ge=60,
        le=1_000_000,
    ),
]
MaxConnections = Annotated[
    int,
    Field(
        description="How many connections a process keeps open. Over it the one that "
        "waits longest without a request is closed.",
        ge=16,
        le=100_000,
    ),
]
