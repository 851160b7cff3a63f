"""What an operator does: keys of the vault, the directory, accounts and their API keys."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import make_url

from app.access import queries as access
from app.access.actions import Opening
from app.access.models import Account
from app.access.schemas import AccountOut, KeyOut
from app.administration import issuing, loading, staffing
from app.administration.loading import Loaded
from app.cases import resealing
from app.cli.connectivity import check_connections
from app.cli.grounds import NotReady, about_drill
from app.cli.posting import gaps
from app.cli.readiness import must_be_ready, open_to_others
from app.cli.unknown_settings import list_unknown
from app.cli.versions import list_versions
from app.directory import queries as entries
from app.directory.actions import standard_data
from app.directory.changes import Clerk
from app.kernel.actors import SYSTEM, AccountKind, Role, Scope, system_for
from app.kernel.free_space import ENOUGH
from app.kernel.ledger import Ledger
from app.kernel.problems import NotFound
from app.kernel.text import LINE, SafeLine
from app.kernel.work import Ground, Writing, reading, writing
from app.returns import resealing as return_clocks
from app.routing import actions as routing
from app.routing import queries as routing_queries
from app.settings import Settings


def load_directory(ground: Ground, folder: Path | None, *, reopen: bool = False) -> Loaded:
    """Load the packaged directory, or the operator's own files; raises FilesRefused."""
    with ground.database.writing() as session:
        clerk = Clerk(session, ground.ids, ground.clock())
        return loading.load(clerk, folder or standard_data(), reopen=reopen)


def told(loaded: Loaded) -> Iterator[str]:
    """Say what a load changed: which doors it opened and shut, each of them."""
    for table in ("countries", "focal_points", "agreements", "limits", "contacts"):
        count = getattr(loaded, table)
        yield (
            f"{table}: {count.added} added, {count.changed} changed, "
            f"{count.unchanged} unchanged"
        )
    doors = loaded.doors
    yield from (f"{door} is active again." for door in doors.opened)
    yield from (f"{door} is shut." for door in doors.shut)
    yield from (
        f"Warning: {door} stays shut, as somebody shut it through the service; "
        "to open it: --reopen"
        for door in doors.left
    )


@dataclass(frozen=True)
class Person:
    """Somebody who may act, and with which keys: as administrators see it over HTTP."""

    account: AccountOut
    keys: list[KeyOut]


def people(ground: Ground, focal_point: str | None) -> list[Person]:
    """List the accounts of a focal point, or of all; raises NotFound for an unknown one."""
    with reading(ground, SYSTEM) as work:
        one = focal_point and entries.id_of(work.session, focal_point)
        of = entries.by_ids(work, [one] if one else access.offices(work.session))
        return [
            Person(
                AccountOut.of(account, office.code),
                [KeyOut.of(key) for key in access.keys(work, account.id)],
            )
            for office in sorted(of.values(), key=lambda office: office.code)
            for account in access.accounts(work, office.id)
        ]


def open_account(
    ground: Ground, focal_point: str, label: str, roles: Iterable[Role]
) -> UUID:
    """Open an account; raises NotFound for an unknown focal point.

    And NotReady for a label that is taken or is no line, RolesIncompatible for roles that
    nobody there can have. Run twice, the command would open two. Over HTTP a second person
    sees what is there.
    """
    given = frozenset(roles)
    with writing(ground, SYSTEM) as work:
        of = entries.id_of(work.session, focal_point)
        must_be_a_label(label)
        staffing.must_fit(given, AccountKind.PERSON, entries.by_id(work, of))
        taken = access.accounts(work, of)
        if any(one.label == label and one.disabled_at is None for one in taken):
            raise NotReady(
                f"{focal_point} has an account of this label: see safe-conduct account "
                f"list {focal_point}. For another person, choose another."
            )
        return staffing.opened(work, Opening(of, label, given)).id


def must_be_a_label(label: str) -> None:
    """Raise NotReady unless it is a label that could be given over HTTP."""
    try:
        TypeAdapter(SafeLine).validate_python(label)
    except ValidationError as error:
        raise NotReady(
            f"A label is one line of 1 to {LINE} characters: a staff number or a duty post."
        ) from error


