"""The page of one case, for the office of the signed-in person."""

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from app.console.action_forms import ActionMenu, build_menu
from app.console.api_client import Json
from app.console.case_actions import CASES
from app.console.case_documents import DOCUMENTS
from app.console.case_forms import FACTS
from app.console.case_records import read_events
from app.console.case_sentences import find_sentence
from app.console.visits import Visit
from app.console.worklist import find_page

PARTS: Final = (
    "evidence",
    "history",
    "referrals",
    "handovers",
    "consents",
    "facts",
    "questions",
    "screenings",
    "routing",
    "tasks",
)
"""The parts of a case that the page shows."""
PARTS_QUERY: Final = urlencode({"include": PARTS}, doseq=True)
FACT_WORDS: Final = {
    **{name: form.fields[0].words for name, form in FACTS.items()},
    "legal_hold": "legal_holds",
}
"""For each fact, the name of the reference list that has the labels of its values."""
OTHER_DOCUMENTS: Final = {
    name: document.title
    for name, document in DOCUMENTS.items()
    if document.title and "{id}" not in document.path
}
"""The sealed documents other than sections and screenings, with their titles."""
SAFEGUARD_READERS: Final = frozenset({"submitter", "candidate", "lead", "desk"})
"""The relations that let an office read the safeguards, as the submitter or holder."""


async def show_case(visit: Visit) -> Response:
    """Show a case, and record when an office that was asked reads it for the first time.

    Only a request without `include` records this, so the page sends both requests.
    """
    code = visit.request.path_params["code"]
    await visit.api.get(f"cases/{code}")
    answer, knowledge = await asyncio.gather(
        visit.api.get(f"cases/{code}?{PARTS_QUERY}"), read_knowledge(visit, code)
    )
    case = answer.body
    menu = build_menu(CASES, case["available_actions"])
    return visit.render(
        "case.html",
        case=case,
        tag=answer.tag,
        sentence=find_sentence(visit, case),
        events=await read_events(visit, case),
        asked_next=list_asked_next(case),
        included={part: list_part(case, part) for part in PARTS},
        facts=list_latest_facts(list_part(case, "facts")),
        fact_words=FACT_WORDS,
        knowledge=knowledge,
        offered=menu,
        find_page=find_page,
        open_actions=list_open_actions(menu),
        documents_of_case=list_documents(case),
    )


async def read_knowledge(visit: Visit, code: str) -> Json | None:
    """Return who may open and who opened each section, or None without `sections:read`."""
    if not visit.may("sections:read"):
        return None
    return (await visit.api.get(f"cases/{code}/knowledge")).body


def list_part(case: Json, part: str) -> Sequence[Json]:
    """Return the items of a part of a case, or none if the account may not read them."""
    items: Sequence[Json] = case["included"].get(part, {}).get("items", ())
    return items


def list_asked_next(case: Json) -> Sequence[str]:
    """Return the offices to ask next, in order. There are none if the case has a lead."""
    if case["lead"]:
        return ()
    candidates = case["included"].get("routing", {}).get("candidates", ())
    return [one["focal_point"] for one in candidates if not one["asked_at"]]


def list_latest_facts(facts: Sequence[Json]) -> Sequence[Json]:
    """Return the latest fact of each name and country. `facts` is sorted, oldest first."""
    return tuple({(fact["name"], fact["country"]): fact for fact in facts}.values())


def list_open_actions(menu: ActionMenu) -> frozenset[str]:
    """Return the codes of the actions that the account can take now."""
    offered = (*menu.main, *menu.frequent, *menu.more, *menu.grave)
    return frozenset(one.form.action for one in offered)


def list_documents(case: Json) -> Sequence[tuple[str, str]]:
    """Return the names and titles of the documents, except sections, that a page offers."""
    reads_safeguards = bool(SAFEGUARD_READERS.intersection(case["you_are"]))
    return [
        (name, title)
        for name, title in OTHER_DOCUMENTS.items()
        if reads_safeguards or not name.startswith("safeguards")
    ]
