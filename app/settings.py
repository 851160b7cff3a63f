"""The settings of the service. A command reads them once and passes them on."""

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

SECRETS_DIR: Final = Path("/run/secrets")
"""The folder with the secret files of a container."""
PREFIX: Final = "SAFE_CONDUCT_"
DEFAULT_URL: Final = "http://127.0.0.1:8000"
"""The default address of a service."""


class LogLevel(StrEnum):
    """The lowest level of messages that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class WorkerPlace(StrEnum):
    """The place where the worker runs: within `serve`, or as a process of its own."""

    INSIDE = "inside"
    SEPARATE = "apart"


MAX_CONNECTIONS: Final = 1000
"""The default for the most open connections of a process."""


class Environment(StrEnum):
    """The purpose of a service."""

    PRODUCTION = "production"
    DRILL = "drill"


def validate_clock_speed(speed: int, info: ValidationInfo) -> int:
    """Return the speed; raise ValueError if it is above 1 outside of a drill.

    At such a speed, deadlines would be missed before anybody could act, and cases would be
    moved and erased.
    """
    drill = Environment.DRILL
    environment = info.data.get("environment", drill)  # missing if it was invalid itself
    if speed > 1 and environment != drill:
        raise ValueError(
            "a speed above 1 is for drills only. Remove it or, if no real person is in the "
            f"database, set {PREFIX}ENVIRONMENT=drill."
        )
    return speed


class Settings(BaseSettings):
    """The settings: environment variables with the prefix SAFE_CONDUCT_, or secret files.

    A variable takes precedence over a file. A secret file is in `/run/secrets` and has the
    name of the variable in lower case. Files are safer, because environment variables are
    revealed more easily.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
        frozen=True,
        extra="forbid",
    )

    database_url: Annotated[
        DatabaseUrl,
        Field(
            description="SQLite file, or PostgreSQL (`postgresql+psycopg://...`) with the "
            "login of the service, a member of `safe_conduct_app` only."
        ),
    ] = "sqlite:///var/safe-conduct.db"
    migration_database_url: Annotated[
        DatabaseUrl | None,
        Field(
            description="The same database with a login that is a member of "
            "`safe_conduct_owner`; only `migrate` and `restored` use it. Default: "
            "`SAFE_CONDUCT_DATABASE_URL`."
        ),
    ] = None
    key_file: Annotated[
        Path,
        Field(
            description="The file of the key-encryption keys, readable by its owner only."
        ),
    ] = Path("var/keys")
    lost_keys: Annotated[
        str,
        Field(
            description="Names of key-encryption keys that are lost for good, separated by "
            "spaces. Without it, `serve` refuses a database with data that needs them."
        ),
    ] = ""
    erasure_ledger: Annotated[
        Path,
        Field(
            description="The ledger of erasures, a copy outside of the database that is "
            "applied to restored backups. Keep it on another disk than the database, and "
            "back it up separately."
        ),
    ] = Path("var/erasures")
    low_space_mib: LowSpace = 1024
    reserved_space_mib: ReservedSpace = 128
    host: Annotated[
        str, Field(description="Address to listen on; `0.0.0.0` in the container image.")
    ] = "127.0.0.1"
    port: Annotated[
        int, Field(description="Port to listen on; 0: any free port.", ge=0, le=65535)
    ] = 8000
    docs: Annotated[
        bool,
        Field(
            description="Whether `/docs` shows the contract as an interactive page, for "
            "developers of clients; `safe-conduct demo serve` always has it."
        ),
    ] = False
    log_level: Annotated[
        LogLevel,
        Field(description="The lowest level that is logged, as JSON to standard error."),
    ] = LogLevel.INFO
    worker: Annotated[
        WorkerPlace | None,
        Field(
            description="Where the worker runs: `inside` of `serve`, or `apart`, by "
            "`safe-conduct worker run`. Default: `inside` on SQLite, otherwise `apart`."
        ),
    ] = None
    metrics_port: Annotated[
        int | None,
        Field(
            description="Port of the metrics for Prometheus, at `/metrics`; each process "
            "of a machine needs its own. Default: no metrics.",
            ge=0,
            le=65535,
        ),
    ] = None
    metrics_host: Annotated[
        str, Field(description="Address of the metrics port; it must not be public.")
    ] = "127.0.0.1"
    environment: Annotated[
        Environment, Field(description="`production`, or `drill` without any real person.")
    ] = Environment.PRODUCTION
    clock_speed: Annotated[
        int,
        Field(
            description="How many times faster deadlines run. More than 1 only in a "
            "`drill` and in `safe-conduct demo serve`.",
            ge=1,
            le=1_000_000,
        ),
        AfterValidator(validate_clock_speed),
    ] = 1
    daily_cap: Annotated[
        int,
        Field(
            description="The most cases that one account may open in a day of UTC. Above "
            "it, requests get 429, and its office and oversight are told. Cases that it "
            "opened today, and cases in vital interest, remain open to it.",
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
            description="Hosts that webhooks may call, separated by spaces: names, with a "
            "port unless it is 443. Empty: none."
        ),
    ] = ""
    webhook_delay_seconds: Annotated[
        int,
        Field(
            description="The longest random delay of new events before they are pushed. "
            "Without it, a host that receives for several offices could infer from the "
            "times which of them share a case. 0: no delay.",
            ge=0,
            le=300,
        ),
    ] = 30
    public_url: Annotated[
        PublicUrl | None,
        Field(
            description="The public address of the service, such as "
            "`https://refer.example.org`, which machines sign for to get tokens. Default: "
            "no tokens, only API keys.",
        ),
    ] = None
    sign_in_url: Annotated[
        SignInUrl | None,
        Field(
            description="The sign-in address in notifications, with `https`. Default: "
            "none, so that a notification reveals nothing to others who read it."
        ),
    ] = None
    notice_window_minutes: Annotated[
        int,
        Field(
            description="The minimum time between two notifications to one contact; half "
            "of it if urgent, a quarter in an emergency.",
            ge=8,
            le=24 * 60,
        ),
    ] = 60
    smtp_host: Annotated[
        str | None, Field(description="The mail server. Default: no e-mail is sent.")
    ] = None
    smtp_port: Annotated[
        int, Field(description="Port of the mail server, for STARTTLS.", ge=1, le=65535)
    ] = 587
    smtp_from: Annotated[
        str | None,
        Field(description="Sender of the e-mails; bounces and replies go to it."),
    ] = None
    smtp_user: Annotated[
        str | None, Field(description="Login at the mail server. Default: none.")
    ] = None
    smtp_password: Annotated[
        SecretStr | None,
        Field(description="Password at the mail server; better as a secret file."),
    ] = None
    sms_gateway_url: Annotated[
        str | None,
        Field(
            description="URL of the SMS gateway, with `https`, which takes JSON. Default: "
            "no SMS is sent."
        ),
    ] = None
    sms_gateway_token: Annotated[
        SecretStr | None,
        Field(description="Bearer token for the SMS gateway; better as a secret file."),
    ] = None
    url: Annotated[
        str,
        Field(description="Address that `safe-conduct demo`, `submit` and `poll` call."),
    ] = DEFAULT_URL

    @property
    def works_inside(self) -> bool:
        """Whether the process that serves also runs the worker."""
        if self.worker is None:
            return self.database_url.startswith("sqlite")
        return self.worker == WorkerPlace.INSIDE


class DemoSettings(Settings):
    """The settings of the demonstration, which is a drill."""

    environment: Annotated[
        Environment, Field(description="The environment of a demonstration.")
    ] = Environment.DRILL


class CallerSettings(BaseSettings):
    """The settings of commands that call a service, with a key or the file of a key."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
        frozen=True,
        hide_input_in_errors=True,
    )

    url: str = DEFAULT_URL
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
