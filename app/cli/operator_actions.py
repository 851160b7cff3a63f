"""The actions of the operator commands: directory, accounts, keys, checks and figures."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import make_url

from app.access import queries as access_queries
from app.access.actions import AccountSpec
from app.access.models import Account
from app.access.row_protection import drop_unmatched
from app.access.row_verification import is_authentic
from app.access.schemas import AccountOut, KeyOut
from app.administration import account_changes, api_key_changes, directory_load
from app.administration.account_load import ACCOUNT_LOCK
from app.administration.api_key_changes import KeyTerms
from app.administration.directory_load import Loaded
from app.cases import resealing
from app.cli.connectivity import check_connections
from app.cli.readiness import describe_key_file, find_readable_files, require_ready
from app.cli.sender_wiring import list_notification_gaps
from app.cli.staffing import list_staffing_gaps
from app.cli.startup import NotReady, describe_drill
from app.cli.unknown_settings import list_unknown
from app.cli.versions import list_versions
from app.directory import queries as directory_queries
from app.directory.actions import Count, get_standard_data
from app.directory.history import ChangeAuthor
from app.figures import queries as figure_queries
from app.figures import release_actions, weekly_counts
from app.figures.releases import Figures
from app.figures.weeks import Quarter
from app.kernel.actors import SYSTEM, AccountKind, Role, Scope, get_system_actor
from app.kernel.db import lock_name
from app.kernel.free_space import ENOUGH
from app.kernel.ledger import Ledger
from app.kernel.problems import NotFound
from app.kernel.text import MAX_LINE_LENGTH, SafeLine
from app.kernel.transactions import Runtime, WriteTransaction, begin_read, begin_write
from app.returns import arrival_clock_repair as return_clocks
from app.routing import actions as routing_actions
from app.routing import queries as routing_queries
from app.settings import Settings


def load_directory(
    runtime: Runtime, folder: Path | None, *, reopen: bool = False, dry_run: bool = False
) -> Loaded:
    """Load the directory from a folder; by default, load the packaged files.

    A dry run checks the files and returns the result of a load, but writes nothing.
    """
    database, files = runtime.database, folder or get_standard_data()
    with database.begin_read() if dry_run else database.begin_write() as session:
        clerk = ChangeAuthor(session, runtime.ids, runtime.clock())
        return directory_load.load(clerk, files, reopen=reopen, dry_run=dry_run)


def describe_load(loaded: Loaded) -> Iterator[str]:
    """Yield lines about a load: counts, changed columns, and changes of `active`.

    Values are left out, because those of a contact may be personal data.
    """
    tables = ("countries", "focal_points", "agreements", "limits", "contacts")
    counts: dict[str, Count] = {table: getattr(loaded, table) for table in tables}
    for table, count in counts.items():
        yield (
            f"{table}: {count.added} added, {count.changed} changed, "
            f"{count.unchanged} unchanged"
        )
    for row in chain.from_iterable(count.changed_rows for count in counts.values()):
        yield f"Changed: {row.subject} ({', '.join(row.columns)})"
    activations = loaded.activations
    yield from (f"{subject} is active again." for subject in activations.activated)
    yield from (f"{subject} is no longer active." for subject in activations.deactivated)
    yield from (
        f"Warning: {subject} stays inactive, because it was deactivated through the "
        "service. To activate it: --reopen"
        for subject in activations.left_inactive
    )


@dataclass(frozen=True)
class AccountWithKeys:
    """An account and its API keys, in the form in which the HTTP API returns them."""

    account: AccountOut
    keys: list[KeyOut]


def list_accounts(runtime: Runtime, focal_point: str | None) -> list[AccountWithKeys]:
    """List the accounts of one or all offices. Raises NotFound for an unknown office."""
    with begin_read(runtime, SYSTEM) as tx:
        office_id = focal_point and directory_queries.get_id(tx.session, focal_point)
        offices = directory_queries.by_ids(
            tx, [office_id] if office_id else access_queries.list_offices(tx.session)
        )
        return [
            AccountWithKeys(
                AccountOut.from_account(account, office.code),
                [KeyOut.from_key(key) for key in access_queries.list_keys(tx, account.id)],
            )
            for office in sorted(offices.values(), key=lambda office: office.code)
            for account in access_queries.list_accounts(tx, office.id)
        ]


def create_account(
    runtime: Runtime, focal_point: str, label: str, roles: Iterable[Role]
) -> UUID:
    """Create an account and return its id.

    Two enabled accounts of an office cannot have the same label, so that a repeated command
    creates no second account. Raises NotFound for an unknown focal point, NotReady if the
    label is in use or not valid, and RolesIncompatible if the roles are not allowed.
    """
    given = frozenset(roles)
    with begin_write(runtime, SYSTEM) as tx:
        lock_name(tx.session, ACCOUNT_LOCK)
        office_id = directory_queries.get_id(tx.session, focal_point)
        require_label(label)
        account_changes.require_fitting_roles(
            given, AccountKind.PERSON, directory_queries.by_id(tx, office_id)
        )
        taken = access_queries.list_accounts(tx, office_id)
        if any(one.label == label and one.disabled_at is None for one in taken):
            raise NotReady(
                f"{focal_point} already has an account with this label: see safe-conduct "
                f"account list {focal_point}. For another person, choose another label."
            )
        return account_changes.add_account(tx, AccountSpec(office_id, label, given)).id


def require_label(label: str) -> None:
    """Raise NotReady unless the HTTP API would accept the label."""
    try:
        TypeAdapter(SafeLine).validate_python(label)
    except ValidationError as error:
        raise NotReady(
            f"LABEL must be one line of 1 to {MAX_LINE_LENGTH} characters: a staff "
            "number or post."
        ) from error


def create_key(
    runtime: Runtime,
    account: UUID,
    scopes: Iterable[Scope],
    days: int,
    *,
    by_link: bool = False,
) -> str:
    """Create a key or link for an enabled account and return it, or raise NotReady."""
    terms = KeyTerms(frozenset(scopes), days, by_link=by_link)
    with begin_write(runtime, SYSTEM) as tx:
        found = lock_account(tx, account)
        if found.disabled_at is not None:
            raise NotReady(
                "This account is disabled. Open another: safe-conduct account new"
            )
        made = api_key_changes.add_key(tx, found, terms, "account.key_created")
        return made.secret or ""


def revoke_key(runtime: Runtime, prefix: str) -> None:
    """Revoke an API key. Raises NotReady if no key has this prefix.

    If the row was altered outside the service, NotReady is raised after the key is revoked.
    """
    with begin_write(runtime, SYSTEM) as tx:
        try:
            key = access_queries.get_key_by_prefix(tx, prefix)
        except NotFound as error:
            raise NotReady(
                "There is no key with this prefix. The prefix is the part between sc_ and "
                "the next _: see safe-conduct account list."
            ) from error
        unchanged = is_authentic(tx.session, key)
        account = lock_account(tx, key.account_id)
        drop_unmatched(tx.session, Account, account.id)
        api_key_changes.end_key(tx, account, key)
    if not unchanged:
        raise NotReady(
            "The key was revoked, but its row had been changed in the database. If it was "
            "moved from another account, revoke the keys of that account or disable it."
        )


def disable_account(runtime: Runtime, account: UUID) -> tuple[str, int]:
    """Disable an account; return its office's code and how many case workers are left."""
    with begin_write(runtime, SYSTEM) as tx:
        found = lock_account(tx, account)
        account_changes.end_account(tx, found)
        office = directory_queries.by_id(tx, found.focal_point_id)
        return office.code, access_queries.count_workers(tx, office.id)


