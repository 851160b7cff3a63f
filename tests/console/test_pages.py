"""Tests of the pages of the console: access, headers, and the effects of reading them."""

import pytest

from app.console.navigation import ENTRIES, list_menu_items
from app.console.options import ConsoleOptions
from app.console.protection import HEADERS
from app.console.visits import SESSION_COOKIE
from app.main import add_console, create_app
from tests.support.console_browser import ConsoleBrowser
from tests.support.world import PUBLIC, Someone, World

SOME_ID = "00000000-0000-0000-0000-000000000000"
PAGES = ("", "cases", "cases?sent=true")


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/console/figures/releases", ["/console/figures/releases"]),
        ("/console/figures/releases/1", ["/console/figures/releases"]),
        ("/console/figures/points", ["/console/figures"]),
        ("/console/", ["/console/"]),
        ("/console/about", []),
    ],
)
def test_at_most_one_menu_item_is_current(path: str, current: list[str]) -> None:
    scopes = {one.scope for one in ENTRIES}
    roles = {role for one in ENTRIES for role in one.roles}

    items = list_menu_items(path, scopes, roles)

    assert [one.href for one in items if one.is_current] == current


def test_a_visitor_without_a_session_is_sent_to_the_sign_in_page(world: World) -> None:
    answer = world.http.get("/console/", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/console/sign-in"


@pytest.mark.parametrize("token", ["scs_0123456789_none", "scs_\u00e9"])
def test_a_page_with_a_wrong_session_says_that_it_has_ended(
    world: World, token: str
) -> None:
    wrong = {b"Cookie": f"{SESSION_COOKIE}={token}".encode("latin-1")}
    answer = world.http.get("/console/", headers=wrong)
    assert answer.status_code == 401
    assert "You were signed out" in answer.text


def test_every_page_has_a_strict_policy_and_is_never_cached(officer: Someone) -> None:
    answer = ConsoleBrowser(officer).get("")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
        ({"Origin": PUBLIC.replace("https", "http")}, 403),
        ({"Origin": PUBLIC}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
    ],
)
def test_a_form_of_another_site_is_refused(
    world: World, headers: dict[str, str], status: int
) -> None:
    answer = world.http.post("/console/sign-out", headers=headers, follow_redirects=False)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://testserver", 403),
        ("http://testserver:81", 403),
        ("http://testserver", 303),
    ],
)
def test_a_console_without_a_public_address_compares_the_whole_origin(
    url: str, origin: str, status: int
) -> None:
    made = World(url)
    app = create_app(made.runtime)
    add_console(app, ConsoleOptions("https://www.example.org/"))
    made.serve(app)
    headers = {"Origin": origin}
    answer = made.http.post("/console/sign-out", headers=headers, follow_redirects=False)
    assert answer.status_code == status
    assert "Strict-Transport-Security" not in answer.headers
    made.close()


