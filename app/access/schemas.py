"""Request and response bodies for accounts, API keys, public keys and tokens."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field, StrictInt

from app.access.jwks import PublicJwk
from app.access.models import Account, ApiKey, PublicKey
from app.kernel.actors import AccountKind, Role, Scope
from app.kernel.text import WHOLE_NUMBER, Code, RequestModel, ResponseModel, SafeLine

KEY_LINK_PATTERN: Final = r"^sck_[0-9a-f]{10}_[A-Za-z0-9_-]{43}$"
LABEL: Final = "A staff number or a duty post, never a name."
Roles = Annotated[list[Role], Field(min_length=1, max_length=len(Role))]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
Days = Annotated[
    StrictInt, Field(ge=1, le=365, description="Validity in days."), WHOLE_NUMBER
]


class AccountInput(RequestModel):
    """An account to create at a focal point."""

    focal_point: Code
    label: Annotated[SafeLine, Field(description=LABEL)]
    kind: AccountKind = AccountKind.PERSON
    roles: Roles
    person: Annotated[
        UUID | None,
        Field(
            description="The person to whom the account belongs, if that person has an "
            "account already: see `person` of that account. Leave it out for a new person."
        ),
    ] = None


class SomeRoles(RequestModel):
    """Roles to grant or to revoke."""

    roles: Roles


class KeyInput(RequestModel):
    """The scopes and the validity of a new API key."""

    scopes: Scopes
    days: Days = 90


class Rotation(RequestModel):
    """The rotation of an API key: a new key with the same scopes replaces the old key."""

    days: Days = 90
    overlap_hours: Annotated[
        StrictInt,
        Field(ge=0, le=168, description="Hours for which the old key stays valid."),
        WHOLE_NUMBER,
    ] = 24


class AccountOut(ResponseModel):
    """An account of a person or a machine at a focal point."""

    id: UUID
    focal_point: str
    label: Annotated[str, Field(description=LABEL)]
    kind: AccountKind
    roles: list[Role]
    opened_at: datetime
    disabled_at: Annotated[datetime | None, Field(description="Null while enabled.")]
    person: Annotated[
        UUID | None,
        Field(
            description="The person to whom the account belongs; null for a machine. "
            "Accounts of one person cannot approve each other's requests."
        ),
    ]

    @classmethod
    def from_account(cls, account: Account, focal_point: str) -> "AccountOut":
        """Return the response for an account and the code of its focal point."""
        return cls(
            id=account.id,
            focal_point=focal_point,
            label=account.label,
            kind=account.kind,
            roles=[Role(name) for name in account.roles],
            opened_at=account.opened_at,
            disabled_at=account.disabled_at,
            person=account.person_id,
        )


class LoweredAccountOut(AccountOut):
    """An account that was disabled or lost roles, and how many people can work on cases."""

    accounts_left: Annotated[
        int,
        Field(
            description="Number of people at the focal point who can still work on cases. "
            "If it is 0, act now: nobody can work on the cases of the focal point."
        ),
    ]


class AccountList(ResponseModel):
    """The accounts of one focal point, including disabled accounts, sorted by label."""

    items: list[AccountOut]


class KeyOut(ResponseModel):
    """An API key without the secret. Only a hash of the secret is stored."""

    prefix: Annotated[str, Field(description="The part between `sc_` and the next `_`.")]
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    shown_to: Annotated[
        UUID | None,
        Field(
            description="The account that the link of the key was shown to; null if an "
            "operator made the key."
        ),
    ]
    link_expires_at: Annotated[
        datetime | None,
        Field(
            description="Until when the holder can make the key with its link. Null if the "
            "key was made."
        ),
    ]

    @classmethod
    def from_key(cls, key: ApiKey) -> "KeyOut":
        """Return the response for an API key."""
        return cls(
            prefix=key.prefix,
            scopes=[Scope(name) for name in key.scopes],
            created_at=key.made_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            shown_to=key.made_by,
            link_expires_at=key.link_until,
        )


class KeyList(ResponseModel):
    """The API keys of one account, including expired and revoked keys, oldest first."""

    items: list[KeyOut]


class KeyLinkOut(KeyOut):
    """A new API key, with the link with which its holder makes it."""

    link: Annotated[
        str | None,
        Field(
            description="The link, which is shown only once: give it to the holder of the "
            "account. Null in the answer to a retry. If you lost it, revoke the key."
        ),
    ]

    @classmethod
    def from_new_key(cls, key: ApiKey, link: str | None) -> "KeyLinkOut":
        """Return the response for a new API key; `link` is None for a retry."""
        return cls(**vars(KeyOut.from_key(key)), link=link)


class KeyRedemption(RequestModel):
    """The link of an API key."""

    link: Annotated[
        str, Field(pattern=KEY_LINK_PATTERN, description="The link, which is used once.")
    ]


class MadeKeyOut(KeyOut):
    """An API key that its holder has made, with the secret."""

    key: Annotated[str, Field(description="The API key, which is shown only once.")]

    @classmethod
    def from_secret(cls, row: ApiKey, key: str) -> "MadeKeyOut":
        """Return the response for an API key and its secret."""
        return cls(**vars(KeyOut.from_key(row)), key=key)


class PublicKeyInput(RequestModel):
    """A public key to register for a machine, with its scopes and validity."""

    jwk: Annotated[PublicJwk, Field(description="The public key only (RFC 7517).")]
    scopes: Annotated[Scopes, Field(description="Scopes that tokens of the key may have.")]
    days: Days = 90


class PublicKeyOut(ResponseModel):
    """A public key of a machine."""

    kid: Annotated[str, Field(description="The thumbprint of the key (RFC 7638).")]
    alg: Annotated[str, Field(description="Signature algorithm.", examples=["ES384"])]
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    registered_by: Annotated[
        UUID | None, Field(description="The account that registered the key.")
    ]

    @classmethod
    def from_key(cls, key: PublicKey) -> "PublicKeyOut":
        """Return the response for a public key."""
        return cls(
            kid=key.kid,
            alg=key.alg,
            scopes=[Scope(name) for name in key.scopes],
            created_at=key.made_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            registered_by=key.made_by,
        )


class PublicKeyList(ResponseModel):
    """The public keys of one account, including expired and revoked keys, oldest first."""

    items: list[PublicKeyOut]


class TokenOut(ResponseModel):
    """An access token (RFC 6749, section 5.1)."""

    access_token: Annotated[str, Field(description="Send the token like an API key.")]
    token_type: Annotated[str, Field(examples=["Bearer"])]
    expires_in: Annotated[int, Field(description="Validity in seconds.")]
    scope: Annotated[str, Field(description="Scopes, separated by spaces.")]


class TokenRefused(ResponseModel):
    """The error of a token request (RFC 6749, section 5.2)."""

    error: Annotated[
        str,
        Field(
            description="The error code. New codes may be added.",
            json_schema_extra={
                "x-extensible-enum": [
                    "invalid_request",
                    "invalid_client",
                    "invalid_scope",
                    "unsupported_grant_type",
                ]
            },
        ),
    ]
    error_description: str
