"""Two people enrol a third person, who then has a passkey and a session."""

import pytest

from app.access.passkey_actions import ENROLMENTS_KEPT
from app.administration.enrolments import LIFETIME
from app.kernel.actors import AccountKind, Role
from app.worker.deadline_job import delete_used_challenges
from tests.support.account_changes import get_account_path
from tests.support.passkeys import (
    DEVICE,
    Invited,
    Office,
    begin_enrolment,
    get_person_id,
    sign_in,
    take_session,
)
from tests.support.world import World, unwrap


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def list_states(office: Office) -> list[str]:
    items = unwrap(office.first.get("/enrolments"))["items"]
    return [one["state"] for one in items]


def test_two_people_enrol_a_third_who_then_signs_in(office: Office) -> None:
    made = unwrap(office.begin())
    assert (made["state"], made["confirmed_by"]) == ("waiting", None)
    assert made["link"].startswith("sce_")
    shown = unwrap(office.second.send(f"/enrolments/{made['id']}/confirm"))
    assert (shown["state"], shown["account"]) == ("confirmed", made["account"])
    assert len(shown["code"]) == 9
    invited = Invited(office.world, made["id"], made["link"], shown["code"])

    passkey, opened = invited.redeem()

    assert opened.status_code == 201
    session = take_session(office.newcomer, opened)
    me = unwrap(session.get("/me"))["session"]
    assert me["method"] == "passkey"
    assert list_states(office) == ["redeemed"]
    unwrap(sign_in(office.world, passkey))


def test_administrators_enrol_a_person_of_another_office(world: World) -> None:
    office = Office(world)
    office.first, office.second = (
        world.add_person(code, {Role.ADMINISTRATOR})
        for code in ("DESK_CENTRAL_ASIA", "OVERSIGHT_DEMO")
    )
    _, session = office.enrol()

    assert unwrap(session.get("/me"))["focal_point"] == "KZ_LEAD"
    listed = unwrap(office.first.get("/enrolments", focal_point="KZ_LEAD"))["items"]
    assert [one["state"] for one in listed] == ["redeemed"]


def test_link_and_code_are_shown_once(office: Office) -> None:
    body = {"account": str(office.newcomer.actor.account_id)}
    first, again = (office.first.create("/enrolments", body, "a") for _ in range(2))
    assert first.json()["link"] is not None
    assert again.json() == first.json() | {"link": None}
    path = f"/enrolments/{first.json()['id']}/confirm"

    one, other = (office.second.send(path, idempotency_key="b") for _ in range(2))
    assert one.json()["code"] is not None
    assert other.json() == one.json() | {"code": None}
    [listed] = unwrap(office.first.get("/enrolments"))["items"]
    assert not {"link", "code"} & listed.keys()


@pytest.mark.parametrize("form", ["{}", "{} ", " {}", "lower", "plain", "space", "misread"])
def test_code_is_accepted_as_people_type_it(office: Office, form: str) -> None:
    invited = office.open_enrolment()
    forms = {
        "lower": invited.code.lower(),
        "plain": invited.code.replace("-", ""),
        "space": invited.code.replace("-", " "),
        "misread": invited.code.replace("0", "o").replace("1", "l"),
    }
    typed = forms.get(form, form.format(invited.code))
    allowed = form in {*forms, "{}"}

    assert invited.ask_options(code=typed).status_code == (200 if allowed else 422)


def test_enrolment_is_open_for_24_hours(office: Office) -> None:
    invited = office.open_enrolment()
    office.world.now += LIFETIME
    office.world.advance(seconds=-1)
    unwrap(invited.ask_options())
    office.world.advance(seconds=1)

    assert invited.ask_options().status_code == 401
    assert list_states(office) == ["expired"]
    unwrap(office.begin())


def test_recovery_replaces_all_passkeys_and_ends_all_sessions(office: Office) -> None:
    old, session = office.enrol()
    by_key = take_session(office.newcomer, office.newcomer.send("/sessions", {}))

    new, opened = office.open_enrolment(recovery=True).redeem()

    fresh = take_session(office.newcomer, opened)
    assert [who.get("/me").status_code for who in (session, by_key)] == [401, 401]
    assert sign_in(office.world, old).status_code == 401
    assert len(unwrap(fresh.get("/passkeys"))["items"]) == 1
    unwrap(sign_in(office.world, new))
    events = [one for one in office.first.poll() if one["type"].endswith("_redeemed")]
    assert [one["facts"] for one in events] == [{"recovery": False}, {"recovery": True}]


