"""Changes to the passkeys of the caller, with their events (ADR 67)."""

from uuid import UUID

from app.access import passkey_actions, passkey_queries
from app.access import queries as access_queries
from app.access.models import Passkey
from app.access.passkey_challenges import create_challenge, describe_registration
from app.access.passkey_schemas import PasskeyCreationOptions, build_creation_options
from app.access.passkeys import CredentialJson, RelyingParty
from app.administration.account_changes import record_account_event
from app.directory import queries as directory_queries
from app.kernel.transactions import ReadTransaction, WriteTransaction


def build_options(
    tx: ReadTransaction, party: RelyingParty, purpose: str
) -> PasskeyCreationOptions:
    """Return the options for a new passkey of the caller.

    The options exclude the passkeys that the caller already has. The authenticator shows
    the office and the label of the account, but no name.
    """
    account = access_queries.get_own_account(tx)
    office = directory_queries.by_id(tx, account.focal_point_id)
    person_id = account.person_id or account.id
    return build_creation_options(
        party,
        create_challenge(tx.vault, purpose, tx.now),
        person_id=person_id,
        name=f"{office.code} {account.label}",
        known=passkey_queries.list_passkeys(tx.session, person_id),
    )


def build_another(tx: ReadTransaction, party: RelyingParty) -> PasskeyCreationOptions:
    """Return the options for another passkey of a caller who just used a passkey."""
    person_id = passkey_actions.require_recent_passkey(tx.actor, tx.now)
    return build_options(tx, party, describe_registration(person_id))


def register_passkey(
    tx: WriteTransaction, party: RelyingParty, new: tuple[CredentialJson, str]
) -> Passkey:
    """Add the passkey `new` (credential and label) to the caller, and record the event."""
    person_id = passkey_actions.require_recent_passkey(tx.actor, tx.now)
    purpose = describe_registration(person_id)
    made = passkey_actions.verify_new_passkey(tx.runtime, party, purpose, new)
    passkey_actions.lock_passkeys(tx.session, person_id)
    passkey_actions.require_live_session(tx.session, tx.actor)
    passkey = passkey_actions.add_passkey(
        tx.session, tx.create_id(), person_id, made, tx.now
    )
    record_account_event(tx, access_queries.get_own_account(tx), "account.passkey_added")
    return passkey


def remove_passkey(tx: WriteTransaction, passkey_id: UUID, *, even_last: bool) -> Passkey:
    """Remove a passkey of the caller, and record the event unless it was removed before.

    The caller must have signed in with a passkey recently. Otherwise, an API key that
    somebody else has seen would be enough to remove all passkeys, and new passkeys would
    then need no recovery. Raises LastPasskey (409) for the last one without `even_last`.
    """
    person_id = passkey_actions.require_recent_passkey(tx.actor, tx.now)
    passkey = passkey_queries.get_passkey(tx.session, passkey_id, person_id)
    if passkey_actions.remove_passkey(tx.session, passkey, tx.now, even_last=even_last):
        account = access_queries.get_own_account(tx)
        record_account_event(tx, account, "account.passkey_removed")
    return passkey
