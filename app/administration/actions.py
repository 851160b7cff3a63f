"""Changes of the directory over HTTP, by one administrator or with a second person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from app.access import actions as decisions
from app.access import queries as access
from app.access.actions import Asking
from app.access.models import Approval
from app.administration import dangers, loading, queries
from app.administration.cells import judged
from app.administration.queries import Entry
from app.administration.schemas import AgreementOut, ContactOut
from app.administration.soundness import harm
from app.administration.turns import Turn
from app.deadlines.limits import ClockKind
from app.deadlines.queries import until
from app.deadlines.rows import TimeLimitRow
from app.deadlines.schemas import TimeLimitOut
from app.directory import actions as directory
from app.directory.actions import ONE_AT_A_TIME, Register, store
from app.directory.changes import PRIVATE, Clerk
from app.directory.queries import FocalPointUnknown
from app.directory.rows import AgreementRow, ContactRow, CountryRow, FocalPointRow, Row
from app.directory.schemas import CountryOut, FocalPointOut
from app.kernel.actors import Role
from app.kernel.db import hold
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import Problem
from app.kernel.text import Shown
from app.kernel.versions import Expected, entity_tag
from app.kernel.work import Writing

DECIDERS: Final = frozenset({Role.ADMINISTRATOR})


class DirectoryUnsound(Problem):
    """The change would leave a region without a desk, or all of them without oversight."""

    status = 409


class CountryUnknown(Problem):
    """The directory does not hold a country that the request names."""

    status = 422


class AgreementUnknown(Problem):
    """The directory does not hold an agreement that the request names."""

    status = 422


@dataclass(frozen=True)
class Shelf:
    """One table of the directory: its validation, its output, and its guarded columns.

    `dangers` returns the columns of a change for which a second person is needed.
    """

    register: Register
    row: type[Row]
    shown: type[Shown]
    dangers: Callable[[Turn], frozenset[str]]


COUNTRIES: Final = Shelf(directory.COUNTRIES, CountryRow, CountryOut, dangers.of_country)
FOCAL_POINTS: Final = Shelf(
    directory.FOCAL_POINTS, FocalPointRow, FocalPointOut, dangers.of_focal_point
)
AGREEMENTS: Final = Shelf(
    directory.AGREEMENTS, AgreementRow, AgreementOut, dangers.of_agreement
)
TIME_LIMITS: Final = Shelf(
    loading.TIME_LIMITS, TimeLimitRow, TimeLimitOut, dangers.of_time_limit
)

CONTACTS: Final = Shelf(directory.CONTACTS, ContactRow, ContactOut, dangers.of_contact)


@dataclass(frozen=True)
class Wish:
    """A request to write one row: its key, content, expected version and approval."""

    key: str
    said: BaseModel
    expected: Expected
    approval: UUID | None


@dataclass(frozen=True)
class Written:
    """A row after the change, and whether it was created."""

    entry: Entry
    created: bool


def put(work: Writing, shelf: Shelf, wish: Wish) -> Written | Approval:
    """Write a row, or request the approval of a second person.

    A request without a difference changes nothing. Raises, in this order: RoleMissing
    (403), pydantic's ValidationError (422), NotFound (404), VersionNotGiven (428) or
    VersionStale (412), CountryUnknown, AgreementUnknown or FocalPointUnknown (422),
    DirectoryUnsound (409), ApprovalUnusable (409).
    """
    if Role.ADMINISTRATOR not in work.actor.roles:
        raise RoleMissing("This needs the role administrator.")
    hold(work.session, ONE_AT_A_TIME)
    entry = queries.lock(work, shelf.register, wish.key)
    before = queries.values(entry) if entry else None
    row = judged(shelf.row, {**(before or {}), **wish.said.model_dump()})
    wish.expected.must_be(tag_of(shelf, entry))
    require_known_references(work, row)
    turn = Turn(before, row.model_dump(exclude=set(PRIVATE)))
    if entry and not turn.changed:
        return Written(entry, created=False)
    require_soundness(work, shelf, turn)
    return write_or_ask(work, shelf, wish, turn)


def tag_of(shelf: Shelf, entry: Entry | None) -> str | None:
    """Return the entity tag of a row, as a read returns it; None if there is no row."""
    if entry is None:
        return None
    shown = shelf.shown.model_validate(entry).model_dump_json()
    return entity_tag(0, shown.encode())


def require_known_references(work: Writing, row: Row) -> None:
    """Check that the directory has the codes that a row refers to.

    Raises CountryUnknown, AgreementUnknown or FocalPointUnknown (422).
    """
    known = queries.get_regions(work)
    unknown = {column for column, iso2 in row.countries_named() if iso2 not in known}
    if unknown:
        raise CountryUnknown(f"{', '.join(unknown)}: use codes of GET /v1/countries.")
    agreed = {agreement.code for agreement in queries.agreements(work)}
    unknown = {column for column, code in row.agreements_named() if code not in agreed}
    if unknown:
        raise AgreementUnknown(f"{', '.join(unknown)}: use codes of GET /v1/agreements.")
    named = {code: column for column, code in row.offices_named()}
    offices = {office["code"] for office in queries.list_offices(work)} if named else set()
    if unknown := {column for code, column in named.items() if code not in offices}:
        raise FocalPointUnknown(f"{', '.join(unknown)}: use codes of GET /v1/focal-points.")


def require_soundness(work: Writing, shelf: Shelf, turn: Turn) -> None:
    """Raise DirectoryUnsound (409) if a region would lose its desk, or all their oversight.

    An approval does not change this: cases would have no office, or access no review.
    """
    if shelf is not FOCAL_POINTS:
        return
    before = queries.list_offices(work)
    others = [office for office in before if office["code"] != turn.after["code"]]
    if lost := harm(queries.get_regions(work), before, [*others, turn.after]):
        raise DirectoryUnsound(lost)


def write_or_ask(work: Writing, shelf: Shelf, wish: Wish, turn: Turn) -> Written | Approval:
    """Write the row if one person may or an approval is given; else ask a second person."""
    subject = shelf.register.subject_of(turn.after)
    fingerprint = compute_fingerprint(work, subject, turn)
    if wish.approval is None and shelf.dangers(turn):
        return ask_administrator(work, subject, fingerprint, turn)
    second = None
    if wish.approval is not None:
        second = decisions.spend(work, wish.approval, fingerprint).decided_by
    account = work.actor.account_id
    clerk = Clerk(work.session, work.new_id, work.now, account, approved_by=second)
    store(clerk, shelf.register, [turn.after])
    entry = queries.get(work, shelf.register, wish.key)
    return Written(entry, created=turn.before is None)


def compute_fingerprint(work: Writing, subject: str, turn: Turn) -> str:
    """Return the fingerprint of a request: its account, its row, and the exact change."""
    parts = ("directory", str(work.actor.account_id), subject, turn.spelled())
    return work.vault.fingerprint(*(part.encode() for part in parts))


def ask_administrator(
    work: Writing, subject: str, fingerprint: str, turn: Turn
) -> Approval:
    """Request the approval of another administrator; return the pending one if there is."""
    if pending := access.pending_like(work, fingerprint):
        return pending
    request = Asking(
        action="directory.change",
        subject=subject,
        fingerprint=fingerprint,
        facts=turn.told(),
        roles=DECIDERS,
        lapses_at=until(work, ClockKind.APPROVE, None, waits_on=None),
    )
    return decisions.ask(work, request)
