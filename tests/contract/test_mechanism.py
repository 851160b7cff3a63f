"""The page on the mechanism states all rules that the service enforces, and no others."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import pytest

from app.cases import facts, risk, sections, vital_interest
from app.cases import lifecycle as case_lifecycle
from app.cases.further_actions import FURTHER
from app.cases.models import AgeClass
from app.cases.reasons import ClosureReason
from app.cases.stored_fields import rename_subject
from app.casework.lateness import LATENESS_RULES
from app.consents.coverage import GivenBy, Purpose
from app.deadlines.limits import LIMITS, DeadlineKind, Limit, Priority
from app.directory.kinds import DisclosureLevel, OfficeKind, Service
from app.feed.evidence import MISSED_NAMES
from app.feed.schemas import Rank
from app.handovers import lifecycle as handover_lifecycle
from app.kernel.actors import Role, Side
from app.kernel.lifecycle import AnyOf
from app.referrals import lifecycle as referral_lifecycle
from app.returns import lifecycle as return_lifecycle
from app.returns import risk as of_return
from app.routing.advice import Advice
from app.routing.ranking import ReasonIn, ReasonOut
from app.screening.scoring import Presumption

PAGE: Final = (Path(__file__).parents[2] / "docs" / "mechanism.md").read_text("utf-8")
CODE: Final = re.compile(r"`([^`]+)`")
RULE: Final = re.compile(r"\b(BR\d\d|G\d\d)\b")
MACHINES: Final = {
    "case": case_lifecycle,
    "referral": referral_lifecycle,
    "handover": handover_lifecycle,
    "return": return_lifecycle,
}
NAMED: Final[tuple[type[StrEnum], ...]] = (
    Role,
    Side,
    DeadlineKind,
    sections.Section,
    sections.Paper,
    facts.FactName,
    facts.Identification,
    facts.Guardian,
    facts.BestInterests,
    facts.ReflectionPeriod,
    facts.LegalHold,
    sections.OriginContact,
    AgeClass,
    Priority,
    OfficeKind,
    DisclosureLevel,
    Service,
    Purpose,
    GivenBy,
    vital_interest.VitalInterestReason,
    sections.EmergencyAccessPurpose,
    risk.RiskLevel,
    Presumption,
    Advice,
    ReasonIn,
    ReasonOut,
    of_return.NoGoReason,
    of_return.Protection,
    ClosureReason,
    *(m.State for m in MACHINES.values()),
    *(m.Action for m in MACHINES.values()),
    *(m.Need for m in MACHINES.values()),
)
SPEAKING: Final = {"like this", "include", "predecessor", "redirect-loop"}


def read_table(title: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without the table's header."""
    _, _, after = PAGE.partition(f"\n{title}\n")
    assert after, title
    rows = [line for line in after.partition("\n#")[0].splitlines() if line[:1] == "|"]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def find_codes(cell: str) -> set[str]:
    return set(CODE.findall(cell))


def list_ranks() -> set[str]:
    """Return the names of the ranks of delivery evidence."""
    return {str(rank.name).lower() for rank in Rank}


def list_silence_events() -> set[str]:
    """Return the events of missed deadlines, including three that `MISSED_NAMES` lacks."""
    expected = {"focal_point.deadline_missed", "case.escalated", "not_retrieved"}
    return expected | set(MISSED_NAMES.values())


def needs_of(rows: Iterable[Any]) -> Iterator[tuple[str, ...]]:
    """Yield each requirement of these rows, as a tuple of its alternatives."""
    for row in rows:
        for need in row.needs:
            yield need.needs if isinstance(need, AnyOf) else (need,)


def test_everything_that_has_a_code_is_named() -> None:
    named = find_codes(PAGE)

    assert [
        (kind.__qualname__, str(member))
        for kind in NAMED
        for member in kind
        if rename_subject(str(member)) not in named
    ] == []
    assert list_ranks() - named == set()


def test_nothing_is_named_that_does_not_exist() -> None:
    exists = (
        {rename_subject(str(member)) for kind in NAMED for member in kind}
        | list_ranks()
        | SPEAKING
    )
    exists |= {
        late.event for late in LATENESS_RULES.values() if late.event
    } | list_silence_events()

    assert find_codes(PAGE) - exists == set()


