"""What whoever runs a service types; and all that there is, for who asks what that is."""

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
from app.cli.operating import out, say
from app.demo.journeys import JOURNEYS, Journey
from app.demo.players import StoryBroken
from app.demo.stage import DemoRefused
from app.kernel.ledger import Ledger
from app.main import create_app
from app.settings import DemoSettings, LogLevel, Settings

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False
)
demo = typer.Typer(help="A made-up mechanism and journeys through it.")

REFUSALS: Final = (*operating.REFUSALS, DemoRefused, StoryBroken)
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
    lines.log_lines(settings.log_level)
    ground, ledger = grounds.ground_of(settings), Ledger(settings.erasure_ledger)
    grounds.log_drill(ground)
    readiness.log_unknown_settings()
    with grounds.alone(settings.database_url):
        readiness.log_warnings(readiness.must_be_ready(ground, ledger, settings))
        listener = serving.listener(settings)
        ledger.start(ground)
        with grounds.exposing(ground, settings), working.beside(ground, ledger, settings):
            rate, docs = settings.requests_per_minute, settings.docs
            url = settings.public_url
            app = create_app(ground, ledger, rate=rate, docs=docs, public_url=url)
            serving.server(app, settings).run([listener])
        ground.database.engine.dispose()


@demo.callback(invoke_without_command=True)
def play_all(context: typer.Context) -> None:
    """Play every journey against the running service (SAFE_CONDUCT_URL), as `play` does."""
    if context.invoked_subcommand is None:
        demonstrating.play(DemoSettings(), say)


@demo.command("play", help=ABOUT_JOURNEYS)
def play_some(
    journey: Annotated[
        list[Journey] | None,
        typer.Option(metavar="NAME", help="May be given more than once; else all."),
    ] = None,
) -> None:
    """Play some journeys, or all."""
    demonstrating.play(DemoSettings(), say, journey or [])


@demo.command("serve")
def serve_demo() -> None:
    """Set everything up, serve, play the journeys, and print keys and a first request."""
    settings = DemoSettings()
    lines.log_lines(max(settings.log_level, LogLevel.WARNING, key=list(LogLevel).index))
    demonstrating.serve(settings, say)


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
        publishing.MECHANISM: publishing.mechanism(),
    }
    publish(pages, check=check)


def publish(pages: dict[str, str], *, check: bool) -> None:
    """Write pages, or fail if they are stale."""
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
