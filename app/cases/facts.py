"""Facts about a case in addition to its state, with a history (LIFECYCLES.md, section 1).

Help does not depend on identification (BR01) or cooperation with the police (BR02). Urgent
help for a child does not wait for an assessment (BR14). Whether the State of origin may be
contacted is part of the sealed safeguards, because the answer would reveal a fear.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from app.directory.kinds import Service
from app.kernel.problems import Problem


class AssessmentRequired(Problem):
    """The best interests of a child must be assessed; only an adult needs no assessment."""

    status = 409


class FactName(StrEnum):
    """The name of a fact."""

    IDENTIFICATION = "identification"
    GUARDIAN = "guardian"
    BEST_INTERESTS = "best_interests"
    REFLECTION_PERIOD = "reflection_period"
    LEGAL_HOLD = "legal_hold"


class Identification(StrEnum):
    """Whether a country considers the person a victim. Help never depends on it (BR01)."""

    NOT_ASSESSED = "not_assessed"
    PRESUMED = "presumed"
    FORMALLY_IDENTIFIED = "formally_identified"
    NOT_VICTIM = "not_victim"


class Guardian(StrEnum):
    """The status of a child's guardian; a child with a safe parent needs no guardian."""

    NOT_NEEDED = "not_needed"
    NEEDED = "needed"
    APPOINTED = "appointed"


class BestInterests(StrEnum):
    """The status of the assessment of a child's best interests (BR09)."""

    NOT_NEEDED = "not_needed"
    ASSESSMENT_DUE = "assessment_due"
    ASSESSED = "assessed"
    DETERMINED = "determined"


NOT_NEEDED: Final = BestInterests.NOT_NEEDED
ASSESSED: Final = frozenset({BestInterests.ASSESSED, BestInterests.DETERMINED})


class ReflectionPeriod(StrEnum):
    """The status of the reflection period, a time to recover and decide (BR15)."""

    NOT_AVAILABLE = "not_available"
    OFFERED = "offered"
    RUNNING = "running"
    ENDED = "ended"
    DECLINED = "declined"


class LegalHold(StrEnum):
    """The status of a legal hold, which forbids erasure while it is in force."""

    IN_FORCE = "in_force"
    LIFTED = "lifted"


@dataclass(frozen=True)
class Rule:
    """The rule for a fact: its values, and the services whose recipients may state it."""

    values: type[StrEnum]
    services: AbstractSet[Service] = frozenset()


_FOR_A_CHILD = frozenset({Service.GUARDIANSHIP, Service.CHILD_PROTECTION})
_STATUS = frozenset({Service.IDENTIFICATION, Service.RESIDENCE_STATUS})
# fmt: off
RULES: Final[Mapping[FactName, Rule]] = {
    FactName.IDENTIFICATION:    Rule(Identification, frozenset({Service.IDENTIFICATION})),
    FactName.GUARDIAN:          Rule(Guardian, _FOR_A_CHILD),
    FactName.BEST_INTERESTS:    Rule(BestInterests, _FOR_A_CHILD),
    FactName.REFLECTION_PERIOD: Rule(ReflectionPeriod, _STATUS),
    FactName.LEGAL_HOLD:        Rule(LegalHold),
}
# fmt: on


class RecordedFact(Protocol):
    """A recorded fact, with the attributes that rules use."""

    @property
    def name(self) -> FactName:
        """The name of the fact."""

    @property
    def value(self) -> str:
        """The value of the fact."""

    @property
    def country(self) -> str | None:
        """The country where the fact applies, or None if it applies everywhere."""

    @property
    def body(self) -> UUID | None:
        """The office whose decision the fact states, or None if there is no such office."""

    @property
    def ends_on(self) -> date | None:
        """The first day on which the fact no longer applies, or None if it has no end."""


@dataclass(frozen=True)
class FactSheet:
    """The latest facts of one case, with default values that protect a child (BR14)."""

    child: bool
    latest: Mapping[tuple[FactName, str | None, UUID | None], RecordedFact]

    def get_value(self, name: FactName) -> str | None:
        """Return the recorded value of a fact that applies everywhere, or None."""
        known = self.latest.get((name, None, None))
        return known.value if known else None

    @property
    def guardian(self) -> Guardian:
        """Whether a guardian is needed or appointed; by default, a child needs one."""
        unknown = Guardian.NEEDED if self.child else Guardian.NOT_NEEDED
        return Guardian(self.get_value(FactName.GUARDIAN) or unknown)

    @property
    def best_interests(self) -> BestInterests:
        """The assessment of best interests; for a child never `not_needed` (BR14)."""
        said = BestInterests(self.get_value(FactName.BEST_INTERESTS) or NOT_NEEDED)
        owed = self.child and said == NOT_NEEDED
        return BestInterests.ASSESSMENT_DUE if owed else said

    @property
    def interests_are_assessed(self) -> bool:
        """Whether this is a child whose best interests have been assessed (BR09)."""
        return self.child and self.best_interests in ASSESSED

    @property
    def legal_hold(self) -> bool:
        """Whether a legal hold blocks the erasure of the case."""
        return self.get_value(FactName.LEGAL_HOLD) == LegalHold.IN_FORCE

    def get_reflection_period(self, country: str, today: date) -> ReflectionPeriod | None:
        """Return the recorded status of the reflection period in a country, or None.

        From the day `ends_on`, the status is `ended`.
        """
        known = self.latest.get((FactName.REFLECTION_PERIOD, country, None))
        if known is None:
            return None
        if known.ends_on is not None and known.ends_on <= today:
            return ReflectionPeriod.ENDED
        return ReflectionPeriod(known.value)


def require_assessment(fact: RecordedFact, *, child: bool) -> None:
    """Raise AssessmentRequired (409) if a fact says that a child needs no assessment."""
    if child and (fact.name, fact.value) == (FactName.BEST_INTERESTS, NOT_NEEDED):
        raise AssessmentRequired(
            "A child needs an assessment. If the person is certainly an adult, correct "
            "`age_class` first."
        )


def build_fact_sheet(recorded: Iterable[RecordedFact], *, child: bool) -> FactSheet:
    """Build the fact sheet of a case from its recorded facts, oldest first."""
    return FactSheet(child, {(f.name, f.country, f.body): f for f in recorded})


URGENT_CHILD_SERVICES: Final = frozenset(
    {Service.CHILD_PROTECTION, Service.GUARDIANSHIP, Service.SHELTER, Service.MEDICAL}
)
"""Services to which a child can be referred at once, before any assessment (BR09)."""
