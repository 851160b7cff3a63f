"""The tables whose rows give rights to accounts, and are protected by MACs (ADR 80).

Each row belongs to the group of an owner. The owner is an account, with its keys, sessions,
enrolments and requests for approval, or a person, with the passkeys and the ids of the
person's accounts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, override

from sqlalchemy import Table

from app.access.enrolment_models import Enrolment
from app.access.models import (
    Account,
    ApiKey,
    Approval,
    Passkey,
    Person,
    PublicKey,
    UserSession,
)
from app.kernel.db import Base
from app.kernel.mac_values import Values
from app.kernel.macs import KEPT_AFTER_END, compute_tag

type Owner = Account | Person
type Member = ApiKey | PublicKey | UserSession | Enrolment | Approval | Passkey


@dataclass(frozen=True)
class ProtectedTable:
    """A table whose rows are protected, with its protected columns.

    The first column is unique. `later` are columns that a later version added. Their values
    are protected unless they are null, so that digests of earlier rows stay valid.
    """

    model: type[Base]
    columns: tuple[str, ...]
    later: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def all_columns(self) -> tuple[str, ...]:
        """The names of all protected columns."""
        return (*self.columns, *self.later)

    @property
    def name(self) -> str:
        """The name under which the rows are protected."""
        return self.table.name

    @property
    def table(self) -> Table:
        """The SQLAlchemy table, with which rows are read without loading objects."""
        return Base.metadata.tables[self.model.__tablename__]

    def get_values(self, row: Mapping[str, Any]) -> Values:
        """Return the protected values of a row.

        Later columns are added as pairs of name and value, unless they are null.
        """
        added = [[name, row[name]] for name in self.later if row.get(name) is not None]
        return [*(row[column] for column in self.columns), *added]

    def read_record(self, record: Any) -> dict[str, Any]:
        """Return the protected columns of a loaded record, and their values."""
        return {name: getattr(record, name) for name in self.all_columns}


@dataclass(frozen=True)
class MemberTable(ProtectedTable):
    """A table whose rows belong to the group of an owner.

    `owner_id` is the column with the id of the owner. `ends` are the columns with the times
    at which a row ends. If `drops_ended`, the digest of an ended row is removed. If
    `has_row_security`, row-level security can hide rows of a group from a transaction.
    `label` replaces the name of a table that is protected in two ways.
    """

    owner: type[Owner]
    owner_id: str
    ends: tuple[str, ...] = ()
    drops_ended: bool = False
    has_row_security: bool = False
    label: str = ""

    @property
    @override
    def name(self) -> str:
        return self.label or self.table.name

    def get_tag(self, row: Mapping[str, Any]) -> bytes:
        """Return the tag by which the entry of a row is found in its group."""
        return compute_tag(self.name, row[self.columns[0]])

    def is_ended(self, row: Mapping[str, Any], now: datetime) -> bool:
        """Return whether a row has ended and therefore gives no right."""
        return any(row[end] is not None and row[end] <= now for end in self.ends)

    def compute_until(self, row: Mapping[str, Any]) -> datetime | None:
        """Return the time until which the digest of a row is kept, or None for no limit.

        Digests of keys and passkeys are not removed, because a clock that is ahead for a
        moment would make them invalid for good.
        """
        ends = [row[end] for end in self.ends if row[end] is not None]
        return min(ends) + KEPT_AFTER_END if ends and self.drops_ended else None


ACCOUNT: Final = ProtectedTable(
    Account,
    (
        *("id", "focal_point_id", "label", "kind", "roles"),
        *("opened_at", "disabled_at", "person_id"),
    ),
)
PERSON: Final = ProtectedTable(Person, ("id", "created_at"))
MEMBERSHIP: Final = MemberTable(
    Account, ("id", "person_id"), Person, "person_id", label="account of person"
)
"""The accounts of a person, as rows of the person's group."""
OWNERS: Final[Mapping[type[Owner], ProtectedTable]] = {
    Account: ACCOUNT,
    Person: PERSON,
}
"""The tables of the owners of groups, in the order in which their rows are locked."""
MEMBERS: Final = (
    MemberTable(
        ApiKey,
        (
            *("prefix", "account_id", "hash", "scopes"),
            *("made_at", "expires_at", "revoked_at", "made_by"),
        ),
        Account,
        "account_id",
        ("expires_at", "revoked_at"),
        later=("link_until",),
    ),
    MemberTable(
        PublicKey,
        (
            *("id", "account_id", "kid", "alg", "jwk", "scopes"),
            *("made_at", "expires_at", "revoked_at", "made_by"),
        ),
        Account,
        "account_id",
        ("expires_at", "revoked_at"),
    ),
    MemberTable(
        UserSession,
        (
            *("prefix", "id", "hash", "account_id", "person_id", "method", "api_key"),
            *("passkey_id", "authenticated_at", "seen_at", "expires_at", "ended_at"),
        ),
        Account,
        "account_id",
        ("expires_at", "ended_at"),
        drops_ended=True,
    ),
    MemberTable(
        Enrolment,
        (
            *("id", "account_id", "recovery", "link_prefix", "link_hash", "code_hash"),
            *("wrong_codes", "created_by", "created_at", "confirmed_by"),
            *("confirmed_at", "expires_at", "redeemed_at", "cancelled_at"),
        ),
        Account,
        "account_id",
        ("expires_at", "redeemed_at", "cancelled_at"),
        drops_ended=True,
    ),
    MemberTable(
        Approval,
        (
            *("id", "action", "case_id", "subject", "fingerprint", "facts", "decision"),
            *("focal_point_id", "roles", "asked_by", "asked_at", "lapses_at"),
            *("decided_by", "decided_at"),
        ),
        Account,
        "asked_by",
        ("lapses_at",),
        drops_ended=True,
        has_row_security=True,
    ),
    MemberTable(
        Passkey,
        (
            *("id", "person_id", "credential_id", "public_key", "sign_count"),
            *("label", "created_at", "last_used_at", "removed_at"),
        ),
        Person,
        "person_id",
        ("removed_at",),
    ),
)
"""The tables whose rows belong to an account or a person, apart from `MEMBERSHIP`."""
MEMBER_TABLES: Final = {one.model: one for one in MEMBERS}
PUBLIC_KEYS: Final = MEMBER_TABLES[PublicKey]
KEY_TABLES: Final = (MEMBER_TABLES[ApiKey], PUBLIC_KEYS)
ENROLMENTS: Final = MEMBER_TABLES[Enrolment]
PASSKEYS: Final = MEMBER_TABLES[Passkey]


def list_member_tables(owner: type[Owner]) -> list[MemberTable]:
    """List the tables whose rows belong to groups with this type of owner."""
    return [one for one in (*MEMBERS, MEMBERSHIP) if one.owner is owner]
