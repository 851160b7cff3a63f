"""Consent forms: the consents that one request recorded, one for each recipient.

A form is not stored. The ids of its consents are derived from the id of the first consent
with a secret key. A retry can therefore find them, but a reader of one consent cannot.
"""

from dataclasses import dataclass
from uuid import UUID

from app.consents import queries as consent_queries
from app.consents.models import Consent
from app.consents.schemas import MAX_RECIPIENTS
from app.kernel.transactions import ReadTransaction


@dataclass(frozen=True)
class ConsentForm:
    """The consents of one form, in the order in which the form names the recipients."""

    consents: list[Consent]

    @property
    def id(self) -> UUID:
        """The id of the first consent, by which a retry finds the form."""
        return self.consents[0].id


def derive_consent_id(tx: ReadTransaction, first: UUID, position: int) -> UUID:
    """Return the id of a new consent at a position of a form; the first has position 0."""
    return list_consent_ids(tx, first, position)[0]


def list_consent_ids(tx: ReadTransaction, first: UUID, position: int) -> list[UUID]:
    """List the ids that the consent at a position of a form can have, one for each key.

    The ids look random (version 4). An office that sees one consent must not learn whether
    the same form named other recipients.
    """
    if position == 0:
        return [first]
    digests = tx.vault.list_fingerprints(b"consent", first.bytes, bytes([position]))
    return [UUID(hex=digest[:32], version=4) for digest in digests]


def get_form(tx: ReadTransaction, case_id: UUID, first: UUID) -> ConsentForm:
    """Return the consents of a form of this case, or raise NotFound (404)."""
    start = consent_queries.get(tx, case_id, first)
    by_id = {one.id: one for one in consent_queries.list_for_case(tx, case_id)}
    places = range(1, MAX_RECIPIENTS)
    ids = [one for place in places for one in list_consent_ids(tx, first, place)]
    return ConsentForm([start, *(by_id[one] for one in ids if one in by_id)])
