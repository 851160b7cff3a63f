"""Kinds of offices, and pure functions for rules that depend on the kind of an office."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final, Protocol

EVERYWHERE: Final = "*"
"""The value of `serves` for every country, including those outside of the directory."""


class OfficeKind(StrEnum):
    """The kind of an office: State, NGO, international organisation, oversight or desk."""

    STATE = "state"
    NON_STATE = "non_state"
    INTERGOVERNMENTAL = "intergovernmental"
    OVERSIGHT = "oversight"
    DESK = "desk"


NEVER_LEAD: Final = frozenset({OfficeKind.DESK, OfficeKind.OVERSIGHT})
"""Kinds of offices that never lead a case."""


class OfficeFunction(StrEnum):
    """The main task of an office."""

    CONSULAR = "consular"
    POLICE = "police"
    PROSECUTION = "prosecution"
    SOCIAL = "social"
    HEALTH = "health"
    SHELTER = "shelter"
    LEGAL = "legal"
    CHILD_PROTECTION = "child_protection"
    MIGRATION = "migration"
    LABOUR = "labour"
    COORDINATION = "coordination"
    TECHNICAL = "technical"


class Service(StrEnum):
    """The services for which a person may be referred."""

    SHELTER = "SHELTER"
    MEDICAL = "MEDICAL"
    PSYCHOSOCIAL = "PSYCHOSOCIAL"
    LEGAL_AID = "LEGAL_AID"
    INTERPRETATION = "INTERPRETATION"
    SOCIAL_WELFARE = "SOCIAL_WELFARE"
    CHILD_PROTECTION = "CHILD_PROTECTION"
    GUARDIANSHIP = "GUARDIANSHIP"
    IDENTIFICATION = "IDENTIFICATION"
    LAW_ENFORCEMENT = "LAW_ENFORCEMENT"
    RESIDENCE_STATUS = "RESIDENCE_STATUS"
    ASYLUM = "ASYLUM"
    CONSULAR_DOCUMENT = "CONSULAR_DOCUMENT"
    RETURN = "RETURN"
    REINTEGRATION = "REINTEGRATION"
    COMPENSATION = "COMPENSATION"
    FAMILY_TRACING = "FAMILY_TRACING"


class Sex(StrEnum):
    """The sex of a person, or of the people that an office serves."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


class AgeGroup(StrEnum):
    """The age groups that offices serve. A person of unclear age is a `child` (BR14)."""

    ADULT = "adult"
    CHILD = "child"


class DisclosureLevel(StrEnum):
    """The levels of shared data. A level includes all lower levels (LIFECYCLES.md, 5)."""

    SUMMARY = "L0"
    NEEDS = "L1"
    CONTACT = "L2"
    IDENTITY = "L3"
    EVERYTHING = "L4"


class Confidence(StrEnum):
    """The confidence in an entry of the directory, based on its sources."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    FICTITIOUS = "fictitious"
    CONFIGURED = "configured"


class StateRouting(StrEnum):
    """The setting for automatic routing of cases to State bodies of a country."""

    AUTO = "auto"
    AVOID = "avoid"


class Described(Protocol):
    """The attributes of an office that the rules depend on."""

    @property
    def kind(self) -> OfficeKind:
        """The kind of the office."""

    @property
    def of_state(self) -> str | None:
        """The State that the office belongs to, or None if it is not a State body."""

    @property
    def serves(self) -> list[str]:
        """The countries in which the office works."""


def is_serving(focal_point: Described, country: str) -> bool:
    """Return whether an office works in a country."""
    return bool({country, EVERYWHERE} & set(focal_point.serves))


def find_unserved_countries(
    countries: Iterable[str], served: Collection[str]
) -> frozenset[str]:
    """Return the countries that no desk serves.

    Without a desk, a case could lose its last holder (LIFECYCLES.md 8, rules 6 and 8).
    """
    return frozenset() if EVERYWHERE in served else frozenset(countries) - set(served)


def is_at_home(focal_point: Described, country: str) -> bool:
    """Return whether an office belongs to a country.

    A consulate belongs to its own State, and not to the country in which it works.
    """
    if focal_point.kind == OfficeKind.STATE:
        return focal_point.of_state == country
    return is_serving(focal_point, country)


def list_home_countries(focal_point: Described) -> list[str]:
    """Return the countries that an office belongs to; [] if it serves all or none."""
    if focal_point.of_state:
        return [focal_point.of_state]
    return [country for country in focal_point.serves if country != EVERYWHERE]


def may_be_abroad(reader: Described, helper: Described) -> bool:
    """Return whether the reader is a State body, and the helper may be in another State.

    Such a reader must not learn the helper's name, which may contain a city. An office that
    works everywhere belongs to no country and therefore counts as inside.
    """
    homes = set(list_home_countries(helper))
    return reader.kind == OfficeKind.STATE and not homes <= {reader.of_state}


def may_see_free_places(reader: Described, helper: Described) -> bool:
    """Return whether an office may learn how many places another office has left.

    The number changes when a person arrives, so it shows where somebody went. Therefore
    only offices of the same country may learn it, and no desk (ADR 89).
    """
    homes = set(list_home_countries(helper))
    is_same = bool(homes) and homes <= set(list_home_countries(reader))
    return is_same and reader.kind != OfficeKind.DESK


def is_of_origin(focal_point: Described, origin: str | None, location: str) -> bool:
    """Return whether an office is, or may be, a body of the State of origin.

    If the origin is unknown, each State body may be one, unless it belongs to `location`.
    """
    if focal_point.kind != OfficeKind.STATE:
        return False
    return focal_point.of_state == origin if origin else focal_point.of_state != location


def may_be_of_origin(focal_point: Described, origin: str | None) -> bool:
    """Return whether an office may be a body of the State of origin (R12).

    If the origin is unknown, any State body may be one.
    """
    return focal_point.kind == OfficeKind.STATE and origin in {None, focal_point.of_state}


def is_blocked(focal_point: Described, *, origin_blocked: bool, origin: str | None) -> bool:
    """Return whether contact with an office is blocked due to its State (routing rule 4).

    Only bodies of the State of origin are blocked. An unknown origin may be any State.
    """
    return origin_blocked and may_be_of_origin(focal_point, origin)


def has_language(spoken: Iterable[str], asked: str) -> bool:
    """Return whether `asked` is one of the spoken languages, ignoring script and region."""
    languages = {language.split("-")[0] for language in spoken}
    return asked.split("-", maxsplit=1)[0] in languages


def limit_free_places(free: int | None, places: int | None) -> int | None:
    """Return the number of free places, but at most the number of all places, if known."""
    return free if free is None or places is None else min(free, places)
