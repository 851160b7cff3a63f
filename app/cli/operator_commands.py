"""The commands of operators: set up, check, back up, restore and run the worker.

This module does not import the HTTP API, because the import takes time: a monitor runs
`worker status` twice a minute, and an operator in an emergency should not have to wait.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter, ValidationError

from app.cli import (
    accounts,
    backup_command,
    backup_restoring,
    case_commands,
    directory_commands,
    exit_codes,
    key_commands,
    logging_setup,
    operator_actions,
    restore,
    restore_report,
    startup,
    status,
    worker_process,
)
from app.cli.progress import out, print_line, run_with_progress, show_progress
from app.directory.files import FilesRefused
from app.figures.release_schemas import QuarterText
from app.figures.releases import Figures
from app.figures.weeks import Quarter
from app.kernel.heartbeat import Part
from app.kernel.schema_version import get_newest_migration
from app.settings import Settings

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
erasure = typer.Typer(no_args_is_help=True, help="Export the ledger of erasures.")
worker = typer.Typer(no_args_is_help=True, help="Run or check the worker.")
figures = typer.Typer(no_args_is_help=True, help="Count and preview figures.")
for name, part in (
    ("key", key_commands.key),
    ("directory", directory_commands.directory),
    ("worker", worker),
    ("figures", figures),
):
    cli.add_typer(part, name=name)
cli.add_typer(erasure, name="erasures")
cli.add_typer(accounts.account, name="account")
cli.add_typer(accounts.api_key, name="api-key")
cli.add_typer(case_commands.case, name="case")


QUARTER: Final = TypeAdapter[str](QuarterText)


def parse_quarter(text: str) -> str:
    """Return a quarter such as `2026Q1`, or raise BadParameter for any other text."""
    try:
        return QUARTER.validate_python(text)
    except ValidationError:
        raise typer.BadParameter("Write a quarter as in 2026Q1.") from None


REFUSALS: Final = (*exit_codes.REFUSALS, startup.NotReady, FilesRefused)
"""Exceptions for errors that an operator can correct. No traceback is printed."""


@worker.command("run")
def run_worker(
    only: Annotated[
        list[Part] | None, typer.Option(help="Run only this part; may be repeated.")
    ] = None,
    without: Annotated[
        list[Part] | None, typer.Option(help="Do not run this part; may be repeated.")
    ] = None,
) -> None:
    """Run the worker in a process of its own. On PostgreSQL, several workers may run.

    By default, the worker runs all parts. Each part has to run in at least one process.
    """
    settings, parts = Settings(), worker_process.choose_parts(only or (), without or ())
    logging_setup.configure_logging(settings.log_level)
    worker_process.run(settings, parts)


@worker.command("status")
def show_worker(
    only: Annotated[
        list[Part] | None, typer.Option(help="Show only the heartbeat of this part.")
    ] = None,
    without: Annotated[
        list[Part] | None, typer.Option(help="Show the heartbeats of all other parts.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the state of the worker and its backlog. Exits with 1 if action is needed.

    With the options of `worker run`, only the heartbeats of the parts of that worker are
    shown and count, so that the health check of its container can use this command.
    """
    parts = None
    if only or without:
        parts = worker_process.choose_parts(only or (), without or ())
    found = status.measure_status(startup.load_runtime(Settings()), parts)
    if as_json:
        print_line(status.as_json(found))
    else:
        out.print(*status.as_table(found), sep="\n")
    if not found.is_well:
        raise typer.Exit(1)


@cli.command()
def migrate() -> None:
    """Upgrade the database to the newest migration."""
    startup.migrate(Settings())
    out.print(f"The database is at migration {get_newest_migration()}.")


@cli.command("restored")
def finish_restore(
    erasures: Annotated[
        Path | None, typer.Option(help="Ledger of erasures. Default: that of the settings.")
    ] = None,
    *,
    no_erasures: Annotated[
        bool, typer.Option("--no-erasures", help=restore.NO_ERASURES_HELP)
    ] = False,
) -> None:
    """Finish a restore: repeat erasures, and make clients read their feeds again."""
    print_restored(restore.finish_restore(Settings(), erasures, without=no_erasures))


