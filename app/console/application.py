"""The application that serves the console at /console."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, override

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from app.console import (
    account_pages,
    approval_pages,
    case_action_page,
    case_documents,
    case_lists,
    case_page,
    case_records,
    confirmation,
    consent_page,
    demo_page,
    directory_pages,
    emergency_page,
    enrolment_pages,
    figure_release_pages,
    figures_page,
    handover_pages,
    meeting_point_pages,
    meeting_report_page,
    passkeys,
    recipients_page,
    referral_page,
    return_page,
    settings,
    sign_in,
    unsent_page,
    webhook_pages,
    worklist,
)
from app.console.endpoints import FormRoute, require_session, show_to_anyone
from app.console.faults import EXCEPTION_HANDLERS
from app.console.options import ConsoleOptions
from app.console.protection import PageProtection
from app.console.refer_routes import REFER_ROUTES
from app.console.rendering import STATIC
from app.console.visits import (
    Offices,
    View,
    Visit,
    redirect_to,
)

CONSOLE_PARTS: Final = 2
"""The number of parts of `/console` when a path is split at each `/`."""
IMMUTABLE: Final = "public, max-age=31536000, immutable"


class Files(StaticFiles):
    """The static files. Browsers may cache them, because a changed file has another URL."""

    @override
    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the response for a file, which browsers may cache for a year."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = IMMUTABLE
        return response


def serve_page(path: str, view: View) -> Route:
    """Return the route of a page for a signed-in person."""
    return Route(path, require_session(view))


def serve_form(path: str, view: View) -> Route:
    """Return the route of a form for a signed-in person. Unsent values are kept."""
    return FormRoute(path, view, ["POST"])


def serve_button(path: str, view: View) -> Route:
    """Return the route of a form for a signed-in person. Unsent values are not kept."""
    return Route(path, require_session(view), methods=["POST"])


def serve_form_of(page: str, path: str, view: View, *, keeps: bool = True) -> Route:
    """Return the route of a form of a page, at a path below the page.

    If `keeps` is true, the entered values of a form that cannot be sent are kept. A browser
    sends a GET request to this path after a reload, or after the person signed in again.
    The response to it is a redirect to the page.
    """
    parts = page.count("/") + CONSOLE_PARTS

    async def show(visit: Visit) -> Response:
        if visit.request.method == "POST":
            return await view(visit)
        return redirect_to("/".join(visit.request.url.path.split("/")[:parts]))

    methods = ["GET", "POST"]
    if keeps:
        return FormRoute(f"{page}{path}", show, methods)
    return Route(f"{page}{path}", require_session(show), methods=methods)


def serve_anyone(path: str, view: View, method: str = "GET") -> Route:
    """Return the route of a page or a form for anyone, signed in or not."""
    return Route(path, show_to_anyone(view), methods=[method])


SIGN_IN_ROUTES: Final = (
    serve_anyone("/sign-in", sign_in.show_sign_in),
    serve_anyone("/sign-out", sign_in.sign_out, "POST"),
    serve_anyone("/leave", sign_in.leave, "POST"),
    serve_anyone("/stay", sign_in.renew_session, "POST"),
    serve_anyone("/ended", sign_in.show_session_ended),
    serve_anyone("/ended", sign_in.end_unused_session, "POST"),
    serve_anyone("/demo/{secret}", demo_page.show_demo_people),
    serve_anyone("/demo/{secret}", demo_page.sign_in_for_demo, "POST"),
    serve_page("/confirm", confirmation.show_confirmation),
    serve_button("/confirm", confirmation.confirm_for_demo),
    serve_anyone("/passkey", passkeys.sign_in_with_passkey, "POST"),
    serve_anyone("/passkey/options", passkeys.create_sign_in_options, "POST"),
    serve_anyone("/enrol", passkeys.show_enrolment),
    serve_anyone("/enrol", passkeys.redeem_enrolment, "POST"),
    serve_anyone("/enrol/options", passkeys.create_enrolment_options, "POST"),
)
SETTINGS_ROUTES: Final = (
    serve_anyone("/language", settings.choose_language, "POST"),
    serve_page("/settings", settings.show_settings),
    serve_button("/settings/zone", settings.choose_zone),
    serve_button("/settings/shift", settings.choose_shift),
    serve_button("/sessions/end-all", settings.end_all_sessions),
    serve_button("/sessions/{session_id}/end", settings.end_session),
    serve_anyone("/passkeys", passkeys.register_passkey, "POST"),
    serve_anyone("/passkeys/options", passkeys.create_registration_options, "POST"),
    serve_button("/passkeys/{passkey_id}/remove", settings.remove_passkey),
)
UNSENT_ROUTES: Final = (
    serve_page("/unsent", unsent_page.show_list),
    serve_anyone("/unsent", unsent_page.save_form, "POST"),
    serve_page("/unsent/{form}", unsent_page.show_form),
    serve_button("/unsent/{form}/discard", unsent_page.discard_form),
)
CASE: Final = "/cases/{code}"
CASE_ROUTES: Final = (
    serve_page("/", worklist.show_worklist),
    serve_page("/cases", case_lists.show_cases),
    serve_page(f"{CASE}/ask", recipients_page.show_recipients),
    serve_form(f"{CASE}/ask", recipients_page.ask_recipient),
    serve_page(CASE, case_page.show_case),
    serve_page(f"{CASE}/history", case_records.show_history),
    serve_page(f"{CASE}/access-log", case_records.show_access_log),
    serve_page(f"{CASE}/open/{{document:path}}", case_documents.redirect_to_case),
    serve_form_of(CASE, "/open/{document}", case_documents.open_in_case, keeps=False),
    serve_form_of(CASE, "/open/{document}/{id}", case_documents.open_in_case, keeps=False),
    serve_page(f"{CASE}/consent", consent_page.show_consent),
    serve_form(f"{CASE}/consent", consent_page.record_consent),
    serve_page(f"{CASE}/consent/print", consent_page.redirect_to_form),
    serve_button(f"{CASE}/consent/print", consent_page.print_consent),
    serve_page(f"{CASE}/actions/{{action}}", case_action_page.show_action),
    serve_form(f"{CASE}/actions/{{action}}", case_action_page.take_action),
    serve_page(f"{CASE}/actions/{{action}}/{{part}}", case_action_page.show_action),
    serve_form(f"{CASE}/actions/{{action}}/{{part}}", case_action_page.take_action),
)
REFERRAL: Final = "/referrals/{id:uuid}"
REFERRAL_ROUTES: Final = (
    serve_page(REFERRAL, referral_page.show_referral),
    serve_form_of(REFERRAL, "/actions/{action}", referral_page.take_referral_action),
    serve_form_of(
        REFERRAL, "/open/{document}", referral_page.open_in_referral, keeps=False
    ),
)
HANDOVER: Final = "/handovers/{id:uuid}"
HANDOVER_ROUTES: Final = (
    serve_page(HANDOVER, handover_pages.show_handover),
    serve_form_of(HANDOVER, "/actions/{action}", handover_pages.take_handover_action),
    serve_page("/cases/{code}/offer-handover", handover_pages.show_offer),
    serve_form("/cases/{code}/offer-handover", handover_pages.offer_handover),
    serve_page("/cases/{code}/relocate", handover_pages.show_relocation),
    serve_form("/cases/{code}/relocate", handover_pages.relocate_case),
)
EMERGENCY: Final = f"{CASE}/emergency-access"
EMERGENCY_ROUTES: Final = (
    serve_page(EMERGENCY, emergency_page.show_emergency_access),
    serve_form(EMERGENCY, emergency_page.request_emergency_access),
    serve_form_of(EMERGENCY, "/{id:uuid}/{step}", emergency_page.decide_emergency_access),
)
RETURN: Final = "/returns/{id:uuid}"
RETURN_ROUTES: Final = (
    serve_form_of(REFERRAL, "/return", return_page.create_return, keeps=False),
    serve_page(RETURN, return_page.show_return),
    serve_form_of(RETURN, "/actions/{action}", return_page.take_return_action),
    serve_form_of(RETURN, "/travel-plan", return_page.open_travel_plan, keeps=False),
)
APPROVAL: Final = "/approvals/{id:uuid}"
ACCOUNT: Final = "/accounts/{id:uuid}"
ENROLMENTS: Final = "/enrolments"
ENROLMENT_ROUTES: Final = (
    serve_form_of(
        ACCOUNT, "/enrolments/{action}", enrolment_pages.begin_enrolment, keeps=False
    ),
    serve_page(ENROLMENTS, enrolment_pages.show_enrolments),
    serve_form_of(
        ENROLMENTS, "/{id:uuid}/confirm", enrolment_pages.confirm_enrolment, keeps=False
    ),
    serve_form_of(
        ENROLMENTS, "/{id:uuid}/cancel", enrolment_pages.cancel_enrolment, keeps=False
    ),
)
RELEASES: Final = "/figures/releases"
POINTS: Final = "/figures/points"
WEBHOOKS: Final = "/webhooks"
WEBHOOK: Final = f"{WEBHOOKS}/{{id:uuid}}"
OFFICE_ROUTES: Final = (
    serve_page("/approvals", approval_pages.show_approvals),
    serve_page(APPROVAL, approval_pages.show_approval),
    serve_form_of(APPROVAL, "/{decision}", approval_pages.decide_approval, keeps=False),
    serve_page("/figures", figures_page.show_figures),
    serve_page("/figures/report", meeting_report_page.show_report),
    serve_page(POINTS, meeting_point_pages.show_points),
    serve_form(POINTS, meeting_point_pages.write_point),
    serve_form_of(POINTS, "/{id:uuid}/{step}", meeting_point_pages.end_point, keeps=False),
    serve_page(RELEASES, figure_release_pages.show_releases),
    serve_form(RELEASES, figure_release_pages.ask_for_release),
    serve_page(f"{RELEASES}/{{id:uuid}}", figure_release_pages.show_release),
    serve_page(f"{RELEASES}/{{id:uuid}}/csv", figure_release_pages.export_csv),
    serve_page(f"{RELEASES}/{{id:uuid}}/xlsx", figure_release_pages.export_spreadsheet),
    serve_page("/directory", directory_pages.show_directory),
    serve_page("/directory/{code}", directory_pages.show_office),
    serve_form_of("/directory/{code}", "/{form}", directory_pages.update_own_office),
    serve_page("/accounts", account_pages.show_accounts),
    serve_form("/accounts", account_pages.open_account),
    serve_page(ACCOUNT, account_pages.show_account),
    serve_form_of(ACCOUNT, "/{change}", account_pages.update_account),
    serve_page(WEBHOOKS, webhook_pages.show_webhooks),
    serve_form(WEBHOOKS, webhook_pages.ask_for_webhook),
    serve_form_of(WEBHOOKS, "/open/{id:uuid}", webhook_pages.open_webhook, keeps=False),
    serve_page(WEBHOOK, webhook_pages.show_webhook),
    serve_form_of(WEBHOOK, "/{action}", webhook_pages.update_webhook),
)
ROUTES: Final = (
    Mount("/static", Files(directory=str(STATIC))),
    *SIGN_IN_ROUTES,
    *SETTINGS_ROUTES,
    *UNSENT_ROUTES,
    *CASE_ROUTES,
    *REFERRAL_ROUTES,
    *HANDOVER_ROUTES,
    *EMERGENCY_ROUTES,
    *RETURN_ROUTES,
    *OFFICE_ROUTES,
    *ENROLMENT_ROUTES,
    *REFER_ROUTES,
)
"""The routes of the console; paths are relative to /console."""


def build_console(
    api: ASGIApp,
    options: ConsoleOptions,
    clock: Callable[[], datetime],
    *,
    origin: str | None,
) -> ASGIApp:
    """Build the console, which calls `api` in the same process.

    `origin` is the public origin of its pages, or None if it is not known.
    The page protection is outermost, so that it also covers the page for an error.
    """
    console = Starlette(
        routes=ROUTES,
        middleware=[Middleware(GZipMiddleware)],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    console.router.redirect_slashes = False
    console.state.api = api
    console.state.options, console.state.clock = options, clock
    console.state.offices, console.state.origin = Offices(), origin
    return PageProtection(console, origin)
