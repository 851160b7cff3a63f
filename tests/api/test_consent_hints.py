"""A consent that does not count at the person's age says so, and whose word does."""

from tests.support.world import Json, Someone, consent, done, lacks, path_of

CHILD: Json = {"age_class": "presumed_child"}
GUARDIAN: Json = {"given_by": "guardian_with_assent"}


def turns_out_to_be(who: Someone, case: Json, age_class: str) -> None:
    seen = {"If_Match": who.tag(case)}
    done(who.ask("PATCH", path_of(case), {"age_class": age_class}, headers=seen))


def records(who: Someone, case: Json, **changes: object) -> Json:
    return done(who.creates(f"{path_of(case)}/consents", consent(**changes)))


def listed(who: Someone, case: Json) -> list[Json | None]:
    """The hints of all consents that somebody finds, oldest first."""
    return [
        one["not_yet"] and {k: one["not_yet"][k] for k in ("counts_once", "given_by")}
        for one in done(who.get(f"{path_of(case)}/consents"))["items"]
    ]


def test_own_word_of_a_child_is_kept_and_the_answer_says_whose_word_counts(
    officer: Someone,
) -> None:
    draft = done(officer.writes_case(notice=CHILD, consents=[]))

    recorded = records(officer, draft)

    assert recorded["given_by"] == "person"
    hint = recorded["not_yet"]
    assert hint["counts_once"] == "adult"
    assert hint["given_by"] == ["best_interests_decision", "guardian_with_assent"]
    assert "consent of a guardian" in hint["remedy"]
    assert lacks(officer.does("submit", draft)) == [("consent_to_refer", "submitter")]
    assert done(officer.get(f"{path_of(draft)}/consents"))["items"] == [recorded]


def test_hint_is_gone_once_the_person_is_found_to_be_an_adult(officer: Someone) -> None:
    draft = done(officer.writes_case(notice=CHILD, consents=[]))
    records(officer, draft)

    turns_out_to_be(officer, draft, "adult")

    assert listed(officer, draft) == [None]
    assert done(officer.does("submit", draft))["state"] == "submitted"


def test_word_of_a_guardian_has_a_hint_once_the_person_is_an_adult(
    officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits(notice=CHILD, consents=[consent(**GUARDIAN)]))
    assert listed(lead, case) == [None]

    turns_out_to_be(lead, case, "adult")

    assert listed(lead, case) == [{"counts_once": "child", "given_by": ["person"]}]


def test_consent_that_was_taken_back_has_no_hint(officer: Someone) -> None:
    draft = done(officer.writes_case(notice=CHILD, consents=[]))
    recorded = records(officer, draft)

    path = f"{path_of(draft)}/consents/{recorded['id']}/withdraw"
    assert done(officer.post(path))["not_yet"] is None


def test_submitter_that_no_longer_follows_does_not_learn_that_the_age_changed(
    officer: Someone, lead: Someone
) -> None:
    """It still lists the consents that it recorded; its summary is the one it sent."""
    given = [consent(**GUARDIAN), consent(purposes=["HANDOVER"])]
    cases = [lead.leads(officer.submits(notice=CHILD, consents=given)) for _ in "12"]
    turns_out_to_be(lead, cases[0], "adult")

    one, other = (listed(officer, case) for case in cases)

    assert one == other == [None, None]
    assert listed(lead, cases[0]) != listed(lead, cases[1])
