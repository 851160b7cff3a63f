"""Remedies mention children only if the person may be a child."""

import json

import pytest

from tests.support.returns import begin_return
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
WORDS = ("child", "guardian", "best interests")


def speaks_of_children(refused_or_shown: Json) -> bool:
    """Return whether any remedy in a JSON document mentions children."""
    text = json.dumps(refused_or_shown.get("unmet", refused_or_shown))
    remedies = [part.split('"')[0] for part in text.split('"remedy": "')[1:]]
    assert remedies
    return any(word in one for one in remedies for word in WORDS)


def get_unmet_problem(answer: object) -> Json:
    """Return the problem document of a refusal because of unmet requirements."""
    assert get_problem(answer) == (409, "needs-unmet")  # type: ignore[arg-type]
    return dict(answer.json())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("age_class", "speaks"),
    [("adult", False), ("child", True), ("presumed_child", True), (None, True)],
)
def test_submission_speaks_of_children_only_where_the_person_may_be_one(
    officer: Someone, age_class: str | None, *, speaks: bool
) -> None:
    summary = {"age_class": age_class}
    draft = unwrap(officer.create_case(summary=summary, consents=[]))

    assert speaks_of_children(get_unmet_problem(officer.does("submit", draft))) == speaks
    assert speaks_of_children({"all": draft["available_actions"]}) == speaks


@pytest.mark.parametrize(
    ("age_class", "speaks"), [("adult", False), ("presumed_child", True)]
)
def test_referral_and_handover_speak_of_children_only_where_the_person_may_be_one(
    officer: Someone, lead: Someone, age_class: str, *, speaks: bool
) -> None:
    by = "person" if age_class == "adult" else "guardian_with_assent"
    given = [make_consent(given_by=by)]
    case = lead.take_lead(officer.submit(summary={"age_class": age_class}, consents=given))

    sent = get_unmet_problem(lead.refer(case, SHELTER, sections=["needs"]))
    offered = get_unmet_problem(lead.offer(case, "SANA_SEZIM"))

    assert speaks_of_children(sent) == speaks
    assert speaks_of_children(offered) == speaks


def test_recipient_is_told_of_children_only_where_the_person_may_be_one(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit(consents=[make_consent(), make_service_consent()]))
    referral = unwrap(lead.refer(case, SHELTER))
    lead.world.advance(days=366)  # The consent has expired.

    answer = shelter.does("accept", referral, make_acceptance("2027-07-02T09:00:00+05:00"))

    assert not speaks_of_children(get_unmet_problem(answer))


def test_steps_of_a_return_of_an_adult_speak_of_no_child(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin_return(world, officer, lead)
    home.advance("assess-origin")

    shown = home.read()["available_actions"]
    [determine] = [one for one in shown if one["action"] == "determine_interests"]

    assert [unmet["requirement"] for unmet in determine["unmet"]] == ["child"]


def test_consulate_that_reads_the_case_as_it_was_does_not_learn_that_the_age_changed(
    world: World, officer: Someone, lead: Someone
) -> None:
    """A consulate sees the age class that was valid when its referral was sent (ADR 43)."""
    named = {"purposes": ["CONSULAR_DOCUMENT"], "sections": ["identity"]}
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    ngo = world.add_person("SANA_SEZIM")
    remedies = []
    for finding in ("presumed_child", "adult"):
        given = [
            make_consent(given_by="guardian_with_assent", **changes)
            for changes in ({}, {"focal_point": officer.code} | named)
        ]
        summary = {"age_class": "presumed_child"}
        case = lead.take_lead(
            ngo.submit(summary=summary, safeguards=guards, consents=given)
        )
        asks = {"service": "CONSULAR_DOCUMENT", "sections": ["identity"]}
        referral = unwrap(lead.refer(case, officer.code, **asks))
        seen = {"If_Match": lead.get_tag(case)}
        body = {"age_class": finding}
        unwrap(lead.ask("PATCH", f"/cases/{case['code']}", body, headers=seen))
        world.advance(days=366)  # The consents have expired.
        refused_now = get_unmet_problem(
            officer.does("accept", referral, make_acceptance("2029-07-02T09:00:00Z"))
        )
        remedies.append(refused_now["unmet"])
        world.advance(days=-366)

    assert remedies[0] == remedies[1]
