"""Tests of the requests whose instructions are counted, and of the table of the counts."""

import asyncio
from collections.abc import Iterator

import pytest

from app.cli.startup import load_runtime
from app.demo.demo_accounts import KZ_LEAD, UZ_OFFICER
from app.main import create_app
from app.settings import Settings
from tests.bench import counted
from tests.bench.counted import Client
from tests.bench.instructions import TOTAL, Instructions
from tests.bench.places import Place
from tests.bench.report import format_instructions
from tests.bench.servers import prepare_keys
from tests.bench.sides import Kind


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Yield a client for an application that has the demo offices."""
    folder = tmp_path_factory.mktemp("instructions")
    place = Place("SQLite", folder, "", f"sqlite:///{folder / 'product.db'}")
    keys = prepare_keys(place)
    settings = Settings(
        database_url=place.product,
        key_file=folder / "keys",
        erasure_ledger=folder / "erasures",
    )
    runtime = load_runtime(settings)
    yield Client(create_app(runtime), keys[UZ_OFFICER], keys[KZ_LEAD])
    runtime.database.engine.dispose()


@pytest.mark.parametrize("kind", Kind)
def test_requests_of_each_kind_get_the_expected_status(
    client: Client, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counted, "SEEDED", 3)

    async def send() -> None:
        async with client.app.router.lifespan_context(client.app):
            request = await client.prepare(kind, 2)
            for _ in range(2):
                await request()

    asyncio.run(send())


def test_table_has_the_ratio_of_the_instructions() -> None:
    text = "==7== Collected : 800000000\n==7== Collected : 1"
    found = TOTAL.search(text)
    assert found is not None
    line = Instructions("SQLite", Kind.T, 20_000_000, int(found[1]) / 40)
    assert "| 20.00 " in format_instructions([line])
    assert "| 1.000 |" in format_instructions([line])
