"""Gaps in the directory: missing desks, services, agreements and languages of countries.

The functions read no database. Their results name countries and never an office.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from app.directory import kinds
from app.directory.kinds import NEVER_LEAD, Described, OfficeKind, Service
from app.figures.report_schemas import BorderGap, DirectoryGaps, LanguageGap, ServiceGap

type Agreed = Mapping[str, Collection[str]]
"""The countries with which each country has an agreement in force."""


class Place(Protocol):
    """A country of the directory."""

    @property
    def code(self) -> str:
        """The code of the country."""

    @property
    def region(self) -> str:
        """The region of the country."""

    @property
    def languages(self) -> list[str]:
        """The languages of the country."""


class Office(Described, Protocol):
    """An active office of the directory."""

    @property
    def services(self) -> list[str]:
        """The services that the office offers."""

    @property
    def languages(self) -> list[str]:
        """The languages of the office; empty if they are not known."""


def find_gaps(
    countries: Sequence[Place], offices: Sequence[Office], agreed: Agreed
) -> DirectoryGaps:
    """Return the gaps in the directory, given countries and the active offices."""
    desks = [office for office in offices if office.kind == OfficeKind.DESK]
    served = {country for desk in desks for country in desk.serves}
    codes = [country.code for country in countries]
    helpers = [office for office in offices if office.kind not in NEVER_LEAD]
    working = {
        code: [office for office in helpers if kinds.is_serving(office, code)]
        for code in codes
    }
    return DirectoryGaps(
        countries_without_desk=sorted(kinds.find_unserved_countries(codes, served)),
        services=[
            ServiceGap(country=code, services=missing)
            for code in codes
            if (missing := find_missing_services(working[code]))
        ],
        borders=find_border_gaps(countries, helpers, agreed),
        languages=[
            LanguageGap(country=country.code, languages=unstated)
            for country in countries
            if (unstated := find_missing_languages(country, working[country.code]))
        ],
    )


def find_missing_services(offices: Sequence[Office]) -> list[Service]:
    """Return the services that none of the given offices offers."""
    offered = {service for office in offices for service in office.services}
    return [service for service in Service if service not in offered]


def find_missing_languages(country: Place, offices: Sequence[Office]) -> list[str]:
    """Return the languages of a country that none of its offices states.

    The result is empty if no office states its languages, because they are then not known.
    """
    stated = {language for office in offices for language in office.languages}
    if not stated:
        return []
    return [one for one in country.languages if not kinds.has_language(stated, one)]


def find_border_gaps(
    countries: Sequence[Place], offices: Sequence[Office], agreed: Agreed
) -> list[BorderGap]:
    """Return the pairs of countries of a region that have offices but no agreement.

    A meeting concerns one region, so pairs of countries of different regions are left out.
    """
    homes = {home for office in offices for home in kinds.list_home_countries(office)}
    staffed = [country for country in countries if country.code in homes]
    gaps = [
        BorderGap(
            country=one.code,
            others=[
                other.code
                for other in staffed[number:]
                if other.region == one.region and other.code not in agreed[one.code]
            ],
        )
        for number, one in enumerate(staffed, start=1)
    ]
    return [gap for gap in gaps if gap.others]
