"""The pages of the console, each with the person who opens it in the tests."""

from typing import Final

from tests.browser.cases import LEAD, OFFICER, SHELTER, SUPERVISOR

PUBLIC: Final = {
    "sign-in": "/console/sign-in",
    "signed-out": "/console/sign-in?signed-out",
    "session-ended": "/console/ended",
}
PAGES: Final = {
    "to-do": (LEAD, "/console/"),
    "to-do-shelter": (SHELTER, "/console/"),
    "to-do-officer": (OFFICER, "/console/"),
    "to-do-supervisor": (SUPERVISOR, "/console/"),
    "cases": (LEAD, "/console/cases"),
    "cases-sent": (OFFICER, "/console/cases?sent=true"),
    "case-new": (LEAD, "/console/cases/{new}"),
    "case-acknowledged": (LEAD, "/console/cases/{acknowledged}"),
    "case-led": (LEAD, "/console/cases/{led}"),
    "case-sent": (OFFICER, "/console/cases/{led}"),
    "case-shelter": (SHELTER, "/console/cases/{led}"),
    "gone": (LEAD, "/console/cases/SC-AAAA-AAAA-AAAA-A"),
}
"""The person who opens a page, and its path with the name of a record."""
GONE: Final = frozenset({"gone"})
