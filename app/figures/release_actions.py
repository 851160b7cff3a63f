"""The release of figures by two people of oversight (ADR 74)."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final
from uuid import UUID

from app.access import approvals as access_approvals
from app.access.approvals import ApprovalRequest
from app.access.kept_requests import KeptRequest
from app.access.models import Approval
from app.consents.noise import derive_unlimited_noise
from app.deadlines.limits import DeadlineKind
from app.deadlines.queries import compute_due_at
from app.figures import release_queries
from app.figures.catalogue import Cell, TableName
from app.figures.queries import SETTLING
from app.figures.release_models import FigureRelease
from app.figures.release_schemas import (
    CellFigure,
    CountryFigures,
    FigureReleaseInput,
    ReleaseContent,
    TableFigures,
)
from app.figures.releases import (
    Figures,
    QuarterCounts,
    build_release,
    list_counted_quarters,
)
from app.figures.weekly_counts import add_counts, read_counts
from app.figures.weeks import WEEK, Quarter
from app.kernel.actors import Role
from app.kernel.db import lock_name
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction

METHOD: Final = 1
"""The version of the method. It changes whenever the rules for releases change."""
ACTION: Final = "figures.release"
SUBJECT: Final = "figures/releases"
APPROVERS: Final = frozenset({Role.PROTECTION_OFFICER, Role.SUPERVISOR})


class QuarterNotCounted(Problem):
    """The quarter is not over, or its last weeks are not counted yet."""

    status = 409


class QuarterReleased(Problem):
    """The figures of this quarter, or of a later one, are already released."""

    status = 409


def release_figures(
    tx: WriteTransaction, new: FigureReleaseInput, approval: UUID | None
) -> FigureRelease | Approval:
    """Release a quarter's figures; without `approval`, request and return an approval.

    Raises RoleMissing (403), QuarterNotCounted, QuarterReleased or ApprovalUnusable (409).
    """
    if (
        not release_queries.is_of_oversight(tx)
        or Role.PROTECTION_OFFICER not in tx.actor.roles
    ):
        raise RoleMissing("This needs the role protection_officer at oversight.")
    quarter = Quarter.parse(new.quarter)
    fingerprints = tx.vault.list_fingerprints(
        ACTION.encode(), str(tx.actor.account_id).encode(), str(quarter).encode()
    )
    if approval is None:
        require_releasable(tx, quarter)
        return ask_second_person(tx, new, fingerprints)
    second = access_approvals.claim_approval(tx, approval, fingerprints)
    return store_release(tx, quarter, tx.actor.account_id, second.decided_by)


def store_release(
    tx: WriteTransaction, quarter: Quarter, asked_by: UUID, approved_by: UUID | None
) -> FigureRelease:
    """Compute and store the release of a quarter.

    `approved_by` is never None for a claimed approval, and the database refuses null.

    Raises QuarterNotCounted or QuarterReleased (409).
    """
    lock_name(tx.session, FigureRelease.__tablename__)
    require_releasable(tx, quarter)
    counts = {
        one: read_counts(tx, [*one.list_weeks()]) for one in list_counted_quarters(quarter)
    }
    content = build_content(compute_figures(tx, quarter, counts))
    release = FigureRelease(
        id=tx.create_id(),
        year=quarter.year,
        quarter=quarter.number,
        method=METHOD,
        content=content.model_dump(mode="json"),
        digest=hashlib.sha256(content.model_dump_json().encode()).hexdigest(),
        asked_by=asked_by,
        approved_by=approved_by,
        released_at=tx.now,
    )
    tx.session.add(release)
    return release


def require_releasable(tx: ReadTransaction, quarter: Quarter) -> None:
    """Raise QuarterNotCounted or QuarterReleased (409) if a quarter cannot be released."""
    if not release_queries.is_counted(tx.session, quarter):
        counted_on = max(quarter.list_weeks()) + WEEK + SETTLING
        raise QuarterNotCounted(
            f"Its last week can be counted from {counted_on} on. If that day is over, no "
            "case is that old, or the part `figures` of the worker does not run."
        )
    if any(release.of >= quarter for release in release_queries.list_releases(tx.session)):
        raise QuarterReleased(
            "Each person is in one release at most, so a release is never repeated and "
            "never follows that of a later quarter. GET /v1/figures/releases lists them."
        )


def ask_second_person(
    tx: WriteTransaction, new: FigureReleaseInput, fingerprints: list[str]
) -> Approval:
    """Request the approval of another person of oversight, who sees only the quarter."""
    values = new.model_dump(mode="json")
    request = ApprovalRequest(
        action=ACTION,
        subject=SUBJECT,
        fingerprints=fingerprints,
        facts={"quarter": new.quarter},
        roles=APPROVERS,
        lapses_at=compute_due_at(tx, DeadlineKind.APPROVE, None, waits_on=None),
        request=KeptRequest(body=values, after=values),
    )
    return access_approvals.find_or_ask(tx, request)


def compute_figures(
    tx: ReadTransaction, quarter: Quarter, counts: Mapping[Quarter, QuarterCounts]
) -> list[Figures]:
    """Return the figures of the release of a quarter, from the counts by quarter."""

    def derive_noise(words: tuple[str, ...]) -> int:
        parts = (ACTION, *words)
        lasting = tx.vault.compute_lasting_fingerprint(*(part.encode() for part in parts))
        return derive_unlimited_noise(lasting)

    shown = release_queries.list_shown(tx.session)
    return build_release(quarter, counts, shown_before=shown, derive_noise=derive_noise)


def simulate_release(
    tx: ReadTransaction, quarter: Quarter, found: list[Figures]
) -> Iterator[tuple[int, int]]:
    """Add the figures of a release to the list `found`, without releasing them.

    Yields the number of finished steps and the total: one step for each week, and one for
    the figures. Raises QuarterNotCounted or QuarterReleased (409).
    """
    require_releasable(tx, quarter)
    counts: dict[Quarter, dict[tuple[str, TableName], Counter[Cell]]] = {
        one: {} for one in list_counted_quarters(quarter)
    }
    weeks = [(one, week) for one in counts for week in one.list_weeks()]
    for done, (one, week) in enumerate(weeks, start=1):
        add_counts(counts[one], read_counts(tx, [week]))
        yield done, len(weeks) + 1
    found += compute_figures(tx, quarter, counts)
    yield len(weeks) + 1, len(weeks) + 1


def build_content(figures: Iterable[Figures]) -> ReleaseContent:
    """Return the content of a release, as it is stored, hashed and published."""
    return ReleaseContent(
        figures=[
            CountryFigures(
                country=one.country,
                quarters=[str(quarter) for quarter in one.quarters],
                tables=[
                    TableFigures(
                        table=table,
                        cells=[
                            CellFigure(codes=list(cell), people=people)
                            for (_, cell), people in cells
                        ],
                    )
                    for table, cells in groupby(one.numbers.items(), lambda it: it[0][0])
                ],
            )
            for one in figures
        ]
    )
