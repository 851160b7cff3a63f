"""What whoever runs a service types; and all that there is, for who asks what that is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import structlog
import typer
from rich.console import Console

from app.cli import (
    accounts,
    administering,
    affected,
    backing_up,
    demonstrating,
    ending,
    publishing,
    readiness,
    restoring,
    serving,
    status,
    working,
)
from app.cli.calls import calls
from app.demo.journeys import JOURNEYS, Journey
from app.demo.players import StoryBroken
from app.demo.stage import DemoRefused
from app.directory.files import FilesRefused
from app.kernel import migrations
from app.kernel.ledger import Ledger
from app.main import create_app
from app.settings import LogLevel, Settings

out = Console()
cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False
)
demo = typer.Typer(help="A made-up mechanism and journeys through it.")
key = typer.Typer(no_args_is_help=True, help="The keys that protect what is sealed.")
erasure = typer.Typer(no_args_is_help=True, help="What no backup must bring back.")
directory = typer.Typer(no_args_is_help=True, help="Countries, focal points, agreements.")
worker = typer.Typer(no_args_is_help=True, help="What watches the clocks of cases.")
for name, part in (("demo", demo), ("key", key), ("directory", directory)):
    cli.add_typer(part, name=name)
cli.add_typer(erasure, name="erasures")
cli.add_typer(accounts.account, name="account")
cli.add_typer(worker, name="worker")
cli.add_typer(accounts.api_key, name="api-key")

REFUSALS: Final = (
    *(*ending.REFUSALS, serving.NotReady, FilesRefused),
    *(DemoRefused, StoryBroken),
)
"""What an operator can mend."""
ABOUT_JOURNEYS: Final = "\n\n".join(
    (
        "Play journeys against the running service (SAFE_CONDUCT_URL). All is made up.",
        "One that was played before changes nothing: it says how its case stands.",
        *(f"`{name}`: {shows}." for name, (shows, _) in JOURNEYS.items()),
    )
)

Check = Annotated[bool, typer.Option("--check", help="Change nothing; fail if stale.")]


@cli.command()
def serve() -> None:
    """Serve the API; on SQLite as the only process, which watches the clocks too."""
    settings = Settings()
    serving.log_lines(settings.log_level)
    ground, ledger = serving.ground_of(settings), Ledger(settings.erasure_ledger)
    with serving.alone(settings.database_url):
        readiness.must_be_ready(ground, ledger, settings)
        listener = serving.listener(settings)
        ledger.start(ground)
        if drill := serving.about_drill(ground):
            structlog.get_logger().warning("drill", said=drill)
        with serving.exposing(ground, settings), working.beside(ground, ledger, settings):
            rate, docs = settings.requests_per_minute, settings.docs
            url = settings.public_url
            app = create_app(ground, ledger, rate=rate, docs=docs, public_url=url)
            serving.server(app, settings).run([listener])
        ground.database.engine.dispose()


@worker.command("run")
def run_worker() -> None:
    """Watch the clocks in a process of its own; more than one is safe on PostgreSQL."""
    settings = Settings()
    serving.log_lines(settings.log_level)
    working.run(settings)


@worker.command("status")
def show_worker(
    *, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Say whether the worker lives and keeps up; fails if somebody has to look."""
    found = status.status_of(serving.ground_of(Settings()))
    if as_json:
        say(status.as_json(found))
    else:
        out.print(*status.as_table(found), sep="\n")
    if not found.is_well:
        raise typer.Exit(1)


@cli.command()
def migrate() -> None:
    """Bring the database to the newest migration."""
    serving.migrate(Settings())
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
    for line in administering.examine(serving.ground_of(settings), settings):
        out.print(line)


@demo.callback(invoke_without_command=True)
def play_all(context: typer.Context) -> None:
    """Play every journey against the running service (SAFE_CONDUCT_URL), as `play` does."""
    if context.invoked_subcommand is None:
        demonstrating.play(Settings(), say)


@demo.command("play", help=ABOUT_JOURNEYS)
def play_some(
    journey: Annotated[
        list[Journey] | None,
        typer.Option(metavar="NAME", help="May be given more than once; else all."),
    ] = None,
) -> None:
    """Play some journeys, or all."""
    demonstrating.play(Settings(), say, journey or [])


def say(text: str) -> None:
    """Tell a line of the story as it is, however wide the terminal."""
    out.print(text, markup=False, soft_wrap=True, highlight=False)


@demo.command("serve")
def serve_demo() -> None:
    """Set everything up, serve, play the journeys, and print keys and a first request."""
    settings = Settings()
    serving.log_lines(max(settings.log_level, LogLevel.WARNING, key=list(LogLevel).index))
    demonstrating.serve(settings, say)


@key.command("new")
def new_key() -> None:
    """Make the first key, or the next one: new cases are sealed with the newest."""
    path = Settings().key_file
    made = serving.new_keys(path)
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
    ground = serving.ground_of(Settings())
    for line in administering.told(
        administering.load_directory(ground, folder, reopen=reopen)
    ):
        say(line)


@cli.command()
def openapi(*, check: Check = False) -> None:
    """Write openapi/ from the code."""
    publish(publishing.contracts(), check=check)


@cli.command()
def docs(*, check: Check = False) -> None:
    """Write docs/lifecycles.md, docs/problems.md, and tables of two other pages."""
    pages = {
        publishing.LIFECYCLES: publishing.lifecycles(),
        publishing.PROBLEMS: publishing.problems(),
        publishing.OPERATIONS: publishing.operations(),
        publishing.PRIVACY: publishing.privacy(),
    }
    publish(pages, check=check)


def publish(pages: dict[str, str], *, check: bool) -> None:
    """Write pages, or fail if they are stale."""
    stale = publishing.stale(pages, write=not check)
    for name in stale:
        out.print(f"{name} {'is stale: run make openapi docs' if check else 'written'}")
    if check and stale:
        raise typer.Exit(1)


cli.command(help=backing_up.ABOUT)(backing_up.backup)
cli.add_typer(calls)

if __name__ == "__main__":
    ending.run(cli, REFUSALS)
