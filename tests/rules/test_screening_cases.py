"""The results of screenings agree with results worked out by hand from published rules.

By the weights of the ILO's labour lists for adults and children, a dimension is positive in
four cases: (A) 2 strong indicators; (B) 1 strong indicator, and 1 that is medium or weak;
(C) 3 medium indicators; (D) 2 medium indicators and 1 weak indicator. No expected result
was computed with the code.
"""

from typing import Final, NamedTuple

import pytest

from app.cases.models import AgeClass
from app.reference.lists import INDICATORS, ITEMS
from app.screening.scoring import Presumption, Result, Ticked, compute_result

SHORT: Final = {
    "DR": "DECEPTIVE_RECRUITMENT",
    "CR": "COERCIVE_RECRUITMENT",
    "AR": "ABUSE_VULN_RECRUITMENT",
    "EX": "EXPLOITATION",
    "CD": "COERCION_DESTINATION",
    "AD": "ABUSE_VULN_DESTINATION",
    "UN": "UNODC_EMOTIONAL_PHYSICAL_CONTROL",
    "IL": "ILO11",
}
AGES: Final = {
    "adult": AgeClass.ADULT,
    "child": AgeClass.CHILD,
    "doubt": AgeClass.PRESUMED_CHILD,
    "?": None,
}
# If the age is unknown or in doubt, no means are required, and the higher weight counts.
# age  | ticked                                           | positive        | indicated | by
CASES: Final = """
adult  |                                                   |                 | not yet |
child  |                                                   |                 | not yet |
?      |                                                   |                 | not yet |
adult  | DR01                                              |                 | not yet |
adult  | DR01 DR10                                         | DR:B            | not yet |
adult  | DR01 DR02                                         | DR:B            | not yet |
adult  | DR02 DR03                                         |                 | not yet |
adult  | DR02 DR10                                         |                 | not yet |
adult  | DR02 DR03 DR04                                    | DR:C            | not yet |
adult  | DR02 DR03 DR10                                    | DR:D            | not yet |
child  | DR01 DR10                                         | DR:A            | not yet |
doubt  | DR01 DR10                                         | DR:A            | not yet |
child  | DR10                                              |                 | not yet |
child  | DR09 DR10                                         | DR:B            | not yet |
adult  | CR01 CR02                                         | CR:B            | not yet |
child  | CR01 CR02                                         | CR:A            | not yet |
adult  | CR02 CR03                                         |                 | not yet |
child  | CR02 CR03                                         | CR:A            | not yet |
?      | CR02 CR03                                         | CR:A            | not yet |
adult  | CR05 CR10                                         |                 | not yet |
adult  | CD01 CD02                                         | CD:A            | not yet |
adult  | CD01 CD02 CD09                                    | CD:A            | not yet |
adult  | CD04 CD15                                         | CD:B            | not yet |
adult  | CD05 CD06 CD07                                    | CD:C            | not yet |
adult  | CD05 CD06 CD15                                    | CD:D            | not yet |
adult  | CD15                                              |                 | not yet |
child  | CD05                                              |                 | not yet |
child  | CD05 CD15                                         | CD:B            | not yet |
adult  | AR15 AR16                                         |                 | not yet |
adult  | AR01 AR15 AR16                                    |                 | not yet |
child  | AR01 AR15 AR16                                    | AR:C            | not yet |
adult  | AR01 AR02 AR15                                    | AR:D            | not yet |
adult  | AR01 AR02 AR08                                    | AR:C            | not yet |
child  | AR01 AR02 AR08                                    |                 | not yet |
doubt  | AR01 AR02 AR08                                    | AR:C            | not yet |
?      | AR01 AR02 AR08                                    | AR:C            | not yet |
adult  | AD01 AD02 AD06                                    | AD:D            | not yet |
adult  | AD01 AD06 AD07                                    |                 | not yet |
child  | AD01 AD06 AD07                                    | AD:C            | not yet |
adult  | EX01 EX09                                         | EX:B            | not yet |
adult  | EX02 EX03                                         |                 | not yet |
adult  | EX02 EX03 EX08                                    | EX:C            | not yet |
child  | EX02 EX03 EX09                                    | EX:C            | not yet |
adult  | DR01 CR01 AR01 EX01 CD01 AD01                     |                 | not yet |
adult  | DR01 DR02 EX01 EX02 CD01 CD02                     | DR:B EX:B CD:A  | yes | COMBINE_FL
adult  | CR02 CR03 CR04 EX02 EX03 EX04 CD09 CD10 CD11      | CR:C EX:C CD:C  | yes | COMBINE_FL
adult  | DR01 DR02 EX01 EX02                               | DR:B EX:B       | not yet |
adult  | EX01 EX02 CD01 CD02                               | EX:B CD:A       | not yet |
adult  | DR01 DR02 CD01 CD02                               | DR:B CD:A       | not yet |
adult  | DR01 DR02 CR01 CR05 CD01 CD02                     | DR:B CR:B CD:A  | not yet |
adult  | AR01 AR02 AR03 EX01 EX02 CD01 CD02                | AR:C EX:B CD:A  | yes | COMBINE_FL
adult  | DR01 DR02 EX01 EX02 AD01 AD02 AD03                | DR:B EX:B AD:C  | yes | COMBINE_FL
adult  | AR01 AR02 AR03 EX01 EX02 AD01 AD02 AD03           | AR:C EX:B AD:C  | yes | COMBINE_FL
adult  | AR01 AR02 AR03 EX01 EX02                          | AR:C EX:B       | not yet |
adult  | EX01 EX02 AD01 AD02 AD03                          | EX:B AD:C       | not yet |
adult  | EX01 EX02 CD01 CD02 AD01 AD02 AD03                | EX:B CD:A AD:C  | not yet |
child  | EX01 EX02                                         | EX:B            | not yet |
child  | EX01 EX02 RECRUITMENT                             | EX:B            | yes | CHILD
adult  | EX01 EX02 RECRUITMENT                             | EX:B            | not yet |
doubt  | EX01 EX02 HARBOURING                              | EX:B            | yes | CHILD
?      | EX01 EX02 RECEIPT                                 | EX:B            | yes | CHILD
child  | EX02 EX03 EX08 RECRUITMENT                        |                 | not yet |
doubt  | EX02 EX03 EX08 RECRUITMENT                        | EX:C            | yes | CHILD
?      | EX02 EX03 EX08 RECRUITMENT                        | EX:C            | yes | CHILD
child  | DR01 DR02 EX01 EX02 CD01 CD02                     | DR:B EX:B CD:A  | yes | COMBINE_FL
child  | DR01 DR02 EX01 EX02 CD01 CD02 TRANSFER            | DR:B EX:B CD:A  | yes | CHILD COMBINE_FL
adult  | RECRUITMENT DECEPTION FORCED_LABOUR               |                 | yes | PALERMO_ADULT
adult  | RECRUITMENT FORCED_LABOUR                         |                 | not yet |
child  | RECRUITMENT FORCED_LABOUR                         |                 | yes | CHILD
doubt  | TRANSPORTATION PROSTITUTION_OF_OTHERS             |                 | yes | CHILD
?      | TRANSFER ORGAN_REMOVAL                            |                 | yes | CHILD
adult  | DECEPTION FORCED_LABOUR                           |                 | not yet |
adult  | TRANSFER FRAUD                                    |                 | not yet |
child  | THREAT_OR_FORCE SERVITUDE                         |                 | not yet |
?      | RECRUITMENT ABDUCTION                             |                 | not yet |
adult  | RECEIPT PAYMENTS_FOR_CONTROL OTHER                |                 | yes | PALERMO_ADULT
adult  | TRANSPORTATION CR01 CR05 SLAVERY                  | CR:B            | yes | PALERMO_ADULT
adult  | RECEIPT AD01 AD02 AD03 EX01 EX02                  | EX:B AD:C       | yes | PALERMO_ADULT
adult  | RECRUITMENT DR02 DR03 FORCED_LABOUR               |                 | not yet |
adult  | RECRUITMENT DECEPTION EX02 EX03                   |                 | not yet |
adult  | DR01 DR02 EX01 EX02 CD01 CD02 RECRUITMENT         | DR:B EX:B CD:A  | yes | PALERMO_ADULT COMBINE_FL
adult  | UN01 UN02 UN06 IL09 IL11 RECRUITMENT FORCED_LABOUR |                | not yet |
adult  | UN01 UN02 UN06 IL01 IL07 IL08 IL09 IL10 IL11      |                 | not yet |
"""  # noqa: E501


