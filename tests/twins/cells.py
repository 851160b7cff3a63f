"""The table of what each relation to a real case must not show, and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tests.twins.real_cases import (
    ASKED,
    ASKED_ENDED,
    COMPLETED,
    DECLINED,
    ENDED,
    FORMER_LEAD,
    NONE,
    RUNNING,
    SUBMITTER,
    SUBMITTER_UNLED,
    UNLED,
)
from tests.twins.secret_acts import NOTHING, VARIANTS

NO_PART: Final = "an office without a part in a case learns nothing of it"
PART_ENDED: Final = "a part that has ended shows only what was there when it ended (ADR 20)"
SNAPSHOT: Final = "the office reads the case as it was when it was asked (ADR 43)"
AS_COMPLETED: Final = "after its help an office keeps its texts and the summary of that day"
OTHER_HELPER: Final = "an office does not learn which other offices help (ADR 20)"
AFTER_LEAD: Final = "a submitter learns nothing that happens once an office leads (ADR 20)"
NOT_WHICH: Final = "a submitter may see that there was a border, and not which (ADR 20)"
NOT_WHERE: Final = "a helper learns of a move only what its work needs, and not the country"
NOT_WHY: Final = "every cause of an ending looks alike to the office whose part ends"
NOT_COVERED: Final = "no referral or consent lets the office read this section"
NOT_FEARED: Final = "no office is informed which offices a person fears (ADR 20)"
NOT_NAMED: Final = "a consent is shown only to offices that it names, and to the lead"

ALL: Final = {one: VARIANTS[one] for one in VARIANTS if one not in {"cause", "route"}}
BUT_RETURN: Final = {secret: ALL[secret] for secret in ALL if secret != "return"}


@dataclass(frozen=True)
class Cell:
    """A secret that a relation must not learn, the variants to compare, and the reason."""

    relation: str
    secret: str
    variants: tuple[str, ...]
    reason: str


ENDINGS: Final = ("withdrawn", "refused", "consent", "feared", "stopped")
"""The causes for which the referral to any office ends."""
# fmt: off
HIDDEN: Final[Mapping[str, Mapping[str, tuple[tuple[str, ...], str]]]] = {
    NONE:        {one: (variants, NO_PART) for one, variants in ALL.items()},
    DECLINED:    {one: (variants, PART_ENDED) for one, variants in BUT_RETURN.items()},
    FORMER_LEAD: {one: (variants, PART_ENDED) for one, variants in BUT_RETURN.items()},
    ENDED:       {one: (variants, PART_ENDED) for one, variants in ALL.items()},
    ASKED_ENDED: {one: (variants, PART_ENDED) for one, variants in ALL.items()},
    COMPLETED:   {one: (variants, AS_COMPLETED) for one, variants in ALL.items()},
    ASKED: {
        **{one: (variants, SNAPSHOT) for one, variants in BUT_RETURN.items()},
        "fear":  ((NOTHING, "nobody", "shelter"), NOT_FEARED),
        "cause": ((*ENDINGS, "asylum", "blocked"), NOT_WHY),
    },
    RUNNING: {
        "shelter": (VARIANTS["shelter"], OTHER_HELPER),
        "country": (("KG", "TT"), NOT_WHERE),
        "border":  (("KG", "TT"), NOT_WHERE),
        "fear":    ((NOTHING, "nobody", "shelter"), NOT_FEARED),
        "consent": ((NOTHING, "IOM"), NOT_NAMED),
        "section": (VARIANTS["section"], NOT_COVERED),
        "return":  (VARIANTS["return"], OTHER_HELPER),
        "cause":   (ENDINGS, NOT_WHY),
    },
    UNLED:           {"route": (VARIANTS["route"], NO_PART)},
    SUBMITTER_UNLED: {"route": (("KG", "TT"), NOT_WHICH)},
    SUBMITTER: {
        "shelter":  (VARIANTS["shelter"], OTHER_HELPER),
        "country":  (("KG", "TT"), AFTER_LEAD),
        "lead":     (("SANA_SEZIM", "IOM"), AFTER_LEAD),
        "border":   (("KG", "TT"), AFTER_LEAD),
        "fear":     (VARIANTS["fear"], NOT_FEARED),
        "priority": (VARIANTS["priority"], AFTER_LEAD),
        "section":  ((NOTHING, "perpetrators"), AFTER_LEAD),
        "return":   (VARIANTS["return"], OTHER_HELPER),
    },
}
"""What each relation must not learn. A secret that a relation may learn is left out:

- A submitter may see the state of the case, and so a suspension; that another office leads,
  and not which; the withdrawal of a consent that it recorded; and that a lead wrote one of
  its sections again (ADR 20).
- A lead of the State of origin to which the person consented is told if an office in its
  own country misses deadlines, and so if the organisation that receives a return does.
- A consulate that is asked for a document has a part in the return (docs/returns.md).
- The submitter of a case without a lead may see that the person crossed a border.
- A helper may see the current case while its referral runs: its state and priority, which
  office leads in the country, and that the person left, but not for which country.
"""
# fmt: on


def list_cells() -> Iterator[Cell]:
    """Yield each cell of the table."""
    for relation, hidden in HIDDEN.items():
        for secret, (variants, reason) in hidden.items():
            yield Cell(relation, secret, variants, reason)


CELLS: Final = tuple(list_cells())


@dataclass(frozen=True)
class Observable:
    """A difference that remains observable: where, for which secret, and why."""

    relation: str
    secret: str
    field: str
    reason: str


OBSERVABLE: Final[tuple[Observable, ...]] = ()
"""The differences that remain. No entry may be about a shelter, a country or a border."""
NEVER_OBSERVABLE: Final = frozenset({"shelter", "country", "border", "route"})
