"""The page for signing in again, which some operations require (RFC 9470)."""

from starlette.responses import Response

from app.console.api_client import ApiClient
from app.console.options import DemoPerson
from app.console.sign_in import store_session
from app.console.visits import HOME, Visit, find_local_path, redirect_to


async def show_confirmation(visit: Visit) -> Response:
    """Ask the person to sign in again. The parameter `next` names the page that follows."""
    return visit.render(
        "confirmation.html", next=find_next(visit), demo_person=find_demo_person(visit)
    )


async def confirm_for_demo(visit: Visit) -> Response:
    """Sign in again as the session's demo user, or show the page if there is none."""
    person = find_demo_person(visit)
    if person is None:
        return await show_confirmation(visit)
    api = ApiClient(visit.request.app.state.api, person.key, language=visit.texts.language)
    opened = await api.post("sessions", {"replaces": visit.me["session"]["id"]})
    return store_session(redirect_to(find_next(visit)), opened.body["token"])


def find_next(visit: Visit) -> str:
    """Return the page to which the person returns, by default the start page."""
    return find_local_path(visit.request.query_params.get("next", "")) or HOME


def find_demo_person(visit: Visit) -> DemoPerson | None:
    """Return the demo user of this session, or None if the session has none."""
    demo = visit.request.app.state.options.demo
    account = f"{visit.me['focal_point']}/{visit.me['account']}"
    people: tuple[DemoPerson, ...] = demo.people if demo and visit.me["session"] else ()
    return next((p for p in people if p.id == account), None)
