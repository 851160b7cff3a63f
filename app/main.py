"""The application, assembled."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

import anyio.to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.api import (
    accounts,
    administration,
    approvals,
    case_acts,
    case_moves,
    cases,
    consents,
    contacts,
    contract,
    directory,
    events,
    exports,
    feed,
    handovers,
    health,
    knowledge,
    problems,
    public_keys,
    reference,
    referral_acts,
    referrals,
    refusals,
    return_acts,
    return_travel,
    returns,
    routing,
    screening,
    sections,
    time_limits,
    tokens,
    vital_readings,
    webhooks,
)
from app.api.anonymous_bodies import AnonymousBodies
from app.api.docs import page
from app.api.limits import BodyLimit
from app.api.nouns import V1
from app.api.observe import Observe
from app.api.openapi import describe
from app.api.throttling import Rate, Throttle
from app.api.turns import Turns
from app.api.waiting import bell_over
from app.kernel.db import THREADS
from app.kernel.ledger import Ledger
from app.kernel.work import Ground

MAX_BODY_BYTES: Final = 256 * 1024
ROUTERS: Final = (
    *(cases, case_acts, case_moves, consents, knowledge, screening, sections),
    *(exports, vital_readings, refusals),
    *(referrals, referral_acts, handovers, returns, return_acts, return_travel),
    *(events, feed, approvals, routing, directory, administration, time_limits, contacts),
    *(accounts, public_keys, webhooks, reference),
)
ABOUT: Final = """
Carries the cases of presumed victims of trafficking between the focal points of a
transnational referral mechanism. Write a case, follow its evidence; poll `GET /v1/events`
for what happens to yours; act with the ETag you last read as `If-Match`.
"""
TAGS: Final = [
    {"name": "cases", "description": "One person's case, from submission to closure."},
    {"name": "case acts", "description": "What its parties do with a case."},
    {"name": "knowledge", "description": "What is known beside the state of a case."},
    {"name": "consents", "description": "What the person agreed to, and took back."},
    {"name": "screenings", "description": "Signs, and what they amount to: no finding."},
    {"name": "sections", "description": "What is sealed, and who opened it."},
    {
        "name": "vital readings",
        "description": "Reading while a life is at risk, by two organisations.",
    },
    {"name": "refusals", "description": "How often people say no, without anybody."},
    {"name": "referrals", "description": "Asking a focal point for one service."},
    {"name": "referral acts", "description": "What its two sides do with a referral."},
    {"name": "handovers", "description": "Moving the lead of a case."},
    {"name": "returns", "description": "The checklist of an assisted voluntary return."},
    {"name": "feed", "description": "What happened, what waits, what became of it."},
    {"name": "approvals", "description": "What waits for a second person."},
    {"name": "routing", "description": "Who should lead, who could serve, and why."},
    {"name": "directory", "description": "Focal points, countries, the rules, and you."},
    {"name": "administration", "description": "Changing the directory, by administrators."},
    {"name": "accounts", "description": "Who may act for an office, and their keys."},
    {"name": "pushing", "description": "Having a feed pushed to a receiver of yours."},
    {"name": "webhooks", "description": "What a receiver of yours is sent."},
    {"name": "tokens", "description": "What machines sign in with, for minutes."},
    {"name": "reference", "description": "What to look for, to ask, and to choose from."},
    {"name": "health", "description": "For whoever runs the service."},
]


def name_of(route: APIRoute) -> str:
    """Name an operation after its function: clients are generated from it."""
    return route.name


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Serve as many requests at once as there are connections; close them at the end."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield
    await app.state.bell.rests()
    app.state.ground.database.engine.dispose()


def create_app(
    ground: Ground,
    ledger: Ledger | None = None,
    *,
    rate: int | None = None,
    docs: bool = False,
    public_url: str | None = None,
) -> FastAPI:
    """Build the application on its ground; it is ready once the ledger agrees with it.

    `rate`: how many requests a minute an account may make; None: as many as it likes.
    `public_url`: the address that machines sign for; None: they are given no tokens.
    """
    app = FastAPI(
        title="Safe Conduct",
        version=version("safe-conduct"),
        description=ABOUT,
        openapi_tags=TAGS,
        servers=[{"url": "/", "description": "Where this contract was found."}],
        generate_unique_id_function=name_of,
        lifespan=lifespan,
        docs_url=None,
        openapi_url=None,
        redirect_slashes=False,
        redoc_url=None,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        telemetry={"logs": False},
    )
    app.state.ground, app.state.ledger = ground, ledger
    app.state.throttle, app.state.rate = Throttle(), Rate(rate)
    app.state.pings = Rate(webhooks.PINGS_PER_MINUTE)
    app.state.token_endpoint = public_url and f"{public_url}{tokens.PATH}"
    app.state.anonymous_bodies = AnonymousBodies()
    app.state.bell, app.state.turns = bell_over(ground), Turns()
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)
    app.add_middleware(Observe)
    problems.install(app)
    add_routes(app, docs=docs)
    app.openapi = describe(app)  # type: ignore[method-assign]  # FastAPI's documented hook
    return app


def add_routes(app: FastAPI, *, docs: bool) -> None:
    """Add what takes a key, and then the little that takes none."""
    for room in ROUTERS:
        app.include_router(room.router, prefix=V1, responses=problems.EVERYWHERE)
    app.include_router(tokens.router, prefix=V1)
    app.include_router(health.router)
    app.add_route(contract.PATH, contract.get_contract)
    app.webhooks.include_router(webhooks.told)
    if docs:
        app.include_router(page())
