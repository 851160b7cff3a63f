"""What an operator does: keys of the vault, the directory, accounts and their API keys."""

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from sqlalchemy import make_url

from app.access import queries as access
from app.access.actions import Opening
from app.access.models import Account
from app.administration import issuing, loading, staffing
from app.administration.loading import Loaded
from app.cli.posting import gaps, senders_of
from app.cli.serving import NotReady, about_drill, must_be_ready
from app.directory import queries as entries
from app.directory.actions import standard_data
from app.directory.changes import Clerk
from app.kernel.actors import SYSTEM, Role, Scope
from app.kernel.ledger import Ledger
from app.kernel.work import Ground, writing
from app.settings import Settings


def load_directory(ground: Ground, folder: Path | None) -> Loaded:
    """Load the packaged directory, or the operator's own files; raises FilesRefused."""
    with ground.database.writing() as session:
        clerk = Clerk(session, ground.ids, ground.clock())
        return loading.load(clerk, folder or standard_data())


def open_account(
    ground: Ground, focal_point: str, label: str, roles: Iterable[Role]
) -> UUID:
    """Open an account; raises NotFound for an unknown focal point."""
    with writing(ground, SYSTEM) as work:
        of = entries.id_of(work.session, focal_point)
        return staffing.opened(work, Opening(of, label, frozenset(roles))).id


def make_key(ground: Ground, account: UUID, scopes: Iterable[Scope], days: int) -> str:
    """Make an API key; raises NotReady for an unknown account."""
    with writing(ground, SYSTEM) as work:
        found = work.session.get(Account, account)
        if found is None:
            raise NotReady("There is no such account.")
        made = issuing.made(work, found, frozenset(scopes), days, "account.key_made")
        return made.secret or ""


def revoke_key(ground: Ground, prefix: str) -> None:
    """End an API key from the next request on; raises NotFound."""
    with writing(ground, SYSTEM) as work:
        key = access.key_named(work, prefix)
        account = access.lock_account(work, key.account_id)
        issuing.end_key(work, account, key)


def disable_account(ground: Ground, account: UUID) -> None:
    """End an account with all its keys; raises NotFound."""
    with writing(ground, SYSTEM) as work:
        staffing.end(work, access.lock_account(work, account))


def examine(ground: Ground, settings: Settings) -> Iterable[str]:
    """Say what is well; raises NotReady for what is not."""
    yield f"The key file {settings.key_file} can be used."
    ledger = Ledger(settings.erasure_ledger)
    must_be_ready(ground, ledger)
    backend = make_url(settings.database_url).get_backend_name()
    yield f"The database ({backend}) is migrated."
    yield "Every region has a desk."
    if drill := about_drill(ground):
        yield drill
    senders_of(settings)
    with ground.database.reading() as session:
        yield from gaps(session, settings)
    there = ledger.found() is not None
    yield (
        f"The ledger of erasures {ledger.path} and the database agree."
        if there
        else f"Nothing was erased yet; the ledger of erasures will be {ledger.path}."
    )