def test_recovery_that_waits_changes_nothing(office: Office) -> None:
    old, session = office.enrol()
    invited = office.open_enrolment(recovery=True)
    unwrap(invited.ask_options())

    unwrap(session.get("/me"))
    unwrap(sign_in(office.world, old))


def test_recovery_is_for_people_with_passkeys_only(office: Office) -> None:
    mismatch = "/problems/recovery-mismatch"
    assert office.begin(recovery=True).json()["type"] == mismatch
    office.enrol()
    assert office.begin().json()["type"] == mismatch


def test_person_has_one_open_enrolment(office: Office) -> None:
    made = unwrap(office.begin())
    assert office.begin().json()["type"] == "/problems/enrolment-exists"
    unwrap(office.second.send(f"/enrolments/{made['id']}/cancel"))

    unwrap(office.begin())
    assert sorted(list_states(office)) == ["cancelled", "waiting"]


def test_cancelled_enrolment_stays_cancelled(office: Office) -> None:
    invited = office.open_enrolment()
    path = f"/enrolments/{invited.id}"
    for _ in range(2):
        assert unwrap(office.first.send(f"{path}/cancel"))["state"] == "cancelled"
    refused = office.second.send(f"{path}/confirm")

    assert refused.json()["type"] == "/problems/enrolment-ended"
    assert invited.ask_options().status_code == 401
    types = [one["type"] for one in office.first.poll()]
    assert types.count("account.enrolment_cancelled") == 1


def test_redeemed_enrolment_cannot_be_cancelled(office: Office) -> None:
    invited = office.open_enrolment()
    invited.redeem()
    refused = office.first.send(f"/enrolments/{invited.id}/cancel")

    assert refused.json()["type"] == "/problems/enrolment-ended"


def test_machine_and_disabled_account_cannot_be_enrolled(office: Office) -> None:
    machine = office.world.add_person(office.code, kind=AccountKind.INTEGRATION)
    assert office.begin(of=machine).json()["type"] == "/problems/not-a-person"
    unwrap(office.first.send(f"{get_account_path(office.newcomer)}/disable"))

    assert office.begin().json()["type"] == "/problems/account-disabled"


@pytest.mark.parametrize("role", [Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR])
def test_worker_cannot_enrol_confirm_list_or_cancel(office: Office, role: Role) -> None:
    worker = office.world.add_person(office.code, {role})
    made = unwrap(office.begin())
    answers = [
        begin_enrolment(worker, office.newcomer),
        worker.send(f"/enrolments/{made['id']}/confirm"),
        worker.send(f"/enrolments/{made['id']}/cancel"),
        worker.get("/enrolments"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4


def test_supervisor_of_another_office_cannot_see_the_enrolment(office: Office) -> None:
    made = unwrap(office.begin())
    other = office.world.add_person("UZ_LEAD", {Role.SUPERVISOR})
    answers = [
        begin_enrolment(other, office.newcomer),
        other.send(f"/enrolments/{made['id']}/confirm"),
        other.send(f"/enrolments/{made['id']}/cancel"),
        other.get("/enrolments", focal_point=office.code),
    ]
    unknown = other.send(f"/enrolments/{office.newcomer.actor.account_id}/confirm")

    assert [answer.status_code for answer in answers] == [404] * 4
    assert unknown.json()["detail"] == answers[1].json()["detail"]


def test_supervisors_cannot_enrol_an_account_beyond_their_own_rights(
    office: Office,
) -> None:
    administrator = office.world.add_person(office.code, {Role.ADMINISTRATOR})

    assert office.begin(of=administrator).status_code == 403


def test_worker_deletes_enrolments_a_month_after_they_expired(office: Office) -> None:
    office.begin()
    office.world.now += LIFETIME + ENROLMENTS_KEPT
    office.world.advance(seconds=-1)
    for _ in range(2):
        delete_used_challenges(office.world.runtime)
        states = list_states(office)
        office.world.advance(seconds=1)
        if states:
            assert states == ["expired"]

    assert states == []


def test_passkey_of_an_enrolment_belongs_to_the_person(office: Office) -> None:
    made, _ = office.enrol(DEVICE)

    assert made.user_handle == get_person_id(office.newcomer).bytes
