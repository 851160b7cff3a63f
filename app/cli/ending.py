"""How a command ends: well, or in one line that says what to do."""

import sys

import typer
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from app.cli.calling import CallEnded
from app.cli.serving import NotReady
from app.demo.players import StoryBroken
from app.demo.stage import DemoRefused
from app.directory.files import FilesRefused
from app.kernel.keyfile import KeyRefused
from app.kernel.ledger import LedgerRefused
from app.kernel.problems import Problem
from app.kernel.trouble import is_operators

err = Console(stderr=True)
REFUSALS = (
    *(NotReady, KeyRefused, LedgerRefused, FilesRefused, Problem),
    *(DemoRefused, StoryBroken),
)


def run(cli: typer.Typer) -> None:
    """Run a command; what an operator can mend is said in one line, without a stack."""
    try:
        cli()
    except CallEnded as ended:
        fail(str(ended), ended.code)
    except REFUSALS as refusal:
        fail(f"{refusal}{cause(refusal.__cause__)}")
    except DBAPIError as error:
        if not is_operators(error):
            raise
        fail(f"This did not go.{cause(error)}")


def cause(error: BaseException | None) -> str:
    """Spell what the database said, if it said something."""
    said = str(error.orig) if isinstance(error, DBAPIError) else ""
    return f" The database: {said.splitlines()[0]}" if said else ""


def fail(why: str, code: int = 1) -> None:
    """Say why not, and end."""
    err.print(f"safe-conduct: {why}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)
