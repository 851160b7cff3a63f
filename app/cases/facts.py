"""What is known beside the state of a case: each fact with a small history of its own.

LIFECYCLES.md, section 1. None of them is a precondition of help (BR01, BR02); what a child
needs is asked for beside it, never before it (BR14). Contact with the State of origin is a
fact too, but sealed with the safeguards: its very value would tell of a fear.
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


class AssessmentOwed(Problem):
    """The best interests of a child are assessed; nobody says that this is not needed."""

    status = 409


class FactName(StrEnum):
    """What can be known."""

    IDENTIFICATION = "identification"
    GUARDIAN = "guardian"
    BEST_INTERESTS = "best_interests"
    REFLECTION_PERIOD = "reflection_period"
    LEGAL_HOLD = "legal_hold"


class Identification(StrEnum):
    """Whether a country holds the person to be a victim; a presumption is enough (BR01)."""

    NOT_ASSESSED = "not_assessed"
    PRESUMED = "presumed"
    FORMALLY_IDENTIFIED = "formally_identified"
    NOT_VICTIM = "not_victim"


class Guardian(StrEnum):
    """Whether somebody speaks for a child; who has a safe parent needs none."""

    NOT_NEEDED = "not_needed"
    NEEDED = "needed"
    APPOINTED = "appointed"


class BestInterests(StrEnum):
    """How far it is known what is best for a child (BR09)."""

    NOT_NEEDED = "not_needed"
    ASSESSMENT_DUE = "assessment_due"
    ASSESSED = "assessed"
    DETERMINED = "determined"


NOT_NEEDED: Final = BestInterests.NOT_NEEDED
ASSESSED: Final = frozenset({BestInterests.ASSESSED, BestInterests.DETERMINED})


class ReflectionPeriod(StrEnum):
    """Whether the person has time to recover and decide, in one country (BR15)."""

    NOT_AVAILABLE = "not_available"
    OFFERED = "offered"
    RUNNING = "running"
    ENDED = "ended"
    DECLINED = "declined"


class LegalHold(StrEnum):
    """Whether the law forbids to erase, for now."""

    IN_FORCE = "in_force"
    LIFTED = "lifted"


@dataclass(frozen=True)
class Rule:
    """What a fact may say, and who may record it besides whoever writes the case.

    That is a recipient which took on a referral for one of these services.
    """

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


class Known(Protocol):
    """A fact as it was recorded."""

    @property
    def name(self) -> FactName:
        """What it is about."""

    @property
    def value(self) -> str:
        """What it says."""

    @property
    def country(self) -> str | None:
        """Where it is true, if not everywhere."""

    @property
    def body(self) -> UUID | None:
        """Who decided it, if a body did."""

    @property
    def ends_on(self) -> date | None:
        """Until when it is true, if it ends by itself."""


@dataclass(frozen=True)
class FactSheet:
    """The facts of one case as they stand: of each the last that was recorded.

    For a child everything that is not known yet is needed: doubt means child (BR14).
    """

    child: bool
    latest: Mapping[tuple[FactName, str | None, UUID | None], Known]

    def plain(self, name: FactName) -> str | None:
        """Read a fact that is true everywhere; None: nobody recorded it."""
        known = self.latest.get((name, None, None))
        return known.value if known else None

    @property
    def guardian(self) -> Guardian:
        """Whether a guardian is needed, or there is one."""
        unknown = Guardian.NEEDED if self.child else Guardian.NOT_NEEDED
        return Guardian(self.plain(FactName.GUARDIAN) or unknown)

    @property
    def best_interests(self) -> BestInterests:
        """How far the best interests of a child are known.

        That it is not needed was said of an adult: of a child it says nothing (BR14).
        """
        said = BestInterests(self.plain(FactName.BEST_INTERESTS) or NOT_NEEDED)
        owed = self.child and said == NOT_NEEDED
        return BestInterests.ASSESSMENT_DUE if owed else said

    @property
    def interests_are_assessed(self) -> bool:
        """Whether a child may be referred for anything that is in its interest (BR09)."""
        return self.child and self.best_interests in ASSESSED

    @property
    def legal_hold(self) -> bool:
        """Whether nothing of the case may be erased."""
        return self.plain(FactName.LEGAL_HOLD) == LegalHold.IN_FORCE

    def reflection(self, country: str, today: date) -> ReflectionPeriod | None:
        """Read how the reflection period stands in a country; None: nobody said.

        One that runs ends by itself on its day.
        """
        known = self.latest.get((FactName.REFLECTION_PERIOD, country, None))
        if known is None:
            return None
        if known.ends_on is not None and known.ends_on <= today:
            return ReflectionPeriod.ENDED
        return ReflectionPeriod(known.value)


def must_fit(fact: Known, *, child: bool) -> None:
    """Raise AssessmentOwed (409) if a fact would let a child be without an assessment."""
    if child and (fact.name, fact.value) == (FactName.BEST_INTERESTS, NOT_NEEDED):
        raise AssessmentOwed("Mend the age class first, if this is certainly an adult.")


def sheet_of(recorded: Iterable[Known], *, child: bool) -> FactSheet:
    """Make the sheet of a case from all that was recorded, oldest first."""
    return FactSheet(child, {(f.name, f.country, f.body): f for f in recorded})


FIRST_FOR_A_CHILD: Final = frozenset(
    {
        *(Service.CHILD_PROTECTION, Service.GUARDIANSHIP),
        *(Service.SHELTER, Service.MEDICAL),
    }
)
"""What a child is referred for at once, before anybody has assessed anything (BR09)."""
