"""Each table is protected by a MAC or a digest, or is listed as unprotected."""

from app.kernel.db import Base
from tests.support.protected_tables import list_protected_tables, list_unprotected_tables


def test_each_table_is_protected_or_listed_with_its_reason() -> None:
    listed = list_unprotected_tables()

    assert listed == sorted(set(listed))
    assert list_protected_tables().isdisjoint(listed)
    assert list_protected_tables() | {*listed} == set(Base.metadata.tables)
