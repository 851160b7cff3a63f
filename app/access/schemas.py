"""Accounts and API keys as those who look after them send and read them."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field, StrictInt

from app.access.jwks import PublicJwk
from app.access.models import Account, ApiKey, PublicKey
from app.kernel.actors import AccountKind, Role, Scope
from app.kernel.paging import Page
from app.kernel.text import WHOLE, Asked, Code, SafeLine, Shown

LABEL: Final = "A staff number or a duty post, never a name."
Roles = Annotated[list[Role], Field(min_length=1, max_length=len(Role))]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
Days = Annotated[StrictInt, Field(ge=1, le=365, description="Until it expires."), WHOLE]


class NewAccount(Asked):
    """Somebody who is to act for a focal point."""

    focal_point: Code
    label: Annotated[SafeLine, Field(description=LABEL)]
    kind: AccountKind = AccountKind.PERSON
    roles: Roles


class SomeRoles(Asked):
    """Roles to give, or to take away."""

    roles: Roles


class NewKey(Asked):
    """What a new API key may be used for, and how long."""

    scopes: Scopes
    days: Days = 90


class Rotation(Asked):
    """A new key with the scopes of the one it follows, which ends after a while."""

    days: Days = 90
    overlap_hours: Annotated[
        StrictInt,
        Field(ge=0, le=168, description="How long the old one goes on; 0: not at all."),
        WHOLE,
    ] = 24


class AccountOut(Shown):
    """An account, as those who look after it see it."""

    id: UUID
    focal_point: str
    label: Annotated[str, Field(description=LABEL)]
    kind: AccountKind
    roles: list[Role]
    opened_at: datetime
    disabled_at: Annotated[datetime | None, Field(description="Null: it may act.")]

    @classmethod
    def of(cls, account: Account, focal_point: str) -> "AccountOut":
        """Show one; the outside world knows its focal point by its code."""
        return cls(
            id=account.id,
            focal_point=focal_point,
            label=account.label,
            kind=account.kind,
            roles=[Role(name) for name in account.roles],
            opened_at=account.opened_at,
            disabled_at=account.disabled_at,
        )


class LoweredAccountOut(AccountOut):
    """An account of which something was taken, and who is left at its focal point."""

    accounts_left: Annotated[
        int,
        Field(
            description="People of its focal point who can work on cases. At 0 somebody "
            "has to be found at once: what comes to it waits for nobody."
        ),
    ]


class AccountPage(Page[AccountOut]):
    """The accounts of one focal point, ended ones too, by label."""


class KeyOut(Shown):
    """An API key, but for the key itself, of which only a hash is kept."""

    prefix: Annotated[str, Field(description="What stands between `sc_` and the next `_`.")]
    scopes: list[Scope]
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    shown_to: Annotated[
        UUID | None,
        Field(description="The account it was shown to; null: an operator made it."),
    ]

    @classmethod
    def of(cls, key: ApiKey) -> "KeyOut":
        """Show one."""
        return cls.model_validate(describe_key(key))


class KeyPage(Page[KeyOut]):
    """The keys of one account, ended ones too, oldest first."""


class MadeKeyOut(KeyOut):
    """A key that was just made."""

    key: Annotated[
        str | None,
        Field(
            description="The API key, shown this once. Null to a retry: if you lost it, "
            "revoke it and make another."
        ),
    ]

    @classmethod
    def new(cls, key: ApiKey, secret: str | None) -> "MadeKeyOut":
        """Show one, with itself."""
        return cls.model_validate({**describe_key(key), "key": secret})


def describe_key(key: ApiKey) -> dict[str, object]:
    """Spell what is told of a key."""
    return {
        "prefix": key.prefix,
        "scopes": [Scope(name) for name in key.scopes],
        "made_at": key.made_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "shown_to": key.made_by,
    }


class NewPublicKey(Asked):
    """What a machine will sign with, what for, and how long."""

    jwk: Annotated[PublicJwk, Field(description="The public half alone (RFC 7517).")]
    scopes: Annotated[Scopes, Field(description="What its tokens may be good for.")]
    days: Days = 90


class PublicKeyOut(Shown):
    """What a machine signs with."""

    kid: Annotated[str, Field(description="Its thumbprint (RFC 7638): how it is called.")]
    alg: Annotated[str, Field(description="How it signs.", examples=["ES384"])]
    scopes: list[Scope]
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    registered_by: Annotated[UUID | None, Field(description="The account that did.")]

    @classmethod
    def of(cls, key: PublicKey) -> "PublicKeyOut":
        """Show one."""
        return cls(
            kid=key.kid,
            alg=key.alg,
            scopes=[Scope(name) for name in key.scopes],
            made_at=key.made_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            registered_by=key.made_by,
        )


class PublicKeyPage(Page[PublicKeyOut]):
    """The public keys of one account, ended ones too, oldest first."""


class TokenOut(Shown):
    """An access token (RFC 6749, section 5.1)."""

    access_token: Annotated[str, Field(description="To be sent as an API key is.")]
    token_type: Annotated[str, Field(examples=["Bearer"])]
    expires_in: Annotated[int, Field(description="Seconds that it is good for.")]
    scope: Annotated[str, Field(description="What for, with spaces between.")]


class TokenRefused(Shown):
    """Why there is no token (RFC 6749, section 5.2)."""

    error: Annotated[
        str,
        Field(
            description="The list will grow.",
            json_schema_extra={
                "x-extensible-enum": [
                    *("invalid_request", "invalid_client", "invalid_scope"),
                    "unsupported_grant_type",
                ]
            },
        ),
    ]
    error_description: str
