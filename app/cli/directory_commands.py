"""The operator commands for the directory."""

from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli import operator_actions, row_protection
from app.cli.accounts import NOT_ALLOWED
from app.cli.api_client import escape_unprintable
from app.cli.progress import print_line
from app.cli.startup import NotReady, load_runtime
from app.settings import Settings

ALL: Final = "all"
"""The subject that stands for all rows that were changed by SQL."""

directory = typer.Typer(
    no_args_is_help=True,
    help="Load the directory from files, and protect it against changes by SQL.",
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
            help="Protect this row, such as focal-points/KZ_LEAD, or `all` as they are.",
        ),
    ] = None,
) -> None:
    """Protect the directory and webhooks of a version before 0.2 against changes by SQL.

    The rows are taken as they are now, so compare them with your files before (`directory
    load --dry-run`). It needs SAFE_CONDUCT_UNPROTECTED_UNTIL. On PostgreSQL, the service
    may be running. On SQLite, no other process may use the database.

    With `--again`, one row, or all that were changed by SQL, are shown and, after a
    confirmation, protected as they are.
    """
    runtime = load_runtime(Settings())
    if again is not None:
        protect_again(again)
        return
    if not runtime.row_macs.accepts_missing():
        raise NotReady(NOT_ALLOWED)
    count = row_protection.protect_directory(runtime)
    print_line(f"{count} rows were protected.")


def protect_again(subject: str) -> None:
    """Show a row or all changed rows, ask whether they are right, and protect them."""
    runtime = load_runtime(Settings())
    with runtime.database.begin_read() as session:
        altered = list(row_protection.list_altered(session))
        wanted = altered if subject == ALL else [one for one in altered if one == subject]
        found = {one: row_protection.find_row(session, one) for one in wanted}
    rows = {one: row for one, row in found.items() if row is not None}
    if not rows:
        others = ", ".join(altered) or "none"
        raise NotReady(f"No such row was changed by SQL. Rows that were changed: {others}.")
    for one, row in rows.items():
        shown = (f"  {name}: {value}" for name, value in row.items() if is_shown(value))
        for line in (one, *shown):
            typer.echo(escape_unprintable(line))
    typer.confirm("Are all these values right?", abort=True)
    for one, row in rows.items():
        row_protection.protect_row_again(runtime, one, row)
    print_line(f"{len(rows)} rows were protected again.")


def is_shown(value: object) -> bool:
    """Return whether a value is shown: it is not a MAC, and not null."""
    return value is not None and not isinstance(value, bytes)
