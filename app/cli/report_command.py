"""The command that writes the report for a meeting as a file."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError

from app.cli import startup
from app.cli.operator_commands import parse_quarter
from app.cli.progress import print_line
from app.console.meeting_report_file import render_file
from app.console.translations import LANGUAGES
from app.figures import report_queries
from app.figures.report_schemas import ReportQuery
from app.kernel.actors import SYSTEM
from app.kernel.transactions import begin_read
from app.settings import Settings

report = typer.Typer(no_args_is_help=True, help="Write the report for a meeting.")
QUARTER: Final = "2026Q1"


@report.callback()
def choose_report() -> None:
    """Write the report for a meeting."""


def build_quarter_option(about: str, *names: str) -> Any:
    """Return an option for a quarter, with the help text `about`."""
    return typer.Option(*names, parser=parse_quarter, metavar=QUARTER, help=about)


@report.command("meeting")
def write_meeting_report(  # noqa: PLR0913 - the options
    *,
    output: Annotated[Path, typer.Option(help="The HTML file that is written.")],
    first: Annotated[str | None, build_quarter_option("First quarter.", "--from")] = None,
    last: Annotated[str | None, build_quarter_option("Last quarter.", "--to")] = None,
    compare: Annotated[
        str | None, build_quarter_option("First quarter of the earlier period.")
    ] = None,
    desk: Annotated[
        str | None, typer.Option(help="Code of a desk: only its countries.")
    ] = None,
    language: Annotated[
        str, typer.Option(help=f"Language: {', '.join(LANGUAGES)}.")
    ] = LANGUAGES[0],
) -> None:
    """Write the progress and the challenges between two periods as one HTML file.

    The file contains only released figures and facts of the directory. It may be passed on.
    By default, the last two released quarters are compared with the two before.
    """
    if language not in LANGUAGES:
        raise typer.BadParameter(f"Choose one of {', '.join(LANGUAGES)}.")
    asked = {"from": first, "to": last, "compare": compare, "desk": desk}
    try:
        query = ReportQuery.model_validate({key: one for key, one in asked.items() if one})
    except ValidationError:
        raise typer.BadParameter("Write --desk as in DESK_CENTRAL_ASIA.") from None
    with begin_read(startup.load_runtime(Settings()), SYSTEM) as tx:
        found = report_queries.build_report(tx, query).model_dump(mode="json")
        text = render_file(found, language, tx.now)
    startup.replace_file(output, text)
    print_line(f"The report is in {output}.")
