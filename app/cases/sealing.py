"""The only function that seals a document: it pads, counts and encrypts."""

from app.cases import queries
from app.cases.models import Sealed
from app.cases.padding import pad
from app.cases.quotas import count_volume
from app.cases.sections import get_kind
from app.kernel.work import Writing


def seal_padded(work: Writing, paper: Sealed, plain: bytes) -> None:
    """Seal JSON in a row, padded to hide its length; raises DailyVolumeUsed (429)."""
    key = queries.data_key(work, paper.case_id)
    paper.key_version = key.version
    kind = get_kind(paper.kind)
    padded = pad(kind, plain.rstrip())
    count_volume(work, paper.case_id, kind, len(padded))
    paper.replace_document(work.vault.seal(key, queries.place_of(paper), padded))
