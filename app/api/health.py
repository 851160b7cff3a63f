"""Routes for liveness and readiness checks."""

from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.deadlines.worker_health import WorkerHealth, load_worker_health
from app.kernel import time_zones
from app.kernel.ledger import Ledger, LedgerRefused
from app.kernel.problems import Busy
from app.kernel.schema_version import get_current_migration, get_newest_migration
from app.kernel.transactions import Runtime
from app.metrics.gauges import OUTBOX, WEBHOOKS
from app.metrics.measurement import measure

router = APIRouter(tags=["health"])

READY: Final = "ready"
IN_TIME: Final = "in time"


class Alive(BaseModel):
    """The response of a process that is running."""

    status: str = "alive"


class Readiness(BaseModel):
    """Whether this process can answer reads and writes, and notes about the service.

    `database` and `erasures` affect `status`: each is `ready`, or says why it is not ready.
    """

    status: str
    database: str
    worker: str
    clocks: str
    erasures: str
    free_space: Annotated[
        str,
        Field(
            description="`enough`, or where disk space on this machine is low. It does not "
            "affect `status`.",
            examples=["enough", "low: database 512 MiB"],
        ),
    ]
    notifications: Annotated[
        str,
        Field(
            description="`in time`, or the channels whose notifications are late or were "
            "given up within a day. It does not affect `status`.",
            examples=["in time", "late: email"],
        ),
    ]
    receivers: Annotated[
        str,
        Field(
            description="`in time`, or `late` if a receiver of webhooks fails. It does "
            "not affect `status`.",
            examples=["in time", "late"],
        ),
    ]
    drill: Annotated[
        bool, Field(description="Whether this is a drill, without data of real persons.")
    ]
    clock_speed: Annotated[
        int, Field(description="The speed of deadlines; 1 is real time.")
    ]
    time_zones: Annotated[
        str,
        Field(
            description="Release of the IANA time zone database that deadlines are "
            "computed with. It must be the same on every host of a mechanism.",
            examples=["2026f"],
        ),
    ]


@router.get("/livez")
def get_liveness() -> Alive:
    """Report that the process is running."""
    return Alive()


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
def get_readiness(request: Request) -> Response:
    """Report whether this process can answer reads and writes, with notes about the worker.

    It is not ready if the database is a standby, busy or not migrated, or disagrees with
    the ledger of erasures. Without a running worker it is ready: otherwise a proxy would
    refuse every request, although only missed deadlines and notifications have to wait.
    """
    runtime: Runtime = request.app.state.runtime
    found = check_database(runtime)
    erasures = check_ledger(runtime, request.app.state.ledger)
    ready = found["database"] == erasures == READY
    body = Readiness(
        status=READY if ready else "not ready",
        free_space=runtime.free_space.describe(),
        **check_deliveries(runtime, found["database"]),
        drill=runtime.is_drill,
        clock_speed=runtime.speed,
        time_zones=time_zones.get_version(),
        erasures=erasures,
        **found,
    )
    return Response(body.model_dump_json(), 200 if ready else 503, None, "application/json")


def check_database(runtime: Runtime) -> dict[str, str]:
    """Return the states of the database, the worker and the deadlines."""
    unknown = dict.fromkeys(("worker", "clocks"), "not known")
    try:
        if runtime.database.is_standby():
            return {"database": "a standby: it takes no writes", **unknown}
        with runtime.database.begin_write() as session:
            if get_current_migration(session) != get_newest_migration():
                return {"database": "migrations are due", **unknown}
            keeping = load_worker_health(session, runtime.time(session))
            return {"database": READY, **describe_keeping(keeping)}
    except Busy:
        return {"database": "busy", **unknown}


def check_deliveries(runtime: Runtime, database: str) -> dict[str, str]:
    """Return the states of notifications and webhooks, which do not affect `status`."""
    unknown = dict.fromkeys(("notifications", "receivers"), "not known")
    if database != READY:
        return unknown
    try:
        with runtime.database.begin_read() as session:
            now = runtime.time(session)
            outgoing, webhooks = (
                [one for one in measure([watch], session, now) if not one.is_within_limit]
                for watch in (OUTBOX, WEBHOOKS)
            )
    except Busy:
        return unknown
    ways = sorted({one.label_value for one in outgoing if one.label_value})
    return {
        "notifications": f"late: {', '.join(ways)}" if ways else IN_TIME,
        "receivers": "late" if webhooks else IN_TIME,
    }


def check_ledger(runtime: Runtime, ledger: Ledger | None) -> str:
    """Return `ready`, or why the database does not agree with the ledger of erasures.

    The result is also `ready` if there is no ledger, and `not known` if the database is
    busy.
    """
    try:
        if ledger is not None:
            ledger.require_agreement(runtime)
    except Busy:
        return "not known"
    except LedgerRefused as refused:
        return refused.brief
    return READY


def describe_keeping(keeping: WorkerHealth) -> dict[str, str]:
    """Return `ready` for the worker and for the deadlines, or a text that says why not."""
    silent = f"silent: {', '.join(keeping.silent)}" if keeping.silent else READY
    late = f"overdue since {keeping.oldest:%Y-%m-%dT%H:%MZ}" if keeping.is_late else READY
    return {"worker": silent, "clocks": late}
