"""Tests of default contacts, which an acceptance without `contacts` uses (ADR 57)."""

import pytest
from httpx2 import Response
from sqlalchemy import select

from app.access.models import Account
from app.cases.models import DefaultContacts
from app.kernel.actors import Role, Scope
from tests.support.world import (
    EVERYTHING,
    Json,
    Someone,
    World,
    get_actions,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_acceptance,
    make_consent,
    make_contacts,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
USUAL = make_contacts("Первая смена", "Вторая смена")
OTHER = make_contacts("Third shift", "Fourth shift")
REMEDY = "PUT /v1/focal-points/{code}/default-contacts"


def put_contacts(
    who: Someone, contacts: list[Json] | None, of: str = "", key: str = ""
) -> Response:
    path = f"/focal-points/{of or who.code}/default-contacts"
    headers = {"Idempotency_Key": key} if key else {}
    return who.ask("PUT", path, {"contacts": contacts}, headers=headers)


def get_contacts(who: Someone, of: str = "") -> Response:
    return who.get(f"/focal-points/{of or who.code}/default-contacts")


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return an acknowledged case with consents to services and to a handover to IOM."""
    given = [make_consent(), make_service_consent(), make_handover_consent("IOM")]
    case = officer.submit(consents=given)
    return unwrap(lead.does("acknowledge", case))


def list_asked(who: Someone, record: Json, action: str) -> list[str]:
    return list(get_actions(who.read(record))[action]["asks"])


def test_lead_accepts_without_contacts_and_the_default_is_copied(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    assert list_asked(lead, case, "accept_lead") == ["two_contacts"]
    unwrap(put_contacts(lead, USUAL))
    assert list_asked(lead, case, "accept_lead") == []

    unwrap(lead.does("accept-lead", case, {}))

    referral = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", referral, make_acceptance()))
    path = f"{get_path(case)}/contacts"
    assert unwrap(shelter.open(path))["contacts"] == USUAL
    unwrap(put_contacts(lead, OTHER))
    assert unwrap(shelter.open(path))["contacts"] == USUAL
    unwrap(put_contacts(lead, None))
    assert unwrap(lead.open(path))["contacts"] == USUAL


@pytest.mark.parametrize("body", [{}, {"contacts": None}])
def test_acceptance_without_contacts_and_default_says_what_to_send(
    lead: Someone, case: Json, body: Json
) -> None:
    refused = lead.does("accept-lead", case, body)

    assert get_problem(refused) == (409, "needs-unmet")
    assert get_unmet(refused) == [("two_contacts", "candidate")]
    [unmet] = refused.json()["unmet"]
    assert "`contacts`" in unmet["remedy"]
    assert REMEDY in unmet["remedy"]
    assert lead.read(case)["state"] == "under_review"


def test_contacts_of_the_request_take_precedence(lead: Someone, case: Json) -> None:
    unwrap(put_contacts(lead, USUAL))

    twice = lead.does("accept-lead", case, {"contacts": make_contacts("Ana", "Ana")})
    unwrap(lead.does("accept-lead", case, {"contacts": OTHER}))

    assert get_unmet(twice) == [("two_contacts", "candidate")]
    assert unwrap(lead.open(f"{get_path(case)}/contacts"))["contacts"] == OTHER


def test_recipient_accepts_a_referral_without_contacts(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))
    referral = unwrap(lead.refer(case, SHELTER))
    bare = {"meeting": make_acceptance()["meeting"]}
    refused = shelter.does("accept", referral, bare)
    unwrap(put_contacts(shelter, USUAL))

    accepted = unwrap(shelter.does("accept", referral, bare))

    assert get_unmet(refused) == [("two_contacts", "recipient")]
    assert accepted["state"] == "accepted"
    opened = unwrap(lead.open(f"{get_path(referral)}/arrangement"))["content"]
    assert opened == {"meeting": opened["meeting"], "contacts": USUAL}


def test_new_lead_accepts_a_handover_without_contacts(
    world: World, lead: Someone, case: Json
) -> None:
    iom = world.add_person("IOM")
    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))
    offered = unwrap(lead.offer(case, "IOM"))
    bare = {"capacity_confirmed": make_takeover()["capacity_confirmed"]}
    assert list_asked(iom, offered, "accept") == ["two_contacts", "capacity"]
    refused = iom.does("accept", offered, bare)
    unwrap(put_contacts(iom, USUAL))
    assert list_asked(iom, offered, "accept") == ["capacity"]

    unwrap(iom.does("accept", offered, bare))

    assert get_unmet(refused) == [("two_contacts", "handover_candidate")]
    assert unwrap(iom.open(f"{get_path(case)}/contacts"))["contacts"] == USUAL


def test_default_of_one_office_is_not_used_by_another(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    unwrap(put_contacts(shelter, USUAL))

    assert get_unmet(lead.does("accept-lead", case, {})) == [("two_contacts", "candidate")]
    assert list_asked(lead, case, "accept_lead") == ["two_contacts"]


def test_office_reads_what_it_set_until_it_removes_it(lead: Someone) -> None:
    none = {"focal_point": "KZ_LEAD", "contacts": None, "written_at": None}
    assert unwrap(get_contacts(lead)) == none

    stored = unwrap(put_contacts(lead, USUAL))

    at = "2026-06-01T12:00:00Z"
    assert stored == {"focal_point": "KZ_LEAD", "contacts": USUAL, "written_at": at}
    assert unwrap(get_contacts(lead)) == stored
    assert unwrap(put_contacts(lead, None)) == none
    assert unwrap(get_contacts(lead)) == none
    assert unwrap(put_contacts(lead, None)) == none


@pytest.mark.parametrize(
    "contacts",
    [[], USUAL[:1], [*USUAL, *USUAL, *USUAL], make_contacts("Ana", "Ana"), "none"],
)
def test_default_that_could_not_be_accepted_is_refused(
    lead: Someone, contacts: list[Json]
) -> None:
    refused = put_contacts(lead, contacts)

    assert get_problem(refused) == (422, "request-invalid")
    assert unwrap(get_contacts(lead))["contacts"] is None


def test_other_offices_neither_read_nor_write_them(lead: Someone, shelter: Someone) -> None:
    unwrap(put_contacts(lead, USUAL))

    for of, expected in (
        ("KZ_LEAD", (403, "action-not-yours")),
        ("X1", (404, "not-found")),
    ):
        assert get_problem(get_contacts(shelter, of)) == expected
        assert get_problem(put_contacts(shelter, OTHER, of)) == expected
    assert unwrap(get_contacts(lead))["contacts"] == USUAL


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [
        (Role.COORDINATOR, True, True),
        (Role.CASEWORKER, True, False),
        (Role.OFFICER, True, False),
        (Role.SUPERVISOR, False, False),
        (Role.PROTECTION_OFFICER, False, False),
    ],
)
def test_coordinator_sets_them_and_roles_that_work_on_cases_read_them(
    world: World, role: Role, *, reads: bool, writes: bool
) -> None:
    one = world.add_person("KZ_LEAD", {role})

    written, read = put_contacts(one, USUAL), get_contacts(one)

    assert (read.is_success, written.is_success) == (reads, writes)
    for answer, may in ((written, writes), (read, reads)):
        assert may or get_problem(answer) == (403, "role-missing")


def test_each_operation_needs_its_scope(world: World) -> None:
    reader = world.add_person("KZ_LEAD", scopes=EVERYTHING - {Scope.DIRECTORY_WRITE})
    writer = world.add_person("KZ_LEAD", scopes=EVERYTHING - {Scope.DIRECTORY_READ})

    assert get_problem(put_contacts(reader, USUAL)) == (403, "forbidden")
    assert get_problem(get_contacts(writer)) == (403, "forbidden")
    assert unwrap(put_contacts(writer, USUAL))["contacts"] == USUAL


def test_change_is_an_event_for_the_office_and_oversight_without_content(
    world: World, lead: Someone, shelter: Someone
) -> None:
    colleague = world.add_person("KZ_LEAD", {Role.CASEWORKER})
    overseer = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    for one in (colleague, overseer, shelter):
        one.poll()

    unwrap(put_contacts(lead, USUAL))

    for one in (colleague, overseer):
        [event] = one.poll()
        assert event["type"] == "focal_point.default_contacts_changed"
        assert (event["subject"], event["facts"]) == ("focal-points/KZ_LEAD", {})
    assert list_types(shelter.poll()) == []


def test_late_retry_does_not_restore_older_contacts(lead: Someone) -> None:
    unwrap(put_contacts(lead, USUAL, key="first"))
    unwrap(put_contacts(lead, OTHER, key="second"))

    retried = put_contacts(lead, USUAL, key="first")

    assert retried.headers["Idempotent-Replayed"] == "true"
    assert unwrap(retried)["contacts"] == OTHER


def test_contacts_are_bound_to_their_office(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    """Contacts that were copied to the row of another office cannot be opened there."""
    unwrap(put_contacts(lead, USUAL))
    unwrap(put_contacts(shelter, OTHER))
    with world.database.begin_write() as session:
        every = {
            row.focal_point_id: row for row in session.scalars(select(DefaultContacts))
        }
        of_lead, of_shelter = every[lead.id], every[shelter.id]
        of_lead.wrapped, of_lead.sealed = of_shelter.wrapped, of_shelter.sealed

    assert unwrap(get_contacts(lead))["contacts"] is None
    assert get_unmet(lead.does("accept-lead", case, {})) == [("two_contacts", "candidate")]


def test_retry_is_not_answered_to_an_account_that_may_no_longer_read(
    world: World, lead: Someone
) -> None:
    unwrap(put_contacts(lead, USUAL, key="first"))
    with world.write_as_service() as tx:
        account = tx.session.get_one(Account, lead.actor.account_id)
        account.roles = [Role.ADMINISTRATOR]

    retried = put_contacts(lead, USUAL, key="first")

    assert get_problem(retried) == (403, "role-missing")