def test_drawing_a_list_records_nothing(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    before = officer.get(f"/cases/{case['code']}/evidence").json()
    for page in PAGES:
        drawn = ConsoleBrowser(lead).get(page)
        assert drawn.status_code == 200
        assert case["code"] in drawn.text or page.endswith("true")
    assert officer.get(f"/cases/{case['code']}/evidence").json() == before


def test_opening_a_case_marks_it_as_retrieved_once(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    path = f"/cases/{case['code']}/evidence"
    for _ in range(2):
        assert ConsoleBrowser(lead).get(f"cases/{case['code']}").status_code == 200
    [evidence] = officer.get(path).json()["items"]
    assert [status["name"] for status in evidence["statuses"]].count("retrieved") == 1


@pytest.mark.parametrize("name", ["Sec-Purpose", "Purpose"])
def test_a_page_that_is_loaded_in_advance_records_nothing(
    officer: Someone, lead: Someone, name: str
) -> None:
    case = officer.submit()
    path = f"/cases/{case['code']}/evidence"
    before = officer.get(path).json()
    browser = ConsoleBrowser(lead, **{name: "prefetch;prerender"})
    assert browser.get(f"cases/{case['code']}").status_code == 503
    assert officer.get(path).json() == before


@pytest.mark.parametrize("end", ["%23x", "%3Fx", "%252Fhistory", "%25", "%20", "%0A"])
def test_an_address_with_another_path_of_the_api_is_not_found_and_records_nothing(
    officer: Someone, lead: Someone, end: str
) -> None:
    case = officer.submit()
    path = f"/cases/{case['code']}/evidence"
    before = officer.get(path).json()
    assert ConsoleBrowser(lead).get(f"cases/{case['code']}{end}").status_code == 404
    assert officer.get(path).json() == before


def test_a_case_of_others_looks_like_a_mistyped_code(
    officer: Someone, stranger: Someone
) -> None:
    code = officer.submit()["code"]
    answer = ConsoleBrowser(stranger).get(f"cases/{code}")
    assert answer.status_code == 404
    assert code not in answer.text


@pytest.mark.parametrize(
    "path", ["nothing", "cases/", "cases/no-code", "static/nothing.css"]
)
def test_an_unknown_address_has_a_page(officer: Someone, path: str) -> None:
    answer = ConsoleBrowser(officer).get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_fault_has_a_page_that_repeats_nothing(
    officer: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise RuntimeError("Nigora")

    monkeypatch.setattr("app.console.worklist.build_task", fail)
    officer.create_case()
    answer = ConsoleBrowser(officer).get("")
    assert answer.status_code == 500
    assert "Nigora" not in answer.text
    assert "The service has a fault" in answer.text
    for name, value in HEADERS.items():
        assert answer.headers[name] == value


@pytest.mark.parametrize("path", ["", "nothing", "refer/1/save", "ended"])
def test_every_page_of_a_browser_with_a_session_has_the_quick_exit(
    officer: Someone, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise RuntimeError

    monkeypatch.setattr("app.console.worklist.build_task", fail)
    officer.create_case()
    answer = ConsoleBrowser(officer).get(path)
    assert answer.status_code in {401, 404, 405, 500}
    assert 'id="leave"' in answer.text


@pytest.mark.parametrize(
    ("referer", "target"),
    [
        ("http://testserver/console/cases?sent=true", "/console/cases"),
        ("http://testserver//evil.example/console/", "/console/"),
        ("http://testserver/v1/me", "/console/"),
        ("", "/console/"),
    ],
)
def test_the_language_is_set_and_the_reader_returns_to_a_page_of_the_console(
    officer: Someone, referer: str, target: str
) -> None:
    browser = ConsoleBrowser(officer, Referer=referer)
    answer = browser.post("language", {"language": "ru"})
    assert answer.headers["Location"] == target
    assert "__Host-sc-language=ru" in answer.headers["Set-Cookie"]
    browser.headers["Cookie"] += "; __Host-sc-language=ru"
    assert '<html lang="ru"' in browser.get("").text


def test_times_are_in_the_chosen_time_zone_or_in_that_of_the_office(
    officer: Someone, lead: Someone
) -> None:
    officer.submit()
    browser = ConsoleBrowser(lead)
    assert "Almaty (GMT+05:00)" in browser.get("").text
    russian = ConsoleBrowser(lead, **{"Accept-Language": "ru"}).get("")
    assert "Алматы (GMT+05:00)" in russian.text
    chosen = browser.post("settings/zone", {"zone": "America/Bogota"})
    cookie = "; " + chosen.headers["Set-Cookie"].partition(";")[0]
    browser.headers["Cookie"] += cookie
    assert "Bogota (GMT-05:00)" in browser.get("").text
    assert "<option selected>America/Bogota" in browser.get("settings").text
    other = ConsoleBrowser(officer)
    other.headers["Cookie"] += cookie
    assert "Bogota" not in other.get("").text
    browser.headers["Cookie"] = browser.headers["Cookie"].replace("Bogota", "Nowhere")
    assert browser.get("").status_code == 200


@pytest.mark.parametrize(
    ("form", "page"),
    [
        ("cases/SC-1/open/needs", "cases/SC-1"),
        (f"referrals/{SOME_ID}/actions/accept", f"referrals/{SOME_ID}"),
        (f"returns/{SOME_ID}/travel-plan", f"returns/{SOME_ID}"),
        (f"accounts/{SOME_ID}/disable", f"accounts/{SOME_ID}"),
        (
            f"cases/SC-1/emergency-access/{SOME_ID}/grant",
            "cases/SC-1/emergency-access",
        ),
    ],
)
def test_the_address_of_a_form_leads_back_to_its_page(
    officer: Someone, form: str, page: str
) -> None:
    browser = ConsoleBrowser(officer)
    answer = browser.http.get(
        f"/console/{form}", headers=browser.headers, follow_redirects=False
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/console/{page}"


def test_shift_key_is_switched_off_for_one_person_in_one_browser(
    officer: Someone, lead: Someone
) -> None:
    browser = ConsoleBrowser(officer)
    assert "data-shift" in browser.get("settings").text

    off = browser.post("settings/shift", {})
    assert off.status_code == 303
    cookie = off.headers["Set-Cookie"].partition(";")[0]
    kept = {"Cookie": f"{browser.headers['Cookie']}; {cookie}"}
    assert "data-shift" not in ConsoleBrowser(officer, **kept).get("settings").text
    assert "Leave this page" in ConsoleBrowser(officer, **kept).get("settings").text
    other = ConsoleBrowser(lead)
    other.headers["Cookie"] += f"; {cookie}"
    assert "data-shift" in other.get("settings").text

    on = ConsoleBrowser(officer, **kept).post("settings/shift", {"shift": "on"})
    assert '__Host-sc-shift=""' in on.headers["Set-Cookie"]
