"""Actions on passkeys: sign in, register and remove (ADR 67)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from app.access import passkey_queries
from app.access.account_locks import lock_accounts
from app.access.enrolment_models import Enrolment, UsedChallenge
from app.access.models import Account, Passkey, Person, UserSession
from app.access.passkey_challenges import (
    AGAIN,
    SIGN_IN,
    IssuedChallenge,
    PasskeyRefused,
    verify_challenge,
)
from app.access.passkeys import (
    CredentialJson,
    NewCredential,
    RelyingParty,
    has_increased,
    parse_assertion,
    parse_registration,
    verify_assertion,
    verify_registration,
)
from app.access.protected_tables import PASSKEYS
from app.access.row_protection import drop_unmatched
from app.access.row_verification import get_verified
from app.access.session_limits import require_recent_sign_in
from app.access.session_queries import get_session
from app.access.sessions import OpenedSession, SignIn, end_sessions, open_session
from app.kernel.actors import SYSTEM, Actor, SignInMethod
from app.kernel.db import lock_name
from app.kernel.problems import Problem, Unauthenticated
from app.kernel.statements import lock_rows
from app.kernel.transactions import ReadTransaction, Runtime, begin_write

CHALLENGES_KEPT: Final = timedelta(hours=1)
"""How long a used challenge is kept after it expires, in case the clock is set back."""
ENROLMENTS_KEPT: Final = timedelta(days=30)
"""How long an enrolment is kept after it has expired, so that its office can see it."""


class LastPasskey(Problem):
    """The passkey is your last. Without it, two people have to enrol you again."""

    status = 409


class PasskeySessionNeeded(Problem):
    """The request needs a session that was opened with a passkey."""

    status = 403


type Show[R] = Callable[[ReadTransaction, OpenedSession], R]
"""A function that builds the response for a new session, in the same transaction."""


@dataclass(frozen=True)
class PasskeySignIn:
    """A request to sign in with a passkey.

    `account` is one of the accounts of the person. It defaults to the account of the
    session `replaces`, which the sign-in ends. Without `replaces`, it defaults to the
    enabled account that was created first.
    """

    credential: CredentialJson
    account: UUID | None = None
    replaces: UUID | None = None


@dataclass(frozen=True)
class Registration:
    """A verified registration of a passkey. Its challenge is not marked as used yet."""

    credential: NewCredential
    challenge: IssuedChallenge
    label: str


def sign_in[R](
    runtime: Runtime, party: RelyingParty, wanted: PasskeySignIn, show: Show[R]
) -> R:
    """Verify the response of a passkey, open a session, and return the result of `show`.

    The result is built before the commit, so that no later error can lose the token of a
    session that is stored. The signature is verified before any row is locked, so that
    forged requests do not make other requests wait.

    Raises PasskeyRefused (409) if the response of the passkey is not valid or no account
    can be used, and NotFound (404) if `replaces` is not a session of the person.
    """
    claimed = parse_assertion(wanted.credential)
    now = runtime.clock()
    challenge = verify_challenge(runtime.vault, claimed.challenge, SIGN_IN, now)
    with runtime.database.begin_read() as session:
        known = passkey_queries.find_passkey(session, claimed.credential_id)
    if known is None or claimed.user_handle != known.person_id.bytes:
        raise PasskeyRefused(AGAIN)
    stored = NewCredential(known.credential_id, known.public_key, known.sign_count)
    count = verify_assertion(party, wanted.credential, claimed.challenge, stored)
    with begin_write(runtime, SYSTEM) as tx:
        session = tx.session
        lock_passkeys(session, known.person_id)
        passkey = passkey_queries.lock_passkey(session, known.id)
        if passkey is None or not has_increased(count, passkey.sign_count):
            raise PasskeyRefused(AGAIN)
        claim_challenge(session, challenge)
        passkey.sign_count, passkey.last_used_at = count, now
        account = find_wanted_account(session, passkey.person_id, wanted)
        if account is None:
            raise PasskeyRefused(AGAIN)
        method = SignInMethod.PASSKEY
        opening = SignIn(
            runtime.ids(), method, replaces=wanted.replaces, passkey_id=passkey.id
        )
        return show(tx, open_session(session, account, opening, now))


def find_wanted_account(
    session: Session, person_id: UUID, wanted: PasskeySignIn
) -> Account | None:
    """Return the account with which a person signs in, or None if none can be used.

    Raises NotFound (404) if `replaces` is not a session of the person.
    """
    account_id = wanted.account
    if account_id is None and wanted.replaces is not None:
        account_id = get_session(session, wanted.replaces, person_id).account_id
    return passkey_queries.find_account(session, person_id, account_id)


def claim_challenge(session: Session, challenge: IssuedChallenge) -> None:
    """Mark a challenge as used, or raise PasskeyRefused (409) if it was used before."""
    lock_name(session, challenge.hash)
    if session.get(UsedChallenge, challenge.hash) is not None:
        raise PasskeyRefused(AGAIN)
    session.add(UsedChallenge(hash=challenge.hash, expires_at=challenge.expires_at))
    session.flush()


def verify_new_passkey(
    runtime: Runtime, party: RelyingParty, purpose: str, new: tuple[CredentialJson, str]
) -> Registration:
    """Verify a new passkey and return it with its label, or raise PasskeyRefused (409)."""
    credential, label = new
    challenge = parse_registration(credential)
    issued = verify_challenge(runtime.vault, challenge, purpose, runtime.clock())
    return Registration(verify_registration(party, credential, challenge), issued, label)


def add_passkey(
    session: Session, passkey_id: UUID, person_id: UUID, made: Registration, now: datetime
) -> Passkey:
    """Add a verified passkey to a person, and mark its challenge as used.

    Raises PasskeyRefused (409) if the challenge was used before, or if the passkey is
    known, even if it was removed or belongs to another person.
    """
    claim_challenge(session, made.challenge)
    new = made.credential
    lock_name(session, f"passkey {new.credential_id.hex()}")
    same = select(Passkey.id).where(Passkey.credential_id == new.credential_id)
    if session.scalar(same) is not None:
        raise PasskeyRefused("The service knows this passkey already. Create a new one.")
    passkey = Passkey(
        id=passkey_id,
        person_id=person_id,
        credential_id=new.credential_id,
        public_key=new.public_key,
        sign_count=new.sign_count,
        label=made.label,
        created_at=now,
    )
    session.add(passkey)
    session.flush()
    return passkey


def lock_passkeys(session: Session, person_id: UUID) -> None:
    """Wait until no other transaction changes the passkeys of a person, and lock them.

    The accounts of the person are locked first, as in other changes to accounts.
    """
    lock_accounts(session, Account.person_id == person_id)
    lock_name(session, f"passkeys {person_id}")
    session.scalar(lock_rows(select(Person).where(Person.id == person_id)))


def remove_passkey(
    session: Session, passkey: Passkey, now: datetime, *, even_last: bool
) -> bool:
    """Remove a passkey and end its sessions; return False if it was removed before.

    Raises LastPasskey (409) for the last passkey of the person, unless `even_last`.
    """
    lock_passkeys(session, passkey.person_id)
    person_id = passkey.person_id
    kept = drop_unmatched_passkeys(session, person_id)
    session.refresh(passkey)
    own = {"passkey_id": passkey.id}
    if passkey.removed_at is not None and passkey.id not in kept:
        end_sessions(session, person_id, own, now)
        return False
    if kept == {passkey.id} and not even_last:
        raise LastPasskey("Register another passkey first, or send `even_last`: true.")
    passkey.removed_at = now
    end_sessions(session, person_id, own, now)
    return True


def remove_all_passkeys(session: Session, person_id: UUID, now: datetime) -> None:
    """Remove all passkeys of a person, and end all sessions of the person."""
    kept = drop_unmatched_passkeys(session, person_id)
    for passkey in passkey_queries.list_passkeys(session, person_id):
        passkey.removed_at = now
    for passkey_id in kept:
        get_verified(session, Passkey, passkey_id).removed_at = now
    end_sessions(session, person_id, {}, now)


def drop_unmatched_passkeys(session: Session, person_id: UUID) -> set[UUID]:
    """Remove the digests that no passkey of a person matches.

    Returns the ids of the valid passkeys of the person.
    """
    return {
        row["id"]
        for table, row in drop_unmatched(session, Person, person_id)
        if table is PASSKEYS and row["removed_at"] is None
    }


def list_outdated(
    now: datetime,
) -> list[tuple[type[UsedChallenge | Enrolment], ColumnElement[bool]]]:
    """Return the conditions for the rows that `delete_outdated` deletes, by model."""
    return [
        (UsedChallenge, UsedChallenge.expires_at <= now - CHALLENGES_KEPT),
        (Enrolment, Enrolment.expires_at <= now - ENROLMENTS_KEPT),
    ]


def has_outdated(session: Session, now: datetime) -> bool:
    """Return whether there is a used challenge or an enrolment that can be deleted."""
    found = (select(one).where(old).limit(1) for one, old in list_outdated(now))
    return any(session.scalar(query) is not None for query in found)


def delete_outdated(session: Session, now: datetime) -> None:
    """Delete used challenges and enrolments that expired long enough ago."""
    for model, old in list_outdated(now):
        session.execute(delete(model).where(old))


def require_recent_passkey(actor: Actor, now: datetime) -> UUID:
    """Return the person's id if a passkey opened the session in the last 5 minutes.

    Raises AuthenticationTooOld (401) for an older session, and PasskeySessionNeeded (403)
    for any other credential. Otherwise, somebody with an API key of the person could add a
    passkey without an enrolment, for which two people are needed.
    """
    session, person_id = actor.session, actor.person_id
    if session is None or person_id is None or session.method != SignInMethod.PASSKEY:
        raise PasskeySessionNeeded(
            "Sign in with a passkey. If you have none, two people have to enrol you."
        )
    require_recent_sign_in(actor, now)
    return person_id


def require_live_session(session: Session, actor: Actor) -> None:
    """Raise Unauthenticated (401) if the session of the request has ended meanwhile.

    A recovery may have ended it after the request was authenticated. The caller has locked
    the passkeys of the person.
    """
    own = actor.session.id if actor.session else None
    query = select(UserSession).where(UserSession.id == own)
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None or row.ended_at is not None:
        raise Unauthenticated("The session has ended. Sign in again.")
