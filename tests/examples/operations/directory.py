"""The directory: read by every office, changed by one administrator or by two."""

from typing import Final

from tests.examples.operations.bodies import PHONES
from tests.support.administrators import ADMINISTRATOR, OFFICE
from tests.support.operation_player import Player
from tests.support.world import Json, Someone

ON_CREATION: Final = {"If-None-Match": "*"}
SHELTER: Final[Json] = OFFICE | {
    "code": "KZ_SHELTER_ZHANA_UI",
    "name": "Жаңа үй / Jaña üi shelter in Shymkent (fictitious)",
    "sexes": ["female"],
    "ages": ["adult", "child"],
    "opening": ["mo-fr/09:00-18:00"],
}


def play_directory(player: Player) -> None:
    """Run the journey of a reader of the directory, and of two people who change it."""
    lead = player.world.add_person("KZ_LEAD")
    administrator = player.world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)
    second = player.world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)
    play_offices(player, lead, administrator)
    play_countries(player, lead, administrator, second)
    play_agreements(player, lead, administrator, second)
    play_contacts(player, administrator, second)
    player.play("list_directory_changes", administrator, query={"limit": 20})
    player.play("get_lifecycles", lead)
    question = {
        "country": "KZ",
        "age_class": "adult",
        "language": "uz",
        "priority": "urgent",
        "services": ["SHELTER"],
        "safeguards": {"country_of_origin": "UZ", "fear_of_state": True},
    }
    player.play("preview_routing", lead, question)


def play_offices(player: Player, lead: Someone, administrator: Someone) -> None:
    """Read offices, add a shelter, and report the free places of another shelter."""
    kept = {"country": "KZ", "service": "SHELTER", "limit": 20}
    player.play("list_focal_points", lead, query=kept)
    player.play("get_focal_point", lead, focal_point="KZ_SHELTER_KOGERSHIN")
    code = str(SHELTER["code"])
    ids = {"focal_point": code}
    put = "replace_focal_point"
    player.play(put, administrator, SHELTER, headers=ON_CREATION, **ids)
    opened = SHELTER | {"active": True}
    player.play(put, administrator, opened, status=202, **ids)
    shelter = player.world.add_person("KZ_SHELTER_KOGERSHIN")
    free = {"free": 3}
    player.play("write_capacity", shelter, free, focal_point=shelter.code)


def play_countries(
    player: Player, lead: Someone, administrator: Someone, second: Someone
) -> None:
    """Read countries, their settings and their time limits, and change them."""
    player.play("list_countries", lead)
    player.play("get_country", lead, country="KZ")
    read = administrator.get("/countries/KZ").json()
    schema = player.operations["replace_country"].body_schema
    assert schema is not None
    fields = player.operations["replace_country"].schemas[schema["$ref"].split("/")[-1]]
    settings = {name: read[name] for name in fields["properties"]}
    settings |= {"languages": ["kk", "ru", "uz"]}
    player.play("replace_country", administrator, settings, country="KZ")
    apart = settings | {
        "state_routing": "avoid",
        "routing_reason": "The made-up ministry asked for it.",
    }
    player.play("replace_country", administrator, apart, status=202, country="KZ")
    player.play("list_time_limits", lead, country="KZ")
    ids = {"of": "KZ", "deadline": "acknowledge", "priority": "normal"}
    limit = ids | {
        "amount": 2,
        "unit": "working_days",
        "source": "Order of the made-up ministry, 2026",
        "as_of": "2026-05-01",
    }
    player.play_with(
        second, "replace_time_limit", administrator, limit, headers=ON_CREATION, **ids
    )
    player.play("get_time_limit", lead, **ids)


def play_agreements(
    player: Player, lead: Someone, administrator: Someone, second: Someone
) -> None:
    """Add an agreement with the approval of a second administrator, and read it."""
    agreement = {
        "code": "KZ_UZ_EXAMPLE",
        "name": "Kazakhstan and Uzbekistan: exchange in cases of trafficking (fictitious)",
        "countries": ["KZ", "UZ"],
        "level": "L1",
        "in_force_from": "2026-01-01",
        "in_force_until": None,
        "source": None,
    }
    ids = {"agreement": "KZ_UZ_EXAMPLE"}
    name = "replace_agreement"
    player.play_with(second, name, administrator, agreement, headers=ON_CREATION, **ids)
    player.play("get_agreement", lead, **ids)
    player.play("list_agreements", lead)


def play_contacts(player: Player, administrator: Someone, second: Someone) -> None:
    """Add the telephone of an office, and read it."""
    contact = {
        "code": "KZ_LEAD_NIGHT",
        "focal_point": "KZ_LEAD",
        "channel": "sms",
        "address": PHONES[0],
        "language": "kk",
        "label": "night desk",
        "active": True,
    }
    ids = {"contact": "KZ_LEAD_NIGHT"}
    name = "replace_duty_contact"
    player.play_with(second, name, administrator, contact, headers=ON_CREATION, **ids)
    player.play("get_duty_contact", administrator, **ids)
    player.play("list_duty_contacts", administrator)
