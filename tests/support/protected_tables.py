"""The tables whose rows have a MAC, and the tables without one in docs/privacy.md."""

import re
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
ANSWER: Final = re.compile(r" (yes|no)\b")
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
    """List the tables without a MAC in docs/privacy.md."""
    return [name for name, _ in read_alarms()]


def read_alarms() -> list[tuple[str, bool]]:
    """Return the tables without a MAC, and whether deleted rows raise an alarm.

    Both are read from docs/privacy.md, which also gives a reason for each table. Raises
    AssertionError if a reason or an answer is missing.
    """
    section = PAGE.read_text(encoding="utf-8").split("### Tables without a MAC")[1]
    lines = section.split("\n## ")[0].splitlines()
    rows = [line.split("|")[1:4] for line in lines if line.startswith("| `")]
    assert all(reason.strip() and ANSWER.match(answer) for _, reason, answer in rows)
    return [(name.strip(" `"), answer.startswith(" yes")) for name, _, answer in rows]
