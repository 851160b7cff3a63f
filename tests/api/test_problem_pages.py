"""Tests of the pages that the `type` of a problem refers to."""

import pytest

from app.api.http import problem_pages
from app.api.http.content_language import TITLE_ROWS
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
    assert (
        "<li>Spanish / español (unreviewed translation): "
        '<span lang="es" dir="auto">Las credenciales no permiten esto.</span></li>'
    ) in forbidden
    assert "<li>Russian / русский (unreviewed translation): <span" in forbidden


def test_page_marks_each_translation_that_nobody_reviewed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = TITLE_ROWS[Forbidden.code]
    reviewed = row.model_copy(update={"reviewed": ["ru"]})
    monkeypatch.setattr(problem_pages, "TITLE_ROWS", {Forbidden.code: reviewed})

    page = problem_pages.render_page(Forbidden)

    assert f'<li>Russian / русский: <span lang="ru" dir="auto">{row.ru}</span>' in page
    assert page.count("(unreviewed translation)") == len(row.texts) - 2


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr", "French / français"),
        ("uz", "Uzbek / o‘zbek"),
        ("uz-Cyrl", "Uzbek (Cyrillic) / ўзбекча (Кирил)"),
        ("ht", "Haitian Creole"),
    ],
)
def test_language_is_named_in_english_and_in_itself(language: str, expected: str) -> None:
    assert problem_pages.format_language_name(language) == expected


def test_an_unknown_problem_has_no_page_and_is_not_repeated(world: World) -> None:
    answer = world.http.get("/problems/<script>alert(1)</script>")
    other = world.http.get("/problems/no-such-problem")

    assert (answer.status_code, other.status_code) == (404, 404)
    assert "script" not in answer.text
    assert "no-such-problem" not in other.text
