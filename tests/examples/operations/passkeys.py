"""Passkeys: two people enrol a third, who signs in and manages passkeys."""

from dataclasses import replace
from random import Random
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from app.kernel.actors import Role
from tests.support.authenticators import Authenticator, Credential, decode
from tests.support.operation_player import Player
from tests.support.world import Json, Someone

DEVICE: Final = Authenticator()
KEYS: Final = Random("made-up passkeys")


def create_passkey(options: Json) -> tuple[Credential, Json]:
    """Create a passkey with a made-up key, which is the same in each run."""
    key = ec.derive_private_key(KEYS.getrandbits(200), ec.SECP256R1())
    made = Credential(decode(options["user"]["id"]), KEYS.randbytes(16), key)
    return DEVICE.create(options, made)


def play_passkeys(player: Player) -> None:
    """Enrol a caseworker, sign in, register a second passkey and remove it."""
    KEYS.seed("made-up passkeys")
    one, second = (player.world.add_person("KZ_LEAD", {Role.SUPERVISOR}) for _ in range(2))
    newcomer = player.world.add_person("KZ_LEAD", {Role.CASEWORKER})
    passkey, session = play_enrolment(player, one, second, newcomer)
    options = player.play("create_passkey_challenge", None)
    signed = DEVICE.sign(passkey, options)
    opened = player.play("create_session_with_passkey", None, {"credential": signed})
    session = replace(session, key=str(opened["token"]))
    options = player.play("create_passkey_options", session)
    _, made = create_passkey(options)
    body = {"credential": made, "label": "second telephone"}
    player.play_refusal("passkey-session-needed", "register_passkey", newcomer, body)
    added = player.play("register_passkey", session, body)
    player.play_refusal("passkey-refused", "register_passkey", session, body)
    player.play("list_passkeys", session)
    player.play("remove_passkey", session, {}, passkey_id=str(added["id"]))
    [left] = [one["id"] for one in session.get("/passkeys").json()["items"]]
    player.play_refusal("last-passkey", "remove_passkey", session, {}, passkey_id=left)


def play_enrolment(
    player: Player, one: Someone, second: Someone, newcomer: Someone
) -> tuple[Credential, Someone]:
    """Enrol a newcomer; return the passkey, and the newcomer with the new session."""
    account = {"account": str(newcomer.actor.account_id)}
    player.play_refusal(
        "recovery-mismatch", "create_enrolment", one, account | {"recovery": True}
    )
    made = player.play("create_enrolment", one, account)
    player.play_refusal("enrolment-exists", "create_enrolment", one, account)
    ids = {"enrolment_id": str(made["id"])}
    player.play_refusal("not-a-second-person", "confirm_enrolment", one, **ids)
    shown = player.play("confirm_enrolment", second, **ids)
    player.play_refusal("enrolment-ended", "confirm_enrolment", second, **ids)
    secrets = {"link": made["link"], "code": shown["code"]}
    options = player.play("create_enrolment_options", None, secrets)
    passkey, response = create_passkey(options)
    body = {**secrets, "credential": response, "label": "work telephone"}
    opened = player.play("redeem_enrolment", None, body)
    player.play("list_enrolments", one, query={"focal_point": "KZ_LEAD"})
    player.play_refusal("enrolment-ended", "cancel_enrolment", one, **ids)
    other = player.world.add_person("KZ_LEAD", {Role.OFFICER})
    begun = one.create("/enrolments", {"account": str(other.actor.account_id)}).json()
    player.play("cancel_enrolment", second, enrolment_id=str(begun["id"]))
    return passkey, replace(newcomer, key=str(opened["token"]))
