"""What a consent covers: derived each time it is asked, never stored."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from app.cases.sections import Section
from app.directory.kinds import Described, Function, Kind, is_at_home


class Purpose(StrEnum):
    """What a person may agree to: to be referred at all, a new lead, or one service."""

    REFER = "REFER"
    HANDOVER = "HANDOVER"
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


class GivenBy(StrEnum):
    """Who decided."""

    PERSON = "person"
    GUARDIAN_WITH_ASSENT = "guardian_with_assent"
    BEST_INTERESTS_DECISION = "best_interests_decision"


FOR_A_CHILD = frozenset({GivenBy.GUARDIAN_WITH_ASSENT, GivenBy.BEST_INTERESTS_DECISION})


class Addressee(Described, Protocol):
    """As much of a focal point as a consent can name."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def function(self) -> Function:
        """What it does."""


class Naming(Protocol):
    """Whom a person named: one focal point, or a class of them."""

    @property
    def focal_point_id(self) -> UUID | None:
        """Who may be told, if one was named."""

    @property
    def kind(self) -> Kind | None:
        """Else of which class: whom they answer to."""

    @property
    def function(self) -> Function | None:
        """What they do, if the person said so."""

    @property
    def country(self) -> str | None:
        """Where."""


class Given(Naming, Protocol):
    """A consent as the person gave it."""

    @property
    def purposes(self) -> list[str]:
        """What for."""

    @property
    def sections(self) -> list[str]:
        """Which sections."""

    @property
    def given_by(self) -> GivenBy:
        """Who decided."""

    @property
    def expires_at(self) -> datetime:
        """Until when, exclusive."""

    @property
    def withdrawn_at(self) -> datetime | None:
        """When the person took it back."""


@dataclass(frozen=True)
class Asking:
    """Someone who would be told, what for, when, and about whom."""

    recipient: Addressee
    purpose: Purpose
    now: datetime
    child: bool
    from_ngo: bool = False
    """Whether the record of the person came from an NGO, in whole or in part."""


def names(consent: Naming, recipient: Addressee) -> bool:
    """Say whether a consent names this recipient, itself or its class.

    "State bodies in KZ" means those of KZ: a consulate there is of another State (R84).
    """
    if consent.focal_point_id is not None:
        return consent.focal_point_id == recipient.id
    return (
        consent.kind == recipient.kind
        and consent.function in {None, recipient.function}
        and consent.country is not None
        and is_at_home(recipient, consent.country)
    )


def may_give(given_by: GivenBy, *, child: bool) -> bool:
    """Say whether such a word can be a consent: an adult's own, of a child another's.

    Nobody speaks for an adult (BR03, BR12). A child's own word is assent, which does not
    replace a guardian's consent (BR14).
    """
    return child == (given_by in FOR_A_CHILD)


def counts(consent: Given, now: datetime, *, child: bool) -> bool:
    """Say whether a consent stands: not withdrawn, not expired, and given by who may.

    Judged by what the person is held to be now: once a presumed child is found to be an
    adult, they are asked themselves.
    """
    able = may_give(consent.given_by, child=child)
    return able and consent.withdrawn_at is None and now < consent.expires_at


def may_name_to(consent: Naming, asking: Asking) -> bool:
    """Say whether a consent that fits is enough to tell this recipient a name.

    What an NGO wrote down of who a person is reaches a State body only if the person named
    that very body: a class of State bodies is not enough (R84).
    """
    to_a_state = asking.from_ngo and asking.recipient.kind == Kind.STATE
    return not to_a_state or consent.focal_point_id is not None


def told_by(consent: Given, asking: Asking) -> frozenset[Section]:
    """Say which sections one consent that fits lets this recipient be told."""
    named = frozenset(Section(name) for name in consent.sections)
    return named if may_name_to(consent, asking) else named - {Section.IDENTITY}


def covered(consents: Iterable[Given], asking: Asking) -> frozenset[Section] | None:
    """Say which sections may be told; None: this recipient may not be told anything."""
    fitting = [
        consent
        for consent in consents
        if counts(consent, asking.now, child=asking.child)
        and asking.purpose in consent.purposes
        and names(consent, asking.recipient)
    ]
    if not fitting:
        return None
    return frozenset[Section]().union(*(told_by(one, asking) for one in fitting))


def covers(
    consents: Iterable[Given], asking: Asking, sections: AbstractSet[Section]
) -> bool:
    """Say whether this recipient may be told these sections, for this purpose, now."""
    told = covered(consents, asking)
    return told is not None and sections <= told
