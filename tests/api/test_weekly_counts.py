"""Each finished week is counted once. The sealed counts have no link to a case (ADR 73)."""

from collections import Counter
from datetime import date, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from app.figures import queries, weekly_counts
from app.figures.catalogue import Cell, TableName
from app.figures.models import CountedWeek, WeekFigures
from app.kernel.actors import SYSTEM
from app.kernel.transactions import begin_read
from app.kernel.vault import Unopenable
from app.worker.figures_job import WeekCounter
from tests.support.databases import ask
from tests.support.erased_cases import erase_again
from tests.support.moved_cases import add_agreements
from tests.support.world import (
    NOON,
    SECTIONS,
    Json,
    Someone,
    World,
    get_path,
    make_acceptance,
    make_closure,
    make_consent,
    make_contacts,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

FIRST_WEEK: Final = NOON.date() - timedelta(days=NOON.weekday())
GUARDIAN: Final = "guardian_with_assent"
NEEDS, *REST = SECTIONS


def submit(officer: Someone, gender: str | None, *forms: str, **summary: Any) -> Json:
    signs: Json = {"section": "indicators", "codes": [], "exploitation": list(forms)}
    needs = {**NEEDS, "gender": gender}
    where = {"kind": "state", "country": summary.get("country", "KZ")}
    giver = "person" if summary.get("age_class", "adult") == "adult" else GUARDIAN
    consents = [
        make_consent(recipient_class=where, given_by=giver),
        make_service_consent(given_by=giver),
    ]
    return officer.submit(
        sections=[needs, *REST, signs], summary=summary, consents=consents
    )


def accept_lead(lead: Someone, case: Json) -> None:
    unwrap(lead.does("acknowledge", case))
    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))


def help_person(lead: Someone, helper: Someone, case: Json, *, hours: float = 0) -> None:
    accept_lead(lead, case)
    sent = unwrap(lead.refer(case, helper.code))
    unwrap(helper.does("acknowledge", sent))
    unwrap(helper.does("accept", sent, make_acceptance()))
    helper.world.advance(hours=hours)
    unwrap(helper.does("start", sent, {"person_met": True}))


def count_all(world: World) -> int:
    """Run the job until no finished week is left to count; return the number counted."""
    counter, total = WeekCounter(), 0
    while counter.run(world.runtime):
        total += 1
    return total


def read(world: World, *weeks: date) -> dict[tuple[str, TableName], Counter[Cell]]:
    with begin_read(world.runtime, SYSTEM) as tx:
        return weekly_counts.read_counts(tx, weeks or [FIRST_WEEK])


