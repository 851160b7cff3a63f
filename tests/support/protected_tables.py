"""The tables whose rows have a MAC, and the tables without one in docs/privacy.md."""

from pathlib import Path
from typing import Final

from app.access.models import AccessToken
from app.access.protected_tables import MEMBER_TABLES, OWNERS
from app.cases.models import Case
from app.cases.protected_records import list_record_models
from app.kernel.db import Base
from app.kernel.protected_rows import ProtectedRow
from app.returns.models import Done

PAGE: Final = Path(__file__).parents[2] / "docs" / "privacy.md"
HASHED: Final = {AccessToken.__tablename__, Done.__tablename__}
"""Tables whose rows are protected by a keyed hash, or by a digest in a protected row."""


def list_protected_tables() -> set[str]:
    """List the tables whose rows have a MAC, are covered by one, or are in `HASHED`."""
    rows = (
        one.class_ for one in Base.registry.mappers if issubclass(one.class_, ProtectedRow)
    )
    models = [*OWNERS, *MEMBER_TABLES, Case, *list_record_models(), *rows]
    return {model.__tablename__ for model in models} | HASHED


def list_unprotected_tables() -> list[str]:
    """List the tables without a MAC in docs/privacy.md, which gives a reason for each.

    Raises AssertionError if a reason is missing.
    """
    section = PAGE.read_text(encoding="utf-8").split("### Tables without a MAC")[1]
    lines = section.split("\n## ")[0].splitlines()
    rows = [line.split("|") for line in lines if line.startswith("| `")]
    assert all(reason.strip() for _, _, reason, _ in rows)
    return [name.strip(" `") for _, name, _, _ in rows]
