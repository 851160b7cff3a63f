"""Settings that cannot be used are refused with a reason when the settings are read."""

import pytest
from pydantic import ValidationError

from app.cli.generated_pages import render_settings
from app.settings import Settings


def list_refusals(**said: str) -> list[tuple[object, str]]:
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
        "nonsense",
        "",
        "mysql://me:word@here/it",
        "oracle://me@here/it",
        "postgresql+asyncpg://me@here/it",
        "postgresql://me@here:port/it",
    ],
)
def test_another_database_is_refused_in_words(name: str, url: str) -> None:
    [(where, why)] = list_refusals(**{name: url})

    assert where == name
    assert why.startswith("write sqlite:///var/safe-conduct.db, or postgresql+psycopg://")


@pytest.mark.parametrize("listed", ["", " ", "a.b", "Hooks.gov.kz:8443, hooks.iom.int\n"])
def test_hosts_are_listed_by_name(listed: str) -> None:
    assert Settings(webhook_hosts=listed).webhook_hosts == listed


@pytest.mark.parametrize(
    "listed",
    [
        "https://a.b/",
        "a.b/hook",
        "a.b/",
        "a.b:443",
        "a.b:99999",
        "a.b:x",
        "-a.b",
        "127.0.0.1:8443",
        "localhost",
        "*.a.b",
        "a@a.b",
        "good.example https://a.b",
    ],
)
def test_a_host_that_no_receiver_can_have_is_refused_in_words(listed: str) -> None:
    [(where, why)] = list_refusals(webhook_hosts=listed)

    assert where == "webhook_hosts"
    assert "names such as hooks.example.org or hooks.example.org:8443, without https" in why


@pytest.mark.parametrize("url", ["https://a.b", "https://a.b:8443/sign-in?from=notice"])
def test_who_is_called_on_signs_in_by_tls(url: str) -> None:
    assert Settings(sign_in_url=url).sign_in_url == url


@pytest.mark.parametrize(
    "url", ["nonsense", "", "http://a.b", "https://", "https://me@a.b", "https://a.b/\nx"]
)
def test_another_place_to_sign_in_is_refused_in_words(url: str) -> None:
    assert list_refusals(sign_in_url=url) == [
        (
            "sign_in_url",
            "write an address that begins with https://, or remove the setting.",
        ),
    ]


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("CLOCK_SPEED", "1 to 1000000"),
        ("NOTICE_WINDOW_MINUTES", "8 to 1440"),
        ("SMTP_PORT", "1 to 65535"),
        ("SMTP_HOST", ""),
    ],
)
def test_the_table_of_settings_says_what_a_number_may_be(name: str, limits: str) -> None:
    [row] = [line for line in render_settings() if f"`SAFE_CONDUCT_{name}`" in line]

    assert row.split("|")[3].strip() == limits


def test_each_number_has_both_limits_in_the_table() -> None:
    numbers = [
        name
        for name, field in Settings.model_fields.items()
        if "int" in str(field.annotation)
    ]
    rows = {line.split("`")[1]: line.split("|")[3] for line in render_settings()[2:]}

    assert len(numbers) > 10
    assert not [n for n in numbers if " to " not in rows[f"SAFE_CONDUCT_{n.upper()}"]]
