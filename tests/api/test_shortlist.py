"""Tests of the stored result of routing: its order, its reasons and its sealed part."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import select

from app.cases.models import Case
from app.directory import queries as directory_queries
from app.directory.lead_offices import list_lead_offices, may_matter_to_lead
from app.kernel.transactions import WriteTransaction
from app.routing import actions as routing_actions
from app.routing import queries as routing_queries
from app.routing.queries import Place
from app.routing.ranking import Ranking
from tests.support.databases import record_statements
from tests.support.world import Json, Someone, World

type Kept = tuple[list[tuple[UUID, int, bool]], list[str]]


@pytest.fixture
def two(officer: Someone) -> list[Json]:
    return [officer.submit() for _ in "12"]


@pytest.fixture
def tx(officer: Someone) -> Iterator[WriteTransaction]:
    with officer.begin_write() as made:
        yield made


def list_case_ids(tx: WriteTransaction, two: list[Json]) -> list[UUID]:
    named = (select(Case.id).where(Case.code == case["code"]) for case in two)
    return [tx.session.scalars(one).one() for one in named]


def list_rows(tx: WriteTransaction, case_id: UUID) -> list[Place]:
    tx.session.expire_all()
    return routing_queries.list_places(tx, case_id)


def get_stored_candidates(tx: WriteTransaction, case_id: UUID) -> Kept:
    """Return the stored candidates in their order, and the offices that were left out."""
    left = [one.focal_point for one in routing_queries.load_result(tx, case_id).excluded]
    turn = [(r.focal_point_id, r.place, bool(r.asked_at)) for r in list_rows(tx, case_id)]
    return turn, left


def test_to_forget_one_case_is_to_forget_no_other(
    two: list[Json], tx: WriteTransaction
) -> None:
    one, other = list_case_ids(tx, two)
    before = get_stored_candidates(tx, other)

    routing_actions.delete_ranking(tx, one)

    assert get_stored_candidates(tx, one) == ([], [])
    assert get_stored_candidates(tx, other) == before
    assert all(before)
    assert before[1] == sorted(before[1])


def test_a_new_ranking_comes_after_who_was_asked_and_changes_no_other_case(
    two: list[Json], tx: WriteTransaction
) -> None:
    one, other = list_case_ids(tx, two)
    before, mine = get_stored_candidates(tx, other), list_rows(tx, one)
    asked_offices = [row.focal_point_id for row in mine if row.asked_at]

    routing_actions.seal_ranking(tx, one, Ranking((), None, ()))

    assert get_stored_candidates(tx, one) == (
        [(office, n, True) for n, office in enumerate(asked_offices, 1)],
        [],
    )
    assert get_stored_candidates(tx, other) == before


def test_whom_a_desk_chose_is_kept_once_and_instead_of_who_waited(
    two: list[Json], tx: WriteTransaction
) -> None:
    one, other = list_case_ids(tx, two)
    before = get_stored_candidates(tx, other)
    asked_offices = [row.focal_point_id for row in list_rows(tx, one) if row.asked_at]
    chosen = directory_queries.get_by_code(tx, "IOM").id

    for _ in "12":
        routing_actions.record_desk_choice(tx, one, chosen)
        tx.session.flush()

    now = list_rows(tx, one)
    assert [row.focal_point_id for row in now] == [*asked_offices, chosen]
    assert [row.place for row in now] == [1, 2]
    assert now[-1].reasons == ["chosen_by_the_desk"]
    assert get_stored_candidates(tx, other) == before


def test_who_declined_is_passed_over_and_nobody_else(
    two: list[Json], tx: WriteTransaction
) -> None:
    one, _ = list_case_ids(tx, two)
    first = list_rows(tx, one)[0].focal_point_id

    routing_actions.record_passed_over(tx, one, first)
    tx.session.flush()

    gone = [row.focal_point_id for row in list_rows(tx, one) if row.left_at]
    assert gone == [first]


@pytest.fixture
def shut(world: World) -> str:
    """Close an office, and return its code."""
    world.close_office("KZ_LEGAL_AID")
    return "KZ_LEGAL_AID"


@pytest.mark.parametrize("country", ["KZ", "UZ", "NI", "TT", "CU", "XX", "", "%"])
def test_profiles_for_leads_are_a_part_of_all_profiles(
    shut: str, tx: WriteTransaction, country: str
) -> None:
    expected = {
        profile.code
        for profile in routing_queries.load_profiles(tx)
        if may_matter_to_lead(profile, country)
    }
    tx.session.expunge_all()

    found = [one.code for one in routing_queries.load_lead_profiles(tx, country)]

    assert found == sorted(expected)
    assert (shut in found) == (country == "KZ")


def test_offices_for_leads_come_with_the_own_office_and_oversight(
    world: World, tx: WriteTransaction
) -> None:
    overseers = directory_queries.list_overseers(tx)
    tx.session.info.clear()
    tx.session.expunge_all()
    list_lead_offices(tx, "CU")

    with record_statements(world.database) as statements:
        own = directory_queries.by_id(tx, tx.actor.focal_point_id)
        same = directory_queries.list_overseers(tx)

    assert statements == []
    assert own.of_state == "UZ"
    assert same == overseers != frozenset()
