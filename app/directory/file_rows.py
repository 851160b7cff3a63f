"""Rows of directory files, and the rules for each cell.

The fields have the names of the columns. Cells are validated in the order of the fields. A
rule that depends on another cell therefore needs the field of that cell to come first.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, ClassVar, override

from pydantic import BeforeValidator, ValidationInfo, field_validator

from app.directory.addresses import Channel, is_address
from app.directory.cell_types import (
    Boolean,
    Listed,
    Moment,
    OptionalCell,
    Places,
    Prose,
    Region,
    ShortNames,
    Span,
    TimeZone,
    make_error,
    parse_date,
)
from app.directory.kinds import (
    EVERYWHERE,
    AgeGroup,
    Confidence,
    DisclosureLevel,
    OfficeFunction,
    OfficeKind,
    Service,
    Sex,
    StateRouting,
    limit_free_places,
)
from app.directory.opening_hours import ALWAYS
from app.kernel.text import Code, CountryCode, LanguageTag, RequestModel, SafeLine


class Row(RequestModel):
    """A row of a directory file."""

    key: ClassVar[str] = "code"
    """The column that identifies a row."""

    @property
    def reference(self) -> str:
        """The key of this row."""
        return str(getattr(self, self.key))

    def list_countries(self) -> Iterator[tuple[str, str]]:
        """Yield the column and code of each country that must be in the directory."""
        yield from ()

    def list_offices(self) -> Iterator[tuple[str, str]]:
        """Yield the column and code of each office that the row refers to."""
        yield from ()

    def list_agreements(self) -> Iterator[tuple[str, str]]:
        """Yield the column and code of each agreement that must be in the directory."""
        yield from ()


class CountryRow(Row):
    """A country in the directory."""

    code: CountryCode
    name: SafeLine
    region: Region
    languages: Listed[LanguageTag]
    time_zone: TimeZone
    state_routing: StateRouting
    first_contact: OptionalCell[SafeLine]
    needs_criminal_case: OptionalCell[SafeLine]
    routing_reason: OptionalCell[Prose]
    lead_body: OptionalCell[Prose]
    source: OptionalCell[Prose]
    as_of: OptionalCell[SafeLine]
    confidence: SafeLine


class FocalPointRow(Row):
    """An office that can receive cases.

    If a file leaves out the column `short_names` or `places`, the stored values are kept.
    """

    code: Code
    name: SafeLine
    short_names: ShortNames = {}
    kind: OfficeKind
    function: OfficeFunction
    of_state: OptionalCell[CountryCode]
    serves: Listed[str]
    time_zone: TimeZone
    languages: Listed[LanguageTag]
    services: Listed[Service]
    sexes: Listed[Sex]
    ages: Listed[AgeGroup]
    opening: Listed[Span]
    places: OptionalCell[Places] = None
    capacity: OptionalCell[Places]
    capacity_as_of: OptionalCell[Moment]
    deputy: OptionalCell[Code]
    can_lead: Boolean
    active: Boolean
    confidence: Confidence
    source: OptionalCell[Prose]
    as_of: OptionalCell[SafeLine]

    @field_validator("of_state")
    @classmethod
    def check_state(cls, state: str | None, info: ValidationInfo) -> str | None:
        """Require `of_state` for a State body, and refuse it for any other office."""
        if "kind" in info.data and (info.data["kind"] == OfficeKind.STATE) != bool(state):
            raise make_error("must be given if, and only if, kind is state")
        return state

    @field_validator("serves")
    @classmethod
    def check_desk(cls, serves: list[str], info: ValidationInfo) -> list[str]:
        """Require a country for a desk, because a desk without a country holds no case."""
        if info.data.get("kind") == OfficeKind.DESK and not serves:
            raise make_error("must name the countries of the desk, or * for all")
        return serves

    @field_validator("services", "can_lead")
    @classmethod
    def check_offer(cls, offer: object, info: ValidationInfo) -> object:
        """Refuse services and `can_lead` if an office is technical or serves no country."""
        if offer and info.data.get("function") == OfficeFunction.TECHNICAL:
            raise make_error("must be empty or false for a technical office")
        if offer and not info.data.get("serves", [EVERYWHERE]):
            raise make_error("requires a country in serves")
        return offer

    @field_validator("opening")
    @classmethod
    def check_opening(cls, opening: list[str]) -> list[str]:
        """Refuse a list that contains both `always` and hours."""
        if ALWAYS in opening and len(opening) > 1:
            raise make_error("must be either always or hours")
        return opening

    @field_validator("capacity")
    @classmethod
    def check_capacity(cls, free: int | None, info: ValidationInfo) -> int | None:
        """Refuse more free places than the office has in all."""
        if limit_free_places(free, info.data.get("places")) != free:
            raise make_error("must be at most places")
        return free

    @field_validator("capacity_as_of")
    @classmethod
    def check_capacity_as_of(
        cls, as_of: datetime | None, info: ValidationInfo
    ) -> datetime | None:
        """Require `capacity_as_of` if, and only if, `capacity` is given."""
        if "capacity" in info.data and (info.data["capacity"] is None) != (as_of is None):
            raise make_error("must be given if, and only if, capacity is given")
        return as_of

    @field_validator("deputy")
    @classmethod
    def check_deputy(cls, deputy: str | None, info: ValidationInfo) -> str | None:
        """Refuse an office that names itself as its deputy."""
        if deputy and deputy == info.data.get("code"):
            raise make_error("must be another focal point")
        return deputy

    @override
    def list_countries(self) -> Iterator[tuple[str, str]]:
        """Yield the column and code of countries that the office serves or belongs to."""
        yield from (("serves", place) for place in self.serves if place != EVERYWHERE)
        if self.of_state:
            yield "of_state", self.of_state

    @override
    def list_offices(self) -> Iterator[tuple[str, str]]:
        """Yield the column and code of the office's deputy, if there is one."""
        if self.deputy:
            yield "deputy", self.deputy


