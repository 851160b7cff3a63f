"""The operator commands for the directory."""

from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli import operator_actions, row_protection
from app.cli.accounts import NOT_ALLOWED
from app.cli.api_client import escape_unprintable
from app.cli.progress import print_line
from app.cli.startup import NotReady, load_runtime
from app.kernel.transactions import Runtime
from app.settings import Settings

ALL: Final = "all"
"""The argument of `--again` that stands for all rows altered outside the service."""

directory = typer.Typer(
    no_args_is_help=True,
    help="Load the directory from files, and protect it from changes outside the service.",
)


@directory.command("load")
def load_directory(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder with CSV files. Default: the packaged ones."),
    ] = None,
    *,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Also activate rows deactivated over HTTP.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the files, and write nothing.")
    ] = False,
) -> None:
    """Load countries, offices, agreements, time limits and contacts from CSV files.

    A row with a known code changes the stored row. Each changed row is listed, with the
    names of the changed columns.
    """
    loaded = operator_actions.load_directory(
        load_runtime(Settings()), folder, reopen=reopen, dry_run=dry_run
    )
    for line in operator_actions.describe_load(loaded):
        print_line(line)
    if dry_run:
        print_line("Dry run: nothing was written.")


@directory.command("protect")
def protect_directory(
    *,
    again: Annotated[
        str | None,
        typer.Option(
            metavar="SUBJECT",
            help="A row that was changed, such as focal-points/KZ_LEAD, or `all`.",
        ),
    ] = None,
) -> None:
    """Protect rows of the directory, and webhooks, that a version before 0.2 wrote.

    First compare the rows with your files (`directory load --dry-run`), because they are
    accepted as they are now. The command needs SAFE_CONDUCT_UNPROTECTED_UNTIL. On
    PostgreSQL, the service may be running. On SQLite, no other process may use the
    database.

    With `--again`, a row that was altered outside the service is shown and, after a
    confirmation, protected as it is; `all` stands for all such rows.
    """
    runtime = load_runtime(Settings())
    if again is not None:
        protect_again(runtime, again)
        return
    if not runtime.row_macs.accepts_missing():
        raise NotReady(NOT_ALLOWED)
    count = row_protection.protect_directory(runtime)
    print_line(f"{count} rows were protected.")


def protect_again(runtime: Runtime, subject: str) -> None:
    """Show an altered row, or all of them, ask for confirmation, and protect them."""
    with runtime.database.begin_read() as session:
        altered = row_protection.find_altered(session)
    wanted = {one: row for one, row in altered.items() if subject in {one, ALL}}
    if not wanted:
        others = ", ".join(altered) or "none"
        raise NotReady(f"No such row was altered. The rows that were altered: {others}.")
    for name, (_, row) in wanted.items():
        values = (f"  {name}: {value}" for name, value in row.items() if is_shown(value))
        for line in (name, *values):
            typer.echo(escape_unprintable(line))
    typer.confirm("Are all these values right?", abort=True)
    row_protection.protect_again(runtime, wanted)
    print_line(f"{len(wanted)} rows were protected again.")


def is_shown(value: object) -> bool:
    """Return whether a value is shown: it is not a MAC, and not null."""
    return value is not None and not isinstance(value, bytes)
