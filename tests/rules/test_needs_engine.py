"""Tests of `Rulebook` with invented requirements of a journey."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

import pytest

from app.kernel.actors import Side
from app.kernel.lifecycle import AnyOf, Step
from app.kernel.requirements import (
    Check,
    NeedsUnmet,
    Rulebook,
    UnmetRequirement,
    raise_unmet,
)


class State(StrEnum):
    HOME = "home"
    AWAY = "away"


class Act(StrEnum):
    GO = "go"


class Need(StrEnum):
    TICKET = "ticket"
    PASSPORT = "passport"
    VISA = "visa"
    REASON = "reason"
    WEATHER = "weather"


@dataclass(frozen=True)
class Facts:
    ticket: bool = False
    passport: bool = False
    visa: bool = False
    reason: bool = False


ALL = Facts(*(True for _ in fields(Facts)))
CHECKS: Mapping[Need, Check[Facts]] = {
    Need.TICKET: Check(lambda facts: facts.ticket, "Buy a ticket.", Side.SUBMITTER),
    Need.PASSPORT: Check(lambda facts: facts.passport, "Issue a passport.", Side.DESK),
    Need.VISA: Check(lambda facts: facts.visa, "Grant a visa.", Side.RECIPIENT),
    Need.REASON: Check(lambda facts: facts.reason, "Send `reason`."),
    Need.WEATHER: Check(lambda _: False, "Wait for another one.", Side.SYSTEM),
}
BUILT = [need for need in Need if need != Need.WEATHER]
BOOK = Rulebook(CHECKS)
PAPERS = AnyOf((Need.PASSPORT, Need.VISA))


def build_step(*needs: Need | AnyOf[Need]) -> Step[State, Act, Need]:
    return Step(Act.GO, {State.HOME}, State.AWAY, {Side.LEAD}, needs=needs)


def build_unmet(code: str, by: str, remedy: str) -> dict[str, object]:
    """Return the JSON of an unmet requirement with no consent and no alternatives."""
    return {
        "requirement": code,
        "by": by,
        "remedy": remedy,
        "consent": None,
        "alternatives": [],
    }


def list_names(lacks: list[UnmetRequirement]) -> list[str]:
    return [lack.requirement for lack in lacks]


def test_everything_missing_is_told_together_in_the_order_of_the_table() -> None:
    go = build_step(Need.REASON, Need.TICKET, PAPERS)

    with pytest.raises(NeedsUnmet) as refused:
        BOOK.require(go, Facts())

    assert refused.value.status == 409
    assert refused.value.facts["unmet"] == [
        build_unmet("reason", "lead", "Send `reason`."),
        build_unmet("ticket", "submitter", "Buy a ticket."),
        build_unmet("passport", "desk", "Issue a passport.")
        | {"alternatives": [build_unmet("visa", "recipient", "Grant a visa.")]},
    ]


def test_when_all_is_met_nothing_is_said() -> None:
    go = build_step(Need.REASON, Need.TICKET, PAPERS)

    BOOK.require(go, ALL)

    assert BOOK.list_unmet(go, ALL) == []
    assert BOOK.list_unmet(build_step(), Facts()) == []


@pytest.mark.parametrize("need", BUILT)
def test_each_need_is_judged_by_its_own_fact(need: Need) -> None:
    go = build_step(*BUILT)

    lacks = BOOK.list_unmet(go, replace(ALL, **{need.value: False}))

    assert list_names(lacks) == [need]


@pytest.mark.parametrize(
    ("facts", "lacking"),
    [
        (Facts(), ["passport"]),
        (Facts(passport=True), []),
        (Facts(visa=True), []),
        (Facts(passport=True, visa=True), []),
    ],
)
def test_one_of_several_is_enough(facts: Facts, lacking: list[str]) -> None:
    assert list_names(BOOK.list_unmet(build_step(PAPERS), facts)) == lacking


def test_an_alternative_is_told_only_where_there_is_one() -> None:
    [alone] = BOOK.list_unmet(build_step(AnyOf((Need.VISA,))), Facts())

    assert alone.alternatives == []


def test_what_the_request_brings_is_asked_and_not_in_the_way() -> None:
    go = build_step(Need.REASON, Need.TICKET)

    assert BOOK.list_request_needs(go, Facts()) == [Need.REASON]
    assert list_names(BOOK.list_blocking(go, Facts())) == ["ticket"]
    assert list_names(BOOK.list_blocking(go, Facts(ticket=True))) == []
    assert list_names(BOOK.list_unmet(go, Facts(ticket=True))) == ["reason"]


def test_alternatives_of_the_record_are_in_the_way_while_none_holds() -> None:
    assert list_names(BOOK.list_blocking(build_step(PAPERS), Facts())) == ["passport"]
    assert list_names(BOOK.list_blocking(build_step(PAPERS), Facts(visa=True))) == []


@pytest.mark.parametrize(
    "either", [AnyOf((Need.TICKET, Need.REASON)), AnyOf((Need.REASON, Need.TICKET))]
)
def test_what_a_request_could_meet_another_way_is_not_in_the_way(
    either: AnyOf[Need],
) -> None:
    go = build_step(either)

    assert BOOK.list_blocking(go, Facts()) == []
    assert len(BOOK.list_unmet(go, Facts())) == 1


def test_an_alternative_that_is_in_the_way_is_not_hidden_by_the_same_need_asked() -> None:
    go = build_step(Need.REASON, AnyOf((Need.PASSPORT, Need.VISA)))

    assert list_names(BOOK.list_blocking(go, Facts(reason=True))) == ["passport"]


@pytest.mark.parametrize("facts", [Facts(), ALL])
def test_what_nobody_can_meet_is_never_met(facts: Facts) -> None:
    assert list_names(BOOK.list_unmet(build_step(Need.WEATHER), facts)) == ["weather"]
    assert list_names(BOOK.list_blocking(build_step(Need.WEATHER), facts)) == ["weather"]


def test_what_nobody_can_meet_does_not_shut_out_an_alternative() -> None:
    either = build_step(AnyOf((Need.WEATHER, Need.TICKET)))

    assert list_names(BOOK.list_unmet(either, Facts())) == ["weather"]
    assert BOOK.list_unmet(either, Facts(ticket=True)) == []


def test_a_need_without_a_check_is_an_error_and_never_met() -> None:
    with pytest.raises(KeyError):
        Rulebook[Need, Facts]({}).list_unmet(build_step(Need.TICKET), ALL)


def test_nothing_missing_is_no_refusal() -> None:
    raise_unmet([])

    with pytest.raises(NeedsUnmet):
        raise_unmet(
            [UnmetRequirement(requirement="ticket", by=Side.SUBMITTER, remedy="Buy it.")]
        )


def test_what_a_request_must_bring_is_asked_of_people_where_the_system_may_act_too() -> (
    None
):
    go = replace(build_step(Need.REASON), sides={Side.SYSTEM, Side.SENDER})

    [lack] = BOOK.list_unmet(go, Facts())

    assert lack.by == Side.SENDER


def test_what_is_lacking_is_shown_with_what_would_do_instead() -> None:
    [lack] = BOOK.list_unmet(build_step(PAPERS), Facts())

    assert lack.model_dump() == build_unmet("passport", "desk", "Issue a passport.") | {
        "alternatives": [build_unmet("visa", "recipient", "Grant a visa.")]
    }
