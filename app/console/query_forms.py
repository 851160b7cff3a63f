"""Pages with a form whose fields are the query parameters of an API request."""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlencode

from app.console.api_client import Answer, ApiProblem, resolve_call
from app.console.visits import Visit


async def get_with_query(
    visit: Visit, path: str, names: Iterable[str]
) -> tuple[dict[str, str], Answer | ApiProblem]:
    """Return the query parameters of the page, and the response of the API to them.

    A missing parameter is an empty string. A problem with the parameters (422) is
    returned. Raises ApiProblem for any other problem.
    """
    asked = {name: visit.request.query_params.get(name, "") for name in names}
    query = urlencode({name: value for name, value in asked.items() if value})
    answer = await resolve_call(visit.api.get(f"{path}?{query}"))
    if isinstance(answer, ApiProblem) and answer.status != HTTPStatus.UNPROCESSABLE_ENTITY:
        raise answer
    return asked, answer
