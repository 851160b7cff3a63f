"""Data that a person may not read changes no byte of that person's pages (issue 25).

Two worlds have the same ids and times. In one test all free text differs in letters and
length. In the other test the lead takes the same step with another value, and the pages of
each office must be equal unless a response of the API to this office differs.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, Final

import httpx2
import pytest
from fastapi import FastAPI

from app.console import visits
from tests.databases.failpoints.copies import Copies, copies_of
from tests.databases.failpoints.sweeping import Ids
from tests.support.console_browser import ConsoleBrowser
from tests.support.console_pages import list_addresses, list_routes
from tests.support.databases import Copy, draw_id
from tests.support.effort import Run, choose_number
from tests.support.in_thread import ThreadLoops
from tests.support.marked_records import create_marked_records
from tests.support.marked_worlds import MarkedWorld, Markers, replace_markers
from tests.support.page_readers import sign_in_readers
from tests.support.raw_requests import open_wire
from tests.support.relation_pairs import (
    PAIRS,
    READS,
    Pair,
    Scene,
    Watched,
    build_scene,
    compare,
    read_all,
)
from tests.support.servers import report
from tests.support.world import Watch
from tests.sweeps.test_relation_pairs import LEAD, SECRETS, Act

pytestmark = pytest.mark.slow
KEY: Final = re.compile(
    r'(?<=name="key" value=")[\w-]{43}|(?<=name="checked" value=")[0-9a-f]{64}'
)
"""The idempotency key of a form, which is random, and a digest that depends on it."""
VARYING: Final = frozenset({"x-request-id", "content-length"})
SHARE: Final = choose_number(8, sample=12, night=1)
"""Each person draws one in this many routes; other persons draw the other routes."""
ALWAYS: Final = ("/cases/{code}", "/cases/{code}/history", "/referrals/{id:uuid}")

Drawn = dict[str, Any]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Return the clock by which the list of offices in the console expires."""
    made = Watch()
    monkeypatch.setattr(visits, "monotonic", made)
    return made


def expire_offices(watch: Watch) -> None:
    """Make the console load the list of offices again, because it has another world's."""
    watch.now += 2 * visits.OFFICES_SECONDS


def describe(answer: httpx2.Response, readable: frozenset[int]) -> Any:
    """Return the status, the headers and the body of a page, without random values."""
    text = KEY.sub("", replace_markers(answer.text, readable))
    headers = [pair for pair in answer.headers.items() if pair[0] not in VARYING]
    return answer.status_code, sorted(headers), text


def draw_world(world: MarkedWorld) -> Drawn:
    """Draw pages and send some forms as each person, and return all responses."""
    records = create_marked_records(world)
    case, drawn = str(records.case["code"]), Drawn()
    readers = sign_in_readers(records)
    routes = list_routes("GET")
    for number, reader in enumerate(readers):
        for path in (*routes[(number + Run.seed) % SHARE :: SHARE], *ALWAYS):
            addresses = list(list_addresses(path, records.ids, case))
            for address in dict.fromkeys((addresses[0], addresses[-1])):
                reader.draw(address)
        for address in list_forms(case):
            reader.open(address)
        for page in reader.pages:
            at = f"{reader.name} {page.address}"
            drawn[at] = describe(page.answer, reader.readable)
    return drawn


def list_forms(case: str) -> list[str]:
    """Return addresses of forms that open a section, request something, or are refused."""
    ends = ("open/needs", "open/health", "consent/print", "actions/close", "relocate")
    return [f"cases/{case}/{end}" for end in ends]


def test_texts_that_a_person_may_not_read_change_no_page(
    copy: Copy, app: FastAPI, loop: ThreadLoops, watch: Watch
) -> None:
    worlds: list[Drawn] = []
    for kind in range(2):
        with copy() as url, ExitStack() as stack:
            ids = partial(draw_id, Random(0))
            world = MarkedWorld(url, app, loop, ids, Markers(kind))
            stack.callback(world.close)
            expire_offices(watch)
            worlds.append(draw_world(world))
    one, other = worlds

    report("pages", (str(page[0]) for page in one.values()))
    assert one.keys() == other.keys()
    assert [at for at in one if one[at] != other[at]] == []


def test_page_with_a_text_that_is_hidden_differs() -> None:
    pages = [
        httpx2.Response(200, text=f"<p>{Markers(kind).make_text()}") for kind in (0, 1)
    ]

    hidden, shown = ([describe(one, known) for one in pages] for known in KNOWN)

    assert hidden[0] != hidden[1]
    assert shown[0] == shown[1]


KNOWN: Final = (frozenset[int](), frozenset({1}))
ALONE: Final = tuple(pair for pair in PAIRS if len(pair.relations) == 1)
"""The observers with one relation; another test compares those with two."""
CHOSEN: Final = ("which shelter", "fear")
"""The secrets whose effect on pages is compared."""
SHOWN: Final = frozenset(
    {"get_case", "list_history", "get_recipients", "get_knowledge", "get_referral"}
)
"""The operations that the pages call; a difference in another one is not on a page."""


@pytest.fixture(scope="module")
def scene(
    copy: Copy, app: FastAPI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Scene, Copies]]:
    """Yield a scene with a case for each single relation, and copies of its database."""
    ids, folder = Ids(), tmp_path_factory.mktemp("pages")
    with copy() as url, open_wire(url, app, ids) as wire:
        built = build_scene(wire, ids, ALONE)
        with copies_of(wire.world.database.engine, folder) as copies:
            copies.keep("built")
            yield built, copies


@pytest.mark.sweep
@pytest.mark.partly
@pytest.mark.parametrize("secret", CHOSEN)
def test_a_value_that_the_api_does_not_show_changes_no_page(
    scene: tuple[Scene, Copies], secret: str, watch: Watch
) -> None:
    built, copies = scene
    act, *values = SECRETS[secret]

    one, other = (draw_scene(built, copies, act, value, watch) for value in values)

    blind = [pair for pair in ALONE if not compare(one[pair][0], other[pair][0])]
    report(secret, (str(pair) for pair in blind))
    assert blind
    assert [pair for pair in blind if one[pair][1] != other[pair][1]] == []
    assert one[LEAD][1] != other[LEAD][1]


def draw_scene(
    scene: Scene, copies: Copies, act: Act, value: Any, watch: Watch
) -> dict[Pair, tuple[dict[str, Any], list[Any]]]:
    """Write a value into every case, and return what each observer reads and draws."""
    copies.back("built")
    expire_offices(watch)
    now = scene.world.now
    for watched in scene.watched:
        scene.ids.begin(f"{watched.pair} {act.__name__}")
        act(scene, watched, value)
    scene.world.advance(minutes=5)
    lead = replace(scene.watched[0], pair=LEAD, observer=scene.lead)
    found = {
        one.pair: (read_all(scene, one, COMPARED), draw_case(one))
        for one in (*scene.watched, lead)
    }
    scene.world.now = now
    return found


def draw_case(watched: Watched) -> list[Any]:
    """Draw the pages of the records of a case as its observer."""
    browser, ids = ConsoleBrowser(watched.observer), watched.ids
    case = f"cases/{ids['code']}"
    records = [f"{word}s/{ids[f'{word}_id']}" for word in RECORDS if f"{word}_id" in ids]
    pages = (case, f"{case}/history", f"{case}/ask", *records)
    return [describe(browser.get(page), frozenset()) for page in pages]


COMPARED: Final = [one for one in READS if one.name in SHOWN]
RECORDS: Final = ("referral", "handover")
