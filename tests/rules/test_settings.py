"""A setting with which nothing could be done is refused when it is read."""

import pytest
from pydantic import ValidationError

from app.settings import Settings


def refused(**said: str) -> list[tuple[object, str]]:
    with pytest.raises(ValidationError) as caught:
        Settings(**said)  # type: ignore[arg-type]
    faults = caught.value.errors()
    return [(one["loc"][0], one["msg"].removeprefix("Value error, ")) for one in faults]


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///var/it.db",
        "postgresql://me@here/it",
        "postgresql+psycopg://me:word@here:5432/it?sslmode=verify-full",
    ],
)
def test_a_database_is_sqlite_or_postgresql(url: str) -> None:
    settings = Settings(database_url=url, migration_database_url=url)

    assert (settings.database_url, settings.migration_database_url) == (url, url)


@pytest.mark.parametrize("name", ["database_url", "migration_database_url"])
@pytest.mark.parametrize(
    "url",
    [
        *("nonsense", "", "mysql://me:word@here/it", "oracle://me@here/it"),
        *("postgresql+asyncpg://me@here/it", "postgresql://me@here:port/it"),
    ],
)
def test_another_database_is_refused_in_words(name: str, url: str) -> None:
    [(where, why)] = refused(**{name: url})

    assert where == name
    assert why.startswith("write sqlite:///var/safe-conduct.db, or postgresql+psycopg://")
