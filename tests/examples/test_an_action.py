"""What every action of a life cycle is tested for, mostly with the action `acknowledge`.

A consulate has submitted a case. The service offers it to the focal point of the country,
which has to acknowledge it within three hours. In paths an action has hyphens, in documents
underscores: `/accept-lead`, `accept_lead`.
"""

from app.kernel.actors import Role
from tests.support.world import Json, Someone, World, consent, done, kinds, path_of, problem

HIDDEN = (404, "not-found")
"""The answer to an office without a part in the case; it does not say that it exists."""


def test_it_works_and_says_what_is_possible_next(officer: Someone, lead: Someone) -> None:
    case = officer.submits()

    acknowledged = done(lead.does("acknowledge", case))

    assert acknowledged["state"] == "under_review"
    possible = {one["action"] for one in acknowledged["available_actions"]}
    assert {"accept_lead", "decline_lead"} <= possible


def test_the_others_hear_of_it_by_polling(officer: Someone, lead: Someone) -> None:
    case = officer.submits()
    officer.hears()

    done(lead.does("acknowledge", case))

    [event] = officer.hears()
    assert (event["type"], event["subject"]) == (
        "case.acknowledged",
        f"cases/{case['code']}",
    )


def test_a_stranger_is_not_told_that_the_case_exists(
    officer: Someone, stranger: Someone
) -> None:
    case = officer.submits()

    assert problem(stranger.does("acknowledge", case)) == HIDDEN


def test_whoever_has_another_part_in_it_may_not(officer: Someone) -> None:
    """The consulate sees the case that it submitted, but only the candidate may take it."""
    case = officer.submits()

    assert problem(officer.does("acknowledge", case)) == (403, "action-not-yours")


def test_it_takes_a_role_that_works_on_cases(world: World, officer: Someone) -> None:
    case = officer.submits()
    supervisor = world.someone("KZ_LEAD", {Role.SUPERVISOR})

    assert problem(supervisor.does("acknowledge", case)) == (403, "role-missing")


def test_in_another_state_it_is_refused(officer: Someone, lead: Someone) -> None:
    case = officer.submits()
    done(lead.does("acknowledge", case))

    assert problem(lead.does("acknowledge", case)) == (409, "action-illegal")


def test_nobody_acts_on_what_has_changed_since_they_read_it(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits()
    old = lead.tag(case)
    done(lead.does("acknowledge", case))

    path, body = f"{path_of(case)}/decline-lead", {"reason": "NO_CAPACITY"}
    stale = lead.post(path, body, if_match=old)
    unread = lead.post(path, body)

    assert problem(stale) == (412, "version-stale")
    assert problem(unread) == (428, "version-not-given")


def test_a_client_that_lost_the_answer_asks_again_and_it_is_done_once(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits()
    path, seen = f"{path_of(case)}/acknowledge", lead.tag(case)

    first, second = (
        lead.post(path, None, if_match=seen, idempotency_key="one") for _ in range(2)
    )

    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert kinds(officer.hears()).count("case.acknowledged") == 1


def test_what_it_needs_is_named_where_it_is_missing(officer: Someone) -> None:
    """The action is `submit`: it needs a consent of an adult."""
    case: Json = done(officer.writes_case(consents=[]))

    refused = officer.does("submit", case)

    assert problem(refused) == (409, "needs-unmet")
    [missing] = refused.json()["unmet"]
    assert (missing["need"], missing["by"]) == ("consent_to_refer", "submitter")


def test_who_does_not_answer_in_time_loses_it_to_the_next(
    world: World, officer: Someone, lead: Someone
) -> None:
    """`waits_for` moves the clock of the world; the worker then does what is due.

    SANA_SEZIM is an NGO of the demonstration directory that may lead cases in Kazakhstan.
    """
    ngos = consent(recipient_class={"kind": "non_state", "country": "KZ"})
    case = officer.submits(consents=[consent(), ngos])

    world.waits_for(hours=3)

    assert officer.sees(case)["holder"] == "SANA_SEZIM"
    assert problem(lead.get(path_of(case))) == HIDDEN
