"""`doctor` lists the offices that lack an account for a task, or a second person."""

from datetime import timedelta

import pytest

from app.cli.staffing import NO_SECOND_PERSON, NO_STAFF, list_staffing_gaps
from app.kernel.actors import AccountKind, Role
from tests.support.endings import disable
from tests.support.world import World

KEY_ENDS = timedelta(days=4000)
"""A time after which every key of the world has expired."""


def find_gap(world: World, office: str, sentence: str, after: timedelta) -> str | None:
    """Return the roles that a warning of `doctor` names for an office, or None."""
    with world.database.begin_read() as session:
        lines = list(list_staffing_gaps(session, world.runtime.time(session) + after))
    heading = None
    for line in lines:
        if line.startswith("Warning: "):
            heading = line.partition(" ")[2].partition(" ")[2]
        elif heading == sentence:
            roles, _, codes = line.strip().partition(": ")
            if office in codes.split(", "):
                return roles
    return None


def find_missing_roles(
    world: World, office: str, after: timedelta = timedelta()
) -> str | None:
    return find_gap(world, office, NO_STAFF, after)


def find_missing_approver(world: World, office: str) -> str | None:
    return find_gap(world, office, NO_SECOND_PERSON, timedelta())


@pytest.mark.parametrize(
    ("office", "enough", "missing"),
    [
        ("BZ_LEAD", [{Role.CASEWORKER}, {Role.COORDINATOR}], "caseworker and coordinator"),
        ("KZ_LEGAL_AID", [{Role.CASEWORKER}], "caseworker or coordinator"),
        ("UZ_MFA_CONSULAR", [{Role.OFFICER}], "officer, caseworker or coordinator"),
        ("DESK_CARIBBEAN", [{Role.COORDINATOR}], "coordinator"),
        ("OVERSIGHT_DEMO", [{Role.PROTECTION_OFFICER}], "protection_officer"),
    ],
)
def test_office_without_the_roles_for_its_tasks_is_listed_until_it_has_them(
    world: World, office: str, enough: list[set[Role]], missing: str
) -> None:
    before = find_missing_roles(world, office)

    for roles in enough:
        world.add_person(office, roles)

    assert before == missing
    assert find_missing_roles(world, office) is None


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.OFFICER, Role.ADMINISTRATOR])
def test_office_whose_account_cannot_act_is_listed(world: World, role: Role) -> None:
    world.add_person("KZ_LEGAL_AID", {role})

    assert find_missing_roles(world, "KZ_LEGAL_AID") == "caseworker or coordinator"


def test_lead_with_a_case_worker_alone_lacks_a_coordinator(world: World) -> None:
    world.add_person("BZ_LEAD", {Role.CASEWORKER})

    assert find_missing_roles(world, "BZ_LEAD") == "coordinator"


def test_closed_office_is_not_listed(world: World) -> None:
    before = find_missing_roles(world, "KZ_LEGAL_AID")

    world.close_office("KZ_LEGAL_AID")

    assert before
    assert find_missing_roles(world, "KZ_LEGAL_AID") is None


def test_office_that_is_asked_for_nothing_is_not_listed(world: World) -> None:
    assert find_missing_roles(world, "UZ_CONSULATE_ALMATY") is None


def test_account_whose_key_expired_or_that_is_disabled_does_not_count(world: World) -> None:
    one = world.add_person("KZ_LEGAL_AID", {Role.CASEWORKER})
    expired = find_missing_roles(world, "KZ_LEGAL_AID", KEY_ENDS)
    before = find_missing_roles(world, "KZ_LEGAL_AID")

    disable(one, world.add_person("KZ_LEGAL_AID", {Role.ADMINISTRATOR}))

    assert (expired, before) == ("caseworker or coordinator", None)
    assert find_missing_roles(world, "KZ_LEGAL_AID") == "caseworker or coordinator"


@pytest.mark.parametrize(
    ("office", "first", "second", "missing"),
    [
        ("BZ_LEAD", Role.COORDINATOR, Role.SUPERVISOR, "supervisor"),
        ("DESK_CARIBBEAN", Role.COORDINATOR, Role.COORDINATOR, "coordinator or supervisor"),
        (
            "OVERSIGHT_DEMO",
            Role.PROTECTION_OFFICER,
            Role.SUPERVISOR,
            "supervisor or protection_officer",
        ),
    ],
)
def test_office_with_one_person_for_a_task_of_two_is_listed(
    world: World, office: str, first: Role, second: Role, missing: str
) -> None:
    none = find_missing_approver(world, office)
    world.add_person(office, {first})
    alone = find_missing_approver(world, office)

    world.add_person(office, {second})

    assert (none, alone, find_missing_approver(world, office)) == (None, missing, None)


def test_machine_acts_and_is_no_second_person(world: World) -> None:
    for _ in range(2):
        world.add_person("DESK_CARIBBEAN", {Role.COORDINATOR}, kind=AccountKind.INTEGRATION)

    assert find_missing_roles(world, "DESK_CARIBBEAN") is None
    assert find_missing_approver(world, "DESK_CARIBBEAN") == "coordinator or supervisor"
