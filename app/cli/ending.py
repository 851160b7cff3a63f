"""How a command ends: well, or in one line that says what to do."""

import gc
import sys
from typing import Final

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from app.cli.calling import CallEnded
from app.kernel.keyfile import KeyRefused
from app.kernel.ledger import LedgerRefused
from app.kernel.problems import Problem
from app.kernel.trouble import is_operators
from app.settings import PREFIX, Caller, DemoSettings, Settings

err = Console(stderr=True)
type Refusals = tuple[type[Exception], ...]
REFUSALS: Final[Refusals] = (KeyRefused, LedgerRefused, Problem)
"""What every command may refuse."""
SETTINGS = {kind.__name__ for kind in (Settings, DemoSettings, Caller)}


def run(cli: typer.Typer, refusals: Refusals = REFUSALS) -> None:
    """Run a command; what an operator can mend is said in one line, without a stack.

    What was imported stays: no look for garbage goes through it again.
    """
    gc.freeze()
    gc.enable()
    try:
        cli()
    except CallEnded as ended:
        fail(str(ended), ended.code)
    except ValidationError as error:
        if error.title not in SETTINGS:
            raise
        fail(wrong_settings(error))
    except refusals as refusal:
        fail(f"{refusal}{cause(refusal.__cause__)}")
    except DBAPIError as error:
        if not is_operators(error):
            raise
        fail(f"This did not go.{cause(error)}")


def wrong_settings(error: ValidationError) -> str:
    """Name each setting that is wrong, and why; not what it is, which may be a secret."""
    faults = error.errors(include_url=False, include_input=False)
    said = ((one["loc"][0], one["msg"].removeprefix("Value error, ")) for one in faults)
    return " ".join(
        f"{PREFIX}{str(name).upper()}: {why.removesuffix('.')}." for name, why in said
    )


def cause(error: BaseException | None) -> str:
    """Spell what the database said, if it said something."""
    said = str(error.orig) if isinstance(error, DBAPIError) else ""
    return f" The database: {said.splitlines()[0]}" if said else ""


def fail(why: str, code: int = 1) -> None:
    """Say why not, and end."""
    err.print(f"safe-conduct: {why}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)
