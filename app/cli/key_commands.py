"""The `key` commands, which manage the key file and its key-encryption keys."""

from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from app.cli import renewed_macs, startup, wrapped_keys
from app.cli.progress import out, print_line, run_with_progress
from app.cli.startup import NotReady
from app.cli.transit import build_key_service
from app.kernel import keyfile
from app.kernel.stored_keys import KeyMark, KeyService, find_current_version
from app.kernel.transactions import Runtime
from app.settings import Settings

key = typer.Typer(no_args_is_help=True, help="Manage the keys that protect sealed data.")
COPY: Final = "Keep a copy apart from the database: without it no case can be opened."
REPLACE_CLEAR: Final = (
    "They were not encrypted before, and can still be on this disk and in copies of the "
    'file. Replace each key now: see "Replace a key" in docs/operations.md.'
)
COPY_OF_SERVICE: Final = "The key is encrypted: back up the key of the key service, too."
USES: Final = {
    KeyMark.NONE: "opens what it wrapped",
    KeyMark.STANDBY: "not activated yet",
    KeyMark.RETIRED: "retired",
}
"""The text about a key that is not the current one, by the `KeyMark` of its line."""
OLD_BYTES: Final = (
    "Secrets that an earlier key wrapped can remain in the database files for a while, "
    "and in backups: see docs/privacy.md."
)


@key.command("new")
def create_key(
    *,
    standby: Annotated[
        bool, typer.Option("--standby", help="Do not use it for new cases yet.")
    ] = False,
) -> None:
    """Add a key to the key file, or create the file. By default, the key is used at once.

    With several machines, use `--standby`: a process without the new key refuses rows that
    were written with it. A standby key is used after `safe-conduct key activate`.
    """
    settings = Settings()
    made = startup.add_key(settings, is_standby=standby)
    name = f"Standby key {made}" if standby else f"Key {made}"
    out.print(f"{name} is in {settings.key_file}, which only its owner can read.")
    out.print(COPY)
    if settings.transit_url:
        out.print(COPY_OF_SERVICE)


@key.command("activate")
def activate_key() -> None:
    """Use the standby key for new cases. Running processes read the file again."""
    path = Settings().key_file
    version = startup.write_keys(path, keyfile.activate_key)
    print_line(f"Key {version} now wraps the keys of new cases.")
    print_line("To wrap the keys of earlier cases with it, run: safe-conduct key rewrap")


@key.command("list")
def list_keys() -> None:
    """List the keys of the key file, with the number of secrets that each key protects."""
    settings = Settings()
    lines = keyfile.read_lines(settings.key_file)
    counts = wrapped_keys.count_by_version(startup.load_runtime(settings))
    table = Table("key", "secrets", "use", box=None, pad_edge=False)
    current = find_current_version(lines)
    for one in lines:
        use = "wraps new secrets" if one.version == current else USES[one.mark]
        if one.is_encrypted:
            use = f"{use}, encrypted"
        table.add_row(one.version, str(counts.pop(one.version, 0)), use)
    for version, count in sorted(counts.items()):
        table.add_row(version, str(count), "missing in the key file")
    out.print(table)


@key.command("rewrap")
def rewrap_keys() -> None:
    """Use the current key for each secret and each MAC in the database.

    The key of each case and other secrets are wrapped with the current key, and the MACs of
    rows are made with it. An earlier key then opens nothing in the database. On PostgreSQL,
    the service may be running, if each process has the current key. On SQLite, no other
    process may use the database. If the command is interrupted, run it again.
    """
    failed, settings = Counter[str](), Settings()
    total = run_with_progress(
        "wrapping", partial(wrapped_keys.rewrap_secrets, failed=failed)
    )
    print_line(f"{total - failed.total()} secrets were wrapped again.")
    lost = settings.lost_keys.split()
    require_versions(settings.key_file, failed.keys() - {*lost})
    altered = Counter[str]()
    checked = run_with_progress(
        "making MACs", partial(renewed_macs.renew_macs, altered=altered)
    )
    print_line(f"{checked - altered.total()} MACs are made with the current key.")
    if total:
        print_line(OLD_BYTES)
    for version, count in sorted(failed.items()):
        print_line(
            f"{count} secrets of key {version} cannot be opened: the key is retired, the "
            "key file lacks it, or their rows were changed."
        )
    for table, count in sorted((+altered).items()):
        print_line(
            f"{count} rows of the table {table} do not match their MACs, or a retired key "
            "made these, and stay as they are. After a restore, run: safe-conduct key "
            'retire VERSION --undo. Otherwise see "Rows that were changed in the database" '
            "in docs/operations.md."
        )
    if failed.keys() - {*lost} or altered.total():
        raise typer.Exit(1)