class ContactRow(Row):
    """An address for notifications to an office."""

    code: Code
    focal_point: Code
    channel: Channel
    address: str
    language: LanguageTag
    label: SafeLine
    active: Boolean

    @field_validator("address")
    @classmethod
    def check_address(cls, address: str, info: ValidationInfo) -> str:
        """Refuse an address that does not fit the channel."""
        if "channel" in info.data and not is_address(info.data["channel"], address):
            raise make_error(
                "must be a plain e-mail address or phone number for its channel"
            )
        return address

    @override
    def list_offices(self) -> Iterator[tuple[str, str]]:
        """Yield the column and code of the office that the contact belongs to."""
        yield "focal_point", self.focal_point


class AgreementRow(Row):
    """An agreement on the data that may cross borders between countries (BR07)."""

    code: Code
    name: SafeLine
    countries: Listed[CountryCode]
    level: DisclosureLevel
    in_force_from: Annotated[date, BeforeValidator(parse_date)]
    in_force_until: Annotated[date | None, BeforeValidator(parse_date)]
    confidence: Confidence
    source: OptionalCell[Prose]

    @field_validator("countries")
    @classmethod
    def check_countries(cls, countries: list[str]) -> list[str]:
        """Refuse an agreement between fewer than two countries."""
        if len(countries) < 2:  # noqa: PLR2004 - the minimum for an agreement
            raise make_error("must name at least two countries")
        return countries

    @field_validator("in_force_until")
    @classmethod
    def check_end(cls, end: date | None, info: ValidationInfo) -> date | None:
        """Refuse an agreement that ends before it begins."""
        if end and end < info.data.get("in_force_from", end):
            raise make_error("must not be before in_force_from")
        return end

    @override
    def list_countries(self) -> Iterator[tuple[str, str]]:
        """Yield the column and code of each country of the agreement."""
        yield from (("countries", country) for country in self.countries)
