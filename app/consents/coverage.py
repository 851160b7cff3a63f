"""Rules that decide what a consent covers. Coverage is always computed and never stored."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from app.cases.sections import Section
from app.directory.kinds import Described, OfficeFunction, OfficeKind, is_at_home


class Purpose(StrEnum):
    """A purpose of a consent: one service, a handover, or sending the case to a lead."""

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
    """The person or body that gave a consent."""

    PERSON = "person"
    GUARDIAN_WITH_ASSENT = "guardian_with_assent"
    BEST_INTERESTS_DECISION = "best_interests_decision"


CHILD_GIVERS = frozenset({GivenBy.GUARDIAN_WITH_ASSENT, GivenBy.BEST_INTERESTS_DECISION})


class Addressee(Described, Protocol):
    """An office, with the fields that a consent can name."""

    @property
    def id(self) -> UUID:
        """The id of the office."""

    @property
    def function(self) -> OfficeFunction:
        """The function of the office."""


class NamedRecipients(Protocol):
    """The recipients that a person named: one office, or a class of offices."""

    @property
    def focal_point_id(self) -> UUID | None:
        """The id of the office, or None if a class was named."""

    @property
    def kind(self) -> OfficeKind | None:
        """The kind of the offices in the recipient class, or None for a single office."""

    @property
    def function(self) -> OfficeFunction | None:
        """The function of the offices in the class, or None for any function."""

    @property
    def country(self) -> str | None:
        """The country of the recipient class, or None for a single office."""


class Given(NamedRecipients, Protocol):
    """The attributes of a consent on which its coverage depends."""

    @property
    def purposes(self) -> list[str]:
        """The purposes of the consent."""

    @property
    def sections(self) -> list[str]:
        """The sections that the consent names."""

    @property
    def given_by(self) -> GivenBy:
        """The person or body that gave the consent."""

    @property
    def expires_at(self) -> datetime:
        """The time from which the consent is no longer valid."""

    @property
    def withdrawn_at(self) -> datetime | None:
        """The time at which the person withdrew the consent, or None."""


@dataclass(frozen=True)
class CoverageQuestion:
    """The question whether consents allow an office to read sections for a purpose."""

    recipient: Addressee
    purpose: Purpose
    now: datetime
    child: bool
    from_ngo: bool = False
    """Whether an NGO may have written the content of the case or a part of it."""


def matches_recipient(consent: NamedRecipients, recipient: Addressee) -> bool:
    """Return whether a consent names this recipient, or a class that includes it.

    A class of State bodies in a country excludes the consulates of other States (R84).
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
    """Return whether this giver may consent for an adult, or for a child if `child` is set.

    Only an adult can consent in person (BR03, BR12). A child's own agreement does not
    replace the consent of a guardian (BR14).
    """
    return child == (given_by in CHILD_GIVERS)


def is_valid(consent: Given, now: datetime, *, child: bool) -> bool:
    """Return whether a consent is in force, and given by somebody who may give it."""
    able = may_give(consent.given_by, child=child)
    return able and consent.withdrawn_at is None and now < consent.expires_at


def may_reveal_names(consent: NamedRecipients, question: CoverageQuestion) -> bool:
    """Return whether a consent allows the recipient in the question to read names.

    A State body may read names that an NGO recorded only if the consent names that body. A
    class of State bodies is not enough (R84).
    """
    to_a_state = question.from_ngo and question.recipient.kind == OfficeKind.STATE
    return not to_a_state or consent.focal_point_id is not None


def list_readable(consent: Given, question: CoverageQuestion) -> frozenset[Section]:
    """Return the sections that one consent allows the recipient in the question to read."""
    named = frozenset(Section(name) for name in consent.sections)
    return named if may_reveal_names(consent, question) else named - {Section.IDENTITY}


def find_covered(
    consents: Iterable[Given], question: CoverageQuestion
) -> frozenset[Section] | None:
    """Return the sections that the recipient may read, or None if no consent applies."""
    fitting = [
        consent
        for consent in consents
        if is_valid(consent, question.now, child=question.child)
        and question.purpose in consent.purposes
        and matches_recipient(consent, question.recipient)
    ]
    if not fitting:
        return None
    return frozenset[Section]().union(*(list_readable(one, question) for one in fitting))


def covers(
    consents: Iterable[Given], question: CoverageQuestion, sections: AbstractSet[Section]
) -> bool:
    """Return whether consents allow the recipient to read all of `sections`."""
    told = find_covered(consents, question)
    return told is not None and sections <= told
