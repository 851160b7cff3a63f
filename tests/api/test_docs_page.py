"""The API documentation is served only if enabled, and loads nothing from elsewhere."""

import re

from fastapi.testclient import TestClient

from app.main import create_app
from tests.support.world import World

PATHS = ("/docs", "/docs/docs.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css")


def test_there_is_no_page_unless_it_is_asked_for(world: World) -> None:
    assert {world.http.get(path).status_code for path in PATHS} == {404}


def test_the_page_and_all_it_names_come_from_the_service(world: World) -> None:
    app = create_app(world.runtime, docs=True)
    with TestClient(app) as http:
        answers = {path: http.get(path) for path in PATHS}
        page = answers["/docs"].text
        named = re.findall(r'(?:src|href)="([^"]+)"', page)
        found = {http.get(f"/{name}").status_code for name in named if name != "data:,"}

    assert {one.status_code for one in answers.values()} == {200}
    assert len(named) >= 4
    assert found == {200}
    assert "//" not in "".join(named)
    for one in answers.values():
        policy = one.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert one.headers["X-Content-Type-Options"] == "nosniff"


def test_the_contract_does_not_tell_of_the_page(world: World) -> None:
    with_page, without = create_app(world.runtime, docs=True), create_app(world.runtime)
    assert with_page.openapi() == without.openapi()
