"""What whoever runs a service types, to set it up, watch over it, and mend it.

For this nothing of what is served is read into memory: some of it is typed by a machine
twice a minute (`worker status`), and some while much is at stake and every second long.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli import (
    accounts,
    administering,
    affected,
    backing_up,
    ending,
    grounds,
    lines,
    restoring,
    status,
    working,
)
from app.directory.files import FilesRefused
from app.kernel import migrations
from app.kernel.heartbeat import Part
from app.settings import Settings

out = Console()
cli = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
key = typer.Typer(no_args_is_help=True, help="The keys that protect what is sealed.")
erasure = typer.Typer(no_args_is_help=True, help="What no backup must bring back.")
directory = typer.Typer(no_args_is_help=True, help="Countries, focal points, agreements.")
worker = typer.Typer(no_args_is_help=True, help="What watches the clocks of cases.")
for name, part in (("key", key), ("directory", directory), ("worker", worker)):
    cli.add_typer(part, name=name)
cli.add_typer(erasure, name="erasures")
cli.add_typer(accounts.account, name="account")
cli.add_typer(accounts.api_key, name="api-key")

REFUSALS: Final = (*ending.REFUSALS, grounds.NotReady, FilesRefused)
"""What an operator can mend."""


@worker.command("run")
def run_worker(
    only: Annotated[
        list[Part] | None, typer.Option(help="Do this part alone; may be repeated.")
    ] = None,
    without: Annotated[
        list[Part] | None, typer.Option(help="Do not do this part; may be repeated.")
    ] = None,
) -> None:
    """Watch the clocks in a process of its own; more than one is safe on PostgreSQL.

    It does all parts unless you choose some: each has to be done by one process at least.
    """
    settings, parts = Settings(), working.choose_parts(only or (), without or ())
    lines.log_lines(settings.log_level)
    working.run(settings, parts)


@worker.command("status")
def show_worker(
    *, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Say whether the worker lives and keeps up; fails if somebody has to look."""
    found = status.status_of(grounds.ground_of(Settings()))
    if as_json:
        say(status.as_json(found))
    else:
        out.print(*status.as_table(found), sep="\n")
    if not found.is_well:
        raise typer.Exit(1)


@cli.command()
def migrate() -> None:
    """Bring the database to the newest migration."""
    grounds.migrate(Settings())
    out.print(f"The database is at migration {migrations.head()}.")


@cli.command()
def restored(
    erasures: Annotated[
        Path | None, typer.Option(help="A ledger of erasures; else that of the settings.")
    ] = None,
    *,
    no_erasures: Annotated[
        bool, typer.Option("--no-erasures", help=restoring.WITHOUT)
    ] = False,
) -> None:
    """Say that the database was restored: erase again what was; pollers read anew."""
    found = restoring.restored(Settings(), erasures, without=no_erasures)
    if found.anew:
        say(restoring.LEDGER_MADE)
    say(f"{found.named} erasures are newer than this backup.")
    say(f"{found.destroyed} of these cases were in it: their keys are destroyed again.")
    if found.named and not found.traceless:
        say(restoring.TRACES)
    say(f"{found.spared} cases and drafts would be destroyed soon: kept for 30 days.")
    say(restoring.AFTER_RESTORE)


@cli.command("affected")
def show_affected(
    since: Annotated[
        datetime | None,
        typer.Option(help="When the backup was made, in UTC; else its last sign of life."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """After a restore: case by case, what can no longer be honoured, and whom to tell."""
    made = since and since.replace(tzinfo=UTC)
    found = affected.report(restoring.keyless(Settings()), made)
    if as_json:
        say(affected.as_json(found))
        return
    for line in affected.as_text(found):
        say(line)


@cli.command()
def doctor() -> None:
    """Say whether the service could start, and what to do if not."""
    settings = Settings()
    for line in administering.examine(grounds.ground_of(settings), settings):
        out.print(line)


def say(text: str) -> None:
    """Tell a line of the story as it is, however wide the terminal."""
    out.print(text, markup=False, soft_wrap=True, highlight=False)


@cli.command()
def reseal() -> None:
    """Seal again what older versions kept in clear, or sealed without padding or own keys.

    It may run while the service is served on PostgreSQL; on SQLite nothing else may run.
    Run again, it does what is left.
    """
    settings, total = Settings(), 0
    ground = grounds.ground_of(settings)
    with grounds.alone(settings.database_url), Progress(console=out) as progress:
        bar = progress.add_task("sealing anew", total=None)
        for done, total in administering.reseal(ground):
            progress.update(bar, completed=done, total=total)
    say(f"{total} documents were sealed again, or clocks moved.")
    if total:
        say("What was written over before may still stand in the files: docs/privacy.md.")


@key.command("new")
def new_key() -> None:
    """Make the first key, or the next one: new cases are sealed with the newest."""
    path = Settings().key_file
    made = grounds.new_keys(path)
    out.print(f"Key {made.current} is in {path}, readable by its owner alone.")
    out.print("Keep a copy apart from the database: without it no case can be opened.")


@erasure.command("export")
def export_erasures() -> None:
    """Write what was erased to the ledger outside the database; make it if it is lost."""
    added, there = restoring.export(Settings())
    if not there:
        say(restoring.LEDGER_MADE)
    say(f"{added} erasures were added to {Settings().erasure_ledger}.")


@directory.command("load")
def load_directory(
    folder: Annotated[
        Path | None, typer.Argument(help="Your own CSV files; else the packaged ones.")
    ] = None,
    *,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Open what was shut through the service too.")
    ] = False,
) -> None:
    """Load countries, offices, agreements, limits, contacts; again it changes nothing."""
    ground = grounds.ground_of(Settings())
    for line in administering.told(
        administering.load_directory(ground, folder, reopen=reopen)
    ):
        say(line)


cli.command(help=backing_up.ABOUT)(backing_up.backup)

if __name__ == "__main__":
    ending.run(cli, REFUSALS)
