"""Requests that wait for a second person, stored sealed until the approval ends (ADR 61).

Each is bound to its approval, the action, the subject and the account that asked. A request
about a case is sealed with the data key of the case, so it is erased with the case.
"""

from typing import Any

from pydantic import BaseModel

from app.access.models import Approval
from app.kernel.padding import compute_stepped_length
from app.kernel.vault import Place, SealedDocument, Unopenable, Vault, WrappedKey

type Values = dict[str, Any]


class KeptRequest(BaseModel):
    """A request as it was sent, and the part of it that the second person sees.

    `body` is None if only the account that asked may carry out the action, because the
    response contains a secret. `before` and `after` are the values that the action changes.
    `sealed` names the fields with free text, whose content is not shown.
    """

    body: Values | None
    if_match: str | None = None
    if_none_match: str | None = None
    before: Values | None = None
    after: Values
    sealed: list[str] = []

    def is_same(self, other: "KeptRequest") -> bool:
        """Return whether two requests with the same values also expect the same version."""
        return (self.if_match, self.if_none_match) == (other.if_match, other.if_none_match)


def seal_request(
    vault: Vault, approval: Approval, request: KeptRequest, key: WrappedKey | None
) -> None:
    """Seal a request in its approval, with the data key of its case if there is a case."""
    plain = request.model_dump_json().encode()
    padded = plain.ljust(compute_stepped_length(len(plain)))
    if key is None:
        version, document = vault.seal_alone(padded, *list_bound_values(approval))
    else:
        version = key.version
        document = vault.seal(key, build_place(approval, version), padded)
    approval.request_key_version = version
    approval.sealed_request, approval.request_key = document


def open_request(
    vault: Vault, approval: Approval, key: WrappedKey | None
) -> KeptRequest | None:
    """Return the request of an approval, or None if it is not kept or cannot be opened.

    If the result is None, the second person can approve but not confirm, and the account
    that asked then has to repeat the request.
    """
    sealed, wrapped = approval.sealed_request, approval.request_key
    version = approval.request_key_version
    if sealed is None or wrapped is None or version is None:
        return None
    try:
        if approval.case_id is None:
            document = SealedDocument(sealed, wrapped)
            plain = vault.open_alone(version, document, *list_bound_values(approval))
        elif key is not None:
            plain = vault.open(key, build_place(approval, version), sealed, wrapped)
        else:
            return None
    except Unopenable:
        return None
    return KeptRequest.model_validate_json(plain)


def list_bound_values(approval: Approval) -> tuple[str, ...]:
    """Return the values of an approval to which its sealed request is bound."""
    table, asker = Approval.__tablename__, str(approval.asked_by)
    return (table, str(approval.id), approval.action, approval.subject, asker)


def build_place(approval: Approval, key_version: str) -> Place:
    """Return the `Place` to which a sealed request about a case is bound."""
    return Place(
        table=Approval.__tablename__,
        row=approval.id,
        case=approval.case_id or approval.id,
        section=" ".join(list_bound_values(approval)[2:]),
        key_version=key_version,
    )
