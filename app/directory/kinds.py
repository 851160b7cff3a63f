"""What focal points are, and the rules that follow from it: pure."""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Final, Protocol

EVERYWHERE: Final = "*"
"""In `serves`: every country, those outside of the directory included."""


class Kind(StrEnum):
    """Whom a focal point answers to."""

    STATE = "state"
    NON_STATE = "non_state"
    INTERGOVERNMENTAL = "intergovernmental"
    OVERSIGHT = "oversight"
    DESK = "desk"


NEVER_LEAD: Final = frozenset({Kind.DESK, Kind.OVERSIGHT})
"""Kinds of offices that never lead a case."""


class Function(StrEnum):
    """What a focal point does."""

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
    """What a person may be referred for."""

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
    """Whom a focal point serves, and whom a question is about."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


class AgeGroup(StrEnum):
    """Whom a focal point serves: doubt about an age means child (BR14)."""

    ADULT = "adult"
    CHILD = "child"


class Level(StrEnum):
    """How much may be told, each level with those below it (LIFECYCLES.md, section 5)."""

    NOTICE = "L0"
    NEEDS = "L1"
    CONTACT = "L2"
    IDENTITY = "L3"
    EVERYTHING = "L4"


class Confidence(StrEnum):
    """How well a directory entry is sourced."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    FICTITIOUS = "fictitious"
    CONFIGURED = "configured"


class StateRouting(StrEnum):
    """Whether cases may be routed to the State bodies of a country by themselves."""

    AUTO = "auto"
    AVOID = "avoid"


class Described(Protocol):
    """As much of a focal point as the rules ask for."""

    @property
    def kind(self) -> Kind:
        """Whom it answers to."""

    @property
    def of_state(self) -> str | None:
        """The State whose body it is."""

    @property
    def serves(self) -> list[str]:
        """The countries where it works."""


def serves(focal_point: Described, country: str) -> bool:
    """Say whether it works in a country."""
    return bool({country, EVERYWHERE} & set(focal_point.serves))


def unserved(regions: Mapping[str, str], served: Collection[str]) -> frozenset[str]:
    """List the regions with a country that is not served; by country: its region.

    Where no desk serves it a case could one day have no owner (LIFECYCLES.md 8, rules 6
    and 8).
    """
    if EVERYWHERE in served:
        return frozenset()
    return frozenset(region for iso2, region in regions.items() if iso2 not in served)


def is_at_home(focal_point: Described, country: str) -> bool:
    """Say whether it is of this country: a consulate serves one State and is of another."""
    if focal_point.kind == Kind.STATE:
        return focal_point.of_state == country
    return serves(focal_point, country)


def homes(focal_point: Described) -> list[str]:
    """List the countries it is of; who works everywhere is of none."""
    if focal_point.of_state:
        return [focal_point.of_state]
    return [country for country in focal_point.serves if country != EVERYWHERE]


def is_beyond(reader: Described, helper: Described) -> bool:
    """Say whether an office is, or may be, beyond the State whose body the reader is.

    The name of such an office may hold a city. Who works everywhere is nowhere.
    """
    return reader.kind == Kind.STATE and not set(homes(helper)) <= {reader.of_state}


def is_of_origin(focal_point: Described, origin: str | None, location: str) -> bool:
    """Say whether it is a body of the State of origin.

    While the origin is not known, any State but the one where the person is may be it.
    """
    if focal_point.kind != Kind.STATE:
        return False
    return focal_point.of_state == origin if origin else focal_point.of_state != location


def is_blocked(focal_point: Described, *, origin_blocked: bool, origin: str | None) -> bool:
    """Say whether it is of a State that must not be told (routing rule 4).

    While the origin is not known, any State may be the one that is feared.
    """
    if not origin_blocked or focal_point.kind != Kind.STATE:
        return False
    return origin is None or focal_point.of_state == origin


def languages_shared(mine: Iterable[str], asked: str) -> bool:
    """Say whether a language is spoken, whatever the script."""
    return asked.split("-", maxsplit=1)[0] in {language.split("-")[0] for language in mine}
