"""The routes of "Refer someone"; paths are relative to /console."""

from typing import Final

from starlette.routing import Route

from app.console import refer
from app.console.endpoints import FormRoute, require_session

STEP: Final = "/refer/{number:int}"
REFER_ROUTES: Final = (
    Route("/refer", require_session(refer.begin)),
    Route("/refer/discard", require_session(refer.ask_discard)),
    Route("/refer/discard", require_session(refer.discard), methods=["POST"]),
    Route("/refer/refused", require_session(refer.ask_refused)),
    Route("/refer/refused", require_session(refer.end_refused), methods=["POST"]),
    Route("/refer/sent/{code}", require_session(refer.show_sent)),
    Route(STEP, require_session(refer.show_step)),
    FormRoute(STEP, refer.take_step, ["POST"]),
    Route(f"{STEP}/save", require_session(refer.save_step), methods=["POST"]),
)
