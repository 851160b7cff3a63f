"""The page of one referral, for the office that sent it and the office that was asked."""

import asyncio
from collections.abc import Sequence
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.console.action_forms import Attempt, build_menu, take_action
from app.console.api_client import Gone, Json
from app.console.referral_actions import REFERRALS
from app.console.sealed_documents import OpenedDocument, open_document
from app.console.translations import mark
from app.console.visits import Visit

SENTENCES: Final = {
    "draft": mark("%(office)s has not been asked yet."),
    "sent": mark("%(office)s was asked, and has not confirmed receipt."),
    "received": mark("%(office)s has confirmed receipt, and has not decided yet."),
    "info_requested": mark("%(office)s has a question for the sender."),
    "accepted": mark("%(office)s has accepted, and meets the person."),
    "in_progress": mark("%(office)s helps the person."),
    "on_hold": mark("%(office)s has paused the help."),
    "completed": mark("%(office)s has completed the help."),
    "declined": mark("%(office)s has declined."),
    "redirected": mark("%(office)s cannot help, and named another office."),
    "withdrawn": mark("The sender has withdrawn the request to %(office)s."),
    "revoked": mark("The sender has revoked the request to %(office)s."),
    "expired": mark("%(office)s did not answer in time."),
}
"""The state of a referral as a sentence about the office that is asked."""
OWN_SENTENCES: Final = {
    "sent": mark("Your office is asked to help. Confirm that you have read this."),
    "received": mark("Your office is asked to help, and has not decided yet."),
    "info_requested": mark("Your office has asked a question, and waits for the answer."),
    "accepted": mark("Your office has accepted. The next step is to meet the person."),
    "in_progress": mark("Your office helps the person."),
    "on_hold": mark("Your office has paused the help."),
    "completed": mark("Your office has completed the help."),
    "declined": mark("Your office has declined."),
    "redirected": mark("Your office has named another office."),
    "withdrawn": mark("The sender has withdrawn the request. Delete what you have."),
    "revoked": mark("The sender has revoked the request. Delete what you have."),
    "expired": mark("Your office did not answer in time. Delete what you have."),
}
"""The state of a referral as a sentence for the office that is asked."""
RETURN_SERVICES: Final = frozenset({"RETURN", "CONSULAR_DOCUMENT"})
"""The services of referrals that can belong to a return."""
DOCUMENTS: Final = ("arrangement", "notes")
"""The sealed documents of a referral; the sections belong to the case."""


async def show_referral(visit: Visit) -> Response:
    """Show a referral. The first time that the recipient reads it is recorded."""
    return await render_referral(visit, get_path(visit))


async def take_referral_action(visit: Visit) -> Response:
    """Take an action on a referral, or show the page again with the entered values."""
    path = get_path(visit)
    outcome = await take_action(visit, REFERRALS, path)
    if isinstance(outcome, Response):
        return outcome
    return await render_referral(visit, path, attempt=outcome)


async def open_in_referral(visit: Visit) -> Response:
    """Open a section of the case, or a document of the referral, on this page."""
    path, name = get_path(visit), visit.request.path_params["document"]
    referral = (await visit.api.get(path)).body
    if name in DOCUMENTS:
        source = f"{path}/{name}"
    elif name in referral["sections"]:
        source = f"cases/{referral['case']}/sections/{name}"
    else:
        raise HTTPException(404)
    opened = await open_document(visit, name, source)
    return await render_referral(visit, path, opened=opened)


def get_path(visit: Visit) -> str:
    """Return the path of the referral, relative to both /v1/ and /console/."""
    return f"{REFERRALS.path}/{visit.request.path_params['id']}"


async def render_referral(
    visit: Visit,
    path: str,
    *,
    attempt: Attempt | None = None,
    opened: OpenedDocument | None = None,
) -> Response:
    """Return the page of a referral, with a failed attempt or opened document, if any."""
    answer, evidence = await asyncio.gather(
        visit.api.get(path), visit.api.get(f"{path}/evidence")
    )
    referral = answer.body
    case, access = await asyncio.gather(
        read_case(visit, referral["case"]), read_access(visit, referral)
    )
    problem = opened.problem if opened else None
    status = attempt.status if attempt else problem.status if problem else 200
    return visit.render(
        "referral.html",
        status,
        referral=referral,
        path=path,
        tag=answer.tag,
        sentence=find_sentence(referral),
        evidence=evidence.body["items"],
        case=case,
        task=find_task(case, path),
        access=access,
        return_id=await find_return(visit, referral, path),
        offered=build_menu(REFERRALS, referral["available_actions"], attempt),
        words=REFERRALS.words,
        attempt=attempt,
        opened=opened,
    )


def find_sentence(referral: Json) -> str:
    """Return the state of a referral as a sentence, for the side of the reader."""
    own = OWN_SENTENCES if "recipient" in referral["you_are"] else SENTENCES
    return own.get(referral["state"]) or SENTENCES[referral["state"]]


async def find_return(visit: Visit, referral: Json, path: str) -> str | None:
    """Return the id of the return that belongs to a referral, or None if there is none."""
    if referral["service"] not in RETURN_SERVICES:
        return None
    try:
        return str((await visit.api.get(f"{path}/return")).body["id"])
    except Gone:
        return None


async def read_case(visit: Visit, code: str) -> Json | None:
    """Return a case with its tasks, or None if the office may no longer read it.

    A request with `include` does not record that the office has read the case.
    """
    try:
        return (await visit.api.get(f"cases/{code}?include=tasks")).body
    except Gone:
        return None


def find_task(case: Json | None, path: str) -> str:
    """Return the kind of the office's task for a record, or an empty string if none."""
    tasks = case["included"]["tasks"]["items"] if case else ()
    return next((task["kind"] for task in tasks if task["subject"] == path), "")


async def read_access(visit: Visit, referral: Json) -> Sequence[Json]:
    """Return the sections of the referral, and whether the account may open each now.

    The result is empty without the scope `sections:read`, for an office that may no longer
    read the case, and for the sender, which opens sections on the page of the case.
    """
    if "recipient" not in referral["you_are"] or not visit.may("sections:read"):
        return ()
    try:
        knowledge = await visit.api.get(f"cases/{referral['case']}/knowledge")
    except Gone:
        return ()
    return [one for one in knowledge.body["own"] if one["section"] in referral["sections"]]
