"""The texts of the demonstration's sign-in page: the parts of a tour, and the tasks."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.console.translations import mark


class TourPart(StrEnum):
    """The parts of the tour for newcomers, in the order of the tour."""

    FIRST_CASE = "first-case"
    MECHANISM = "mechanism"
    CHILD = "child"
    ASYLUM = "asylum"
    HANDOVER = "handover"
    RETURN = "return"
    INTERPRETER = "interpreter"


class TourTask(StrEnum):
    """A task that can be tried with a demo account."""

    REFER = "refer"
    LEAD = "lead"
    HELP = "help"
    CONFIRM = "confirm"
    TRAVEL_DOCUMENT = "travel-document"
    SEE_NOTHING = "see-nothing"
    STEP_IN = "step-in"
    OVERSEE = "oversee"
    ANALYSE = "analyse"
    ADMINISTER = "administer"


HEADINGS: Final[Mapping[TourPart, str]] = {
    TourPart.FIRST_CASE: mark("Start here: a case in Kazakhstan"),
    TourPart.MECHANISM: mark("Oversight, regional desks and administrators"),
    TourPart.CHILD: mark("A child in Guatemala"),
    TourPart.ASYLUM: mark("A woman in Kyrgyzstan who fears her State"),
    TourPart.HANDOVER: mark("A man who goes home to Uzbekistan"),
    TourPart.RETURN: mark("A return from Trinidad and Tobago that is not safe"),
    TourPart.INTERPRETER: mark("A man in Panama who speaks only Uzbek"),
}
TASKS: Final[Mapping[TourTask, str]] = {
    TourTask.REFER: mark(
        "Refer a person who needs help, and follow what becomes of the case."
    ),
    TourTask.LEAD: mark(
        "Acknowledge a case, take the lead, and ask other offices to help."
    ),
    TourTask.HELP: mark(
        "Accept a request for help, open what the person agreed to share, and report what "
        "was done."
    ),
    TourTask.CONFIRM: mark("Confirm, as the second person, what a colleague asks for."),
    TourTask.TRAVEL_DOCUMENT: mark(
        "Answer a request for a travel document, without learning where the person is."
    ),
    TourTask.SEE_NOTHING: mark(
        "See that nothing is here: this State does not learn about the woman who fears it."
    ),
    TourTask.STEP_IN: mark("Choose another office if no office of a country takes a case."),
    TourTask.OVERSEE: mark(
        "Read who opened which section of a case. Place a legal hold, which a second "
        "person confirms."
    ),
    TourTask.ANALYSE: mark(
        "See that no case is shown: an analyst reads only numbers, through the API."
    ),
    TourTask.ADMINISTER: mark(
        "See that no case is shown: two administrators maintain the directory and the "
        "accounts."
    ),
}
