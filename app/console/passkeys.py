"""Routes to sign in with passkeys, to register them, and to redeem an enrolment.

The script of the page calls WebAuthn and sends the result as JSON. These routes pass it on
to the API, and turn the token of a new session into the session cookie.
"""

from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from app.console.api_client import ApiProblem, Gone, Json, StepUpRequired
from app.console.sign_in import end_session, store_session
from app.console.unsent_page import find_first_page
from app.console.visits import CONFIRM, HOME, Visit, find_local_path

SETTINGS: Final = "/console/settings"
CREATED: Final = 201


async def read_object(visit: Visit) -> Json:
    """Return the JSON object that the page's script sent, or {} if it is something else."""
    try:
        found: Any = await visit.request.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def render_refusal(problem: ApiProblem) -> JSONResponse:
    """Return the text of a problem, which the page's script shows beside the button.

    If the person has to sign in again, the response contains the path of that page.
    """
    answer = {"text": problem.body.get("detail") or problem.body.get("title")}
    if isinstance(problem, StepUpRequired):
        answer["to"] = f"{CONFIRM}?{urlencode({'next': SETTINGS})}"
    return JSONResponse(answer, problem.status)


async def create_sign_in_options(visit: Visit) -> Response:
    """Return the WebAuthn options for a sign-in, which the page's script needs."""
    try:
        return JSONResponse((await visit.api.post("passkey-challenges")).body)
    except ApiProblem as problem:
        return render_refusal(problem)


async def sign_in_with_passkey(visit: Visit) -> Response:
    """Sign in with the credential from the page's script, and return the next page.

    `next` is the page that the person wants. The session that the browser had before is
    ended, so that it can no longer be used.
    """
    sent = await read_object(visit)
    try:
        opened = await open_session(visit, {"credential": sent.get("credential")})
    except ApiProblem as problem:
        return render_refusal(problem)
    wanted = find_local_path(str(sent.get("next", ""))) or HOME
    page = await find_first_page(visit, opened["token"], wanted)
    return store_session(JSONResponse({"to": page}), opened["token"])


async def open_session(visit: Visit, body: Json) -> Json:
    """Open a session, and end the one that the browser has. Raises ApiProblem.

    The API replaces a session of the same person only. If the browser has the session of
    another person, the API returns 404 and does not use up the challenge. That session is
    then ended with a request of its own.
    """
    path, replaced = "sessions/passkey", await find_replaced(visit)
    try:
        return (await visit.anonymous.post(path, body | replaced)).body
    except Gone:
        if not replaced:
            raise
    await end_session(visit)
    return (await visit.anonymous.post(path, body)).body


async def find_replaced(visit: Visit) -> Json:
    """Return the browser's open session as {"replaces": id}, or {} if there is none."""
    try:
        session = (await visit.api.get("me")).body["session"]
    except ApiProblem:
        return {}
    return {"replaces": session["id"]} if session else {}


async def create_registration_options(visit: Visit) -> Response:
    """Return the WebAuthn options to register another passkey, for the page's script."""
    try:
        return JSONResponse((await visit.api.post("passkeys/options")).body)
    except ApiProblem as problem:
        return render_refusal(problem)


async def register_passkey(visit: Visit) -> Response:
    """Register another passkey of the person."""
    sent = await read_object(visit)
    body = {"credential": sent.get("credential"), "label": sent.get("label")}
    try:
        await visit.api.post("passkeys", body)
    except ApiProblem as problem:
        return render_refusal(problem)
    return JSONResponse({"to": SETTINGS}, CREATED)


async def show_enrolment(visit: Visit) -> Response:
    """Show the page on which a person redeems an enrolment by registering a passkey.

    The link has its secret after `#`, which browsers do not send, so it is in no log.
    """
    return visit.render("enrol.html")


async def create_enrolment_options(visit: Visit) -> Response:
    """Return the WebAuthn options for an enrolment's passkey, for the page's script."""
    sent = await read_object(visit)
    body = {name: sent.get(name) for name in ("link", "code")}
    try:
        answer = await visit.anonymous.post("enrolments/redeem/options", body)
    except ApiProblem as problem:
        return render_refusal(problem)
    return JSONResponse(answer.body)


async def redeem_enrolment(visit: Visit) -> Response:
    """Register the passkey of an enrolment, and sign the person in."""
    sent = await read_object(visit)
    names = ("link", "code", "credential", "label")
    body = {name: sent.get(name) for name in names}
    try:
        opened = (await visit.anonymous.post("enrolments/redeem", body)).body
    except ApiProblem as problem:
        return render_refusal(problem)
    return store_session(JSONResponse({"to": HOME}), opened["token"])
