"""Checks on the person of a new account, or of an account that gets roles (ADR 66)."""

from uuid import UUID

from app.access import people
from app.access.actions import RolesIncompatible, require_compatible_roles
from app.access.schemas import AccountInput
from app.administration import account_permissions
from app.kernel.actors import AccountKind, Role
from app.kernel.problems import Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction


class AboutYourself(Problem):
    """You cannot give an account of your own a role or a key."""

    status = 409


class PersonUnknown(Problem):
    """The request names a person that does not exist, or that you may not see."""

    status = 422


def require_person(tx: WriteTransaction, new: AccountInput, roles: frozenset[Role]) -> None:
    """Require that a new account may belong to the person in the request, if any.

    Raises PersonUnknown (422) if the caller may see no enabled account of the person,
    AboutYourself (409) if the person is the caller, and RolesIncompatible (409) if the
    account is for a machine or its roles conflict with other roles of the person.
    """
    if new.person is None:
        return
    require_known_person(tx, new.person)
    if new.kind != AccountKind.PERSON:
        raise RolesIncompatible("The account of a machine belongs to no person.")
    if new.person == tx.actor.person_id:
        raise AboutYourself("Two other people have to do this.")
    require_fitting_person(tx, new.person, roles)


def require_known_person(tx: ReadTransaction, person_id: UUID) -> None:
    """Raise PersonUnknown (422) if the caller can see no enabled account of the person."""
    for office in people.list_offices(tx, person_id):
        if account_permissions.may_see_accounts(tx.actor, office):
            return
    raise PersonUnknown("Send the `person` of an account that you may read.")


def require_fitting_person(
    tx: WriteTransaction, person_id: UUID | None, roles: frozenset[Role]
) -> None:
    """Raise RolesIncompatible (409) if a person cannot have these roles in addition.

    An administrator has no other role, not even in another account. The person is locked,
    so that two simultaneous requests cannot grant roles that exclude each other.
    """
    if person_id is None:
        return
    has = people.lock_roles(tx, person_id)
    try:
        require_compatible_roles(roles | has)
    except RolesIncompatible as error:
        raise RolesIncompatible(
            "The person has an account with a role that excludes this one. An "
            "administrator has no other role, not even in another account."
        ) from error
