"""Tests of webhooks. Two people create a webhook; one person maintains it (R62, R65)."""

from typing import Final

import pytest
from httpx2 import Response

from app.api.http.rate_limits import RequestRate
from app.api.webhooks import PINGS_PER_MINUTE
from app.kernel.actors import AccountKind, Role, Scope
from app.webhooks.actions import MAX_WEBHOOKS
from tests.support.account_changes import (
    SUPERVISOR,
    add,
    add_with,
    approve,
    get_approval_id,
)
from tests.support.administrators import ADMINISTRATOR
from tests.support.webhook_receivers import RECEIVER, create_webhook
from tests.support.world import (
    EVERYTHING,
    HOST,
    Json,
    Someone,
    Watch,
    World,
    get_problem,
    list_types,
    unwrap,
)

NEW: Final[Json] = {"focal_point": "KZ_LEAD", "label": "Case desk", "url": RECEIVER}
NOBODY: Final = "/webhooks/00000000-0000-4000-8000-000000000000"
CHANGES: Final[dict[str, Json | None]] = {
    "rotate-secret": {"overlap_hours": 1},
    "replay": {"after": None},
    **dict.fromkeys(("ping", "pause", "resume", "end")),
}


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)


@pytest.fixture
def colleague(world: World) -> Someone:
    """Return a second supervisor of the office of Kazakhstan."""
    return world.add_person("KZ_LEAD", SUPERVISOR)


def change_webhook(
    who: Someone, path: str, change: str, body: Json | None = None
) -> Response:
    return add(who, f"{path}/{change}", body or CHANGES[change] or {})


def does(who: Someone, path: str, change: str, body: Json | None = None) -> Json:
    return unwrap(change_webhook(who, path, change, body))


def path_of(webhook: Json) -> str:
    return f"/webhooks/{webhook['id']}"


def test_two_people_open_it_and_its_secret_is_shown_once(
    supervisor: Someone, colleague: Someone, lead: Someone
) -> None:
    approval_id = get_approval_id(add(supervisor, "/webhooks", NEW))
    seen = unwrap(colleague.get(f"/approvals/{approval_id}"))
    unwrap(approve(colleague, approval_id))
    first = supervisor.send("/webhooks", NEW, idempotency_key="one", approval=approval_id)
    again = supervisor.send("/webhooks", NEW, idempotency_key="one", approval=approval_id)
    read = unwrap(lead.get(path_of(first.json())))

    assert (seen["action"], seen["subject"], seen["facts"]) == (
        "webhook.open",
        "webhooks",
        {"focal_point": "KZ_LEAD", "label": "Case desk", "url": RECEIVER},
    )
    assert first.status_code == again.status_code == 201
    assert first.headers["Location"] == f"/v1{path_of(first.json())}"
    assert first.json()["secret"].startswith("whsec_")
    assert again.json() == read | {"secret": None}
    assert {name: read[name] for name in NEW} == NEW
    assert (read["state"], read["ping"]) == ("active", None)


def test_what_is_sent_begins_where_the_feed_ends(
    supervisor: Someone, colleague: Someone, officer: Someone, lead: Someone
) -> None:
    officer.submit()
    cursor = unwrap(lead.get("/events"))["cursor"]
    opened = add_with(supervisor, colleague, "/webhooks", NEW)
    mine = list_types(lead.poll())
    read = unwrap(lead.get(path_of(opened)))

    assert mine[-1] == "webhook.created"  # This event is the first one sent.
    assert read["cursor"] == opened["cursor"] != cursor
    assert read["undelivered"] == 1


def test_of_the_same_words_one_is_opened(
    supervisor: Someone, colleague: Someone, admin: Someone
) -> None:
    approval_id = get_approval_id(add(supervisor, "/webhooks", NEW))
    unwrap(approve(colleague, approval_id))
    elsewhere = add(supervisor, "/webhooks", NEW | {"url": f"{RECEIVER}/x"}, approval_id)
    unwrap(add(supervisor, "/webhooks", NEW, approval_id))
    twice = add(supervisor, "/webhooks", NEW, approval_id)
    by_another = add(admin, "/webhooks", NEW, approval_id)

    refused = {get_problem(one) for one in (elsewhere, twice, by_another)}
    assert refused == {(409, "approval-unusable")}


def test_a_host_that_is_not_listed_is_refused_before_anybody_is_asked(
    supervisor: Someone, colleague: Someone
) -> None:
    others = [
        "https://evil.example.org/x",
        f"https://{HOST}:8443/x",
        f"https://x.{HOST}/x",
    ]

    refused = [add(supervisor, "/webhooks", NEW | {"url": url}) for url in others]

    assert {get_problem(one) for one in refused} == {(422, "host-not-listed")}
    assert not any("example" in one.text for one in refused)
    assert unwrap(colleague.get("/approvals"))["items"] == []


