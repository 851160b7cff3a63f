"""Assembling the application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from itertools import chain
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
    (cases, case_acts, case_moves, consents, knowledge, screening, sections),
    (exports, vital_readings, refusals),
    (referrals, referral_acts, handovers, returns, return_acts, return_travel),
    (events, feed, approvals, routing, directory, administration, time_limits, contacts),
    (accounts, public_keys, webhooks, reference),
)
DESCRIPTION: Final = """
Carries the cases of presumed victims of trafficking between the focal points of a
transnational referral mechanism. Submit a case and follow its delivery evidence. Poll
`GET /v1/events` for events of your cases. Send the ETag that you last read as `If-Match`.
"""
TAGS: Final = [
    {"name": "cases", "description": "One person's case, from submission to closure."},
    {"name": "case acts", "description": "Actions of the parties of a case."},
    {"name": "knowledge", "description": "Facts, risks and alerts beside a case's state."},
    {"name": "consents", "description": "What the person agreed to, and withdrew."},
    {"name": "screenings", "description": "Indicators and their score: no legal finding."},
    {"name": "sections", "description": "Sealed sections, and their access log."},
    {
        "name": "vital readings",
        "description": "Emergency access: two organisations agree, as a life is at risk.",
    },
    {"name": "refusals", "description": "How often consent is refused, as numbers only."},
    {"name": "referrals", "description": "Requests to a focal point for one service."},
    {"name": "referral acts", "description": "Actions of the two sides of a referral."},
    {"name": "handovers", "description": "Moving the lead of a case."},
    {"name": "returns", "description": "The checklist of an assisted voluntary return."},
    {"name": "feed", "description": "Events, the worklist and delivery evidence."},
    {"name": "approvals", "description": "Requests for the approval of a second person."},
    {"name": "routing", "description": "Which offices should lead or could help, and why."},
    {
        "name": "directory",
        "description": "Focal points, countries, rules and your account.",
    },
    {
        "name": "administration",
        "description": "Changes of the directory by administrators.",
    },
    {"name": "accounts", "description": "Accounts of an office, and their API keys."},
    {"name": "pushing", "description": "Webhooks that push your feed to a receiver."},
    {"name": "webhooks", "description": "The messages that a receiver is sent."},
    {"name": "tokens", "description": "Short-lived access tokens for machines."},
    {"name": "reference", "description": "Code lists, indicators and guidance."},
    {"name": "health", "description": "Health checks for operators."},
]


def get_operation_id(route: APIRoute) -> str:
    """Return the operation id of a route, which is the name of its function."""
    return route.name


@asynccontextmanager
async def run_lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Set the number of threads at the start; close the connections at the end."""
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
    """Create the application; it reports ready once the ledger and the database agree.

    `rate` is how many requests a minute an account may make; None: no limit. `public_url`
    is the address that machines sign for; None: no tokens are issued.
    """
    app = FastAPI(
        title="Safe Conduct",
        version=version("safe-conduct"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        servers=[{"url": "/", "description": "The server that sent this contract."}],
        generate_unique_id_function=get_operation_id,
        lifespan=run_lifespan,
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
    """Add the routes that need a credential, then those that do not."""
    for module in chain.from_iterable(ROUTERS):
        app.include_router(module.router, prefix=V1, responses=problems.EVERYWHERE)
    app.include_router(tokens.router, prefix=V1)
    app.include_router(health.router)
    app.add_route(contract.PATH, contract.get_contract)
    app.webhooks.include_router(webhooks.told)
    if docs:
        app.include_router(page())
