"""A State office that is asked for a document sees the case as of that time (ADR 43)."""

import re
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.cases.models import Party
from app.cases.schemas import SummaryFields
from app.cases.snapshots import SUMMARY_FIELDS
from app.kernel import migrations
from app.kernel.actors import Relation
from tests.databases.failpoints.sweeping import Ids
from tests.support.moved_cases import (
    ACCEPT,
    ASK,
    CONSULATE,
    Asked,
    add_agreements,
    move,
    prepare,
    read_all,
    run_lead_actions,
)
from tests.support.protection import protect_rows
from tests.support.world import (
    Json,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    unwrap,
)

NUMBERED = re.compile(r"id \d+")


@pytest.fixture
def document_request(world: World) -> Asked:
    add_agreements(world)
    request = prepare(world, Ids())
    world.advance(minutes=1)
    return request


def read_case(document_request: Asked) -> Json:
    return unwrap(document_request.consulate.get(get_path(document_request.case)))


def read_referral(document_request: Asked) -> Json:
    return unwrap(document_request.consulate.get(get_path(document_request.referral or {})))


def test_consulate_reads_the_case_as_when_it_was_asked_and_hears_nothing(
    document_request: Asked,
) -> None:
    before, asked = read_case(document_request), read_referral(document_request)
    document_request.consulate.poll()

    move(document_request, "led in the next country")
    run_lead_actions(document_request)

    now = document_request.lead.read(document_request.case)
    assert (now["summary"]["country"], now["lead"]) == ("KG", "KG_LEAD")
    assert now["summary"]["priority"] == "emergency"
    assert read_case(document_request) == before
    assert (before["summary"]["country"], before["lead"], before["holder"]) == (
        "KZ",
        "KZ_LEAD",
        "KZ_LEAD",
    )
    assert read_referral(document_request)["sender"] == asked["sender"] == "KZ_LEAD"
    assert document_request.consulate.poll() == []


def test_consulate_acts_with_the_tag_it_read_and_a_retry_is_answered_alike(
    document_request: Asked,
) -> None:
    path = get_path(document_request.referral or {})
    tag = document_request.consulate.get(path).headers["ETag"]
    key = {"if_match": tag, "idempotency_key": "accept-once"}
    move(document_request, "led in the next country")

    first = document_request.consulate.send(f"{path}/accept", make_acceptance(), **key)
    again = document_request.consulate.send(f"{path}/accept", make_acceptance(), **key)
    started = document_request.consulate.send(
        f"{path}/start", {"person_met": True}, if_match=first.headers["ETag"]
    )

    assert unwrap(first) == unwrap(again)
    assert first.headers["ETag"] == again.headers["ETag"]
    assert unwrap(started)["state"] == "in_progress"
    assert unwrap(started)["sender"] == "KZ_LEAD"
    assert (
        document_request.lead.read(document_request.referral or {})["state"]
        == "in_progress"
    )


def test_consulate_is_not_told_who_acted_after_it_was_asked(
    document_request: Asked,
) -> None:
    document_request.does(*ACCEPT)
    opened = unwrap(
        document_request.consulate.open(
            f"{get_path(document_request.case)}/sections/identity"
        )
    )
    move(document_request, "led in the next country")
    run_lead_actions(document_request)
    why = {"reason": "NO_LONGER_NEEDED"}

    again = unwrap(
        document_request.consulate.open(
            f"{get_path(document_request.case)}/sections/identity"
        )
    )
    unwrap(document_request.lead.does("withdraw", document_request.referral or {}, why))

    by = {one["type"]: one["by"] for one in document_request.consulate.poll()}
    assert (opened["author"], again["author"]) == ("IOM", None)
    assert by["referral.sent"] == "KZ_LEAD"
    assert by["referral.accepted"] == CONSULATE
    assert by["referral.withdrawn"] is None
    assert get_problem(document_request.consulate.get(get_path(document_request.case))) == (
        404,
        "not-found",
    )
    assert read_referral(document_request)["sender"] is None


def test_holder_and_its_clock_are_told_to_a_recipient_that_follows_the_case(
    document_request: Asked,
) -> None:
    iom = document_request.world.add_person("IOM")
    body = {"purposes": ["CONSULAR_DOCUMENT"], "sections": []}
    given, match = (
        make_consent(focal_point="IOM", **body),
        {"if_match": document_request.lead.get_tag(document_request.case)},
    )
    path = f"{get_path(document_request.case)}/consents"
    unwrap(document_request.lead.send(path, given, idempotency_key="consent", **match))
    papers = {"service": "CONSULAR_DOCUMENT", "sections": []}
    sent = unwrap(document_request.lead.refer(document_request.case, "IOM", **papers))
    unwrap(iom.does("ask", sent, ASK))
    iom.poll()

    move(document_request, "led in the next country")

    assert iom.read(sent)["sender"] == "KG_LEAD"
    assert iom.read(sent)["due_at"] is not None
    assert "referral.sender_changed" in list_types(iom.poll())


