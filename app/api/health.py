"""Whether the process lives, and whether it can be given work."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.kernel.db import migrated_to
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
    drill: Annotated[bool, Field(description="Whether deadlines run faster than life.")]
    clock_speed: Annotated[int, Field(description="How many times as fast they run.")]


@router.get("/livez")
def get_liveness() -> Alive:
    """Say that the process is up."""
    return Alive()


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
def get_readiness(request: Request) -> Response:
    """Say whether the database can be written to and is at the newest migration."""
    ground: Ground = request.app.state.ground
    found = state_of(ground)
    ready = found == "ready"
    body = Readiness(
        status="ready" if ready else "not ready",
        database=found,
        drill=ground.speed > 1,
        clock_speed=ground.speed,
    )
    return Response(body.model_dump_json(), 200 if ready else 503, None, "application/json")


def state_of(ground: Ground) -> str:
    """Open a transaction that could write, and read where the migrations stand."""
    try:
        with ground.database.writing() as session:
            return "ready" if migrated_to(session) == head() else "migrations are due"
    except Busy:
        return "busy"