def require_versions(path: Path, versions: AbstractSet[str]) -> None:
    """Raise NotReady if the key file lacks one of these versions of keys."""
    known = {one.version for one in keyfile.read_lines(path)}
    if missing := sorted(versions - known):
        raise NotReady(
            f"{path} lacks the key {', '.join(missing)}. Copy the newest key file to this "
            "machine, and run this command again."
        )


@key.command("retire")
def retire_key(
    version: Annotated[str, typer.Argument(help="The key, as in `key list`.")],
    *,
    undo: Annotated[
        bool, typer.Option("--undo", help="Use a retired key again, to restore a backup.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check whether the key is needed.")
    ] = False,
) -> None:
    """Retire an earlier key: it no longer opens data, and MACs made with it are refused.

    Run `safe-conduct key rewrap` first. Fingerprints and cursors of the key stay valid. To
    restore an older backup, use `--undo`. On SQLite, no other process may use the
    database.
    """
    path = Settings().key_file
    if undo and dry_run:
        raise typer.BadParameter("--dry-run cannot be combined with --undo.")
    keyfile.require_not_current(keyfile.read_lines(path), version)
    damaged = 0 if undo else require_unused(version)
    if dry_run:
        print_line(f"Nothing in the database needs key {version}. It was not retired.")
        return
    startup.write_keys(path, partial(keyfile.mark_retired, version=version, undo=undo))
    if undo:
        print_line(f"Key {version} is used again.")
        return
    print_line(f"Key {version} is retired. Give each machine the new file.")
    print_line("Leave its line in the file: backups from before need it.")
    if damaged:
        print_line(
            f"{damaged} secrets of this key cannot be opened, because their rows were "
            f"changed. To start without them, set SAFE_CONDUCT_LOST_KEYS={version}"
        )


@key.command("encrypt")
def encrypt_keys(
    *,
    output: Annotated[
        Path | None,
        typer.Option(help="Write the encrypted keys to this new file instead."),
    ] = None,
) -> None:
    """Encrypt the keys of the key file with the key service of SAFE_CONDUCT_TRANSIT_URL.

    Restart all processes with this setting first. After each rotation of the key in the
    Transit engine, run the command again, and replace each copy of the file.
    """
    path, service = require_key_service()
    encrypt = partial(keyfile.encrypt_keys, path, service, output)
    try:
        was_clear = startup.write_keys(output or path, lambda _: encrypt())
    except FileExistsError as error:
        raise NotReady(f"{output} exists already. Nothing was written.") from error
    print_line(f"The keys in {output or path} are encrypted.")
    if was_clear:
        print_line(REPLACE_CLEAR)


@key.command("decrypt")
def decrypt_keys() -> None:
    """Decrypt the keys of the key file, so that the key service is no longer needed."""
    path, service = require_key_service()
    startup.write_keys(path, partial(keyfile.decrypt_keys, service=service))
    print_line(f"The keys in {path} are no longer encrypted.")
    print_line("Remove SAFE_CONDUCT_TRANSIT_URL from the settings of each process.")


def require_key_service() -> tuple[Path, KeyService]:
    """Return the path of the key file and the key service.

    Raises NotReady if the settings name no key service.
    """
    settings = Settings()
    service = build_key_service(settings)
    if service is None:
        raise NotReady(
            "There is no key service. Set SAFE_CONDUCT_TRANSIT_URL to a Transit engine of "
            "OpenBao or HashiCorp Vault."
        )
    return settings.key_file, service


def require_unused(version: str) -> int:
    """Raise NotReady if a key still protects a secret or a row of the database.

    Returns the number of secrets that name this key, and that it does not open, because
    their rows were changed. They must not prevent that a key is retired.
    """
    secrets, opened, macs = Counter[str](), Counter[str](), Counter[str]()

    def count_uses(runtime: Runtime) -> Iterator[tuple[int, int]]:
        secrets.update(wrapped_keys.count_by_version(runtime))
        opened[version] = wrapped_keys.count_opened(runtime, version)
        yield from renewed_macs.count_by_version(runtime, macs)

    run_with_progress("checking MACs", count_uses)
    if opened[version] or macs[version]:
        raise NotReady(
            f"Key {version} protects {opened[version]} secrets and {macs[version]} rows. "
            "Run: safe-conduct key rewrap"
        )
    return secrets[version]
