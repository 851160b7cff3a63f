"""Tests of the list of notifications, sent or waiting, which never contains an address."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.cases.queries import get
from app.deadlines.limits import Priority
from app.directory import queries as directory_queries
from app.notifications.queries import NotificationView, list_notifications
from app.outbox.queries import count_messages
from tests.support.administrators import ADMINISTRATOR, approve, update_row
from tests.support.mail_servers import (
    Mood,
    Post,
    list_outbox,
    list_states,
    notify_in_transaction,
    open_post,
    send_to_offices,
    set_addresses,
)
from tests.support.world import (
    NOON,
    Json,
    Someone,
    World,
    get_path,
    make_consent,
    make_service_consent,
    unwrap,
)

CASE, RECORD = UUID(int=1), UUID(int=2)
SHUT: Json = {"active": False}
NGOS = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    with open_post(world) as made:
        yield made


def list_all_notifications(
    who: Someone, *records: UUID, case: UUID | None = None
) -> list[NotificationView]:
    with who.begin_read() as tx:
        return list_notifications(tx, case_id=case, record_ids=records)


def list_notification_states(
    found: list[NotificationView],
) -> list[tuple[str | None, str | None]]:
    return [(one.way, one.state) for one in found]


def test_it_is_found_by_its_case_and_by_its_record(post: Post, officer: Someone) -> None:
    notify_in_transaction(
        officer, "DESK_CENTRAL_ASIA", case_id=CASE, record_id=RECORD, why="case.rerouted"
    )
    notify_in_transaction(officer, "KZ_LEGAL_AID", case_id=uuid4(), record_id=uuid4())
    post.world.advance(minutes=2)
    post.send_due()

    found = list_all_notifications(officer, case=CASE)

    with officer.begin_read() as tx:
        desk = directory_queries.get_id(tx.session, "DESK_CENTRAL_ASIA")
    assert found == list_all_notifications(officer, RECORD)
    assert list_notification_states(found) == [("email", "sent"), ("sms", "sent")]
    assert {one.focal_point_id for one in found} == {desk}
    assert {one.why for one in found} == {"case.rerouted"}
    assert {one.queued_at for one in found} == {NOON}
    assert {one.sent_at for one in found} == {NOON + timedelta(minutes=2)}
    assert list_all_notifications(officer) == []


def test_what_waits_has_not_been_told(post: Post, officer: Someone) -> None:
    post.mail.mood = lambda: Mood.BUSY
    notify_in_transaction(officer, "KZ_LEGAL_AID", case_id=CASE)
    post.send_due()

    [found] = list_all_notifications(officer, case=CASE)

    assert (found.state, found.sent_at) == ("waiting", None)
    assert "adildik" not in str(found)


def test_an_office_that_nobody_can_call_on_is_said_and_kept(
    post: Post, officer: Someone
) -> None:
    silent = notify_in_transaction(officer, "KZ_LEAD", "KZ_LEGAL_AID", case_id=CASE)

    with officer.begin_read() as tx:
        assert silent == {directory_queries.get_id(tx.session, "KZ_LEAD")}
    assert list_notification_states(list_all_notifications(officer, case=CASE)) == [
        ("email", "waiting"),
        (None, None),
    ]
    assert post.send_due().found == 1


def test_one_message_is_evidence_for_all_that_came_up_before_it_left(
    post: Post, officer: Someone
) -> None:
    cases = [UUID(int=number) for number in range(5)]
    for case in cases:
        notify_in_transaction(officer, "KZ_LEGAL_AID", case_id=case)
    post.send_due()

    found = [list_all_notifications(officer, case=case) for case in cases]

    assert [list_notification_states(one) for one in found] == [[("email", "sent")]] * 5
    assert len(post.mail.received) == 1


def test_what_left_before_is_no_evidence_for_what_came_after(
    post: Post, officer: Someone
) -> None:
    notify_in_transaction(officer, "KZ_LEGAL_AID", case_id=CASE)
    post.send_due()
    later = uuid4()
    post.world.advance(minutes=1)
    notify_in_transaction(officer, "KZ_LEGAL_AID", case_id=later)
    post.send_due()

    [before] = list_all_notifications(officer, case=later)
    post.send_all_due(timedelta(hours=2))
    [after] = list_all_notifications(officer, case=later)

    assert (before.state, after.state) == ("waiting", "sent")
    assert after.sent_at == NOON + timedelta(hours=1)


def test_what_is_in_a_hand_is_no_evidence_for_what_comes_up_now(
    post: Post, officer: Someone
) -> None:
    post.mail.mood = lambda: Mood.GONE_AFTER_DATA
    notify_in_transaction(officer, "KZ_LEGAL_AID", case_id=CASE)
    post.send_due()
    later = uuid4()
    notify_in_transaction(officer, "KZ_LEGAL_AID", case_id=later)

    [in_hand], [waits] = (
        list_all_notifications(officer, case=CASE),
        list_all_notifications(officer, case=later),
    )

    assert (in_hand.state, waits.state) == ("sending", "waiting")
    assert len(list_outbox(post.world)) == 2


def test_the_other_channel_is_evidence_too(post: Post, officer: Someone) -> None:
    post.mail.mood = lambda: Mood.UNKNOWN_ADDRESS
    notify_in_transaction(officer, "DESK_CENTRAL_ASIA", case_id=CASE, record_id=RECORD)

    post.send_all_due(timedelta(hours=3))

    assert list_notification_states(list_all_notifications(officer, RECORD)) == [
        ("email", "dead"),
        ("sms", "sent"),
        ("sms", "sent"),
    ]


def test_another_post_of_the_same_office_is_not_called_on_instead(
    post: Post, officer: Someone
) -> None:
    admin = post.world.add_person("DESK_CARIBBEAN", ADMINISTRATOR)
    unwrap(update_row(admin, "/contacts/DESK_CENTRAL_ASIA_SMS", label="another post"))
    post.mail.mood = lambda: Mood.UNKNOWN_ADDRESS
    notify_in_transaction(officer, "DESK_CENTRAL_ASIA", case_id=CASE)

    post.send_all_due(timedelta(hours=3))

    assert list_notification_states(list_all_notifications(officer, case=CASE)) == [
        ("email", "dead"),
        ("sms", "sent"),
    ]


def test_a_contact_that_was_shut_is_not_called_on(post: Post, officer: Someone) -> None:
    admin = post.world.add_person("DESK_CARIBBEAN", ADMINISTRATOR)
    second = post.world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)
    path, to = "/contacts/DESK_CENTRAL_ASIA_SMS", SHUT
    unwrap(update_row(admin, path, approve(update_row(admin, path, **to), second), **to))

    notify_in_transaction(officer, "DESK_CENTRAL_ASIA")

    assert list_states(post.world) == [("DESK_CENTRAL_ASIA_MAIL", "waiting")]


def test_an_emergency_brings_forward_what_waits_anyway(
    post: Post, officer: Someone
) -> None:
    post.mail.mood = lambda: Mood.BUSY
    notify_in_transaction(officer, "KZ_LEGAL_AID")
    for _ in range(6):
        post.send_due()
        post.world.advance(minutes=5)
    post.send_due()
    [before] = list_outbox(post.world)

    notify_in_transaction(officer, "KZ_LEGAL_AID", urgency=Priority.EMERGENCY)
    [after] = list_outbox(post.world)

    assert (before.urgency, after.urgency) == (Priority.NORMAL, Priority.EMERGENCY)
    assert before.due_at > post.world.now == after.due_at


def test_what_is_less_urgent_holds_up_nothing(post: Post, officer: Someone) -> None:
    notify_in_transaction(officer, "KZ_LEGAL_AID", urgency=Priority.EMERGENCY)
    notify_in_transaction(officer, "KZ_LEGAL_AID", urgency=Priority.NORMAL)

    [one] = list_outbox(post.world)

    assert one.urgency == Priority.EMERGENCY


def test_what_waits_and_since_when_is_counted(post: Post, officer: Someone) -> None:
    with post.world.database.begin_read() as session:
        nothing = count_messages(session, post.world.now)
    notify_in_transaction(officer, "KZ_LEGAL_AID")
    post.world.advance(minutes=5)
    notify_in_transaction(officer, "DESK_CENTRAL_ASIA")

    with post.world.database.begin_read() as session:
        waiting = count_messages(session, post.world.now)
    post.send_due()
    with post.world.database.begin_read() as session:
        sent = count_messages(session, post.world.now)

    oldest = [
        max(filter(None, (w.oldest for w in c.ways.values())), default=None)
        for c in (nothing, sent)
    ]
    assert oldest == [None, None]
    assert (nothing.waiting, waiting.waiting, sent.waiting) == (0, 3, 0)
    assert min(filter(None, (w.oldest for w in waiting.ways.values()))) == NOON
    assert (nothing.dead, waiting.dead, sent.dead) == (0, 0, 0)


def test_an_act_calls_on_its_offices_in_its_own_transaction(officer: Someone) -> None:
    case = officer.submit()
    with officer.begin_write() as tx:
        found = get(tx, case["code"])
        send_to_offices(tx, "DESK_CENTRAL_ASIA", case_id=found.id, record_id=found.id)
        inside = list_notification_states(list_notifications(tx, case_id=found.id))

    assert inside == [("email", "waiting"), ("sms", "waiting")]
    assert (
        list_notification_states(list_all_notifications(officer, case=found.id)) == inside
    )


def test_who_is_late_and_who_has_the_case_now_are_called_on(
    post: Post, officer: Someone, tmp_path: Path
) -> None:
    set_addresses(
        post.world, tmp_path, KZ_LEAD="duty@lead.example", SANA_SEZIM="duty@ngo.example"
    )
    case = officer.submit(consents=[make_consent(), NGOS, make_service_consent()])

    post.world.wait(hours=3)
    post.send_due()

    assert {given.to for given in post.mail.received} == {
        "duty@lead.example",
        "duty@ngo.example",
    }
    with officer.begin_read() as tx:
        found = list_notifications(tx, case_id=get(tx, case["code"]).id)
    assert [one.state for one in found] == ["sent", "sent"]


def test_the_desk_is_called_on_by_all_its_channels_when_nobody_is_left(
    post: Post, officer: Someone
) -> None:
    officer.submit()

    post.world.wait(hours=3)
    post.send_due()

    assert [given.to for given in post.mail.received] == ["desk@central-asia.example.org"]
    assert [given.to for given in post.sms.received] == ["+447700900102"]


def test_nobody_is_called_on_while_all_is_in_time(
    post: Post, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))

    post.world.wait(hours=2)

    assert list_outbox(post.world) == []


def test_only_the_office_itself_sees_when_it_was_called_on_and_who_sent_the_case_how(
    post: Post, officer: Someone, tmp_path: Path
) -> None:
    office = post.world.add_person("DESK_CENTRAL_ASIA")
    set_addresses(post.world, tmp_path, KZ_LEAD="duty@lead.example")
    case = officer.submit()
    post.world.advance(hours=3)
    post.world.run_worker()
    called = {"by": "email", "at": "2026-06-01T15:00:00Z", "sent_at": None}
    before = unwrap(officer.get(f"{get_path(case)}/evidence"))["items"]

    post.send_due()

    after = unwrap(officer.get(f"{get_path(case)}/evidence"))["items"]
    silent, desk = unwrap(office.get(f"{get_path(case)}/evidence"))["items"]
    assert [one["notifications"] for one in before] == [
        [called],
        [called, called | {"by": "sms"}],
    ]
    assert after == before
    assert (silent["recipient"], desk["recipient"]) == ("KZ_LEAD", "DESK_CENTRAL_ASIA")
    sent = called | {"sent_at": called["at"]}
    assert silent["notifications"] == [called]
    assert desk["notifications"] == [sent, sent | {"by": "sms"}]
    assert "lead.example" not in str([silent, desk])
