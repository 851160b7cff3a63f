"""How migrations reach the database: one at a time, and never blocking others for long."""

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

# Imported so that Base knows every table; a test finds the one that was forgotten.
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

# Roles belong to the whole server: another database may have them, or be creating them
# right now. Whoever creates one becomes a member in the same transaction, so that whoever
# comes second with the same login is one too. Another login must be granted membership by
# hand: it could not grant it to itself.
ROLE: Final = """DO $$ BEGIN
    IF to_regrole('{role}') IS NULL THEN
        CREATE ROLE {role} NOLOGIN;
        GRANT {role} TO CURRENT_USER;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$"""

# A database that came here from PostgreSQL 14 or older lets everybody create tables.
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
    f"SELECT pg_advisory_lock({ONE_AT_A_TIME})",  # first: a time-out would end the wait
    "SET lock_timeout = '4s'",
    "SET statement_timeout = '5s'",
    ROLE.format(role=OWNER_ROLE),
    ROLE.format(role=APP_ROLE),
    SCHEMA,
    f"SET ROLE {OWNER_ROLE}",  # so it owns every table, and alembic_version too
)


def open_engine(url: str) -> Engine:
    """Connect as whoever signs in; the service's `Database` would act as the app role."""
    engine = create_engine(make_url(url), poolclass=NullPool, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine, query_only=False)
    return engine


def must_not_be_pooled(connection: Connection) -> None:
    """Raise PooledConnection behind a pooler: the lock and the role would be another's.

    A pooler tells its clients a process id of its own.
    """
    driver: Any = connection.connection.driver_connection
    pid = connection.scalar(text("SELECT pg_backend_pid()"))
    if driver.info.backend_pid != pid:
        raise PooledConnection(
            "Migrations need a connection of their own, and this one goes through a "
            "pooler. Set SAFE_CONDUCT_MIGRATION_DATABASE_URL to the server itself."
        )


def guard(connection: Connection) -> None:
    """Take the migrations' lock and role, and promise not to hold up the application."""
    with connection.begin():
        must_not_be_pooled(connection)
        for statement in POSTGRESQL:
            connection.execute(text(statement))


def let_tables_be_rebuilt(connection: Connection) -> None:
    """Batch mode drops a table and makes it anew: rows that refer to it must not notice.

    Said to the driver, since SQLite ignores it inside a transaction.
    """
    connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")


def must_refer_to_rows(connection: Connection) -> None:
    """Refuse to commit a rebuilt table that left a row referring to nothing."""
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError("After this migration, rows refer to rows that are not there.")


def migrate() -> None:
    """Run each migration in a transaction of its own; on SQLite, all of them in one.

    SQLite has no other lock that lasts: the second to come waits for it, and reads only
    then what is left to do.
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
    """Write the SQL of migrations instead of running it, for a linter."""
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
