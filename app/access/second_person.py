"""Rules for which account may decide about an approval as the second person (R14)."""

from app.access import queries as access_queries
from app.access.models import Approval
from app.directory import queries as directory_queries
from app.kernel.actors import AccountKind
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import Problem
from app.kernel.transactions import ReadTransaction


class NotASecondPerson(Problem):
    """The account that asked cannot approve, and neither can a machine."""

    status = 409


def require_second_person(tx: ReadTransaction, approval: Approval) -> None:
    """Raise NotASecondPerson (409) or RoleMissing (403) unless the caller may decide (R14).

    The caller may not decide about their own request, account or focal point. The same
    applies if the caller's account was shown or registered a key of the account that asked,
    or the other way round, because one person could then act as both.
    """
    own, asker = tx.actor.account_id, approval.asked_by
    if asker == own or tx.actor.kind != AccountKind.PERSON:
        raise NotASecondPerson("Another person of your office has to decide.")
    is_about_own = approval.subject == f"accounts/{own}"
    if is_about_own or access_queries.has_shared_key(tx, own, asker):
        raise NotASecondPerson(
            "The approval is about you, or you made or registered a key of the account "
            "that asked, or that account made or registered a key of yours. Another "
            "person has to decide."
        )
    if not set(approval.roles) & tx.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(approval.roles)}.")
    office = directory_queries.by_id(tx, tx.actor.focal_point_id).code
    if approval.subject == f"focal-points/{office}":
        raise NotASecondPerson("Another office has to decide about your office.")


def may_decide(tx: ReadTransaction, approval: Approval) -> bool:
    """Return whether the caller may decide about an approval as the second person."""
    try:
        require_second_person(tx, approval)
    except (NotASecondPerson, RoleMissing):
        return False
    return True
