"""Helpers that run workers in processes, and copy a case to give them many deadlines."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Table, insert, select

from app.access.models import Approval
from app.cases.case_protection import protect_batch
from app.cases.models import Case, Party
from app.cases.records import RiskAssessment
from app.clock import get_utc_now
from app.consents.models import Consent
from app.deadlines.models import Clock
from app.kernel.actors import SERVICE
from app.kernel.codes import create_case_code
from app.kernel.file_keys import FileKeys
from app.referrals.models import Referral
from app.runtime import build_runtime
from app.worker.jobs import DEADLINE_JOB, run_once
from tests.support.child_processes import Child, ReportPipe
from tests.support.databases import ask
from tests.support.world import Json, World

COPIED: Final = (Case, Party, RiskAssessment, Consent, Referral, Approval, Clock)


@contextmanager
def run_workers(url: str, keys: Path, skews: Sequence[int]) -> Iterator[list[Child]]:
    """Run workers whose clocks are wrong by these numbers of seconds."""
    workers = [Child(run_worker, url, keys, skew) for skew in skews]
    try:
        for worker in workers:
            worker.wait_for_report()
        yield workers
    finally:
        for worker in workers:
            worker.kill()


def copy_case(world: World, case: Json, times: int) -> None:
    """Write copies of a case and of its rows in the tables of `COPIED`, under other ids.

    The copies have no sealed documents, so no rule under test may need to read a sealed
    document of the case.
    """
    with world.database.begin_write(SERVICE) as session:
        of = select(Case.id).where(Case.code == case["code"])
        case_id = session.scalars(of).one()
        rows = {
            model: [
                dict(row)
                for row in session.execute(
                    select_rows(get_table(model), case_id)
                ).mappings()
            ]
            for model in COPIED
        }
        for number in range(times):
            for model in COPIED:
                copies = [rename_ids(row, number) for row in rows[model]]
                if copies:
                    session.execute(insert(get_table(model)), copies)
        copied = [uuid5(case_id, str(number)) for number in range(times)]
        protect_batch(session, copied, again=True)


def get_table(model: type) -> Table:
    return model.__table__  # type: ignore[attr-defined, no-any-return]


def select_rows(of: Table, case_id: UUID) -> Any:
    column = of.c.id if of.name == "case" else of.c.case_id
    return select(of).where(column == case_id)


def rename_ids(row: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a copy of a row with new ids, except those of offices and accounts.

    A given id gets the same new id in every table.
    """
    kept = {"number", "focal_point_id", "recipient_id", "waits_on", "account_id"}
    kept |= {name for name in row if name.endswith("_by")}
    other: dict[str, Any] = {
        name: uuid5(value, str(number))
        for name, value in row.items()
        if isinstance(value, UUID) and name not in kept
    }
    if "code" in row:
        other["code"] = create_case_code(other["id"])
    if "reference" in row:
        noun = row["reference"].split("/")[0]
        own = (
            create_case_code(other["record_id"]) if noun == "cases" else other["record_id"]
        )
        other["reference"] = f"{noun}/{own}"
    return {name: value for name, value in (row | other).items() if name != "number"}


def fail_deadlines(url: str, said: str) -> None:
    """Make the handling of missed deadlines fail with an error that contains `said`."""
    if url.startswith("sqlite"):
        ask(
            url,
            "CREATE TRIGGER planted BEFORE INSERT ON firing "
            f"BEGIN SELECT RAISE(ABORT, '{said}'); END",
        )
        return
    ask(
        url,
        "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{said}: %', NEW USING ERRCODE = 'P0007'; END $$",
        "CREATE TRIGGER planted BEFORE INSERT ON firing "
        "FOR EACH ROW EXECUTE FUNCTION planted()",
    )


def run_worker(says: ReportPipe, url: str, keys: Path, skew: int) -> None:
    """Report that the worker begins, and run the worker until this process is killed."""
    off = timedelta(seconds=skew)
    runtime = build_runtime(url, FileKeys.load(keys), lambda: get_utc_now() + off)
    says.send("working")
    while True:
        run_once(runtime, DEADLINE_JOB)
