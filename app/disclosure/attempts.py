"""Functions that check whether a caller may access a document, and log each access."""

from app.cases import queries as case_queries
from app.cases.models import Case, Sealed
from app.cases.records import EmergencyAccess
from app.cases.sections import EmergencyAccessPurpose
from app.disclosure import queries as disclosure_queries
from app.disclosure.access_log import AccessAttempt, record_access, require_below_cap
from app.disclosure.policy import Deed, Subject, is_allowed
from app.disclosure.refused_openings import count_refusal
from app.kernel.transactions import Recorded, WriteTransaction
from app.referrals.models import Referral


def may_access(
    tx: WriteTransaction,
    record: Case | Referral,
    subject: Subject,
    deed: Deed,
    document: Sealed | None,
) -> bool:
    """Return whether the caller may open or write a document without emergency access."""
    requests = disclosure_queries.list_requests(tx, record, subject, deed, document)
    return any(map(is_allowed, requests))


def log_access(  # noqa: PLR0913 - each is a part of the opening
    tx: WriteTransaction,
    record: Recorded,
    subject: Subject,
    purpose: EmergencyAccessPurpose,
    *,
    allowed: bool,
    missing: bool = False,
    counted: bool = True,
    under: EmergencyAccess | None = None,
) -> None:
    """Add an opening or a refusal to the access log, after a check of the limits.

    If only an emergency access allows the opening, `under` is that access. A missing
    document is logged as refused. A refusal counts towards the limit if `counted` is true
    and `allowed` is not. Raises DailyCapReached or TooManyRefusedOpenings (429), and
    NotFound (404) if the data key of the case was destroyed meanwhile.
    """
    look = AccessAttempt(
        case_id=record.case_id,
        record_id=record.id,
        subject=subject,
        purpose=purpose,
        under=under.id if under else None,
    )
    if shown := allowed and not missing:
        require_below_cap(tx, look)
        case_queries.get_data_key(tx, record.case_id, anew=True)
    elif counted and not allowed:
        count_refusal(tx)
    record_access(tx, look, allowed=shown)
