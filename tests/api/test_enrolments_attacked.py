"""Attacks on an enrolment. Each attack in `ATTACKS` gets the same 401 response."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from httpx2 import Response

from app.access.models import Account
from app.administration.account_changes import end_account
from app.administration.enrolments import LIFETIME
from app.kernel.actors import Role
from tests.support.account_changes import get_account_path, redeem
from tests.support.authenticators import PRESENT
from tests.support.passkeys import (
    DEVICE,
    Invited,
    Office,
    begin_enrolment,
    request_options,
    sign_in,
    take_session,
)
from tests.support.sessions import add_account_of, add_second_account
from tests.support.world import Someone, World, unwrap

NOT_SECOND: Final = "/problems/not-a-second-person"
WRONG_LINK: Final = "sce_0123456789_" + "A" * 43

type Attack = Callable[[Office], Response]


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def prepare(office: Office) -> tuple[Invited, dict[str, object]]:
    """Return an enrolment, and the valid response of a device to its options."""
    invited = office.open_enrolment()
    return invited, DEVICE.create(unwrap(invited.ask_options()))[1]


def use_expired_link(office: Office) -> Response:
    invited, response = prepare(office)
    office.world.now += LIFETIME
    return invited.send(response)


def use_expired_options(office: Office) -> Response:
    invited, response = prepare(office)
    office.world.advance(minutes=5)
    return invited.send(response)


def use_link_twice(office: Office) -> Response:
    invited, response = prepare(office)
    _, other = DEVICE.create(unwrap(invited.ask_options()))
    unwrap(invited.send(response))
    return invited.send(other)


def use_link_with_another_code(office: Office) -> Response:
    invited, response = prepare(office)
    return invited.send(response, code=make_wrong_code(invited))


def use_code_with_another_link(office: Office) -> Response:
    invited, response = prepare(office)
    return invited.send(response, link=WRONG_LINK)


def use_prefix_with_another_secret(office: Office) -> Response:
    invited, response = prepare(office)
    return invited.send(response, link=invited.link[:-43] + "A" * 43)


def mix_two_enrolments(office: Office) -> Response:
    invited, response = prepare(office)
    other = office.open_enrolment(of=office.world.add_person(office.code))
    return invited.send(response, code=other.code)


def use_options_of_another_enrolment(office: Office) -> Response:
    _, response = prepare(office)
    other = office.open_enrolment(of=office.world.add_person(office.code))
    return other.send(response)


def use_challenge_of_a_sign_in(office: Office) -> Response:
    invited = office.open_enrolment()
    options = unwrap(invited.ask_options())
    wrong = options | {"challenge": request_options(office.world)["challenge"]}
    return invited.send(DEVICE.create(wrong)[1])


def use_device_without_verification(office: Office) -> Response:
    invited = office.open_enrolment()
    bad = DEVICE.replace_parts(flags=PRESENT)
    return invited.send(bad.create(unwrap(invited.ask_options()))[1])


def use_page_of_another_origin(office: Office) -> Response:
    invited = office.open_enrolment()
    bad = DEVICE.replace_parts(origin="https://evil.example")
    return invited.send(bad.create(unwrap(invited.ask_options()))[1])


def use_cancelled_link(office: Office) -> Response:
    invited, response = prepare(office)
    unwrap(office.second.send(f"/enrolments/{invited.id}/cancel"))
    return invited.send(response)


def use_disabled_account(office: Office) -> Response:
    return redeem_after(office, lambda: disable(office, office.newcomer))


def use_link_of_a_disabled_first_person(office: Office) -> Response:
    return redeem_after(office, lambda: disable(office, office.first))


def use_code_of_a_disabled_second_person(office: Office) -> Response:
    return redeem_after(office, lambda: disable(office, office.second))


def use_link_of_a_demoted_first_person(office: Office) -> Response:
    return redeem_after(office, lambda: set_roles(office, office.first, ["officer"]))


def use_account_that_became_an_administrator(office: Office) -> Response:
    """Redeem after the account got a role that the two supervisors may not give."""
    return redeem_after(
        office, lambda: set_roles(office, office.newcomer, ["administrator"])
    )


def use_accounts_that_were_joined(office: Office) -> Response:
    """Redeem after the accounts of the two supervisors were assigned to one person."""
    return redeem_after(office, lambda: join(office, office.first, office.second))


def use_account_of_a_joined_newcomer(office: Office) -> Response:
    return redeem_after(office, lambda: join(office, office.first, office.newcomer))


def redeem_after(office: Office, change: Callable[[], None]) -> Response:
    invited, response = prepare(office)
    change()
    return invited.send(response)


def disable(office: Office, who: Someone) -> None:
    with office.world.write_as_service() as tx:
        end_account(tx, tx.session.get_one(Account, who.actor.account_id))


def set_roles(office: Office, who: Someone, roles: list[str]) -> None:
    with office.world.database.begin_write() as session:
        session.get_one(Account, who.actor.account_id).roles = roles


def join(office: Office, one: Someone, other: Someone) -> None:
    """Assign the second account to the person of the first."""
    with office.world.database.begin_write() as session:
        accounts = [session.get_one(Account, w.actor.account_id) for w in (one, other)]
        accounts[1].person_id = accounts[0].person_id


ATTACKS: Final[dict[str, Attack]] = {
    "expired link": use_expired_link,
    "expired options": use_expired_options,
    "link used twice": use_link_twice,
    "link with another code": use_link_with_another_code,
    "code with another link": use_code_with_another_link,
    "right prefix with another secret": use_prefix_with_another_secret,
    "link of one and code of another enrolment": mix_two_enrolments,
    "options of another enrolment": use_options_of_another_enrolment,
    "challenge of a sign-in": use_challenge_of_a_sign_in,
    "user not verified": use_device_without_verification,
    "other origin": use_page_of_another_origin,
    "cancelled link": use_cancelled_link,
    "disabled account": use_disabled_account,
    "first person disabled": use_link_of_a_disabled_first_person,
    "second person disabled": use_code_of_a_disabled_second_person,
    "first person without the role": use_link_of_a_demoted_first_person,
    "account with more rights": use_account_that_became_an_administrator,
    "first and second are one person": use_accounts_that_were_joined,
    "first person is the newcomer": use_account_of_a_joined_newcomer,
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_registers_no_passkey_and_gets_the_same_answer(
    office: Office, attack: str
) -> None:
    refused = ATTACKS[attack](office)
    ordinary = Invited(office.world, "", WRONG_LINK, "0000-0000").ask_options()

    assert refused.status_code == ordinary.status_code == 401
    assert refused.json() | {"instance": ""} == ordinary.json() | {"instance": ""}
    assert refused.headers["www-authenticate"] == ordinary.headers["www-authenticate"]


def make_wrong_code(invited: Invited) -> str:
    """Return a code that differs from the code of the enrolment in one symbol."""
    return ("2" if invited.code[0] != "2" else "3") + invited.code[1:]


def test_link_without_code_and_code_without_link_are_refused(office: Office) -> None:
    invited = office.open_enrolment()
    for body in ({"link": invited.link}, {"code": invited.code}):
        answer = office.world.http.post("/v1/enrolments/redeem/options", json=body)
        assert answer.status_code == 422
    unconfirmed = unwrap(office.begin(of=office.world.add_person(office.code)))
    alone = Invited(office.world, "", unconfirmed["link"], "0000-0000")

    assert alone.ask_options().status_code == 401


def test_five_wrong_codes_end_the_enrolment(office: Office) -> None:
    invited = office.open_enrolment()
    office.first.poll()
    wrong = make_wrong_code(invited)
    statuses = [invited.ask_options(code=wrong).status_code for _ in range(4)]
    unwrap(invited.ask_options())
    statuses.append(invited.ask_options(code=wrong).status_code)

    assert statuses == [401] * 5
    assert invited.ask_options().status_code == 401
    [listed] = unwrap(office.first.get("/enrolments"))["items"]
    assert listed["state"] == "blocked"
    assert [one["type"] for one in office.first.poll()] == ["account.enrolment_blocked"]
    unwrap(office.begin())


def test_wrong_links_do_not_end_the_enrolment(office: Office) -> None:
    invited = office.open_enrolment()
    wrong = invited.link[:-43] + "A" * 43
    statuses = [invited.ask_options(link=wrong).status_code for _ in range(12)]

    assert statuses == [401] * 10 + [429] * 2
    unwrap(invited.ask_options())


def test_one_person_cannot_be_both(office: Office) -> None:
    made = unwrap(office.begin())
    twin = add_second_account(office.first)
    for who in (office.first, twin):
        refused = who.send(f"/enrolments/{made['id']}/confirm")
        assert (refused.status_code, refused.json()["type"]) == (409, NOT_SECOND)

    unwrap(office.second.send(f"/enrolments/{made['id']}/confirm"))


def test_session_of_the_same_person_cannot_confirm(office: Office) -> None:
    made = unwrap(office.begin())
    session = take_session(office.first, office.first.send("/sessions", {}))
    refused = session.send(f"/enrolments/{made['id']}/confirm")

    assert refused.json()["type"] == NOT_SECOND


def test_holder_of_a_key_that_the_first_person_made_cannot_confirm(
    office: Office,
) -> None:
    """The first person got the link of the key, so confirming with the key is refused."""
    path = f"{get_account_path(office.second)}/keys"
    third = office.world.add_person(office.code, {Role.SUPERVISOR})
    body = {"scopes": ["accounts:write"], "days": 1}
    asked = unwrap(office.first.create(path, body))
    unwrap(third.send(f"/approvals/{asked['id']}/approve"))
    answer = office.first.send(path, body, idempotency_key="k", approval=asked["id"])
    key = unwrap(redeem(office.world, unwrap(answer)["link"]))["key"]
    puppet = replace(office.second, key=key)
    made = unwrap(office.begin())

    refused = puppet.send(f"/enrolments/{made['id']}/confirm")

    assert refused.json()["type"] == NOT_SECOND
    unwrap(third.send(f"/enrolments/{made['id']}/confirm"))


def test_newcomer_cannot_be_the_first_or_the_second(office: Office) -> None:
    boss = office.first
    assert begin_enrolment(boss, boss).json()["type"] == "/problems/about-yourself"
    twin = add_second_account(boss)
    assert begin_enrolment(boss, twin).json()["type"] == "/problems/about-yourself"
    made = unwrap(begin_enrolment(office.second, boss))
    for who in (boss, twin):
        refused = who.send(f"/enrolments/{made['id']}/confirm")
        assert refused.json()["type"] == NOT_SECOND


def test_waiting_link_of_a_disabled_account_cannot_be_confirmed(office: Office) -> None:
    made = unwrap(office.begin())
    disable(office, office.newcomer)
    refused = office.second.send(f"/enrolments/{made['id']}/confirm")

    assert refused.json()["type"] == "/problems/account-disabled"


def test_enrolment_gives_no_second_passkey_to_a_person_who_has_one(
    office: Office,
) -> None:
    """An enrolment is refused once the person has a passkey through another account."""
    office.world.advance(minutes=1)
    invited, response = prepare(office)
    made, session = Office.enrol(replace_newcomer(office, office.first))
    join(office, office.first, office.newcomer)

    assert invited.send(response).status_code == 401
    assert len(unwrap(session.get("/passkeys"))["items"]) == 1
    unwrap(sign_in(office.world, made))


def replace_newcomer(office: Office, newcomer: Someone) -> Office:
    """Return the same office with two other supervisors, and with the given newcomer."""
    other = Office(office.world, office.code)
    other.newcomer = newcomer
    return other


ELSEWHERE: Final = (
    ("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER}),
    ("KZ_LEAD", {Role.ADMINISTRATOR}),
)


@pytest.mark.parametrize(("code", "roles"), ELSEWHERE)
def test_supervisors_cannot_enrol_a_person_with_an_account_beyond_theirs(
    office: Office, code: str, roles: set[Role]
) -> None:
    add_account_of(office.newcomer, code, roles)

    assert office.begin().status_code == 403


@pytest.mark.parametrize(("code", "roles"), ELSEWHERE)
def test_account_beyond_the_supervisors_stops_an_enrolment_under_way(
    office: Office, code: str, roles: set[Role]
) -> None:
    begun = unwrap(office.begin())
    invited = Office(office.world).open_enrolment()
    add_account_of(office.newcomer, code, roles)
    confirmed = office.second.send(f"/enrolments/{begun['id']}/confirm")

    assert confirmed.status_code == 403
    assert invited.ask_options().status_code == 200
    other = Office(office.world)
    late = other.open_enrolment()
    add_account_of(other.newcomer, code, roles)
    assert late.ask_options().status_code == 401


def test_recovery_ends_what_a_stolen_passkey_gave_to_others(world: World) -> None:
    office, accomplice = Office(world), Office(world)
    _, stolen = office.enrol()
    with world.database.begin_write() as session:
        row = session.get_one(Account, stolen.actor.account_id)
        row.roles = ["supervisor"]
    begun = unwrap(begin_enrolment(accomplice.first, accomplice.newcomer))
    code = unwrap(stolen.send(f"/enrolments/{begun['id']}/confirm"))["code"]
    invited = Invited(world, begun["id"], begun["link"], code)
    assert invited.ask_options().status_code == 200

    _, recovered = office.open_enrolment(recovery=True).redeem()
    unwrap(recovered)

    assert invited.ask_options().status_code == 401
