"""The state of a case as a sentence about the office that holds it."""

from typing import Final

from app.console.api_client import Json
from app.console.translations import mark
from app.console.visits import Visit

DESK: Final = "desk"
SENTENCES: Final = {
    "draft": mark("The case is a draft. No other office knows of it."),
    "submitted": mark("%(office)s is asked to lead, and has not confirmed receipt."),
    "under_review": mark("%(office)s has confirmed receipt, and has not decided yet."),
    "referring": mark("%(office)s leads the case, and looks for help."),
    "assisting": mark("%(office)s leads the case, and help is being given."),
    "suspended": mark("%(office)s leads the case, and has paused it."),
    "monitoring": mark("%(office)s leads the case, and visits the person."),
    "closed": mark("The case is closed."),
    "void": mark("The case ended before an office took the lead."),
    "erased": mark("Everything that was written about the person is erased."),
}
OWN_SENTENCES: Final = {
    "submitted": mark("Your office is asked to lead. Confirm that you have read this."),
    "under_review": mark("Your office is asked to lead, and has not decided yet."),
    "referring": mark("Your office leads the case, and looks for help."),
    "assisting": mark("Your office leads the case, and help is being given."),
    "suspended": mark("Your office leads the case, and has paused it."),
    "monitoring": mark("Your office leads the case, and visits the person."),
}
"""The sentences for the office that holds the case."""
NOT_SHOWN: Final = mark("No office leads the case yet.")
"""The sentence for a submitter that may not know which office has the case."""
AT_A_DESK: Final = mark("%(office)s has the case, and chooses who is asked to lead.")
AT_OUR_DESK: Final = mark("Your desk has the case. Choose who is asked to lead.")


def find_sentence(visit: Visit, case: Json) -> str:
    """Return the English sentence for a case, which the page translates."""
    holder, state = case["holder"], case["state"]
    is_own = holder is not None and holder == visit.me["focal_point"]
    if state == "submitted" and holder is None:
        return NOT_SHOWN
    office = visit.offices.get(holder or "", {})
    if state == "submitted" and office.get("kind") == DESK:
        return AT_OUR_DESK if is_own else AT_A_DESK
    return (OWN_SENTENCES.get(state) if is_own else None) or SENTENCES[state]