def lock_account(tx: WriteTransaction, account: UUID) -> Account:
    """Lock and return an account, or raise NotReady if no account has this id."""
    try:
        return access_queries.lock_account(tx, account)
    except NotFound as error:
        raise NotReady(
            "There is no account with this id: see safe-conduct account list."
        ) from error


def check_service(runtime: Runtime, settings: Settings) -> Iterable[str]:
    """Yield the lines of `doctor`, or raise the error that prevents a start of `serve`."""
    yield from (f"Warning: {warning}" for warning in list_unknown())
    yield describe_key_file(settings)
    ledger = Ledger(settings.erasure_ledger)
    warnings = require_ready(runtime, ledger, settings)
    backend = make_url(settings.database_url).get_backend_name()
    yield f"The database ({backend}) is migrated."
    yield from find_readable_files(settings.database_url)
    yield "The database has the guards that the migrations make."
    yield from warnings
    yield "Every country has a desk."
    if (space := runtime.free_space.describe()) != ENOUGH:
        yield f"Warning: disk space: {space}."
    if drill := describe_drill(runtime):
        yield drill
    accepted = "accepted" if settings.person_keys else "not accepted"
    yield f"API keys of people are {accepted} (SAFE_CONDUCT_PERSON_KEYS)."
    yield from check_connections(settings)
    with runtime.database.begin_read() as session:
        yield from list_notification_gaps(session, settings)
        yield from list_staffing_gaps(session, runtime.time(session))
        yield from list_versions(session, settings.database_url)
    if ledger.read() is not None:
        yield f"The ledger of erasures {ledger.path} and the database agree."
    else:
        yield f"There are no cases yet; the ledger of erasures will be {ledger.path}."