def test_week_is_counted_by_country_and_table(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    first = submit(officer, "Feminine", "ForcedLabour", "Servitude")
    submit(officer, "Masculine", age_class="presumed_child", services=["MEDICAL"])
    submit(officer, None, "Other", country="KG", services=[])
    help_person(lead, shelter, first, hours=30)
    world.advance(weeks=3)

    assert count_all(world) == 1
    counts = read(world)

    assert counts["KZ", TableName.CASES] == {(): 2}
    assert counts["KZ", TableName.AGE_AND_GENDER] == {
        ("adult", "female"): 1,
        ("child", "male"): 1,
    }
    assert counts["KZ", TableName.EXPLOITATION] == {
        ("ForcedLabour",): 1,
        ("Servitude",): 1,
        ("not_recorded",): 1,
    }
    assert counts["KZ", TableName.SERVICES_ASKED][("MEDICAL",)] == 1
    assert counts["KZ", TableName.SERVICES_GIVEN] == {("SHELTER",): 1}
    assert counts["KZ", TableName.ASSISTANCE] == {("within_72_hours",): 1, ("later",): 1}
    assert counts["KG", TableName.CASES] == {(): 1}
    assert counts["KG", TableName.EXPLOITATION] == {("Other",): 1}
    assert ("KG", TableName.SERVICES_ASKED) not in counts


def test_week_is_counted_two_weeks_after_its_end_and_once(
    world: World, officer: Someone
) -> None:
    submit(officer, "Feminine")
    end = FIRST_WEEK + timedelta(weeks=3)
    world.now = NOON.replace(year=end.year, month=end.month, day=end.day, hour=0)
    world.advance(minutes=-1)
    assert count_all(world) == 0

    world.advance(minutes=1)
    assert count_all(world) == 1
    submit(officer, "Masculine")
    assert count_all(world) == 0
    assert read(world)["KZ", TableName.CASES] == {(): 1}

    world.advance(weeks=5)
    assert count_all(world) == 5
    weeks = [FIRST_WEEK + timedelta(weeks=n) for n in range(6)]
    assert read(world, *weeks)["KZ", TableName.CASES] == {(): 2}
    assert read(world, *weeks[1:3]) == {}


def test_two_workers_count_a_week_once(world: World, officer: Someone) -> None:
    submit(officer, "Feminine")
    world.advance(weeks=3)
    with begin_read(world.runtime, SYSTEM) as tx:
        found = queries.list_submissions(tx, [FIRST_WEEK])[FIRST_WEEK]
    weekly_counts.count_week(world.runtime, FIRST_WEEK, found)

    with pytest.raises(Exception, match=r"(?i)unique|conflict|integrity"):
        weekly_counts.count_week(world.runtime, FIRST_WEEK, found)

    assert read(world)["KZ", TableName.CASES] == {(): 1}


def test_erasing_every_case_changes_no_number(world: World, officer: Someone) -> None:
    cases = [submit(officer, "Feminine", "ForcedLabour") for _ in range(3)]
    world.advance(weeks=3)
    count_all(world)
    before = read(world)

    for case in cases:
        assert erase_again(world, case)

    assert read(world) == before
    assert before["KZ", TableName.EXPLOITATION] == {("ForcedLabour",): 3}


def test_case_that_was_erased_before_is_counted_without_what_was_sealed(
    world: World, officer: Someone
) -> None:
    assert erase_again(world, submit(officer, "Feminine", "ForcedLabour"))
    world.advance(weeks=3)
    count_all(world)

    counts = read(world)
    assert counts["KZ", TableName.CASES] == {(): 1}
    assert counts["KZ", TableName.AGE_AND_GENDER] == {("adult", "not_recorded"): 1}
    assert counts["KZ", TableName.EXPLOITATION] == {("not_recorded",): 1}


def test_section_that_cannot_be_opened_is_counted_as_not_written(
    world: World, officer: Someone, capfd: pytest.CaptureFixture[str]
) -> None:
    case = submit(officer, "Feminine", "ForcedLabour")
    ask(world.url, "UPDATE case_key SET version = 'another'")
    world.advance(weeks=3)
    count_all(world)

    assert read(world)["KZ", TableName.AGE_AND_GENDER] == {("adult", "not_recorded"): 1}
    assert case["code"] not in capfd.readouterr().err


def test_draft_and_duplicate_are_not_counted(
    world: World, officer: Someone, lead: Someone
) -> None:
    unwrap(officer.create_case())
    kept, double = submit(officer, None), submit(officer, None)
    accept_lead(lead, kept)
    unwrap(lead.does("acknowledge", double))
    supervisor = world.add_person("KZ_LEAD")
    closed = make_closure(reason="DUPLICATE", continues_in=kept["code"])
    asked = unwrap(lead.does("close", double, closed))
    unwrap(supervisor.send(f"/approvals/{asked['id']}/confirm"))
    world.advance(weeks=3)
    count_all(world)

    assert read(world)["KZ", TableName.CASES] == {(): 1}


def test_country_is_the_one_where_the_person_was_met(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = submit(officer, None)
    accept_lead(lead, case)
    unwrap(lead.does("relocate", case, {"country": "UZ"}))
    world.advance(weeks=3)
    count_all(world)

    counts = read(world)
    assert counts["KZ", TableName.CASES] == {(): 1}
    assert ("UZ", TableName.CASES) not in counts


def test_handover_to_another_state_is_counted_in_its_week(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = submit(officer, None)
    accept_lead(lead, case)
    add_agreements(world)
    successor = world.add_person("KG_LEAD")
    consents = f"{get_path(case)}/consents"
    unwrap(lead.create(consents, make_handover_consent("KG_LEAD")))
    world.advance(weeks=1)
    unwrap(lead.does("relocate", case, {"country": "KG"}))
    offered = unwrap(lead.offer(case, "KG_LEAD"))
    unwrap(successor.does("accept", offered, make_takeover()))
    world.advance(weeks=4)
    count_all(world)

    assert TableName.HANDOVERS not in {name for _, name in read(world)}
    later = read(world, FIRST_WEEK + timedelta(weeks=1))
    assert later == {("KG", TableName.HANDOVERS): {(): 1}}


def test_rows_are_sealed_alike_and_bound_to_their_place(
    world: World, officer: Someone
) -> None:
    submit(officer, "Feminine", "ForcedLabour")
    submit(officer, "Masculine", country="KG")
    world.advance(weeks=3)
    count_all(world)

    with world.database.begin_read() as session:
        rows = session.scalars(select(WeekFigures)).all()
        assert len({len(row.sealed) for row in rows}) == 1
        assert not any(b"female" in row.sealed or b"Forced" in row.sealed for row in rows)
        assert session.scalar(select(func.count()).select_from(CountedWeek)) == 1
    ask(world.url, "DELETE FROM week_figures WHERE country = 'KZ'")
    ask(world.url, "UPDATE week_figures SET country = 'KZ'")

    with pytest.raises(Unopenable):
        read(world)
