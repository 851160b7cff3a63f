"""The contract is served from stored bytes, compressed and with an ETag."""

import json

import pytest

from app.api.http.served_contract import DOCUMENT, can_accept_gzip
from tests.support.world import World

URL = "/openapi.json"


def test_contract_is_compressed_for_those_who_take_that(world: World) -> None:
    plain = world.http.get(URL, headers={"Accept-Encoding": "identity"})
    packed = world.http.get(URL, headers={"Accept-Encoding": "br, gzip;q=0.8"})

    assert plain.content == packed.content == DOCUMENT
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(DOCUMENT) / 5
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != packed.headers["ETag"]


def test_contract_that_is_known_is_not_sent_again(world: World) -> None:
    first = world.http.get(URL)

    again = world.http.get(URL, headers={"If-None-Match": first.headers["ETag"]})
    other = world.http.get(URL, headers={"If-None-Match": '"0123"'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
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

    assert world.http.get(URL).json() == json.loads(DOCUMENT)
