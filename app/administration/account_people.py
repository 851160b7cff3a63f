"""The persons to whom accounts belong, when an account is opened or gets roles (ADR 66)."""

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
    """Require that a new account may belong to the person that a request names, if any.

    Raises PersonUnknown (422), AboutYourself (409) or RolesIncompatible (409).
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
    """Raise PersonUnknown (422) unless the caller may see an account of the person."""
    for office in people.list_offices(tx, person_id):
        if account_permissions.may_see_accounts(tx.actor, office):
            return
    raise PersonUnknown("Send the `person` of an account that you may read.")


def require_fitting_person(
    tx: WriteTransaction, person_id: UUID | None, roles: frozenset[Role]
) -> None:
    """Raise RolesIncompatible (409) if a person cannot have these roles in addition.

    An administrator has no other role, not even in another account. The person is locked,
    so that two requests at the same time cannot give them roles that exclude each other.
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
