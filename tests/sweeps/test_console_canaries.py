"""Pages of the console show a text of a case only to those who may read it (issue 25).

Each free-text field contains a marker with a number. Each person draws pages and opens
documents. A page may show only markers that the API shows to the same person.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from random import Random
from typing import Final
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.access.models import Account
from app.console import visits
from app.console.rendering import render_template
from app.console.translations import Texts
from app.kernel.actors import SERVICE
from app.kernel.db import Base
from tests.support.canaries import log_everything
from tests.support.console_pages import choose_share, list_addresses, list_routes
from tests.support.databases import Copy, draw_id
from tests.support.in_thread import ThreadLoops
from tests.support.marked_records import MarkedRecords, create_marked_records
from tests.support.marked_worlds import STEMS, MarkedWorld, Markers
from tests.support.metrics_scrape import serve_metrics
from tests.support.page_readers import (
    Page,
    Reader,
    find_texts,
    sign_in_readers,
)
from tests.support.servers import report

pytestmark = pytest.mark.slow
OPENINGS: Final = ("/open/", "/travel-plan", "/print")
"""Parts of the addresses of forms that open something. These forms are sent first."""
LAST: Final = ("sign-out", "leave", "ended", "sessions/end-all")
"""Forms that end the session, which are sent last."""
BACK: Final = "}"
FEW: Final = 1
"""Number of addresses of a route that are tried if all get the same response."""


@dataclass
class Sweep:
    """A sweep over all pages: the world, its records, its readers and the log."""

    world: MarkedWorld
    records: MarkedRecords
    readers: list[Reader]
    log: list[str] = field(default_factory=list)

    @property
    def case(self) -> str:
        return str(self.records.case["code"])

    def list_paths(self, path: str) -> list[str]:
        """Return the addresses of a route for all records."""
        return list(list_addresses(path, self.records.ids, self.case))

    def draw_pages(self) -> None:
        """Let each person draw a share of the pages of each route.

        For an action route, a person who may not read the case draws only `FEW` pages.
        The same holds for a route that leads back to another page and shows no text.
        """
        back = set(list_routes("POST"))
        for reader, path in product(self.readers, list_routes("GET")):
            addresses = self.list_paths(path)
            is_closed = reader.is_refused and "{action" in path
            is_back = path in back and path.endswith(BACK)
            some = addresses[:FEW] if is_closed or is_back else choose_share(addresses)
            for address in some:
                reader.draw(address)

    def open_documents(self) -> None:
        """Let each person send every form that opens a document.

        A person who may not read the case sends only a share of these forms.
        """
        routes = list_routes("POST")
        for reader in self.readers:
            for path in routes:
                addresses = self.list_paths(path) if is_opening(path) else []
                some = choose_share(addresses) if reader.is_refused else addresses
                for address in some:
                    reader.send(address, self.world.markers)
            _ = reader.shown_openly  # before any of the other forms changes a record

    def send_other_forms(self) -> None:
        """Let each person send other forms, some of which change a record.

        These are the forms of the drawn pages, and the first form of some of the routes.
        """
        routes = list_routes("POST")
        for reader in self.readers:
            some = choose_share([self.list_paths(path)[0] for path in routes])
            addresses = [one for one in {*some, *reader.forms} if not is_opening(one)]
            for address in sorted(addresses, key=lambda one: (one.endswith(LAST), one)):
                reader.send(address, self.world.markers)


def is_opening(path: str) -> bool:
    """Return whether a form opens something, and changes nothing."""
    return any(part in path for part in OPENINGS)


@pytest.fixture(scope="module")
def sweep(copy: Copy, app: FastAPI, loop: ThreadLoops) -> Iterator[Sweep]:
    """Yield a sweep in which each person drew pages and sent forms."""
    with copy() as url, ExitStack() as stack:
        world = MarkedWorld(url, app, loop, partial(draw_id, Random(0)), Markers())
        stack.callback(world.close)
        records = create_marked_records(world)
        made = Sweep(world, records, sign_in_readers(records))
        made.draw_pages()
        made.open_documents()
        with log_everything() as heard:
            for page in LOGGED:
                send_again(made, page)
        made.log = heard.lines
        made.send_other_forms()
        yield made


def send_again(sweep: Sweep, path: str) -> None:
    """Draw a page of the case as its submitter, and send a form there with markers."""
    [of, *_] = sweep.readers
    reader = Reader(of.name, of.sign_in_again(), of.person, of.records, of.pages)
    address = path.replace("{code}", sweep.case)
    reader.draw(address.replace("/open/needs", ""))
    reader.send(address, sweep.world.markers)


LOGGED: Final = (
    "cases/{code}/open/needs",
    "cases/{code}/actions/answer_question",
    "cases/{code}/consent",
    "refer/3",
    "refer/3/save",
)
"""Forms that are sent while everything is logged; they are few, because logging is slow."""


def test_page_shows_no_text_that_the_api_does_not_show(sweep: Sweep) -> None:
    leaks = [leak for one in sweep.readers for leak in one.list_leaks()]

    shown = {one.name: one.count_shown() for one in sweep.readers}
    report("pages", (f"{one.name}: {len(one.pages)}" for one in sweep.readers))
    assert leaks == []
    assert {name for name, count in shown.items() if count} == OPENERS


OPENERS: Final = {"officer", "lead", "shelter", "other_recipient", "successor"}
"""The people who may open a text of a case."""


def test_every_page_is_drawn_for_somebody_without_a_fault(sweep: Sweep) -> None:
    drawn = {
        page.address
        for reader in sweep.readers
        for page in reader.pages
        if page.answer.status_code in {200, 303}
    }
    faults = [
        (page.who, page.address)
        for reader in sweep.readers
        for page in reader.pages
        if page.answer.is_server_error
    ]

    missing = [
        path
        for path in list_routes("GET")
        if drawn.isdisjoint(sweep.list_paths(path)) and path not in NEVER_DRAWN
    ]
    assert faults == []
    assert missing == []


NEVER_DRAWN: Final = frozenset({"/demo/{secret}", "/ended"})
"""A page that only the demo has, and the page that says that a session has ended."""


def test_nothing_that_is_stored_or_counted_has_a_text(sweep: Sweep) -> None:
    tables = read_tables(sweep.world)
    with serve_metrics(sweep.world.runtime) as scraper:
        metrics = scraper.ask().content

    assert tables["session"]
    assert tables["form_draft"]
    assert {name: hits for name, rows in tables.items() if (hits := find_texts(rows))} == {}
    assert find_texts(metrics) == []


def test_calls_of_the_console_log_no_text(sweep: Sweep) -> None:
    log = "\n".join(sweep.log)

    assert "api.internal/v1/cases" in log
    assert find_texts(log.encode()) == []


def test_requests_of_pages_log_no_text(
    sweep: Sweep, capfd: pytest.CaptureFixture[str]
) -> None:
    for page in LOGGED:
        send_again(sweep, page)
    logged = "".join(capfd.readouterr())

    assert "route=/console/cases/{code}" in logged
    assert find_texts(logged.encode()) == []


def read_tables(world: MarkedWorld) -> dict[str, bytes]:
    """Return the rows of every table as the database stores them."""
    with world.database.begin_read(SERVICE) as session:
        return {
            table.name: "\n".join(
                str(row) for row in session.execute(select(table))
            ).encode()
            for table in Base.metadata.sorted_tables
        }


PLANTED: Final[Mapping[str, str]] = {
    "in the page": "<p>{text}</p>",
    "escaped": "<p>{escaped}</p>",
    "in an address": '<a href="/console/cases?q={quoted}">x</a>',
    "encoded": '<input type="hidden" name="x" value="{encoded}">',
}


@pytest.mark.parametrize("leak", PLANTED)
def test_planted_leak_is_found(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, leak: str
) -> None:
    """An alias that a page must not show is found in each form that `PLANTED` defines."""
    [reader] = [one for one in sweep.readers if one.name == "oversight"]
    alias = STEMS[0][0] + "00001"
    planted = PLANTED[leak].format(
        text=alias,
        escaped="".join(f"&#{ord(letter)};" for letter in alias),
        quoted=quote(alias),
        encoded=b64encode(alias.encode()).decode(),
    )

    def render_leak(name: str, texts: Texts, **values: object) -> str:
        return render_template(name, texts, **values) + planted

    before = Page("oversight", "cases", reader.sign_in_again().get("cases"))
    with monkeypatch.context() as patched:
        patched.setattr(visits, "render_template", render_leak)
        after = Page("oversight", "cases", reader.sign_in_again().get("cases"))

    assert before.list_leaks(reader.readable) == []
    assert after.list_leaks(reader.readable) != []


def test_planted_row_is_found(sweep: Sweep) -> None:
    text = sweep.world.markers.make_text()
    with sweep.world.database.begin_write() as session:
        account = session.scalars(select(Account)).first()
        assert account is not None
        before, account.label = account.label, text
    planted = read_tables(sweep.world)["account"]
    with sweep.world.database.begin_write() as session:
        session.get_one(Account, account.id).label = before

    assert find_texts(planted) != []
    assert find_texts(read_tables(sweep.world)["account"]) == []
