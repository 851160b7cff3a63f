"""Tests of agreements, which decide whether sections may be sent across a border."""

import pytest
from sqlalchemy import update

from app.directory.kinds import DisclosureLevel
from app.directory.models import FocalPoint
from tests.support.directory_changes import update_directory
from tests.support.stories import Story
from tests.support.world import (
    Someone,
    World,
    get_problem,
    get_unmet,
    make_consent,
    make_service_consent,
    unwrap,
)

LEGAL_ADVICE = {"service": "LEGAL_AID", "sections": ["needs"]}


@pytest.mark.parametrize(
    ("serves", "agreed"),
    [
        (["KZ"], True),
        (["KZ", "KG"], True),
        (["UZ"], True),
        (["UZ", "KG"], False),
        (["KG"], False),
        ([], False),
    ],
)
def test_an_agreement_covers_every_country_where_a_recipient_works(
    world: World, officer: Someone, lead: Someone, serves: list[str], *, agreed: bool
) -> None:
    named = make_consent(focal_point="KZ_LEGAL_AID", purposes=["LEGAL_AID"])
    case = lead.take_lead(officer.submit(consents=[make_consent(), named]))
    with world.database.begin_write() as session:
        at = update(FocalPoint).filter_by(code="KZ_LEGAL_AID")
        update_directory(session, at.values(serves=serves))

    assert (
        lead.refer(case, "KZ_LEGAL_AID", **LEGAL_ADVICE | {"sections": []}).status_code
        == 201
    )
    answer = lead.refer(case, "KZ_LEGAL_AID", **LEGAL_ADVICE)

    assert answer.is_success == agreed
    assert agreed or get_unmet(answer) == [("agreement", "sender")]


def test_nothing_is_sent_to_whoever_has_come_to_hold_the_case(
    world: World, officer: Someone, lead: Someone
) -> None:
    ngos = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
    case = officer.submit(consents=[make_consent(), ngos, make_service_consent()])
    draft = unwrap(lead.refer(case, "SANA_SEZIM", send=False, **LEGAL_ADVICE))
    assert lead.does("decline-lead", case, {"reason": "NO_CAPACITY"}).status_code == 204

    refused = world.add_person("SANA_SEZIM").does("send", draft)

    assert get_problem(refused) == (422, "recipient-unfit")


@pytest.mark.parametrize(
    ("crosses", "answer"),
    [(False, (409, "needs-unmet")), (True, (201, "sent"))],
    ids=["without an agreement", "with an agreement"],
)
def test_a_border_between_sender_and_recipient_stays_one_when_the_person_crossed_it(
    world: World, officer: Someone, lead: Someone, *, crosses: bool, answer: tuple[int, str]
) -> None:
    """A referral from Kazakhstan to Kyrgyzstan needs an agreement to send sections.

    The agreement is needed even if the person is already in the recipient's country,
    because the lead sends the sections from Kazakhstan.
    """
    given = [make_consent(), make_service_consent(country="KG")]
    case = lead.take_lead(officer.submit(consents=given))
    unwrap(lead.does("relocate", case, {"country": "KG"}))
    if crosses:
        Story(world).add_agreement(DisclosureLevel.CONTACT, "KZ", "KG")

    response = lead.refer(case, "KG_SHELTER_AK_BATA", sections=["needs", "contact"])
    alone = lead.refer(case, "KG_SHELTER_AK_BATA", sections=[])

    result = response.json()["state"] if response.is_success else get_problem(response)[1]
    assert (response.status_code, result) == answer
    assert crosses or get_unmet(response) == [("agreement", "sender")]
    assert crosses or unwrap(alone)["state"] == "sent"
