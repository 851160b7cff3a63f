"""A State body that is asked for a travel document reads the case as it was (ADR 43)."""

import re
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.cases.models import Party
from app.cases.schemas import NoticeFields
from app.cases.snapshots import SUMMARY
from app.kernel import migrations
from app.kernel.actors import Relation
from tests.databases.failpoints.sweeping import Ids
from tests.support.moved_cases import (
    ACCEPT,
    ASK,
    CONSULATE,
    Asked,
    agree,
    move,
    prepare,
    read_all,
    works_on,
)
from tests.support.world import (
    Json,
    World,
    consent,
    done,
    kinds,
    path_of,
    problem,
    promise,
)

NUMBERED = re.compile(r"id \d+")


@pytest.fixture
def made(world: World) -> Asked:
    agree(world)
    asked = prepare(world, Ids())
    world.passes(minutes=1)
    return asked


def sees(made: Asked) -> Json:
    return done(made.consulate.get(path_of(made.case)))


def referral_of(made: Asked) -> Json:
    return done(made.consulate.get(path_of(made.referral or {})))


def test_consulate_reads_the_case_as_when_it_was_asked_and_hears_nothing(
    made: Asked,
) -> None:
    before, asked = sees(made), referral_of(made)
    made.consulate.hears()

    move(made, "led in the next country")
    works_on(made)

    now = made.lead.sees(made.case)
    assert (now["notice"]["country"], now["lead"]) == ("KG", "KG_LEAD")
    assert now["notice"]["priority"] == "emergency"
    assert sees(made) == before
    assert (before["notice"]["country"], before["lead"], before["holder"]) == (
        *("KZ", "KZ_LEAD", "KZ_LEAD"),
    )
    assert referral_of(made)["sender"] == asked["sender"] == "KZ_LEAD"
    assert kinds(made.consulate.hears()) == ["referral.due_changed"]


def test_consulate_acts_with_the_tag_it_read_and_a_retry_is_answered_alike(
    made: Asked,
) -> None:
    path = path_of(made.referral or {})
    tag = made.consulate.get(path).headers["ETag"]
    key = {"if_match": tag, "idempotency_key": "accept-once"}
    move(made, "led in the next country")

    first = made.consulate.post(f"{path}/accept", promise(), **key)
    again = made.consulate.post(f"{path}/accept", promise(), **key)
    started = made.consulate.post(
        f"{path}/start", {"person_met": True}, if_match=first.headers["ETag"]
    )

    assert done(first) == done(again)
    assert first.headers["ETag"] == again.headers["ETag"]
    assert done(started)["state"] == "in_progress"
    assert done(started)["sender"] == "KZ_LEAD"
    assert made.lead.sees(made.referral or {})["state"] == "in_progress"


def test_consulate_is_not_told_who_acted_after_it_was_asked(made: Asked) -> None:
    made.does(*ACCEPT)
    opened = done(made.consulate.opens(f"{path_of(made.case)}/sections/identity"))
    move(made, "led in the next country")
    works_on(made)
    why = {"reason": "NO_LONGER_NEEDED"}

    again = done(made.consulate.opens(f"{path_of(made.case)}/sections/identity"))
    done(made.lead.does("withdraw", made.referral or {}, why))

    by = {one["type"]: one["by"] for one in made.consulate.hears()}
    assert (opened["author"], again["author"]) == ("IOM", None)
    assert by["referral.sent"] == "KZ_LEAD"
    assert by["referral.accepted"] == CONSULATE
    assert by["referral.withdrawn"] is None
    assert problem(made.consulate.get(path_of(made.case))) == (404, "not-found")
    assert referral_of(made)["sender"] is None


def test_holder_and_its_clock_are_told_to_a_recipient_that_follows_the_case(
    made: Asked,
) -> None:
    iom = made.world.someone("IOM")
    body = {"purposes": ["CONSULAR_DOCUMENT"], "sections": []}
    given, match = (
        consent(focal_point="IOM", **body),
        {"if_match": made.lead.tag(made.case)},
    )
    path = f"{path_of(made.case)}/consents"
    done(made.lead.post(path, given, idempotency_key="consent", **match))
    papers = {"service": "CONSULAR_DOCUMENT", "sections": []}
    sent = done(made.lead.refers(made.case, "IOM", **papers))
    done(iom.does("ask", sent, ASK))
    iom.hears()

    move(made, "led in the next country")

    assert iom.sees(sent)["sender"] == "KG_LEAD"
    assert iom.sees(sent)["due_at"] is not None
    assert "referral.sender_changed" in kinds(iom.hears())


