"""An independent copy of the rules on what a consent covers (LIFECYCLES.md, R83 and R84).

The copy is written from the documents, not from the code. It says which offices a consent
names, who may give it for an adult or a child, how long it is valid, and its purposes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from typing import Any, Final
from uuid import UUID

from app.consents.coverage import GivenBy
from app.directory.kinds import OfficeFunction, OfficeKind
from tests.support.world import NOON

PURPOSES: Final = """
REFER HANDOVER SHELTER MEDICAL PSYCHOSOCIAL LEGAL_AID INTERPRETATION SOCIAL_WELFARE
CHILD_PROTECTION GUARDIANSHIP IDENTIFICATION LAW_ENFORCEMENT RESIDENCE_STATUS ASYLUM
CONSULAR_DOCUMENT RETURN REINTEGRATION COMPENSATION FAMILY_TRACING
"""
# office      | kind              | function      | of | serves | number
OFFICES: Final = """
shelter       | non_state         | shelter       |    | KZ     | 1
lawyer        | non_state         | legal         |    | KZ     | 2
kz_lead       | state             | coordination  | KZ | KZ     | 3
uz_lead       | state             | coordination  | UZ | UZ     | 4
uz_consulate  | state             | consular      | UZ | KZ     | 5
iom           | intergovernmental | migration     |    | *      | 6
uz_ngo        | non_state         | social        |    | UZ     | 7
network       | non_state         | coordination  |    | UZ KZ  | 8
"""
# recipient in the consent          | offices that it names
NAMED: Final = """
office shelter                      | shelter
office uz_consulate                 | uz_consulate
office nobody                       |
class state - KZ                    | kz_lead
class state - UZ                    | uz_lead uz_consulate
class state consular UZ             | uz_consulate
class state consular KZ             |
class state coordination UZ         | uz_lead
class state - FR                    |
class non_state - KZ                | shelter lawyer network
class non_state shelter KZ          | shelter
class non_state - UZ                | uz_ngo network
class intergovernmental - KZ        | iom
class intergovernmental migration FR | iom
class intergovernmental shelter KZ  |
class non_state - -                 |
class intergovernmental - -          |
class - - KZ                        |
"""
# giver of the consent   | for an adult | for a child
GIVEN: Final = """
person                   | counts       |
guardian_with_assent     |              | counts
best_interests_decision  |              | counts
"""
# time, relative to end  | not withdrawn  | withdrawn
WHEN: Final = """
before                   | counts         |
at                       |                |
after                    |                |
"""


@dataclass(frozen=True)
class Office:
    """An office, with the attributes by which a consent can name the office."""

    id: UUID
    kind: OfficeKind
    function: OfficeFunction
    of_state: str | None
    serves: list[str]


@dataclass(frozen=True)
class Given:
    """A consent with its recipient, its giver, its dates and its purposes."""

    focal_point_id: UUID | None
    kind: OfficeKind | None
    function: OfficeFunction | None
    country: str | None
    given_by: GivenBy
    expires_at: datetime
    withdrawn_at: datetime | None
    purposes: list[str] = field(default_factory=lambda: ["SHELTER", "RETURN"])
    sections: list[str] = field(default_factory=lambda: ["needs", "identity"])


@dataclass(frozen=True)
class Row:
    """A question about a consent, with the answer that the independent copy gives."""

    given: Given
    recipient: Office
    purpose: str
    child: bool
    counts: bool
    names: bool

    @property
    def covers(self) -> bool:
        return self.counts and self.names and self.purpose in self.given.purposes

    @property
    def may_be_named(self) -> bool:
        """Return whether the recipient may read `identity` if an NGO wrote it (R84).

        A State office may read it only if the consent names that office. A recipient class
        is not enough.
        """
        return (
            self.recipient.kind != OfficeKind.STATE or self.given.focal_point_id is not None
        )


def parse_cells(table: str) -> list[list[str]]:
    """Return the cells of a table, row by row."""
    lines = table.strip().splitlines()
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def parse_office(row: list[str]) -> tuple[str, Office]:
    """Return the code and the attributes of an office from a row of the table."""
    name, kind, function, of, serves, number = row
    made = UUID(int=int(number))
    return name, Office(
        made, OfficeKind(kind), OfficeFunction(function), of or None, serves.split()
    )


KNOWN: Final[dict[str, Office]] = dict(map(parse_office, parse_cells(OFFICES)))
MOMENTS: Final = {"before": 1, "at": 0, "after": -1}
ASKED_FOR: Final = ("SHELTER", "RETURN", "MEDICAL")


def parse_recipient(words: str) -> dict[str, Any]:
    """Return the fields of a consent that name the recipients: one office, or a class."""
    form, *rest = words.split()
    if form == "office":
        [name] = rest
        one = KNOWN[name].id if name in KNOWN else UUID(int=99)
        named = {"kind": None, "function": None, "country": None}
        return {"focal_point_id": one, **named}
    kind, function, country = (None if word == "-" else word for word in rest)
    return {
        "focal_point_id": None,
        "kind": kind and OfficeKind(kind),
        "function": function and OfficeFunction(function),
        "country": country,
    }


def rows() -> Iterator[Row]:
    """Yield a row for every question that the tables answer, with the expected answer."""
    people = [(by, *answers) for by, *answers in parse_cells(GIVEN)]
    for (words, named), (by, *able), (when, *stands), purpose in product(
        parse_cells(NAMED), people, parse_cells(WHEN), ASKED_FOR
    ):
        for child, back in product((False, True), (False, True)):
            given = Given(
                **parse_recipient(words),
                given_by=GivenBy(by),
                expires_at=NOON + timedelta(seconds=MOMENTS[when]),
                withdrawn_at=NOON - timedelta(days=1) if back else None,
            )
            counts = bool(able[child] and stands[back])
            for name, one in KNOWN.items():
                yield Row(given, one, purpose, child, counts, name in named.split())