class Worked(NamedTuple):
    """One row of the table of results that were worked out by hand."""

    age: str
    ticked: str
    positive: str
    indicated: str
    by: str


LINES: Final = [
    Worked(*(cell.strip() for cell in line.split("|")))
    for line in CASES.strip().splitlines()
]


def parse_ticked(cell: str) -> Ticked:
    """Return the indicators and elements in a cell; fail if a code is on no list."""
    words = [expand_code(word) for word in cell.split()]
    signs = frozenset(word for word in words if word in INDICATORS)
    elements = frozenset(words) - signs
    assert elements <= set(ITEMS["elements"])
    return Ticked(signs, elements)


def expand_code(word: str) -> str:
    short = SHORT.get(word[:2]) if word[2:].isdigit() else None
    return f"{short}_{word[2:]}" if short else word


def list_positive(result: Result) -> set[str]:
    """Return the positive dimensions, each with its rule, as the table writes them."""
    short = {long: name for name, long in SHORT.items()}
    return {
        f"{short[found.dimension]}:{found.rule.removeprefix('DIM_POSITIVE_')}"
        for found in result.dimensions
        if found.positive and found.rule
    }


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.age}: {line.ticked}")
def test_signs_amount_to_what_was_worked_out_by_hand(line: Worked) -> None:
    result = compute_result(parse_ticked(line.ticked), AGES[line.age])

    outcome = (
        Presumption.INDICATED if line.indicated == "yes" else Presumption.NOT_INDICATED_YET
    )
    assert list_positive(result) == set(line.positive.split())
    assert result.outcome == outcome
    assert [rule.rule.value for rule in result.rules if rule.holds] == line.by.split()


def test_there_are_enough_cases_of_each_kind() -> None:
    assert len({(line.age, line.ticked) for line in LINES}) == len(LINES) >= 60
    assert {line.age for line in LINES} == set(AGES)
    assert sum(line.indicated == "yes" for line in LINES) >= 20
