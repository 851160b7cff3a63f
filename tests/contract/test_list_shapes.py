"""Tests of the lists in the contract. Some have pages, and the others are complete."""

from typing import Any

import pytest

from tests.support.administrators import update_row
from tests.support.contract import load_contract
from tests.support.full_world import create_people, create_records
from tests.support.world import Json, Someone, World, unwrap

DOCUMENT = load_contract()
SCHEMAS: Json = DOCUMENT["components"]["schemas"]
NOT_A_LIST = "/v1/reference/{name}"
"""The path of one reference list, which is one record with a title, a note and codes."""
FEED = "/v1/events"
MOST = 200


def get_schema(operation: Json) -> Json:
    """Return the schema of the 200 response of an operation."""
    content = operation["responses"].get("200", {}).get("content", {})
    schema: Json = content.get("application/json", {}).get("schema", {})
    return SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


LISTS = {
    path: (methods["get"], get_schema(methods["get"]))
    for path, methods in DOCUMENT["paths"].items()
    if "get" in methods and "items" in get_schema(methods["get"]).get("properties", {})
}


def get_paging(path: str) -> set[str]:
    """Return the names of the query parameters of a list that select a page."""
    parameters = LISTS[path][0].get("parameters", [])
    return {one["name"] for one in parameters} & {"after", "limit"}


PAGED = [path for path in LISTS if get_paging(path) and path != FEED]
WHOLE = [path for path in LISTS if not get_paging(path) and path != NOT_A_LIST]


def test_lists_of_the_contract_have_two_shapes() -> None:
    assert {FEED, NOT_A_LIST} <= LISTS.keys()
    assert len(LISTS) == len(PAGED) + len(WHOLE) + 2
    assert len(PAGED) >= 9
    assert len(WHOLE) > 15


@pytest.mark.parametrize("path", WHOLE)
def test_list_without_pages_has_items_alone(path: str) -> None:
    _, schema = LISTS[path]

    assert schema["properties"].keys() == {"items"}
    assert schema["required"] == ["items"]


@pytest.mark.parametrize("path", PAGED)
def test_list_with_pages_takes_after_and_limit_and_has_an_optional_next(path: str) -> None:
    _, schema = LISTS[path]

    assert get_paging(path) == {"after", "limit"}
    assert schema["properties"].keys() == {"items", "next"}
    assert schema["required"] == ["items"]
    assert schema["properties"]["next"].keys() == {"type", "description"}
    assert schema["properties"]["next"]["type"] == "string"


def test_feed_has_a_cursor_on_each_page_and_no_next() -> None:
    _, schema = LISTS[FEED]

    assert get_paging(FEED) == {"after", "limit"}
    assert schema["properties"].keys() == {"items", "cursor", "more"}
    assert schema["required"] == ["items", "cursor", "more"]
    assert schema["properties"]["cursor"]["type"] == "string"


def test_position_in_the_feed_has_one_name_and_no_list_has_it() -> None:
    named = {name for name, one in SCHEMAS.items() if "cursor" in one.get("properties", {})}
    paged = {name for name, one in SCHEMAS.items() if "next" in one.get("properties", {})}

    assert named == {"EventPage", "WebhookOut", "MadeWebhookOut", "MessageData"}
    assert len(paged) == len(PAGED)


@pytest.fixture
def people(world: World) -> dict[str, Someone]:
    """Return people with at least two rows in each paginated list."""
    people = create_people(world)
    create_records(people)
    lead, taker, administrator = (people[n] for n in ("lead", "taker", "administrator"))
    for reason, hours in (
        ("NO_CAPACITY", "mo-fr/09:00-18:00"),
        ("LANGUAGE", "mo-su/00:00-24:00"),
    ):
        offered = unwrap(taker.get("/handovers"))["items"][-1]
        assert taker.does("decline", offered, {"reason": reason}).is_success
        case = f"/cases/{offered['case']}"
        unwrap(lead.offer(unwrap(lead.get(case)), taker.code))
        unwrap(lead.open(f"{case}/sections/needs"))
        unwrap(update_row(administrator, "/focal-points/KZ_LEGAL_AID", opening=[hours]))
    return people


def read_pages(one: Someone, path: str, limit: int) -> list[Json]:
    """Follow `next` until it is absent, and return the pages."""
    pages = [unwrap(one.get(path, limit=limit))]
    while "next" in pages[-1]:
        pages.append(unwrap(one.get(path, limit=limit, after=pages[-1]["next"])))
        assert len(pages) <= MOST
    return pages


def find_longest(people: dict[str, Someone], path: str) -> tuple[Someone, str, list[Any]]:
    """Return the person and the path with the longest list, and the items of that list."""
    found: list[tuple[Someone, str, list[Any]]] = []
    cases = people["lead"].list_all("/cases")
    codes = [case["code"] for case in cases] if "{code}" in path else [""]
    for one in people.values():
        for code in codes:
            own = path.removeprefix("/v1").format(code=code)
            answer = one.get(own, limit=MOST)
            if answer.is_success:
                assert answer.json().keys() == {"items"}
                found.append((one, own, answer.json()["items"]))
    return max(found, key=lambda it: len(it[2]))


def test_following_next_until_it_is_absent_meets_every_row_once(
    people: dict[str, Someone],
) -> None:
    for path in PAGED:
        one, own, items = find_longest(people, path)
        total = len(items)
        assert total > 1, path
        for limit in {1, 2, total - 1, total, total + 1}:
            pages = read_pages(one, own, limit)
            assert [item for page in pages for item in page["items"]] == items, path
            assert len(pages) == -(-total // limit), (path, limit)
            assert all(page.keys() == {"items", "next"} for page in pages[:-1])
            assert pages[-1].keys() == {"items"}
