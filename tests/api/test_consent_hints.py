"""Tests of the hints on consents that are invalid at the person's age."""

from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_unmet,
    make_consent,
    unwrap,
    unwrap_only,
)

CHILD: Json = {"age_class": "presumed_child"}
GUARDIAN: Json = {"given_by": "guardian_with_assent"}


def set_age_class(who: Someone, case: Json, age_class: str) -> None:
    seen = {"If_Match": who.get_tag(case)}
    unwrap(who.ask("PATCH", get_path(case), {"age_class": age_class}, headers=seen))


def record_consent(who: Someone, case: Json, **changes: object) -> Json:
    return unwrap_only(who.create(f"{get_path(case)}/consents", make_consent(**changes)))


def list_hints(who: Someone, case: Json) -> list[Json | None]:
    """Return the hint, or None, of each consent that an office can list, oldest first."""
    return [
        one["not_yet"] and {k: one["not_yet"][k] for k in ("counts_when", "given_by")}
        for one in unwrap(who.get(f"{get_path(case)}/consents"))["items"]
    ]


def test_own_word_of_a_child_is_kept_and_the_answer_says_whose_word_counts(
    officer: Someone,
) -> None:
    draft = unwrap(officer.create_case(summary=CHILD, consents=[]))

    recorded = record_consent(officer, draft)

    assert recorded["given_by"] == "person"
    hint = recorded["not_yet"]
    assert hint["counts_when"] == "adult"
    assert hint["given_by"] == ["best_interests_decision", "guardian_with_assent"]
    assert "consent of a guardian" in hint["remedy"]
    assert get_unmet(officer.does("submit", draft)) == [("consent_to_refer", "submitter")]
    assert unwrap(officer.get(f"{get_path(draft)}/consents"))["items"] == [recorded]


def test_hint_is_gone_once_the_person_is_found_to_be_an_adult(officer: Someone) -> None:
    draft = unwrap(officer.create_case(summary=CHILD, consents=[]))
    record_consent(officer, draft)

    set_age_class(officer, draft, "adult")

    assert list_hints(officer, draft) == [None]
    assert unwrap(officer.does("submit", draft))["state"] == "submitted"


def test_word_of_a_guardian_has_a_hint_once_the_person_is_an_adult(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(
        officer.submit(summary=CHILD, consents=[make_consent(**GUARDIAN)])
    )
    assert list_hints(lead, case) == [None]

    set_age_class(lead, case, "adult")

    assert list_hints(lead, case) == [{"counts_when": "child", "given_by": ["person"]}]


def test_consent_that_was_taken_back_has_no_hint(officer: Someone) -> None:
    draft = unwrap(officer.create_case(summary=CHILD, consents=[]))
    recorded = record_consent(officer, draft)

    path = f"{get_path(draft)}/consents/{recorded['id']}/withdraw"
    assert unwrap(officer.send(path))["not_yet"] is None


def test_submitter_that_no_longer_follows_does_not_learn_that_the_age_changed(
    officer: Someone, lead: Someone
) -> None:
    """Once a case has a lead, its submitter gets no hint that the age class has changed."""
    given = [make_consent(**GUARDIAN), make_consent(purposes=["HANDOVER"])]
    cases = [lead.take_lead(officer.submit(summary=CHILD, consents=given)) for _ in "12"]
    set_age_class(lead, cases[0], "adult")

    one, other = (list_hints(officer, case) for case in cases)

    assert one == other == [None, None]
    assert list_hints(lead, cases[0]) != list_hints(lead, cases[1])
