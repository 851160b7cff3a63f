"""The rows of directory files, and what each cell must be.

Lists are words between spaces, an empty cell says that nobody knows. A field's name is its
column's; a rule that needs another cell finds it in a column further left.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, ClassVar, override

from pydantic import BeforeValidator, ValidationInfo, field_validator

from app.directory.addresses import Channel, is_address
from app.directory.cells import (
    Known,
    Listed,
    Places,
    Prose,
    Region,
    Span,
    TimeZone,
    Truth,
    day,
    refuse,
)
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
from app.directory.opening import ALWAYS
from app.kernel.text import Asked, Code, CountryCode, Instant, LanguageTag, SafeLine


class Row(Asked):
    """One line of a file."""

    key: ClassVar[str] = "code"
    """The column that tells a row from the others."""
    unsaid: ClassVar[frozenset[str]] = frozenset()
    """Columns that a fault does not repeat."""

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


class ContactRow(Row):
    """Where an office is called on, by one channel."""

    unsaid = frozenset({"address"})

    code: Code
    focal_point: Code
    channel: Channel
    address: str
    language: LanguageTag
    label: SafeLine
    active: Truth

    @field_validator("address")
    @classmethod
    def is_of_its_channel(cls, address: str, info: ValidationInfo) -> str:
        """Refuse what a message could not be sent to, or would be sent on from."""
        if "channel" in info.data and not is_address(info.data["channel"], address):
            raise refuse("must be a plain address of its channel")
        return address

    @override
    def offices_named(self) -> Iterator[tuple[str, str]]:
        """Name whose it is."""
        yield "focal_point", self.focal_point


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
