"""Commands to run Safe Conduct, and to submit and follow cases."""

from typing import Annotated, Final

import typer

from app.cli import (
    demo_command,
    exit_codes,
    generated_pages,
    http_server,
    logging_setup,
    operator_commands,
    readiness,
    report_command,
    startup,
    worker_process,
)
from app.cli.client_commands import calls
from app.cli.progress import out, print_line
from app.console.options import ConsoleOptions
from app.demo.demo_setup import DemoRefused
from app.demo.demo_users import JourneyFailed
from app.demo.journeys import JOURNEYS, Journey
from app.kernel.ledger import Ledger
from app.main import add_console, create_app
from app.settings import DemoSettings, LogLevel, Settings

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False
)
demo = typer.Typer(help="Serve a demonstration with made-up data, and run its journeys.")

REFUSALS: Final = (*operator_commands.REFUSALS, DemoRefused, JourneyFailed)
ABOUT_JOURNEYS: Final = "\n\n".join(
    (
        "Run journeys with made-up data against the running service (SAFE_CONDUCT_URL).",
        "A journey that was started before changes nothing and prints its case's state.",
        *(f"`{name}`: {shows}." for name, (shows, _) in JOURNEYS.items()),
    )
)

Check = Annotated[bool, typer.Option("--check", help="Write nothing; fail if stale.")]


@cli.command()
def serve() -> None:
    """Serve the API. With SQLite, by default, the worker runs in the same process."""
    settings = Settings()
    logging_setup.configure_logging(settings.log_level)
    runtime, ledger = startup.load_runtime(settings), Ledger(settings.erasure_ledger)
    startup.log_drill(runtime)
    readiness.log_unknown_settings()
    with startup.claim_sqlite_file(settings.database_url):
        readiness.log_warnings(readiness.require_ready(runtime, ledger, settings))
        port = http_server.open_port(settings)
        ledger.start(runtime)
        with (
            startup.serve_metrics(runtime, settings),
            worker_process.run_inside(runtime, ledger, settings),
        ):
            rate, docs = settings.requests_per_minute, settings.docs
            url = settings.public_url
            app = create_app(runtime, ledger, rate=rate, docs=docs, public_url=url)
            if settings.console:
                add_console(app, ConsoleOptions(settings.console_exit_url))
            http_server.build_server(app, settings).run([port])
        runtime.database.engine.dispose()


@demo.callback(invoke_without_command=True)
def play_all(context: typer.Context) -> None:
    """Run every demo journey against the running service (SAFE_CONDUCT_URL)."""
    if context.invoked_subcommand is None:
        demo_command.play(DemoSettings(), print_line)


@demo.command("play", help=ABOUT_JOURNEYS)
def play_some(
    journey: Annotated[
        list[Journey] | None,
        typer.Option(metavar="NAME", help="May be repeated. Default: all journeys."),
    ] = None,
) -> None:
    """Run the named demo journeys, or all of them if none is named."""
    demo_command.play(DemoSettings(), print_line, journey or [])


@demo.command("serve")
def serve_demo(
    *,
    journeys: Annotated[bool, typer.Option(help="Whether to run all journeys.")] = True,
) -> None:
    """Serve a demonstration, print how to sign in, and run its journeys meanwhile."""
    settings = DemoSettings()
    level = max(settings.log_level, LogLevel.WARNING, key=list(LogLevel).index)
    logging_setup.configure_logging(level)
    demo_command.serve(settings, print_line, out, JOURNEYS if journeys else ())


@cli.command("openapi")
def write_openapi(*, check: Check = False) -> None:
    """Write openapi/ and the packaged copies from the code (for developers)."""
    publish(generated_pages.build_contracts(), check=check)


@cli.command("docs")
def write_docs(*, check: Check = False) -> None:
    """Write the generated pages and tables of docs/ from the code (for developers)."""
    publish(generated_pages.render_pages(), check=check)


def publish(pages: dict[str, str], *, check: bool) -> None:
    """Write the stale pages. With `check`, write none and exit with 1 if any is stale."""
    stale = generated_pages.find_stale(pages, write=not check)
    for name in stale:
        out.print(f"{name} {'is stale: run make openapi docs' if check else 'written'}")
    if check and stale:
        raise typer.Exit(1)


cli.add_typer(demo, name="demo")
cli.add_typer(report_command.report, name="report")
cli.add_typer(operator_commands.cli)
cli.add_typer(calls)

if __name__ == "__main__":
    exit_codes.run(cli, REFUSALS)
