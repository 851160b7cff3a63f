"""Request and response bodies for passkeys, in the JSON form of WebAuthn Level 3."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from app.access.models import Passkey
from app.access.passkey_challenges import LIFETIME
from app.access.passkeys import ALGORITHMS, RelyingParty
from app.kernel.text import RequestModel, ResponseModel, SafeLine, encode_base64url

SERVICE_NAME: Final = "Safe Conduct"
MILLISECONDS: Final = int(LIFETIME.total_seconds()) * 1000
PASSKEY_LABEL: Final = "A name of the device, such as `work telephone`, never of a person."
SignInResponse = Annotated[
    dict[str, Any],
    Field(description="What `navigator.credentials.get()` returned, as its `toJSON()`."),
]
NewCredentialJson = Annotated[
    dict[str, Any],
    Field(description="What `navigator.credentials.create()` returned, as its `toJSON()`."),
]
PasskeyLabel = Annotated[SafeLine, Field(description=PASSKEY_LABEL)]
Timeout = Annotated[
    int, Field(description="Milliseconds for which the challenge is valid.")
]
Challenge = Annotated[str, Field(description="What the passkey signs, in base64url.")]


class WebAuthnModel(ResponseModel):
    """The base class of WebAuthn options, whose members are written in camelCase."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True
    )


class RelyingPartyOut(WebAuthnModel):
    """The service, as the authenticator shows it."""

    id: Annotated[str, Field(description="The domain to which the passkey is bound.")]
    name: Annotated[str, Field(description="The name of the service.")]


class PasskeyUser(WebAuthnModel):
    """The person, as the authenticator shows them."""

    id: Annotated[str, Field(description="The id of the person, in base64url.")]
    name: Annotated[str, Field(description="The office and the label of the account.")]
    display_name: Annotated[str, Field(description="The same as `name`.")]


class PasskeyAlgorithm(WebAuthnModel):
    """An accepted signature algorithm."""

    type: Annotated[str, Field(description="Always `public-key`.")]
    alg: Annotated[int, Field(description="The number of the algorithm in COSE.")]


class PasskeyDescriptor(WebAuthnModel):
    """A passkey that the person has already."""

    type: Annotated[str, Field(description="Always `public-key`.")]
    id: Annotated[str, Field(description="The id of the credential, in base64url.")]


class AuthenticatorSelection(WebAuthnModel):
    """The requirements for the authenticator."""

    resident_key: Annotated[str, Field(description="Always `required`.")]
    require_resident_key: Annotated[bool, Field(description="Always true.")]
    user_verification: Annotated[str, Field(description="Always `required`.")]


class PasskeyRequestOptions(WebAuthnModel):
    """The options for a sign-in. Pass them to `parseRequestOptionsFromJSON()`."""

    challenge: Challenge
    timeout: Timeout
    rp_id: Annotated[str, Field(description="The domain to which the passkey is bound.")]
    user_verification: Annotated[str, Field(description="Always `required`.")]


class PasskeyCreationOptions(WebAuthnModel):
    """The options for a new passkey. Pass them to `parseCreationOptionsFromJSON()`."""

    rp: Annotated[RelyingPartyOut, Field(description="The service.")]
    user: Annotated[PasskeyUser, Field(description="The person.")]
    challenge: Challenge
    pub_key_cred_params: Annotated[
        list[PasskeyAlgorithm], Field(description="Accepted algorithms, the best first.")
    ]
    timeout: Timeout
    exclude_credentials: Annotated[
        list[PasskeyDescriptor], Field(description="The passkeys that the person has.")
    ]
    authenticator_selection: AuthenticatorSelection
    attestation: Annotated[str, Field(description="Always `none`.")]


class PasskeySignInInput(RequestModel):
    """The response of a passkey to a challenge."""

    credential: SignInResponse
    account: Annotated[
        UUID | None,
        Field(
            description="The account to act as, if the person has several. Default: the "
            "account of the session in `replaces`, or the account that was opened first."
        ),
    ] = None
    replaces: Annotated[
        UUID | None,
        Field(description="A session of the same person, which ends at the same time."),
    ] = None


class PasskeyInput(RequestModel):
    """A new passkey."""

    credential: NewCredentialJson
    label: PasskeyLabel


class PasskeyRemoval(RequestModel):
    """The removal of a passkey."""

    even_last: Annotated[
        bool,
        Field(
            strict=True,
            description="Whether to remove your last passkey, too. Two people then have to "
            "enrol you before you can sign in with a passkey again.",
        ),
    ] = False


class PasskeyOut(ResponseModel):
    """A passkey of a person. The service has only its public key."""

    id: UUID
    label: Annotated[str, Field(description=PASSKEY_LABEL)]
    created_at: datetime
    last_used_at: Annotated[
        datetime | None, Field(description="The last sign-in; null before the first.")
    ]
    removed_at: Annotated[
        datetime | None, Field(description="Null while the passkey can be used.")
    ]


class PasskeyList(ResponseModel):
    """Your passkeys, oldest first, without removed ones."""

    items: list[PasskeyOut]


def build_request_options(party: RelyingParty, challenge: bytes) -> PasskeyRequestOptions:
    """Return the options for a sign-in, which do not depend on the person.

    They list no credentials, so that they do not reveal which people have passkeys.
    """
    return PasskeyRequestOptions(
        challenge=encode_base64url(challenge),
        timeout=MILLISECONDS,
        rp_id=party.id,
        user_verification="required",
    )


def build_creation_options(
    party: RelyingParty,
    challenge: bytes,
    *,
    person_id: UUID,
    name: str,
    known: Iterable[Passkey] = (),
) -> PasskeyCreationOptions:
    """Return the options for a new passkey of a person who has the `known` passkeys."""
    kind = "public-key"
    return PasskeyCreationOptions(
        rp=RelyingPartyOut(id=party.id, name=SERVICE_NAME),
        user=PasskeyUser(
            id=encode_base64url(person_id.bytes), name=name, display_name=name
        ),
        challenge=encode_base64url(challenge),
        pub_key_cred_params=[PasskeyAlgorithm(type=kind, alg=one) for one in ALGORITHMS],
        timeout=MILLISECONDS,
        exclude_credentials=[
            PasskeyDescriptor(type=kind, id=encode_base64url(one.credential_id))
            for one in known
        ],
        authenticator_selection=AuthenticatorSelection(
            resident_key="required",
            require_resident_key=True,
            user_verification="required",
        ),
        attestation="none",
    )
