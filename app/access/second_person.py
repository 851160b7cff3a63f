"""Rules for who may decide about an approval as the second person (R14).

The rules compare persons, because one person can have several accounts (ADR 66).
"""

from uuid import UUID

from app.access import people
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

    The caller may not decide about their own request, accounts or focal point. The same
    applies if an account of the caller was shown or registered a key of an account of the
    person who asked, or the other way round, because one person could then act as both.
    """
    asker, own = approval.asked_by, tx.actor.account_id
    if asker == own or tx.actor.kind != AccountKind.PERSON:
        raise NotASecondPerson("Another person of your office has to decide.")
    if is_about_caller(tx, approval) or access_queries.may_be_same_person(tx, asker):
        raise NotASecondPerson(
            "The account that asked is yours, or the approval is about you, or you made or "
            "registered a key of the account that asked, or that account made or "
            "registered a key of yours. Another person has to decide."
        )
    if not set(approval.roles) & tx.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(approval.roles)}.")
    office = directory_queries.by_id(tx, tx.actor.focal_point_id).code
    if approval.subject == f"focal-points/{office}":
        raise NotASecondPerson("Another office has to decide about your office.")


def is_about_caller(tx: ReadTransaction, approval: Approval) -> bool:
    """Return whether an approval is about an account of the caller, or a new one."""
    own = {f"accounts/{account}" for account in people.list_own_accounts(tx)}
    opens_for = approval.facts.get("person")
    return approval.subject in own or opens_for == str(tx.actor.person_id)


def require_other_person(tx: ReadTransaction, *accounts: UUID | None) -> None:
    """Raise NotASecondPerson (409) if the caller may be the person of one of the accounts.

    The same applies to a machine, which is never a second person.
    """
    same = any(one and access_queries.may_be_same_person(tx, one) for one in accounts)
    if same or tx.actor.kind != AccountKind.PERSON:
        raise NotASecondPerson("A person who had no part in this has to decide.")


def may_decide(tx: ReadTransaction, approval: Approval) -> bool:
    """Return whether the caller may decide about an approval as the second person."""
    try:
        require_second_person(tx, approval)
    except (NotASecondPerson, RoleMissing):
        return False
    return True
