"""Routes that need no credential, and parse JSON as strictly as all other routes."""

from typing import override

from fastapi import Request, Response
from pydantic import BaseModel

from app.api.http.anonymous_bodies import AnonymousBodies
from app.api.http.authentication import require_known_query
from app.api.http.authorization import Handler, StrictRoute
from app.api.http.conditional_requests import JSON
from app.api.http.route_plan import RoutePlan


def render_once(shown: BaseModel, status: int = 200) -> Response:
    """Return a JSON response without an entity tag, for content that is valid only once."""
    return Response(shown.model_dump_json(), status, media_type=JSON)


class AnonymousRoute(StrictRoute):
    """A route that needs no credential. Its body is read with limits, and then parsed."""

    @override
    def get_route_handler(self) -> Handler:
        plan = RoutePlan(self.dependant, embeds_body=self._embed_body_fields)

        async def handle(request: Request) -> Response:
            require_known_query(request, frozenset())
            bodies: AnonymousBodies = request.app.state.anonymous_bodies
            body = await bodies.read(request)
            return await plan.run(request, self.parse_body(request, body))

        return handle
