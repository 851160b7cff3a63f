"""A copy of the database does not show which offices were left out or will be asked."""

from sqlalchemy import insert, select

from app.cases.case_changes import delete_records
from app.cases.case_protection import protect_case_again
from app.cases.models import Case, Sealed
from app.cases.sections import Paper
from app.cli import operator_actions
from app.routing import queries as routing_queries
from app.routing.models import LeftOutRow, Shortlisted
from tests.support.world import Json, Someone, World, get_path, unwrap

FEARS: tuple[Json, ...] = (
    {"country_of_origin": "UZ"},
    {"country_of_origin": "UZ", "unsafe_focal_points": ["SANA_SEZIM", "KZ_LEGAL_AID"]},
    {"country_of_origin": "KG", "seeks_asylum": True},
)


def get_routing(who: Someone, case: Json) -> Json:
    return unwrap(who.get(f"{get_path(case)}/routing"))


def read_unsealed(world: World) -> tuple[set[tuple[int, bool]], int]:
    """Return the unsealed shortlisted places, and the number of unsealed left-out offices.

    Each place comes with a value that is true if its office was asked.
    """
    with world.write_as_service() as tx:
        rows = tx.session.scalars(select(Shortlisted)).all()
        left = len(tx.session.scalars(select(LeftOutRow)).all())
        return {(row.place, bool(row.asked_at)) for row in rows}, left


def test_only_who_was_asked_stands_in_clear(world: World, officer: Someone) -> None:
    cases = [officer.submit(safeguards=fears) for fears in FEARS]

    shown = [get_routing(officer, case) for case in cases]

    assert read_unsealed(world) == ({(1, True)}, 0)
    assert all(len(one["candidates"]) > 1 for one in shown)
    assert all(one["excluded"] for one in shown)
    with world.write_as_service() as tx:
        found = select(Sealed).where(Sealed.kind == Paper.ROUTING)
        lengths = {len(row.sealed) for row in tx.session.scalars(found)}
    assert len(lengths) == 1


def store_unsealed(world: World, case: Json) -> None:
    """Store the ranking unsealed, as an older version with protected cases did."""
    with world.write_as_service() as tx:
        of_case = select(Case.id).where(Case.code == case["code"])
        case_id = tx.session.scalars(of_case).one()
        kept = routing_queries.load_result(tx, case_id)
        for number, one in enumerate(kept.waiting, start=2):
            row = {"case_id": case_id, "place": number, **one.model_dump()}
            tx.session.execute(insert(Shortlisted).values(row))
        for out in kept.excluded:
            row = {"case_id": case_id, **out.model_dump()}
            tx.session.execute(insert(LeftOutRow).values(row))
        delete_records(tx.session, case_id, Sealed, Sealed.kind == Paper.ROUTING)
    protect_case_again(world.runtime, case_id)


def test_what_an_older_version_kept_in_clear_is_read_and_sealed(
    world: World, officer: Someone, lead: Someone
) -> None:
    cases = [officer.submit(safeguards=FEARS[1]) for _ in range(3)]
    before = [get_routing(officer, case) for case in cases]
    for case in cases:
        store_unsealed(world, case)
    old = [get_routing(officer, case) for case in cases]
    assert lead.does("decline-lead", cases[2], {"reason": "NO_CAPACITY"}).is_success
    declined = get_routing(officer, cases[2])

    steps = list(operator_actions.seal_outdated(world.runtime))
    new = [get_routing(officer, case) for case in cases]

    assert before == old
    assert new == [*before[:2], declined]
    assert steps == [(1, 2), (2, 2)]
    assert read_unsealed(world) == ({(1, True), (2, True)}, 0)
    assert list(operator_actions.seal_outdated(world.runtime)) == []
