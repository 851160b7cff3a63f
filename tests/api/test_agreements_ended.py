"""The end of an agreement while a case is open: what continues, and who hears (ADR 50)."""

from uuid import UUID

import pytest
from sqlalchemy import delete, select
from structlog.testing import capture_logs

from app.cases import queries
from app.cases.models import CaseKey
from app.handovers.models import Handover
from app.kernel.journal import was_recorded
from app.worker.loop import CLOCKS, once
from app.worker.overseeing import overseeing
from tests.support.endings import can_open, end_agreement, look
from tests.support.returns import HOME, begin
from tests.support.world import (
    Json,
    Someone,
    World,
    actions,
    consent,
    done,
    for_handover,
    for_services,
    kinds,
    lacks,
    path_of,
    promise,
    taking,
)

GUARDS: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}
SENT = ["contact", "needs"]
ABROAD = consent(focal_point=HOME, purposes=["SHELTER"], sections=SENT)


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """A case led in Kazakhstan, with consents to an NGO in Uzbekistan and to UZ_LEAD."""
    given = [
        consent(),
        for_services(),
        for_handover("UZ_LEAD"),
        for_handover("IOM"),
        ABROAD,
    ]
    return lead.leads(officer.submits(consents=given, safeguards=GUARDS))


@pytest.fixture
def abroad(world: World) -> Someone:
    """An account of an NGO in Uzbekistan."""
    return world.someone(HOME)


@pytest.fixture
def sent_referral(lead: Someone, case: Json, abroad: Someone) -> Json:
    """A referral to the NGO in Uzbekistan, with two sections."""
    sent = done(lead.refers(case, HOME, sections=SENT))
    lead.hears()
    abroad.hears()
    return sent


def write_section(who: Someone, case: Json, content: Json) -> None:
    path, seen = f"{path_of(case)}/sections/{content['section']}", who.tag(case)
    done(who.ask("PUT", path, content, headers={"If_Match": seen}))


def list_facts(who: Someone, kind: str) -> list[Json]:
    return [event["facts"] for event in who.hears() if event["type"] == kind]


@pytest.mark.usefixtures("sent_referral")
def test_nothing_follows_while_every_agreement_is_in_force(
    world: World, lead: Someone, case: Json
) -> None:
    done(lead.offers(case, "UZ_LEAD"))
    lead.hears()

    assert look(world) == 0
    assert lead.hears() == []


def test_offer_of_the_lead_across_the_border_is_taken_back(
    world: World, lead: Someone, case: Json
) -> None:
    there = world.someone("UZ_LEAD")
    offered = done(lead.offers(case, "UZ_LEAD"))
    lead.hears()
    there.hears()
    end_agreement(world)

    assert (look(world), look(world)) == (1, 0)

    assert lead.sees(offered)["state"] == "cancelled"
    assert kinds(lead.hears()) == kinds(there.hears()) == ["handover.cancelled"]
    assert there.waits() == []
    assert lacks(lead.offers(case, "UZ_LEAD")) == [("agreement", "lead")]
    assert done(lead.offers(case, "IOM"))["state"] == "offered"


def test_offer_of_a_case_whose_person_is_beyond_the_border_is_taken_back_too(
    world: World, lead: Someone, case: Json
) -> None:
    """The lead and the successor are in Kazakhstan; the person is in Uzbekistan."""
    done(lead.creates(f"{path_of(case)}/consents", for_handover("SANA_SEZIM")))
    done(lead.does("relocate", case, {"country": "UZ"}))
    offered = done(lead.offers(case, "SANA_SEZIM"))
    end_agreement(world)

    assert look(world) == 1
    assert lead.sees(offered)["state"] == "cancelled"


def test_offer_within_the_country_stays(world: World, lead: Someone, case: Json) -> None:
    ngo = for_handover("SANA_SEZIM")
    done(lead.creates(f"{path_of(case)}/consents", ngo))
    offered = done(lead.offers(case, "SANA_SEZIM"))
    end_agreement(world)

    assert look(world) == 0
    assert lead.sees(offered)["state"] == "offered"


def test_lead_that_crossed_the_border_before_stays(
    world: World, lead: Someone, case: Json
) -> None:
    there = world.someone("UZ_LEAD")
    done(there.does("accept", done(lead.offers(case, "UZ_LEAD")), taking()))
    end_agreement(world)

    assert look(world) == 0
    assert there.sees(case)["lead"] == "UZ_LEAD"


def test_draft_with_sections_is_not_sent_any_more_and_one_without_is(
    world: World, lead: Someone, case: Json
) -> None:
    whole, bare = (
        done(lead.refers(case, HOME, sections=sections, send=False))
        for sections in (SENT, [])
    )
    end_agreement(world)

    assert lacks(lead.does("send", whole)) == [("agreement", "sender")]
    assert done(lead.does("send", bare))["state"] == "sent"


def test_referral_that_was_not_accepted_yet_goes_on_with_the_notice_alone(
    world: World, lead: Someone, case: Json, sent_referral: Json, abroad: Someone
) -> None:
    assert can_open(abroad, case, "needs")
    end_agreement(world)

    assert (look(world), look(world)) == (1, 0)

    assert (
        lead.sees(sent_referral)["sections"] == abroad.sees(sent_referral)["sections"] == []
    )
    assert kinds(lead.hears()) == kinds(abroad.hears()) == ["referral.narrowed"]
    accepted = done(abroad.does("accept", sent_referral, promise()))
    assert accepted["state"] == "accepted"
    assert not can_open(abroad, case, "needs")
    assert not can_open(abroad, case, "contact")
    assert abroad.opens(f"{path_of(case)}/safety-notice").is_success


