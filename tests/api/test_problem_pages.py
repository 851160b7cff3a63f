"""Tests of the pages that the `type` of a problem refers to."""

from app.kernel.problems import Forbidden, list_problem_kinds
from tests.support.world import Someone, World


def test_the_type_of_a_problem_resolves_to_a_page(world: World, officer: Someone) -> None:
    refused = officer.get("/cases/SC-AAAA-AAAA-A").json()

    page = world.http.get(refused["type"])

    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert refused["title"] in page.text


def test_every_problem_has_a_page_with_its_title_in_each_language(world: World) -> None:
    pages = {
        kind.code: world.http.get(f"/problems/{kind.code}") for kind in list_problem_kinds()
    }

    assert {page.status_code for page in pages.values()} == {200}
    forbidden = pages[Forbidden.code].text
    assert "HTTP status 403" in forbidden
    assert '<li lang="es" dir="auto">Las credenciales no permiten esto.</li>' in forbidden
    assert '<li lang="ru" dir="auto">' in forbidden


def test_an_unknown_problem_has_no_page_and_is_not_repeated(world: World) -> None:
    answer = world.http.get("/problems/<script>alert(1)</script>")
    other = world.http.get("/problems/no-such-problem")

    assert (answer.status_code, other.status_code) == (404, 404)
    assert "script" not in answer.text
    assert "no-such-problem" not in other.text
