"""The rows of directory files, and what each cell must be.

Lists are words between spaces, an empty cell says that nobody knows. A field's name is its
column's; a rule that needs another cell finds it in a column further left.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, ClassVar, override
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from app.directory.kinds import (
    EVERYWHERE,
    AgeGroup,
    Confidence,
    Function,
    Kind,
    Level,
    Service,
    Sex,
    StateRouting,
)
from app.directory.opening import ALWAYS, is_spelled
from app.kernel.text import (
    Asked,
    Code,
    CountryCode,
    Instant,
    LanguageTag,
    SafeLine,
    one_line,
    safe,
)


def refuse(what: str) -> PydanticCustomError:
    """Say what a cell must be."""
    return PydanticCustomError("cell", "{what}", {"what": what})


def words(cell: str) -> list[str]:
    """Split a list, and refuse what it names twice."""
    found = cell.split()
    if len(set(found)) < len(found):
        raise refuse("must name nothing twice")
    return found


def known_or_none(cell: str) -> str | None:
    """Read an empty cell as unknown."""
    return cell.strip() or None


def truth(cell: str) -> bool:
    """Read `true` or `false`, in the capitals of a spreadsheet too."""
    if cell.lower() not in {"true", "false"}:
        raise refuse("must be true or false")
    return cell.lower() == "true"


def zone(cell: str) -> str:
    """Check a name of the IANA time zone database."""
    try:
        return ZoneInfo(cell).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise refuse("must be an IANA time zone, like Asia/Almaty") from error


def day(cell: str | None) -> date | None:
    """Read a day as ISO 8601 spells it."""
    try:
        return date.fromisoformat(cell) if cell else None
    except ValueError as error:
        raise refuse("must be a day, like 2026-01-01") from error


def span(word: str) -> str:
    """Check a span of opening hours."""
    if not is_spelled(word):
        raise refuse("must be always, or hours like mo-fr/09:00-18:00")
    return word


type Known[T] = Annotated[T | None, BeforeValidator(known_or_none)]
type Listed[T] = Annotated[list[T], BeforeValidator(words)]
Truth = Annotated[bool, BeforeValidator(truth)]
TimeZone = Annotated[str, AfterValidator(zone)]
Span = Annotated[str, AfterValidator(span)]
Places = Annotated[int, Field(ge=0, le=100_000)]
Prose = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000),
    AfterValidator(safe),
    AfterValidator(one_line),
]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{1,39}$")]


class Row(Asked):
    """One line of a file."""

    key: ClassVar[str] = "code"
    """The column that tells a row from the others."""

    @property
    def reference(self) -> str:
        """Which row this is."""
        return str(getattr(self, self.key))

    def countries_named(self) -> Iterator[tuple[str, str]]:
        """Name the countries that the directory must hold, each with its column."""
        yield from ()

    def offices_named(self) -> Iterator[tuple[str, str]]:
        """Name the focal points that the directory must hold, each with its column."""
        yield from ()

    def agreements_named(self) -> Iterator[tuple[str, str]]:
        """Name the agreements that the directory must hold, each with its column."""
        yield from ()


class CountryRow(Row):
    """A country of the mechanism."""

    key = "iso2"

    iso2: CountryCode
    name: SafeLine
    region: Region
    languages: Listed[LanguageTag]
    time_zone: TimeZone
    state_routing: StateRouting
    first_contact: Known[SafeLine]
    needs_criminal_case: Known[SafeLine]
    routing_reason: Known[Prose]
    lead_body: Known[Prose]
    source: Known[Prose]
    as_of: Known[SafeLine]
    confidence: SafeLine


class FocalPointRow(Row):
    """An office that cases are carried to."""

    code: Code
    name: SafeLine
    kind: Kind
    function: Function
    of_state: Known[CountryCode]
    serves: Listed[str]
    time_zone: TimeZone
    languages: Listed[LanguageTag]
    services: Listed[Service]
    sexes: Listed[Sex]
    ages: Listed[AgeGroup]
    opening: Listed[Span]
    capacity: Known[Places]
    capacity_as_of: Known[Instant]
    deputy: Known[Code]
    can_lead: Truth
    active: Truth
    confidence: Confidence
    source: Known[Prose]
    as_of: Known[SafeLine]

    @field_validator("of_state")
    @classmethod
    def is_of_one_state(cls, state: str | None, info: ValidationInfo) -> str | None:
        """Require the State of a State body, and of nobody else.

        Routing asks it who is of the origin (`kinds.is_of_origin`).
        """
        if "kind" in info.data and (info.data["kind"] == Kind.STATE) != bool(state):
            raise refuse("must be given if kind is state, and only then")
        return state

    @field_validator("services", "can_lead")
    @classmethod
    def serves_people(cls, offer: object, info: ValidationInfo) -> object:
        """Refuse an offer of who convenes others: it serves no person and sees no case."""
        if offer and info.data.get("function") == Function.TECHNICAL:
            raise refuse("is not for a technical office, which serves no person")
        return offer

    @field_validator("services", "can_lead")
    @classmethod
    def works_somewhere(cls, offer: object, info: ValidationInfo) -> object:
        """Refuse an offer that nobody could ever be sent to."""
        if offer and not info.data.get("serves", [EVERYWHERE]):
            raise refuse("needs a country in serves")
        return offer

    @field_validator("opening")
    @classmethod
    def is_one_week(cls, opening: list[str]) -> list[str]:
        """Refuse hours beside `always`: one of the two would be wrong."""
        if ALWAYS in opening and len(opening) > 1:
            raise refuse("must be always alone, or hours")
        return opening

    @field_validator("capacity_as_of")
    @classmethod
    def is_as_of_a_moment(
        cls, as_of: datetime | None, info: ValidationInfo
    ) -> datetime | None:
        """Refuse free places of no known moment, and a moment without any."""
        if "capacity" in info.data and (info.data["capacity"] is None) != (as_of is None):
            raise refuse("must be given with capacity, and only then")
        return as_of

    @field_validator("deputy")
    @classmethod
    def is_another(cls, deputy: str | None, info: ValidationInfo) -> str | None:
        """Refuse an office that would stand in for itself."""
        if deputy and deputy == info.data.get("code"):
            raise refuse("must be another focal point")
        return deputy

    @override
    def countries_named(self) -> Iterator[tuple[str, str]]:
        """Name where it works and whose body it is."""
        yield from (("serves", place) for place in self.serves if place != EVERYWHERE)
        if self.of_state:
            yield "of_state", self.of_state

    @override
    def offices_named(self) -> Iterator[tuple[str, str]]:
        """Name who stands in for it."""
        if self.deputy:
            yield "deputy", self.deputy


class AgreementRow(Row):
    """What two or more countries agreed may cross, and from when until when (BR07)."""

    code: Code
    name: SafeLine
    countries: Listed[CountryCode]
    level: Level
    in_force_from: Annotated[date, BeforeValidator(day)]
    in_force_until: Annotated[date | None, BeforeValidator(day)]
    confidence: Confidence
    source: Known[Prose]

    @field_validator("countries")
    @classmethod
    def is_between_countries(cls, countries: list[str]) -> list[str]:
        """Refuse an agreement with oneself."""
        if len(countries) < 2:  # noqa: PLR2004 - it takes two
            raise refuse("must name at least two countries")
        return countries

    @field_validator("in_force_until")
    @classmethod
    def ends_after_it_began(cls, end: date | None, info: ValidationInfo) -> date | None:
        """Refuse an agreement that is never in force."""
        if end and end < info.data.get("in_force_from", end):
            raise refuse("must not be before in_force_from")
        return end

    @override
    def countries_named(self) -> Iterator[tuple[str, str]]:
        """Name the parties."""
        yield from (("countries", country) for country in self.countries)