def test_consulate_that_is_asked_again_reads_the_case_as_it_is_then(made: Asked) -> None:
    move(made, "led by the State of origin")
    works_on(made)
    assert sees(made)["notice"]["country"] == "KZ"

    again = {"service": "CONSULAR_DOCUMENT", "sections": []}
    assert made.referral is not None
    done(made.lead.does("withdraw", made.referral, {"reason": "NO_LONGER_NEEDED"}))
    sent = done(made.lead.refers(made.case, CONSULATE, **again))

    now, shown = made.lead.sees(made.case), sees(made)
    assert (shown["lead"], shown["state"]) == ("UZ_LEAD", now["state"])
    assert shown["notice"]["country"] == "UZ"
    assert shown["notice"]["priority"] == "emergency"
    assert made.consulate.sees(sent)["sender"] == "UZ_LEAD"


@pytest.mark.parametrize("submits", [False, True])
def test_consulate_asked_by_a_candidate_does_not_follow_the_case_to_another(
    world: World, *, submits: bool
) -> None:
    agree(world)
    worlds = [asked_by_candidate(world, submits=submits) for _ in range(2)]
    stays, moves = worlds
    left = moves.lead.does("relocate", moves.case, {"country": "KG"})
    assert left.status_code == 204

    for made in worlds:
        read_all(made, "moved")

    if not submits:  # a submitter hears that its case was put to another
        assert told(stays) == told(moves)
    assert sees(moves)["notice"] == sees(stays)["notice"]
    assert sees(moves)["holder"] == sees(stays)["holder"] == "KZ_LEAD"
    assert referral_of(moves)["sender"] == "KZ_LEAD"
    assert problem(moves.lead.get(path_of(moves.case))) == (404, "not-found")


def asked_by_candidate(world: World, *, submits: bool) -> Asked:
    """Let a candidate ask the consulate, before anybody leads the case."""
    lead, consulate = world.someone("KZ_LEAD"), world.someone(CONSULATE)
    submitter = consulate if submits else world.someone("IOM")
    papers = {"purposes": ["CONSULAR_DOCUMENT"], "sections": []}
    given = [consent(), consent(focal_point=CONSULATE, **papers)]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = submitter.submits(consents=given, safeguards=guards)
    done(lead.does("acknowledge", case))
    if submits:
        match = {"if_match": submitter.tag(case)}
        done(submitter.ask("PATCH", path_of(case), {"language": "ru"}, headers=match))
    asked = {"service": "CONSULAR_DOCUMENT", "sections": []}
    sent = done(lead.refers(case, CONSULATE, **asked))
    if submits:
        match = {"if_match": submitter.tag(case)}
        done(submitter.ask("PATCH", path_of(case), {"language": "tg"}, headers=match))
    return Asked(world, Ids(), lead, consulate, case, sent)


def told(made: Asked) -> dict[str, Any]:
    """Return what was answered about one case, of two in the same database."""
    lists = ("list_", "cases ")
    return {
        at: (status, NUMBERED.sub("id", said.replace(made.case["code"], "the case")))
        for at, (status, _, said) in made.answers.items()
        if not any(word in at for word in lists)
    }


def test_a_snapshot_has_every_field_of_the_summary() -> None:
    assert set(SUMMARY) == set(NoticeFields.model_fields)


def snapshots(world: World) -> dict[Relation, Any]:
    with world.by_itself() as work:
        rows = work.session.scalars(select(Party).order_by(Party.number)).all()
        return {row.relation: row.as_asked for row in rows if row.as_asked}


def test_those_that_are_asked_already_read_the_case_as_it_is_at_the_upgrade(
    made: Asked,
) -> None:
    before, shown = snapshots(made.world), sees(made)
    made.world.database.engine.dispose()

    migrations.downgrade(made.world.url, "0030")
    migrations.upgrade(made.world.url)

    after = snapshots(made.world)
    assert after.keys() == before.keys() == {Relation.RECIPIENT}
    [old], [new] = before.values(), after.values()
    for name in ("lead", "holder"):
        assert UUID(new.pop(name)) == UUID(old.pop(name))
    assert new == old
    assert sees(made) == shown
