"""Whether the process lives, and whether it can be given work."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app.kernel.db import migrated_to
from app.kernel.ledger import Ledger, LedgerRefused
from app.kernel.migrations import head
from app.kernel.problems import Busy
from app.kernel.work import Ground

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: str = "alive"


class Readiness(BaseModel):
    """Whether cases can be taken now."""

    status: str
    database: str


@router.get("/livez")
def get_liveness() -> Alive:
    """Say that the process is up."""
    return Alive()


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
def get_readiness(request: Request) -> Response:
    """Say whether the database takes writes, is migrated, and holds nothing erased."""
    found = state_of(request.app.state.ground, request.app.state.ledger)
    ready = found == "ready"
    body = Readiness(status="ready" if ready else "not ready", database=found)
    return Response(body.model_dump_json(), 200 if ready else 503, None, "application/json")


def state_of(ground: Ground, ledger: Ledger | None) -> str:
    """Open a transaction that could write, and read where the migrations stand."""
    try:
        with ground.database.writing() as session:
            if migrated_to(session) != head():
                return "migrations are due"
        if ledger is not None:
            ledger.must_agree(ground)
    except Busy:
        return "busy"
    except LedgerRefused as refused:
        return refused.brief
    return "ready"