def test_a_url_that_can_be_read_in_two_ways_is_refused_by_its_form(
    supervisor: Someone,
) -> None:
    refused = add(supervisor, "/webhooks", NEW | {"url": "https://me@10.0.0.1/x"})

    assert get_problem(refused) == (422, "request-invalid")
    assert [one["pointer"] for one in refused.json()["errors"]] == ["#/url"]
    assert "10.0.0.1" not in refused.text


def test_an_office_has_five_at_the_most(world: World, supervisor: Someone) -> None:
    for _ in range(MAX_WEBHOOKS):
        last = create_webhook(world, "KZ_LEAD")
    full = add(supervisor, "/webhooks", NEW)
    does(supervisor, f"/webhooks/{last.id}", "end")

    assert get_problem(full) == (409, "too-many-webhooks")
    assert add(supervisor, "/webhooks", NEW).status_code == 202


def test_everybody_of_the_office_reads_how_far_it_has_come_and_nobody_else(
    world: World, lead: Someone, shelter: Someone, admin: Someone
) -> None:
    path = f"/webhooks/{create_webhook(world, 'KZ_LEAD').id}"
    machine = world.add_person(
        "KZ_LEAD", {Role.CASEWORKER}, {Scope.WEBHOOKS_READ}, AccountKind.INTEGRATION
    )

    assert unwrap(machine.get(path)) == unwrap(lead.get(path)) == unwrap(admin.get(path))
    assert len(unwrap(lead.get("/webhooks"))["items"]) == 1
    assert len(unwrap(admin.get("/webhooks", focal_point="KZ_LEAD"))["items"]) == 1
    assert unwrap(shelter.get("/webhooks"))["items"] == []
    strange = [
        shelter.get(path),
        shelter.get(NOBODY),
        shelter.get("/webhooks", focal_point="KZ_LEAD"),
        shelter.get("/webhooks", focal_point="NOBODY"),
    ]
    assert {get_problem(one) for one in strange} == {(404, "not-found")}


@pytest.mark.parametrize("change", CHANGES)
def test_who_looks_after_accounts_looks_after_webhooks(
    world: World, lead: Someone, change: str
) -> None:
    path = f"/webhooks/{create_webhook(world, 'KZ_LEAD').id}"
    other = world.add_person("KZ_SHELTER_KOGERSHIN", SUPERVISOR)
    machine = world.add_person("KZ_LEAD", SUPERVISOR, EVERYTHING, AccountKind.INTEGRATION)

    by_colleague = change_webhook(lead, path, change)
    by_machine = change_webhook(machine, path, change)
    strange = [change_webhook(other, path, change), change_webhook(other, NOBODY, change)]

    assert get_problem(by_colleague) == get_problem(by_machine) == (403, "role-missing")
    assert {get_problem(one) for one in strange} == {(404, "not-found")}


def test_it_is_paused_resumed_and_ended_by_one(
    world: World, supervisor: Someone, admin: Someone
) -> None:
    path = f"/webhooks/{create_webhook(world, 'KZ_LEAD').id}"

    paused = [does(supervisor, path, "pause")["state"] for _ in "12"]
    resumed = [does(admin, path, "resume")["state"] for _ in "12"]
    ended = does(admin, path, "end")["state"]
    refused = {get_problem(change_webhook(admin, path, change)) for change in CHANGES}

    assert (paused, resumed, ended) == (["paused"] * 2, ["active"] * 2, "ended")
    assert refused == {(409, "webhook-ended")}
    assert unwrap(supervisor.get("/webhooks"))["items"][0]["state"] == "ended"


def test_what_becomes_of_it_is_told_to_its_office_and_to_who_watches(
    world: World, supervisor: Someone, lead: Someone
) -> None:
    overseer = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    path = f"/webhooks/{create_webhook(world, 'KZ_LEAD').id}"
    for change in ("rotate-secret", "ping", "replay", "pause", "resume", "end"):
        does(supervisor, path, change)

    events = [event for event in lead.poll() if event["subject"] == path[1:]]

    assert list_types(events) == [
        "webhook.secret_rotated",
        "webhook.replayed",
        "webhook.paused",
        "webhook.resumed",
        "webhook.ended",
    ]
    assert all(event["facts"] == {} for event in events)
    assert list_types(overseer.poll()) == list_types(events)


