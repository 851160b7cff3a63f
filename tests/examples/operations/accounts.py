"""Accounts, their roles, API keys and public keys of machines, and access tokens."""

from dataclasses import replace
from typing import Final

from joserfc.jwk import OKPKey

from app.kernel.actors import AccountKind, Role
from tests.support.machine_keys import JWT, Machine
from tests.support.operation_player import Player
from tests.support.sessions import get_session, sign_in
from tests.support.world import EVERYTHING, WORKERS, Json, Someone

PAIR: Final = OKPKey.import_key(
    {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    }
)
"""The published key pair of RFC 8037, appendix A."""


def play_accounts(player: Player) -> None:
    """Run the journey of two supervisors who manage the accounts of their office."""
    one, second = (player.world.add_person("KZ_LEAD", {Role.SUPERVISOR}) for _ in range(2))
    newcomer = {
        "focal_point": "KZ_LEAD",
        "label": "duty 7",
        "kind": "person",
        "roles": ["caseworker"],
    }
    opened = player.play_with(second, "create_account", one, newcomer)
    ids = {"account_id": str(opened["id"])}
    player.play("list_accounts", one, query={"focal_point": "KZ_LEAD"})
    player.play("get_account", one, **ids)
    player.play_with(second, "grant_roles", one, {"roles": ["coordinator"]}, **ids)
    player.play("revoke_roles", one, {"roles": ["coordinator"]}, **ids)
    play_keys(player, one, second, ids)
    player.play("disable_account", one, **ids)
    play_machine(player, one, second)
    play_approvals(player, one, second)
    play_sessions(player, one)


def play_sessions(player: Player, one: Someone) -> None:
    """Sign in with an API key, sign in again, and sign out."""
    replaced = get_session(sign_in(one))["id"]
    opened = player.play("create_session", one, {"replaces": replaced})
    session = replace(one, key=str(opened["token"]))
    player.play("get_me", session)
    player.play("list_sessions", session)
    player.play("end_one_session", one, session_id=replaced)
    player.play("end_session", session)
    player.play_refusal("no-session", "end_session", one)
    player.play("end_all_sessions", one)


def play_keys(player: Player, one: Someone, second: Someone, ids: dict[str, str]) -> None:
    """Make an API key, rotate it and revoke it."""
    wanted = {"scopes": ["feed:read", "cases:read"], "days": 30}
    key = player.play_with(second, "create_key", one, wanted, **ids)
    player.play("redeem_key_link", None, {"link": key["link"]})
    player.play("list_keys", one, **ids)
    named = ids | {"prefix": str(key["prefix"])}
    rotation = {"days": 30, "overlap_hours": 24}
    player.play_with(second, "rotate_key", one, rotation, **named)
    player.play("revoke_key", one, **named)


def play_machine(player: Player, one: Someone, second: Someone) -> None:
    """Register the public key of a machine, sign in with it, and revoke it."""
    account = player.world.add_person(
        "KZ_LEAD", WORKERS, EVERYTHING, AccountKind.INTEGRATION
    )
    machine = Machine(account, PAIR, "EdDSA")
    ids = {"account_id": machine.client}
    key: Json = {
        "jwk": dict(PAIR.as_dict(private=False)),
        "scopes": ["directory:read", "feed:read"],
        "days": 90,
    }
    player.play_with(second, "register_public_key", one, key, **ids)
    player.play("list_public_keys", one, **ids)
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT,
        "client_assertion": machine.sign(jti=str(player.world.ids())),
        "scope": "feed:read",
    }
    player.play("issue_token", None, form)
    player.play("revoke_public_key", one, kid=machine.kid, **ids)


def play_approvals(player: Player, one: Someone, second: Someone) -> None:
    """List pending approvals, and decide, confirm and withdraw requests."""
    asked = [
        one.create(
            "/accounts",
            {
                "focal_point": "KZ_LEAD",
                "label": label,
                "kind": "person",
                "roles": ["officer"],
            },
        ).json()["id"]
        for label in ("duty 8", "duty 9", "duty 10", "duty 11")
    ]
    player.play("list_approvals", second, query={"state": "pending", "limit": 20})
    player.play("get_approval", second, approval_id=asked[0])
    player.play("approve_approval", second, approval_id=asked[0])
    player.play("refuse_approval", second, approval_id=asked[1])
    player.play("confirm_approval", second, approval_id=asked[2])
    player.play("withdraw_approval", one, approval_id=asked[3])
