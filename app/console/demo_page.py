"""The page for signing in as one of the demo users.

It exists only in the demonstration, and only for those who know the secret of its link.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.console.api_client import ApiClient
from app.console.demo_tour import HEADINGS, TASKS
from app.console.options import DemoPerson, DemoSignIn
from app.console.sign_in import end_session, store_session
from app.console.unsent_page import find_first_page
from app.console.visits import Offices, Visit, redirect_to


@dataclass(frozen=True)
class TourOffice:
    """An office of the tour, with its people and the text of each person's task."""

    code: str
    people: Sequence[tuple[DemoPerson, str]]


async def show_demo_people(visit: Visit) -> Response:
    """Show the demo users in the order of the tour, grouped by office."""
    demo = get_demo(visit)
    offices: Offices = visit.request.app.state.offices
    visit.offices = await offices.read(build_client(visit, demo.people[0]))
    tour = [
        (HEADINGS[part], list(group_by_office(people)))
        for part, people in groupby(demo.people, attrgetter("part"))
    ]
    return visit.render("demo.html", tour=tour)


def group_by_office(people: Iterable[DemoPerson]) -> Iterator[TourOffice]:
    """Yield each office with its people, in the given order."""
    for code, found in groupby(people, attrgetter("focal_point")):
        yield TourOffice(code, [(person, TASKS[person.task]) for person in found])


async def sign_in_for_demo(visit: Visit) -> Response:
    """Sign in as a demo user, with the API key of that user.

    The session that the browser had before ends.
    """
    demo = get_demo(visit)
    form = await visit.request.form()
    person = next((one for one in demo.people if one.id == form.get("person")), None)
    if person is None:
        raise HTTPException(404)
    if visit.has_cookie:
        await end_session(visit)
    token = (await build_client(visit, person).post("sessions", {})).body["token"]
    return store_session(redirect_to(await find_first_page(visit, token)), token)


def build_client(visit: Visit, person: DemoPerson) -> ApiClient:
    """Return an API client that uses the API key of a demo user."""
    return ApiClient(visit.request.app.state.api, person.key, language=visit.texts.language)


def get_demo(visit: Visit) -> DemoSignIn:
    """Return the demonstration. Raises HTTPException (404) if the link is not valid."""
    demo: DemoSignIn | None = visit.request.app.state.options.demo
    if demo is None or not demo.is_secret(visit.request.path_params["secret"]):
        raise HTTPException(404)
    return demo
