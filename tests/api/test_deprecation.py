"""Each response of a deprecated route names the dates of its deprecation and its end.

The service has no deprecated route today, so the tests add one to another application.
"""

from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

import pytest
from fastapi import Depends, Response

from app.api.http.dependencies import ReadDirectory
from app.api.http.deprecation import Deprecation, SunsetTooEarlyError
from app.api.http.problems import EVERYWHERE
from app.api.http.routers import ResourceRouter
from app.kernel.actors import Scope
from app.main import create_app
from tests.support.direct_client import make_client
from tests.support.documented_answers import read_response
from tests.support.world import Json, World, unwrap

OLD = Deprecation(date(2027, 1, 1), date(2028, 1, 1), "/problems/not-found")
EXPECTED = {
    "Deprecation": "@1798761600",
    "Sunset": "Sat, 01 Jan 2028 23:59:59 GMT",
    "Link": '</problems/not-found>; rel="deprecation"; type="text/html"',
}


@pytest.fixture
def sample(world: World) -> World:
    """Return a world with another application, which has a deprecated route."""
    router = ResourceRouter("samples")

    @router.get("/old-me", responses=EVERYWHERE, dependencies=[Depends(OLD)])
    def get_old_me(begin: ReadDirectory) -> Response:
        """Return an empty object."""
        with begin():
            return Response(b"{}", media_type="application/json")

    world.app = create_app(world.runtime)
    router.add_to(world.app)
    world.http = make_client(world.app, None)
    return world


def get_operation(world: World, path: str) -> Json:
    found: Json = world.app.openapi()["paths"][path]["get"]
    return found


def test_every_answer_of_a_deprecated_route_says_so(sample: World) -> None:
    reader = sample.add_person("KZ_LEAD")
    other = sample.add_person("KZ_LEAD", scopes=set(Scope) - {Scope.DIRECTORY_READ})
    path = "/old-me"
    answers = (
        reader.get(path),
        reader.get(path, unknown="1"),
        other.get(path),
        sample.http.get(f"/v1{path}"),
    )

    assert [answer.status_code for answer in answers] == [200, 422, 403, 401]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED


def test_dates_of_the_headers_can_be_parsed() -> None:
    since = datetime.fromtimestamp(int(EXPECTED["Deprecation"][1:]), UTC)

    assert since == datetime(2027, 1, 1, tzinfo=UTC)
    assert parsedate_to_datetime(EXPECTED["Sunset"]).date() == date(2028, 1, 1)


def test_other_routes_are_not_deprecated(sample: World) -> None:
    answer = sample.add_person("KZ_LEAD").get("/me")

    assert unwrap(answer)
    assert not EXPECTED.keys() & answer.headers.keys()
    assert "deprecated" not in get_operation(sample, "/v1/me")


def test_contract_documents_the_headers_of_a_deprecated_route(sample: World) -> None:
    operation = get_operation(sample, "/v1/old-me")
    components = sample.app.openapi()["components"]

    assert operation["deprecated"] is True
    assert OLD.describe() in operation["description"]
    for response in operation["responses"].values():
        documented = read_response(response, components)
        assert {name.lower() for name in EXPECTED} <= documented.required


def test_contract_without_deprecated_routes_has_no_such_headers(world: World) -> None:
    document = world.app.openapi()

    assert not EXPECTED.keys() & document["components"]["headers"].keys()
    assert "`Sunset` (RFC 8594)" in document["info"]["description"]


def test_deprecated_route_works_for_a_year_at_least() -> None:
    with pytest.raises(SunsetTooEarlyError):
        Deprecation(date(2027, 1, 1), date(2027, 12, 31), OLD.link)
