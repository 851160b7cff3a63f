"""The tests that every action of a life cycle needs, mostly for the action `acknowledge`.

A consulate has submitted a case. The service offers the case to the focal point of the
country, which has to acknowledge it within three hours. The name of an action has hyphens
in paths and underscores in documents: `/accept-lead`, `accept_lead`.
"""

from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_consent,
    unwrap,
)

HIDDEN = (404, "not-found")
"""The response to an office that is not a party of the case, as if no case existed."""


def test_it_works_and_says_what_is_possible_next(officer: Someone, lead: Someone) -> None:
    case = officer.submit()

    acknowledged = unwrap(lead.does("acknowledge", case))

    assert acknowledged["state"] == "under_review"
    possible = {one["action"] for one in acknowledged["available_actions"]}
    assert {"accept_lead", "decline_lead"} <= possible


def test_the_others_hear_of_it_by_polling(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    officer.poll()

    unwrap(lead.does("acknowledge", case))

    [event] = officer.poll()
    assert (event["type"], event["subject"]) == (
        "case.acknowledged",
        f"cases/{case['code']}",
    )


def test_a_stranger_is_not_told_that_the_case_exists(
    officer: Someone, stranger: Someone
) -> None:
    case = officer.submit()

    assert get_problem(stranger.does("acknowledge", case)) == HIDDEN


def test_whoever_has_another_part_in_it_may_not(officer: Someone) -> None:
    """The consulate that submitted a case cannot acknowledge it, and gets status 403."""
    case = officer.submit()

    assert get_problem(officer.does("acknowledge", case)) == (403, "action-not-yours")


def test_it_takes_a_role_that_works_on_cases(world: World, officer: Someone) -> None:
    case = officer.submit()
    supervisor = world.add_person("KZ_LEAD", {Role.SUPERVISOR})

    assert get_problem(supervisor.does("acknowledge", case)) == (403, "role-missing")


def test_in_another_state_it_is_refused(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    unwrap(lead.does("acknowledge", case))

    assert get_problem(lead.does("acknowledge", case)) == (409, "action-illegal")


def test_nobody_acts_on_what_has_changed_since_they_read_it(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    old = lead.get_tag(case)
    unwrap(lead.does("acknowledge", case))

    path, body = f"{get_path(case)}/decline-lead", {"reason": "NO_CAPACITY"}
    stale = lead.send(path, body, if_match=old)
    unread = lead.send(path, body)

    assert get_problem(stale) == (412, "version-stale")
    assert get_problem(unread) == (428, "version-not-given")


def test_a_client_that_lost_the_answer_asks_again_and_it_is_done_once(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    path, seen = f"{get_path(case)}/acknowledge", lead.get_tag(case)

    first, second = (
        lead.send(path, None, if_match=seen, idempotency_key="one") for _ in range(2)
    )

    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert list_types(officer.poll()).count("case.acknowledged") == 1


def test_what_it_needs_is_named_where_it_is_missing(officer: Someone) -> None:
    """A refused `submit` names the consent of the adult as the unmet requirement."""
    case: Json = unwrap(officer.create_case(consents=[]))

    refused = officer.does("submit", case)

    assert get_problem(refused) == (409, "needs-unmet")
    [missing] = refused.json()["unmet"]
    assert (missing["requirement"], missing["by"]) == ("consent_to_refer", "submitter")


def test_who_does_not_answer_in_time_loses_it_to_the_next(
    world: World, officer: Someone, lead: Someone
) -> None:
    """If the candidate does not acknowledge the case in time, the next office gets it.

    `wait` advances the clock of the world and runs the worker. SANA_SEZIM is an NGO of the
    demonstration directory that can lead cases in Kazakhstan.
    """
    ngos = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
    case = officer.submit(consents=[make_consent(), ngos])

    world.wait(hours=3)

    assert officer.read(case)["holder"] == "SANA_SEZIM"
    assert get_problem(lead.get(get_path(case))) == HIDDEN
