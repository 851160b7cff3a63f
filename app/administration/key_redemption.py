"""The redemption of the link of an API key by the holder of its account (ADR 86).

Each failure raises the same LinkRefused, for which the API returns 401.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from app.access import credentials
from app.access import queries as access_queries
from app.access.actions import LINK_PREFIX, make_key
from app.access.models import Account, ApiKey
from app.access.row_verification import is_authentic
from app.administration.account_changes import record_account_event
from app.kernel.actors import SYSTEM
from app.kernel.problems import NotFound
from app.kernel.transactions import Runtime, WriteTransaction, begin_write

REFUSED: Final = "The link is not valid, was used, or has expired. Ask for another."


class LinkRefused(Exception):  # noqa: N818 - it names what happened, as Problem does
    """The link of an API key was not accepted."""


@dataclass(frozen=True)
class RedeemedKey:
    """An API key that was made with a link, and its secret."""

    row: ApiKey
    secret: str


def get_link_prefix(link: str) -> str:
    """Return the prefix of a link, or an empty string if the link is malformed."""
    return credentials.get_prefix(link, {LINK_PREFIX})


def redeem_link(runtime: Runtime, link: str) -> RedeemedKey:
    """Create the API key for a link, which can be used only once.

    Raises LinkRefused if the link cannot be used. A wrong link does not lock the account.
    If two requests use a link at the same time, only one of them gets the key.
    """
    with runtime.database.begin_read() as session:
        found = session.get(ApiKey, get_link_prefix(link))
        due = found.hash if found is not None and found.link_until else None
    if not hmac.compare_digest(due or credentials.UNKNOWN_HASH, credentials.hash_key(link)):
        raise LinkRefused(REFUSED)
    with begin_write(runtime, SYSTEM) as tx:
        row, account = lock_account_of_link(tx, link)
        secret = make_key(row)
        record_account_event(tx, account, "account.key_redeemed", prefix=row.prefix)
        return RedeemedKey(row, secret)


def lock_account_of_link(tx: WriteTransaction, link: str) -> tuple[ApiKey, Account]:
    """Lock the account of a link, and return the API key and the account.

    Raises LinkRefused if the link is wrong, was used or is no longer valid, or if the row
    of the key or account was altered outside the service.
    """
    try:
        found = access_queries.get_key_by_prefix(tx, get_link_prefix(link))
        account = access_queries.lock_account(tx, found.account_id)
    except NotFound as error:
        raise LinkRefused(REFUSED) from error
    tx.session.refresh(found)
    fits = hmac.compare_digest(found.hash, credentials.hash_key(link))
    open_until = found.link_until
    live = credentials.is_live(
        tx.now, found.expires_at, found.revoked_at, account.disabled_at
    )
    if not fits or not live or open_until is None or open_until <= tx.now:
        raise LinkRefused(REFUSED)
    if not is_authentic(tx.session, found, account):
        raise LinkRefused(REFUSED)
    return found, account
