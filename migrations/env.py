"""The Alembic environment. It runs one migration at a time, with short time limits."""

from typing import Any, Final

from alembic import context
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from app.access import enrolment_models
from app.access import models as access_models
from app.cases import models as case_models
from app.cases import records
from app.consents import models as consent_models
from app.deadlines import models as deadline_models
from app.directory import history
from app.directory import models as directory_models
from app.disclosure import models as disclosure_models
from app.feed import models as feed_models
from app.figures import models as figure_models
from app.figures import point_models, release_models
from app.handovers import models as handover_models
from app.kernel import clock_jumps, erasures, heartbeat, idempotency, journal
from app.kernel.db import APP_ROLE, OWNER_ROLE, Base
from app.kernel.migrations import PooledConnection
from app.kernel.sqlite import prepare_sqlite
from app.notifications import models as notifications_models
from app.outbox import models as outbox_models
from app.referrals import models as referral_models
from app.returns import models as return_models
from app.routing import models as routing_models
from app.screening import models as screening_models
from app.webhooks import models as webhook_models

# The imports make every table known to Base. A test fails if a module is missing.
TABLES: Final = (
    *(
        journal,
        erasures,
        idempotency,
        heartbeat,
        clock_jumps,
        directory_models,
        history,
        access_models,
        enrolment_models,
    ),
    *(deadline_models, outbox_models, notifications_models, case_models, records),
    *(
        routing_models,
        consent_models,
        referral_models,
        screening_models,
        return_models,
        handover_models,
        disclosure_models,
        feed_models,
        figure_models,
        point_models,
        release_models,
    ),
    webhook_models,
)
ONE_AT_A_TIME: Final = 0x5AFEC0DE

# Roles belong to the whole server. Another database may have them already, or may create
# them at the same time. The login that creates a role becomes its member in the same
# transaction, so a second process with this login is a member too. Another login cannot
# grant the membership to itself: an administrator has to grant it.
ROLE: Final = """DO $$ BEGIN
    IF to_regrole('{role}') IS NULL THEN
        CREATE ROLE {role} NOLOGIN;
        GRANT {role} TO CURRENT_USER;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$"""

# A database that was upgraded from PostgreSQL 14 or older lets every role create tables.
SCHEMA: Final = f"""DO $$ BEGIN
    IF NOT has_schema_privilege('{OWNER_ROLE}', 'public', 'CREATE') THEN
        GRANT USAGE, CREATE ON SCHEMA public TO {OWNER_ROLE};
    END IF;
    IF NOT has_schema_privilege('{APP_ROLE}', 'public', 'USAGE') THEN
        GRANT USAGE ON SCHEMA public TO {APP_ROLE};
    END IF;
    IF has_schema_privilege('{APP_ROLE}', 'public', 'CREATE') THEN
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;
END $$"""

POSTGRESQL: Final = (
    f"SELECT pg_advisory_lock({ONE_AT_A_TIME})",  # first, so that no timeout ends the wait
    "SET lock_timeout = '4s'",
    "SET statement_timeout = '5s'",
    ROLE.format(role=OWNER_ROLE),
    ROLE.format(role=APP_ROLE),
    SCHEMA,
    f"SET ROLE {OWNER_ROLE}",  # this role owns every table, also alembic_version
)


def open_engine(url: str) -> Engine:
    """Return an engine that keeps the role of the login, unlike `Database`."""
    engine = create_engine(make_url(url), poolclass=NullPool, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine, query_only=False)
    return engine


def must_not_be_pooled(connection: Connection) -> None:
    """Raise PooledConnection if the connection goes through a pooler.

    A pooler may give the connection that has the lock and the role to another client. The
    process id that a pooler reports to its clients is not that of the server process.
    """
    driver: Any = connection.connection.driver_connection
    pid = connection.scalar(text("SELECT pg_backend_pid()"))
    if driver.info.backend_pid != pid:
        raise PooledConnection(
            "Migrations need a connection of their own, and this one goes through a "
            "pooler. Set SAFE_CONDUCT_MIGRATION_DATABASE_URL to the server itself."
        )


def guard(connection: Connection) -> None:
    """Take the lock of migrations on a connection, and set the role and the time limits.

    The time limits keep a migration from blocking the application for long. Raises
    PooledConnection if the connection goes through a pooler.
    """
    with connection.begin():
        must_not_be_pooled(connection)
        for statement in POSTGRESQL:
            connection.execute(text(statement))


def let_tables_be_rebuilt(connection: Connection) -> None:
    """Turn off foreign keys on SQLite, where batch mode drops and recreates tables.

    The driver runs the statement, because SQLite ignores it inside a transaction.
    """
    connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")


def must_refer_to_rows(connection: Connection) -> None:
    """Raise RuntimeError if a row refers to a row that does not exist."""
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError("After this migration, rows refer to rows that are not there.")


def migrate() -> None:
    """Run each migration in a transaction of its own; on SQLite, run all of them in one.

    SQLite has no lock that lasts longer than a transaction. A second process waits for the
    transaction, and only then reads which migrations are left.
    """
    engine = open_engine(str(context.config.attributes["url"]))
    is_sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        (let_tables_be_rebuilt if is_sqlite else guard)(connection)
        context.configure(
            connection,
            target_metadata=Base.metadata,
            render_as_batch=is_sqlite,
            transactional_ddl=True,
            transaction_per_migration=not is_sqlite,
        )
        with context.begin_transaction():
            context.run_migrations()
            if is_sqlite:
                must_refer_to_rows(connection)


def spell() -> None:
    """Write the SQL of the migrations instead of running it, for a linter."""
    context.configure(
        dialect_name=make_url(context.config.attributes["url"]).get_backend_name(),
        transactional_ddl=True,
        transaction_per_migration=True,
        literal_binds=True,
    )
    for statement in POSTGRESQL:
        context.execute(statement)
    with context.begin_transaction():
        context.run_migrations()


spell() if context.is_offline_mode() else migrate()
