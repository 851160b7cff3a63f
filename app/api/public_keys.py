"""Routes for public keys of machines. Two people register a key; one can revoke it."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Path, Response

from app.access import machine_keys
from app.access.jwks import KID
from app.access.models import PublicKey
from app.access.schemas import PublicKeyInput, PublicKeyList, PublicKeyOut
from app.administration import account_changes, public_key_changes
from app.administration.public_key_changes import NotAMachine, PublicKeyKnown
from app.api.accounts import GRANTING, READ, REVOKE
from app.api.approvals import ASKED
from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    ApprovalId,
    IfNoneMatch,
    Once,
    ReadAccounts,
    WriteAccounts,
)
from app.api.http.problems import Answers, list_problems
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import Headers, View
from app.kernel.idempotency import IdempotencyKeyMissing
from app.kernel.transactions import ReadTransaction

router = ResourceRouter("accounts", "/accounts/{account_id}/public-keys")
Kid = Annotated[str, Path(pattern=KID, description="The thumbprint of a public key.")]
REGISTER: Final[Answers] = {
    201: {
        "model": PublicKeyOut,
        "description": "The key is registered. Its signatures are accepted.",
    },
    **ASKED,
    **list_problems(*GRANTING, IdempotencyKeyMissing, NotAMachine, PublicKeyKnown),
}


def show_key(_: ReadTransaction, key: PublicKey, status: int, headers: Headers) -> Response:
    """Return the response that shows a public key as it is now."""
    return render(PublicKeyOut.from_key(key), status=status, headers=headers)


def find_key(tx: ReadTransaction, key_id: UUID) -> PublicKey:
    """Return a public key for a retried request.

    Raises NotFound (404) or RoleMissing (403) if the caller may not see its account.
    """
    key = machine_keys.get_public_key(tx, key_id)
    account_changes.find(tx, key.account_id)
    return key


PUBLIC_KEY: Final = View(find_key, show_key)


@router.get("", response_model=PublicKeyList, responses=READ)
def list_public_keys(
    begin: ReadAccounts, account_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """List the public keys of an account, including expired and revoked keys."""
    with begin() as tx:
        account = account_changes.find(tx, account_id)
        keys = machine_keys.list_public_keys(tx, account.id)
        items = [PublicKeyOut.from_key(key) for key in keys]
        return render(PublicKeyList(items=items), if_none_match=if_none_match)


@router.post("", response_model=PublicKeyOut, responses=REGISTER)
def register_public_key(
    begin: WriteAccounts,
    account_id: UUID,
    key: Once,
    new: PublicKeyInput,
    approval: ApprovalId = None,
) -> Response:
    """Register a public key for the account of a machine. A second person must approve it.

    The account must be of kind `integration`, and not your own. Send only the public key:
    P-384, RSA of 3072 to 4096 bits, or Ed25519. The second person compares `kid` with the
    value that the operators of the machine give. To replace a key, register the new key,
    and revoke the old key when the machine no longer signs with it.
    """
    return PUBLIC_KEY.create_once(
        begin,
        key,
        lambda tx: public_key_changes.register_public_key(tx, account_id, new, approval),
    )


@router.serve_action("/{kid}/revoke", PublicKeyOut, *REVOKE)
def revoke_public_key(
    begin: WriteAccounts, account_id: UUID, kid: Kid, key: Once
) -> Response:
    """Revoke a public key and its tokens with immediate effect, without a second person."""
    return PUBLIC_KEY.run_once(
        begin, key, lambda tx: public_key_changes.revoke_public_key(tx, account_id, kid)
    )
