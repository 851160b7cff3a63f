"""Names that were renamed in the API keep their old form in the database."""

import json
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from app.cases import queries as case_queries
from app.cases.models import Case, Sealed
from app.cases.sealing import seal_padded
from app.cases.sections import Paper, Section
from app.cases.stored_fields import rename_fields, restore_fields
from app.feed.event_types import load_facts, load_types
from app.kernel.journal import Delivery, Entry, Mailbox
from app.kernel.stored_names import STORED_DEADLINES, STORED_FACTS, STORED_TYPES
from tests.support.world import Json, Someone, World, get_path, unwrap

OLD_FACTS: Json = {"clock": "tell_person", "silence": 2, "reading": "x", "state": "draft"}
NEW_FACTS: Json = {
    "deadline": "inform_person",
    "missed": 2,
    "emergency_access": "x",
    "state": "draft",
}
NEEDS: Json = {"section": "needs", "summary": "Нужен приют", "safety_alert": "Не звонить"}


def query(world: World, statement: str) -> list[Any]:
    """Return the first column of a query, without the types of the models."""
    with world.write_as_service() as tx:
        return list(tx.session.scalars(text(statement)))


def test_renamed_types_and_facts_are_in_the_catalogue_and_their_old_names_are_not() -> None:
    types, facts = {one.name for one in load_types()}, {one.name for one in load_facts()}

    assert STORED_TYPES.keys() <= types
    assert STORED_FACTS.keys() <= facts
    assert not types & set(STORED_TYPES.values())
    assert not facts & set(STORED_FACTS.values())
    assert len(set(STORED_TYPES.values())) == len(STORED_TYPES)


def test_entry_of_older_journal_is_served_with_its_new_names(
    world: World, officer: Someone
) -> None:
    case = officer.submit()
    old_types = sorted(STORED_TYPES.values())
    with world.write_as_service() as tx:
        one = tx.session.scalars(select(Entry).limit(1)).one()
        mailbox = tx.session.get_one(Mailbox, officer.id)
        for back, old in enumerate(old_types, start=1):
            row = {
                "id": tx.create_id(),
                "at": one.at,
                "type": old,
                "case_id": one.case_id,
                "record_id": one.case_id,
                "reference": f"cases/{case['code']}",
                "facts": OLD_FACTS,
            }
            tx.session.execute(insert(Entry), row)
            place = {"focal_point_id": mailbox.focal_point_id, "entry_id": row["id"]}
            tx.session.execute(
                insert(Delivery).values(position=mailbox.head + back, **place)
            )
        mailbox.head += len(old_types)

    events = officer.poll()[-len(old_types) :]

    assert [STORED_TYPES[event["type"]] for event in events] == old_types
    assert [event["facts"] for event in events] == [NEW_FACTS] * len(old_types)


def test_new_entry_is_stored_with_its_old_names(world: World, officer: Someone) -> None:
    officer.submit()
    world.wait(days=1)

    with world.write_as_service() as tx:
        facts = list(tx.session.scalars(select(Entry.facts)))
    stored = query(world, "SELECT facts FROM entry")
    rows = [one if isinstance(one, dict) else json.loads(one) for one in stored]

    assert [one for one in facts if "deadline" in one]
    assert [one for one in rows if "clock" in one]
    assert not [one for one in rows if one.keys() & STORED_FACTS.keys()]


def test_codes_of_deadlines_are_stored_with_their_old_names(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    lead.take_lead(case)
    request = {
        "reason": "RISK_TO_LIFE",
        "sections": ["contact"],
        "purpose": "protection",
        "note": "Опасность",
    }

    asked = lead.create(f"{get_path(case)}/emergency-access", request)

    assert unwrap(asked)["state"] == "requested"
    codes = query(world, "SELECT kind FROM clock")
    assert STORED_DEADLINES["decide_emergency_access"] in codes
    assert not set(codes) & STORED_DEADLINES.keys()


@pytest.mark.parametrize("old", [True, False])
def test_section_opens_with_the_old_and_with_the_new_name_of_a_field(
    world: World, officer: Someone, *, old: bool
) -> None:
    case = officer.submit()
    path = f"{get_path(case)}/sections/needs"
    written = officer.ask("PUT", path, NEEDS, headers={"If_Match": officer.get_tag(case)})
    assert written.is_success
    if old:
        with world.write_as_service() as tx:
            of_case = select(Sealed).join(Case, Case.id == Sealed.case_id)
            kind = (Case.code == case["code"]) & (Sealed.kind == Section.NEEDS)
            document = tx.session.scalars(of_case.where(kind)).one()
            content = json.loads(case_queries.open_sealed(tx, document))
            content["safety_notice"] = content.pop("safety_alert")
            seal_padded(tx, document, json.dumps(content).encode())

    opened = unwrap(officer.open(path))

    assert opened["content"]["safety_alert"] == NEEDS["safety_alert"]


def test_section_is_sealed_with_the_name_that_an_earlier_version_knows() -> None:
    plain = json.dumps(NEEDS, ensure_ascii=False).encode()

    stored = restore_fields(Section.NEEDS, plain)

    assert json.loads(stored) == {
        "section": "needs",
        "summary": NEEDS["summary"],
        "safety_notice": NEEDS["safety_alert"],
    }
    assert json.loads(rename_fields(Section.NEEDS, stored)) == NEEDS
    assert len(stored) <= len(plain) + len("safety_notice") - len("safety_alert")


def test_stored_name_of_the_safety_alert_stays() -> None:
    assert Paper.SAFETY_ALERT.value == "safety_notice"