@pytest.mark.parametrize("noun", MACHINES)
def test_each_step_is_told_as_it_is_enforced(noun: str) -> None:
    machine: Any = MACHINES[noun]
    steps = {row[0].strip("`"): row[2:] for row in read_table(f"### Steps of a {noun}")}

    taken = {step.action for step in machine.TABLE.steps}
    assert list(steps) == [str(action) for action in machine.Action if action in taken]
    for action in taken:
        rows = [step for step in machine.TABLE.steps if step.action == action]
        sources, targets, sides, roles, needs = steps[action]
        assert find_codes(sources) == set().union(*(row.sources for row in rows)), action
        assert find_codes(targets) == {row.target for row in rows if row.target}, action
        assert find_codes(sides) == set().union(*(row.sides for row in rows)), action
        assert find_codes(roles) == set().union(*(row.roles for row in rows)), action
        spelled = [tuple(CODE.findall(part)) for part in needs.split(", ") if part]
        assert spelled == list(dict.fromkeys(needs_of(rows))), action


def test_each_further_action_is_told_as_it_is_enforced() -> None:
    told = [
        (action.strip("`"), *map(find_codes, cells))
        for action, meaning, *cells in read_table("### Further actions on a case")
        if meaning
    ]

    assert told == [
        (row.action, set(row.sources), set(row.sides), set(row.roles), set(row.needs))
        for row in FURTHER.steps
    ]


@pytest.mark.parametrize("noun", MACHINES)
def test_each_state_and_need_has_its_meaning_where_it_belongs(noun: str) -> None:
    machine: Any = MACHINES[noun]

    for title, members in (
        (f"### States of a {noun}", machine.State),
        (f"### Requirements of a {noun}", machine.Need),
    ):
        rows = read_table(title)
        assert [row[0] for row in rows] == [f"`{member}`" for member in members]
        assert [row for row in rows if len(row[1]) < len("it has passed")] == []


@pytest.mark.parametrize(
    ("title", "members"),
    [
        ("### Sides", Side),
        ("### Roles", Role),
        ("## Facts", facts.FactName),
    ],
)
def test_sides_roles_and_facts_have_a_line_each(title: str, members: type[StrEnum]) -> None:
    assert [row[0] for row in read_table(title)] == [f"`{one}`" for one in members]


def test_each_fact_says_what_it_can_say() -> None:
    for name, said in read_table("## Facts"):
        values = facts.RULES[facts.FactName(name.strip("`"))].values
        assert find_codes(said) == {str(value) for value in values}, name


def test_each_section_stands_at_its_level() -> None:
    rows = [
        row
        for row in read_table("## The summary and the sealed documents")
        if find_codes(row[1])
    ]

    levels = {section.strip("`"): level.strip("`") for level, section, _ in rows[:7]}
    assert levels == {str(s): str(level) for s, level in sections.LEVELS.items()}


def test_the_deadlines_are_those_that_run() -> None:
    rows = {row[0].strip("`"): row[4:] for row in read_table("## Deadlines")}

    assert list(rows) == [str(kind) for kind in DeadlineKind]
    for kind, limits in LIMITS.items():
        if kind in {DeadlineKind.CONFIRM_ARRIVAL, DeadlineKind.CONSENT_ENDS}:
            continue  # these end with the planned day or with the consent
        first = rows[kind][0]
        for cell, limit in zip(rows[kind], limits, strict=True):
            told = first if cell == "the same" else cell
            assert told.startswith(format_limit(limit)), kind


def test_what_silence_sets_off_is_told_as_it_happens() -> None:
    rows = [row[:2] + row[-1:] for row in read_table("## Missed deadlines")]

    assert rows == [
        [str(noun), f"`{kind}`", f"`{late.event}`" if late.event else ""]
        for (noun, kind), late in LATENESS_RULES.items()
    ]


def format_limit(limit: Limit) -> str:
    """Format a time limit, such as `2 working days`."""
    unit = limit.unit.replace("_", " ").removesuffix("s")
    return f"{limit.count} {unit}{'s' if limit.count > 1 else ''}"


def test_every_rule_that_is_called_upon_stands_among_the_sources() -> None:
    text, _, sources = PAGE.partition("\n## Sources\n")
    rows = [[c.strip() for c in r.strip("|").split("|")] for r in sources.splitlines() if r]
    listed = {row[0]: row for row in rows}

    called = set(RULE.findall(text))
    assert called == {name for name in listed if RULE.fullmatch(name)}
    assert [n for n in called if n[:2] == "BR" and "http" not in listed[n][2]] == []
    for source in ("N12", "N22", "N32", "IARF", "PRIMERO"):
        assert re.search(rf"\b{source}\b", text), source
        assert listed[source][1].startswith("https://"), source
