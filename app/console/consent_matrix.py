"""The matrix of a consent form: recipients by sections, with the purposes of each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import FormData

from app.console.api_client import Json
from app.console.translations import mark
from app.console.visits import EVERYWHERE, Visit

CLASS_KINDS: Final = ("state", "non_state", "intergovernmental")
"""The kinds of offices that a consent can name as a class."""
LEADING: Final = ("REFER", "HANDOVER")
"""The purposes of a consent for an office that can lead."""
NO_PURPOSE: Final = mark("Tick for which purpose, or untick what it may open.")
NOBODY: Final = mark("Tick at least one purpose for one recipient.")
ROWS_CHANGED: Final = mark(
    "The list of recipients changed after you opened this page, so some of what you ticked "
    "was removed. Check every line with the person again."
)
COLUMNS: Final = ("purposes", "sections")
"""The parts of a row in which boxes are ticked."""
MATRIX_FIELDS: Final = tuple(f"{column}:" for column in COLUMNS)
"""The prefixes of the field names in the consent matrix."""


@dataclass(frozen=True)
class Recipient:
    """A row of the consent matrix: an office or class of offices, and purposes to choose.

    `code` is the code of the office or, for a class, the kind of its offices in `country`.
    """

    code: str
    purposes: tuple[str, ...]
    country: str = ""

    @property
    def is_class(self) -> bool:
        """Whether the row is a class of offices."""
        return bool(self.country)

    @property
    def key(self) -> str:
        """The suffix of the names of the row's fields.

        It contains the country of a class. The country of a case can change while a form
        is filled in, but a consent is for the country that the person saw.
        """
        if self.is_class:
            return f"class-{self.code}-{self.country}"
        return f"office-{self.code}"

    @property
    def recipient(self) -> Json:
        """The properties that name the recipient in the body of a consent."""
        if self.is_class:
            return {"recipient_class": {"kind": self.code, "country": self.country}}
        return {"focal_point": self.code}


@dataclass(frozen=True)
class Added:
    """The offices and the services that were added to the consent matrix by hand."""

    offices: Sequence[str] = ()
    services: Sequence[str] = ()


@dataclass(frozen=True)
class Matrix:
    """The submitted consent matrix: the recipients for the body, and the errors by row."""

    recipients: Sequence[Json]
    errors: Mapping[str, str]

    @property
    def is_outdated(self) -> bool:
        """Whether a box was ticked that the page no longer has."""
        return ROWS_CHANGED in self.errors.values()


def list_recipients(visit: Visit, case: Json, added: Added) -> Sequence[Recipient]:
    """Return the rows for a case: single offices, and then classes of offices.

    The offices are those that could help in the country, the holder, the lead, the office
    of the account, and offices that were added by hand. Single offices come first, because
    a consent for one office shows the data to fewer people. The purposes are those of a
    lead, the services of the summary, and services that were added by hand.
    """
    known = set(visit.formats.list_codes("services"))
    wanted = (*(case["summary"]["services"] or ()), *added.services)
    needed = tuple(service for service in dict.fromkeys(wanted) if service in known)
    parties = {case["lead"], case["holder"], visit.me["focal_point"], *added.offices}
    rows = []
    for office in sort_offices(visit, case["summary"]["country"], parties):
        purposes, code = find_purposes(office, needed), office["code"]
        if purposes or code in parties:
            shown = purposes or (*LEADING, *needed)
            rows.append(Recipient(code, shown))
    if country := case["summary"]["country"]:
        rows += [Recipient(kind, (*LEADING, *needed), country) for kind in CLASS_KINDS]
    return rows


def sort_offices(
    visit: Visit, country: str | None, parties: Iterable[str | None]
) -> Iterator[Json]:
    """Yield `parties` and the country's active offices of `CLASS_KINDS`, sorted by name."""
    named = set(parties)
    found = [
        office
        for office in visit.offices.values()
        if office["code"] in named
        or (
            office["active"]
            and office["kind"] in CLASS_KINDS
            and covers_country(office, country)
        )
    ]
    yield from sorted(found, key=lambda office: visit.name_office(office["code"]))


def covers_country(office: Json, country: str | None) -> bool:
    """Return whether an office works in a country, or in all countries."""
    return country in office["serves"] or EVERYWHERE in office["serves"]


def find_purposes(office: Json, needed: Sequence[str]) -> tuple[str, ...]:
    """Return the purposes that an office can help with: leading, and needed services."""
    leading = LEADING if office["can_lead"] else ()
    return (*leading, *(service for service in needed if service in office["services"]))


def read_matrix(rows: Sequence[Recipient], sent: FormData) -> Matrix:
    """Return the ticked recipients, and the errors. An unticked box means no."""
    if not has_every_box(rows, sent):
        return Matrix((), {"": ROWS_CHANGED})
    recipients: list[Json] = []
    errors: dict[str, str] = {}
    for row in rows:
        purposes = read_ticked(sent, f"purposes:{row.key}")
        sections = read_ticked(sent, f"sections:{row.key}")
        if purposes:
            terms = {"purposes": purposes, "sections": sections}
            recipients.append({**row.recipient, **terms})
        elif sections:
            errors[row.key] = NO_PURPOSE
    if not recipients and not errors:
        errors[""] = NOBODY
    return Matrix(recipients, errors)


def has_every_box(rows: Iterable[Recipient], sent: FormData) -> bool:
    """Return whether each ticked box is still in the rows.

    The country and the services of a case can change while its form is filled in.
    """
    purposes = {f"purposes:{row.key}": row.purposes for row in rows}
    names = {f"{column}:{row.key}" for row in rows for column in COLUMNS}
    ticked = [name for name in sent if name.startswith(MATRIX_FIELDS)]
    return names.issuperset(ticked) and all(
        set(read_ticked(sent, name)) <= set(shown) for name, shown in purposes.items()
    )


def read_ticked(sent: FormData, name: str) -> Sequence[str]:
    """Return the values of the ticked boxes of a field."""
    return [value for value in sent.getlist(name) if isinstance(value, str)]
