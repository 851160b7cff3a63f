"""The settings, read once in cli and passed down."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Settings(BaseSettings):
    """Each is an environment variable: SAFE_CONDUCT_ and its name."""

    model_config = SettingsConfigDict(
        env_prefix="SAFE_CONDUCT_", frozen=True, extra="forbid"
    )

    database_url: Annotated[
        str, Field(description="SQLite file or PostgreSQL database.")
    ] = "sqlite:///var/safe-conduct.db"
    migration_database_url: Annotated[
        str | None,
        Field(description="Who may create tables; absent: as the service itself."),
    ] = None
    key_file: Annotated[Path, Field(description="The key-encryption keys; mode 0600.")] = (
        Path("var/keys")
    )
    host: Annotated[str, Field(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Field(description="Port to listen on.", ge=0, le=65535)] = 8000
    log_level: LogLevel = LogLevel.INFO
    url: Annotated[str, Field(description="Where a command finds the running service.")] = (
        "http://127.0.0.1:8000"
    )
