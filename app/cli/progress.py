"""Functions that print lines, and progress bars for commands that take long."""

from collections.abc import Callable, Iterable

from rich.console import Console
from rich.progress import Progress

from app.cli import startup
from app.kernel.transactions import Runtime
from app.settings import Settings

out = Console()


def print_line(text: str) -> None:
    """Print one line without markup or wrapping."""
    out.print(text, markup=False, soft_wrap=True, highlight=False)


def run_with_progress(
    name: str, work: Callable[[Runtime], Iterable[tuple[int, int]]]
) -> int:
    """Do work on the database with a progress bar, and return the number of all steps.

    `work` yields the numbers of finished steps and of all steps. On SQLite, no other
    process may use the database.
    """
    settings = Settings()
    runtime = startup.load_runtime(settings)
    with startup.claim_sqlite_file(settings.database_url):
        return show_progress(name, work(runtime))


def show_progress(name: str, steps: Iterable[tuple[int, int]]) -> int:
    """Show a progress bar while steps are done, and return the number of all steps."""
    total = 0
    with Progress(console=out) as progress:
        bar = progress.add_task(name, total=None)
        for done, total in steps:
            progress.update(bar, completed=done, total=total)
    return total
