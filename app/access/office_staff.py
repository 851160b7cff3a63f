"""Queries for offices with too few accounts that can work on cases (ADR 50, R14)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from app.access import machine_keys, people
from app.access.models import Account, Passkey
from app.access.protected_tables import OWNERS
from app.access.row_verification import parse_owner
from app.directory.models import FocalPoint
from app.kernel.actors import CASE_ROLES, HOLDER_APPROVERS, AccountKind, Role
from app.kernel.macs import MACS, NotAuthentic
from app.kernel.recall import load_once
from app.kernel.transactions import ReadTransaction

UNATTENDED_AFTER: Final = timedelta(days=1)
"""How long an office may have no account that can work on cases before the office counts as
unattended (our proposal)."""


@dataclass(frozen=True)
class StaffMember:
    """An enabled account with a valid key or a passkey, so that its holder can sign in.

    `person` is the id of the person, or of the account if it belongs to a machine.
    """

    person: UUID
    kind: AccountKind
    roles: frozenset[Role]


def load_staff(session: Session, now: datetime) -> dict[UUID, list[StaffMember]]:
    """Return the enabled accounts of each office that have a valid key or a passkey.

    A link with which the holder has not made a key yet does not count (ADR 86).
    """
    columns = (Account.focal_point_id, people.get_person(), Account.kind, Account.roles)
    keys = (
        exists().where(
            kind.account_id == Account.id,
            machine_keys.is_usable_after(kind, now),
            machine_keys.is_redeemed(kind),
        )
        for kind in machine_keys.KEY_CLASSES
    )
    usable = (Passkey.person_id == Account.person_id) & Passkey.removed_at.is_(None)
    passkeys = exists().where(usable)
    enabled = select(*columns).where(Account.disabled_at.is_(None), or_(*keys, passkeys))
    found = dict[UUID, list[StaffMember]]()
    for office, person, kind, roles in session.execute(enabled):
        member = StaffMember(person, kind, frozenset(map(Role, roles)))
        found.setdefault(office, []).append(member)
    return found


def find_unattended(session: Session, since: datetime) -> frozenset[UUID]:
    """Return the offices in which no account has been able to work on cases since a time.

    Accounts of machines count. An office that never had an account is not included. The
    accounts are not verified.
    """
    accounts = select(Account.focal_point_id, Account.roles, Account.disabled_at)
    known, attended = set[UUID](), set[UUID]()
    for office, roles, disabled_at in session.execute(accounts):
        known.add(office)
        if was_able_to_work(since, roles, disabled_at):
            attended.add(office)
    return frozenset(known - attended)


def was_able_to_work(
    since: datetime, roles: Collection[str], disabled_at: datetime | None
) -> bool:
    """Return whether an account has been able to work on cases at or after a time."""
    was_enabled = disabled_at is None or disabled_at > since
    return was_enabled and not CASE_ROLES.isdisjoint(roles)


def find_without_second_person(session: Session) -> frozenset[UUID]:
    """Return the offices that can work on cases but have no second person to approve (R14).

    A machine can request an approval but is never the second person.
    """
    person = people.get_person()
    accounts = select(Account.focal_point_id, person, Account.kind, Account.roles)
    workers, confirming = dict[UUID, set[UUID]](), dict[UUID, set[UUID]]()
    enabled = session.execute(accounts.where(Account.disabled_at.is_(None)))
    for office, one, kind, roles in enabled:
        if not CASE_ROLES.isdisjoint(roles):
            workers.setdefault(office, set()).add(one)
        if kind == AccountKind.PERSON and not HOLDER_APPROVERS.isdisjoint(roles):
            confirming.setdefault(office, set()).add(one)
    return frozenset(
        office
        for office, asking in workers.items()
        if not any(asking - {second} for second in confirming.get(office, ()))
    )


@load_once(Account)
def find_unattended_offices(tx: ReadTransaction) -> frozenset[UUID]:
    """Return the offices in which no account has been able to work on cases for a day.

    The accounts are not verified. To decide about one office, use `is_unattended`.
    """
    return find_unattended(tx.session, tx.now - UNATTENDED_AFTER)


def is_unattended(tx: ReadTransaction, office_id: UUID) -> bool:
    """Return whether no account of an office has been able to work on cases for a day.

    The accounts of an office that looks unattended are verified.
    """
    return office_id in find_unattended_offices(tx) and is_verified_unattended(
        tx, office_id
    )


@load_once(Account)
def is_verified_unattended(tx: ReadTransaction, office_id: UUID) -> bool:
    """Return whether the verified accounts of an office show that it is unattended.

    If an account was altered outside the service, an alarm is logged and the result is
    False. Otherwise, such a change would take the cases of the office from it.
    """
    since, macs = tx.now - UNATTENDED_AFTER, tx.session.info[MACS]
    own = OWNERS[Account].table.c.focal_point_id == office_id
    rows = tx.session.connection().execute(select(OWNERS[Account].table).where(own))
    accounts = [dict(row) for row in rows.mappings()]
    try:
        for account in accounts:
            parse_owner(macs, Account, account)
    except NotAuthentic:
        return False
    return bool(accounts) and not any(
        was_able_to_work(since, account["roles"], account["disabled_at"])
        for account in accounts
    )


def is_closed_or_unattended(tx: ReadTransaction, office: FocalPoint) -> bool:
    """Return whether an office is closed or unattended, as `is_unattended` does."""
    return not office.active or is_unattended(tx, office.id)