def test_consulate_that_is_asked_again_reads_the_case_as_it_is_then(
    document_request: Asked,
) -> None:
    move(document_request, "led by the State of origin")
    run_lead_actions(document_request)
    assert read_case(document_request)["summary"]["country"] == "KZ"

    again = {"service": "CONSULAR_DOCUMENT", "sections": []}
    assert document_request.referral is not None
    unwrap(
        document_request.lead.does(
            "withdraw", document_request.referral, {"reason": "NO_LONGER_NEEDED"}
        )
    )
    sent = unwrap(document_request.lead.refer(document_request.case, CONSULATE, **again))

    now, shown = (
        document_request.lead.read(document_request.case),
        read_case(document_request),
    )
    assert (shown["lead"], shown["state"]) == ("UZ_LEAD", now["state"])
    assert shown["summary"]["country"] == "UZ"
    assert shown["summary"]["priority"] == "emergency"
    assert document_request.consulate.read(sent)["sender"] == "UZ_LEAD"


@pytest.mark.parametrize("submits", [False, True])
def test_consulate_asked_by_a_candidate_does_not_follow_the_case_to_another(
    world: World, *, submits: bool
) -> None:
    add_agreements(world)
    worlds = [ask_as_candidate(world, submits=submits) for _ in range(2)]
    stays, moves = worlds
    left = moves.lead.does("relocate", moves.case, {"country": "KG"})
    assert left.status_code == 204

    for made in worlds:
        read_all(made, "moved")

    if not submits:  # a submitter gets an event when its case gets another candidate
        assert get_answers(stays) == get_answers(moves)
    assert read_case(moves)["summary"] == read_case(stays)["summary"]
    assert read_case(moves)["holder"] == read_case(stays)["holder"] == "KZ_LEAD"
    assert read_referral(moves)["sender"] == "KZ_LEAD"
    assert get_problem(moves.lead.get(get_path(moves.case))) == (404, "not-found")


def ask_as_candidate(world: World, *, submits: bool) -> Asked:
    """Return a referral to the consulate, sent by a candidate of a case without a lead.

    If `submits`, the consulate also submits the case, and changes its language twice.
    """
    lead, consulate = world.add_person("KZ_LEAD"), world.add_person(CONSULATE)
    submitter = consulate if submits else world.add_person("IOM")
    papers = {"purposes": ["CONSULAR_DOCUMENT"], "sections": []}
    given = [make_consent(), make_consent(focal_point=CONSULATE, **papers)]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = submitter.submit(consents=given, safeguards=guards)
    unwrap(lead.does("acknowledge", case))
    if submits:
        match = {"if_match": submitter.get_tag(case)}
        unwrap(submitter.ask("PATCH", get_path(case), {"language": "ru"}, headers=match))
    terms = {"service": "CONSULAR_DOCUMENT", "sections": []}
    sent = unwrap(lead.refer(case, CONSULATE, **terms))
    if submits:
        match = {"if_match": submitter.get_tag(case)}
        unwrap(submitter.ask("PATCH", get_path(case), {"language": "tg"}, headers=match))
    return Asked(world, Ids(), lead, consulate, case, sent)


def get_answers(document_request: Asked) -> dict[str, Any]:
    """Return the status and text of each response about the case of a document request.

    Responses that are lists are left out, because they also contain another case.
    """
    lists = ("list_", "cases ")
    return {
        at: (
            status,
            NUMBERED.sub("id", said.replace(document_request.case["code"], "the case")),
        )
        for at, (status, _, said) in document_request.answers.items()
        if not any(word in at for word in lists)
    }


def test_a_snapshot_has_every_field_of_the_summary() -> None:
    assert set(SUMMARY_FIELDS) == set(SummaryFields.model_fields)


def load_snapshots(world: World) -> dict[Relation, Any]:
    with world.write_as_service() as tx:
        rows = tx.session.scalars(select(Party).order_by(Party.number)).all()
        return {row.relation: row.as_asked for row in rows if row.as_asked}


def test_those_that_are_asked_already_read_the_case_as_it_is_at_the_upgrade(
    document_request: Asked,
) -> None:
    before, shown = load_snapshots(document_request.world), read_case(document_request)
    document_request.world.database.engine.dispose()

    migrations.downgrade(document_request.world.url, "0030")
    migrations.upgrade(document_request.world.url)
    protect_rows(document_request.world.runtime)

    after = load_snapshots(document_request.world)
    assert after.keys() == before.keys() == {Relation.RECIPIENT}
    [old], [new] = before.values(), after.values()
    for name in ("lead", "holder"):
        assert UUID(new.pop(name)) == UUID(old.pop(name))
    assert new == old
    assert read_case(document_request) == shown
