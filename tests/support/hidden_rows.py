"""Rows that a policy of PostgreSQL hides from single statements of the service."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from httpx2 import Response
from sqlalchemy import text

from tests.support.database_attacks import Attacker
from tests.support.databases import record_statements
from tests.support.world import World


@contextmanager
def add_hiding_policy(world: World, table: str, pattern: str) -> Iterator[None]:
    """Add a policy that hides a table from the statements that match a pattern of LIKE."""
    attacker = Attacker(world)
    shown = f"current_query() NOT LIKE $pattern${pattern}$pattern$"
    run_statements(
        attacker,
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY visible ON {table} USING (true)",
        f"CREATE POLICY hidden ON {table} AS RESTRICTIVE FOR SELECT USING ({shown})",
    )
    try:
        yield
    finally:
        run_statements(
            attacker,
            f"DROP POLICY hidden ON {table}",
            f"DROP POLICY visible ON {table}",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        )


def run_statements(attacker: Attacker, *statements: str) -> None:
    with attacker.connect() as connection:
        for one in statements:
            connection.execute(text(one))


def list_patterns(world: World, table: str, send: Callable[[], Response]) -> list[str]:
    """Return a pattern of LIKE for each statement with which a request reads a table."""
    with record_statements(world.database) as statements:
        send()
    reads = {one for one in statements if re.search(rf"\b(FROM|JOIN) {table}\b", one)}
    return [re.sub(r"%\(\w+\)s(::\w+)*", "%", one) for one in sorted(reads)]
