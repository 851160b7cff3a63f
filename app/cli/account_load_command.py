"""The command `account load`, which opens the accounts of a CSV file."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from app.access.actions import KEY_DAYS
from app.administration import account_load
from app.administration.account_load import ACCOUNT_LOCK, OpenedAccount, PlannedAccount
from app.cli.api_client import escape_unprintable
from app.cli.key_table import KeyLine, format_key_table
from app.cli.readiness import require_no_demo
from app.cli.startup import NotReady, load_runtime
from app.kernel import durable
from app.kernel.actors import SYSTEM
from app.kernel.db import lock_name
from app.kernel.transactions import Runtime, begin_read, begin_write
from app.settings import Settings


def load_accounts(
    file: Annotated[
        Path, typer.Argument(help="CSV file: focal_point, label, kind, roles, scopes.")
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the file, and write nothing.")
    ] = False,
    keys: Annotated[
        Path | None,
        typer.Option(help="New file for the API keys. Default: FILE with .keys.csv."),
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=365, help="Days of validity of the keys.")
    ] = KEY_DAYS,
) -> None:
    """Open the accounts of a file, all or none, and write an API key for each to a file.

    Accounts that exist, even disabled ones, are listed and not changed.
    """
    settings = Settings()
    runtime = load_runtime(settings)
    with runtime.database.begin_read() as session:
        require_no_demo(session, settings.environment)
    if not file.is_file():
        raise NotReady(f"There is no file {file}.")
    keys_file = keys or file.with_suffix(".keys.csv")
    if dry_run:
        planned = plan_load(runtime, file)
        lines = chain(
            describe_load(file, planned, None), describe_keys_file(keys_file, planned)
        )
    else:
        planned = open_accounts(runtime, file, keys_file, days)
        lines = chain(describe_load(file, planned, keys_file))
    for line in lines:
        typer.echo(escape_unprintable(line))


def describe_keys_file(path: Path, planned: Iterable[PlannedAccount]) -> Iterator[str]:
    """Yield a line if the accounts would not be opened because the file of keys exists."""
    if path.exists() and not all(one.existing for one in planned):
        yield f"{path} exists. Move it, or name another file with --keys."


def plan_load(runtime: Runtime, file: Path) -> list[PlannedAccount]:
    """Return what a load of the file would do, or raise FilesRefused with all faults."""
    with begin_read(runtime, SYSTEM) as tx:
        return account_load.plan_accounts(tx, file)


def open_accounts(
    runtime: Runtime, file: Path, keys_file: Path, days: int
) -> list[PlannedAccount]:
    """Open the accounts of a file that do not exist yet, all or none, each with a key.

    The keys are written before the commit, because nobody can read them afterwards. Raises
    FilesRefused with all faults of the file, or NotReady if `keys_file` cannot be created.
    """
    with begin_write(runtime, SYSTEM) as tx:
        lock_name(tx.session, ACCOUNT_LOCK)
        planned = account_load.plan_accounts(tx, file)
        if opened := account_load.open_accounts(tx, planned, days):
            write_keys(keys_file, opened)
        return planned


def write_keys(path: Path, opened: Iterable[OpenedAccount]) -> None:
    """Write the API keys of accounts to a new file, or raise NotReady."""
    table = format_key_table(
        KeyLine(
            one.row.focal_point,
            one.row.label,
            one.row.roles,
            one.key.secret or "",
            one.key.row.expires_at,
        )
        for one in opened
    )
    try:
        durable.create(path, table)
    except FileExistsError as error:
        raise NotReady(
            f"{path} exists, and may have the keys of an earlier load. No account was "
            "opened. Move the file, or name another one with --keys."
        ) from error
    except OSError as error:
        raise NotReady(f"{path} cannot be written: {error.strerror}.") from error


def describe_load(
    file: Path, planned: Sequence[PlannedAccount], keys_file: Path | None
) -> Iterator[str]:
    """Yield lines about a load of accounts; without `keys_file`, about a dry run."""
    existing = [one for one in planned if one.existing]
    for one in existing:
        name = f"{one.row.focal_point}, {one.row.label}"
        yield f"{file.name}, line {one.line}: {name} {one.existing}. It was not changed."
    new = len(planned) - len(existing)
    if keys_file is None:
        yield f"Dry run: {new} accounts would be opened, {len(existing)} exist."
        return
    yield f"{new} accounts were opened, {len(existing)} existed."
    if new:
        yield f"Their API keys are in {keys_file}, which only its owner can read."
