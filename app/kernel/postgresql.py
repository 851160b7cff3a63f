"""The settings of PostgreSQL connections."""

from typing import Final

from sqlalchemy import Engine, event

from app.kernel.sqlite import DriverConnection

POSTGRESQL_SETTINGS: Final = (
    "SET search_path = 'public'",
    "SET timezone = 'UTC'",
    "SET datestyle = 'ISO, YMD'",
    "SET quote_all_identifiers = 'off'",
    "SET row_security = 'on'",
    "SET synchronous_commit = 'on'",
    "SET lock_timeout = '5s'",
    "SET statement_timeout = '10s'",
    "SET idle_in_transaction_session_timeout = '30s'",
)


def prepare_postgresql(engine: Engine, role: str) -> None:
    """Set the role, the encoding and the timeouts of every PostgreSQL connection.

    The login must be a member of `role`, which owns no tables. The timeouts keep one slow
    caller from delaying the others.
    """

    @event.listens_for(engine, "do_connect")
    def _(_: object, __: object, ___: object, parameters: dict[str, str]) -> None:
        parameters["client_encoding"] = "utf8"  # independent of the server and the host

    @event.listens_for(engine, "connect")
    def _(connection: DriverConnection, _: object) -> None:
        connection.autocommit = True
        connection.execute("; ".join((f"SET ROLE {role}", *POSTGRESQL_SETTINGS)))
        connection.autocommit = False