def seal_outdated(runtime: Runtime) -> Iterator[tuple[int, int]]:
    """Seal data that older versions stored unencrypted, unpadded or without its own key.

    Deadlines that reveal when a person arrives are moved as well. After each row, yield the
    number of finished rows and the total. Each row has its own transaction, so the command
    can be run again after an interruption.
    """
    with begin_read(runtime, SYSTEM) as tx:
        due = resealing.list_outdated(tx.session)
        routed = routing_queries.list_clear_cases(tx.session)
        clocks = return_clocks.list_revealing_deadlines(tx)
    total = len(due) + len(routed) + len(clocks)
    for number, (case_id, submitter) in enumerate(routed, start=1):
        with begin_write(runtime, get_system_actor(submitter)) as tx:
            routing_actions.seal_clear_result(tx, case_id)
        yield number, total
    for number, one in enumerate(due, start=len(routed) + 1):
        with begin_write(runtime, SYSTEM) as tx:
            resealing.seal_again(tx, one)
        yield number, total
    for number, clock in enumerate(clocks, start=total - len(clocks) + 1):
        with begin_write(runtime, SYSTEM) as tx:
            return_clocks.move_revealing_deadline(tx, clock)
        yield number, total


def count_weeks(runtime: Runtime) -> Iterator[tuple[int, int]]:
    """Count the cases of each uncounted week that ended at least two weeks ago.

    Yields the numbers of counted weeks and of all weeks. Each week has its own transaction,
    so the command can be run again.
    """
    with begin_read(runtime, SYSTEM) as tx:
        weeks = figure_queries.list_uncounted_weeks(tx)
        submitted = figure_queries.list_submissions(tx, weeks) if weeks else {}
    for number, monday in enumerate(weeks, start=1):
        weekly_counts.count_week(runtime, monday, submitted[monday])
        yield number, len(weeks)


def simulate_release(
    runtime: Runtime, quarter: Quarter, found: list[Figures]
) -> Iterator[tuple[int, int]]:
    """Add a release's figures to `found`; yield the counts of finished and of all steps."""
    with begin_read(runtime, SYSTEM) as tx:
        yield from release_actions.simulate_release(tx, quarter, found)


def describe_simulation(found: Iterable[Figures]) -> Iterator[str]:
    """Yield a line about each country, with the counts of shown and of hidden numbers.

    The lines contain no figure, because figures are secret until two people of oversight
    release them (ADR 74).
    """
    for one in found:
        shown = sum(people is not None for people in one.numbers.values())
        hidden = len(one.numbers) - shown
        quarters = " ".join(map(str, one.quarters))
        place = one.country or "All countries"
        yield f"{place}, {quarters}: {shown} numbers would be shown, {hidden} would not."
