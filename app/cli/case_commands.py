"""The operator command `case protect`, which protects cases against changes (ADR 81)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from app.cases import case_protection
from app.cli.accounts import NOT_ALLOWED
from app.cli.api_client import escape_unprintable
from app.cli.progress import print_line, run_with_progress
from app.cli.startup import NotReady, load_runtime
from app.directory import queries as directory_queries
from app.kernel.actors import SYSTEM
from app.kernel.transactions import ReadTransaction, begin_read
from app.returns import step_digests
from app.settings import Settings

case = typer.Typer(
    no_args_is_help=True, help="Protect cases from changes outside the service."
)


@case.callback()
def require_subcommand() -> None:
    """Make Typer require the name `protect`, although it is the only command."""


@case.command("protect")
def protect_cases(
    *,
    again: Annotated[
        str | None,
        typer.Option(
            metavar="CODE", help="Protect this case again, after its rows were changed."
        ),
    ] = None,
) -> None:
    """Protect cases of a version before 0.2 against changes in the database.

    Their parties, consents and other records are accepted as they are now. The command
    needs SAFE_CONDUCT_UNPROTECTED_UNTIL. On PostgreSQL, the service may be running. On
    SQLite, no other process may use the database. If the command is interrupted, run it
    again.

    With `--again`, the rows of one case are shown and, after a confirmation, protected as
    they are.
    """
    if again is not None:
        protect_again(again)
        return
    if not load_runtime(Settings()).row_macs.accepts_missing():
        raise NotReady(NOT_ALLOWED)
    run_with_progress("protecting returns", step_digests.protect_steps)
    total = run_with_progress("protecting", case_protection.protect_cases)
    print_line(f"{total} cases were protected.")


def protect_again(code: str) -> None:
    """Show the rows of a case, ask for confirmation, and protect them as they are now."""
    runtime = load_runtime(Settings())
    with begin_read(runtime, SYSTEM) as tx:
        case_id = case_protection.find_case_id(tx.session, code)
        lines = [] if case_id is None else format_rows(tx, case_id)
    if case_id is None:
        raise NotReady("There is no case with this code.")
    for line in lines:
        typer.echo(escape_unprintable(line))
    typer.confirm("Are all these rows right?", abort=True)
    case_protection.protect_case_again(runtime, case_id)
    step_digests.protect_steps_again(runtime, case_id)
    print_line("The case was protected again.")


def format_rows(tx: ReadTransaction, case_id: UUID) -> list[str]:
    """Return a line for each row of a case, with the codes of offices instead of ids."""
    rows = list(case_protection.list_rows(tx.session, case_id))
    rows += step_digests.list_rows(tx.session, case_id)
    values = (value for _, row in rows for value in row.values())
    ids = {value for value in values if isinstance(value, UUID)}
    codes = directory_queries.get_codes(tx, ids)
    return [f"{table}: {format_values(codes, row)}" for table, row in rows]


def format_values(codes: dict[UUID, str], row: dict[str, Any]) -> str:
    """Return a row as text, without `case_id` and without empty, zero and binary values."""
    shown = {
        name: value
        for name, value in row.items()
        if name != "case_id" and not isinstance(value, bytes)
    }
    return " ".join(
        f"{name}={format_value(codes, value)}"
        for name, value in shown.items()
        if value or value is False
    )


def format_value(codes: dict[UUID, str], value: object) -> str:
    """Return a value as text. An office is shown by its code, and a time in ISO 8601."""
    match value:
        case UUID():
            return codes.get(value, str(value))
        case datetime():
            return value.isoformat(timespec="seconds")
        case _:
            return str(value)
