"""Accounts and their keys: for the first administrators, and when nobody else is left."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import typer

from app.access.actions import KEY_DAYS
from app.access.schemas import KeyOut
from app.cli import administering
from app.cli.administering import Person
from app.cli.calling import plain
from app.cli.grounds import ground_of
from app.cli.readiness import must_be_real
from app.kernel.actors import Role, Scope
from app.settings import Settings

account = typer.Typer(no_args_is_help=True, help="Who may act for a focal point.")
api_key = typer.Typer(no_args_is_help=True, help="What accounts sign in with.")
NOBODY: Final = (
    "There is no account. Open one: safe-conduct account new FOCAL-POINT LABEL --role ROLE"
)


@account.command("list")
def list_accounts(
    focal_point: Annotated[
        str | None, typer.Argument(help="Code of the focal point; else of all.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say who may act for a focal point, and with which keys: ended ones too."""
    people = administering.people(ground_of(Settings()), focal_point)
    if as_json:
        typer.echo(spelled(people))
        return
    for line in lines_of(people) if people else (NOBODY,):
        typer.echo(plain(line))


def spelled(people: Iterable[Person]) -> str:
    """Spell accounts and keys as `GET /v1/accounts` and `.../keys` do."""
    shown = [
        one.account.model_dump(mode="json")
        | {"keys": [key.model_dump(mode="json") for key in one.keys]}
        for one in people
    ]
    return json.dumps({"accounts": shown}, ensure_ascii=False)


def lines_of(people: Iterable[Person]) -> Iterator[str]:
    """Write each account, and below it what to name its keys by."""
    for one in people:
        who, roles = one.account, ", ".join(one.account.roles)
        ended = f", disabled {day(who.disabled_at)}" if who.disabled_at else ""
        yield f"{who.focal_point}  {who.label}  {who.kind}: {roles}{ended}"
        yield f"  account {who.id}"
        yield from (f"  key {line_of(key)}" for key in one.keys)
        if not one.keys:
            yield "  no API key"


def line_of(key: KeyOut) -> str:
    """Write a key, but for itself: nobody has it but whom it was shown to."""
    ended = f", revoked {day(key.revoked_at)}" if key.revoked_at else ""
    scopes = "all scopes" if set(key.scopes) == set(Scope) else " ".join(key.scopes)
    return f"{key.prefix}  until {day(key.expires_at)}{ended}  {scopes}"


def day(instant: datetime) -> str:
    """Write the day of UTC."""
    return instant.date().isoformat()


@account.command("new")
def new_account(
    focal_point: Annotated[str, typer.Argument(help="Code of the focal point.")],
    label: Annotated[str, typer.Argument(help="Staff number or duty post; no name.")],
    role: Annotated[list[Role], typer.Option(help="May be given more than once.")],
) -> None:
    """Open an account; then make it an API key."""
    settings = Settings()
    ground = ground_of(settings)
    with ground.database.reading() as session:
        must_be_real(session, settings.environment)
    typer.echo(administering.open_account(ground, focal_point, label, role))


@account.command("disable")
def disable_account(
    account_id: Annotated[UUID, typer.Argument(help="As `account list` shows it.")],
) -> None:
    """End an account with all its keys, from the next request on."""
    office, left = administering.disable_account(ground_of(Settings()), account_id)
    typer.echo(f"Disabled. People of {office} who can work on cases now: {left}.")


@api_key.command("new")
def new_api_key(
    account_id: Annotated[UUID, typer.Argument(help="As `account list` shows it.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="Default: all.")] = None,
    days: Annotated[int, typer.Option(min=1, max=365)] = KEY_DAYS,
) -> None:
    """Make an API key; it is shown this once."""
    ground = ground_of(Settings())
    typer.echo(administering.make_key(ground, account_id, scope or list(Scope), days))


@api_key.command("revoke")
def revoke_api_key(
    prefix: Annotated[
        str, typer.Argument(help="What stands between sc_ and the next _; `account list`.")
    ],
) -> None:
    """End an API key, from the next request on."""
    administering.revoke_key(ground_of(Settings()), prefix)
    typer.echo("Revoked.")
