"""Error messages and exit codes. Each expected error is printed as one line."""

import gc
import sys
from typing import Final

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from app.cli.api_client import CallEnded
from app.kernel.database_errors import is_operator_error
from app.kernel.ledger import LedgerRefused
from app.kernel.macs import NotAuthentic
from app.kernel.problems import Problem
from app.kernel.stored_keys import KeyRefused
from app.settings import PREFIX, CallerSettings, DemoSettings, Settings

err = Console(stderr=True)
type Refusals = tuple[type[Exception], ...]
REFUSALS: Final[Refusals] = (KeyRefused, LedgerRefused, NotAuthentic, Problem)
"""The exceptions that every command prints as an error without a traceback."""
SETTINGS = {kind.__name__ for kind in (Settings, DemoSettings, CallerSettings)}


def run(cli: typer.Typer, refusals: Refusals = REFUSALS) -> None:
    """Run a command. An error that an operator can correct is printed without a traceback.

    Imported objects are excluded from garbage collection (`gc.freeze`) to save time.
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
        fail(describe_settings(error))
    except refusals as refusal:
        fail(f"{refusal}{describe_cause(refusal.__cause__)}")
    except DBAPIError as error:
        if not is_operator_error(error):
            raise
        fail(f"The database cannot be used.{describe_cause(error)}")


def describe_settings(error: ValidationError) -> str:
    """Return the names of invalid settings with the errors, but without the values."""
    faults = error.errors(include_url=False, include_input=False)
    names = (f"{PREFIX}{str(one['loc'][0]).upper()}" for one in faults)
    reasons = (one["msg"].removeprefix("Value error, ").removesuffix(".") for one in faults)
    return " ".join(f"{name}: {why}." for name, why in zip(names, reasons, strict=True))


def describe_cause(error: BaseException | None) -> str:
    """Return the first line of a database error, or an empty string for another error."""
    message = str(error.orig) if isinstance(error, DBAPIError) else ""
    return f" The database: {message.splitlines()[0]}" if message else ""


def fail(why: str, code: int = 1) -> None:
    """Print an error message to standard error, and exit with the code."""
    err.print(f"safe-conduct: {why}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)
