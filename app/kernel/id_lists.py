"""Lists of ids as one parameter, so that a statement has the same SQL for any length.

Therefore SQLAlchemy renders the statement once, and the drivers keep it prepared.
"""

import json
from collections.abc import Collection
from typing import Any, override
from uuid import UUID

from sqlalchemy import ARRAY, Dialect, Select, Text, Uuid, bindparam, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class IdList(TypeDecorator[Collection[UUID]]):
    """The type of a parameter with a list of ids: JSON on SQLite, otherwise an array."""

    impl = Text
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        is_sqlite = dialect.name == "sqlite"
        return dialect.type_descriptor(Text() if is_sqlite else ARRAY(Uuid()))

    @override
    def process_bind_param(
        self, value: Collection[UUID] | None, dialect: Dialect
    ) -> object:
        ids = list(value or ())
        return json.dumps([one.hex for one in ids]) if dialect.name == "sqlite" else ids


class Unnest(FunctionElement[UUID]):
    """The SQL function that returns the ids of an `IdList` as rows."""

    inherit_cache = True
    type = Uuid()


@compiles(Unnest)
def render_unnest(function: Unnest, compiler: SQLCompiler, **options: Any) -> str:
    """Return the SQL of the function on PostgreSQL.

    The subquery hides the length of the list from the planner. Otherwise a short list would
    seem cheaper than a list of unknown length, and each execution would be planned again.
    """
    return f"unnest((SELECT {compiler.process(function.clauses, **options)}))"


@compiles(Unnest, "sqlite")
def render_json_each(function: Unnest, compiler: SQLCompiler, **options: Any) -> str:
    """Return the SQL of the function on SQLite."""
    return f"json_each({compiler.process(function.clauses, **options)})"


def select_listed(name: str) -> Select[UUID]:
    """Return a query that selects the ids of the list in the parameter `name`."""
    ids = Unnest(bindparam(name, type_=IdList())).column_valued("value")
    return select(ids.label("id"))
