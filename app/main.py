"""The function that builds the application from its routers and middleware."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.metadata import version
from itertools import chain
from typing import Final

import anyio.to_thread
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from app.access.passkeys import RelyingParty, build_relying_party
from app.api import (
    accounts,
    administration,
    approvals,
    case_actions,
    case_transfers,
    cases,
    consents,
    default_contacts,
    directory,
    duty_contacts,
    emergency_access,
    enrolments,
    events,
    exports,
    facts_and_questions,
    figure_releases,
    form_drafts,
    handovers,
    health,
    key_links,
    meeting_points,
    meeting_reports,
    own_figures,
    passkeys,
    public_keys,
    reference,
    referral_actions,
    referrals,
    refusals,
    return_decision,
    return_travel,
    returns,
    routing,
    screening,
    sections,
    sessions,
    time_limits,
    tokens,
    unsent_forms,
    webhooks,
    worklist_and_evidence,
)
from app.api.http import problem_pages, problems, served_contract
from app.api.http.anonymous_bodies import AnonymousBodies
from app.api.http.docs_page import build_docs_router
from app.api.http.long_polling import build_feed_watcher
from app.api.http.openapi import build_openapi
from app.api.http.rate_limits import RequestRate, WrongKeyLimit
from app.api.http.read_slots import ReadSlots
from app.api.http.request_limits import BodyLimit
from app.api.http.request_log import RequestLog
from app.api.http.routers import V1, RouteIndex, get_operation_id
from app.console.application import build_console
from app.console.options import ConsoleOptions
from app.kernel.db import THREADS
from app.kernel.ledger import Ledger
from app.kernel.transactions import Runtime

MAX_BODY_BYTES: Final = 256 * 1024
CONSOLE_PATH: Final = "/console"
ROUTERS: Final = (
    (
        cases,
        case_actions,
        case_transfers,
        consents,
        facts_and_questions,
        screening,
        sections,
        form_drafts,
        unsent_forms,
    ),
    (exports, emergency_access, refusals, figure_releases, meeting_points, meeting_reports),
    (referrals, referral_actions, handovers, returns, return_decision, return_travel),
    (
        events,
        worklist_and_evidence,
        own_figures,
        approvals,
        routing,
        directory,
        default_contacts,
        administration,
        time_limits,
        duty_contacts,
    ),
    (accounts, public_keys, sessions, passkeys, enrolments, webhooks, reference),
)
DESCRIPTION: Final = """
Carries the cases of presumed victims of trafficking between the focal points of a
transnational referral mechanism. Submit a case and follow its delivery evidence. Poll
`GET /v1/events` for events of your cases. Send the ETag that you last read as `If-Match`.
Each answer also has `Date`, `Referrer-Policy: no-referrer`, and the header
`X-Content-Type-Options: nosniff`.

An operation that will end is marked `deprecated`. Its answers have the headers
`Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` to a page about what to use
instead. It works until the time in `Sunset`, at least 365 days after the deprecation.
"""
TAGS: Final = [
    {"name": "cases", "description": "One person's case, from submission to closure."},
    {"name": "case actions", "description": "Actions of the parties of a case."},
    {"name": "facts", "description": "Facts, vital interests and questions of a case."},
    {"name": "consents", "description": "Consents that the person gave or withdrew."},
    {"name": "screenings", "description": "Indicators and their score: no legal finding."},
    {"name": "sections", "description": "Sealed sections, and their access log."},
    {"name": "form drafts", "description": "What was typed in a form and not sent yet."},
    {
        "name": "emergency access",
        "description": "Access while a life is at risk, if two organisations agree.",
    },
    {"name": "refusals", "description": "How often consent is refused, as numbers only."},
    {"name": "referrals", "description": "Requests to a focal point for one service."},
    {"name": "referral actions", "description": "Actions of the two sides of a referral."},
    {"name": "handovers", "description": "Moving the lead of a case."},
    {"name": "returns", "description": "The checklist of an assisted voluntary return."},
    {"name": "feed", "description": "Events, the worklist and delivery evidence."},
    {
        "name": "figures",
        "description": "Counts and times of your office, and released figures of all.",
    },
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
    {"name": "webhooks", "description": "Webhooks that push your feed to a receiver."},
    {"name": "webhook messages", "description": "The messages that a receiver gets."},
    {"name": "sessions", "description": "Signing in and out, for people."},
    {"name": "passkeys", "description": "Passkeys of people, and enrolment by two people."},
    {"name": "tokens", "description": "Short-lived access tokens for machines."},
    {"name": "reference", "description": "Code lists, indicators and guidance."},
    {"name": "health", "description": "Health checks for operators."},
]


@asynccontextmanager
async def run_lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Set the number of threads, and at the end stop polls and close the connections."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield
    await app.state.bell.stop()
    app.state.runtime.database.engine.dispose()


def create_app(
    runtime: Runtime,
    ledger: Ledger | None = None,
    *,
    rate: int | None = None,
    docs: bool = False,
    public_url: str | None = None,
) -> FastAPI:
    """Create the application. It is ready only if the database fits the ledger, if any.

    `rate` limits the requests of an account in a minute; None means no limit. Access tokens
    and passkeys are bound to `public_url`; without it there are none.
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
    app.state.runtime, app.state.ledger = runtime, ledger
    app.state.throttle, app.state.rate = WrongKeyLimit(), RequestRate(rate)
    app.state.pings = RequestRate(webhooks.PINGS_PER_MINUTE)
    set_public_url(app, public_url)
    app.state.anonymous_bodies = AnonymousBodies()
    app.state.bell, app.state.turns = build_feed_watcher(runtime), ReadSlots()
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)
    app.add_middleware(RequestLog)
    problems.install(app)
    add_routes(app, docs=docs)
    app.openapi = build_openapi(app)  # type: ignore[method-assign]  # FastAPI's documented hook
    return app


def set_public_url(app: FastAPI, public_url: str | None) -> None:
    """Set the URL of the token endpoint, and the relying party of passkeys.

    Both are None without a URL; the relying party is also None for an IP address.
    """
    app.state.token_endpoint = public_url and f"{public_url}{tokens.PATH}"
    app.state.relying_party = build_relying_party(public_url)


def add_console(app: FastAPI, options: ConsoleOptions) -> None:
    """Serve the console at /console. It sends its requests to the application itself."""

    def get_time() -> datetime:
        runtime: Runtime = app.state.runtime
        return runtime.clock()

    party: RelyingParty | None = app.state.relying_party
    origin = party.origin if party else None
    app.mount(CONSOLE_PATH, build_console(app, options, get_time, origin=origin))
    app.add_route(CONSOLE_PATH, redirect_to_console, include_in_schema=False)


async def redirect_to_console(request: Request) -> Response:
    """Redirect the address of the console without a slash to its first page."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}{CONSOLE_PATH}/")


def add_routes(app: FastAPI, *, docs: bool) -> None:
    """Add the routes that need a credential, and then the routes that do not."""
    for module in chain.from_iterable(ROUTERS):
        module.router.add_to(app)
    app.include_router(tokens.router, prefix=V1)
    app.include_router(passkeys.sign_in_router, prefix=V1)
    app.include_router(enrolments.redemption_router, prefix=V1)
    app.include_router(key_links.router, prefix=V1)
    app.include_router(health.router)
    app.include_router(problem_pages.router)
    for path in served_contract.EDITIONS:
        app.add_route(path, served_contract.build_edition_route(path))
    app.router.middleware_stack = RouteIndex(app.router)
    app.webhooks.include_router(webhooks.webhook_messages)
    if docs:
        app.include_router(build_docs_router())