def test_acceptance_opens_nothing_more_even_before_the_worker_looks(
    world: World, case: Json, sent_referral: Json, abroad: Someone
) -> None:
    end_agreement(world)

    accepted = done(abroad.does("accept", sent_referral, promise()))

    assert accepted["sections"] == []
    assert not can_open(abroad, case, "contact")


def test_help_that_began_keeps_what_it_was_sent_and_the_lead_is_told_once(
    world: World, lead: Someone, case: Json, sent_referral: Json, abroad: Someone
) -> None:
    done(abroad.does("accept", sent_referral, promise()))
    lead.hears()
    abroad.hears()
    end_agreement(world)

    assert (look(world), look(world)) == (1, 0)

    expected = {"state": "accepted", "service": "SHELTER"}
    assert list_facts(lead, "referral.without_agreement") == [expected]
    assert abroad.hears() == []
    assert abroad.sees(sent_referral)["sections"] == SENT
    assert can_open(abroad, case, "contact")
    assert (
        done(abroad.does("start", sent_referral, {"person_met": True}))["state"]
        == "in_progress"
    )


def test_text_that_is_written_afterwards_does_not_cross_the_border(
    world: World, lead: Someone, case: Json, sent_referral: Json, abroad: Someone
) -> None:
    done(abroad.does("accept", sent_referral, promise()))
    end_agreement(world)
    abroad.hears()

    write_section(
        lead, case, {"section": "contact", "alias": "O.", "safe_channel": "New number"}
    )

    assert not can_open(abroad, case, "contact")
    assert can_open(abroad, case, "needs")
    assert abroad.sees(sent_referral)["sections"] == ["needs"]
    assert kinds(abroad.hears()) == ["referral.narrowed"]


def test_text_that_is_written_while_the_agreement_is_in_force_crosses_it(
    lead: Someone, case: Json, sent_referral: Json, abroad: Someone
) -> None:
    done(abroad.does("accept", sent_referral, promise()))

    write_section(
        lead, case, {"section": "contact", "alias": "O.", "safe_channel": "New number"}
    )

    assert can_open(abroad, case, "contact")


def test_answer_takes_no_section_across_any_more(
    world: World, lead: Someone, sent_referral: Json, abroad: Someone
) -> None:
    question = {"topics": ["contact"], "question": "Which number?"}
    done(abroad.does("ask", sent_referral, question))
    end_agreement(world)

    refused = lead.does("answer", sent_referral, {"sections": ["contact"]})
    look(world)

    assert lacks(refused) == [("agreement", "sender")]
    assert done(lead.does("answer", sent_referral, {"sections": []}))["state"] == "received"


def test_help_within_the_country_is_not_touched(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = done(lead.refers(case, shelter.code, sections=SENT))
    done(shelter.does("accept", sent, promise()))
    end_agreement(world)

    write_section(
        lead, case, {"section": "contact", "alias": "O.", "safe_channel": "New number"}
    )

    assert look(world) == 0
    assert can_open(shelter, case, "contact")


def test_return_that_is_under_way_goes_on_and_the_lead_is_told(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin(world, officer, lead)
    home.goes("assess-destination")
    lead.hears()
    end_agreement(world)

    assert (look(world), look(world)) == (1, 0)

    told = list_facts(lead, "referral.without_agreement")
    assert told == [{"state": "accepted", "service": "RETURN"}]
    assert home.goes("monitor")["state"] == "monitoring"
    assert can_open(home.home, home.case, "identity")


def test_lead_that_may_not_know_who_helps_is_not_told_where(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    """The event would show the State of origin that the helper is across the border."""
    there = world.someone("UZ_LEAD")
    sent = done(lead.refers(case, shelter.code, sections=SENT))
    done(shelter.does("accept", sent, promise()))
    done(lead.does("relocate", case, {"country": "UZ"}))
    done(there.does("accept", done(lead.offers(case, "UZ_LEAD")), taking()))
    assert there.sees(sent)["recipient"] is None
    there.hears()
    end_agreement(world)

    look(world)

    assert there.hears() == []
    with there.reading() as tx:
        ids = (UUID(sent["id"]), "referral.without_agreement")
        assert was_recorded(tx.session, queries.get(tx, case["code"]).id, *ids)


def test_worker_looks_by_itself(world: World, lead: Someone, case: Json) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    end_agreement(world)

    assert once(world.ground, overseeing(CLOCKS)) == 1

    assert lead.sees(offered)["state"] == "cancelled"


def test_case_that_fails_keeps_no_other_waiting(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    offered = done(lead.offers(case, "UZ_LEAD"))
    given = [consent(), for_handover("UZ_LEAD")]
    other = lead.leads(officer.submits(consents=given, safeguards=GUARDS))
    lost = done(lead.offers(other, "UZ_LEAD"))
    with lead.writing() as tx:
        of_other = queries.get(tx, other["code"]).id
        tx.session.execute(delete(CaseKey).where(CaseKey.case_id == of_other))
    end_agreement(world)

    with capture_logs() as logged:
        assert look(world) == 1

    assert [line["event"] for line in logged] == ["ending.failed"]
    assert lead.sees(offered)["state"] == "cancelled"
    with world.by_itself() as tx:
        of_lost = select(Handover.state).where(Handover.id == UUID(lost["id"]))
        assert tx.session.scalars(of_lost).one() == "offered"


def test_agreement_that_comes_into_force_again_lets_sections_be_sent(
    world: World, lead: Someone, case: Json
) -> None:
    draft = done(lead.refers(case, HOME, sections=SENT, send=False))
    end_agreement(world)
    assert not actions(lead.sees(draft))["send"]["open"]

    end_agreement(world, on=None)

    assert done(lead.does("send", draft))["sections"] == SENT