def print_restored(found: restore.RestoreResult) -> None:
    """Print what a restore erased again, and what the operator has to do."""
    if found.anew:
        print_line(restore.LEDGER_MADE)
    print_line(f"{found.named} erasures are newer than this backup.")
    print_line(f"{found.destroyed} of these cases were in the backup and erased again.")
    if found.named and not found.traceless:
        print_line(restore.TRACES)
    print_line(f"{found.spared} cases and drafts due for erasure are kept for 30 days.")
    print_line(restore.AFTER_RESTORE)


@cli.command("affected")
def show_affected(
    since: Annotated[
        datetime | None,
        typer.Option(help="Time of the backup, in UTC. Default: its last activity."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """After a restore, list the affected cases and the offices to inform."""
    made = since and since.replace(tzinfo=UTC)
    found = restore_report.build_report(restore.build_keyless_runtime(Settings()), made)
    if as_json:
        print_line(restore_report.as_json(found))
        return
    for line in restore_report.as_text(found):
        print_line(line)


@cli.command("doctor")
def check_setup() -> None:
    """Check settings and database, and print the reason if the service cannot start."""
    settings = Settings()
    for line in operator_actions.check_service(startup.load_runtime(settings), settings):
        print_line(line)


@cli.command("reseal")
def seal_again() -> None:
    """Seal data that older versions stored unencrypted, unpadded or without its own key.

    On PostgreSQL, the service may be running. On SQLite, no other process may use the
    database. If the command is interrupted, run it again.
    """
    total = run_with_progress("sealing", operator_actions.seal_outdated)
    print_line(f"{total} documents were sealed again or deadlines moved.")
    if total:
        print_line("Old data may remain in the database files: see docs/privacy.md.")


@figures.command("count")
def count_weeks() -> None:
    """Count the cases of each uncounted week that ended at least two weeks ago.

    The worker counts a week about two weeks after its end. After an upgrade, this command
    counts all earlier weeks at once. If it is interrupted, run it again.
    """
    total = run_with_progress("counting weeks", operator_actions.count_weeks)
    print_line(f"{total} weeks were counted.")


@figures.command("release")
def simulate_release(
    *,
    quarter: Annotated[
        str, typer.Option(parser=parse_quarter, metavar="2026Q3", help="The quarter.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compute the figures, and release nothing.")
    ] = False,
) -> None:
    """Print how many numbers the release of a quarter would show for each country.

    Figures are released by two people of oversight, in the console or with the API. This
    command needs `--dry-run`, and prints no figure. The service may be running.
    """
    if not dry_run:
        raise typer.BadParameter(
            "Two people of oversight release figures. Use --dry-run to compute them only."
        )
    found: list[Figures] = []
    steps = operator_actions.simulate_release(
        startup.load_runtime(Settings()), Quarter.parse(quarter), found
    )
    show_progress("computing", steps)
    for line in operator_actions.describe_simulation(found):
        print_line(line)
    if not found:
        print_line("No country has enough people in this quarter.")


@erasure.command("export")
def export_erasures() -> None:
    """Add new erasures to the ledger of erasures. If the ledger is missing, create it."""
    added, existed = restore.export_erasures(Settings())
    if not existed:
        print_line(restore.LEDGER_MADE)
    print_line(f"{added} erasures were added to {Settings().erasure_ledger}.")


cli.command()(backup_command.backup)
cli.command("verify-backup")(backup_restoring.verify)


@cli.command("restore")
def restore_backup(
    folder: backup_restoring.Folder,
    *,
    no_erasures: Annotated[
        bool, typer.Option("--no-erasures", help=restore.NO_ERASURES_HELP)
    ] = False,
) -> None:
    """Restore a backup into an empty database, and do the steps of `restored`."""
    settings = Settings()
    made, found = backup_restoring.restore_backup(settings, folder, without=no_erasures)
    print_line(f"Restored: {backup_command.describe_content(made)}.")
    print_restored(found)


if __name__ == "__main__":
    exit_codes.run(cli, REFUSALS)
