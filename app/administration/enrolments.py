"""Enrolments, in which two people let a third person register a passkey (R14, ADR 67).

The first person sees a link and the second person sees a code. Both are needed to redeem
the enrolment, so that neither of them can act as the new person.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
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
from app.access.actions import create_secret, open_person
from app.access.enrolment_models import Enrolment, EnrolmentState
from app.access.models import Account, Person
from app.access.row_protection import drop_unmatched
from app.access.second_person import NotASecondPerson, require_other_person
from app.administration import account_permissions
from app.administration.account_changes import (
    AccountDisabled,
    get_roles,
    lock_to_grant,
    record_account_event,
    require_manager,
    require_may_change,
)
from app.kernel.actors import AccountKind
from app.kernel.codes import CROCKFORD, READ_AS
from app.kernel.problems import NotFound, Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.vault import Vault

LINK_PREFIX: Final = "sce"
LIFETIME: Final = timedelta(hours=24)
CODE_SYMBOLS: Final = 8
CODE_BYTES: Final = 5
"""The number of random bytes in a code. Each of the eight symbols has five bits."""
MISSING: Final = "There is no such enrolment, or you may not see it."


class NotAPerson(Problem):
    """Only the account of a person has passkeys; a machine has keys."""

    status = 409


class EnrolmentExists(Problem):
    """The person has an enrolment that is not redeemed yet."""

    status = 409


class EnrolmentEnded(Problem):
    """The enrolment is not in a state that allows this."""

    status = 409


class RecoveryMismatch(Problem):
    """An enrolment of a person with passkeys must be a recovery, and no other may be."""

    status = 409


@dataclass(frozen=True)
class ShownEnrolment:
    """An enrolment and its link or code. `secret` is None in the response to a retry."""

    row: Enrolment
    secret: str | None

    @property
    def id(self) -> UUID:
        """The id of the enrolment. A retried request finds the enrolment by this id."""
        return self.row.id


def create_enrolment(
    tx: WriteTransaction, account_id: UUID, *, recovery: bool
) -> ShownEnrolment:
    """Begin the enrolment of another person, and return it with its link."""
    account = lock_to_grant(tx, account_id, more=frozenset())
    require_person(account)
    require_may_change_person(tx, account)
    return add_enrolment(tx, account, recovery=recovery)


def require_person(account: Account) -> None:
    """Raise NotAPerson (409) for the account of a machine."""
    if account.kind != AccountKind.PERSON:
        raise NotAPerson("Register a public key for a machine, or make an API key.")


def require_may_change_person(tx: ReadTransaction, account: Account) -> None:
    """Raise RoleMissing (403) unless the caller may change all accounts of the person.

    A passkey belongs to the person and opens each of these accounts, including accounts at
    other offices or with more rights than the account that the enrolment names.
    """
    for one in people.list_enabled(tx, account.person_id or account.id):
        require_may_change(tx, one.focal_point_id, get_roles(one))


def add_enrolment(
    tx: WriteTransaction, account: Account, *, recovery: bool
) -> ShownEnrolment:
    """Add an enrolment and record the event.

    `recovery` must be true if the person has passkeys, and false if not. Otherwise
    RecoveryMismatch (409) is raised, so that nobody can secretly add another passkey.
    Raises EnrolmentExists (409) if another enrolment of the person is open.
    """
    person_id = open_person(tx.session, account, tx.now)
    passkey_actions.lock_passkeys(tx.session, person_id)
    drop_unmatched(tx.session, Person, person_id)
    if recovery != passkey_queries.has_passkey(tx.session, person_id):
        raise RecoveryMismatch(
            "Send `recovery`: true if the person has passkeys, and false if not."
        )
    if any(one.is_open(tx.now) for one in enrolment_queries.list_of_person(tx, person_id)):
        raise EnrolmentExists("Cancel the other enrolment, or let the person use it.")
    prefix, link = create_secret(LINK_PREFIX)
    row = Enrolment(
        id=tx.create_id(),
        account_id=account.id,
        recovery=recovery,
        link_prefix=prefix,
        link_hash=credentials.hash_key(link),
        wrong_codes=0,
        created_by=None if tx.actor.is_system else tx.actor.account_id,
        created_at=tx.now,
        expires_at=tx.now + LIFETIME,
    )
    tx.session.add(row)
    record_account_event(tx, account, "account.enrolment_created", recovery=recovery)
    return ShownEnrolment(row, link)


def find_enrolment(
    tx: ReadTransaction, enrolment_id: UUID, *, lock: bool = False
) -> tuple[Enrolment, Account]:
    """Return an enrolment and its account. If `lock` is set, lock the enrolment.

    Raises RoleMissing (403) unless the caller manages accounts, and NotFound (404) if the
    enrolment is unknown or the caller may not see the accounts of its office.
    """
    require_manager(tx)
    row = enrolment_queries.find(tx.session, enrolment_id, lock=lock)
    if row is None:
        raise NotFound(MISSING)
    account = access_queries.get_account(tx, row.account_id)
    if not account_permissions.may_see_accounts(tx.actor, account.focal_point_id):
        raise NotFound(MISSING)
    return row, account


def lock_to_change(tx: WriteTransaction, enrolment_id: UUID) -> tuple[Enrolment, Account]:
    """Lock and return an enrolment that the caller may change, and its account.

    Raises the exceptions of `find_enrolment`, and RoleMissing (403) if the caller may not
    change the account.
    """
    row, account = find_enrolment(tx, enrolment_id, lock=True)
    require_may_change(tx, account.focal_point_id, get_roles(account))
    return row, account


def confirm_enrolment(tx: WriteTransaction, enrolment_id: UUID) -> ShownEnrolment:
    """Confirm an enrolment as the second person, and return it with its code.

    Raises NotASecondPerson (409) if the caller may be one of the other two people,
    EnrolmentEnded (409) if the enrolment does not wait for a confirmation, AccountDisabled
    (409) if the account is disabled, and the exceptions of `lock_to_change`.
    """
    row, account = lock_to_change(tx, enrolment_id)
    if row.get_state(tx.now) != EnrolmentState.WAITING:
        raise EnrolmentEnded("The enrolment was confirmed or has ended. Begin another.")
    if account.disabled_at is not None:
        raise AccountDisabled("The account is disabled. Open another account.")
    require_other_person(tx, row.created_by)
    require_may_change_person(tx, account)
    if account.id in people.list_own_accounts(tx):
        raise NotASecondPerson("Two other people have to enrol you.")
    code = add_code(tx, row, account)
    row.confirmed_by = tx.actor.account_id
    return ShownEnrolment(row, code)


def add_code(tx: WriteTransaction, row: Enrolment, account: Account) -> str:
    """Confirm an enrolment, record the event, and return a new code."""
    code = create_code()
    row.code_hash = list_code_hashes(tx.vault, row.id, code)[0]
    row.confirmed_at = tx.now
    record_account_event(tx, account, "account.enrolment_confirmed")
    return code


def create_code() -> str:
    """Create a random code of eight symbols that a person can read out and type."""
    bits = int.from_bytes(secrets.token_bytes(CODE_BYTES))
    symbols = "".join(CROCKFORD[bits >> 5 * place & 31] for place in range(CODE_SYMBOLS))
    return f"{symbols[:4]}-{symbols[4:]}"


def list_code_hashes(vault: Vault, enrolment_id: UUID, code: str) -> list[str]:
    """List the keyed hashes of a code, ignoring spaces, hyphens and letter case.

    The letters O, I and L are read as digits. For a new code, the first hash is stored. A
    stored hash is compared with all hashes. A code has 40 bits, so an unkeyed hash in a
    stolen database would reveal it.
    """
    symbols = code.upper().replace("-", "").replace(" ", "").translate(READ_AS)
    return vault.list_fingerprints(b"enrolment", enrolment_id.bytes, symbols.encode())


def cancel_enrolment(tx: WriteTransaction, enrolment_id: UUID) -> Enrolment:
    """Cancel an enrolment, or raise EnrolmentEnded (409) if it was redeemed.

    One person is enough. An enrolment that has ended in another way is not changed.
    """
    row, account = lock_to_change(tx, enrolment_id)
    if row.get_state(tx.now) == EnrolmentState.REDEEMED:
        raise EnrolmentEnded("The enrolment was redeemed. Begin a recovery instead.")
    if row.is_open(tx.now):
        row.cancelled_at = tx.now
        record_account_event(tx, account, "account.enrolment_cancelled")
    return row
