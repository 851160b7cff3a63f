"""Tests of the list of sent notifications, which never contains an address."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.cases.queries import get
from app.deadlines.limits import Priority
from app.directory import queries as directory
from app.notices.queries import Told, told
from app.outbox.queries import counts
from tests.support.administrators import ADMINISTRATOR, agreed, changes
from tests.support.mail_servers import (
    Mood,
    Post,
    calls,
    outbox,
    post_of,
    reachable,
    states,
    tells,
)
from tests.support.world import (
    NOON,
    Json,
    Someone,
    World,
    consent,
    done,
    for_services,
    path_of,
)

CASE, RECORD = UUID(int=1), UUID(int=2)
SHUT: Json = {"active": False}
NGOS = consent(recipient_class={"kind": "non_state", "country": "KZ"})


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    with post_of(world) as made:
        yield made


def list_notifications(
    who: Someone, *records: UUID, case: UUID | None = None
) -> list[Told]:
    with who.reading() as work:
        return told(work, case_id=case, record_ids=records)


def list_states(found: list[Told]) -> list[tuple[str | None, str | None]]:
    return [(one.way, one.state) for one in found]


def test_it_is_found_by_its_case_and_by_its_record(post: Post, officer: Someone) -> None:
    tells(officer, "DESK_CENTRAL_ASIA", case_id=CASE, record_id=RECORD, why="case.rerouted")
    tells(officer, "KZ_LEGAL_AID", case_id=uuid4(), record_id=uuid4())
    post.world.passes(minutes=2)
    post.leaves()

    found = list_notifications(officer, case=CASE)

    with officer.reading() as work:
        desk = directory.id_of(work.session, "DESK_CENTRAL_ASIA")
    assert found == list_notifications(officer, RECORD)
    assert list_states(found) == [("email", "sent"), ("sms", "sent")]
    assert {one.focal_point_id for one in found} == {desk}
    assert {one.why for one in found} == {"case.rerouted"}
    assert {one.queued_at for one in found} == {NOON}
    assert {one.sent_at for one in found} == {NOON + timedelta(minutes=2)}
    assert list_notifications(officer) == []


def test_what_waits_has_not_been_told(post: Post, officer: Someone) -> None:
    post.mail.mood = lambda: Mood.BUSY
    tells(officer, "KZ_LEGAL_AID", case_id=CASE)
    post.leaves()

    [found] = list_notifications(officer, case=CASE)

    assert (found.state, found.sent_at) == ("waiting", None)
    assert "adildik" not in str(found)


def test_an_office_that_nobody_can_call_on_is_said_and_kept(
    post: Post, officer: Someone
) -> None:
    silent = tells(officer, "KZ_LEAD", "KZ_LEGAL_AID", case_id=CASE)

    with officer.reading() as work:
        assert silent == {directory.id_of(work.session, "KZ_LEAD")}
    assert list_states(list_notifications(officer, case=CASE)) == [
        ("email", "waiting"),
        (None, None),
    ]
    assert post.leaves().found == 1


def test_one_message_is_evidence_for_all_that_came_up_before_it_left(
    post: Post, officer: Someone
) -> None:
    cases = [UUID(int=number) for number in range(5)]
    for case in cases:
        tells(officer, "KZ_LEGAL_AID", case_id=case)
    post.leaves()

    found = [list_notifications(officer, case=case) for case in cases]

    assert [list_states(one) for one in found] == [[("email", "sent")]] * 5
    assert len(post.mail.given) == 1


def test_what_left_before_is_no_evidence_for_what_came_after(
    post: Post, officer: Someone
) -> None:
    tells(officer, "KZ_LEGAL_AID", case_id=CASE)
    post.leaves()
    later = uuid4()
    post.world.passes(minutes=1)
    tells(officer, "KZ_LEGAL_AID", case_id=later)
    post.leaves()

    [before] = list_notifications(officer, case=later)
    post.all_leaves(timedelta(hours=2))
    [after] = list_notifications(officer, case=later)

    assert (before.state, after.state) == ("waiting", "sent")
    assert after.sent_at == NOON + timedelta(hours=1)


def test_what_is_in_a_hand_is_no_evidence_for_what_comes_up_now(
    post: Post, officer: Someone
) -> None:
    post.mail.mood = lambda: Mood.GONE_AFTER_DATA
    tells(officer, "KZ_LEGAL_AID", case_id=CASE)
    post.leaves()
    later = uuid4()
    tells(officer, "KZ_LEGAL_AID", case_id=later)

    [in_hand], [waits] = (
        list_notifications(officer, case=CASE),
        list_notifications(officer, case=later),
    )

    assert (in_hand.state, waits.state) == ("sending", "waiting")
    assert len(outbox(post.world)) == 2


def test_the_other_channel_is_evidence_too(post: Post, officer: Someone) -> None:
    post.mail.mood = lambda: Mood.UNKNOWN_ADDRESS
    tells(officer, "DESK_CENTRAL_ASIA", case_id=CASE, record_id=RECORD)

    post.all_leaves(timedelta(hours=3))

    assert list_states(list_notifications(officer, RECORD)) == [
        *(("email", "dead"), ("sms", "sent"), ("sms", "sent")),
    ]


def test_another_post_of_the_same_office_is_not_called_on_instead(
    post: Post, officer: Someone
) -> None:
    admin = post.world.someone("DESK_CARIBBEAN", ADMINISTRATOR)
    done(changes(admin, "/contacts/DESK_CENTRAL_ASIA_SMS", label="another post"))
    post.mail.mood = lambda: Mood.UNKNOWN_ADDRESS
    tells(officer, "DESK_CENTRAL_ASIA", case_id=CASE)

    post.all_leaves(timedelta(hours=3))

    assert list_states(list_notifications(officer, case=CASE)) == [
        ("email", "dead"),
        ("sms", "sent"),
    ]


def test_a_contact_that_was_shut_is_not_called_on(post: Post, officer: Someone) -> None:
    admin = post.world.someone("DESK_CARIBBEAN", ADMINISTRATOR)
    second = post.world.someone("OVERSIGHT_DEMO", ADMINISTRATOR)
    path, to = "/contacts/DESK_CENTRAL_ASIA_SMS", SHUT
    done(changes(admin, path, agreed(changes(admin, path, **to), second), **to))

    tells(officer, "DESK_CENTRAL_ASIA")

    assert states(post.world) == [("DESK_CENTRAL_ASIA_MAIL", "waiting")]


def test_an_emergency_brings_forward_what_waits_anyway(
    post: Post, officer: Someone
) -> None:
    post.mail.mood = lambda: Mood.BUSY
    tells(officer, "KZ_LEGAL_AID")
    for _ in range(6):
        post.leaves()
        post.world.passes(minutes=5)
    post.leaves()
    [before] = outbox(post.world)

    tells(officer, "KZ_LEGAL_AID", urgency=Priority.EMERGENCY)
    [after] = outbox(post.world)

    assert (before.urgency, after.urgency) == (Priority.NORMAL, Priority.EMERGENCY)
    assert before.due_at > post.world.now == after.due_at


def test_what_is_less_urgent_holds_up_nothing(post: Post, officer: Someone) -> None:
    tells(officer, "KZ_LEGAL_AID", urgency=Priority.EMERGENCY)
    tells(officer, "KZ_LEGAL_AID", urgency=Priority.NORMAL)

    [one] = outbox(post.world)

    assert one.urgency == Priority.EMERGENCY


def test_what_waits_and_since_when_is_counted(post: Post, officer: Someone) -> None:
    with post.world.database.reading() as session:
        nothing = counts(session, post.world.now)
    tells(officer, "KZ_LEGAL_AID")
    post.world.passes(minutes=5)
    tells(officer, "DESK_CENTRAL_ASIA")

    with post.world.database.reading() as session:
        waiting = counts(session, post.world.now)
    post.leaves()
    with post.world.database.reading() as session:
        sent = counts(session, post.world.now)

    oldest = [
        max(filter(None, (w.oldest for w in c.ways.values())), default=None)
        for c in (nothing, sent)
    ]
    assert oldest == [None, None]
    assert (nothing.waiting, waiting.waiting, sent.waiting) == (0, 3, 0)
    assert min(filter(None, (w.oldest for w in waiting.ways.values()))) == NOON
    assert (nothing.dead, waiting.dead, sent.dead) == (0, 0, 0)


def test_an_act_calls_on_its_offices_in_its_own_transaction(officer: Someone) -> None:
    case = officer.submits()
    with officer.writing() as work:
        found = get(work, case["code"])
        calls(work, "DESK_CENTRAL_ASIA", case_id=found.id, record_id=found.id)
        inside = list_states(told(work, case_id=found.id))

    assert inside == [("email", "waiting"), ("sms", "waiting")]
    assert list_states(list_notifications(officer, case=found.id)) == inside


def test_who_is_late_and_who_has_the_case_now_are_called_on(
    post: Post, officer: Someone, tmp_path: Path
) -> None:
    reachable(
        post.world, tmp_path, KZ_LEAD="duty@lead.example", SANA_SEZIM="duty@ngo.example"
    )
    case = officer.submits(consents=[consent(), NGOS, for_services()])

    post.world.waits_for(hours=3)
    post.leaves()

    assert {given.to for given in post.mail.given} == {
        "duty@lead.example",
        "duty@ngo.example",
    }
    with officer.reading() as work:
        found = told(work, case_id=get(work, case["code"]).id)
    assert [one.state for one in found] == ["sent", "sent"]


def test_the_desk_is_called_on_by_all_its_channels_when_nobody_is_left(
    post: Post, officer: Someone
) -> None:
    officer.submits()

    post.world.waits_for(hours=3)
    post.leaves()

    assert [given.to for given in post.mail.given] == ["desk@central-asia.example.org"]
    assert [given.to for given in post.sms.given] == ["+447700900102"]


def test_nobody_is_called_on_while_all_is_in_time(
    post: Post, officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits())
    done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))

    post.world.waits_for(hours=2)

    assert outbox(post.world) == []


def test_who_sent_a_case_sees_how_the_silent_and_the_next_were_called_on(
    post: Post, officer: Someone, tmp_path: Path
) -> None:
    reachable(post.world, tmp_path, KZ_LEAD="duty@lead.example")
    case = officer.submits()
    post.world.passes(hours=3)
    post.world.works()
    called = {"by": "email", "at": "2026-06-01T15:00:00Z", "sent_at": None}
    before = done(officer.get(f"{path_of(case)}/evidence"))["items"]

    post.leaves()

    silent, desk = done(officer.get(f"{path_of(case)}/evidence"))["items"]
    assert [one["notices"] for one in before] == [
        [called],
        [called, called | {"by": "sms"}],
    ]
    assert (silent["recipient"], desk["recipient"]) == ("KZ_LEAD", "DESK_CENTRAL_ASIA")
    sent = called | {"sent_at": called["at"]}
    assert silent["notices"] == [sent]
    assert desk["notices"] == [sent, sent | {"by": "sms"}]
    assert "lead.example" not in str([silent, desk])
