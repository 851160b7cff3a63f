"""The plan of a route: how the arguments of its function are computed from a request.

FastAPI derives this from its description of the route again for each request, which took a
tenth of the time of a poll without new events. A plan is made once for each route, from the
same description, and validates with the same functions, so that errors are the same.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from inspect import isasyncgenfunction, isawaitable, iscoroutinefunction
from typing import Any, Final

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_body_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.security.base import SecurityBase
from pydantic_core import PydanticUndefined
from starlette.concurrency import run_in_threadpool

from app.api.http.parameter_plan import ParameterPlan, build_parameter_plan

type Values = dict[str, Any]
type Errors = list[Any]
type Answer = Response | Awaitable[Response]
"""The response of a route function, or an awaitable that returns the response and runs in
the event loop, not in a thread."""
type Read = tuple[Sequence[ParameterPlan], Callable[[Request], Mapping[str, Any]]]
"""Fields of a route, and the function that returns their part of a request."""

EXIT_STACK: Final = "fastapi_inner_astack"
"""The key of the exit stack that FastAPI closes after it has sent the response."""


class PlanUnsupportedError(TypeError):
    """A route uses a feature of FastAPI that plans do not support."""


@dataclass(frozen=True)
class CallPlan:
    """How a function is called: its dependencies, and its fields by part of the request."""

    call: Callable[..., Any]
    name: str | None
    dependencies: tuple["CallPlan", ...]
    reads: tuple[Read, ...]
    request_name: str | None
    resolve: Callable[[Request, "CallPlan", Values], Awaitable[Any]]

    async def collect(self, request: Request) -> tuple[Values, Errors]:
        """Return the arguments of the function, and the errors of invalid parameters."""
        values: Values = {}
        errors: Errors = []
        for dependency in self.dependencies:
            arguments, found = await dependency.collect(request)
            if found:
                errors += found
                continue
            result = await dependency.resolve(request, dependency, arguments)
            if dependency.name is not None:
                values[dependency.name] = result
        for fields, read_part in self.reads:
            part = read_part(request)
            for field in fields:
                field.add(values, errors, part)
        if self.request_name is not None:
            values[self.request_name] = request
        return values, errors


@dataclass(frozen=True)
class Arguments:
    """The arguments of a route function, the errors of invalid ones, and the body."""

    values: Values
    errors: Errors
    body: Any


class RoutePlan:
    """How a route function is called, with its parameters, its body and its dependencies.

    Raises PlanUnsupportedError if the route uses cookies, forms, background tasks or other
    features that no route has.
    """

    def __init__(self, described: Dependant, *, embeds_body: bool) -> None:
        self._call = build_call_plan(described)
        require_distinct(list(list_dependencies(self._call)))
        self._body_fields, self._embeds_body = described.body_params, embeds_body
        self.is_async = iscoroutinefunction(self._call.call)

    async def run(self, request: Request, body: Any) -> Response:
        """Call the route function with a parsed body, or PydanticUndefined without a body.

        Raises RequestValidationError (422) if the body or a parameter is invalid.
        """
        arguments = await self.collect(request, body)
        if self.is_async:
            return await wait_for_response(self.call(arguments))
        return await wait_for_response(await run_in_threadpool(self.call, arguments))

    async def collect(self, request: Request, body: Any) -> Arguments:
        """Return the arguments of the route function, and the errors of invalid ones."""
        values, errors = await self._call.collect(request)
        if self._body_fields:
            valid, found = await request_body_to_args(
                self._body_fields, body, self._embeds_body
            )
            values |= valid
            errors += found
        return Arguments(values, errors, None if body is PydanticUndefined else body)

    def call(self, arguments: Arguments) -> Answer:
        """Call the route function.

        Raises RequestValidationError (422) if `arguments` has errors.
        """
        if arguments.errors:
            raise RequestValidationError(arguments.errors, body=arguments.body)
        answer: Answer = self._call.call(**arguments.values)
        return answer


async def wait_for_response(answer: Answer) -> Response:
    """Return the response of a route function, after waiting for it if necessary.

    Raises PlanUnsupportedError if the function returned something else.
    """
    response = await answer if isawaitable(answer) else answer
    if not isinstance(response, Response):
        raise PlanUnsupportedError(f"A route returned no response: {type(response)}.")
    return response


def build_call_plan(described: Dependant) -> CallPlan:
    """Return the plan of a function that FastAPI has described.

    Security schemes are left out, because `GuardedRoute` authenticates the caller. Raises
    PlanUnsupportedError if the function uses a feature that plans do not support.
    """
    require_supported(described)
    call = described.call
    if call is None:
        raise PlanUnsupportedError("A description names no function.")
    parts: tuple[tuple[Sequence[Any], Callable[[Request], Mapping[str, Any]]], ...] = (
        (described.path_params, lambda request: request.path_params),
        (described.query_params, lambda request: request.query_params),
        (described.header_params, lambda request: request.headers),
    )
    return CallPlan(
        call=call,
        name=described.name,
        dependencies=tuple(
            build_dependency_plan(one)
            for one in described.dependencies
            if not is_security_scheme(one.call)
        ),
        reads=tuple(
            (tuple(map(build_parameter_plan, fields)), read_part)
            for fields, read_part in parts
            if fields
        ),
        request_name=described.request_param_name,
        resolve=start_dependency if isasyncgenfunction(call) else call_dependency,
    )


def build_dependency_plan(described: Dependant) -> CallPlan:
    """Return the plan of a dependency.

    Raises PlanUnsupportedError if it takes a body, or ends before the response is sent.
    """
    if described.body_params or described.scope == "function":
        raise PlanUnsupportedError("A dependency has a body, or ends before the response.")
    return build_call_plan(described)


def is_security_scheme(call: object) -> bool:
    """Return whether a dependency only documents how a caller authenticates."""
    return isinstance(call, SecurityBase)


def list_dependencies(plan: CallPlan) -> Iterator[Callable[..., Any]]:
    """Yield the direct and indirect dependencies of a function."""
    for dependency in plan.dependencies:
        yield dependency.call
        yield from list_dependencies(dependency)


def require_distinct(calls: Sequence[Callable[..., Any]]) -> None:
    """Raise PlanUnsupportedError for a dependency that is used twice or is not async.

    FastAPI calls a repeated dependency once, and one that is not async in a thread. A plan
    does neither.
    """
    if len(set(calls)) != len(calls):
        raise PlanUnsupportedError("A route uses a dependency twice.")
    for call in calls:
        if not (is_async(call) or is_async(type(call).__call__)):
            raise PlanUnsupportedError(f"{call} is not an asynchronous function.")


def is_async(call: object) -> bool:
    """Return whether calling `call` returns an awaitable or an asynchronous generator."""
    return iscoroutinefunction(call) or isasyncgenfunction(call)


def require_supported(described: Dependant) -> None:
    """Raise PlanUnsupportedError if a description uses a feature that no plan supports."""
    unsupported = (
        described.cookie_params,
        described.websocket_param_name,
        described.http_connection_param_name,
        described.response_param_name,
        described.background_tasks_param_name,
        described.security_scopes_param_name,
    )
    if any(unsupported) or described.concurrency is not None:
        raise PlanUnsupportedError(f"A plan does not support all that {described} uses.")


async def call_dependency(_: Request, plan: CallPlan, arguments: Values) -> Any:
    """Call an asynchronous dependency."""
    return await plan.call(**arguments)


async def start_dependency(request: Request, plan: CallPlan, arguments: Values) -> Any:
    """Run a dependency up to its `yield`; the rest runs after the response was sent."""
    stack: AsyncExitStack = request.scope[EXIT_STACK]
    return await stack.enter_async_context(asynccontextmanager(plan.call)(**arguments))
