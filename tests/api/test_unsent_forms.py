"""Tests of unsent forms. An expired session can save such a form, but do nothing else."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from httpx2 import Response
from sqlalchemy import func, select

from app.access.models import Account, UserSession
from app.cases.form_schemas import MAX_DRAFT_BYTES
from app.cases.records import FormDraft
from app.cases.unsent_forms import MAX_UNSENT
from app.kernel.actors import SERVICE, Role
from tests.support.real_names import NAMES
from tests.support.sessions import add_account_of, add_second_account, get_session, sign_in
from tests.support.world import Json, Someone, World, get_path, get_problem, unwrap

TYPED = '["/console/x", [["narrative", "She left at night "]]] '


def keep(who: Someone, content: str = TYPED, **about: str) -> Response:
    return who.ask("POST", "/unsent-forms", {"content": content, **about})


def list_forms(who: Someone) -> list[Json]:
    return list(unwrap(who.get("/unsent-forms"))["items"])


def read_rows(world: World) -> list[FormDraft]:
    with world.database.begin_read(SERVICE) as session:
        return list(session.scalars(select(FormDraft)).all())


def read_session(who: Someone) -> UserSession:
    prefix = who.key.split("_")[1]
    with who.world.database.begin_read(SERVICE) as session:
        return session.get_one(UserSession, prefix)


@pytest.mark.parametrize(
    "ended", [{"minutes": 15}, {"hours": 8}, {"hours": 8, "minutes": 14}]
)
def test_session_that_ended_by_itself_saves_a_form_and_nothing_else(
    world: World, officer: Someone, ended: dict[str, int]
) -> None:
    session = sign_in(officer)
    world.advance(**ended)

    saved = unwrap(keep(session))

    assert set(saved) == {"saved_at", "expires_at"}
    assert session.get("/unsent-forms").status_code == 401
    assert session.ask("DELETE", "/unsent-forms/refer").status_code == 401
    assert session.get("/me").status_code == 401
    assert session.create_case().status_code == 401
    [found] = list_forms(sign_in(officer))
    assert found["content"] == TYPED


def test_saving_a_form_does_not_renew_the_session(world: World, officer: Someone) -> None:
    live, ended = sign_in(officer), sign_in(officer)
    seen_at = read_session(live).seen_at
    world.advance(minutes=14)
    unwrap(keep(live))
    world.advance(minutes=1)
    for _ in range(2):
        unwrap(keep(ended))

    assert read_session(live).seen_at == read_session(ended).seen_at == seen_at
    assert ended.get("/me").status_code == live.get("/me").status_code == 401


def test_session_cannot_save_a_form_8_hours_after_its_end(
    world: World, officer: Someone
) -> None:
    session = sign_in(officer)
    world.advance(hours=8, minutes=15)

    assert keep(session).status_code == 401
    assert read_rows(world) == []


def sign_out(session: Someone, _: Someone) -> None:
    session.send("/sessions/end")


def sign_out_everywhere(_: Someone, officer: Someone) -> None:
    sign_in(officer).send("/sessions/end-all")


def end_elsewhere(session: Someone, officer: Someone) -> None:
    sign_in(officer).send(f"/sessions/{get_session(session)['id']}/end")


def replace_session(session: Someone, officer: Someone) -> None:
    sign_in(officer, replaces=get_session(session)["id"])


def disable_account(session: Someone, _: Someone) -> None:
    change_account(session, disabled_at=session.world.now)


def give_account_away(session: Someone, officer: Someone) -> None:
    other = officer.world.add_person(officer.code)
    change_account(session, person_id=other.actor.person_id)


def change_account(session: Someone, **values: object) -> None:
    with session.world.database.begin_write() as write:
        account = write.get_one(Account, session.actor.account_id)
        for name, value in values.items():
            setattr(account, name, value)


def revoke_key(_: Someone, officer: Someone) -> None:
    administrator = officer.world.add_person(officer.code, {Role.ADMINISTRATOR})
    path = f"/accounts/{officer.actor.account_id}/keys/{officer.key.split('_')[1]}/revoke"
    unwrap(administrator.send(path, {}))


ENDS = [
    sign_out,
    sign_out_everywhere,
    end_elsewhere,
    replace_session,
    disable_account,
    give_account_away,
    revoke_key,
]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("minutes", [0, 20])
def test_session_that_somebody_ended_saves_nothing(
    officer: Someone, end: Callable[[Someone, Someone], None], minutes: int
) -> None:
    session = sign_in(officer)
    end(session, officer)
    officer.world.advance(minutes=minutes)

    assert keep(session).status_code == 401
    assert read_rows(officer.world) == []


def test_only_the_same_person_at_the_same_office_sees_the_form(
    world: World, officer: Someone
) -> None:
    unwrap(keep(officer))
    colleague = world.add_person(officer.code)
    [form] = list_forms(officer)
    elsewhere = add_account_of(officer, "KZ_LEAD", officer.actor.roles)

    assert list_forms(colleague) == list_forms(elsewhere) == []
    for other in (colleague, elsewhere):
        path = f"/unsent-forms/{form['form']}"
        assert other.ask("DELETE", path).status_code == 204
    assert list_forms(add_second_account(officer)) == [form]


def test_form_is_deleted_once(officer: Someone) -> None:
    unwrap(keep(officer))
    [form] = list_forms(officer)
    for _ in range(2):
        assert officer.ask("DELETE", f"/unsent-forms/{form['form']}").status_code == 204

    assert list_forms(officer) == []


def test_form_does_not_replace_another_and_the_same_is_stored_once(
    world: World, officer: Someone
) -> None:
    for content in (TYPED, f"{TYPED} ", TYPED):
        unwrap(keep(officer, content))
        world.advance(minutes=1)

    assert [one["content"] for one in list_forms(officer)] == [TYPED, f"{TYPED} "]


def test_ended_session_saves_a_bounded_number_and_takes_no_room_of_drafts(
    world: World, officer: Someone
) -> None:
    session = sign_in(officer)
    world.advance(minutes=15)
    for number in range(MAX_UNSENT):
        unwrap(keep(session, f"form {number}"))

    refused = keep(session, "one more")

    assert get_problem(refused) == (429, "too-many-unsent-forms")
    assert len(list_forms(officer)) == MAX_UNSENT
    for number in range(20):
        body: Json = {"values": []}
        unwrap(officer.ask("PUT", f"/form-drafts/form-{number}", body))
    world.advance(hours=24)
    unwrap(keep(officer, "after a day"))
    assert [one["content"] for one in list_forms(officer)] == ["after a day"]
    world.run_worker()
    assert len(read_rows(world)) == 1


@pytest.mark.parametrize("letter", ["a", "ж"])
def test_form_of_64_kib_is_saved_and_a_larger_one_refused(
    officer: Someone, letter: str
) -> None:
    largest = letter * (MAX_DRAFT_BYTES // len(letter.encode()))
    unwrap(keep(officer, largest))

    refused = keep(officer, f"{largest}{letter}")

    assert refused.status_code == 422
    assert letter * 10 not in refused.text
    assert [one["content"] for one in list_forms(officer)] == [largest]


def test_names_in_many_scripts_are_read_back_unchanged(officer: Someone) -> None:
    content = "\n".join(NAMES.values())
    unwrap(keep(officer, content))

    assert [one["content"] for one in list_forms(officer)] == [content]


def test_form_about_a_case_is_erased_with_it(world: World, officer: Someone) -> None:
    case = unwrap(officer.create_case())
    unwrap(keep(officer, record=get_path(case)[1:]))
    unwrap(keep(officer, "about no case"))
    assert len(list_forms(officer)) == len(("of the case", "about no case"))

    unwrap(officer.does("discard", case))
    world.run_worker()

    assert [one["content"] for one in list_forms(officer)] == ["about no case"]


def test_form_about_a_referral_is_bound_to_its_case(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    referral = unwrap(lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID"))
    unwrap(keep(lead, record=f"referrals/{referral['id']}"))
    with world.database.begin_read(SERVICE) as session:
        bound = session.scalar(select(func.count()).where(FormDraft.case_id.is_not(None)))

    assert bound == 1
    assert [one["content"] for one in list_forms(lead)] == [TYPED]


def test_ended_session_does_not_learn_whether_a_record_exists(
    world: World, officer: Someone, lead: Someone
) -> None:
    code = unwrap(officer.create_case())["code"]
    session = sign_in(lead)
    world.advance(minutes=15)
    records = (f"cases/{code}", "cases/SC-0000", f"referrals/{uuid4()}", "returns/x")
    answers = [keep(session, f"{record}", record=record) for record in records]

    assert {answer.text for answer in answers} == {answers[0].text}
    assert {answer.status_code for answer in answers} == {200}
    assert {row.case_id for row in read_rows(world)} == {None}


def test_every_role_can_save_a_form(world: World) -> None:
    for role in Role:
        of = "OVERSIGHT_DEMO" if role in {"analyst", "protection_officer"} else "KZ_LEAD"
        session = sign_in(world.add_person(of, {role}))
        world.advance(minutes=15)
        assert keep(session).status_code == 200
