"""The `account` and `api-key` commands, for the first accounts and for recovery."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import typer

from app.access import protection
from app.access.actions import KEY_DAYS
from app.access.schemas import KeyOut
from app.cli import operator_actions
from app.cli.account_load_command import load_accounts
from app.cli.api_client import escape_unprintable
from app.cli.enrolment_command import enrol_account
from app.cli.operator_actions import AccountWithKeys
from app.cli.progress import print_line, run_with_progress
from app.cli.readiness import require_no_demo
from app.cli.startup import NotReady, load_runtime
from app.kernel.actors import Role, Scope
from app.settings import Settings

account = typer.Typer(no_args_is_help=True, help="List, open and disable accounts.")
api_key = typer.Typer(no_args_is_help=True, help="Make and revoke API keys.")
NO_ACCOUNT: Final = (
    "There are no accounts. Open one: "
    "safe-conduct account new FOCAL-POINT LABEL --role ROLE"
)


@account.command("list")
def list_accounts(
    focal_point: Annotated[
        str | None, typer.Argument(help="Code of the focal point. Default: all.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List accounts and their API keys, including disabled accounts and revoked keys."""
    people = operator_actions.list_accounts(load_runtime(Settings()), focal_point)
    if as_json:
        typer.echo(format_json(people))
        return
    for line in format_lines(people) if people else (NO_ACCOUNT,):
        typer.echo(escape_unprintable(line))


def format_json(people: Iterable[AccountWithKeys]) -> str:
    """Return accounts as JSON, each in the format of the HTTP API and with its `keys`."""
    rows = [
        entry.account.model_dump(mode="json")
        | {"keys": [key.model_dump(mode="json") for key in entry.keys]}
        for entry in people
    ]
    return json.dumps({"accounts": rows}, ensure_ascii=False)


def format_lines(people: Iterable[AccountWithKeys]) -> Iterator[str]:
    """Yield the lines of text that describe accounts and their API keys."""
    for entry in people:
        shown, roles = entry.account, ", ".join(entry.account.roles)
        ended = f", disabled {format_day(shown.disabled_at)}" if shown.disabled_at else ""
        yield f"{shown.focal_point}  {shown.label}  {shown.kind}: {roles}{ended}"
        yield f"  account {shown.id}"
        yield from (f"  key {format_key(key)}" for key in entry.keys)
        if not entry.keys:
            yield "  no API key"


def format_key(key: KeyOut) -> str:
    """Return a line of text about an API key, with the prefix and without the secret."""
    ended = f", revoked {format_day(key.revoked_at)}" if key.revoked_at else ""
    scopes = "all scopes" if set(key.scopes) == set(Scope) else " ".join(key.scopes)
    link = "" if key.link_expires_at is None else f", link until {key.link_expires_at:%F}"
    return f"{key.prefix}  until {format_day(key.expires_at)}{link}{ended}  {scopes}"


def format_day(instant: datetime) -> str:
    """Return the date of a UTC time in ISO 8601."""
    return instant.date().isoformat()


@account.command("new")
def create_account(
    focal_point: Annotated[str, typer.Argument(help="Code of the focal point.")],
    label: Annotated[str, typer.Argument(help="Staff number or duty post, not a name.")],
    role: Annotated[list[Role], typer.Option(help="Role of the account; may be repeated.")],
) -> None:
    """Create an account and print its id. To make an API key for it, use `api-key new`."""
    settings = Settings()
    runtime = load_runtime(settings)
    with runtime.database.begin_read() as session:
        require_no_demo(session, settings.environment)
    typer.echo(operator_actions.create_account(runtime, focal_point, label, role))


account.command("load")(load_accounts)
account.command("enrol")(enrol_account)


@account.command("disable")
def disable_account(
    account_id: Annotated[
        UUID, typer.Argument(help="Id of the account; see `account list`.")
    ],
) -> None:
    """Disable an account and all its API keys, with effect from the next request."""
    office, left = operator_actions.disable_account(load_runtime(Settings()), account_id)
    typer.echo(f"Disabled. People of {office} who can still work on cases: {left}.")


NOT_ALLOWED: Final = (
    "This is for an upgrade from a version before 0.2 only. If you upgrade, compare "
    "`safe-conduct account list` with the accounts that you expect, and set "
    "SAFE_CONDUCT_UNPROTECTED_UNTIL to a time in some hours. Otherwise somebody changed "
    'the database: see "Rows that were changed in the database" in docs/operations.md.'
)


@account.command("protect")
def protect_accounts(
    *,
    again: Annotated[
        UUID | None,
        typer.Option(help="Protect this account again, after its rows were changed."),
    ] = None,
) -> None:
    """Protect accounts of a version before 0.2 against changes in the database.

    First compare `account list` with the accounts that you expect, because keys, roles,
    sessions and passkeys are accepted as they are now. The command needs
    SAFE_CONDUCT_UNPROTECTED_UNTIL. On PostgreSQL, the service may be running. On SQLite,
    no other process may use the database. If the command is interrupted, run it again.

    With `--again`, one account is shown and, after a confirmation, protected as it is.
    """
    if again is not None:
        protect_again(again)
        return
    if not load_runtime(Settings()).row_macs.accepts_missing():
        raise NotReady(NOT_ALLOWED)
    total = run_with_progress("protecting", protection.protect_accounts)
    print_line(f"{total} accounts and persons were protected.")


def protect_again(account_id: UUID) -> None:
    """Show an account, ask for confirmation, and protect its rows as they are now."""
    runtime = load_runtime(Settings())
    people = operator_actions.list_accounts(runtime, None)
    shown = [one for one in people if one.account.id == account_id]
    if not shown:
        raise NotReady("There is no account with this id: see safe-conduct account list.")
    for line in format_lines(shown):
        typer.echo(escape_unprintable(line))
    typer.confirm("Are the roles and keys of this account right?", abort=True)
    protection.protect_account_again(runtime, account_id)
    print_line(
        "The account and its keys were protected again. Its sessions and enrolments ended. "
        "If the passkeys of its person were changed, two people have to recover the person."
    )


@api_key.command("new")
def create_api_key(
    account_id: Annotated[
        UUID, typer.Argument(help="Id of the account; see `account list`.")
    ],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="May be repeated; default: all.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="Days of validity.")] = KEY_DAYS,
    *,
    link: Annotated[
        bool,
        typer.Option("--link", help="Print a link with which the holder makes the key."),
    ] = False,
) -> None:
    """Make an API key and print it. The key cannot be shown again.

    With `--link`, a link is printed instead, and you do not see the key. Give the link to
    the holder, who runs `safe-conduct redeem-key` within 24 hours.
    """
    runtime, scopes = load_runtime(Settings()), scope or list(Scope)
    made = operator_actions.create_key(runtime, account_id, scopes, days, by_link=link)
    typer.echo(made)


@api_key.command("revoke")
def revoke_api_key(
    prefix: Annotated[
        str, typer.Argument(help="The part between sc_ and the next _; see `account list`.")
    ],
) -> None:
    """Revoke an API key, with effect from the next request."""
    operator_actions.revoke_key(load_runtime(Settings()), prefix)
    typer.echo("Revoked.")
