"""Tests of signing in to the console, signing out, the quick exit, and a new sign-in."""

import re
from collections.abc import Iterator
from typing import NoReturn

import httpx2
import pytest

from app.console.api_client import ApiProblem
from app.console.demo_tour import TourPart, TourTask
from app.console.options import ConsoleOptions, DemoPerson, DemoSignIn
from app.console.visits import SESSION_COOKIE
from app.main import add_console, create_app
from tests.support.console_browser import SAME_ORIGIN, ConsoleBrowser
from tests.support.world import PUBLIC, Someone, World

SECRET = "the-secret-of-the-link"
EXIT = "https://www.example.org/"


@pytest.fixture
def practice(url: str) -> Iterator[World]:
    """Yield a world whose console has the demo sign-in."""
    made = World(url)
    people = [made.add_person(code) for code in ("KZ_LEAD", "UZ_CONSULATE_ALMATY")]
    app = create_app(made.runtime, public_url=PUBLIC)
    tour = (TourPart.FIRST_CASE, TourTask.LEAD)
    shown = tuple(
        DemoPerson(one.code, "duty 1", ("coordinator",), one.key, *tour) for one in people
    )
    add_console(app, ConsoleOptions(EXIT, DemoSignIn(SECRET, shown)))
    made.serve(app)
    yield made
    made.close()


def sign_in(world: World, person: str = "KZ_LEAD/duty 1") -> str:
    """Sign in as a demo user, and return the value of the session cookie."""
    answer = post(world, f"demo/{SECRET}", {"person": person})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/console/"
    cookie = answer.headers["Set-Cookie"]
    for attribute in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert attribute in cookie
    [token] = re.findall(rf"{SESSION_COOKIE}=(scs_[^;]+)", cookie)
    return str(token)


def post(world: World, path: str, form: dict[str, str], token: str = "") -> httpx2.Response:
    """Send a form as a page of the console would."""
    headers = SAME_ORIGIN | ({"Cookie": f"{SESSION_COOKIE}={token}"} if token else {})
    return world.http.post(
        f"/console/{path}", data=form, headers=headers, follow_redirects=False
    )


def get(world: World, path: str, token: str) -> httpx2.Response:
    """Return the response to a request for a page of the console in a session."""
    cookie = {"Cookie": f"{SESSION_COOKIE}={token}"}
    return world.http.get(f"/console/{path}", headers=cookie, follow_redirects=False)


def test_the_link_of_the_demonstration_signs_in_as_each_person(practice: World) -> None:
    page = practice.http.get(f"/console/demo/{SECRET}")
    assert page.status_code == 200
    for person in ("KZ_LEAD/duty 1", "UZ_CONSULATE_ALMATY/duty 1"):
        assert person in page.text
    assert get(practice, "", sign_in(practice)).status_code == 200


@pytest.mark.parametrize("secret", ["wrong", SECRET[:-1], f"{SECRET}x"])
def test_a_wrong_link_of_the_demonstration_does_not_exist(
    practice: World, secret: str
) -> None:
    assert practice.http.get(f"/console/demo/{secret}").status_code == 404
    answer = post(practice, f"demo/{secret}", {"person": "KZ_LEAD/duty 1"})
    assert answer.status_code == 404
    assert "Set-Cookie" not in answer.headers


def test_without_the_demonstration_no_link_signs_in(world: World) -> None:
    assert world.http.get(f"/console/demo/{SECRET}").status_code == 404


def test_a_person_who_signs_out_has_no_session_any_more(practice: World) -> None:
    token = sign_in(practice)
    answer = post(practice, "sign-out", {}, token)
    assert answer.headers["Location"] == "/console/sign-in?signed-out"
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert f'{SESSION_COOKIE}=""' in answer.headers["Set-Cookie"]
    assert get(practice, "", token).status_code == 401
    me = practice.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert me.status_code == 401


def test_a_person_whose_session_cannot_be_ended_now_is_told_so(
    practice: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = sign_in(practice)

    async def fail(*_: object, **__: object) -> NoReturn:
        raise ApiProblem(503, {"title": "Busy", "detail": "Try again."})

    with monkeypatch.context() as patched:
        patched.setattr("app.console.api_client.ApiClient.send", fail)
        answer = post(practice, "sign-out", {}, token)
    assert answer.status_code == 503
    assert "This could not be done" in answer.text
    assert "Set-Cookie" not in answer.headers
    assert get(practice, "", token).status_code == 200


def test_a_person_who_signs_out_everywhere_leaves_nothing_in_the_browser(
    practice: World,
) -> None:
    token, other = sign_in(practice), sign_in(practice)
    answer = post(practice, "sessions/end-all", {}, token)
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert f'{SESSION_COOKIE}=""' in answer.headers["Set-Cookie"]
    assert get(practice, "", other).status_code == 401


def test_the_quick_exit_ends_the_session_and_leads_away(practice: World) -> None:
    token = sign_in(practice)
    answer = post(practice, "leave", {}, token)
    assert answer.status_code == 200
    assert answer.headers["Refresh"] == f"0; url={EXIT}"
    assert answer.text == ""
    assert get(practice, "", token).status_code == 401


def test_a_person_signs_in_again_before_a_section_is_opened(practice: World) -> None:
    token = sign_in(practice)
    practice.advance(minutes=6)
    page = get(practice, "confirm?next=/console/cases", token)
    assert "Sign in again as duty 1" in page.text
    answer = post(practice, "confirm?next=/console/cases", {}, token)
    assert answer.headers["Location"] == "/console/cases"
    [newer] = re.findall(rf"{SESSION_COOKIE}=(scs_[^;]+)", answer.headers["Set-Cookie"])
    assert get(practice, "", newer).status_code == 200
    assert get(practice, "", token).status_code == 401


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/console/", "/v1/me", "/console/\\x"]
)
def test_a_person_who_signs_in_again_stays_in_the_console(
    practice: World, target: str
) -> None:
    token = sign_in(practice)
    answer = post(practice, f"confirm?next={target}", {}, token)
    assert answer.headers["Location"] == "/console/"


def test_a_session_ends_after_fifteen_minutes_without_a_request(practice: World) -> None:
    token = sign_in(practice)
    practice.advance(minutes=14)
    assert post(practice, "stay", {}, token).status_code == 204
    practice.advance(minutes=14)
    assert get(practice, "", token).status_code == 200
    practice.advance(minutes=16)
    ended = get(practice, "", token)
    assert ended.status_code == 401
    assert "You were signed out" in ended.text


def test_a_page_that_nobody_used_ends_the_session(practice: World) -> None:
    token = sign_in(practice)
    assert (
        '<form method="post" action="/console/ended" id="end"'
        in get(practice, "", token).text
    )
    answer = post(practice, "ended", {}, token)
    assert answer.headers["Location"] == "/console/ended"
    assert f'{SESSION_COOKIE}=""' in answer.headers["Set-Cookie"]
    assert get(practice, "", token).status_code == 401
    assert "You were signed out" in get(practice, "ended", token).text


def test_the_sign_in_page_needs_no_session(officer: Someone) -> None:
    answer = officer.world.http.get("/console/sign-in")
    assert answer.status_code == 200
    assert "Sign in with a passkey" in answer.text
    assert ConsoleBrowser(officer).get("enrol").status_code == 200
