"""The accounts in the access matrix: office accounts with roles, and invalid accounts."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.access.actions import disable_account, revoke_key
from app.access.credentials import get_prefix
from app.access.models import ApiKey
from app.kernel.actors import AccountKind, Role, Scope
from tests.support.world import EVERYTHING, WORKERS, Someone, World

# account                       | focal point              | roles
ACCOUNTS: Final = """
consulate                       | UZ_CONSULATE_ALMATY      | officer caseworker coordinator
consulate/officer               | UZ_CONSULATE_ALMATY      | officer
consulate/coordinator           | UZ_CONSULATE_ALMATY      | coordinator
consulate/supervisor            | UZ_CONSULATE_ALMATY      | supervisor
kz                              | KZ_LEAD                  | officer caseworker coordinator
kz/coordinator                  | KZ_LEAD                  | coordinator
kz/supervisor                   | KZ_LEAD                  | supervisor
iom                             | IOM                      | officer caseworker coordinator
iom/caseworker                  | IOM                      | caseworker
iom/coordinator                 | IOM                      | coordinator
iom/supervisor                  | IOM                      | supervisor
sana                            | SANA_SEZIM               | officer caseworker coordinator
sana/officer                    | SANA_SEZIM               | officer
sana/caseworker                 | SANA_SEZIM               | caseworker
sana/coordinator                | SANA_SEZIM               | coordinator
sana/supervisor                 | SANA_SEZIM               | supervisor
uz                              | UZ_LEAD                  | officer caseworker coordinator
uz/coordinator                  | UZ_LEAD                  | coordinator
uz/supervisor                   | UZ_LEAD                  | supervisor
shelter                         | KZ_SHELTER_KOGERSHIN     | officer caseworker coordinator
shelter/officer                 | KZ_SHELTER_KOGERSHIN     | officer
shelter/caseworker              | KZ_SHELTER_KOGERSHIN     | caseworker
shelter/supervisor              | KZ_SHELTER_KOGERSHIN     | supervisor
lawyer                          | KZ_LEGAL_AID             | officer caseworker coordinator
other_shelter                   | KZ_SHELTER_TANSHOLPAN    | officer caseworker coordinator
home                            | ISTIQBOLLI_AVLOD         | officer caseworker coordinator
home/officer                    | ISTIQBOLLI_AVLOD         | officer
home/supervisor                 | ISTIQBOLLI_AVLOD         | supervisor
desk                            | DESK_CENTRAL_ASIA        | officer caseworker coordinator
desk/coordinator                | DESK_CENTRAL_ASIA        | coordinator
desk/officer                    | DESK_CENTRAL_ASIA        | officer
oversight                       | OVERSIGHT_DEMO           | officer caseworker coordinator
oversight/protection_officer    | OVERSIGHT_DEMO           | protection_officer
oversight/supervisor            | OVERSIGHT_DEMO           | supervisor
elsewhere                      | TT_SAFE_HARBOUR          | officer caseworker coordinator
elsewhere/supervisor            | TT_SAFE_HARBOUR          | supervisor
administrator                   | OVERSIGHT_DEMO           | administrator
analyst                         | OVERSIGHT_DEMO           | analyst
unscoped                        | SANA_SEZIM               | officer caseworker coordinator
expired                         | SANA_SEZIM               | officer caseworker coordinator
revoked                         | SANA_SEZIM               | officer caseworker coordinator
disabled                        | SANA_SEZIM               | officer caseworker coordinator
"""
NO_KEY: Final = {"nobody": "", "unknown": "sc_0123456789_nobody-has-this-key"}


@dataclass(frozen=True)
class Caller:
    """A caller of operations: a name, its office, and its key for each scope."""

    name: str
    office: str
    keys: dict[str, str]
    """The API key to use in a test of a scope, by scope.

    `unscoped` has a key for each scope that lacks only this scope; every other caller has
    the same key for all scopes.
    """


def accounts() -> dict[str, tuple[str, frozenset[Role]]]:
    """Return the office and the roles of each account in `ACCOUNTS`."""
    read = (line.split("|") for line in ACCOUNTS.strip().splitlines())
    return {
        name.strip(): (office.strip(), frozenset(map(Role, roles.split())))
        for name, office, roles in read
    }


def people(world: World) -> dict[str, Someone]:
    """Create every account, and return the accounts by name."""
    named = accounts().items()
    found = {name: world.add_person(office, roles) for name, (office, roles) in named}
    lock_out(world, found)
    return found


def lock_out(world: World, found: dict[str, Someone]) -> None:
    """Make three keys invalid: one expired, one revoked, one of a disabled account."""
    prefix = {name: get_prefix(one.key) for name, one in found.items()}
    past = world.now - timedelta(days=400)
    with world.database.begin_write() as session:
        session.get_one(ApiKey, prefix["expired"]).expires_at = past
        revoke_key(session, prefix["revoked"], world.now)
        disable_account(session, found["disabled"].actor.account_id, world.now)


def callers(world: World, found: dict[str, Someone]) -> list[Caller]:
    """Return every caller in the access matrix, with a key to use for each scope."""
    named = accounts()
    known = [
        Caller(name, named[name][0], dict.fromkeys(map(str, Scope), one.key))
        for name, one in found.items()
        if name != "unscoped"
    ]
    lacking = {
        str(scope): world.add_person(
            "SANA_SEZIM", WORKERS, EVERYTHING - {scope}, AccountKind.PERSON
        ).key
        for scope in Scope
    }
    nobodies = [
        Caller(name, "", dict.fromkeys(map(str, Scope), key))
        for name, key in NO_KEY.items()
    ]
    return [*nobodies, *known, Caller("unscoped", "SANA_SEZIM", lacking)]
