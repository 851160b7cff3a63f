"""The contract is served from stored bytes, with an ETag, and compressed on request."""

import json

import pytest

from app.api.http.served_contract import (
    CONTRACT,
    CONTRACT_3_2,
    EDITIONS,
    WITHOUT_WEBHOOKS,
    can_accept_gzip,
)
from app.cli import generated_pages
from app.cli.openapi_editions import convert_to_3_2, remove_webhooks
from tests.support.source_code import ROOT
from tests.support.world import World

FILES = {
    CONTRACT: generated_pages.CONTRACT,
    WITHOUT_WEBHOOKS: generated_pages.WITHOUT_WEBHOOKS,
    CONTRACT_3_2: generated_pages.CONTRACT_3_2,
}


@pytest.mark.parametrize("address", EDITIONS)
def test_edition_is_served_as_it_is_committed(world: World, address: str) -> None:
    served = world.http.get(address)

    assert served.headers["Content-Type"] == "application/json"
    assert served.json() == json.loads((ROOT / FILES[address]).read_text("utf-8"))
    assert f"`{address}`" in (ROOT / "docs" / "integrate.md").read_text("utf-8")


def test_editions_differ_as_their_addresses_say(world: World) -> None:
    contract, client, newer = (world.http.get(one).json() for one in EDITIONS)

    assert contract["openapi"].startswith("3.1")
    assert contract["webhooks"]
    assert client == remove_webhooks(contract)
    assert newer == convert_to_3_2(contract)


@pytest.mark.parametrize("address", EDITIONS)
def test_contract_is_compressed_if_the_client_accepts_gzip(
    world: World, address: str
) -> None:
    plain = world.http.get(address, headers={"Accept-Encoding": "identity"})
    packed = world.http.get(address, headers={"Accept-Encoding": "br, gzip;q=0.8"})

    assert plain.content == packed.content
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 5
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != packed.headers["ETag"]
    assert plain.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("address", EDITIONS)
def test_contract_that_is_known_is_not_sent_again(world: World, address: str) -> None:
    first = world.http.get(address)

    again = world.http.get(address, headers={"If-None-Match": first.headers["ETag"]})
    other = world.http.get(address, headers={"If-None-Match": '"0123"'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert other.status_code == 200


def test_editions_have_different_tags(world: World) -> None:
    assert len({world.http.get(one).headers["ETag"] for one in EDITIONS}) == len(EDITIONS)


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("*;q=0, gzip", True),
        ("*, gzip;q=0", False),
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=1.0", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip;q=0.001", True),
        ("br", False),
        ("", False),
    ],
)
def test_gzip_is_accepted_as_the_header_says(accepted: str, *, expected: bool) -> None:
    assert can_accept_gzip(accepted) is expected


def test_the_document_is_never_built_to_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build() -> None:
        raise AssertionError("the contract was built during a request")

    monkeypatch.setattr(world.app, "openapi", build)

    assert [world.http.get(one).status_code for one in EDITIONS] == [200, 200, 200]
