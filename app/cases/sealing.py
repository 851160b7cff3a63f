"""The only function that seals a document: it pads, counts and encrypts."""

from app.cases import queries
from app.cases.models import Sealed
from app.cases.padding import pad
from app.cases.quotas import use_volume_quota
from app.cases.sections import kind_of
from app.kernel.work import Writing


def seal_padded(work: Writing, paper: Sealed, plain: bytes) -> None:
    """Seal JSON in a row, padded so that its length does not reveal its content.

    Raises DailyVolumeUsed (429).
    """
    key = queries.data_key(work, paper.case_id)
    paper.key_version = key.version
    kind = kind_of(paper.kind)
    padded = pad(kind, plain.rstrip())
    use_volume_quota(work, paper.case_id, kind, len(padded))
    paper.replace_document(work.vault.seal(key, queries.place_of(paper), padded))
