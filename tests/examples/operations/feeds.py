"""Requests of a machine: the feed, webhooks, routing, reference lists and health."""

from app.kernel.actors import Role
from tests.examples.operations.bodies import make_case
from tests.support.operation_player import Player
from tests.support.webhook_receivers import RECEIVER


def play_feeds(player: Player) -> None:
    """Run the journey of a client that reads data, and of a webhook from start to end."""
    officer = player.world.add_person("UZ_CONSULATE_ALMATY")
    lead = player.world.add_person("KZ_LEAD")
    code = str(officer.submit(**make_case())["code"])
    page = player.play("list_events", lead, query={"limit": 20})
    player.play("stream_events", lead)
    player.play("get_routing", officer, code=code)
    play_webhook(player, str(page["cursor"]))
    player.play("list_references", lead)
    player.play("get_reference", lead, name="decline_reasons")
    player.play("get_liveness")
    player.world.run_worker()
    player.play("get_readiness")


def play_webhook(player: Player, cursor: str) -> None:
    """Open a webhook, test it, replay events, pause it, resume it and end it."""
    one, second = (player.world.add_person("KZ_LEAD", {Role.SUPERVISOR}) for _ in range(2))
    body = {"focal_point": "KZ_LEAD", "label": "Case desk", "url": RECEIVER}
    opened = player.play_with(second, "create_webhook", one, body)
    ids = {"webhook_id": str(opened["id"])}
    player.play("list_webhooks", one, query={"focal_point": "KZ_LEAD"})
    player.play("get_webhook", one, **ids)
    player.play("rotate_webhook_secret", one, {"overlap_hours": 24}, **ids)
    player.play("ping_webhook", one, **ids)
    player.play("replay_webhook", one, {"after": cursor}, **ids)
    player.play("pause_webhook", one, **ids)
    player.play("resume_webhook", one, **ids)
    player.play("end_webhook", one, **ids)