def make_key(ground: Ground, account: UUID, scopes: Iterable[Scope], days: int) -> str:
    """Make an API key; raises NotReady for an account that is unknown, or has ended."""
    with writing(ground, SYSTEM) as work:
        found = held(work, account)
        if found.disabled_at is not None:
            raise NotReady(
                "This account has ended, and no key of it would work: open another, "
                "safe-conduct account new."
            )
        made = issuing.made(work, found, frozenset(scopes), days, "account.key_made")
        return made.secret or ""


def revoke_key(ground: Ground, prefix: str) -> None:
    """End an API key from the next request on; raises NotReady for an unknown one."""
    with writing(ground, SYSTEM) as work:
        try:
            key = access.key_named(work, prefix)
        except NotFound as error:
            raise NotReady(
                "No key has this prefix: it is what stands between sc_ and the next _, "
                "and what safe-conduct account list shows."
            ) from error
        issuing.end_key(work, held(work, key.account_id), key)


def disable_account(ground: Ground, account: UUID) -> tuple[str, int]:
    """End an account with all its keys, and say who is left to work on cases, and where.

    Raises NotReady for an unknown account.
    """
    with writing(ground, SYSTEM) as work:
        found = held(work, account)
        staffing.end(work, found)
        office = entries.by_id(work, found.focal_point_id)
        return office.code, access.count_workers(work, office.id)


def held(work: Writing, account: UUID) -> Account:
    """Find an account and hold it; raises NotReady: to an operator nothing is hidden."""
    try:
        return access.lock_account(work, account)
    except NotFound as error:
        raise NotReady(
            "There is no such account: safe-conduct account list shows those there are."
        ) from error


def examine(ground: Ground, settings: Settings) -> Iterable[str]:
    """Say what is well; raises NotReady for what is not."""
    yield from (f"Warning: {warning}" for warning in list_unknown())
    yield f"The key file {settings.key_file} can be used."
    ledger = Ledger(settings.erasure_ledger)
    warnings = must_be_ready(ground, ledger, settings)
    backend = make_url(settings.database_url).get_backend_name()
    yield f"The database ({backend}) is migrated."
    yield from open_to_others(settings.database_url)
    yield "The database has the guards that the migrations make."
    yield from warnings
    yield "Every region has a desk."
    if (space := ground.free_space.describe()) != ENOUGH:
        yield f"Warning: disk space: {space}."
    if drill := about_drill(ground):
        yield drill
    yield from check_connections(settings)
    with ground.database.reading() as session:
        yield from gaps(session, settings)
        yield from list_versions(session, settings.database_url)
    there = ledger.found() is not None
    yield (
        f"The ledger of erasures {ledger.path} and the database agree."
        if there
        else f"There was no case yet; the ledger of erasures will be {ledger.path}."
    )


def reseal(ground: Ground) -> Iterator[tuple[int, int]]:
    """Seal what older versions kept in clear, or sealed without padding or without a key.

    And move clocks that tell when a person arrives. Gives how many are done, and of how
    many. Each row in a transaction of its own: killed at any point, it is run again.
    """
    with reading(ground, SYSTEM) as work:
        due = resealing.list_outdated(work.session)
        routed = routing_queries.list_clear_cases(work.session)
        clocks = return_clocks.list_clear_clocks(work)
    total = len(due) + len(routed) + len(clocks)
    for number, (case_id, submitter) in enumerate(routed, start=1):
        with writing(ground, system_for(submitter)) as work:
            routing.seal_clear_result(work, case_id)
        yield number, total
    for number, one in enumerate(due, start=len(routed) + 1):
        with writing(ground, SYSTEM) as work:
            resealing.reseal(work, one)
        yield number, total
    for number, clock in enumerate(clocks, start=total - len(clocks) + 1):
        with writing(ground, SYSTEM) as work:
            return_clocks.move_clock(work, clock)
        yield number, total
