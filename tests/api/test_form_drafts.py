"""Form drafts of a person are sealed, last 24 hours, and are erased with the case."""

import json

import pytest
from sqlalchemy import func, select

from app.access.models import Account
from app.cases.form_drafts import MAX_DRAFTS
from app.cases.form_schemas import MAX_DRAFT_BYTES
from app.cases.records import FormDraft
from app.kernel.actors import SERVICE
from tests.support.real_names import NAMES
from tests.support.world import Json, Someone, World, get_path, get_problem, unwrap

VALUES: Json = {"needs": "a bed\nfor tonight", "contact/alias": " Лола ", "alone": ""}


def make_body(values: Json) -> Json:
    return {"values": [{"name": name, "value": text} for name, text in values.items()]}


def save(who: Someone, values: Json, form: str = "refer", **about: str) -> Json:
    return unwrap(who.ask("PUT", f"/form-drafts/{form}", make_body(values), params=about))


def read(who: Someone, form: str = "refer", **about: str) -> Json:
    draft = unwrap(who.get(f"/form-drafts/{form}", **about))
    values = {one["name"]: one["value"] for one in draft["values"]}
    return draft | {"values": values}


def is_missing(who: Someone, form: str = "refer", **about: str) -> bool:
    return get_problem(who.get(f"/form-drafts/{form}", **about)) == (404, "not-found")


def count_rows(world: World) -> int:
    with world.database.begin_read(SERVICE) as session:
        return session.scalar(select(func.count()).select_from(FormDraft)) or 0


def test_draft_is_read_back_as_typed_and_replaced_by_the_next(
    world: World, officer: Someone
) -> None:
    save(officer, {"other": "first"})
    world.advance(minutes=5)

    saved = save(officer, VALUES)

    assert read(officer) == {"values": VALUES, **saved}
    assert saved["saved_at"] == "2026-06-01T12:05:00Z"
    assert saved["expires_at"] == "2026-06-02T12:05:00Z"
    assert count_rows(world) == 1


def test_names_in_many_scripts_are_read_back_unchanged(officer: Someone) -> None:
    values = {f"name/{place}": name for place, name in enumerate(NAMES.values())}

    save(officer, values)

    assert read(officer)["values"] == values


def test_another_account_of_the_same_office_finds_no_draft(
    world: World, officer: Someone
) -> None:
    colleague = world.add_person(officer.code)
    save(officer, VALUES)

    assert is_missing(colleague)
    assert colleague.ask("DELETE", "/form-drafts/refer").status_code == 204
    assert read(officer)["values"] == VALUES


def test_field_with_several_values_is_read_back_in_order(officer: Someone) -> None:
    values = [{"name": "services", "value": code} for code in ("SHELTER", "MEDICAL")]

    unwrap(officer.ask("PUT", "/form-drafts/refer", {"values": values}))

    assert unwrap(officer.get("/form-drafts/refer"))["values"] == values


def test_deleted_draft_is_gone_and_deleting_it_again_is_no_error(officer: Someone) -> None:
    save(officer, VALUES)
    save(officer, {"kept": "yes"}, form="other")

    for _ in range(2):
        assert officer.ask("DELETE", "/form-drafts/refer").status_code == 204

    assert is_missing(officer)
    assert read(officer, form="other")["values"] == {"kept": "yes"}


def test_draft_ends_after_24_hours_and_the_worker_deletes_it(
    world: World, officer: Someone
) -> None:
    save(officer, VALUES)
    world.advance(hours=23, minutes=59)
    world.run_worker()
    assert read(officer)["values"] == VALUES

    world.advance(minutes=1)
    assert is_missing(officer)
    assert count_rows(world) == 1
    world.run_worker()

    assert count_rows(world) == 0


def test_draft_about_a_case_is_apart_from_one_without(officer: Someone) -> None:
    case = unwrap(officer.create_case())
    save(officer, {"of": "nothing"})
    save(officer, {"of": "the case"}, case=case["code"])

    assert read(officer)["values"] == {"of": "nothing"}
    assert read(officer, case=case["code"])["values"] == {"of": "the case"}


def test_draft_about_a_hidden_case_is_refused_like_one_about_no_case(
    officer: Someone, stranger: Someone
) -> None:
    hidden = unwrap(officer.create_case())["code"]
    invented = "SC-7K3F-9QXM-4T2B-3"
    path, body = "/form-drafts/refer", make_body(VALUES)

    for code in (hidden, invented):
        for method, sent in (("PUT", body), ("GET", None), ("DELETE", None)):
            refused = stranger.ask(method, path, sent, params={"case": code})
            assert get_problem(refused) == (404, "not-found")


def test_draft_about_a_discarded_case_is_erased_with_it(
    world: World, officer: Someone
) -> None:
    case = unwrap(officer.create_case())
    save(officer, VALUES, case=case["code"])

    unwrap(officer.does("discard", case))

    assert count_rows(world) == 0
    assert is_missing(officer, case=case["code"])


def test_draft_records_no_event(officer: Someone) -> None:
    case = unwrap(officer.create_case())
    before = unwrap(officer.get(f"{get_path(case)}/history"))
    cursor = unwrap(officer.get("/events"))["cursor"]

    save(officer, VALUES)
    save(officer, VALUES, case=case["code"])
    read(officer)
    officer.ask("DELETE", "/form-drafts/refer")

    assert unwrap(officer.get(f"{get_path(case)}/history")) == before
    assert unwrap(officer.get("/events", after=cursor))["items"] == []
    assert unwrap(officer.get(get_path(case)))["version"] == case["version"]


def test_draft_over_the_limit_of_an_account_is_refused(officer: Someone) -> None:
    for place in range(MAX_DRAFTS):
        save(officer, VALUES, form=f"form-{place}")

    refused = officer.ask("PUT", "/form-drafts/refer", make_body(VALUES))

    assert get_problem(refused) == (429, "too-many-form-drafts")
    save(officer, {"changed": "yes"}, form="form-0")


@pytest.mark.parametrize("letter", ["a", "ж"])
def test_draft_of_64_kib_is_saved_and_a_larger_one_refused(
    officer: Someone, letter: str
) -> None:
    empty = {f"field-{place}": "" for place in range(9)}
    room = MAX_DRAFT_BYTES - len(json.dumps(make_body(empty)["values"]))
    each = room // 9 // len(letter.encode())
    whole = dict.fromkeys(empty, letter * each)
    rest = room - 9 * each * len(letter.encode())

    save(officer, whole | {"field-0": letter * each + "x" * rest})
    over = whole | {"field-0": letter * each + "x" * (rest + 1)}
    refused = officer.ask("PUT", "/form-drafts/refer", make_body(over))

    assert get_problem(refused) == (422, "request-invalid")


def test_draft_of_an_account_that_may_not_write_cases_is_refused(world: World) -> None:
    analyst = world.add_person("KZ_LEAD", roles=[], scopes=[])

    refused = analyst.ask("PUT", "/form-drafts/refer", make_body(VALUES))

    assert refused.status_code == 403


def test_draft_belongs_to_the_person_and_not_to_the_account(
    world: World, officer: Someone
) -> None:
    same_office, other_office = world.add_person(officer.code), world.add_person("KZ_LEAD")
    with world.database.begin_write() as session:
        for other in (same_office, other_office):
            account = session.get_one(Account, other.actor.account_id)
            account.person_id = officer.actor.person_id
    save(officer, VALUES)

    assert read(same_office)["values"] == VALUES
    assert is_missing(other_office)
