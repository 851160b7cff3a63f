"""The command `account load`, which creates the accounts in a CSV file."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Final

import typer

from app.access import queries as access_queries
from app.access.actions import KEY_DAYS, PREFIX_BYTES
from app.administration import account_load
from app.administration.account_load import ACCOUNT_LOCK, OpenedAccount, PlannedAccount
from app.cli.api_client import escape_unprintable
from app.cli.key_table import KeyLine, format_key_table
from app.cli.readiness import require_no_demo
from app.cli.startup import NotReady, load_runtime
from app.kernel import durable
from app.kernel.actors import SYSTEM
from app.kernel.db import lock_name
from app.kernel.transactions import Runtime, WriteTransaction, begin_read, begin_write
from app.settings import Settings

KEY_PREFIX: Final = re.compile(rf"\bsc_([0-9a-f]{{{2 * PREFIX_BYTES}}})_")
"""The pattern that finds the prefix of each API key in a file of keys."""


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
    """Create the accounts in a CSV file, and write their API keys to a file.

    If one row of the file has an error, no account is created.

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
    """Yield a warning if the file of keys exists and the load would create accounts."""
    if path.exists() and not all(one.existing for one in planned):
        yield f"{path} exists. Move it, or name another file with --keys."


def plan_load(runtime: Runtime, file: Path) -> list[PlannedAccount]:
    """Return the accounts that a file lists, or raise FilesRefused with all its errors."""
    with begin_read(runtime, SYSTEM) as tx:
        return account_load.plan_accounts(tx, file)


def open_accounts(
    runtime: Runtime, file: Path, keys_file: Path, days: int
) -> list[PlannedAccount]:
    """Create the new accounts in a file, each with an API key, in one transaction.

    The keys are written to a temporary file before the commit, because they cannot be read
    later. The file is renamed after the commit. If the command is killed in between, the
    next load renames or deletes the temporary file. Raises FilesRefused with all errors in
    the file, or NotReady if the keys cannot be written. Returns all accounts in the file.
    """
    with begin_write(runtime, SYSTEM) as tx:
        lock_name(tx.session, ACCOUNT_LOCK)
        finish_killed_load(tx, keys_file)
        planned = account_load.plan_accounts(tx, file)
        if opened := account_load.open_accounts(tx, planned, days):
            write_keys(keys_file, opened)
    if opened:
        publish_keys(keys_file)
    return planned


def get_unfinished_file(keys_file: Path) -> Path:
    """Return the path of the file that contains the keys until the load is committed."""
    return keys_file.with_name(f"{keys_file.name}.part")


def finish_killed_load(tx: WriteTransaction, keys_file: Path) -> None:
    """Publish or delete the file of keys that a killed load has left, if any.

    If the load was not committed, its keys belong to no account and can be deleted.
    """
    left = get_unfinished_file(keys_file)
    if not left.exists():
        return
    prefixes = KEY_PREFIX.findall(left.read_text("utf-8", errors="replace"))
    if access_queries.has_any_key(tx.session, prefixes):
        publish_keys(keys_file)
    else:
        left.unlink()


def publish_keys(keys_file: Path) -> None:
    """Rename the unfinished file of keys, if it still exists; raise NotReady on failure."""
    left = get_unfinished_file(keys_file)
    try:
        durable.rename(left, keys_file)
    except FileNotFoundError:
        if not keys_file.exists():
            raise
    except OSError as error:
        raise NotReady(
            f"The accounts were opened. Their API keys are in {left}, because {keys_file} "
            f"cannot be written: {error.strerror}."
        ) from error


def write_keys(path: Path, opened: Iterable[OpenedAccount]) -> None:
    """Write API keys to an unfinished file; raise NotReady if it fails or `path` exists."""
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
    if path.exists():
        raise NotReady(
            f"{path} exists, and may contain the keys of an earlier load. No account "
            "was opened. Move the file, or name another one with --keys."
        )
    try:
        durable.create(get_unfinished_file(path), table)
    except OSError as error:
        raise NotReady(f"{path} cannot be written: {error.strerror}.") from error


def describe_load(
    file: Path, planned: Sequence[PlannedAccount], keys_file: Path | None
) -> Iterator[str]:
    """Yield lines that describe a load, or a dry run if `keys_file` is None."""
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
