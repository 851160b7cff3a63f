"""People who read pages of a marked world, and the texts that each page shows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Final

import httpx2

from tests.support.canaries import find_markers, list_encodings
from tests.support.console_browser import ConsoleBrowser
from tests.support.console_pages import list_links, read_forms
from tests.support.full_world import fill_path
from tests.support.marked_records import SECTIONS, MarkedRecords
from tests.support.marked_worlds import STEMS, MarkedPerson, Markers, find_numbers
from tests.support.operation_calls import ALL
from tests.support.page_forms import Form
from tests.support.sessions import sign_in

PURPOSE: Final = {"purpose": "assistance"}
PLAIN: Final = frozenset(stem.encode() for stem in STEMS[0])
ENCODED: Final = tuple(
    {spelled for stem in STEMS[0] for spelled in list_encodings(stem)} - PLAIN
)
"""The encodings in which no page may contain a marker."""
API_IDS: Final[Mapping[str, str]] = {
    "code": "code",
    "screening_id": "screenings",
    "referral_id": "referrals",
    "return_id": "returns",
}
"""The kind of record that each path parameter of the reads with texts identifies."""
OPEN_TEXTS: Final = frozenset(
    {"list_questions", "get_form_draft", "get_default_contacts", "list_meeting_points"}
)
"""Operations that show texts without a purpose."""
ALL_NAMES: Final = frozenset(one.name for one in ALL)
OTHER_IDS: Final = {
    "section": list(SECTIONS),
    "form": ["refer"],
    "focal_point": ["KZ_LEAD"],
}


def find_texts(content: bytes) -> list[bytes]:
    """Return the markers in some bytes, in any encoding."""
    return find_markers(content, (*ENCODED, *PLAIN))


@dataclass(frozen=True)
class Page:
    """A response of the console to a person, with the markers that the request contains."""

    who: str
    address: str
    answer: httpx2.Response
    typed: frozenset[int] = frozenset()

    @property
    def is_form(self) -> bool:
        """Whether the request was a form."""
        return self.answer.request.method == "POST"

    def list_leaks(self, readable: frozenset[int]) -> list[str]:
        """Return a message for each text that the response may not show to the person."""
        headers = "\n".join(
            f"{name}: {value}" for name, value in self.answer.headers.items()
        )
        html, where = self.answer.text, f"{self.who} {self.address}: "
        shown = find_numbers(html) - readable - self.typed
        outside = find_numbers(f"{self.answer.request.url}\n{headers}\n{list_links(html)}")
        return [
            *(f"{where}text {number} in the page" for number in sorted(shown)),
            *(f"{where}text {number} in an address" for number in sorted(outside)),
            *(
                f"{where}encoded text {hit!r}"
                for hit in find_markers(html.encode(), ENCODED)
            ),
        ]


@dataclass
class Reader:
    """A person, or a visitor who is not signed in, with the pages that they received."""

    name: str
    browser: ConsoleBrowser
    person: MarkedPerson | None
    records: MarkedRecords
    pages: list[Page] = field(default_factory=list)
    forms: dict[str, tuple[Form, set[str]]] = field(default_factory=dict)

    def draw(self, address: str) -> None:
        """Request a page, and store the page and its forms."""
        answer = self.browser.get(address)
        self.pages.append(Page(self.name, address, answer))
        for at, form in read_forms(answer.text).items():
            self.forms[at.removeprefix("/console/")] = form

    def open(self, address: str) -> None:
        """Send a form with a purpose only. It is refused if more fields are required."""
        answer = self.browser.post(address, PURPOSE)
        self.pages.append(Page(self.name, f"POST {address}", answer))

    def send(self, address: str, markers: Markers) -> None:
        """Send a form of a stored page, with a marker in each text field."""
        form, typed = self.forms.get(address, ({}, {"note"}))
        before = markers.count
        texts = {
            name: markers.make_phone() if "phone" in name else markers.make_text()
            for name in sorted(typed)
        }
        answer = self.browser.post(address, {**form, **texts, **PURPOSE})
        numbers = frozenset(range(before + 1, markers.count + 1))
        self.pages.append(Page(self.name, f"POST {address}", answer, numbers))

    @property
    def is_refused(self) -> bool:
        """Whether a request of the person for the page of the case was refused."""
        page = f"cases/{self.records.case['code']}"
        return any(
            one.address == page and one.answer.status_code != httpx2.codes.OK
            for one in self.pages
        )

    def count_shown(self) -> int:
        """Return the number of markers that responses contain and their requests do not."""
        pages = ((page, find_numbers(page.answer.text)) for page in self.pages)
        return len({number for page, found in pages for number in found - page.typed})

    def sign_in_again(self) -> ConsoleBrowser:
        """Return a browser in which the person is signed in again."""
        assert self.person is not None
        return ConsoleBrowser(self.person)

    @cached_property
    def readable(self) -> frozenset[int]:
        """The numbers of all texts that the API shows to the person.

        The set is empty, without any request, for a visitor, and if no page shows a text.
        """
        if self.person is None or not self.count_shown():
            return frozenset()
        person, ids = self.person, dict(self.records.ids)
        ids["code"] = [
            code for code in ids["code"] if person.get(f"/cases/{code}").is_success
        ]
        return read_numbers(person, list_reads(ids))

    @cached_property
    def shown_openly(self) -> frozenset[int]:
        """The numbers of the texts that the API shows to the person without a purpose."""
        if not self.readable or self.person is None:
            return frozenset()
        return read_numbers(self.person, list_reads(self.records.ids, OPEN_TEXTS))

    def list_leaks(self) -> list[str]:
        """Return a message for each text that a page may not show.

        Only the response to a form, which states a purpose, may show a sealed text.
        """
        return [
            leak
            for page in self.pages
            for leak in page.list_leaks(
                self.readable if page.is_form else self.shown_openly
            )
        ]


def read_numbers(person: MarkedPerson, paths: Iterable[str]) -> frozenset[int]:
    """Return the numbers of the texts in the responses of the API to a person."""
    bodies = (person.open(path).text for path in paths)
    return frozenset[int]().union(*map(find_numbers, bodies))


def list_reads(
    ids: Mapping[str, list[str]], only: frozenset[str] = ALL_NAMES
) -> Iterator[str]:
    """Yield the addresses of operations of the API that read records with texts."""
    known = OTHER_IDS | {name: ids[of] for name, of in API_IDS.items()}
    for one in ALL:
        shows_text = "Purpose" in one.list_parameters("header") or one.name in OPEN_TEXTS
        if one.method == "GET" and shows_text and one.name in only:
            for chosen in product(*(known[name] for name in one.path_names)):
                named = dict(zip(one.path_names, chosen, strict=True))
                path = fill_path(one.path, named).removeprefix("/v1")
                yield f"{path}?{one.includes}" if one.includes else path
    yield from (f"/form-drafts/refer?case={code}" for code in ids["code"])


def sign_in_readers(records: MarkedRecords) -> list[Reader]:
    """Return a reader for each person, with a session, and one who is not signed in."""
    readers = [
        Reader(name, ConsoleBrowser(sign_in(person)), person, records)
        for name, person in records.people.items()
    ]
    nobody = ConsoleBrowser(records.people["stranger"])
    nobody.headers = {}
    return [*readers, Reader("nobody", nobody, None, records)]
