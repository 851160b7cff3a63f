"""The redemption of an enrolment by the new person, who needs no credential (ADR 67).

Each failure raises PasskeyRefused (409), for which the API always returns the same 401.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.access import (
    credentials,
    enrolment_queries,
    passkey_actions,
    passkey_queries,
    people,
)
from app.access import queries as access_queries
from app.access.actions import open_person
from app.access.credentials import build_actor
from app.access.enrolment_models import MAX_ATTEMPTS, Enrolment, EnrolmentState
from app.access.models import Account
from app.access.passkey_actions import Show
from app.access.passkey_challenges import PasskeyRefused, describe_enrolment
from app.access.passkey_schemas import PasskeyCreationOptions
from app.access.passkeys import CredentialJson, RelyingParty
from app.access.row_verification import require_authentic_account
from app.access.sessions import SignIn, open_session
from app.administration import account_permissions, own_passkeys
from app.administration.account_changes import get_roles, record_account_event
from app.administration.api_key_changes import expire_approvals
from app.administration.enrolments import LINK_PREFIX, list_code_hashes
from app.kernel.actors import SERVICE, SYSTEM, Actor, SignInMethod
from app.kernel.macs import NotAuthentic
from app.kernel.transactions import (
    Runtime,
    WriteTransaction,
    begin_read,
    begin_write,
)

REFUSED: Final = "The link, the code or the passkey is not valid. Ask for a new enrolment."


@dataclass(frozen=True)
class Invitation:
    """The link and the code that a person got from two other people."""

    link: str
    code: str

    @property
    def prefix(self) -> str:
        """The prefix of the link, or an empty string if the link is malformed."""
        return credentials.get_prefix(self.link, {LINK_PREFIX})


@dataclass(frozen=True)
class Newcomer:
    """The person who redeems an enrolment, as an actor with the enrolled account."""

    enrolment_id: UUID
    actor: Actor


def check_invitation(runtime: Runtime, invitation: Invitation) -> Newcomer:
    """Return the person to whom a link and a code belong, or raise PasskeyRefused (409).

    A wrong code with the right link is counted. The code is compared while the enrolment
    is locked, so that simultaneous requests do not get more attempts. A wrong link does not
    lock the enrolment.
    """
    with runtime.database.begin_read() as session:
        found = enrolment_queries.find_by_link(session, invitation.prefix)
    due = found.link_hash if found else credentials.UNKNOWN_HASH
    fits = hmac.compare_digest(due, credentials.hash_key(invitation.link))
    if found is None or not fits:
        raise PasskeyRefused(REFUSED)
    with begin_write(runtime, SYSTEM) as tx:
        row, account = lock_confirmed(tx, found.id)
        hashes = list_code_hashes(tx.vault, row.id, invitation.code)
        if any(hmac.compare_digest(row.code_hash or "", one) for one in hashes):
            return Newcomer(row.id, build_actor(account, scopes=()))
        row.wrong_codes += 1
        if row.wrong_codes >= MAX_ATTEMPTS:
            record_account_event(tx, account, "account.enrolment_blocked")
    raise PasskeyRefused(REFUSED)


def lock_confirmed(tx: WriteTransaction, enrolment_id: UUID) -> tuple[Enrolment, Account]:
    """Lock and return an enrolment that can be redeemed, and its account.

    The rules are checked again, because the accounts, their roles and the passkeys of the
    person may have changed since the enrolment was confirmed. Raises PasskeyRefused (409).
    """
    try:
        return lock_verified(tx, enrolment_id)
    except NotAuthentic as error:
        raise PasskeyRefused(REFUSED) from error


def lock_verified(tx: WriteTransaction, enrolment_id: UUID) -> tuple[Enrolment, Account]:
    """Do the same as `lock_confirmed`, but raise NotAuthentic for an altered account."""
    row = enrolment_queries.find(tx.session, enrolment_id, lock=True)
    if row is None or row.get_state(tx.now) != EnrolmentState.CONFIRMED:
        raise PasskeyRefused(REFUSED)
    account = access_queries.get_account(tx, row.account_id)
    makers = [row.created_by, row.confirmed_by]
    both = [access_queries.get_account(tx, one) for one in makers if one is not None]
    for one in (account, *both):
        require_authentic_account(tx.session, one)
    ids = {one.person_id or one.id for one in (account, *both)}
    allowed = account.disabled_at is None and len(ids) == len(both) + 1
    person_id = account.person_id or account.id
    accounts = [account, *people.list_enabled(tx, person_id)]
    if not allowed or not all(may_still_enrol(one, accounts) for one in both):
        raise PasskeyRefused(REFUSED)
    if not row.recovery and passkey_queries.has_passkey(tx.session, person_id):
        raise PasskeyRefused(REFUSED)
    return row, account


def may_still_enrol(maker: Account, accounts: Iterable[Account]) -> bool:
    """Return whether the account `maker` may still change all of the given accounts."""
    actor = build_actor(maker, scopes=())
    return maker.disabled_at is None and all(
        account_permissions.may_change_account(actor, one.focal_point_id, get_roles(one))
        for one in accounts
    )


def build_options(
    runtime: Runtime, party: RelyingParty, invitation: Invitation
) -> PasskeyCreationOptions:
    """Return the options for the passkey of a new person, or raise PasskeyRefused (409)."""
    newcomer = check_invitation(runtime, invitation)
    purpose = describe_enrolment(newcomer.enrolment_id)
    with begin_read(runtime, newcomer.actor) as tx:
        return own_passkeys.build_options(tx, party, purpose)


def redeem_enrolment[R](
    runtime: Runtime,
    party: RelyingParty,
    invitation: Invitation,
    new: tuple[CredentialJson, str],
    show: Show[R],
) -> R:
    """Add the passkey `new` (credential and label) to the enrolled person; open a session.

    Returns the result of `show` for the session. A recovery first removes all earlier
    passkeys of the person and ends all their sessions. Raises PasskeyRefused (409).
    """
    newcomer = check_invitation(runtime, invitation)
    purpose = describe_enrolment(newcomer.enrolment_id)
    made = passkey_actions.verify_new_passkey(runtime, party, purpose, new)
    with begin_write(runtime, newcomer.actor, acts_for=SERVICE) as tx:
        person_id = newcomer.actor.person_id or newcomer.actor.account_id
        passkey_actions.lock_passkeys(tx.session, person_id)
        row, account = lock_confirmed(tx, newcomer.enrolment_id)
        row.redeemed_at = tx.now
        open_person(tx.session, account, tx.now)
        if row.recovery:
            passkey_actions.remove_all_passkeys(tx.session, person_id, tx.now)
            end_given_rights(tx, account)
        passkey = passkey_actions.add_passkey(
            tx.session, tx.create_id(), person_id, made, tx.now
        )
        facts = {"recovery": row.recovery}
        record_account_event(tx, account, "account.enrolment_redeemed", **facts)
        method = SignInMethod.PASSKEY
        sign_in = SignIn(tx.create_id(), method, passkey_id=passkey.id)
        return show(tx, open_session(tx.session, account, sign_in, tx.now))


def end_given_rights(tx: WriteTransaction, account: Account) -> None:
    """End the rights that the holder of a stolen passkey may have given to other accounts.

    The unused approvals of all enabled accounts of the person expire, and the open
    enrolments that one of these accounts began or confirmed are cancelled.
    """
    accounts = people.list_enabled(tx, account.person_id or account.id)
    for one in accounts:
        expire_approvals(tx, one)
    for row in enrolment_queries.list_made_by(tx, {one.id for one in accounts}):
        row.cancelled_at = tx.now
        enrolled = access_queries.get_account(tx, row.account_id)
        record_account_event(tx, enrolled, "account.enrolment_cancelled")
