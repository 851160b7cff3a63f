"""The demo accounts and their tasks, in the order of the tour."""

from collections.abc import Mapping, Sequence
from typing import Final

from app.console.demo_tour import TourPart, TourTask
from app.demo import demo_accounts as cast
from app.demo.demo_accounts import DemoAccount

type Stop = tuple[DemoAccount, TourTask]
"""An account, and the task that its user can try."""

[NGO_SECOND, GT_SECOND, IOM_SECOND, UZ_SECOND, PA_SECOND] = cast.SECONDS
[ADMINISTRATOR, OTHER_ADMINISTRATOR] = cast.ADMINISTRATORS
[OVERSIGHT_SECOND, ASIA_DESK, ASIA_SECOND, AMERICA_DESK, AMERICA_SECOND] = (
    cast.FURTHER_STAFF
)

# fmt: off
TOUR: Final[Mapping[TourPart, Sequence[Stop]]] = {
    TourPart.FIRST_CASE: (
        (cast.UZ_OFFICER, TourTask.REFER),
        (cast.KZ_LEAD, TourTask.LEAD),
        (cast.KZ_SECOND, TourTask.CONFIRM),
        (cast.KZ_SHELTER, TourTask.HELP),
        (cast.KZ_FULL_SHELTER, TourTask.HELP),
        (cast.KZ_NIGHT, TourTask.REFER),
        (cast.KZ_LAWYER, TourTask.HELP),
        (cast.KZ_NGO, TourTask.LEAD),
        (NGO_SECOND, TourTask.CONFIRM),
    ),
    TourPart.MECHANISM: (
        (cast.PROTECTION_OFFICER, TourTask.OVERSEE),
        (OVERSIGHT_SECOND, TourTask.CONFIRM),
        (cast.ANALYST, TourTask.ANALYSE),
        (ASIA_DESK, TourTask.STEP_IN),
        (ASIA_SECOND, TourTask.CONFIRM),
        (ADMINISTRATOR, TourTask.ADMINISTER),
        (AMERICA_DESK, TourTask.STEP_IN),
        (AMERICA_SECOND, TourTask.CONFIRM),
        (OTHER_ADMINISTRATOR, TourTask.ADMINISTER),
    ),
    TourPart.CHILD: (
        (cast.HN_OFFICER, TourTask.REFER),
        (cast.GT_LEAD, TourTask.LEAD),
        (GT_SECOND, TourTask.CONFIRM),
        (cast.GT_PROTECTION, TourTask.HELP),
        (cast.GT_SHELTER, TourTask.HELP),
    ),
    TourPart.ASYLUM: (
        (cast.KG_OFFICER, TourTask.REFER),
        (cast.IOM, TourTask.LEAD),
        (IOM_SECOND, TourTask.CONFIRM),
        (cast.UNHCR, TourTask.HELP),
        (cast.KG_SHELTER, TourTask.HELP),
        (cast.TM_OFFICER, TourTask.SEE_NOTHING),
    ),
    TourPart.HANDOVER: (
        (cast.UZ_LEAD, TourTask.LEAD),
        (UZ_SECOND, TourTask.CONFIRM),
        (cast.UZ_CENTRE, TourTask.HELP),
    ),
    TourPart.RETURN: (
        (cast.JM_OFFICER, TourTask.REFER),
        (cast.JM_CONSULATE, TourTask.TRAVEL_DOCUMENT),
        (cast.TT_LEAD, TourTask.LEAD),
        (cast.TT_SECOND, TourTask.CONFIRM),
        (cast.TT_SHELTER, TourTask.HELP),
        (cast.JM_HOME, TourTask.HELP),
    ),
    TourPart.INTERPRETER: (
        (cast.UZ_FAR_OFFICER, TourTask.REFER),
        (cast.PA_LEAD, TourTask.LEAD),
        (PA_SECOND, TourTask.CONFIRM),
        (cast.PA_INTERPRETER, TourTask.HELP),
        (cast.PA_PROSECUTOR, TourTask.HELP),
    ),
}
# fmt: on
