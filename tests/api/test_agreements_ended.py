"""Tests of the effects of an agreement that ends while a case is open (ADR 50)."""

from uuid import UUID

import pytest
from sqlalchemy import delete, select
from structlog.testing import capture_logs

from app.cases import queries as case_queries
from app.cases.models import CaseKey
from app.handovers.models import Handover
from app.kernel.journal import was_recorded
from app.worker.jobs import DEADLINE_JOB, run_once
from app.worker.oversight_job import add_oversight
from tests.support.endings import can_open, end_agreement, run_endings_job
from tests.support.returns import HOME, begin_return
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_path,
    get_unmet,
    list_types,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

GUARDS: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}
SENT = ["contact", "needs"]
ABROAD = make_consent(focal_point=HOME, purposes=["SHELTER"], sections=SENT)


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case with a lead in Kazakhstan.

    The consents cover a handover to Uzbekistan or IOM, and shelter by an NGO in Uzbekistan.
    """
    given = [
        make_consent(),
        make_service_consent(),
        make_handover_consent("UZ_LEAD"),
        make_handover_consent("IOM"),
        ABROAD,
    ]
    return lead.take_lead(officer.submit(consents=given, safeguards=GUARDS))


@pytest.fixture
def abroad(world: World) -> Someone:
    """Return a person of an NGO in Uzbekistan."""
    return world.add_person(HOME)


@pytest.fixture
def sent_referral(lead: Someone, case: Json, abroad: Someone) -> Json:
    """Return a referral with two sections to the NGO. The lead and the NGO have polled."""
    sent = unwrap(lead.refer(case, HOME, sections=SENT))
    lead.poll()
    abroad.poll()
    return sent


def write_section(who: Someone, case: Json, content: Json) -> None:
    path, seen = f"{get_path(case)}/sections/{content['section']}", who.get_tag(case)
    unwrap(who.ask("PUT", path, content, headers={"If_Match": seen}))


def list_facts(who: Someone, kind: str) -> list[Json]:
    return [event["facts"] for event in who.poll() if event["type"] == kind]


@pytest.mark.usefixtures("sent_referral")
def test_nothing_follows_while_every_agreement_is_in_force(
    world: World, lead: Someone, case: Json
) -> None:
    unwrap(lead.offer(case, "UZ_LEAD"))
    lead.poll()

    assert run_endings_job(world) == 0
    assert lead.poll() == []


def test_offer_of_the_lead_across_the_border_is_taken_back(
    world: World, lead: Someone, case: Json
) -> None:
    there = world.add_person("UZ_LEAD")
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    lead.poll()
    there.poll()
    end_agreement(world)

    assert (run_endings_job(world), run_endings_job(world)) == (1, 0)

    assert lead.read(offered)["state"] == "cancelled"
    assert list_types(lead.poll()) == list_types(there.poll()) == ["handover.cancelled"]
    assert there.get_worklist() == []
    assert get_unmet(lead.offer(case, "UZ_LEAD")) == [("agreement", "lead")]
    assert unwrap(lead.offer(case, "IOM"))["state"] == "offered"


def test_offer_of_a_case_whose_person_is_beyond_the_border_is_taken_back_too(
    world: World, lead: Someone, case: Json
) -> None:
    """The end of an agreement cancels an offer within a country if the person is abroad."""
    unwrap(lead.create(f"{get_path(case)}/consents", make_handover_consent("SANA_SEZIM")))
    unwrap(lead.does("relocate", case, {"country": "UZ"}))
    offered = unwrap(lead.offer(case, "SANA_SEZIM"))
    end_agreement(world)

    assert run_endings_job(world) == 1
    assert lead.read(offered)["state"] == "cancelled"


def test_offer_within_the_country_stays(world: World, lead: Someone, case: Json) -> None:
    ngo = make_handover_consent("SANA_SEZIM")
    unwrap(lead.create(f"{get_path(case)}/consents", ngo))
    offered = unwrap(lead.offer(case, "SANA_SEZIM"))
    end_agreement(world)

    assert run_endings_job(world) == 0
    assert lead.read(offered)["state"] == "offered"


def test_lead_that_crossed_the_border_before_stays(
    world: World, lead: Someone, case: Json
) -> None:
    there = world.add_person("UZ_LEAD")
    unwrap(there.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))
    end_agreement(world)

    assert run_endings_job(world) == 0
    assert there.read(case)["lead"] == "UZ_LEAD"


def test_draft_with_sections_is_not_sent_any_more_and_one_without_is(
    world: World, lead: Someone, case: Json
) -> None:
    whole, bare = (
        unwrap(lead.refer(case, HOME, sections=sections, send=False))
        for sections in (SENT, [])
    )
    end_agreement(world)

    assert get_unmet(lead.does("send", whole)) == [("agreement", "sender")]
    assert unwrap(lead.does("send", bare))["state"] == "sent"


def test_referral_that_was_not_accepted_yet_goes_on_with_the_notice_alone(
    world: World, lead: Someone, case: Json, sent_referral: Json, abroad: Someone
) -> None:
    assert can_open(abroad, case, "needs")
    end_agreement(world)

    assert (run_endings_job(world), run_endings_job(world)) == (1, 0)

    assert (
        lead.read(sent_referral)["sections"] == abroad.read(sent_referral)["sections"] == []
    )
    assert list_types(lead.poll()) == list_types(abroad.poll()) == ["referral.narrowed"]
    accepted = unwrap(abroad.does("accept", sent_referral, make_acceptance()))
    assert accepted["state"] == "accepted"
    assert not can_open(abroad, case, "needs")
    assert not can_open(abroad, case, "contact")
    assert abroad.open(f"{get_path(case)}/safety-alert").is_success


def test_acceptance_opens_nothing_more_even_before_the_worker_looks(
    world: World, case: Json, sent_referral: Json, abroad: Someone
) -> None:
    end_agreement(world)

    accepted = unwrap(abroad.does("accept", sent_referral, make_acceptance()))

    assert accepted["sections"] == []
    assert not can_open(abroad, case, "contact")


def test_help_that_began_keeps_what_it_was_sent_and_the_lead_is_told_once(
    world: World, lead: Someone, case: Json, sent_referral: Json, abroad: Someone
) -> None:
    unwrap(abroad.does("accept", sent_referral, make_acceptance()))
    lead.poll()
    abroad.poll()
    end_agreement(world)

    assert (run_endings_job(world), run_endings_job(world)) == (1, 0)

    expected = {"state": "accepted", "service": "SHELTER"}
    assert list_facts(lead, "referral.without_agreement") == [expected]
    assert abroad.poll() == []
    assert abroad.read(sent_referral)["sections"] == SENT
    assert can_open(abroad, case, "contact")
    assert (
        unwrap(abroad.does("start", sent_referral, {"person_met": True}))["state"]
        == "in_progress"
    )


def test_text_that_is_written_afterwards_does_not_cross_the_border(
    world: World, lead: Someone, case: Json, sent_referral: Json, abroad: Someone
) -> None:
    unwrap(abroad.does("accept", sent_referral, make_acceptance()))
    end_agreement(world)
    abroad.poll()

    write_section(
        lead, case, {"section": "contact", "alias": "O.", "safe_channel": "New number"}
    )

    assert not can_open(abroad, case, "contact")
    assert can_open(abroad, case, "needs")
    assert abroad.read(sent_referral)["sections"] == ["needs"]
    assert list_types(abroad.poll()) == ["referral.narrowed"]


def test_text_that_is_written_while_the_agreement_is_in_force_crosses_it(
    lead: Someone, case: Json, sent_referral: Json, abroad: Someone
) -> None:
    unwrap(abroad.does("accept", sent_referral, make_acceptance()))

    write_section(
        lead, case, {"section": "contact", "alias": "O.", "safe_channel": "New number"}
    )

    assert can_open(abroad, case, "contact")


def test_answer_takes_no_section_across_any_more(
    world: World, lead: Someone, sent_referral: Json, abroad: Someone
) -> None:
    question = {"topics": ["contact"], "question": "Which number?"}
    unwrap(abroad.does("ask", sent_referral, question))
    end_agreement(world)

    refused = lead.does("answer", sent_referral, {"sections": ["contact"]})
    run_endings_job(world)

    assert get_unmet(refused) == [("agreement", "sender")]
    assert (
        unwrap(lead.does("answer", sent_referral, {"sections": []}))["state"] == "received"
    )


def test_help_within_the_country_is_not_touched(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = unwrap(lead.refer(case, shelter.code, sections=SENT))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    end_agreement(world)

    write_section(
        lead, case, {"section": "contact", "alias": "O.", "safe_channel": "New number"}
    )

    assert run_endings_job(world) == 0
    assert can_open(shelter, case, "contact")


def test_return_that_is_under_way_goes_on_and_the_lead_is_told(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin_return(world, officer, lead)
    home.advance("assess-destination")
    lead.poll()
    end_agreement(world)

    assert (run_endings_job(world), run_endings_job(world)) == (1, 0)

    facts = list_facts(lead, "referral.without_agreement")
    assert facts == [{"state": "accepted", "service": "RETURN"}]
    assert home.advance("monitor")["state"] == "monitoring"
    assert can_open(home.home, home.case, "identity")


def test_lead_that_may_not_know_who_helps_is_not_told_where(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    """A lead of the State of origin gets no event that reveals where help is given."""
    there = world.add_person("UZ_LEAD")
    unwrap(lead.does("relocate", case, {"country": "UZ"}))
    sent = unwrap(lead.refer(case, shelter.code, sections=SENT))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    unwrap(there.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))
    assert there.read(sent)["recipient"] is None
    there.poll()
    end_agreement(world)

    run_endings_job(world)

    assert there.poll() == []
    with there.begin_read() as tx:
        ids = (UUID(sent["id"]), "referral.without_agreement")
        assert was_recorded(tx.session, case_queries.get(tx, case["code"]).id, *ids)


def test_worker_looks_by_itself(world: World, lead: Someone, case: Json) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    end_agreement(world)

    assert run_once(world.runtime, add_oversight(DEADLINE_JOB)) == 1

    assert lead.read(offered)["state"] == "cancelled"


def test_case_that_fails_keeps_no_other_waiting(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    given = [make_consent(), make_handover_consent("UZ_LEAD")]
    other = lead.take_lead(officer.submit(consents=given, safeguards=GUARDS))
    lost = unwrap(lead.offer(other, "UZ_LEAD"))
    with lead.begin_write() as tx:
        of_other = case_queries.get(tx, other["code"]).id
        tx.session.execute(delete(CaseKey).where(CaseKey.case_id == of_other))
    end_agreement(world)

    with capture_logs() as logged:
        assert run_endings_job(world) == 1

    assert [line["event"] for line in logged] == ["ending.failed"]
    assert lead.read(offered)["state"] == "cancelled"
    with world.write_as_service() as tx:
        of_lost = select(Handover.state).where(Handover.id == UUID(lost["id"]))
        assert tx.session.scalars(of_lost).one() == "offered"


def test_agreement_that_comes_into_force_again_lets_sections_be_sent(
    world: World, lead: Someone, case: Json
) -> None:
    draft = unwrap(lead.refer(case, HOME, sections=SENT, send=False))
    end_agreement(world)
    assert not get_actions(lead.read(draft))["send"]["open"]

    end_agreement(world, on=None)

    assert unwrap(lead.does("send", draft))["sections"] == SENT
