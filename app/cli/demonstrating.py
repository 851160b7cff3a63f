"""The demonstration: a made-up mechanism, journeys through it, and a service to try."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Final

import httpx
import uvicorn

from app.cli.grounds import (
    NotReady,
    about_drill,
    alone,
    exposing,
    ground_of,
    migrate,
    new_keys,
)
from app.cli.readiness import must_be_ready
from app.cli.serving import listener, server
from app.cli.working import jobs_of
from app.deadlines.actions import run_out
from app.demo import journeys
from app.demo.cast import KZ_LEAD, UZ_OFFICER, Part
from app.demo.journeys import Journey
from app.demo.players import StoryBroken, Troupe
from app.demo.stage import Stage, give_keys, load_mechanism
from app.demo.worker import REFERENCE
from app.kernel.ledger import Ledger
from app.kernel.work import Ground
from app.main import create_app
from app.settings import URL, Settings
from app.worker.loop import working

PATIENCE: Final = timedelta(seconds=30)
NOBODY: Final = (
    """
Nobody answers where SAFE_CONDUCT_URL says, or at {url} if it says nothing: start
`safe-conduct demo serve`, or set it to where the demonstration serves.
""".strip()
    .replace("\n", " ")
    .format(url=URL)
)
type Say = Callable[[str], None]


def prepare(settings: Settings) -> None:
    """Make what a first run lacks: a key and the tables."""
    if not settings.key_file.exists():
        new_keys(settings.key_file)
    migrate(settings)


def keys_for(ground: Ground) -> dict[Part, str]:
    """Load the made-up mechanism and give its cast keys for a day."""
    with ground.database.writing() as session:
        stage = Stage(session, ground.clock(), ground.ids)
        load_mechanism(stage)
        return give_keys(stage)


def play(settings: Settings, say: Say, chosen: Collection[Journey] = ()) -> None:
    """Play journeys against the running service of these settings; none named: all.

    Raises NotReady where there is none.
    """
    ground = ground_of(settings)
    keys, now = keys_for(ground), ground.clock()
    try:
        with httpx.Client(base_url=settings.url) as http:
            journeys.play(Troupe(http, keys, say, now, runs_out(ground)), chosen)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise NotReady(NOBODY) from error
    ground.database.engine.dispose()


def runs_out(ground: Ground) -> Callable[[str], None]:
    """Be ready to let the time of a case be over."""

    def let(code: str) -> None:
        with ground.database.writing() as session:
            run_out(session, f"cases/{code}", ground.time(session))

    return let


def serve(settings: Settings, say: Say) -> None:
    """Serve the demonstration, play the journeys through it, and hand over two keys."""
    prepare(settings)
    with alone(settings.database_url):
        ground = ground_of(settings)
        keys = keys_for(ground)
        ledger = Ledger(settings.erasure_ledger)
        ledger.copy_out(ground, anew=True)
        must_be_ready(ground, ledger, settings)
        taken = listener(settings)
        rate = settings.requests_per_minute
        here = settings.public_url or f"http://{settings.host}:{settings.port}"
        app = create_app(ground, ledger, rate=rate, docs=True, public_url=here)
        running = server(app, settings)
        if drill := about_drill(ground):
            say(drill)
        tale = (running, ground, keys, say)
        threading.Thread(target=tell, args=tale, daemon=True).start()
        with exposing(ground, settings), working(ground, jobs_of(ground, ledger, settings)):
            running.run([taken])
        ground.database.engine.dispose()


def tell(
    running: uvicorn.Server, ground: Ground, keys: Mapping[Part, str], say: Say
) -> None:
    """Once it serves, play the journeys and print two keys and the first request."""
    if (url := address_of(running)) is None:
        return
    say(f"Safe Conduct is serving at {url}. What follows is made up.")
    say(f"The contract, to read and to try: {url}/docs")
    try:
        with httpx.Client(base_url=url) as http:
            journeys.play(Troupe(http, keys, say, ground.clock(), runs_out(ground)))
    except StoryBroken as broken:
        say(f"The story broke off: {broken}")
    say(hint(url, keys[UZ_OFFICER], keys[KZ_LEAD]))


def address_of(running: uvicorn.Server) -> str | None:
    """Wait until it serves, and say where; None: it does not come up."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while not running.started:
        if time.monotonic() > deadline or running.should_exit:
            return None
        time.sleep(0.05)
    host, port = running.servers[0].sockets[0].getsockname()[:2]
    return f"http://{host}:{port}"


def hint(url: str, key: str, lead: str) -> str:
    """Spell the two keys that the README goes on with, and the first request."""
    return f"""
Safe Conduct is serving at {url}, with made-up data. Stop it with Ctrl-C.
Two keys for one day: of the consular officer who submitted {REFERENCE}, and of the
coordinator at {KZ_LEAD.focal_point}, where such cases go.

    export KEY={key}
    export LEAD={lead}

The first request, what this officer is party to:

    curl -s {url}/v1/cases -H "Authorization: Bearer {key}"
"""
