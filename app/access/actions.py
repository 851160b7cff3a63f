"""Actions on persons, accounts and API keys."""

import secrets
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.access import credentials
from app.access.models import Account, ApiKey, Person
from app.kernel.actors import AccountKind, Role, Scope
from app.kernel.problems import NotFound, Problem

PREFIX_BYTES: Final = 5
SECRET_BYTES: Final = 32
KEY_DAYS: Final = 90
LINK_PREFIX: Final = "sck"
"""The beginning of a link with which the holder of an account makes an API key."""
LINK_LIFETIME: Final = timedelta(hours=24)


class RolesIncompatible(Problem):
    """The roles cannot be combined, or the account cannot have them."""

    status = 409


@dataclass(frozen=True)
class AccountSpec:
    """The properties of an account to create.

    `person_id` is the person to whom the account belongs; None for a machine or new person.
    """

    focal_point_id: UUID
    label: str
    roles: frozenset[Role]
    kind: AccountKind = AccountKind.PERSON
    person_id: UUID | None = None


def create_account(
    session: Session, account_id: UUID, opening: AccountSpec, now: datetime
) -> Account:
    """Create and return an account. Raises RolesIncompatible (409) if its roles conflict.

    If the account is for a new person, also create the person, with the account's id.
    """
    require_compatible_roles(opening.roles)
    account = Account(
        id=account_id,
        focal_point_id=opening.focal_point_id,
        label=opening.label,
        kind=opening.kind,
        roles=sorted(opening.roles),
        opened_at=now,
        person_id=opening.person_id,
    )
    session.add(account)
    session.flush()
    if opening.kind == AccountKind.PERSON:
        open_person(session, account, now)
    return account


def open_person(session: Session, account: Account, now: datetime) -> UUID:
    """Return the id of the person of an account. If there is no person, create one.

    During an upgrade, the previous version of the service creates accounts without persons.
    """
    if account.person_id is None:
        if session.get(Person, account.id) is None:
            session.add(Person(id=account.id, created_at=now))
            session.flush()
        account.person_id = account.id
        session.flush()
    return account.person_id


def require_compatible_roles(roles: AbstractSet[Role]) -> None:
    """Raise RolesIncompatible (409) if an administrator also has another role."""
    if Role.ADMINISTRATOR in roles and len(roles) > 1:
        raise RolesIncompatible(
            "An administrator cannot have another role. Open a second account."
        )


def create_key(  # noqa: PLR0913 - all but `session` set a column
    session: Session,
    account_id: UUID,
    scopes: Iterable[Scope],
    now: datetime,
    *,
    days: int = KEY_DAYS,
    by_link: bool = False,
) -> str:
    """Create an API key and return it. Only a hash of the key is stored.

    With `by_link`, return a link with which the holder makes the key (ADR 86). The link
    cannot be used as a key.
    """
    prefix, secret = create_secret(LINK_PREFIX if by_link else credentials.API_KEY)
    api_key = ApiKey(
        prefix=prefix,
        account_id=account_id,
        hash=credentials.hash_key(secret),
        scopes=sorted(scopes),
        made_at=now,
        expires_at=now + timedelta(days=days),
        link_until=now + LINK_LIFETIME if by_link else None,
    )
    session.add(api_key)
    session.flush()
    return secret


def make_key(row: ApiKey) -> str:
    """Make and return the API key of a link. The link cannot be used again."""
    _, key = create_secret(credentials.API_KEY, row.prefix)
    row.hash, row.link_until = credentials.hash_key(key), None
    return key


def create_secret(begins: str, prefix: str | None = None) -> tuple[str, str]:
    """Create a random secret with a lookup prefix; return the prefix and the secret."""
    prefix = prefix or secrets.token_hex(PREFIX_BYTES)
    return prefix, f"{begins}_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"


def revoke_key(session: Session, prefix: str, now: datetime) -> None:
    """Revoke an API key with immediate effect, or raise NotFound (404)."""
    key = session.get(ApiKey, prefix)
    if key is None:
        raise NotFound("There is no API key with this prefix.")
    key.revoked_at = key.revoked_at or now


def disable_account(session: Session, account_id: UUID, now: datetime) -> None:
    """Disable an account, so that its keys stop working, or raise NotFound (404)."""
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound("There is no such account.")
    account.disabled_at = account.disabled_at or now