def test_a_webhook_is_tested_every_half_minute_whoever_asks(
    world: World, supervisor: Someone, admin: Someone
) -> None:
    path, other = (f"/webhooks/{create_webhook(world, 'KZ_LEAD').id}" for _ in "12")
    first = supervisor.send(f"{path}/ping", {}, idempotency_key="one")
    world.advance(seconds=12)
    refused = [change_webhook(who, path, "ping") for who in (supervisor, admin)]
    repeated = supervisor.send(f"{path}/ping", {}, idempotency_key="one")
    elsewhere = change_webhook(admin, other, "ping")
    world.advance(seconds=18)

    assert {get_problem(one) for one in refused} == {(429, "too-many-pings")}
    assert [one.headers["Retry-After"] for one in refused] == ["18", "18"]
    assert all("`ping.answer`" in one.json()["detail"] for one in refused)
    assert first.status_code == repeated.status_code == elsewhere.status_code == 200
    assert unwrap(supervisor.get(path))["ping"]["asked_at"] == "2026-06-01T12:00:00Z"
    assert does(admin, path, "ping")["ping"]["asked_at"] == "2026-06-01T12:00:30Z"


def test_a_webhook_is_tested_again_though_a_server_has_another_time(
    world: World, supervisor: Someone
) -> None:
    path = f"/webhooks/{create_webhook(world, 'KZ_LEAD').id}"
    world.advance(days=30)
    does(supervisor, path, "ping")
    world.advance(days=-30)
    does(supervisor, path, "ping")
    world.advance(seconds=-2)
    ahead = change_webhook(supervisor, path, "ping")

    assert get_problem(ahead) == (429, "too-many-pings")
    assert ahead.headers["Retry-After"] == "28"


def test_an_account_tests_few_webhooks_in_a_minute(
    world: World, supervisor: Someone, admin: Someone
) -> None:
    before, watch = world.app.state.pings, Watch()
    world.app.state.pings = RequestRate(PINGS_PER_MINUTE, watch)
    paths = [
        f"/webhooks/{create_webhook(world, office).id}"
        for office in ("KZ_LEAD", "KZ_SHELTER_KOGERSHIN", "KZ_LEGAL_AID")
        for _ in range(MAX_WEBHOOKS)
    ]
    try:
        answers = [change_webhook(admin, path, "ping") for path in paths]
        by_another = change_webhook(supervisor, paths[4], "ping")
        untouched = unwrap(admin.get(paths[-1]))["ping"]
        watch.now += 6
        later = [change_webhook(admin, path, "ping") for path in paths[-2:]]
    finally:
        world.app.state.pings = before

    allowed, refused = answers[:PINGS_PER_MINUTE], answers[PINGS_PER_MINUTE:]
    assert {one.status_code for one in allowed} == {200}
    assert {get_problem(one) for one in refused} == {(429, "too-many-pings")}
    assert {one.headers["Retry-After"] for one in refused} == {"6"}
    assert "10 test messages a minute" in refused[0].json()["detail"]
    assert (get_problem(by_another), untouched) == ((429, "too-many-pings"), None)
    assert [one.status_code for one in later] == [200, 429]


def test_a_secret_is_rotated_and_shown_once(world: World, supervisor: Someone) -> None:
    webhook = create_webhook(world, "KZ_LEAD")
    path, body = f"/webhooks/{webhook.id}/rotate-secret", {"overlap_hours": 2}

    first = supervisor.create(path, body, key="again")
    second = supervisor.create(path, body, key="again")

    assert first.status_code == second.status_code == 201
    assert first.json()["secret"] not in {webhook.secret, None}
    assert second.json()["secret"] is None


@pytest.mark.parametrize(
    ("after", "why"),
    [
        ("no cursor", (422, "request-invalid")),
        ("nonsense", (422, "cursor-unknown")),
        ("5afec0de.999", (410, "cursor-gone")),
        ("00000000.0", (410, "cursor-gone")),
    ],
)
def test_it_replays_from_a_cursor_of_this_feed_alone(
    world: World, supervisor: Someone, after: str, why: tuple[int, str]
) -> None:
    path = f"/webhooks/{create_webhook(world, 'KZ_LEAD').id}"

    assert get_problem(change_webhook(supervisor, path, "replay", {"after": after})) == why


def test_a_replay_goes_back_to_where_it_is_said(
    world: World, supervisor: Someone, officer: Someone, lead: Someone
) -> None:
    officer.submit()
    start = unwrap(lead.get("/events"))["cursor"]
    officer.submit()
    path = f"/webhooks/{create_webhook(world, 'KZ_LEAD').id}"

    back = does(supervisor, path, "replay", {"after": start})
    from_the_first = does(supervisor, path, "replay", {"after": None})
    read = unwrap(lead.get("/events", after=from_the_first["cursor"]))

    assert back["cursor"] == start
    assert read["items"] == unwrap(lead.get("/events"))["items"]
    assert from_the_first["undelivered"] > back["undelivered"] > 0


def test_an_administrator_without_the_scope_does_nothing(world: World) -> None:
    narrow = world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR, {Scope.ACCOUNTS_WRITE})

    assert get_problem(add(narrow, "/webhooks", NEW)) == (403, "forbidden")
