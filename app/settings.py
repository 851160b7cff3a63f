"""The settings of the service. A command reads them once and passes them on."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, Field, SecretStr, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.setting_types import DatabaseUrl, Hosts, PublicUrl, SignInUrl, TransitUrl

SECRETS_DIR: Final = Path("/run/secrets")
"""The folder with the secret files of a container."""
PREFIX: Final = "SAFE_CONDUCT_"
DEFAULT_URL: Final = "http://127.0.0.1:8000"
"""The default URL of the service that a command calls."""


class LogLevel(StrEnum):
    """The lowest level of messages that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class WorkerPlace(StrEnum):
    """The place where the worker runs: in the `serve` process, or in its own process."""

    INSIDE = "inside"
    SEPARATE = "apart"


MAX_CONNECTIONS: Final = 1000
"""The default limit on the open connections of a process."""


class Environment(StrEnum):
    """The purpose of an installation: real cases, or a drill (an exercise without them)."""

    PRODUCTION = "production"
    DRILL = "drill"


def validate_clock_speed(speed: int, info: ValidationInfo) -> int:
    """Return the speed; raise ValueError if it is above 1 outside of a drill.

    With a higher speed, deadlines would be missed before anybody could act, and real cases
    would be moved and erased.
    """
    drill = Environment.DRILL
    environment = info.data.get("environment", drill)  # missing if it was invalid
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
        use_attribute_docstrings=True,
    )

    database_url: DatabaseUrl = "sqlite:///var/safe-conduct.db"
    """URL of an SQLite file, or of PostgreSQL (`postgresql+psycopg://...`) with the
    service's login, which is a member of `safe_conduct_app` only."""
    migration_database_url: DatabaseUrl | None = None
    """URL of the database with a login that is a member of `safe_conduct_owner`; only
    `migrate` and `restored` use it. Default: `SAFE_CONDUCT_DATABASE_URL`."""
    key_file: Path = Path("var/keys")
    """The file of the key-encryption keys, readable by its owner only."""
    transit_url: TransitUrl | None = None
    """URL of the Transit engine of OpenBao or HashiCorp Vault that encrypts the keys of the
    key file, such as `https://bao.example.org:8200/v1/transit`. Default: none, so the keys
    are not encrypted."""
    transit_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] = "safe-conduct"
    """Name of the key in the Transit engine."""
    transit_token_file: Path | None = None
    """File with the token for the Transit engine, which an agent may replace at any time.
    Default: none, for an agent that adds the token to each request."""
    transit_ca_file: Path | None = None
    """PEM file of the certificate authority of the Transit engine. Default: the authorities
    that the system trusts."""
    transit_namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]*$")] = ""
    """Namespace of the Transit engine. Default: none."""
    lost_keys: str = ""
    """Names of key-encryption keys that are lost for good, separated by spaces. If data
    needs a lost key that is not named here, `serve` does not start."""
    erasure_ledger: Path = Path("var/erasures")
    """The ledger of erasures, a copy outside of the database that is applied to restored
    backups. Keep it on a different disk from the database, and back it up separately."""
    low_space_mib: Annotated[int, Field(ge=0, le=1024**3)] = 1024
    """Free MiB on the disks of the SQLite database, the key file and the ledger of
    erasures. Below it, `/readyz` has a note, and `worker status`, the metrics and the log
    have an alarm. 0: no alarm."""
    reserved_space_mib: Annotated[int, Field(ge=0, le=1024**3)] = 128
    """Free MiB on the disk of the SQLite database that are reserved for urgent writes.
    Below it, drafts, exports and other writes that can wait get 503. 0: no reserve. No
    effect on PostgreSQL, because the service cannot measure the disk of a server."""
    host: str = "127.0.0.1"
    """Address to listen on; `0.0.0.0` in the container image."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """Port to listen on; 0: any free port."""
    docs: bool = False
    """Whether `/docs` shows the contract as an interactive page, for developers of clients;
    `safe-conduct demo serve` always has it."""
    console: bool = False
    """Whether `/console` serves pages for officers and focal points;
    `safe-conduct demo serve` always has them."""
    console_exit_url: SignInUrl = "https://www.wikipedia.org/"
    """The address to which "Leave this page" in the console leads."""
    log_level: LogLevel = LogLevel.INFO
    """The lowest level that is logged, as JSON to standard error."""
    worker: WorkerPlace | None = None
    """Where the worker runs: `inside` the process of `serve`, or `apart`, in a process of
    `safe-conduct worker run`. Default: `inside` on SQLite, otherwise `apart`."""
    metrics_port: Annotated[int | None, Field(ge=0, le=65535)] = None
    """Port of the metrics for Prometheus, at `/metrics`; each process on a machine needs
    its own port. Default: no metrics."""
    metrics_host: str = "127.0.0.1"
    """Address of the metrics port; it must not be public."""
    environment: Environment = Environment.PRODUCTION
    """`production`, or `drill` if the database has no data about real people."""
    clock_speed: Annotated[
        int, Field(ge=1, le=1_000_000), AfterValidator(validate_clock_speed)
    ] = 1
    """How many times faster deadlines run. Above 1 only in a `drill` and in
    `safe-conduct demo serve`."""
    unprotected_until: AwareDatetime | None = None
    """The time until which rows without a MAC are accepted, such as `2027-01-31T00:00:00Z`.
    An earlier version wrote such rows; `safe-conduct account protect`, `directory protect`
    and `case protect` protect them. Until this time, a forged row in the database can give
    rights to an account. Default: none are accepted."""
    person_keys: bool = True
    """Whether people may use API keys. `false`: only machines may; people sign in with
    passkeys. An API key is valid for months, and opens every section that its account may
    open without a recent sign-in."""
    daily_cap: Annotated[int, Field(ge=1, le=100_000)] = 30
    """The maximum number of cases that one person may open at an office in a UTC day. Above
    it, requests get 429, and the office and oversight are informed. The person can still
    open cases that they opened today, cases with a vital interest, safety alerts, and what
    an emergency access allows."""
    refused_openings_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 10
    """The maximum number of attempts per minute of one account to open sealed data that it
    may not open, or of a record that does not exist. Above it, such requests get 429 and
    are not in the access log one by one, and the office and oversight are informed."""
    open_drafts: Annotated[int, Field(ge=1, le=100_000)] = 200
    """The maximum number of open drafts of one account. Above it, a new draft gets 429; a
    case with `submit`: true is accepted."""
    sealed_mib_per_day: Annotated[int, Field(ge=1, le=100_000)] = 64
    """The maximum size, in MiB, of the data that one account may seal in a UTC day. Above
    it, requests that seal more get 429, except to submit a case, to accept a case or a
    referral, to write contacts, to plan a journey, or to write to a case with a vital
    interest. Each process counts separately."""
    requests_per_minute: Annotated[int, Field(ge=60, le=1_000_000)] = 600
    """The maximum number of requests of one account in a minute; reads and writes count
    separately. Above it, requests get 429 with `Retry-After`. Each process counts
    separately."""
    max_connections: Annotated[int, Field(ge=16, le=100_000)] = MAX_CONNECTIONS
    """The maximum number of open connections of a process. Above it, the connection that
    has been idle for the longest time is closed."""
    webhook_hosts: Hosts = ""
    """Hosts that webhooks may call, separated by spaces: names, with a port unless it is
    443. Empty: none."""
    webhook_delay_seconds: Annotated[int, Field(ge=0, le=300)] = 30
    """The maximum random delay, in seconds, before new events are sent to a webhook.
    Without a delay, a host that receives the events of several offices could infer from the
    times which of them share a case. 0: no delay."""
    public_url: PublicUrl | None = None
    """The public address of the service, such as `https://refer.example.org`, which
    a machine names when it asks for a token. Passkeys are bound to its host, which must be
    a name. Default: no tokens and no passkeys, only API keys."""
    sign_in_url: SignInUrl | None = None
    """The `https` sign-in address that notifications contain. Default: none, so that
    a notification reveals nothing to other people who read it."""
    notice_window_minutes: Annotated[int, Field(ge=8, le=24 * 60)] = 60
    """The minimum time between two notifications to one contact, in minutes. It is halved
    if a case is urgent, and quartered in an emergency."""
    smtp_host: str | None = None
    """The mail server. Default: no e-mail is sent."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    """Port of the mail server, for STARTTLS."""
    smtp_from: str | None = None
    """Sender address of e-mails, which gets bounces and replies."""
    smtp_user: str | None = None
    """User name for the mail server. Default: none."""
    smtp_password: SecretStr | None = None
    """Password for the mail server. A secret file is safer."""
    sms_gateway_url: str | None = None
    """The `https` URL of the SMS gateway, which accepts JSON. Default: no SMS is sent."""
    sms_gateway_token: SecretStr | None = None
    """Bearer token for the SMS gateway. A secret file is safer."""
    url: str = DEFAULT_URL
    """Address that `safe-conduct demo`, `submit` and `poll` call."""

    @property
    def works_inside(self) -> bool:
        """Whether the `serve` process also runs the worker."""
        if self.worker is None:
            return self.database_url.startswith("sqlite")
        return self.worker == WorkerPlace.INSIDE


class DemoSettings(Settings):
    """The settings of the demonstration, which is a drill."""

    environment: Environment = Environment.DRILL
    """The environment of a demonstration; by default, `drill`."""


class CallerSettings(BaseSettings):
    """The settings of the commands that call a service, with an API key or a key file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
        frozen=True,
        hide_input_in_errors=True,
    )

    url: str = DEFAULT_URL
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
