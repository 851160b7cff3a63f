"""The settings, read once in cli and passed down."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.setting_types import (
    DatabaseUrl,
    Hosts,
    LowSpace,
    MaxConnections,
    OpenDrafts,
    PublicUrl,
    RefusedOpeningsPerMinute,
    RequestsPerMinute,
    ReservedSpace,
    SealedVolume,
    SignInUrl,
)

SECRETS: Final = Path("/run/secrets")
"""Where containers find the files of their secrets."""
PREFIX: Final = "SAFE_CONDUCT_"
URL: Final = "http://127.0.0.1:8000"
"""Where a service is that nobody moved."""


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class WorkerPlace(StrEnum):
    """Where the worker runs: within `serve`, or as a process of its own."""

    INSIDE = "inside"
    APART = "apart"


MAX_CONNECTIONS: Final = 1000
"""Connections that a process keeps open, unless a setting says otherwise."""


class Environment(StrEnum):
    """What a service is for."""

    PRODUCTION = "production"
    DRILL = "drill"


def validate_clock_speed(speed: int, info: ValidationInfo) -> int:
    """Refuse faster clocks outside of drills.

    Deadlines would pass before anybody can answer: cases would be taken from the offices
    that help, and erased. Raises ValueError.
    """
    drill = Environment.DRILL
    environment = info.data.get("environment", drill)  # absent: it is refused itself
    if speed > 1 and environment != drill:
        raise ValueError(
            "faster clocks are for drills: remove it, or, where no real person is in the "
            f"database, set {PREFIX}ENVIRONMENT=drill."
        )
    return speed


class Settings(BaseSettings):
    """Each is an environment variable, SAFE_CONDUCT_ and its name, or a secret file.

    The variable counts where there are both. A secret is a file in `/run/secrets`, named
    like the variable in small letters: an environment is easily shown, a file less so.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
        frozen=True,
        extra="forbid",
    )

    database_url: Annotated[
        DatabaseUrl,
        Field(
            description="SQLite file, or PostgreSQL (`postgresql+psycopg://...`) with the "
            "login of the service: a member of `safe_conduct_app` alone."
        ),
    ] = "sqlite:///var/safe-conduct.db"
    migration_database_url: Annotated[
        DatabaseUrl | None,
        Field(
            description="The same database with a login that is a member of "
            "`safe_conduct_owner`; read by `migrate` and `restored` alone. "
            "Absent: as the service."
        ),
    ] = None
    key_file: Annotated[
        Path,
        Field(description="The key-encryption keys: a file that only its owner can read."),
    ] = Path("var/keys")
    lost_keys: Annotated[
        str,
        Field(
            description="Names of key-encryption keys that are lost for good, by spaces: "
            "else `serve` refuses a database with something that only they open."
        ),
    ] = ""
    erasure_ledger: Annotated[
        Path,
        Field(
            description="The ledger of erasures: a copy outside the database, which a "
            "restored backup must obey. On another disk than the database, and backed up "
            "apart from it."
        ),
    ] = Path("var/erasures")
    low_space_mib: LowSpace = 1024
    reserved_space_mib: ReservedSpace = 128
    host: Annotated[
        str, Field(description="Address to listen on; `0.0.0.0` in the image.")
    ] = "127.0.0.1"
    port: Annotated[
        int, Field(description="Port to listen on; 0: any that is free.", ge=0, le=65535)
    ] = 8000
    docs: Annotated[
        bool,
        Field(
            description="Whether `/docs` shows the contract as a page to try it from. For "
            "those who build clients; `safe-conduct demo serve` has it."
        ),
    ] = False
    log_level: Annotated[
        LogLevel, Field(description="The least that is logged, as JSON to standard error.")
    ] = LogLevel.INFO
    worker: Annotated[
        WorkerPlace | None,
        Field(
            description="Where clocks are watched: `inside` of `serve`, or `apart`, by "
            "`safe-conduct worker run`. Absent: inside on SQLite, else apart."
        ),
    ] = None
    metrics_port: Annotated[
        int | None,
        Field(
            description="Port on which Prometheus is told, at `/metrics`: one for each "
            "process of a machine. Absent: nobody is told.",
            ge=0,
            le=65535,
        ),
    ] = None
    metrics_host: Annotated[
        str, Field(description="Address of that port; never one that the public reaches.")
    ] = "127.0.0.1"
    environment: Annotated[
        Environment, Field(description="`production`, or `drill`: no real person in it.")
    ] = Environment.PRODUCTION
    clock_speed: Annotated[
        int,
        Field(
            description="How many times as fast deadlines run. More than 1 only in a "
            "`drill`, and in `safe-conduct demo serve`.",
            ge=1,
            le=1_000_000,
        ),
        AfterValidator(validate_clock_speed),
    ] = 1
    daily_cap: Annotated[
        int,
        Field(
            description="How many cases one account may open in a day of UTC. Over it the "
            "answer is 429, and its office and oversight are told; what it opened today "
            "stays open to it, and so does a case in vital interest.",
            ge=1,
            le=100_000,
        ),
    ] = 30
    refused_openings_per_minute: RefusedOpeningsPerMinute = 10
    open_drafts: OpenDrafts = 200
    sealed_mib_per_day: SealedVolume = 64
    requests_per_minute: RequestsPerMinute = 600
    max_connections: MaxConnections = MAX_CONNECTIONS
    webhook_hosts: Annotated[
        Hosts,
        Field(
            description="Hosts that a feed may be pushed to, by spaces: names, with a port "
            "where it is not 443. Empty: to none."
        ),
    ] = ""
    webhook_delay_seconds: Annotated[
        int,
        Field(
            description="New events are delayed at random before they are pushed, by this "
            "at most: else a host that receives for several offices could tell by the time "
            "which of them share a case. 0: not at all.",
            ge=0,
            le=300,
        ),
    ] = 30
    public_url: Annotated[
        PublicUrl | None,
        Field(
            description="Where others reach the service, such as "
            "`https://refer.example.org`: machines sign for that address to be given "
            "tokens. Absent: no tokens, API keys alone.",
        ),
    ] = None
    sign_in_url: Annotated[
        SignInUrl | None,
        Field(
            description="Where those sign in whom a notice calls on, by `https`; absent: "
            "it names no place, so that who reads it on the way learns nothing."
        ),
    ] = None
    notice_window_minutes: Annotated[
        int,
        Field(
            description="The least time between two notices to one contact; half of it if "
            "urgent, a quarter in an emergency.",
            ge=8,
            le=24 * 60,
        ),
    ] = 60
    smtp_host: Annotated[
        str | None, Field(description="The mail server; absent: no notice goes by e-mail.")
    ] = None
    smtp_port: Annotated[
        int, Field(description="Its port, for STARTTLS.", ge=1, le=65535)
    ] = 587
    smtp_from: Annotated[
        str | None,
        Field(description="Whose they are: an address that bounces and replies go to."),
    ] = None
    smtp_user: Annotated[
        str | None, Field(description="Who signs in at the mail server; absent: nobody.")
    ] = None
    smtp_password: Annotated[
        SecretStr | None, Field(description="With what; better as a secret file.")
    ] = None
    sms_gateway_url: Annotated[
        str | None,
        Field(
            description="Where text messages are handed over as JSON, by `https`; absent: "
            "no notice goes by SMS."
        ),
    ] = None
    sms_gateway_token: Annotated[
        SecretStr | None,
        Field(description="The bearer token for it; better as a secret file."),
    ] = None
    url: Annotated[
        str,
        Field(
            description="Where `safe-conduct demo`, `submit` and `poll` find the service."
        ),
    ] = URL

    @property
    def works_inside(self) -> bool:
        """Whether the process that serves watches the clocks too."""
        if self.worker is None:
            return self.database_url.startswith("sqlite")
        return self.worker == WorkerPlace.INSIDE


class DemoSettings(Settings):
    """The settings of the demonstration, whose data is invented: it is a drill."""

    environment: Annotated[
        Environment, Field(description="A demonstration is a drill.")
    ] = Environment.DRILL


class Caller(BaseSettings):
    """Where a service is that is called from a shell, and which of two holds the key."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
        frozen=True,
        hide_input_in_errors=True,
    )

    url: str = URL
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
