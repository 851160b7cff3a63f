"""Commands to run Safe Conduct, and to submit and follow cases."""

from typing import Annotated, Final

import typer

from app.cli import (
    demonstrating,
    ending,
    grounds,
    lines,
    operating,
    publishing,
    readiness,
    serving,
    working,
)
from app.cli.calls import calls
from app.cli.operating import out, print_line
from app.demo.journeys import JOURNEYS, Journey
from app.demo.players import StoryBroken
from app.demo.stage import DemoRefused
from app.kernel.ledger import Ledger
from app.main import create_app
from app.settings import DemoSettings, LogLevel, Settings

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False
)
demo = typer.Typer(help="Serve and play a demonstration with made-up data.")

REFUSALS: Final = (*operating.REFUSALS, DemoRefused, StoryBroken)
ABOUT_JOURNEYS: Final = "\n\n".join(
    (
        "Play journeys with made-up data against the running service (SAFE_CONDUCT_URL).",
        "A journey that was played before changes nothing and prints its case's state.",
        *(f"`{name}`: {shows}." for name, (shows, _) in JOURNEYS.items()),
    )
)

Check = Annotated[bool, typer.Option("--check", help="Write nothing; fail if stale.")]


@cli.command()
def serve() -> None:
    """Serve the API. On SQLite this is the only process, and includes the worker."""
    settings = Settings()
    lines.log_lines(settings.log_level)
    runtime, ledger = grounds.ground_of(settings), Ledger(settings.erasure_ledger)
    grounds.log_drill(runtime)
    readiness.log_unknown_settings()
    with grounds.claim_sqlite_file(settings.database_url):
        readiness.log_warnings(readiness.must_be_ready(runtime, ledger, settings))
        port = serving.open_port(settings)
        ledger.start(runtime)
        with (
            grounds.serve_metrics(runtime, settings),
            working.run_inside(runtime, ledger, settings),
        ):
            rate, docs = settings.requests_per_minute, settings.docs
            url = settings.public_url
            app = create_app(runtime, ledger, rate=rate, docs=docs, public_url=url)
            serving.server(app, settings).run([port])
        runtime.database.engine.dispose()


@demo.callback(invoke_without_command=True)
def play_all(context: typer.Context) -> None:
    """Play every journey against the running service (SAFE_CONDUCT_URL)."""
    if context.invoked_subcommand is None:
        demonstrating.play(DemoSettings(), print_line)


@demo.command("play", help=ABOUT_JOURNEYS)
def play_some(
    journey: Annotated[
        list[Journey] | None,
        typer.Option(metavar="NAME", help="May be repeated. Default: all journeys."),
    ] = None,
) -> None:
    """Play the named journeys, or all."""
    demonstrating.play(DemoSettings(), print_line, journey or [])


@demo.command("serve")
def serve_demo() -> None:
    """Set up and serve a demonstration, play the journeys, and print keys and a request."""
    settings = DemoSettings()
    lines.log_lines(max(settings.log_level, LogLevel.WARNING, key=list(LogLevel).index))
    demonstrating.serve(settings, print_line)


@cli.command("openapi")
def write_openapi(*, check: Check = False) -> None:
    """Write openapi/ from the code (for developers)."""
    publish(publishing.contracts(), check=check)


@cli.command("docs")
def write_docs(*, check: Check = False) -> None:
    """Write the generated pages and tables of docs/ from the code (for developers)."""
    pages = {
        publishing.LIFECYCLES: publishing.render_lifecycles(),
        publishing.PROBLEMS: publishing.render_problems(),
        publishing.OPERATIONS: publishing.render_operations(),
        publishing.PRIVACY: publishing.privacy(),
        publishing.MECHANISM: publishing.render_mechanism(),
    }
    publish(pages, check=check)


def publish(pages: dict[str, str], *, check: bool) -> None:
    """Write the pages that are stale; with `check`, write nothing and exit with 1."""
    stale = publishing.stale(pages, write=not check)
    for name in stale:
        out.print(f"{name} {'is stale: run make openapi docs' if check else 'written'}")
    if check and stale:
        raise typer.Exit(1)


cli.add_typer(demo, name="demo")
cli.add_typer(operating.cli)
cli.add_typer(calls)

if __name__ == "__main__":
    ending.run(cli, REFUSALS)
